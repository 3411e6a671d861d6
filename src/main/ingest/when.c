/* Reading of times.  SPDX-License-Identifier: Apache-2.0 */
#include "main/ingest/when.h"

#include <string.h>

#define DAY_S     INT64_C(86400)
#define QUARTER_S 900
#define NS_PER_MS INT64_C(1000000)
#define KEPT_FROM 1980 /* before, zones changed at odd minutes */

struct cursor {
    const char *at, *end;
};
/* What was read of a time. */
struct read {
    struct civil c;
    bool has_offset, is_pm, is_twelve;
    int32_t offset_s;
};

static bool take(struct cursor *c, char which) {
    if (c->at == c->end || *c->at != which) return false;
    c->at++;
    return true;
}

static bool number(struct cursor *c, int most, int least, int32_t *ret) {
    int32_t v = 0;
    int n = 0;
    for (; n < most && c->at < c->end && *c->at >= '0' && *c->at <= '9'; n++) v = v * 10 + (*c->at++ - '0');
    *ret = v;
    return n >= least;
}

static bool fraction(struct cursor *c, int32_t *ret_ms) {
    int32_t scale = 100, ms = 0;
    const char *from = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10) ms += (*c->at - '0') * scale;
    *ret_ms = ms;
    return c->at > from;
}

static bool offset(struct cursor *c, int32_t *ret_s) {
    int32_t h, m = 0;
    if (take(c, 'Z') || take(c, 'z')) {
        *ret_s = 0;
        return true;
    }
    bool is_west = c->at < c->end && *c->at == '-';
    if (!take(c, '+') && !take(c, '-')) return false;
    if (!number(c, 2, 2, &h) || (take(c, ':') && c->at == c->end)) return false;
    if (c->at < c->end && !number(c, 2, 2, &m)) return false;
    *ret_s = (h * 3600 + m * 60) * (is_west ? -1 : 1);
    return h <= 15 && m <= 59;
}

bool when_offset(struct str text, int32_t *ret_s) {
    struct cursor c = {text.ptr, text.ptr + text.len};
    return offset(&c, ret_s) && c.at == c.end;
}

bool when_shift(struct str text, int64_t *ret_ms) {
    static const struct {
        char unit;
        int64_t ms;
    } rows[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    int64_t n;
    if (text.len < 2 || !str_to_i64((struct str){text.ptr, text.len - 1}, &n) || n < -4000000 || n > 4000000)
        return false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (text.ptr[text.len - 1] != rows[i].unit) continue;
        *ret_ms = n * rows[i].ms;
        return true;
    }
    return false;
}

/* ---- civil, year first ---- */

static bool compact(struct cursor *c, struct read *r) { /* 20261124 or 20261124104200 */
    size_t n = (size_t)(c->end - c->at);
    if (n != 8 && n != 14) return false;
    if (!number(c, 4, 4, &r->c.year) || !number(c, 2, 2, &r->c.month) || !number(c, 2, 2, &r->c.day)) return false;
    if (n == 8) return true;
    return number(c, 2, 2, &r->c.hour) && number(c, 2, 2, &r->c.minute) && number(c, 2, 2, &r->c.second);
}

static bool clock_of(struct cursor *c, struct read *r) {
    if (!number(c, 2, 1, &r->c.hour)) return false;
    if (c->at == c->end) return true; /* the hour alone, as in a column of its own */
    if (!take(c, ':') || !number(c, 2, 2, &r->c.minute)) return false;
    if (take(c, ':')) {
        if (!number(c, 2, 2, &r->c.second)) return false;
        if ((take(c, '.') || take(c, ',')) && !fraction(c, &r->c.ms)) return false;
    }
    while (take(c, ' ')) continue;
    r->has_offset = c->at < c->end;
    return !r->has_offset || offset(c, &r->offset_s);
}

static bool civil(struct cursor *c, struct read *r) {
    struct cursor whole = *c;
    if (compact(&whole, r)) {
        *c = whole;
        return true;
    }
    *r = (struct read){0};
    if (!number(c, 4, 4, &r->c.year) || c->at == c->end) return false;
    char mark = *c->at++;
    if ((mark != '-' && mark != '/' && mark != '.') || !number(c, 2, 1, &r->c.month) || !take(c, mark)) return false;
    if (!number(c, 2, 1, &r->c.day)) return false;
    if (c->at == c->end) return true;
    if (!take(c, 'T') && !take(c, 't') && !take(c, ' ')) return false;
    while (take(c, ' ')) continue;
    return clock_of(c, r);
}

