/* JSON reading with bounds, writing without a tree.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson recurses as deep as its input nests; so depth is looked at first, outside of strings. */
static bool depth_fits(struct str s) {
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (in_text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) return false;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

enum err json_read(struct str text, json_t **ret, struct fault *f) {
    if (!utf8_is_valid(text)) return FAIL(f, ERR_INVALID, "bad_utf8", "the body is not valid UTF-8");
    if (!depth_fits(text)) return FAIL(f, ERR_INVALID, "json_too_deep", "JSON nests deeper than %d", JSON_DEPTH_MAX);
    json_error_t e;
    json_t *v = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!v) return FAIL(f, ERR_INVALID, "bad_json", "not JSON: line %d, column %d", e.line, e.column);
    *ret = v;
    return OK;
}

struct str json_text(const json_t *v) {
    if (!json_is_string(v)) return (struct str){NULL, 0};
    return (struct str){json_string_value(v), json_string_length(v)};
}

const char *json_to_decimal(const json_t *v, int scale, int64_t *ret) {
    if (json_is_string(v)) return str_to_decimal(json_text(v), scale, ret);
    int64_t ten = 1;
    for (int i = 0; i < scale; i++) ten *= 10;
    if (json_is_integer(v)) return __builtin_mul_overflow(json_integer_value(v), ten, ret) ? "too_large" : NULL;
    if (!json_is_real(v)) return "bad_type";
    double scaled = json_real_value(v) * (double)ten, whole = nearbyint(scaled);
    if (fabs(whole) > 9007199254740992.0) return "too_large";
    if (fabs(scaled - whole) > 1e-6 * fmax(1.0, fabs(whole) * 1e-9)) return "too_precise";
    *ret = (int64_t)whole;
    return NULL;
}

void jw_init(struct jw *j, struct buf *out) {
    *j = (struct jw){.out = out};
}

static void separate(struct jw *j) {
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    uint64_t bit = UINT64_C(1) << (j->depth & 63);
    if (j->more & bit) buf_char(j->out, ',');
    j->more |= bit;
}

void jw_open(struct jw *j, char bracket) {
    separate(j);
    buf_char(j->out, bracket);
    j->depth++;
    j->more &= ~(UINT64_C(1) << (j->depth & 63));
}

void jw_close(struct jw *j, char bracket) {
    j->depth--;
    buf_char(j->out, bracket);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Nothing to escape?  Eight bytes at a time; a byte below n leaves its high bit in (v - EACH(n)) & ~v, as does a zero
 * with n = 1. */
static bool is_plain(struct str s) {
    uint64_t bad = 0;
    for (size_t i = 0; i < s.len; i += 8) {
        uint64_t v = EACH(' ');
        memcpy(&v, s.ptr + i, s.len - i < 8 ? s.len - i : 8);
        uint64_t quote = v ^ EACH('"'), slash = v ^ EACH('\\');
        bad |= ((v - EACH(0x20)) & ~v) | ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash);
    }
    return !(bad & EACH(0x80));
}

static void put_text(struct buf *b, struct str s) {
    if (is_plain(s)) { /* nearly all there is */
        char *at = buf_take(b, s.len + 2);
        if (!at) return;
        at[0] = '"';
        if (s.len) memcpy(at + 1, s.ptr, s.len);
        at[s.len + 1] = '"';
        return;
    }
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_add(b, s.ptr + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\') {
            buf_add(b, (char[]){'\\', (char)c}, 2);
        } else if (c == '\n') {
            buf_add(b, "\\n", 2);
        } else {
            buf_fmt(b, "\\u%04x", c);
        }
    }
    if (s.len > from) buf_add(b, s.ptr + from, s.len - from);
    buf_char(b, '"');
}

void jw_key_str(struct jw *j, struct str name) {
    separate(j);
    put_text(j->out, name);
    buf_char(j->out, ':');
    j->after_key = true;
}

void jw_key(struct jw *j, const char *name) {
    jw_key_str(j, str_of(name));
}

void jw_str(struct jw *j, struct str s) {
    separate(j);
    if (s.ptr)
        put_text(j->out, s);
    else
        buf_add(j->out, "null", 4);
}

void jw_cstr(struct jw *j, const char *s) {
    jw_str(j, str_of(s));
}

void jw_cstr_if(struct jw *j, bool is, const char *s) {
    if (is) jw_cstr(j, s);
}

void jw_i64(struct jw *j, int64_t v) {
    separate(j);
    buf_i64(j->out, v);
}

