/* Reads number plates.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/plate/plate.h"

#include "base/utf8.h"

#include <string.h>

#define CHARS_MAX 12 /* of a plate in its normal form; the longest has eight */

/* Forms in the order of the tests: those of new energy before the one of seven characters.  Small letters stand for
 * p a province, l a letter, a a letter or digit, d a digit, n a letter of new energy (GA 36-2018), s and z the
 * characters that end some plates; anything else stands for itself.  Below them which part each belongs to: P province,
 * L letters, S serial, X suffix. */
static const struct form {
    enum plate_kind kind;
    const char *chars, *parts;
} forms[] = {
    {PLATE_NEV_SMALL, "plnadddd", "PLSSSSSS"}, {PLATE_NEV_LARGE, "pldddddn", "PLSSSSSS"},
    {PLATE_CIVIL, "plaaaaa", "PLSSSSS"},       {PLATE_SUFFIX, "plaaaas", "PLSSSSX"},
    {PLATE_HK_MACAU, "粤Zaaaaz", "PLSSSSX"},   {PLATE_ARMED_POLICE, "WJpdddda", "LLPSSSSS"},
    {PLATE_MILITARY, "llddddd", "LLSSSSS"},    {PLATE_AVIATION, "民航aaaaa", "LLSSSSS"},
    {PLATE_EMBASSY, "dddddd使", "SSSSSSX"},    {PLATE_EMBASSY, "使dddddd", "XSSSSSS"},
};
static const struct {
    char mark;
    const char *chars, *rule;
} sets[] = {
    {'p', "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼",
     "GA 36: a plate begins with one of 31 provinces"},
    {'l', "ABCDEFGHJKLMNPQRSTUVWXYZ", "GA 36: behind the province stands a letter, not I or O"},
    {'a', "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", "GA 36: a serial has digits and letters, not I or O"},
    {'d', "0123456789", "GA 36: a digit stands here"},
    {'n', "ABCDEFGHJK", "GA 36-2018: the letter of new energy is one of A to H, J, K"},
    {'s', "挂学警领试", "GA 36: the last character is a digit, a letter, or one of five words"},
    {'z', "港澳", "GA 36: a plate of Hong Kong or Macau ends with its name"},
};
#define ELECTRIC "DABCE"

const char *plate_kind_name(enum plate_kind kind) {
    static const char *const names[] = {"none",     "nev_small",    "nev_large", "civil",    "suffix",
                                        "hk_macau", "armed_police", "military",  "aviation", "embassy"};
    return names[kind];
}

/* ---- the normal form ---- */

struct chars {
    int32_t code[CHARS_MAX];
    size_t at[CHARS_MAX + 1]; /* byte of each in the text as it came; behind the last: the end */
    size_t n;
};

/* What people and cameras put between the characters: blanks, middle dots, hyphens. */
static bool is_between(int32_t c) {
    static const int32_t all[] = {' ',    '\t', 0xa0, 0x3000, 0xb7,   0x2022, 0x2027, 0x30fb,
                                  0xff65, '.',  '-',  0x2010, 0x2011, 0x2012, 0x2013, 0x2014};
    for (size_t i = 0; i < COUNT(all); i++)
        if (c == all[i]) return true;
    return false;
}

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

static bool read_chars(struct str text, struct chars *ret, struct wire_error *reterr) {
    size_t at = 0;
    ret->n = 0;
    if (text.len > PLATE_INPUT_MAX || !utf8_is_valid(text)) return bad(reterr, "GA 36: this is no plate's text", 0);
    while (at < text.len) {
        size_t from = at;
        int32_t c = utf8_next(text, &at);
        if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0; /* full width */
        if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
        if (is_between(c)) continue;
        if (ret->n == CHARS_MAX) return bad(reterr, "GA 36: a plate has at most eight characters", from);
        ret->at[ret->n] = from;
        ret->code[ret->n++] = c;
    }
    ret->at[ret->n] = text.len;
    return true;
}

/* ---- forms ---- */

