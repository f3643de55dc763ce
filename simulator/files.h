/* What SQLite calls: files, locks and shared memory of the disk in disk.c, which includes this. */

#define FILE_OF(base, or) struct handle *handle = (struct handle *)base; struct file *file = handle->file; if (!file) return or

static int f_read(struct sqlite_file *base, void *out, int length, int64_t at) {
    FILE_OF(base, BAD_READ);
    int64_t has = file->now.size - at;
    if (has >= length) return memcpy(out, file->now.at + at, (size_t)length), OK;
    memset(out, 0, (size_t)length);
    if (has > 0) memcpy(out, file->now.at + at, (size_t)has);
    return SHORT_READ;
}

static void put(struct file *file, const void *bytes, int64_t length, int64_t at) {
    if (at + length > file->now.size) {
        mark(file, file->now.size, at);
        resize(&file->now, at + length);
    }
    memcpy(file->now.at + at, bytes, (size_t)length);
    mark(file, at, at + length);
}

static int f_write(struct sqlite_file *base, const void *bytes, int length, int64_t at) {
    FILE_OF(base, BAD_WRITE);
    if (handle->readonly) return BAD_WRITE;
    int part = (int)(draw() % (unsigned)(length / SECTOR + 1)) * SECTOR; /* of a write that is cut short */
    if (disk_settings.die_mask >> handle->owner & 1 && dies()) return put(file, bytes, part, at), BAD_WRITE;
    disk_counts.writes++;
    trace(1, file, at, length);
    if (disk_settings.full && at + length > file->now.size) return disk_counts.full++, FULL;
    if (fails(&disk_settings.write_after, &disk_settings.write_times)) {
        disk_counts.failed_writes++;
        return put(file, bytes, part, at), BAD_WRITE;
    }
    put(file, bytes, length, at);
    if (chance(disk_settings.early_permille)) settle(file, 1 + (int)(draw() % 999));
    return OK;
}

static int f_truncate(struct sqlite_file *base, int64_t size) {
    FILE_OF(base, BAD_TRUNCATE);
    if (handle->readonly) return BAD_TRUNCATE;
    if (disk_settings.die_mask >> handle->owner & 1 && dies()) return BAD_TRUNCATE;
    trace(2, file, size, 0);
    if (fails(&disk_settings.write_after, &disk_settings.write_times)) return disk_counts.failed_writes++, BAD_TRUNCATE;
    int64_t before = file->now.size;
    mark(file, size < before ? size : before, size < before ? before : size);
    resize(&file->now, size);
    return OK;
}

static int f_sync(struct sqlite_file *base, int flags) {
    (void)flags;
    FILE_OF(base, BAD_SYNC);
    if (disk_settings.die_mask >> handle->owner & 1 && dies()) return settle(file, (int)(draw() % 1000)), BAD_SYNC;
    return flush(file);
}

static int f_size(struct sqlite_file *base, int64_t *size) {
    FILE_OF(base, BAD_READ);
    *size = file->now.size;
    return OK;
}

static int f_lock(struct sqlite_file *base, int level) {
    FILE_OF(base, BUSY);
    if (handle->level >= level) return OK;
    int mine = handle->level >= RESERVED;
    if (level == SHARED && (file->pending || file->exclusive)) return BUSY;
    if (level >= RESERVED && file->reserved && !mine) return BUSY;
    if (level == SHARED) return file->shared++, handle->level = SHARED, OK;
    file->reserved = 1;
    handle->level = RESERVED;
    if (level == RESERVED) return OK;
    file->pending = 1;
    handle->level = EXCLUSIVE - 1;
    if (file->shared > 1) return BUSY;
    file->exclusive = 1;
    handle->level = EXCLUSIVE;
    return OK;
}

static int f_unlock(struct sqlite_file *base, int level) {
    FILE_OF(base, OK);
    if (handle->level >= RESERVED && level < RESERVED) file->reserved = file->pending = file->exclusive = 0;
    if (handle->level >= SHARED && level < SHARED) file->shared--;
    if (handle->level > level) handle->level = level;
    return OK;
}

static int f_check_reserved(struct sqlite_file *base, int *is) {
    FILE_OF(base, IOERR);
    *is = file->reserved;
    return OK;
}

static int f_control(struct sqlite_file *base, int what, void *argument) {
    (void)base, (void)what, (void)argument;
    return NOTFOUND;
}

static int f_sector_size(struct sqlite_file *base) { return (void)base, 4096; }

static int f_characteristics(struct sqlite_file *base) { return (void)base, POWERSAFE_OVERWRITE; }

static int f_shm_map(struct sqlite_file *base, int number, int size, int extend, void volatile **region) {
    FILE_OF(base, IOERR);
    *region = NULL;
    if (!file->shm && !(file->shm = calloc(1, sizeof(struct shm)))) abort();
    if (!handle->shm) handle->shm = file->shm, file->shm->users++;
    struct shm *shm = handle->shm;
    if (number >= REGIONS) return FULL;
    if (number >= shm->count && !extend) return OK;
    for (; shm->count <= number; shm->count++)
        if (!(shm->regions[shm->count] = calloc(1, (size_t)size))) abort();
    *region = shm->regions[number];
    return OK;
}

