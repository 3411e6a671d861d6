/* MQTT passwords of the demo's devices.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/keys.h"

#include "platform/things/things.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (128 * 1024)

static enum err read_file(struct ctx *ctx, const char *path, struct str *ret) {
    char *text = arena_alloc(ctx->arena, FILE_MAX, 1, 1);
    if (!text) return FAIL_MEMORY(ctx);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    for (ssize_t n = 1; fd >= 0 && n > 0 && len<FILE_MAX; len += n> 0 ? (size_t)n : 0)
        n = read(fd, text + len, FILE_MAX - len);
    if (fd >= 0) close(fd);
    *ret = (struct str){text, len};
    return OK;
}

/* Whole or not at all: a half file would lock out devices whose new passwords are in the store already. */
static bool write_file(const char *path, struct str text) {
    char beside[640];
    snprintf(beside, sizeof beside, "%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && !fchmod(fd, 0600) && write(fd, text.ptr, text.len) == (ssize_t)text.len && !fsync(fd);
    if (fd >= 0) close(fd);
    return ok && !rename(beside, path);
}

struct filling {
    struct demo_key *keys;
    size_t n, made;
};

static void take_known(struct filling *f, struct str text) {
    struct str line, code, user;
    while (str_cut(&text, '\n', &line)) {
        if (!str_cut(&line, ' ', &code) || !str_cut(&line, ' ', &user) || !line.len) continue;
        for (size_t i = 0; i < f->n; i++)
            if (str_eq(f->keys[i].code, code)) {
                f->keys[i].user = user;
                f->keys[i].password = line;
            }
    }
}

static enum err make_missing(struct ctx *ctx, void *arg) {
    struct filling *f = arg;
    f->made = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct demo_key *k = &f->keys[i];
        if (k->password.len) continue;
        TRY(device_key_make(ctx, k->device_id, &k->user, &k->password));
        f->made++;
    }
    return OK;
}

enum err demo_keys_fill(struct ctx *ctx, const char *dir, struct demo_key *keys, size_t n) {
    char path[600];
    struct filling f = {keys, n, 0};
    struct str text;
    struct buf b;
    snprintf(path, sizeof path, "%s/device-passwords", dir);
    TRY(read_file(ctx, path, &text));
    take_known(&f, text);
    TRY(ctx_write(ctx, make_missing, &f));
    if (!f.made) return OK;
    buf_init_arena(&b, ctx->arena, FILE_MAX);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, STR_FMT " " STR_FMT " " STR_FMT "\n", STR_ARG(keys[i].code), STR_ARG(keys[i].user),
                STR_ARG(keys[i].password));
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    return write_file(path, text) ? OK
                                  : FAIL(&ctx->fault, ERR_UNAVAILABLE, "data_folder",
                                         "the passwords of devices could not be kept in the data folder");
}
