/* Batches of lines.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/batch.h"

#include "base/utf8.h"
#include "main/ingest/cells.h"

#include <stdlib.h>
#include <string.h>

bool batch_init(struct batch *b) {
    *b = (struct batch){.body = malloc(BATCH_BODY_MAX),
                        .lines = malloc((BATCH_VALUES_MAX + CELLS_MAX) * sizeof(struct batch_line))};
    return b->body && b->lines;
}

void batch_finish(struct batch *b) {
    free(b->body);
    free(b->lines);
    *b = (struct batch){0};
}

void batch_clear(struct batch *b) {
    batch_back(b, (struct batch_mark){0});
}

bool batch_is_full(const struct batch *b, size_t values) {
    return b->values >= values || b->len >= BATCH_BODY_FULL;
}

struct batch_mark batch_mark(const struct batch *b) {
    return (struct batch_mark){b->len, b->n, b->values};
}

void batch_back(struct batch *b, struct batch_mark m) {
    b->len = m.len;
    b->n = m.n;
    b->values = m.values;
    b->overflow = false;
}

void batch_bytes(struct batch *b, const void *bytes, size_t n) {
    if (n > BATCH_BODY_MAX - b->len) {
        b->overflow = true;
        return;
    }
    memcpy(b->body + b->len, bytes, n);
    b->len += n;
}

void batch_name(struct batch *b, struct str name, const char *ends) {
    size_t ends_n = strlen(ends);
    for (size_t i = 0; i < name.len; i++) {
        if (memchr(ends, name.ptr[i], ends_n)) batch_bytes(b, "\\", 1);
        batch_bytes(b, name.ptr + i, 1);
    }
}

void batch_end(struct batch *b, size_t at, int64_t row, int64_t at_ms, uint32_t values) {
    char text[24];
    struct buf time;
    buf_init(&time, text, sizeof text);
    buf_char(&time, ' ');
    buf_i64(&time, at_ms);
    buf_char(&time, '\n');
    batch_bytes(b, text, time.len);
    if (b->n == BATCH_VALUES_MAX + CELLS_MAX) b->overflow = true;
    if (b->overflow) return;
    b->lines[b->n++] = (struct batch_line){.at = at, .row = row, .at_ms = at_ms, .values = values};
    b->values += values;
}

void batch_place(struct batch *b, struct batch_mark m, const struct position *before) {
    for (size_t i = m.n; i < b->n; i++) b->lines[i].before = *before;
}

static size_t line_end(const struct batch *b, size_t i) {
    return i + 1 < b->n ? b->lines[i + 1].at : b->len;
}

struct str batch_text(const struct batch *b, size_t i) {
    return (struct str){b->body + b->lines[i].at, line_end(b, i) - b->lines[i].at - 1};
}

void batch_cut(struct batch *b, size_t n) {
    if (n >= b->n) return;
    b->len = b->lines[n].at;
    for (size_t i = n; i < b->n; i++) b->values -= b->lines[i].values;
    b->n = n;
}

void batch_keep(struct batch *b, bool (*fn)(void *arg, const struct batch_line *l, size_t number), void *arg) {
    size_t n = 0, len = 0, values = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct batch_line l = b->lines[i];
        size_t size = line_end(b, i) - l.at;
        if (!fn(arg, &l, i)) continue;
        memmove(b->body + len, b->body + l.at, size);
        l.at = len;
        b->lines[n++] = l;
        len += size;
        values += l.values;
    }
    b->n = n;
    b->len = len;
    b->values = values;
}

const char *name_rule(struct str name, size_t most) {
    if (!name.len) return "a name is missing";
    if (name.len > most) return "a name is too long";
    bool is_ascii = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < 0x20 || c == 0x7f) return "a name holds a control character";
        is_ascii &= c < 0x80;
    }
    if (!is_ascii && !utf8_is_valid(name)) return "a name is not well-formed text; --encoding says which it is";
    return name.ptr[name.len - 1] == '\\' ? "a name ends in a backslash" : NULL;
}
