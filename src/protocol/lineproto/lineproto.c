/* Line protocol, read line by line.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lineproto/lineproto.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

int64_t lineproto_tick_ns(struct str precision) {
    static const struct {
        const char *word;
        int64_t ns;
    } rows[] = {{"ns", 1}, {"n", 1}, {"us", 1000}, {"u", 1000}, {"ms", NS_PER_MS}, {"s", 1000 * NS_PER_MS}};
    if (!precision.ptr) return 1;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_is(precision, rows[i].word)) return rows[i].ns;
    return 0;
}

static bool bad(struct lineproto *p, const char *rule) {
    p->rule = rule;
    return false;
}

/* What is left of a line. */
struct cursor {
    const char *at, *end;
};

static bool take_char(struct cursor *c, char which) {
    if (c->at == c->end || *c->at != which) return false;
    c->at++;
    return true;
}

/* ---- names: a backslash before one of their ends stands for that character ---- */

enum { COMMA = 1, BLANK = 2, EQUALS = 4, BACKSLASH = 8 };
static const uint8_t marks[256] = {[','] = COMMA, [' '] = BLANK, ['='] = EQUALS, ['\\'] = BACKSLASH};

static unsigned mark(const char *at) {
    return marks[(unsigned char)*at];
}

static bool unescape(struct lineproto *p, struct str raw, unsigned ends, struct str *ret) {
    char *out = arena_alloc(p->arena, raw.len + 1, 1, 1);
    size_t n = 0;
    if (!out) return bad(p, "too much text with backslashes");
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\' && i + 1 < raw.len && (mark(raw.ptr + i + 1) & ends)) i++;
        out[n++] = raw.ptr[i];
    }
    *ret = (struct str){out, n};
    return true;
}

/* Cuts a name off, up to the first end that no backslash precedes; that one stays. */
static bool take_name(struct lineproto *p, struct cursor *c, unsigned ends, struct str *ret) {
    const char *at = c->at, *end = c->end;
    bool escaped = false;
    for (; at < end && !(mark(at) & ends); at++) {
        if (mark(at) != BACKSLASH || at + 1 == end || !(mark(at + 1) & ends)) continue;
        escaped = true;
        at++;
    }
    *ret = (struct str){c->at, (size_t)(at - c->at)};
    c->at = at;
    if (!ret->len) return bad(p, "a name is missing");
    return !escaped || unescape(p, *ret, ends, ret);
}

/* ---- values ---- */

static bool read_truth(struct str s, double *ret) {
    static const char *const words[] = {"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!str_is(s, words[i])) continue;
        *ret = i < COUNT(words) / 2;
        return true;
    }
    return false;
}

static bool read_value(struct lineproto *p, struct str s, double *ret) {
    int64_t whole;
    char last = s.len ? s.ptr[s.len - 1] : 0;
    if (last == 'i' || last == 'u') {
        if (!str_to_i64((struct str){s.ptr, s.len - 1}, &whole) || (last == 'u' && whole < 0))
            return bad(p, "a whole number is not one");
        *ret = (double)whole;
        return true;
    }
    if (str_to_f64(s, ret) || read_truth(s, ret)) return true;
    return bad(p, s.len && s.ptr[0] == '"' ? "a text is no reading" : "a value is no number");
}

static bool take_value(struct lineproto *p, struct cursor *c, double *ret) {
    const char *at = c->at;
    while (at < c->end && !(mark(at) & (COMMA | BLANK))) at++;
    struct str raw = {c->at, (size_t)(at - c->at)};
    c->at = at;
    return read_value(p, raw, ret);
}

/* ---- a line ---- */

static bool take_tags(struct lineproto *p, struct cursor *c, struct lineproto_line *ret) {
    while (take_char(c, ',')) {
        struct str key, value;
        if (!take_name(p, c, COMMA | EQUALS | BLANK, &key)) return false;
        if (!take_char(c, '=')) return bad(p, "a tag has no value");
        if (!take_name(p, c, COMMA | EQUALS | BLANK, &value)) return false;
        if (str_eq(key, S("device"))) {
            ret->device = value;
            continue;
        }
        if (ret->tags_n == LINEPROTO_TAGS_MAX) return bad(p, WIRE_LIMIT "too many tags");
        ret->tags[ret->tags_n].key = key;
        ret->tags[ret->tags_n++].value = value;
    }
    return true;
}

static bool take_fields(struct lineproto *p, struct cursor *c, struct lineproto_line *ret) {
    do {
        if (ret->fields_n == LINEPROTO_FIELDS_MAX) return bad(p, WIRE_LIMIT "too many fields");
        if (!take_name(p, c, COMMA | EQUALS | BLANK, &ret->fields[ret->fields_n].metric)) return false;
        if (!take_char(c, '=')) return bad(p, "a field has no value");
        if (!take_value(p, c, &ret->fields[ret->fields_n].value)) return false;
        ret->fields_n++;
    } while (take_char(c, ','));
    return true;
}

static bool read_time(struct lineproto *p, struct str s, struct lineproto_line *ret) {
    int64_t ticks;
    if (!s.len) return true;
    if (!str_to_i64(s, &ticks)) return bad(p, "a time is no whole number");
    if (p->tick_ns > NS_PER_MS) { /* seconds */
        int64_t ms = p->tick_ns / NS_PER_MS;
        if (ticks > INT64_MAX / ms || ticks < INT64_MIN / ms) return bad(p, "a time is out of range");
        ret->at_ms = ticks * ms;
    } else {
        int64_t per_ms = NS_PER_MS / p->tick_ns;
        ret->at_ms = ticks / per_ms - (ticks % per_ms < 0);
    }
    ret->has_at = true;
    return true;
}

static bool read_line(struct lineproto *p, struct str line, struct lineproto_line *ret) {
    struct cursor c = {line.ptr, line.ptr + line.len};
    ret->number = p->number; /* the lists are as long as their counts say: they are too large to be cleared */
    ret->tags_n = ret->fields_n = 0;
    ret->has_at = false;
    if (!take_name(p, &c, COMMA | BLANK, &ret->device) || !take_tags(p, &c, ret)) return false;
    if (!take_char(&c, ' ')) return bad(p, "the fields are missing");
    while (take_char(&c, ' ')) continue;
    if (!take_fields(p, &c, ret)) return false;
    if (c.at < c.end && *c.at != ' ') return bad(p, "something stands behind the fields");
    return read_time(p, str_trim((struct str){c.at, (size_t)(c.end - c.at)}), ret);
}

bool lineproto_next(struct lineproto *p, struct lineproto_line *ret) {
    struct str line;
    p->rule = NULL;
    while (str_cut(&p->rest, '\n', &line)) {
        p->number++;
        line = str_trim(line);
        if (line.len && line.ptr[0] != '#') return read_line(p, line, ret);
    }
    return false;
}
