/* Reads the JSON payloads of devices.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/payload/payload.h"

#include "base/civil.h"
#include "base/utf8.h"

#include <string.h>

#define EXACT_DIGITS 15 /* below 2^53, */
#define EXACT_POWER \
    (F64_POWERS - 1) /* and 10^22 is exact too: their product is rounded once, so it is the nearest double */

struct in {
    const char *at, *end, *begin;
    struct buf *names;
    struct payload_fault *fault;
};

static struct in in_of(struct bytes payload, struct buf *names, struct payload_fault *reterr) {
    const char *p = (const char *)payload.ptr;
    return (struct in){p, p + payload.len, p, names, reterr};
}

static bool bad(struct in *in, const char *rule) {
    *in->fault = (struct payload_fault){rule, (size_t)(in->at - in->begin)};
    return false;
}

static void blanks(struct in *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}

static bool next_is(struct in *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool next_digit(const struct in *in) {
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool word(struct in *in, struct str w) {
    if ((size_t)(in->end - in->at) < w.len || memcmp(in->at, w.ptr, w.len) != 0) return false;
    in->at += w.len;
    return true;
}

/* ---- strings ---- */

static bool hex4(struct in *in, uint32_t *ret) {
    uint32_t v = 0;
    if (in->end - in->at < 4) return false;
    for (int i = 0; i < 4; i++, in->at++) {
        char c = *in->at, low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (uint32_t)(low - 'a' + 10);
        else
            return false;
    }
    *ret = v;
    return true;
}

/* Behind "\u": one code, or two that are a surrogate pair (RFC 8259, 7). */
static bool read_code(struct in *in) {
    uint32_t code, low;
    if (!hex4(in, &code)) return bad(in, "an escape is no JSON");
    if (code >= 0xd800 && code < 0xdc00) {
        if (!word(in, S("\\u")) || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff)
            return bad(in, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return bad(in, "half a surrogate pair");
    }
    if (!code) return bad(in, "U+0000 in a text");
    utf8_put(in->names, (int32_t)code);
    return true;
}

static bool read_escape(struct in *in) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end) return bad(in, "the payload ends early");
    char c = *in->at++;
    if (c == 'u') return read_code(in);
    const char *which = c ? strchr(from, c) : NULL;
    if (!which) return bad(in, "an escape is no JSON");
    buf_char(in->names, to[which - from]);
    return true;
}

/* The rest of a text that has an escape; `begin` is where it began. */
static bool read_escaped(struct in *in, const char *begin, struct str *ret) {
    size_t from = in->names->len;
    buf_add(in->names, begin, (size_t)(in->at - begin));
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if ((unsigned char)c < ' ') return bad(in, "a control character in a text");
        if (c != '\\')
            buf_char(in->names, c);
        else if (!read_escape(in))
            return false;
    }
    if (!next_is(in, '"')) return bad(in, "the payload ends early");
    if (in->names->overflow) return bad(in, "too many texts with escapes");
    *ret = (struct str){in->names->ptr + from, in->names->len - from};
    return true;
}

static bool read_text(struct in *in, struct str *ret) {
    if (!next_is(in, '"')) return bad(in, "a text is missing");
    const char *begin = in->at;
    unsigned char high = 0;
    while (in->at < in->end && *in->at != '"' && *in->at != '\\') {
        if ((unsigned char)*in->at < ' ') return bad(in, "a control character in a text");
        high |= (unsigned char)*in->at++;
    }
    if (in->at == in->end) return bad(in, "the payload ends early");
    *ret = (struct str){begin, (size_t)(in->at - begin)};
    bool plain = *in->at == '"';
    if (plain) in->at++;
    if (!plain && !read_escaped(in, begin, ret)) return false;
    return (plain && !(high & 0x80)) || utf8_is_valid(*ret) || bad(in, "a text is no UTF-8");
}

/* ---- numbers ---- */

struct number {
    struct str text;
    uint64_t digits; /* without the point, the first EXACT_DIGITS of them */
    int count, power;
    bool is_negative, is_whole;
};

static void take_digits(struct in *in, struct number *n, int power) {
    const char *at = in->at;
    uint64_t digits = n->digits;
    int count = n->count, taken = 0;
    for (; at < in->end && *at >= '0' && *at <= '9'; at++) {
        if (count <= EXACT_DIGITS) {
            digits = digits * 10 + (uint64_t)(*at - '0');
            taken++;
        }
        count += digits != 0; /* leading zeros do not count */
    }
    in->at = at;
    n->digits = digits;
    n->count = count;
    n->power += power * taken;
}

