/* The I/O table over the operating system's files.  SPDX-License-Identifier: Apache-2.0 */
#include "store/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t real_open(void *self, const char *path, enum io_mode mode) {
    (void)self;
    int flags = O_CLOEXEC;
    switch (mode) {
    case IO_READ: flags |= O_RDONLY; break;
    case IO_WRITE: flags |= O_RDWR; break;
    case IO_CREATE: flags |= O_RDWR | O_CREAT; break;
    }
    int fd = open(path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

static int64_t real_read(void *self, int64_t file, void *ret, size_t n, int64_t at) {
    (void)self;
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread((int)file, (char *)ret + done, n - done, (off_t)(at + (int64_t)done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static int64_t real_write(void *self, int64_t file, const void *bytes, size_t n, int64_t at) {
    (void)self;
    size_t done = 0;
    while (done < n) {
        ssize_t put = pwrite((int)file, (const char *)bytes + done, n - done, (off_t)(at + (int64_t)done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return done ? (int64_t)done : -errno;
        if (put == 0) break;
        done += (size_t)put;
    }
    return (int64_t)done;
}

static int real_sync(void *self, int64_t file) {
    (void)self;
    return fdatasync((int)file) ? -errno : 0; /* POSIX: with the size, where reading needs it */
}

static int real_truncate(void *self, int64_t file, int64_t size) {
    (void)self;
    return ftruncate((int)file, (off_t)size) ? -errno : 0;
}

static int64_t real_size(void *self, int64_t file) {
    (void)self;
    struct stat st;
    return fstat((int)file, &st) ? -errno : (int64_t)st.st_size;
}

static int real_close(void *self, int64_t file) {
    (void)self;
    return close((int)file) ? -errno : 0;
}

static int real_rename(void *self, const char *from, const char *to) {
    (void)self;
    return rename(from, to) ? -errno : 0;
}

static int real_remove(void *self, const char *path) {
    (void)self;
    return unlink(path) ? -errno : 0;
}

static int real_make_dir(void *self, const char *path) {
    (void)self;
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part) return -ENAMETOOLONG;
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i]) continue;
        char kept = part[i];
        part[i] = 0;
        if (mkdir(part, 0700) && errno != EEXIST) return -errno;
        part[i] = kept;
    }
    struct stat st;
    if (stat(path, &st)) return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int real_sync_dir(void *self, const char *path) {
    (void)self;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = fsync(fd) ? -errno : 0;
    close(fd);
    return rc;
}

static int real_list(void *self, const char *path, int (*fn)(void *arg, const char *name), void *arg) {
    (void)self;
    DIR *dir = opendir(path);
    if (!dir) return -errno;
    int stop = 0;
    for (struct dirent *e; !stop && (e = readdir(dir));) {
        struct stat st;
        if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode)) stop = fn(arg, e->d_name);
    }
    closedir(dir);
    return 0;
}

struct io io_real(void) {
    return (struct io){
        .open = real_open,
        .read = real_read,
        .write = real_write,
        .sync = real_sync,
        .truncate = real_truncate,
        .size = real_size,
        .close = real_close,
        .rename = real_rename,
        .remove = real_remove,
        .make_dir = real_make_dir,
        .sync_dir = real_sync_dir,
        .list = real_list,
    };
}
