/* JSON of devices read in place.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/json_in.h"

#include "protocol/codec.h"

#include "base/utf8.h"

#include <string.h>

#define EXACT_DIGITS 15 /* below 2^53, */
#define EXACT_POWER \
    (F64_POWERS - 1) /* and 10^22 is exact too: their product is rounded once, so it is the nearest double */

bool json_in_bad(struct json_in *in, const char *rule) {
    in->rule = rule;
    in->rule_at = (size_t)(in->at - in->begin);
    return false;
}

static bool next_digit(const struct json_in *in) {
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

/* ---- strings ---- */

static bool hex4(struct json_in *in, uint32_t *ret) {
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
static bool read_code(struct json_in *in) {
    uint32_t code, low;
    if (!hex4(in, &code)) return json_in_bad(in, "an escape is no JSON");
    if (code >= 0xd800 && code < 0xdc00) {
        if (!json_in_word(in, S("\\u")) || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff)
            return json_in_bad(in, "half a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return json_in_bad(in, "half a surrogate pair");
    }
    if (!code) return json_in_bad(in, "U+0000 in a text");
    utf8_put(in->texts, (int32_t)code);
    return true;
}

static bool read_escape(struct json_in *in) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end) return json_in_bad(in, "the payload ends early");
    char c = *in->at++;
    if (c == 'u') return read_code(in);
    const char *which = c ? strchr(from, c) : NULL;
    if (!which) return json_in_bad(in, "an escape is no JSON");
    buf_char(in->texts, to[which - from]);
    return true;
}

/* The rest of a text that has an escape; `begin` is where it began. */
static bool read_escaped(struct json_in *in, const char *begin, struct str *ret) {
    size_t from = in->texts->len;
    buf_add(in->texts, begin, (size_t)(in->at - begin));
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if ((unsigned char)c < ' ') return json_in_bad(in, "a control character in a text");
        if (c != '\\')
            buf_char(in->texts, c);
        else if (!read_escape(in))
            return false;
    }
    if (!json_in_char(in, '"')) return json_in_bad(in, "the payload ends early");
    if (in->texts->overflow) return json_in_bad(in, WIRE_LIMIT "too many texts with escapes");
    *ret = (struct str){in->texts->ptr + from, in->texts->len - from};
    return true;
}

bool json_in_text(struct json_in *in, struct str *ret) {
    if (!json_in_char(in, '"')) return json_in_bad(in, "a text is missing");
    const char *begin = in->at;
    unsigned char high = 0;
    while (in->at < in->end && *in->at != '"' && *in->at != '\\') {
        if ((unsigned char)*in->at < ' ') return json_in_bad(in, "a control character in a text");
        high |= (unsigned char)*in->at++;
    }
    if (in->at == in->end) return json_in_bad(in, "the payload ends early");
    *ret = (struct str){begin, (size_t)(in->at - begin)};
    bool plain = *in->at == '"';
    if (plain) in->at++;
    if (!plain && !read_escaped(in, begin, ret)) return false;
    return (plain && !(high & 0x80)) || utf8_is_valid(*ret) || json_in_bad(in, "a text is no UTF-8");
}

/* ---- numbers ---- */

struct number {
    struct str text;
    uint64_t digits; /* without the point, the first EXACT_DIGITS of them */
    int count, power;
    bool is_negative, is_whole;
};

