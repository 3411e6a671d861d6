/* SQLite's statement cache, error codes and our one SQL function.  SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

static enum err constraint_fail(struct fault *f, int rc) {
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return FAIL(f, ERR_CONFLICT, "not_unique", "a value that must be unique is taken");
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return FAIL(f, ERR_CONFLICT, "bad_ref", "something that is referred to does not exist or is still in use");
    default: return FAIL(f, ERR_INTERNAL, "store_refused", "the store refused a value (SQLite %d)", rc);
    }
}

enum err lite_fail(struct lite *lite, struct fault *f, int rc) {
    db_detail_set(&lite->db, "SQLite %d: %s", rc, lite->handle ? sqlite3_errmsg(lite->handle) : sqlite3_errstr(rc));
    if (rc == SQLITE_IOERR_CORRUPTFS) rc = SQLITE_CORRUPT;
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT: return constraint_fail(f, rc);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return FAIL(f, ERR_BUSY, "store_busy", "the store is busy; try again");
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        if (rc == SQLITE_IOERR_NOMEM) break;
        return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store cannot be read or written now (SQLite %d)", rc);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return FAIL(f, ERR_CORRUPT, "store_corrupt", "the store's file is damaged (SQLite %d)", rc);
    default: break;
    }
    return FAIL(f, ERR_INTERNAL, "store_refused", "the store refused a statement (SQLite %d)", rc);
}

/* ---- cache ---- */

static void stmt_free(struct stmt *s) {
    if (!s) return;
    sqlite3_finalize(s->prepared);
    free(s->arg_of);
    free(s->text);
    free(s);
}

void lite_put(struct stmt *s) {
    sqlite3_reset(s->prepared);
    sqlite3_clear_bindings(s->prepared);
    s->busy = false;
    if (!s->text) stmt_free(s);
}

void lite_forget(struct lite *lite) {
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        stmt_free(lite->slots[i]);
        lite->slots[i] = NULL;
    }
}

/* "$12" means args[11] whatever the order of appearance: to SQLite it is a name, not a number. */
static enum err map_args(struct stmt *s, struct fault *f) {
    s->args_n = sqlite3_bind_parameter_count(s->prepared);
    if (!s->args_n) return OK;
    s->arg_of = calloc((size_t)s->args_n, sizeof *s->arg_of);
    if (!s->arg_of) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    for (int i = 1; i <= s->args_n; i++) {
        const char *name = sqlite3_bind_parameter_name(s->prepared, i);
        int64_t number = 0;
        if (!name || name[0] != '$' || !str_to_i64(str_of(name + 1), &number) || number < 1 || number > UINT16_MAX)
            return FAIL(f, ERR_INTERNAL, "bad_parameter", "a statement names a parameter that is not $1 to $65535");
        s->arg_of[i - 1] = (uint16_t)number;
    }
    return OK;
}

static enum err stmt_new(struct lite *lite, struct fault *f, const char *sql, bool cached, struct stmt **ret) {
    struct stmt *s = calloc(1, sizeof *s);
    if (!s) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    const char *tail = "";
    int rc = sqlite3_prepare_v3(lite->handle, sql, -1, cached ? SQLITE_PREPARE_PERSISTENT : 0, &s->prepared, &tail);
    enum err e = OK;
    if (rc)
        e = lite_fail(lite, f, rc);
    else if (!s->prepared || tail[strspn(tail, "; \t\r\n")])
        e = FAIL(f, ERR_INTERNAL, "bad_statement", "a statement's text must hold one statement");
    else
        e = map_args(s, f);
    if (!e && cached && !(s->text = strdup(sql))) e = FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    if (e) {
        stmt_free(s);
        return e;
    }
    *ret = s;
    return OK;
}

enum err lite_take(struct lite *lite, struct fault *f, const char *sql, struct stmt **ret) {
    struct str text = str_of(sql);
    uint64_t hash = str_hash(text);
    size_t oldest = CACHE_SLOTS; /* a slot to fill: an empty one, else the one used longest ago */
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        struct stmt *s = lite->slots[i];
        if (s && s->busy) continue;
        if (s && s->hash == hash && s->text_len == text.len && !memcmp(s->text, text.ptr, text.len)) {
            s->used_at = ++lite->tick;
            s->busy = true;
            *ret = s;
            return OK;
        }
        if (oldest == CACHE_SLOTS || (lite->slots[oldest] && (!s || s->used_at < lite->slots[oldest]->used_at)))
            oldest = i;
    }
    bool cached = oldest != CACHE_SLOTS && text.len <= CACHE_TEXT_MAX;
    struct stmt *s = NULL;
    TRY(stmt_new(lite, f, sql, cached, &s));
    s->hash = hash;
    s->text_len = text.len;
    s->used_at = ++lite->tick;
    s->busy = true;
    if (cached) {
        stmt_free(lite->slots[oldest]);
        lite->slots[oldest] = s;
    }
    *ret = s;
    return OK;
}

/* ---- strpos ---- */

/* As PostgreSQL's: place of the first occurrence in characters from 1, 0 when there is none, 1 for an empty part. */
static void strpos_run(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL || sqlite3_value_type(values[1]) == SQLITE_NULL) return;
    const char *text = (const char *)sqlite3_value_text(values[0]);
    const char *part = (const char *)sqlite3_value_text(values[1]);
    if (!text || !part) {
        sqlite3_result_error_nomem(context);
        return;
    }
    size_t text_n = (size_t)sqlite3_value_bytes(values[0]), part_n = (size_t)sqlite3_value_bytes(values[1]);
    sqlite3_int64 chars = 1;
    for (size_t i = 0; i + part_n <= text_n; i++) {
        if (!memcmp(text + i, part, part_n)) {
            sqlite3_result_int64(context, chars);
            return;
        }
        chars += ((unsigned char)text[i] & 0xc0) != 0x80 && i + 1 <= text_n;
    }
    sqlite3_result_int64(context, 0);
}

int lite_add_functions(sqlite3 *handle) {
    return sqlite3_create_function_v2(handle, "strpos", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                      strpos_run, NULL, NULL, NULL);
}