static int f_shm_lock(struct sqlite_file *base, int first, int count, int flags) {
    FILE_OF(base, flags & SHM_UNLOCK ? OK : BUSY);
    struct shm *shm = handle->shm;
    int mask = ((1 << count) - 1) << first;
    if (flags & SHM_UNLOCK) {
        for (int i = first; i < first + count; i++) {
            if (handle->shared >> i & 1) shm->shared[i]--;
            if (handle->exclusive >> i & 1) shm->exclusive[i] = 0;
        }
        handle->shared &= ~mask, handle->exclusive &= ~mask;
        return OK;
    }
    for (int i = first; i < first + count; i++) {
        if (shm->exclusive[i] && !(handle->exclusive >> i & 1)) return BUSY;
        if (flags & SHM_EXCLUSIVE && shm->shared[i] > (handle->shared >> i & 1)) return BUSY;
    }
    for (int i = first; i < first + count; i++) {
        if (flags & SHM_EXCLUSIVE) shm->exclusive[i] = 1;
        else shm->shared[i] += !(handle->shared >> i & 1);
    }
    if (flags & SHM_EXCLUSIVE) handle->exclusive |= mask;
    else handle->shared |= mask;
    return OK;
}

static void f_shm_barrier(struct sqlite_file *base) { (void)base; }

static int f_shm_unmap(struct sqlite_file *base, int gone) {
    (void)gone;
    struct handle *handle = (struct handle *)base;
    struct shm *shm = handle->shm;
    if (!shm) return OK;
    handle->shm = NULL;
    if (--shm->users) return OK;
    for (struct file *file = files; file < files + FILES; file++)
        if (file->shm == shm) file->shm = NULL;
    for (int i = 0; i < shm->count; i++) free(shm->regions[i]);
    free(shm);
    return OK;
}

static int f_close(struct sqlite_file *base) {
    struct handle *handle = (struct handle *)base;
    let_go(handle);
    f_shm_unmap(base, 0);
    *handle->back = handle->next;
    if (handle->next) handle->next->back = handle->back;
    return OK;
}

static const struct methods METHODS = {
    2, f_close, f_read, f_write, f_truncate, f_sync, f_size, f_lock, f_unlock, f_check_reserved, f_control, f_sector_size,
    f_characteristics, f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap,
};

static int v_open(struct vfs *vfs, const char *path, struct sqlite_file *base, int flags, int *given) {
    (void)vfs;
    base->methods = NULL;
    if (!path || disk_settings.dead >> disk_settings.owner & 1) return CANTOPEN;
    struct file *file = find(path);
    if (!file->there && !(flags & OPEN_CREATE)) return CANTOPEN;
    if (!file->there) {
        if (disk_settings.full) return disk_counts.full++, CANTOPEN;
        trace(4, file, 0, 0);
        file->there = file->fresh = 1;
        resize(&file->now, 0);
    }
    struct handle *handle = (struct handle *)base;
    memset(handle, 0, sizeof *handle);
    handle->base.methods = &METHODS;
    handle->file = file;
    handle->owner = disk_settings.owner;
    handle->readonly = flags & OPEN_READONLY;
    handle->next = handles;
    handle->back = &handles;
    if (handles) handles->back = &handle->next;
    handles = handle;
    if (given) *given = flags;
    return OK;
}

static int v_remove(struct vfs *vfs, const char *path, int synced) {
    (void)vfs;
    struct file *file = find(path);
    if (disk_settings.dead >> disk_settings.owner & 1 || !file->there) return BAD_DELETE;
    if (disk_settings.die_mask >> disk_settings.owner & 1 && dies()) return BAD_DELETE;
    trace(5, file, synced, 0);
    file->there = 0;
    if (synced) file->kept_there = 0;
    return OK;
}

static int v_access(struct vfs *vfs, const char *path, int flags, int *is) {
    (void)vfs, (void)flags;
    *is = find(path)->there && find(path)->now.size > 0; /* as on a system: an empty file counts as none */
    return OK;
}

static int v_full_path(struct vfs *vfs, const char *path, int room, char *out) {
    (void)vfs;
    strncpy(out, path, (size_t)room);
    return OK;
}

static int v_randomness(struct vfs *vfs, int length, char *out) {
    (void)vfs;
    for (int i = 0; i < length; i++) out[i] = (char)draw();
    return length;
}

static int v_sleep(struct vfs *vfs, int us) { return (void)vfs, disk_counts.slept_us += us, us; }

static int v_time_ms(struct vfs *vfs, int64_t *ms) { return (void)vfs, *ms = 212000000000000, OK; }

static int v_time(struct vfs *vfs, double *days) { return (void)vfs, *days = 2453703.7, OK; }

static int v_last_error(struct vfs *vfs, int room, char *out) { return (void)vfs, (void)room, (void)out, 0; }

struct vfs disk_vfs = {2, sizeof(struct handle), 256, NULL, "simulated", NULL, v_open, v_remove, v_access, v_full_path, {NULL},
                       v_randomness, v_sleep, v_time, v_last_error, v_time_ms};
