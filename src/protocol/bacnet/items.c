/* Points as people write them: ai_1, ao_3@8, 0:1:85, and what they are to become.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/bacnet/bacnet_internal.h"

#include <inttypes.h>

#define TYPE_MAX     1023
#define PRIORITY_MAX 16

static bool is_separator(char c) {
    return c == '_' || c == ':';
}

static bool is_digit(const struct str s, size_t i) {
    return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9';
}

/* All digits, at most `max`. */
static bool read_number(struct str s, int64_t max, int64_t *ret) {
    return is_digit(s, 0) && str_to_i64(s, ret) && *ret <= max;
}

static bool read_word(const struct bacnet_words *words, struct str s, int64_t max, int64_t *ret) {
    return bacnet_number(words, s, ret) || read_number(s, max, ret);
}

/* Where a number stands behind a separator, up to the next one or the end, from `from` on; s.len: nowhere. */
static size_t number_behind(struct str s, size_t from, size_t *ret_end) {
    for (size_t i = from; i + 1 < s.len; i++) {
        if (!is_separator(s.ptr[i]) || !is_digit(s, i + 1)) continue;
        size_t end = i + 1;
        while (is_digit(s, end)) end++;
        if (end != s.len && !is_separator(s.ptr[end])) continue;
        *ret_end = end;
        return i;
    }
    return s.len;
}

/* Gives what stands behind the object, and the separator. */
static bool cut_object(struct str *s, int64_t *ret) {
    size_t end = 0, at = number_behind(*s, 0, &end);
    int64_t type, number;
    if (at == s->len || !read_word(&bacnet_object_types, (struct str){s->ptr, at}, TYPE_MAX, &type) ||
        !read_number((struct str){s->ptr + at + 1, end - at - 1}, BACNET_INSTANCE_MAX, &number))
        return false;
    *ret = BACNET_ID(type, number);
    *s = end < s->len ? str_from(*s, end + 1) : (struct str){NULL, 0};
    return true;
}

bool bacnet_read_object(struct str text, int64_t *ret) {
    int64_t object;
    if (!text.len || !cut_object(&text, &object) || text.ptr) return false;
    *ret = object;
    return true;
}

bool bacnet_read_property(struct str text, struct bacnet_point *p) {
    size_t end = text.len, at = text.len;
    while (is_digit(text, at - 1)) at--; /* the index, where a separator is before it */
    bool has_index = at > 1 && at < end && is_separator(text.ptr[at - 1]);
    if (has_index && !read_number(str_from(text, at), UINT32_MAX, &p->index)) return false;
    if (has_index) text.len = at - 1;
    return read_word(&bacnet_properties, text, UINT32_MAX, &p->property);
}

bool bacnet_read_item(struct str text, struct bacnet_point *ret) {
    struct bacnet_point p = bacnet_no_point;
    struct str priority = text, rest;
    if (!text.len) return false;
    (void)str_cut(&priority, '@', &rest);
    if (priority.ptr && (!read_number(priority, PRIORITY_MAX, &p.priority) || !p.priority)) return false;
    if (!rest.len || !cut_object(&rest, &p.object)) return false;
    p.property = BACNET_PRESENT_VALUE;
    if (rest.ptr && (!rest.len || !bacnet_read_property(rest, &p))) return false;
    *ret = p;
    return true;
}

bool bacnet_tells_changes(const struct bacnet_point *p) {
    static const uint8_t types[] = {0, 1, 2, 3, 4, 5, 12, 13, 14, 19, 21, 22, 24, 28, 30, 40, 45, 46, 48, 54, 55};
    if (bacnet_is_thing(p->object)) return true;
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i] == BACNET_TYPE_OF(p->object)) return p->property == BACNET_PRESENT_VALUE && p->index < 0;
    return false;
}

void bacnet_put_object(int64_t object, struct buf *out) {
    const char *word = bacnet_word(&bacnet_object_types, BACNET_TYPE_OF(object));
    if (word)
        buf_cstr(out, word);
    else
        buf_i64(out, BACNET_TYPE_OF(object));
    buf_fmt(out, "_%" PRIu32, BACNET_NUMBER_OF(object));
}

void bacnet_put_property(const struct bacnet_point *p, struct buf *out) {
    const char *word = bacnet_word(&bacnet_properties, p->property);
    if (word)
        buf_cstr(out, word);
    else
        buf_i64(out, p->property);
    if (p->index >= 0) buf_fmt(out, "_%" PRId64, p->index);
}

void bacnet_put_item(const struct bacnet_point *p, struct buf *out) {
    bacnet_put_object(p->object, out);
    if (p->property == BACNET_PRESENT_VALUE && p->index < 0) return;
    buf_char(out, '_');
    bacnet_put_property(p, out);
}