/* ---- patterns ---- */

static bool month_name(struct cursor *c, int32_t *ret) {
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (c->end - c->at < 3) return false;
    for (int32_t i = 0; i < 12; i++) {
        bool same = true;
        for (int k = 0; k < 3; k++) same &= (c->at[k] | 0x20) == names[i * 3 + k];
        if (!same) continue;
        *ret = i + 1;
        c->at += 3;
        return true;
    }
    return false;
}

static bool half_day(struct cursor *c, struct read *r) {
    if (c->end - c->at < 2 || (c->at[1] | 0x20) != 'm') return false;
    char half = (char)(c->at[0] | 0x20);
    c->at += 2;
    r->is_pm = half == 'p';
    return half == 'a' || half == 'p';
}

static bool pattern(struct cursor *c, const char *p, struct read *r);

static bool directive(struct cursor *c, char which, struct read *r) {
    switch (which) {
    case 'Y': return number(c, 4, 4, &r->c.year);
    case 'y':
        if (!number(c, 2, 2, &r->c.year)) return false;
        r->c.year += r->c.year < 69 ? 2000 : 1900; /* as POSIX has it */
        return true;
    case 'm': return number(c, 2, 1, &r->c.month);
    case 'd': return number(c, 2, 1, &r->c.day);
    case 'b': return month_name(c, &r->c.month);
    case 'H': return number(c, 2, 1, &r->c.hour);
    case 'I': r->is_twelve = true; return number(c, 2, 1, &r->c.hour) && r->c.hour >= 1 && r->c.hour <= 12;
    case 'p': return half_day(c, r);
    case 'M': return number(c, 2, 1, &r->c.minute);
    case 'S': return number(c, 2, 1, &r->c.second);
    case 'f': return fraction(c, &r->c.ms);
    case 'z': r->has_offset = true; return offset(c, &r->offset_s);
    case 'F': return pattern(c, "%Y-%m-%d", r);
    case 'T': return pattern(c, "%H:%M:%S", r);
    case '%': return take(c, '%');
    default: return false;
    }
}

static bool pattern(struct cursor *c, const char *p, struct read *r) {
    for (; *p; p++) {
        if (*p == ' ') {
            while (take(c, ' ')) continue;
        } else if (*p == '%' && p[1]) {
            if (!directive(c, *++p, r)) return false;
        } else if (!take(c, *p)) {
            return false;
        }
    }
    return true;
}

static bool is_pattern(const char *p) {
    bool has_date = false;
    for (; *p; p++) {
        if (*p != '%') continue;
        if (!*++p || !strchr("YmdHIpMSfbyzFT%", *p)) return false;
        has_date |= *p == 'd' || *p == 'F';
    }
    return has_date;
}

/* ---- local to UTC ---- */

static bool offsets(struct when *w, const struct civil *c, int64_t local_s) {
    int64_t quarter = local_s / QUARTER_S;
    if (w->is_kept && quarter == w->quarter) return true;
    struct civil whole = *c;
    whole.ms = 0;
    int64_t first_s = zone_utc_ms(w->zone, whole) / 1000;
    w->kept_first_s = local_s - first_s;
    if (zone_offset_s(w->zone, first_s * 1000) != w->kept_first_s) {
        w->is_kept = false;
        return false;
    }
    int64_t after = zone_offset_s(w->zone, (first_s + DAY_S) * 1000), second_s = local_s - after;
    w->kept_second_s = zone_offset_s(w->zone, second_s * 1000) == after ? after : w->kept_first_s;
    w->quarter = quarter;
    w->is_kept = c->year >= KEPT_FROM;
    return true;
}