void jw_id(struct jw *j, int64_t id) {
    separate(j);
    buf_char(j->out, '"');
    buf_i64(j->out, id);
    buf_char(j->out, '"');
}

#define DIGITS_MOST 6

/* The few digits behind the point that readings have; as %.15g writes them. */
static bool put_decimal(struct buf *b, double v) {
    double size = fabs(v);
    if (!(size >= 1e-4 && size < 1e8)) return false;
    for (size_t scale = 1; scale <= DIGITS_MOST; scale++) {
        uint64_t m = (uint64_t)(size * f64_powers[scale] + 0.5);
        if ((double)m / f64_powers[scale] != size) continue;
        char text[24];
        size_t at = sizeof text;
        for (size_t i = 0; m || i < scale + 1; m /= 10) {
            text[--at] = (char)('0' + m % 10);
            if (++i == scale) text[--at] = '.';
        }
        if (v < 0) text[--at] = '-';
        buf_add(b, text + at, sizeof text - at);
        return true;
    }
    return false;
}

void jw_f64(struct jw *j, double v) {
    separate(j);
    if (!isfinite(v)) {
        buf_add(j->out, "null", 4);
        return;
    }
    if (v == (double)(int64_t)(fabs(v) < 1e15 ? v : 0) && !(v == 0 && signbit(v))) {
        buf_i64(j->out, (int64_t)v);
        return;
    }
    if (put_decimal(j->out, v)) return;
    char text[32];
    /* 15 digits always come back; only numbers too small for full precision may need fewer. */
    for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    buf_cstr(j->out, text);
}

void jw_bool(struct jw *j, bool v) {
    separate(j);
    buf_cstr(j->out, v ? "true" : "false");
}

void jw_null(struct jw *j) {
    separate(j);
    buf_add(j->out, "null", 4);
}

void jw_raw(struct jw *j, struct str json) {
    separate(j);
    buf_str(j->out, json);
}

void jw_kstr(struct jw *j, const char *key, struct str v) {
    jw_key(j, key);
    jw_str(j, v);
}

void jw_kcstr(struct jw *j, const char *key, const char *v) {
    jw_key(j, key);
    jw_cstr(j, v);
}

void jw_ki64(struct jw *j, const char *key, int64_t v) {
    jw_key(j, key);
    jw_i64(j, v);
}

void jw_kid(struct jw *j, const char *key, int64_t v) {
    jw_key(j, key);
    jw_id(j, v);
}

void jw_kbool(struct jw *j, const char *key, bool v) {
    jw_key(j, key);
    jw_bool(j, v);
}

static void put_bound(struct jw *j, const struct jv *v) {
    switch (v->type) {
    case JV_NULL: jw_null(j); return;
    case JV_STR: jw_str(j, v->str); return;
    case JV_I64: jw_i64(j, v->i64); return;
    case JV_ID: jw_id(j, v->i64); return;
    case JV_F64: jw_f64(j, v->f64); return;
    case JV_BOOL: jw_bool(j, v->flag); return;
    case JV_RAW: jw_raw(j, v->str); return;
    }
}

/* The text in quotes at p, a key where a colon follows; gives what is behind it. */
static const char *put_quoted(struct jw *j, const char *p) {
    struct str text = {p + 1, strcspn(p + 1, "'")};
    p += text.len + 2;
    if (*p != ':') {
        jw_str(j, text);
        return p;
    }
    jw_key_str(j, text);
    return p + 1;
}

void jw_put(struct jw *j, const char *shape, const struct jv *vals, size_t n) {
    size_t used = 0;
    for (const char *p = shape; *p;) {
        size_t word = strcspn(p, ",]}");
        if (*p == '{' || *p == '[') {
            jw_open(j, *p++);
        } else if (*p == '}' || *p == ']') {
            jw_close(j, *p++);
        } else if (*p == '\'') {
            p = put_quoted(j, p);
        } else if (*p == '$') {
            assert(used < n);
            put_bound(j, &vals[used++]);
            p++;
        } else if (*p == ',' || *p == ' ') {
            p++;
        } else { /* true, false, null or a number */
            jw_raw(j, (struct str){p, word});
            p += word;
        }
    }
    assert(used == n);
}

void jw_json(struct jw *j, const json_t *v) {
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (text)
        jw_raw(j, str_of(text));
    else
        jw_null(j);
    free(text);
}

void jw_words(struct jw *j, const char *words) {
    struct str rest = str_of(words), word;
    jw_open(j, '[');
    while (str_word(&rest, &word)) jw_str(j, word);
    jw_close(j, ']');
}