static bool holds(const char *set, int32_t c) {
    struct str all = str_of(set);
    size_t at = 0;
    for (int32_t one = utf8_next(all, &at); one >= 0; one = utf8_next(all, &at))
        if (one == c) return true;
    return false;
}

static bool fits(int32_t mark, int32_t c, const char **ret_rule) {
    *ret_rule = "GA 36: this character has another one in its place";
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (mark != sets[i].mark) continue;
        *ret_rule = sets[i].rule;
        return holds(sets[i].chars, c);
    }
    return mark == c;
}

/* How many characters follow the form; all of them and no more: *ret_rule is NULL. */
static size_t follow(const struct form *f, const struct chars *c, const char **ret_rule) {
    struct str marks = str_of(f->chars);
    size_t at = 0, n = 0;
    for (int32_t mark = utf8_next(marks, &at); mark >= 0; mark = utf8_next(marks, &at), n++) {
        *ret_rule = "GA 36: a plate has seven characters, with new energy eight";
        if (n == c->n || !fits(mark, c->code[n], ret_rule)) return n;
    }
    *ret_rule = n < c->n ? "GA 36: a plate has at most eight characters" : NULL;
    return n;
}

static bool is_none(const struct chars *c) {
    static const char *const words[] = {"", "无牌", "_无_", "无牌车"};
    for (size_t i = 0; i < COUNT(words); i++) {
        struct str word = str_of(words[i]);
        size_t at = 0, n = 0;
        while (n < c->n && utf8_next(word, &at) == c->code[n]) n++;
        if (n == c->n && at == word.len) return true;
    }
    return false;
}

static void put_chars(struct plate *p, const struct form *f, const struct chars *c) {
    struct buf b;
    buf_init(&b, p->text, sizeof p->text);
    for (size_t i = 0; i < c->n; i++) {
        struct plate_part *part = f->parts[i] == 'P'   ? &p->province
                                  : f->parts[i] == 'L' ? &p->letters
                                  : f->parts[i] == 'S' ? &p->serial
                                                       : &p->suffix;
        size_t at = b.len;
        utf8_put(&b, c->code[i]);
        if (!part->n) part->at = (uint8_t)at;
        part->n = (uint8_t)(b.len - part->at);
    }
}

static void name_energy(struct plate *p, const struct chars *c) {
    p->is_new_energy = p->kind == PLATE_NEV_SMALL || p->kind == PLATE_NEV_LARGE;
    p->is_electric = p->is_new_energy && holds(ELECTRIC, c->code[p->kind == PLATE_NEV_SMALL ? 2 : 7]);
}

bool plate_read(struct str text, struct plate *ret, struct wire_error *reterr) {
    struct plate p = {.kind = PLATE_NONE};
    struct chars c;
    const char *rule = NULL, *furthest_rule = NULL;
    size_t furthest = 0;
    bool has_length = false;
    if (!read_chars(text, &c, reterr)) return false;
    if (is_none(&c)) {
        *ret = p;
        return true;
    }
    for (size_t i = 0; i < COUNT(forms); i++) {
        size_t n = follow(&forms[i], &c, &rule);
        if (!rule) {
            p.kind = forms[i].kind;
            put_chars(&p, &forms[i], &c);
            name_energy(&p, &c);
            *ret = p;
            return true;
        }
        bool fits_length = strlen(forms[i].parts) == c.n;
        if (furthest_rule && (n < furthest || (n == furthest && (!fits_length || has_length)))) continue;
        furthest = n;
        has_length = fits_length;
        furthest_rule = rule;
    }
    return bad(reterr, furthest_rule, c.at[furthest]);
}

bool plate_next(struct str *rest, struct str *ret_one) {
    while (str_cut(rest, '|', ret_one))
        if (str_trim(*ret_one).len) return true;
    return false;
}

struct str plate_part(const struct plate *p, struct plate_part part) {
    return part.n ? (struct str){p->text + part.at, part.n} : (struct str){NULL, 0};
}