static const char *to_utc(struct when *w, const struct read *r, int64_t *ret) {
    struct civil c = r->c;
    bool is_midnight = c.hour == 24 && !c.minute && !c.second && !c.ms; /* the end of the day, as meters say it */
    if (!civil_is_date(c.year, c.month, c.day)) return "there is no such day";
    if ((c.hour > 23 && !is_midnight) || c.minute > 59 || c.second > 59) return "there is no such time of day";
    if (is_midnight) {
        c.hour = 0;
        civil_from_day(civil_day(c.year, c.month, c.day) + 1, &c.year, &c.month, &c.day);
    }
    int64_t local_s = civil_day(c.year, c.month, c.day) * DAY_S + c.hour * INT64_C(3600) + c.minute * 60 + c.second;
    int64_t off = r->has_offset ? r->offset_s : w->offset_s;
    if (!r->has_offset && w->zone) {
        if (!offsets(w, &c, local_s))
            return "the clocks of the zone left this time out; --zone +08:00 is one that never changes";
        int64_t first_ms = (local_s - w->kept_first_s) * 1000 + c.ms;
        bool is_double = w->kept_first_s != w->kept_second_s;
        bool is_second = w->last_ms > first_ms || (w->is_single && w->last_ms == first_ms);
        w->doubled += is_double;
        off = is_double && is_second ? w->kept_second_s : w->kept_first_s;
    }
    *ret = (local_s - off) * 1000 + c.ms;
    return NULL;
}

/* ---- numbers ---- */

static const char *ticks(const struct when *w, struct str text, int64_t *ret) {
    struct str rest = text, whole;
    int64_t n;
    int32_t ms = 0;
    (void)str_cut(&rest, '.', &whole);
    if (!str_to_i64(whole, &n)) return "the time is no number";
    if (rest.ptr) {
        struct cursor c = {rest.ptr, rest.ptr + rest.len};
        if (rest.len && (!fraction(&c, &ms) || c.at != c.end)) return "the time is no number";
        if (w->tick_ns != 1000 * NS_PER_MS || whole.ptr[0] == '-') ms = 0;
    }
    if (w->tick_ns <= NS_PER_MS) {
        int64_t per_ms = NS_PER_MS / w->tick_ns;
        *ret = n / per_ms - (n % per_ms < 0);
        return NULL;
    }
    if (n > INT64_MAX / 2000 || n < INT64_MIN / 2000) return "the time is out of range";
    *ret = n * 1000 + ms;
    return NULL;
}

/* ---- the door ---- */

static const struct {
    const char *word;
    int64_t tick_ns;
} numbers[] = {{"s", 1000 * NS_PER_MS}, {"ms", NS_PER_MS}, {"us", 1000}, {"ns", 1}};

bool when_format(struct when *w, struct str format) {
    if (str_is(format, "iso")) {
        w->kind = WHEN_CIVIL;
        return true;
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (!str_is(format, numbers[i].word)) continue;
        w->kind = WHEN_NUMBER;
        w->tick_ns = numbers[i].tick_ns;
        return true;
    }
    if (format.len >= sizeof w->pattern) return false;
    memcpy(w->pattern, format.ptr, format.len);
    w->pattern[format.len] = 0;
    w->kind = WHEN_PATTERN;
    return is_pattern(w->pattern);
}

bool when_guess(struct when *w, struct str text) {
    static const size_t digits_of[] = {10, 13, 16, 19}; /* of a time in this age */
    struct when try = *w;
    struct str rest = text, whole;
    int64_t ignored;
    (void)str_cut(&rest, '.', &whole);
    if (str_to_i64(whole, &ignored) && whole.ptr[0] != '-' && whole.ptr[0] != '+') {
        for (size_t i = 0; i < COUNT(digits_of); i++) {
            if (whole.len != digits_of[i] || (rest.ptr && i)) continue;
            w->kind = WHEN_NUMBER;
            w->tick_ns = numbers[i].tick_ns;
            return true;
        }
    }
    try.kind = WHEN_CIVIL;
    if (when_read(&try, text, &ignored)) return false;
    w->kind = WHEN_CIVIL;
    return true;
}

const char *when_read(struct when *w, struct str text, int64_t *ret_ms) {
    struct cursor c = {text.ptr, text.ptr + text.len};
    struct read r = {0};
    int64_t ms = 0;
    const char *rule = NULL;
    if (!text.len) return "the time is missing";
    if (w->kind == WHEN_NUMBER) {
        rule = ticks(w, text, &ms);
    } else {
        bool ok = w->kind == WHEN_CIVIL ? civil(&c, &r) : pattern(&c, w->pattern, &r);
        if (!ok || c.at != c.end) return "the time is not written as --format says";
        if (r.is_twelve) r.c.hour = r.c.hour % 12 + (r.is_pm ? 12 : 0);
        rule = to_utc(w, &r, &ms);
    }
    if (rule) return rule;
    w->last_ms = ms;
    *ret_ms = ms + w->shift_ms;
    return NULL;
}
