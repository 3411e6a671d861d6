/* Text slices.  SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct str str_of(const char *cstr) {
    return cstr ? (struct str){cstr, strlen(cstr)} : (struct str){NULL, 0};
}

bool str_eq(struct str a, struct str b) {
    return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

bool str_is(struct str a, const char *cstr) {
    return str_eq(a, str_of(cstr));
}

bool str_starts(struct str s, struct str prefix) {
    return s.len >= prefix.len && str_eq((struct str){s.ptr, prefix.len}, prefix);
}

int str_cmp(struct str a, struct str b) {
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.ptr, b.ptr, least) : 0;
    if (order) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s) {
    while (s.len && is_blank(s.ptr[0])) s.ptr++, s.len--;
    while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
    return s;
}

struct str str_from(struct str s, size_t at) {
    if (!s.ptr) return s;
    if (at > s.len) at = s.len;
    return (struct str){s.ptr + at, s.len - at};
}

bool str_cut(struct str *rest, char sep, struct str *ret_part) {
    if (!rest->ptr) return false;
    const char *end = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *ret_part = (struct str){rest->ptr, len};
    *rest = end ? (struct str){end + 1, rest->len - len - 1} : (struct str){NULL, 0};
    return true;
}

bool str_is_code(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f || memchr("/+#", s.ptr[i], 3)) return false;
    return s.len > 0;
}

bool str_word(struct str *rest, struct str *ret_word) {
    while (str_cut(rest, ' ', ret_word))
        if (ret_word->len) return true;
    return false;
}

bool str_to_i64(struct str s, int64_t *ret) {
    size_t at = 0;
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) at++;
    if (at == s.len) return false;
    int64_t v = 0;
    for (; at < s.len; at++) {
        if (s.ptr[at] < '0' || s.ptr[at] > '9') return false;
        int64_t digit = s.ptr[at] - '0';
        if (__builtin_mul_overflow(v, (int64_t)10, &v)) return false;
        if (negative ? __builtin_sub_overflow(v, digit, &v) : __builtin_add_overflow(v, digit, &v)) return false;
    }
    *ret = v;
    return true;
}

bool str_to_number(struct str s, int64_t most, int64_t *ret) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return s.len && (s.len == 1 || s.ptr[0] != '0') && str_to_i64(s, ret) && *ret <= most;
}

const char *str_to_decimal(struct str text, int scale, int64_t *ret) {
    struct str rest = text, whole, part = {"", 0};
    if (!str_cut(&rest, '.', &whole)) return "bad_type";
    if (rest.ptr) part = rest;
    if (!whole.len || (rest.ptr && !part.len)) return "bad_type";
    if (part.len > (size_t)scale) return "too_precise";
    char digits[48];
    if (whole.len + (size_t)scale >= sizeof digits) return "too_large";
    memcpy(digits, whole.ptr, whole.len);
    for (int i = 0; i < scale; i++) digits[whole.len + (size_t)i] = (size_t)i < part.len ? part.ptr[i] : '0';
    return str_to_i64((struct str){digits, whole.len + (size_t)scale}, ret) ? NULL : "bad_type";
}

/* strtod() minds the locale of its thread. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void c_locale_make(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

#define EXACT_MAX (UINT64_C(1) << 53)

const double f64_powers[F64_POWERS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A mantissa below 2^53 over a power of ten up to 10^22, both exact: the one division rounds as it must (Clinger 1990).
 * False: not as simple as that. */
static bool simple_to_f64(struct str s, double *ret) {
    const char *at = s.ptr, *end = at + s.len, *point = NULL;
    bool negative = at < end && *at == '-';
    uint64_t m = 0;
    if (negative) at++;
    if (at == end || end - at > 20) return false; /* 19 digits fit 64 bits */
    for (; at < end; at++) {
        unsigned digit = (unsigned)*at - '0';
        if (digit <= 9)
            m = m * 10 + digit;
        else if (*at == '.' && !point)
            point = at + 1;
        else
            return false;
    }
    size_t digits = (size_t)(end - s.ptr) - negative - (point != NULL), scale = point ? (size_t)(end - point) : 0;
    if (!digits || digits > 19 || m > EXACT_MAX) return false;
    double v = (double)m / f64_powers[scale];
    *ret = negative ? -v : v;
    return true;
}

bool str_to_f64(struct str s, double *ret) {
    char text[64];
    if (!s.len) return false; /* which may be nowhere */
    if (simple_to_f64(s, ret)) return true;
    if (s.len >= sizeof text) return false;
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789+-.eE", s.ptr[i]) || !s.ptr[i]) return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    char *end;
    pthread_once(&c_locale_once, c_locale_make);
    locale_t before = uselocale(c_locale);
    double v = strtod(text, &end);
    uselocale(before);
    if (end != text + s.len || !isfinite(v)) return false;
    *ret = v;
    return true;
}

/* Eight bytes at a time; each is multiplied in and its high half folded down, as in wyhash (Wang 2019). */
static uint64_t hash_fold(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0xa0761d6478bd642f);
    return h ^ h >> 32;
}

uint64_t str_hash(struct str s) {
    uint64_t h = hash_fold(UINT64_C(0xe7037ed1a0b428db), s.len), word;
    for (; s.len >= sizeof word; s = (struct str){s.ptr + sizeof word, s.len - sizeof word}) {
        memcpy(&word, s.ptr, sizeof word);
        h = hash_fold(h, word);
    }
    word = 0;
    for (size_t i = 0; i < s.len; i++) word |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
    return s.len ? hash_fold(h, word) : h;
}

bool word_in(const char *words, struct str word) {
    struct str rest = str_of(words), part;
    while (str_word(&rest, &part))
        if (str_eq(part, word)) return true;
    return false;
}
