/* A disk in memory, for SQLite: what was written and what is on stable storage are kept apart, and every choice is drawn from
 * one seed. Built and steered by disk.py; meant for one thread.
 *
 * A file has two contents: `now`, which every process sees, as in the page cache of a system, and `kept`, which a power loss
 * leaves. A write reaches `kept` sector by sector: all of them with the next sync, some of them by chance before. Processes are
 * numbers (`owner`): one that is killed has every later call of its handles refused, and loses its locks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "interface.h"

enum { SHARED = 1, RESERVED = 2, EXCLUSIVE = 4 }; /* levels of a lock; 3, pending, stands between */
enum { SHM_UNLOCK = 1, SHM_LOCK = 2, SHM_SHARED = 4, SHM_EXCLUSIVE = 8, SHM_LOCKS = 8, REGIONS = 32 };
enum { POWERSAFE_OVERWRITE = 0x1000, SECTOR = 512, FILES = 16, OWNERS = 3, PROCESSES_ALL = (1 << OWNERS) - 1 };

/* What happens to writes and syncs, as disk.py has it. */
struct settings {
    int32_t owner;                     /* who opens files from here on */
    int32_t write_after, write_times;  /* so many writes succeed, then so many fail */
    int32_t sync_after, sync_times;
    int32_t full;                      /* a write that makes a file longer fails */
    int32_t die_after, die_mask;       /* so many calls that change something succeed, then these processes die; mask 0 for never */
    int32_t early_permille;            /* of writes after which some sectors reach stable storage by themselves */
    int32_t lies;                      /* a sync says yes and does nothing */
    int32_t forgets;                   /* what a failed sync did not bring to stable storage, no later one does */
    int32_t dead;                      /* mask of processes that are */
};
struct counts { int64_t writes, syncs, failed_writes, failed_syncs, full, sectors_lost, sectors_torn, slept_us; uint64_t trace; };

struct bytes { uint8_t *at; int64_t size, room; };
struct shm { int users, count, shared[SHM_LOCKS], exclusive[SHM_LOCKS]; void *regions[REGIONS]; };
struct file {
    char name[64];
    int there, kept_there; /* now, and after a power loss */
    int fresh;             /* made, and not synced since */
    struct bytes now, kept;
    uint8_t *dirty;        /* a flag a sector of `now`: differs from `kept` */
    int64_t dirty_room;
    int shared, reserved, pending, exclusive;
    struct shm *shm;
};
struct handle {
    struct sqlite_file base;
    struct file *file; /* NULL once its process is dead */
    struct shm *shm;
    int owner, readonly, level, shared, exclusive; /* the last two: masks of locks in shared memory */
    struct handle *next, **back;
};

static struct file files[FILES];
static struct handle *handles;
struct settings disk_settings;
struct counts disk_counts;
static uint64_t state;

static uint64_t draw(void) { /* splitmix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int chance(int permille) { return permille > 0 && (int)(draw() % 1000) < permille; }

static void trace(int what, struct file *file, int64_t a, int64_t b) {
    uint64_t fields[4] = {(uint64_t)what, (uint64_t)(file - files), (uint64_t)a, (uint64_t)b};
    for (int i = 0; i < 4; i++) disk_counts.trace = (disk_counts.trace ^ fields[i]) * 0x100000001b3u;
}

static void *grown(void *old, int64_t had, int64_t wanted) { /* the new part is zeros */
    uint8_t *made = realloc(old, (size_t)wanted);
    if (!made) abort();
    memset(made + had, 0, (size_t)(wanted - had));
    return made;
}

/* What lies beyond the new size is zeros, now and when the file grows over it again. */
static void resize(struct bytes *bytes, int64_t size) {
    if (size > bytes->room) {
        int64_t room = size * 2 + 65536;
        bytes->at = grown(bytes->at, bytes->room, room);
        bytes->room = room;
    }
    if (size < bytes->size) memset(bytes->at + size, 0, (size_t)(bytes->size - size));
    bytes->size = size;
}

static void mark(struct file *file, int64_t from, int64_t to) {
    int64_t last = (to + SECTOR - 1) / SECTOR;
    if (last > file->dirty_room) {
        file->dirty = grown(file->dirty, file->dirty_room, last * 2);
        file->dirty_room = last * 2;
    }
    for (int64_t i = from / SECTOR; i < last; i++) file->dirty[i] = 1;
}

/* Bring each dirty sector to stable storage with this chance. The length follows what was brought, or is brought whole. */
static void settle(struct file *file, int permille) {
    int64_t sectors = file->now.size > file->kept.size ? file->now.size : file->kept.size;
    sectors = (sectors + SECTOR - 1) / SECTOR;
    if (permille >= 1000) resize(&file->kept, file->now.size);
    for (int64_t i = 0; i < sectors && i < file->dirty_room; i++) {
        if (!file->dirty[i] || (permille < 1000 && !chance(permille))) continue;
        file->dirty[i] = 0;
        int64_t at = i * SECTOR, end = at + SECTOR < file->now.size ? at + SECTOR : file->now.size;
        if (end <= at) continue;
        if (end > file->kept.size) resize(&file->kept, end);
        memcpy(file->kept.at + at, file->now.at + at, (size_t)(end - at));
    }
}

