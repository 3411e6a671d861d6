/* Content-addressed bytes, in folders by the first two letters of their hash.  SPDX-License-Identifier: Apache-2.0 */
#include "store/blob.h"

#include "base/utf8.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define PATH_SIZE 1024

static enum err disk(int64_t code, struct fault *f) {
    if (code == -ENOSPC) return FAIL(f, ERR_UNAVAILABLE, "disk_full", "the disk is full; the file was not kept");
    return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the file store cannot be used now");
}

static void hash_of(struct bytes bytes, char ret[BLOB_HASH]) {
    uint8_t sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(sum, bytes.ptr, bytes.len);
    sodium_bin2hex(ret, BLOB_HASH, sum, sizeof sum);
}

static bool path_of(const struct blobs *b, const char *hash, const char *end, char ret[PATH_SIZE]) {
    struct buf path;
    buf_init(&path, ret, PATH_SIZE);
    buf_fmt(&path, "%s/%.2s", b->dir, hash);
    if (end) buf_fmt(&path, "/%s%s", hash, end);
    return !path.overflow;
}

static bool is_whole(const struct io *io, const char *path, size_t len) {
    int64_t file = io->open(io->self, path, IO_READ);
    if (file < 0) return false;
    bool whole = io->size(io->self, file) == (int64_t)len;
    io->close(io->self, file);
    return whole;
}

/* Bytes first, synced, then the name, synced: a name never leads to less than all of them. */
static int64_t write_synced(const struct io *io, const char *folder, const char *path, const char *temporary,
                            struct bytes bytes) {
    int64_t code = io->make_dir(io->self, folder);
    int64_t file = code < 0 ? code : io->open(io->self, temporary, IO_CREATE);
    if (file < 0) return file;
    code = io->truncate(io->self, file, 0);
    for (size_t at = 0; code >= 0 && at < bytes.len; at += (size_t)code) {
        code = io->write(io->self, file, bytes.ptr + at, bytes.len - at, (int64_t)at);
        if (code == 0) code = -EIO;
    }
    if (code >= 0) code = io->sync(io->self, file);
    io->close(io->self, file);
    if (code >= 0) code = io->rename(io->self, temporary, path);
    return code >= 0 ? io->sync_dir(io->self, folder) : code;
}

enum err blob_put(const struct blobs *b, struct bytes bytes, char ret_hash[BLOB_HASH], struct fault *f) {
    char hash[BLOB_HASH], folder[PATH_SIZE], path[PATH_SIZE], temporary[PATH_SIZE];
    hash_of(bytes, hash);
    if (!path_of(b, hash, NULL, folder) || !path_of(b, hash, "", path) || !path_of(b, hash, ".new", temporary))
        return FAIL(f, ERR_INTERNAL, "path", "the path of the file store is too long");
    int64_t code = is_whole(b->io, path, bytes.len) ? 0 : write_synced(b->io, folder, path, temporary, bytes);
    if (code < 0) return disk(code, f);
    memcpy(ret_hash, hash, BLOB_HASH);
    return OK;
}

enum err blob_get(const struct blobs *b, const char *hash, uint8_t *ret, size_t size, struct fault *f) {
    char path[PATH_SIZE], found[BLOB_HASH];
    const struct io *io = b->io;
    int64_t file = b->dir && path_of(b, hash, "", path) ? io->open(io->self, path, IO_READ) : -EIO, got = 0;
    if (file < 0) return disk(file, f);
    size_t len = 0;
    while (len < size && (got = io->read(io->self, file, ret + len, size - len, (int64_t)len)) > 0) len += (size_t)got;
    io->close(io->self, file);
    hash_of((struct bytes){ret, len}, found);
    if (strcmp(hash, found)) return FAIL(f, ERR_CORRUPT, "file_damaged", "the stored file is damaged");
    return OK;
}

struct str blob_type(struct bytes b) {
    static const struct {
        const char *magic;
        size_t n, at;
        const char *type;
    } kinds[] = {{"\xff\xd8\xff", 3, 0, "image/jpeg"},
                 {"\x89PNG\r\n\x1a\n", 8, 0, "image/png"},
                 {"WEBP", 4, 8, "image/webp"},
                 {"%PDF-", 5, 0, "application/pdf"}};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (b.len >= kinds[i].at + kinds[i].n && !memcmp(b.ptr + kinds[i].at, kinds[i].magic, kinds[i].n))
            return str_of(kinds[i].type);
    if (b.len && utf8_is_valid((struct str){(const char *)b.ptr, b.len})) return S("text/plain; charset=utf-8");
    return S("application/octet-stream");
}