static bool read_exponent(struct in *in, struct number *n) {
    int e = 0;
    bool minus = in->at < in->end && *in->at == '-';
    if (minus || (in->at < in->end && *in->at == '+')) in->at++;
    if (!next_digit(in)) return bad(in, "a number is no JSON");
    for (; next_digit(in); in->at++)
        if (e < 10000) e = e * 10 + (*in->at - '0');
    n->power += minus ? -e : e;
    return true;
}

static bool read_number(struct in *in, struct number *n) {
    const char *begin = in->at;
    *n = (struct number){.is_whole = true};
    n->is_negative = next_is(in, '-');
    if (!next_digit(in)) return bad(in, "a value is no number");
    if (*in->at == '0' && in->end - in->at > 1 && in->at[1] >= '0' && in->at[1] <= '9')
        return bad(in, "a number begins with 0");
    take_digits(in, n, 0);
    if (next_is(in, '.')) {
        n->is_whole = false;
        if (!next_digit(in)) return bad(in, "a number is no JSON");
        take_digits(in, n, -1);
    }
    if (next_is(in, 'e') || next_is(in, 'E')) {
        n->is_whole = false;
        if (!read_exponent(in, n)) return false;
    }
    n->text = (struct str){begin, (size_t)(in->at - begin)};
    return true;
}

static bool number_value(struct in *in, const struct number *n, double *ret) {
    if (n->count > EXACT_DIGITS || n->power > EXACT_POWER || n->power < -EXACT_POWER)
        return str_to_f64(n->text, ret) || bad(in, "a number is too long or too large");
    double v = (double)n->digits;
    v = n->power < 0 ? v / f64_powers[-n->power] : v * f64_powers[n->power];
    *ret = n->is_negative ? -v : v;
    return true;
}

static bool read_value(struct in *in, double *ret) {
    struct number n;
    bool is_true = word(in, S("true"));
    if (is_true || word(in, S("false"))) {
        *ret = is_true;
        return true;
    }
    return read_number(in, &n) && number_value(in, &n, ret);
}

static bool read_ts(struct in *in, int64_t *ret, bool *ret_has) {
    struct number n;
    struct str text;
    if (word(in, S("null"))) return true;
    *ret_has = true;
    if (in->at < in->end && *in->at == '"')
        return read_text(in, &text) && (civil_read_time(text, ret) || bad(in, "ts is no time of RFC 3339"));
    if (!read_number(in, &n)) return bad(in, "ts is no time");
    return (n.is_whole && str_to_i64(n.text, ret)) || bad(in, "ts is no whole number of milliseconds");
}

/* ---- what objects have in common ---- */

/* At '{' or behind a member: true when a member follows, with its key and the place of its value. */
static bool next_member(struct in *in, bool is_first, struct str *ret_key, bool *ret_more) {
    blanks(in);
    *ret_more = false;
    if (next_is(in, '}')) return true;
    if (!is_first && !next_is(in, ',')) return bad(in, "neither , nor } behind a value");
    blanks(in);
    if (!read_text(in, ret_key)) return false;
    blanks(in);
    if (!next_is(in, ':')) return bad(in, "no : behind a key");
    blanks(in);
    *ret_more = true;
    return true;
}

static bool at_end(struct in *in) {
    blanks(in);
    return in->at == in->end || bad(in, "something stands behind the value");
}

static bool check_name(struct in *in, struct str s) {
    if (!s.len) return bad(in, "an empty name");
    if (s.len > PAYLOAD_NAME_MAX) return bad(in, "a name is longer than 64 bytes");
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f) return bad(in, "a control character in a name");
    return true;
}

/* ---- readings ---- */

struct values {
    struct payload_value *all;
    size_t n, cap;
};

static bool read_metric(struct in *in, struct values *v, size_t from, struct str metric) {
    if (v->n == v->cap || v->n - from == PAYLOAD_METRICS_MAX) return bad(in, "too many values");
    if (!check_name(in, metric)) return false;
    for (size_t i = from; i < v->n; i++)
        if (str_eq(v->all[i].metric, metric)) return bad(in, "a metric stands twice");
    v->all[v->n] = (struct payload_value){.metric = metric};
    return read_value(in, &v->all[v->n++].value);
}

static bool read_object(struct in *in, struct values *v) {
    size_t from = v->n;
    bool more, has_at = false, seen_ts = false;
    int64_t at_ms = 0;
    struct str key;
    if (!next_is(in, '{')) return bad(in, "neither an object nor a list of objects");
    for (bool is_first = true;; is_first = false) {
        if (!next_member(in, is_first, &key, &more)) return false;
        if (!more) break;
        if (!str_is(key, "ts")) {
            if (!read_metric(in, v, from, key)) return false;
            continue;
        }
        if (seen_ts) return bad(in, "ts stands twice");
        seen_ts = true;
        if (!read_ts(in, &at_ms, &has_at)) return false;
    }
    if (v->n == from) return bad(in, "no metric");
    for (size_t i = from; i < v->n && has_at; i++) {
        v->all[i].at_ms = at_ms;
        v->all[i].has_at = true;
    }
    return true;
}

