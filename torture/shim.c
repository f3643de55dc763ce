/* Preloaded into a server, this stands between SQLite and the system's calls, for three things: calls that fail, a
 * process that dies at one of them, and a disk that forgets. Built and steered by shim.py.
 *
 * TORTURE_DATA     the data directory; only files directly in it are meant, without the indexes (-shm), which are no files of record
 * TORTURE_CONTROL  a file with struct control, shared with who steers
 * TORTURE_SHADOW   a directory that is kept as those files would be after a power loss: a write reaches it with the next sync
 *                  of its file by this process, and not before
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct control {
    volatile uint32_t write_permille; /* of writes that fail */
    volatile uint32_t sync_permille;  /* of syncs that fail */
    volatile uint32_t error;          /* errno they fail with */
    volatile uint32_t writes, syncs;  /* seen so far */
    volatile uint32_t failed;         /* made to fail so far */
    char only[64];                    /* files whose names begin so; empty for all */
    volatile int32_t writes_to_live;  /* of the file called `killed`: this process kills itself before the one after; 0 for never */
    char killed[64];
    volatile uint32_t sync_ms; /* what every sync of a file that is meant by `only` takes longer */
};

struct range { off_t at; size_t length; };
struct file { char name[NAME_MAX + 1]; struct range *dirty; size_t count, room; };

#define FILES 32
static struct file files[FILES];
static struct control *control;
static const char *data, *shadow;
static size_t data_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread uint64_t seed;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    data = getenv("TORTURE_DATA");
    shadow = getenv("TORTURE_SHADOW");
    data_length = data ? strlen(data) : 0;
    const char *path = getenv("TORTURE_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        control = shared == MAP_FAILED ? NULL : shared;
        close(fd);
    }
}

/* The name of a file of the data directory within it, or NULL. */
static const char *within(const char *path) {
    if (!data || strncmp(path, data, data_length) || path[data_length] != '/') return NULL;
    const char *name = path + data_length + 1;
    size_t length = strlen(name);
    if (!strstr(name, ".db") || strchr(name, '/') || strchr(name, ' ') || (length > 4 && !strcmp(name + length - 4, "-shm"))) return NULL;
    return name;
}

static const char *name_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return within(path);
}

static int fails(const char *name, uint32_t permille) {
    if (!control || !permille || strncmp(name, control->only, strlen(control->only))) return 0;
    if (!seed) seed = (uint64_t)getpid() * 2654435761u ^ (uint64_t)(uintptr_t)&seed;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    if ((seed >> 33) % 1000 >= permille) return 0;
    __sync_fetch_and_add(&control->failed, 1);
    errno = (int)control->error;
    return 1;
}

/* The last moment before a write, in the middle of whatever SQLite is at. */
static void dies(const char *name) {
    if (control->writes_to_live <= 0 || strcmp(name, control->killed)) return;
    if (__sync_sub_and_fetch(&control->writes_to_live, 1) == 0) kill(getpid(), SIGKILL);
}

static struct file *entry(const char *name) {
    for (int i = 0; i < FILES; i++) {
        if (!files[i].name[0]) strcpy(files[i].name, name);
        if (!strcmp(files[i].name, name)) return &files[i];
    }
    abort();
}

static void dirty(const char *name, off_t at, size_t length) {
    struct file *file = entry(name);
    if (file->count && file->dirty[file->count - 1].at + (off_t)file->dirty[file->count - 1].length == at) {
        file->dirty[file->count - 1].length += length;
        return;
    }
    if (file->count == file->room) {
        file->room = file->room ? file->room * 2 : 64;
        file->dirty = realloc(file->dirty, file->room * sizeof(struct range));
        if (!file->dirty) abort();
    }
    file->dirty[file->count++] = (struct range){at, length};
}

/* What was written since the last sync is on the disk now. The lock is held. */
static void settle(int fd, const char *name) {
    static char buffer[1 << 16];
    char path[PATH_MAX];
    struct stat found;
    struct file *file = entry(name);
    snprintf(path, sizeof path, "%s/%s", shadow, name);
    int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (out < 0 || fstat(fd, &found)) abort();
    for (size_t i = 0; i < file->count; i++) {
        off_t at = file->dirty[i].at, end = at + (off_t)file->dirty[i].length;
        while (at < end) {
            size_t wanted = end - at < (off_t)sizeof buffer ? (size_t)(end - at) : sizeof buffer;
            ssize_t got = pread(fd, buffer, wanted, at);
            if (got <= 0) break; /* cut off since */
            if (real_pwrite(out, buffer, (size_t)got, at) != got) abort();
            at += got;
        }
    }
    if (real_ftruncate(out, found.st_size)) abort();
    close(out);
    file->count = 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    char path[PATH_MAX];
    const char *name = control ? name_of(fd, path) : NULL;
    if (!name) return real_pwrite(fd, bytes, length, at);
    __sync_fetch_and_add(&control->writes, 1);
    dies(name);
    if (fails(name, control->write_permille)) return -1;
    if (!shadow) return real_pwrite(fd, bytes, length, at);
    pthread_mutex_lock(&lock);
    ssize_t done = real_pwrite(fd, bytes, length, at);
    if (done > 0) dirty(name, at, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    const char *name = control ? name_of(fd, path) : NULL;
    if (name && fails(name, control->write_permille)) return -1;
    return real_ftruncate(fd, length); /* the length reaches the shadow with the next sync */
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, int (*real)(int)) {
    char path[PATH_MAX];
    const char *name = control ? name_of(fd, path) : NULL;
    if (!name) return real(fd);
    __sync_fetch_and_add(&control->syncs, 1);
    for (uint32_t slept = 0; !strncmp(name, control->only, strlen(control->only)) && slept < control->sync_ms; slept++) usleep(1000);
    if (fails(name, control->sync_permille)) return -1;
    if (!shadow) return real(fd);
    pthread_mutex_lock(&lock);
    int failed = real(fd);
    if (!failed) settle(fd, name);
    pthread_mutex_unlock(&lock);
    return failed;
}

int fsync(int fd) { return synced(fd, real_fsync); }

int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int unlink(const char *path) {
    char gone[PATH_MAX];
    const char *name = control ? within(path) : NULL;
    int failed = real_unlink(path);
    if (name && shadow && !failed) {
        pthread_mutex_lock(&lock);
        entry(name)->count = 0;
        snprintf(gone, sizeof gone, "%s/%s", shadow, name);
        real_unlink(gone);
        pthread_mutex_unlock(&lock);
    }
    return failed;
}