static void let_go(struct handle *handle) {
    struct file *file = handle->file;
    if (!file) return;
    if (handle->level >= SHARED) file->shared--;
    if (handle->level >= RESERVED) file->reserved = file->pending = file->exclusive = 0;
    for (int i = 0; handle->shm && i < SHM_LOCKS; i++) {
        handle->shm->shared[i] -= handle->shared >> i & 1;
        if (handle->exclusive >> i & 1) handle->shm->exclusive[i] = 0;
    }
    handle->level = handle->shared = handle->exclusive = 0;
}

/* End processes: their handles do nothing from here on. Memory that all processes of a file shared goes with the last of them. */
void disk_kill(int mask) {
    disk_settings.dead |= mask;
    disk_settings.die_mask = 0;
    for (struct handle *handle = handles; handle; handle = handle->next)
        if (mask >> handle->owner & 1) {
            let_go(handle);
            handle->file = NULL;
        }
    for (struct file *file = files; file < files + FILES; file++) {
        int users = 0;
        for (struct handle *handle = handles; handle; handle = handle->next) users += handle->file == file;
        if (!users) file->shm = NULL; /* dead handles may still point at it: the last to close frees it */
    }
}

static int dies(void) {
    if (!disk_settings.die_mask || disk_settings.die_after-- > 0) return 0;
    disk_kill(disk_settings.die_mask);
    return 1;
}

static int fails(int32_t *after, int32_t *times) {
    if (*times <= 0) return 0;
    if ((*after)-- > 0) return 0;
    (*times)--;
    return 1;
}

static struct file *find(const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    for (struct file *file = files; file < files + FILES; file++) {
        if (!file->name[0]) strncpy(file->name, name, sizeof file->name - 1);
        if (!strcmp(file->name, name)) return file;
    }
    abort();
}

static int flush(struct file *file) {
    disk_counts.syncs++;
    trace(3, file, 0, 0);
    if (fails(&disk_settings.sync_after, &disk_settings.sync_times)) {
        disk_counts.failed_syncs++;
        settle(file, (int)(draw() % 1000));
        if (disk_settings.forgets && file->dirty) memset(file->dirty, 0, (size_t)file->dirty_room);
        return BAD_SYNC;
    }
    if (disk_settings.lies) return OK;
    if (file->fresh) resize(&file->kept, 0); /* what an earlier file of that name had is gone now */
    if (file->fresh) mark(file, 0, file->now.size);
    settle(file, 1000);
    file->fresh = 0;
    file->kept_there = 1;
    return OK;
}

/* Write a file over itself and flush it, as the process whose turn it is; 0 when that was done. */
int disk_rewrite(const char *name) {
    struct file *file = find(name);
    if (disk_settings.dead >> disk_settings.owner & 1) return BAD_WRITE;
    if (disk_settings.die_mask >> disk_settings.owner & 1 && dies()) return BAD_WRITE;
    mark(file, 0, file->now.size);
    return flush(file);
}

/* An empty disk. */
void disk_begin(uint64_t seed) {
    disk_kill(PROCESSES_ALL);
    for (struct file *file = files; file < files + FILES; file++) {
        resize(&file->now, 0);
        resize(&file->kept, 0);
        if (file->dirty) memset(file->dirty, 0, (size_t)file->dirty_room);
        file->there = file->kept_there = file->fresh = 0;
    }
    memset(&disk_settings, 0, sizeof disk_settings);
    memset(&disk_counts, 0, sizeof disk_counts);
    state = seed;
}

/* The processes that were killed may be started again. */
void disk_revive(int mask) { disk_settings.dead &= ~mask; }

/* What a power loss leaves: of what was not synced each sector with this chance. */
void disk_lose_power(int permille) {
    disk_kill(PROCESSES_ALL);
    for (struct file *file = files; file < files + FILES; file++) {
        if (!file->there ? file->kept_there && permille && draw() & 1 : file->fresh && chance(permille)) {
            /* a removal, or the making of a file in the place of an earlier one, that reached stable storage by itself */
            file->kept_there = file->there;
            resize(&file->kept, 0);
            if (file->there) mark(file, 0, file->now.size);
        } else if (!file->there || file->fresh) {
            if (file->dirty) memset(file->dirty, 0, (size_t)file->dirty_room);
            resize(&file->now, file->kept.size); /* all that is left of it is what the earlier one has kept */
        }
        if (file->there && file->kept_there) {
            int64_t length = draw() & 1 ? file->now.size : file->kept.size;
            for (int64_t i = 0; i < file->dirty_room; i++) disk_counts.sectors_torn += file->dirty[i];
            settle(file, permille);
            for (int64_t i = 0; i < file->dirty_room; i++) {
                disk_counts.sectors_lost += file->dirty[i];
                disk_counts.sectors_torn -= file->dirty[i];
            }
            if (permille && permille < 1000) resize(&file->kept, length);
        }
        file->there = file->kept_there;
        file->fresh = 0;
        resize(&file->now, file->there ? file->kept.size : 0);
        if (file->there) memcpy(file->now.at, file->kept.at, (size_t)file->kept.size);
        if (!file->there) resize(&file->kept, 0);
        if (file->dirty) memset(file->dirty, 0, (size_t)file->dirty_room);
    }
}

/* Read a file as it is now, from outside any process; -1 where there is none. */
int64_t disk_size(const char *name) { return find(name)->there ? find(name)->now.size : -1; }
void disk_read(const char *name, uint8_t *out) { memcpy(out, find(name)->now.at, (size_t)find(name)->now.size); }

#include "files.h"
