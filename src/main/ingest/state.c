/* The state of a run, as a line of JSON.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/state.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAX 4096
#define LOOK      4096 /* bytes at the file's beginning, and before the place */

/* A hash of what the file holds at its beginning and just before the place. */
static bool print_of(int fd, int64_t offset, char ret[65]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char mem[LOOK], hash[32];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    int64_t n = offset < LOOK ? offset : LOOK;
    for (int i = 0; i < 2; i++) {
        ssize_t got = pread(fd, mem, (size_t)n, i ? offset - n : 0);
        if (got != n) return false;
        crypto_generichash_update(&h, mem, (size_t)n);
    }
    crypto_generichash_final(&h, hash, sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        ret[2 * i] = digits[hash[i] >> 4];
        ret[2 * i + 1] = digits[hash[i] & 15];
    }
    ret[64] = 0;
    return true;
}

static bool text_is(const json_t *o, const char *key, const char *text) {
    return str_is(json_text(json_object_get(o, key)), text);
}

static enum err understand(const struct state *s, const json_t *o, struct position *ret, struct fault *f) {
    char print[65];
    struct position r = {.offset = json_integer_value(json_object_get(o, "offset")),
                         .line = json_integer_value(json_object_get(o, "line")),
                         .rows = json_integer_value(json_object_get(o, "rows")),
                         .readings = json_integer_value(json_object_get(o, "readings")),
                         .bad = json_integer_value(json_object_get(o, "bad")),
                         .last_ms = json_integer_value(json_object_get(o, "last_ms"))};
    if (!text_is(o, "what", s->what))
        return FAIL(f, ERR_CONFLICT, "state",
                    "this file was begun with other options or for another server; the same ones go on, "
                    "--again begins anew");
    if (r.offset < 0 || !print_of(s->file_fd, r.offset, print) || !text_is(o, "print", print))
        return FAIL(f, ERR_CONFLICT, "state",
                    "the file is not the one that was begun, or has changed before line %lld; --again "
                    "begins anew",
                    (long long)r.line + 1);
    *ret = r;
    return OK;
}

enum err state_load(const struct state *s, struct position *ret, bool *ret_found, struct fault *f) {
    char mem[STATE_MAX];
    json_t *o = NULL;
    struct fault ignored = {0};
    *ret_found = false;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return OK;
    ssize_t n = fd < 0 ? -1 : read(fd, mem, sizeof mem);
    if (fd >= 0) close(fd);
    if (n < 0) return FAIL(f, ERR_UNAVAILABLE, "state", "%.150s cannot be read; --state FILE names another", s->path);
    /* A power cut may leave it empty: then everything is sent again, which doubles nothing. */
    if (json_read((struct str){mem, (size_t)n}, &o, &ignored)) return OK;
    enum err e = understand(s, o, ret, f);
    json_decref(o);
    *ret_found = !e;
    return e;
}

enum err state_save(const struct state *s, const struct position *r, struct fault *f) {
    char mem[STATE_MAX], print[65], path[sizeof s->path + 8];
    struct buf b;
    struct jw j;
    struct str text;
    if (!print_of(s->file_fd, r->offset, print))
        return FAIL(f, ERR_UNAVAILABLE, "file", "the file cannot be read any more");
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    jw_put(&j, "{'what':$,'print':$,'offset':$,'line':$,'rows':$,'readings':$,'bad':$,'last_ms':$}",
           JV(J_CSTR(s->what), J_CSTR(print), J_I64(r->offset), J_I64(r->line), J_I64(r->rows), J_I64(r->readings),
              J_I64(r->bad), J_I64(r->last_ms)));
    buf_char(&b, '\n');
    snprintf(path, sizeof path, "%s.new", s->path);
    int fd = buf_done(&b, &text) ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    if (fd >= 0) ok &= !close(fd);
    if (ok && !rename(path, s->path)) return OK;
    return FAIL(f, ERR_UNAVAILABLE, "state", "%.120s cannot be written (%s); --state FILE names another place", s->path,
                strerror(errno));
}
