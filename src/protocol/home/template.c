/* The simple ones of Home Assistant's templates, and its units.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

#include <math.h>

/* ---- reading: {{ value_json.a['b'][0] | float | round(1) }} ---- */

enum { OP_FLOAT = 1, OP_INT = 2, OP_ROUND = 16 /* and digits behind the point */ };
#define ROUND_MAX 9

static bool cut(struct str *s, struct str word) {
    *s = str_trim(*s);
    if (!str_starts(*s, word)) return false;
    *s = str_from(*s, word.len);
    return true;
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str cut_name(struct str *s) {
    size_t n = 0;
    while (n < s->len && is_name_char(s->ptr[n])) n++;
    struct str name = {s->ptr, n};
    *s = str_from(*s, n);
    return name;
}

static void put_step(struct buf *mem, struct str name) {
    if (mem->len) buf_char(mem, '.');
    buf_str(mem, name);
}

/* ['name'], ["name"], [0]; a name with . or [ would not be told from a path. */
static bool read_bracket(struct str *s, struct buf *mem) {
    int64_t index;
    char quote = s->len ? s->ptr[0] : 0;
    bool is_quoted = quote == '\'' || quote == '"';
    if (is_quoted) *s = str_from(*s, 1);
    size_t n = 0;
    while (n < s->len && s->ptr[n] != (is_quoted ? quote : ']') && !memchr(".[", s->ptr[n], 2)) n++;
    struct str name = {s->ptr, n};
    *s = str_from(*s, n + is_quoted);
    if (!name.len || !s->len || s->ptr[0] != ']') return false;
    *s = str_from(*s, 1);
    if (is_quoted) {
        put_step(mem, name);
    } else {
        if (!str_to_i64(name, &index) || index < 0) return false;
        buf_fmt(mem, "[%lld]", (long long)index);
    }
    return true;
}

static bool read_path(struct str *s, struct buf *mem) {
    while (s->len && (s->ptr[0] == '.' || s->ptr[0] == '[')) {
        char c = s->ptr[0];
        *s = str_from(*s, 1);
        if (c == '[') {
            if (!read_bracket(s, mem)) return false;
            continue;
        }
        struct str name = cut_name(s);
        if (!name.len) return false;
        put_step(mem, name);
    }
    return mem->len && !mem->overflow;
}

/* int, float, round, and in brackets a default or how many digits. */
static bool read_filter(struct str *s, struct home_template *t) {
    int64_t n = 0;
    struct str name, number = {NULL, 0};
    *s = str_trim(*s);
    name = cut_name(s);
    if (cut(s, S("("))) {
        *s = str_trim(*s);
        number = cut_name(s);
        if (!cut(s, S(")")) || !str_to_i64(number, &n)) return false;
    }
    bool is_round = str_is(name, "round");
    if (!is_round && !str_is(name, "int") && !str_is(name, "float")) return false;
    if (t->ops_n == HOME_OPS_MAX || (is_round && n > ROUND_MAX)) return false;
    t->ops[t->ops_n++] = is_round ? (uint8_t)(OP_ROUND + n) : str_is(name, "int") ? OP_INT : OP_FLOAT;
    return true;
}

bool home_template_read(struct str text, struct buf *mem, struct home_template *ret) {
    struct home_template t = {0};
    struct str s = text;
    if (!cut(&s, S("{{"))) return false;
    s = str_trim(s);
    struct str name = cut_name(&s);
    t.is_json = str_is(name, "value_json");
    if (!t.is_json && !str_is(name, "value")) return false;
    if (t.is_json && (!read_path(&s, mem) || !buf_done(mem, &t.path))) return false;
    while (cut(&s, S("|")))
        if (!read_filter(&s, &t)) return false;
    if (!cut(&s, S("}}")) || str_trim(s).len) return false;
    *ret = t;
    return true;
}

/* ---- use ---- */

bool home_path_is(struct str path, const struct json_leaf *leaf) {
    struct str rest = path;
    for (size_t i = 0; i < leaf->path_n; i++) {
        const struct json_step *step = &leaf->path[i];
        char index[24];
        struct buf b;
        struct str want = step->name;
        if (!want.ptr) {
            buf_init(&b, index, sizeof index);
            buf_fmt(&b, "[%zu]", step->index);
            want = (struct str){b.ptr, b.len};
        } else if (i) {
            if (!rest.len || rest.ptr[0] != '.') return false;
            rest = str_from(rest, 1);
        }
        if (!str_starts(rest, want)) return false;
        rest = str_from(rest, want.len);
        if (rest.len && rest.ptr[0] != '.' && rest.ptr[0] != '[') return false; /* only the beginning of a name */
    }
    return !rest.len;
}

double home_ops(const uint8_t *ops, size_t n, double v) {
    for (size_t i = 0; i < n; i++) {
        if (ops[i] == OP_INT) v = trunc(v);
        if (ops[i] < OP_ROUND) continue;
        double scale = f64_powers[ops[i] - OP_ROUND];
        v = fabs(v) < 1e15 / scale ? round(v * scale) / scale : v;
    }
    return v;
}

/* ---- units ---- */

bool home_unit(struct arena *a, struct str told, struct str *ret) {
    static const struct {
        const char *told, *ucum;
    } all[] = {{"°C", "Cel"},      {"°F", "[degF]"},      {"°", "deg"},       {"µg/m³", "ug/m3"}, {"μg/m³", "ug/m3"},
               {"mg/m³", "mg/m3"}, {"m³", "m3"},          {"m³/h", "m3/h"},   {"ft³", "[cft_i]"}, {"W/m²", "W/m2"},
               {"mmHg", "mm[Hg]"}, {"inHg", "[in_i'Hg]"}, {"dBA", "dB(A)"},   {"dBm", "dB[mW]"},  {"bpm", "/min"},
               {"psi", "[psi]"},   {"mbar", "mbar"},      {"μS/cm", "uS/cm"}, {"µS/cm", "uS/cm"}, {"gal", "[gal_us]"}};
    *ret = S("");
    for (size_t i = 0; i < COUNT(all); i++)
        if (str_is(told, all[i].told)) {
            *ret = str_of(all[i].ucum);
            return true;
        }
    if (told.len > 24) return true;
    for (size_t i = 0; i < told.len; i++)
        if ((unsigned char)told.ptr[i] <= ' ' || (unsigned char)told.ptr[i] > '~') return true;
    return !told.len || arena_str(a, told, ret);
}
