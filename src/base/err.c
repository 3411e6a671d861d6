/* Error kinds and faults.  SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int http;
    bool retry;
} kinds[ERR__COUNT] = {[OK] = {"ok", 200, false},
#define X(kind, name, http, retry, meaning) [ERR_##kind] = {name, http, retry},
                       ERR_LIST(X)
#undef X
};

int err_http(enum err e) {
    return kinds[e].http;
}

bool err_retry(enum err e) {
    return kinds[e].retry;
}

const char *err_name(enum err e) {
    return kinds[e].name;
}

enum err fault_set(struct fault *f, enum err kind, const char *file, int line, const char *code, const char *fmt, ...) {
    if (!f || f->kind) return kind;
    f->kind = kind;
    f->file = file;
    f->line = line;
    snprintf(f->code, sizeof f->code, "%s", code);
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    return kind;
}

enum err fault_field(struct fault *f, const char *file, int line, const char *field, const char *code, int64_t limit) {
    if (!f->kind) {
        enum err kind = fault_set(f, ERR_INVALID, file, line, "bad_field", "a field breaks its rule: %s", field);
        (void)kind;
    }
    if (f->kind != ERR_INVALID || f->fields_n == FAULT_FIELDS_MAX) return f->kind;
    for (size_t i = 0; i < f->fields_n; i++)
        if (!strcmp(f->fields[i].field, field)) return ERR_INVALID; /* the first word on a field stands */
    struct field_error *e = &f->fields[f->fields_n++];
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->code, sizeof e->code, "%s", code);
    e->limit = limit;
    return ERR_INVALID;
}
