/* SQLite's interface for file systems (its documentation: sqlite3_vfs, sqlite3_io_methods), so that its header is not needed. */
struct methods;
struct sqlite_file { const struct methods *methods; };
struct methods {
    int version;
    int (*close)(struct sqlite_file *);
    int (*read)(struct sqlite_file *, void *, int, int64_t);
    int (*write)(struct sqlite_file *, const void *, int, int64_t);
    int (*truncate)(struct sqlite_file *, int64_t);
    int (*sync)(struct sqlite_file *, int);
    int (*size)(struct sqlite_file *, int64_t *);
    int (*lock)(struct sqlite_file *, int);
    int (*unlock)(struct sqlite_file *, int);
    int (*check_reserved)(struct sqlite_file *, int *);
    int (*control)(struct sqlite_file *, int, void *);
    int (*sector_size)(struct sqlite_file *);
    int (*characteristics)(struct sqlite_file *);
    int (*shm_map)(struct sqlite_file *, int, int, int, void volatile **);
    int (*shm_lock)(struct sqlite_file *, int, int, int);
    void (*shm_barrier)(struct sqlite_file *);
    int (*shm_unmap)(struct sqlite_file *, int);
};
struct vfs {
    int version, handle_bytes, path_bytes;
    struct vfs *next;
    const char *name;
    void *data;
    int (*open)(struct vfs *, const char *, struct sqlite_file *, int, int *);
    int (*remove)(struct vfs *, const char *, int);
    int (*access)(struct vfs *, const char *, int, int *);
    int (*full_path)(struct vfs *, const char *, int, char *);
    void *dl[4];
    int (*randomness)(struct vfs *, int, char *);
    int (*sleep)(struct vfs *, int);
    int (*time)(struct vfs *, double *);
    int (*last_error)(struct vfs *, int, char *);
    int (*time_ms)(struct vfs *, int64_t *);
};
enum { OK = 0, BUSY = 5, FULL = 13, CANTOPEN = 14, NOTFOUND = 12 };
enum { IOERR = 10, SHORT_READ = IOERR | 2 << 8, BAD_READ = IOERR | 1 << 8, BAD_WRITE = IOERR | 3 << 8, BAD_SYNC = IOERR | 4 << 8,
       BAD_TRUNCATE = IOERR | 6 << 8, BAD_DELETE = IOERR | 10 << 8 };
enum { OPEN_READONLY = 1, OPEN_CREATE = 4 };