static void take_digits(struct json_in *in, struct number *n, int power) {
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

static bool read_exponent(struct json_in *in, struct number *n) {
    int e = 0;
    bool minus = in->at < in->end && *in->at == '-';
    if (minus || (in->at < in->end && *in->at == '+')) in->at++;
    if (!next_digit(in)) return json_in_bad(in, "a number is no JSON");
    for (; next_digit(in); in->at++)
        if (e < 10000) e = e * 10 + (*in->at - '0');
    n->power += minus ? -e : e;
    return true;
}

static bool read_number(struct json_in *in, struct number *n) {
    const char *begin = in->at;
    *n = (struct number){.is_whole = true};
    n->is_negative = json_in_char(in, '-');
    if (!next_digit(in)) return json_in_bad(in, "a value is no number");
    if (*in->at == '0' && in->end - in->at > 1 && in->at[1] >= '0' && in->at[1] <= '9')
        return json_in_bad(in, "a number begins with 0");
    take_digits(in, n, 0);
    if (json_in_char(in, '.')) {
        n->is_whole = false;
        if (!next_digit(in)) return json_in_bad(in, "a number is no JSON");
        take_digits(in, n, -1);
    }
    if (json_in_char(in, 'e') || json_in_char(in, 'E')) {
        n->is_whole = false;
        if (!read_exponent(in, n)) return false;
    }
    n->text = (struct str){begin, (size_t)(in->at - begin)};
    return true;
}

static bool number_value(struct json_in *in, const struct number *n, double *ret) {
    if (n->count > EXACT_DIGITS || n->power > EXACT_POWER || n->power < -EXACT_POWER)
        return str_to_f64(n->text, ret) || json_in_bad(in, "a number is too long or too large");
    double v = (double)n->digits;
    v = n->power < 0 ? v / f64_powers[-n->power] : v * f64_powers[n->power];
    *ret = n->is_negative ? -v : v;
    return true;
}

bool json_in_number(struct json_in *in, double *ret, struct str *ret_text, bool *ret_whole) {
    struct number n;
    if (!read_number(in, &n) || !number_value(in, &n, ret)) return false;
    if (ret_text) *ret_text = n.text;
    if (ret_whole) *ret_whole = n.is_whole;
    return true;
}

bool json_in_value(struct json_in *in, double *ret) {
    bool is_true = json_in_word(in, S("true"));
    if (is_true || json_in_word(in, S("false"))) {
        *ret = is_true;
        return true;
    }
    return json_in_number(in, ret, NULL, NULL);
}

/* ---- objects ---- */

/* At '{' or behind a member: true when a member follows, with its key and the place of its value. */
bool json_in_member(struct json_in *in, bool is_first, struct str *ret_key, bool *ret_more) {
    json_in_blanks(in);
    *ret_more = false;
    if (json_in_char(in, '}')) return true;
    if (!is_first && !json_in_char(in, ',')) return json_in_bad(in, "neither , nor } behind a value");
    json_in_blanks(in);
    if (!json_in_text(in, ret_key)) return false;
    json_in_blanks(in);
    if (!json_in_char(in, ':')) return json_in_bad(in, "no : behind a key");
    json_in_blanks(in);
    *ret_more = true;
    return true;
}

bool json_in_end(struct json_in *in) {
    json_in_blanks(in);
    return in->at == in->end || json_in_bad(in, "something stands behind the value");
}

/* ---- any value ---- */

static bool read_scalar(struct json_in *in, struct json_leaf *leaf) {
    bool is_true = json_in_word(in, S("true"));
    leaf->text = (struct str){NULL, 0};
    leaf->number = is_true;
    if (in->at < in->end && *in->at == '"' && !is_true) {
        leaf->type = JSON_LEAF_TEXT;
        return json_in_text(in, &leaf->text);
    }
    leaf->type = JSON_LEAF_FLAG;
    if (is_true || json_in_word(in, S("false"))) return true;
    leaf->type = JSON_LEAF_NULL;
    if (json_in_word(in, S("null"))) return true;
    leaf->type = JSON_LEAF_NUMBER;
    return json_in_number(in, &leaf->number, NULL, NULL);
}

/* A bit a level says whether it is an object, so that nothing recurses. */
bool json_in_leaves(struct json_in *in, json_leaf_fn *fn, void *arg) {
    struct json_leaf leaf = {0};
    struct json_step too_deep;
    uint64_t objects = 0;
    size_t depth = 0;
    bool more;
    for (bool is_first = false;;) {
        size_t kept = in->texts->len;
        json_in_blanks(in);
        if (in->at < in->end && (*in->at == '{' || *in->at == '[')) {
            if (depth == JSON_IN_DEPTH_MAX) return json_in_bad(in, "data is nested too deeply");
            if (depth < JSON_PATH_MAX) leaf.path[depth] = (struct json_step){.index = 0};
            objects = objects << 1 | (*in->at++ == '{');
            depth++;
            is_first = true;
        } else {
            leaf.path_n = depth;
            if (!read_scalar(in, &leaf) || (fn && depth <= JSON_PATH_MAX && !fn(arg, in, &leaf))) return false;
            is_first = false;
        }
        for (; depth; is_first = false, depth--, objects >>= 1) { /* closes what ends here */
            struct json_step *step = depth <= JSON_PATH_MAX ? &leaf.path[depth - 1] : &too_deep;
            if (objects & 1) {
                if (!json_in_member(in, is_first, &step->name, &more)) return false;
                if (more) break;
                continue;
            }
            json_in_blanks(in);
            if (json_in_char(in, ']')) continue;
            if (is_first) break;
            if (!json_in_char(in, ',')) return json_in_bad(in, "neither , nor ] behind a value");
            step->index++;
            break;
        }
        if (!fn && !in->texts->overflow) in->texts->len = kept; /* looked at, not kept */
        if (!depth) return true;
    }
}