/* ---- what is written ---- */

static const struct {
    uint32_t object;
    enum bacnet_type type;
} present_values[] = {
    {0, BACNET_REAL},       {1, BACNET_REAL},       {2, BACNET_REAL},  {3, BACNET_ENUMERATED},
    {4, BACNET_ENUMERATED}, {5, BACNET_ENUMERATED}, {12, BACNET_REAL}, {13, BACNET_UNSIGNED},
    {14, BACNET_UNSIGNED},  {19, BACNET_UNSIGNED},  {40, BACNET_TEXT}, {45, BACNET_SIGNED},
    {46, BACNET_DOUBLE},    {48, BACNET_UNSIGNED},  {54, BACNET_REAL}, {55, BACNET_ENUMERATED},
};
static const struct {
    uint32_t property;
    enum bacnet_type type;
} others[] = {
    {17, BACNET_UNSIGNED},
    {22, BACNET_REAL},
    {25, BACNET_REAL},
    {BACNET_DESCRIPTION, BACNET_TEXT},
    {45, BACNET_REAL},
    {58, BACNET_TEXT},
    {59, BACNET_REAL},
    {BACNET_OBJECT_NAME, BACNET_TEXT},
    {BACNET_OUT_OF_SERVICE, BACNET_BOOLEAN},
    {108, BACNET_REAL},
    {BACNET_UNITS, BACNET_ENUMERATED},
};
static const struct {
    const char *word;
    enum bacnet_type type;
} prefixes[] = {
    {"boolean", BACNET_BOOLEAN}, {"unsigned", BACNET_UNSIGNED},     {"signed", BACNET_SIGNED}, {"real", BACNET_REAL},
    {"double", BACNET_DOUBLE},   {"enumerated", BACNET_ENUMERATED}, {"text", BACNET_TEXT},
};

/* BACNET_CONSTRUCTED: nobody knows. */
static enum bacnet_type type_of(const struct bacnet_point *p) {
    bool is_present = p->property == BACNET_PRESENT_VALUE || p->property == BACNET_RELINQUISH_DEFAULT;
    for (size_t i = 0; is_present && i < COUNT(present_values); i++)
        if (present_values[i].object == BACNET_TYPE_OF(p->object)) return present_values[i].type;
    for (size_t i = 0; !is_present && i < COUNT(others); i++)
        if (others[i].property == p->property) return others[i].type;
    return BACNET_CONSTRUCTED;
}

/* 1 and 0 also as the words that go with the type. */
static bool read_whole(struct str text, const char *one, const char *none, int64_t min, int64_t *ret) {
    *ret = str_is(text, one);
    if (str_is(text, one) || str_is(text, none)) return true;
    return str_to_i64(text, ret) && *ret >= min && *ret <= UINT32_MAX;
}

bool bacnet_read_value(struct str text, const struct bacnet_point *of, struct bacnet_value *ret) {
    struct bacnet_value v = {.type = type_of(of)};
    struct str rest = text, prefix;
    bool ok = false;
    if (str_is(text, "null")) {
        *ret = (struct bacnet_value){.type = BACNET_NULL};
        return true;
    }
    (void)str_cut(&rest, ':', &prefix);
    for (size_t i = 0; rest.ptr && i < COUNT(prefixes); i++) {
        if (!str_is(prefix, prefixes[i].word)) continue;
        v.type = prefixes[i].type;
        text = rest;
        break;
    }
    switch (v.type) {
    case BACNET_BOOLEAN: ok = read_whole(text, "true", "false", 0, &v.whole) && v.whole <= 1; break;
    case BACNET_ENUMERATED: ok = read_whole(text, "active", "inactive", 0, &v.whole); break;
    case BACNET_UNSIGNED: ok = str_to_i64(text, &v.whole) && v.whole >= 0; break;
    case BACNET_SIGNED: ok = str_to_i64(text, &v.whole); break;
    case BACNET_REAL:
        ok = str_to_f64(text, &v.number) && v.number <= (double)3.4028234e38f && v.number >= -(double)3.4028234e38f;
        break;
    case BACNET_DOUBLE: ok = str_to_f64(text, &v.number); break;
    case BACNET_TEXT:
        ok = true;
        v.data = (struct bytes){(const uint8_t *)text.ptr, text.len};
        break;
    case BACNET_NULL:
    case BACNET_OCTETS:
    case BACNET_BITS:
    case BACNET_DATE:
    case BACNET_CLOCK:
    case BACNET_OBJECT:
    case BACNET_CONSTRUCTED: break;
    }
    if (ok) *ret = v;
    return ok;
}