static bool read_objects(struct in *in, struct values *v) {
    blanks(in);
    if (!next_is(in, '[')) return read_object(in, v);
    do {
        blanks(in);
        if (!read_object(in, v)) return false;
        blanks(in);
    } while (next_is(in, ','));
    return next_is(in, ']') || bad(in, "neither , nor ] behind an object");
}

bool payload_readings(struct bytes payload, struct buf *names, struct payload_value *ret, size_t cap, size_t *ret_n,
                      struct payload_fault *reterr) {
    struct in in = in_of(payload, names, reterr);
    struct values v = {ret, 0, cap < PAYLOAD_VALUES_MAX ? cap : PAYLOAD_VALUES_MAX};
    if (!payload.len) return bad(&in, "nothing");
    if (!read_objects(&in, &v) || !at_end(&in)) return false;
    *ret_n = v.n;
    return true;
}

/* ---- events ---- */

static bool skip_value(struct in *in);

static bool skip_scalar(struct in *in) {
    struct str text;
    struct number n;
    double v;
    size_t kept = in->names->len;
    if (in->at < in->end && *in->at == '"') {
        bool ok = read_text(in, &text);
        if (!in->names->overflow) in->names->len = kept; /* looked at, not kept */
        return ok;
    }
    if (word(in, S("true")) || word(in, S("false")) || word(in, S("null"))) return true;
    return read_number(in, &n) && number_value(in, &n, &v);
}

/* Any value.  A bit a level says whether it is an object, so that nothing recurses. */
static bool skip_value(struct in *in) {
    uint64_t objects = 0;
    int depth = 0;
    bool more;
    struct str key;
    for (bool is_first = false;;) {
        blanks(in);
        bool opens = in->at < in->end && (*in->at == '{' || *in->at == '[');
        if (opens) {
            if (depth == PAYLOAD_DEPTH_MAX) return bad(in, "data is nested too deeply");
            objects = objects << 1 | (*in->at++ == '{');
            depth++;
            is_first = true;
        } else {
            if (!skip_scalar(in)) return false;
            is_first = false;
        }
        for (; depth; is_first = false, depth--, objects >>= 1) { /* closes what ends here */
            size_t kept = in->names->len;
            if (objects & 1) {
                if (!next_member(in, is_first, &key, &more)) return false;
                in->names->len = kept;
                if (more) break;
                continue;
            }
            blanks(in);
            if (next_is(in, ']')) continue;
            if (is_first || next_is(in, ',')) break;
            return bad(in, "neither , nor ] behind a value");
        }
        if (!depth) return true;
    }
}

enum key { KEY_TS, KEY_EVENT, KEY_PART, KEY_ACTIVE, KEY_DATA, KEY__COUNT };

static bool read_member(struct in *in, enum key key, struct payload_event *e) {
    const char *begin = in->at;
    switch (key) {
    case KEY_TS: return read_ts(in, &e->at_ms, &e->has_at);
    case KEY_EVENT: return read_text(in, &e->code) && check_name(in, e->code);
    case KEY_PART: return read_text(in, &e->part) && check_name(in, e->part);
    case KEY_ACTIVE:
        e->is_over = word(in, S("false"));
        return e->is_over || word(in, S("true")) || bad(in, "active is neither true nor false");
    case KEY_DATA:
        if (!skip_value(in)) return false;
        e->data = (struct str){begin, (size_t)(in->at - begin)};
        return true;
    case KEY__COUNT: break;
    }
    return bad(in, "an unknown key");
}

bool payload_event(struct bytes payload, struct buf *names, struct payload_event *ret, struct payload_fault *reterr) {
    static const char *const keys[KEY__COUNT] = {"ts", "event", "part", "active", "data"};
    struct in in = in_of(payload, names, reterr);
    struct payload_event e = {0};
    unsigned seen = 0;
    bool more;
    struct str key;
    if (!payload.len) return bad(&in, "nothing");
    blanks(&in);
    if (!next_is(&in, '{')) return bad(&in, "no object");
    for (bool is_first = true;; is_first = false) {
        enum key k = 0;
        if (!next_member(&in, is_first, &key, &more)) return false;
        if (!more) break;
        while (k < KEY__COUNT && !str_is(key, keys[k])) k++;
        if (seen >> k & 1) return bad(&in, "a key stands twice");
        seen |= 1u << k;
        if (!read_member(&in, k, &e)) return false;
    }
    if (!at_end(&in)) return false;
    if (!e.code.len) return bad(&in, "no event");
    *ret = e;
    return true;
}
