/* JSON: a strict bounded reader over jansson, and a writer straight into a builder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_JSON_H
#define LINLI_BASE_JSON_H

#include "base/base.h"
#include "base/err.h"

#include <jansson.h>

#define JSON_DEPTH_MAX 32

/* Whole text, one value, no duplicate keys, valid UTF-8, no U+0000, at most JSON_DEPTH_MAX deep (checked before jansson
 * recurses).  Numbers: 64-bit integers exact.  ERR_INVALID with code bad_json / json_too_deep / bad_utf8.
 * Caller json_decref()s.  */
NODISCARD enum err json_read(struct str text, json_t **ret, struct fault *f);
struct str json_text(const json_t *v); /* absent unless v is a string */
/* v * 10^scale of a number, or of a text as str_to_decimal() takes it, whose codes are given back. */
const char *json_to_decimal(const json_t *v, int scale, int64_t *ret);

/* Writer: commas are put by itself.  Text must be valid UTF-8; <, > and & are not escaped (we never embed in HTML). */
struct jw {
    struct buf *out;
    uint64_t more; /* bit d: something was already written at depth d */
    int depth;
    bool after_key;
};
void jw_init(struct jw *j, struct buf *out);
void jw_open(struct jw *j, char bracket); /* '{' or '[' */
void jw_close(struct jw *j, char bracket);
void jw_key(struct jw *j, const char *name);
void jw_key_str(struct jw *j, struct str name);
void jw_str(struct jw *j, struct str s); /* absent: null */
void jw_cstr(struct jw *j, const char *s);
void jw_cstr_if(struct jw *j, bool is, const char *s); /* for lists of what holds */
void jw_i64(struct jw *j, int64_t v);
void jw_id(struct jw *j, int64_t id); /* as a string: 64 bits do not fit a JavaScript number */
void jw_f64(struct jw *j, double v);  /* shortest text that reads back the same; NaN and infinities: null */
void jw_bool(struct jw *j, bool v);
void jw_null(struct jw *j);
void jw_raw(struct jw *j, struct str json);  /* already JSON */
void jw_json(struct jw *j, const json_t *v); /* what was read; NULL or no memory: null */
/* The common pair of key and value. */
void jw_kstr(struct jw *j, const char *key, struct str v);
void jw_kcstr(struct jw *j, const char *key, const char *v);
void jw_ki64(struct jw *j, const char *key, int64_t v);
void jw_kid(struct jw *j, const char *key, int64_t v);
void jw_kbool(struct jw *j, const char *key, bool v);

/* A shape with values bound: JSON with ' for ", and $ where the next value goes.  Brackets may be left open for what
 * follows, or close what is open; commas are put by themselves.  jw_put(j, "{'id':$,'roles':[", JV(J_ID(id))) */
struct jv {
    enum { JV_NULL, JV_STR, JV_I64, JV_ID, JV_F64, JV_BOOL, JV_RAW } type;
    union {
        struct str str;
        int64_t i64;
        double f64;
        bool flag;
    };
};
#define J_STR(x)    ((struct jv){.type = JV_STR, .str = (x)}) /* absent: null */
#define J_CSTR(x)   J_STR(str_of(x))
#define J_I64(x)    ((struct jv){.type = JV_I64, .i64 = (x)})
#define J_ID(x)     ((struct jv){.type = JV_ID, .i64 = (x)})
#define J_F64(x)    ((struct jv){.type = JV_F64, .f64 = (x)})
#define J_BOOL(x)   ((struct jv){.type = JV_BOOL, .flag = (x)})
#define J_RAW(x)    ((struct jv){.type = JV_RAW, .str = (x)})
#define J_NULL      ((struct jv){.type = JV_NULL})
#define J_IF(is, v) ((is) ? (v) : J_NULL)
#define JV(...)     (const struct jv[]){__VA_ARGS__}, sizeof((const struct jv[]){__VA_ARGS__}) / sizeof(struct jv)
#define NO_JV       NULL, 0
void jw_put(struct jw *j, const char *shape, const struct jv *vals, size_t n);
void jw_words(struct jw *j, const char *words); /* an array of blank-separated words; NULL: an empty one */

#endif
