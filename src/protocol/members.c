/* JSON read in place.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/members.h"

#include "base/utf8.h"

#include <string.h>

struct in {
    const char *at, *end;
};

static bool next_is(struct in *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static void blanks(struct in *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}

/* ---- checking ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex4(struct in *in, int32_t *ret) {
    int32_t v = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        int d = in->at < in->end ? hex_digit(*in->at) : -1;
        if (d < 0) return false;
        v = v << 4 | d;
    }
    *ret = v;
    return true;
}

/* Behind "\u": one code, or two that are a surrogate pair. */
static bool read_code(struct in *in, int32_t *ret) {
    int32_t low;
    if (!hex4(in, ret) || !*ret || (*ret >= 0xdc00 && *ret < 0xe000)) return false;
    if (*ret < 0xd800 || *ret >= 0xdc00) return true;
    if (!next_is(in, '\\') || !next_is(in, 'u') || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff) return false;
    *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static const char escapes[] = "\"\\/bfnrt", escaped[] = "\"\\/\b\f\n\r\t";

/* From the quote on.  `out` NULL: it is only looked at. */
static bool read_text(struct in *in, struct buf *out) {
    int32_t code;
    if (!next_is(in, '"')) return false;
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at;
        if ((unsigned char)c < ' ') return false;
        in->at++;
        if (c != '\\') {
            if (out) buf_char(out, c);
            continue;
        }
        const char *which = in->at < in->end && *in->at ? strchr(escapes, *in->at) : NULL;
        if (which) {
            in->at++;
            if (out) buf_char(out, escaped[which - escapes]);
        } else if (next_is(in, 'u') && read_code(in, &code)) {
            if (out) utf8_put(out, code);
        } else {
            return false;
        }
    }
    return next_is(in, '"');
}

static size_t digits(struct in *in) {
    const char *from = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
    return (size_t)(in->at - from);
}

static bool skip_number(struct in *in) {
    (void)next_is(in, '-');
    if (!next_is(in, '0') && !digits(in)) return false;
    if (next_is(in, '.') && !digits(in)) return false;
    if (!next_is(in, 'e') && !next_is(in, 'E')) return true;
    if (!next_is(in, '+')) (void)next_is(in, '-');
    return digits(in);
}

static bool skip_scalar(struct in *in) {
    static const char *const words[] = {"true", "false", "null"};
    if (in->at < in->end && *in->at == '"') return read_text(in, NULL);
    for (size_t i = 0; i < COUNT(words); i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(in->end - in->at) < n || memcmp(in->at, words[i], n) != 0) continue;
        in->at += n;
        return true;
    }
    return skip_number(in);
}

static bool skip_key(struct in *in) {
    blanks(in);
    if (!read_text(in, NULL)) return false;
    blanks(in);
    return next_is(in, ':');
}

/* Any value.  A bit a level says whether it is an object, so that nothing recurses. */
static bool skip_value(struct in *in) {
    uint64_t objects = 0;
    int depth = 0;
    for (;;) {
        blanks(in);
        bool is_object = next_is(in, '{'), opens = is_object || next_is(in, '[');
        if (opens) {
            if (++depth > MEMBERS_DEPTH_MAX) return false;
            objects = objects << 1 | is_object;
            blanks(in);
            if (in->at < in->end && *in->at != (is_object ? '}' : ']')) {
                if (is_object && !skip_key(in)) return false;
                continue;
            }
        } else if (!skip_scalar(in)) {
            return false;
        }
        for (;;) { /* behind a value, or in an empty one */
            if (!depth) return true;
            blanks(in);
            if (!next_is(in, objects & 1 ? '}' : ']')) break;
            objects >>= 1;
            depth--;
        }
        if (!next_is(in, ',') || (objects & 1 && !skip_key(in))) return false;
    }
}

bool members_check(struct bytes json, size_t *ret_at) {
    *ret_at = 0;
    if (!json.len) return false; /* which may be nowhere */
    struct in in = {(const char *)json.ptr, (const char *)json.ptr + json.len};
    bool ok = utf8_is_valid((struct str){in.at, json.len}) && skip_value(&in);
    if (ok) blanks(&in);
    *ret_at = (size_t)(in.at - (const char *)json.ptr);
    return ok && in.at == in.end;
}

/* ---- finding, in text that is sound ---- */

static struct in in_of(struct str json) {
    struct in in = {json.ptr, json.ptr ? json.ptr + json.len : NULL};
    blanks(&in);
    return in;
}

static struct str value_here(struct in *in) {
    const char *from;
    blanks(in);
    from = in->at;
    return skip_value(in) ? (struct str){from, (size_t)(in->at - from)} : (struct str){NULL, 0};
}

static struct str find(struct str object, struct str name) {
    struct in in = in_of(object);
    if (!next_is(&in, '{')) return (struct str){NULL, 0};
    do {
        blanks(&in);
        const char *from = in.at + 1;
        if (!read_text(&in, NULL)) break;
        struct str key = {from, (size_t)(in.at - from) - 1};
        blanks(&in);
        if (!next_is(&in, ':')) break;
        struct str value = value_here(&in);
        if (!value.ptr) break;
        if (str_eq(key, name)) return value;
        blanks(&in);
    } while (next_is(&in, ','));
    return (struct str){NULL, 0};
}

struct str member_at(struct str json, const char *path) {
    struct str rest = str_of(path), name;
    while (rest.len && json.ptr && str_cut(&rest, '.', &name)) json = find(json, name);
    return str_is(str_trim(json), "null") ? (struct str){NULL, 0} : json;
}

bool member_put(struct str json, const char *path, struct buf *out) {
    struct str raw = member_at(json, path);
    struct in in = in_of(raw);
    return raw.ptr && read_text(&in, out);
}

struct str member_text(struct str json, const char *path, struct arena *a) {
    struct str raw = member_at(json, path), text = {NULL, 0};
    struct buf b;
    buf_init_arena(&b, a, raw.len + 1);
    if (!member_put(raw, "", &b)) return text;
    if (!b.len && !b.overflow) return S("");
    return buf_done(&b, &text) ? text : (struct str){NULL, 0};
}

bool member_i64(struct str json, const char *path, int64_t *ret) {
    return str_to_i64(str_trim(member_at(json, path)), ret);
}
