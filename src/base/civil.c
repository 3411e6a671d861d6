/* Civil time over zone data handed in.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S           INT64_C(86400)
#define TRANSITIONS_MAX 4096

/* ---- days: Hinnant, "chrono-compatible low-level date algorithms" ---- */

int64_t civil_day(int32_t year, int32_t month, int32_t day) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void civil_from_day(int64_t day, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day) {
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_day = (int32_t)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (int32_t)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (int32_t)(yoe + era * 400 + (*ret_month <= 2));
}

static bool is_leap(int32_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t civil_month_days(int32_t year, int32_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return 0;
    return days[month - 1] + (month == 2 && is_leap(year));
}

bool civil_is_date(int32_t year, int32_t month, int32_t day) {
    return year >= 1 && year <= 9999 && day >= 1 && day <= civil_month_days(year, month);
}

int32_t civil_weekday(int64_t day) {
    int64_t w = (day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int32_t)(w < 0 ? w + 8 : w + 1);
}

/* ---- zones: TZif (RFC 8536) and its POSIX footer ---- */

struct rule { /* one end of daylight time: Mm.w.d, Jn or n, at a local second of the day */
    char kind;
    int month, week, day;
    int64_t at_s;
};
struct zone {
    int64_t *at_s;     /* transitions, UTC seconds, rising */
    int32_t *offset_s; /* in force from at_s[i] */
    size_t n;
    int32_t first_s; /* before the first transition */
    bool has_footer, has_dst;
    int32_t std_s, dst_s;
    struct rule start, end;
};

void zone_free(struct zone *z) {
    if (!z) return;
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

static int64_t be(const uint8_t *p, int n) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | p[i];
    if (n == 4) return (int32_t)(uint32_t)v;
    return (int64_t)v;
}

struct header {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct bytes b, size_t at, struct header *ret) {
    if (b.len < at + 44 || memcmp(b.ptr + at, "TZif", 4)) return false;
    size_t v[6];
    for (int i = 0; i < 6; i++) {
        int64_t n = be(b.ptr + at + 20 + 4 * i, 4);
        if (n < 0 || n > TRANSITIONS_MAX) return false;
        v[i] = (size_t)n;
    }
    *ret = (struct header){v[0], v[1], v[2], v[3], v[4], v[5]};
    return ret->type > 0;
}

static size_t body_size(const struct header *h, size_t time_size) {
    return h->time * time_size + h->time + h->type * 6 + h->chars + h->leap * (time_size + 4) + h->isstd + h->isut;
}

static bool read_number(const char **p, int *ret) {
    int v = 0, digits = 0;
    for (; **p >= '0' && **p <= '9' && digits < 4; (*p)++, digits++) v = v * 10 + (**p - '0');
    *ret = v;
    return digits > 0;
}

static bool read_hms(const char **p, int64_t *ret_s) {
    int sign = 1, h, m = 0, s = 0;
    if (**p == '-' || **p == '+') sign = *(*p)++ == '-' ? -1 : 1;
    if (!read_number(p, &h)) return false;
    if (**p == ':' && ((*p)++, !read_number(p, &m))) return false;
    if (**p == ':' && ((*p)++, !read_number(p, &s))) return false;
    *ret_s = sign * (h * INT64_C(3600) + m * 60 + s);
    return true;
}

static bool skip_name(const char **p) {
    if (**p == '<') {
        const char *end = strchr(*p, '>');
        if (!end) return false;
        *p = end + 1;
        return true;
    }
    const char *from = *p;
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z')) (*p)++;
    return *p - from >= 3;
}

static bool read_rule(const char **p, struct rule *r) {
    r->kind = **p == 'M' || **p == 'J' ? *(*p)++ : 'n';
    if (!read_number(p, r->kind == 'M' ? &r->month : &r->day)) return false;
    if (r->kind == 'M') {
        if (*(*p)++ != '.' || !read_number(p, &r->week) || *(*p)++ != '.' || !read_number(p, &r->day)) return false;
        if (r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 || r->day > 6) return false;
    }
    r->at_s = 7200;
    return **p != '/' || ((*p)++, read_hms(p, &r->at_s));
}

static bool read_footer(struct zone *z, const char *p) {
    int64_t v;
    if (!*p) return true;
    if (!skip_name(&p) || !read_hms(&p, &v)) return false;
    z->std_s = (int32_t)-v;
    z->has_footer = true;
    if (!*p) return true;
    if (!skip_name(&p)) return false;
    z->dst_s = z->std_s + 3600;
    if (*p != ',') {
        if (!read_hms(&p, &v)) return false;
        z->dst_s = (int32_t)-v;
    }
    z->has_dst = *p == ',';
    return z->has_dst && (p++, read_rule(&p, &z->start)) && *p++ == ',' && read_rule(&p, &z->end) && !*p;
}

static bool read_body(struct zone *z, struct bytes b, size_t at, const struct header *h) {
    const uint8_t *times = b.ptr + at, *kinds = times + h->time * 8, *types = kinds + h->time;
    z->n = h->time;
    z->at_s = calloc(h->time + 1, sizeof *z->at_s);
    z->offset_s = calloc(h->time + 1, sizeof *z->offset_s);
    if (!z->at_s || !z->offset_s) return false;
    z->first_s = (int32_t)be(types, 4);
    for (size_t i = 0; i < h->time; i++) {
        if (kinds[i] >= h->type) return false;
        z->at_s[i] = be(times + 8 * i, 8);
        z->offset_s[i] = (int32_t)be(types + 6 * kinds[i], 4);
        if (i && z->at_s[i] <= z->at_s[i - 1]) return false;
    }
    const char *footer = (const char *)b.ptr + at + body_size(h, 8);
    size_t left = b.len - at - body_size(h, 8);
    char text[128];
    if (left < 2 || footer[0] != '\n') return false;
    const char *end = memchr(footer + 1, '\n', left - 1);
    if (!end || (size_t)(end - footer) > sizeof text) return false;
    memcpy(text, footer + 1, (size_t)(end - footer - 1));
    text[end - footer - 1] = 0;
    return read_footer(z, text);
}

enum err zone_parse(struct bytes tzif, struct zone **ret, struct fault *f) {
    struct header h;
    struct zone *z = NULL;
    size_t at = 44;
    bool ok = read_header(tzif, 0, &h) && tzif.ptr[4] >= '2';
    if (ok) at += body_size(&h, 4);
    ok = ok && read_header(tzif, at, &h) && tzif.len >= at + 44 + body_size(&h, 8) && (z = calloc(1, sizeof *z)) &&
         read_body(z, tzif, at + 44, &h);
    if (!ok) {
        zone_free(z);
        return FAIL(f, ERR_INVALID, "bad_zone", "the zone data is not TZif version 2 or later");
    }
    *ret = z;
    return OK;
}

static int64_t rule_second(const struct rule *r, int32_t year) { /* local seconds since 1970 */
    int64_t day;
    if (r->kind == 'M') {
        int64_t first = civil_day(year, r->month, 1);
        int64_t shift = (r->day - civil_weekday(first) % 7 + 7) % 7;
        day = first + shift + 7 * (r->week - 1);
        while (day >= first + civil_month_days(year, r->month)) day -= 7;
    } else {
        day = civil_day(year, 1, 1) + r->day - (r->kind == 'J');
        if (r->kind == 'J' && is_leap(year) && r->day >= 60) day++;
    }
    return day * DAY_S + r->at_s;
}

static int32_t offset_at(const struct zone *z, int64_t utc_s) {
    if (!z) return 0;
    if (z->has_footer && (!z->n || utc_s >= z->at_s[z->n - 1])) {
        if (!z->has_dst) return z->std_s;
        int32_t year, month, day;
        int64_t local_day = (utc_s + z->std_s) / DAY_S - ((utc_s + z->std_s) % DAY_S < 0);
        civil_from_day(local_day, &year, &month, &day);
        int64_t start = rule_second(&z->start, year) - z->std_s, end = rule_second(&z->end, year) - z->dst_s;
        bool dst = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
        return dst ? z->dst_s : z->std_s;
    }
    if (!z->n || utc_s < z->at_s[0]) return z->first_s;
    size_t low = 0, high = z->n;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (z->at_s[mid] <= utc_s)
            low = mid;
        else
            high = mid;
    }
    return z->offset_s[low];
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_ms) {
    return offset_at(z, floor_div(utc_ms, 1000));
}

struct civil zone_civil(const struct zone *z, int64_t utc_ms) {
    int64_t local_ms = utc_ms + zone_offset_s(z, utc_ms) * INT64_C(1000);
    int64_t day = floor_div(local_ms, DAY_S * 1000), ms = local_ms - day * DAY_S * 1000;
    struct civil c = {.hour = (int32_t)(ms / 3600000),
                      .minute = (int32_t)(ms / 60000 % 60),
                      .second = (int32_t)(ms / 1000 % 60),
                      .ms = (int32_t)(ms % 1000)};
    civil_from_day(day, &c.year, &c.month, &c.day);
    return c;
}

int64_t zone_utc_ms(const struct zone *z, struct civil c) {
    int64_t local_s = civil_day(c.year, c.month, c.day) * DAY_S + c.hour * INT64_C(3600) + c.minute * 60 + c.second;
    /* The offsets of a day before and after bracket any jump. */
    int32_t before = offset_at(z, local_s - DAY_S), after = offset_at(z, local_s + DAY_S);
    int64_t first = local_s - before, second = local_s - after;
    if (offset_at(z, first) == before) return first * 1000 + c.ms;
    if (offset_at(z, second) == after) return second * 1000 + c.ms;
    /* Skipped: the jump's end is the first second of the new offset. */
    int64_t low = second < first ? second : first, high = second < first ? first : second;
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (offset_at(z, mid) == before)
            low = mid;
        else
            high = mid;
    }
    return high * 1000;
}

int64_t zone_day_start_ms(const struct zone *z, int64_t utc_ms) {
    struct civil c = zone_civil(z, utc_ms);
    return zone_utc_ms(z, (struct civil){.year = c.year, .month = c.month, .day = c.day});
}

int64_t zone_month_start_ms(const struct zone *z, int64_t utc_ms) {
    struct civil c = zone_civil(z, utc_ms);
    return zone_utc_ms(z, (struct civil){.year = c.year, .month = c.month, .day = 1});
}

int64_t zone_add_days_ms(const struct zone *z, int64_t utc_ms, int64_t days) {
    struct civil c = zone_civil(z, utc_ms);
    civil_from_day(civil_day(c.year, c.month, c.day) + days, &c.year, &c.month, &c.day);
    return zone_utc_ms(z, c);
}

int64_t zone_add_months_ms(const struct zone *z, int64_t utc_ms, int64_t months) {
    struct civil c = zone_civil(z, utc_ms);
    int64_t index = c.year * INT64_C(12) + c.month - 1 + months;
    c.year = (int32_t)floor_div(index, 12);
    c.month = (int32_t)(index - c.year * INT64_C(12)) + 1;
    int32_t most = civil_month_days(c.year, c.month);
    if (c.day > most) c.day = most;
    return zone_utc_ms(z, c);
}

/* ---- text ---- */

static bool digits(struct str s, size_t at, size_t n, int32_t *ret) {
    int32_t v = 0;
    if (at + n > s.len) return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        v = v * 10 + (s.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

bool civil_read_date(struct str s, int64_t *ret_day) {
    int32_t y, m, d;
    if (s.len != 10 || s.ptr[4] != '-' || s.ptr[7] != '-') return false;
    if (!digits(s, 0, 4, &y) || !digits(s, 5, 2, &m) || !digits(s, 8, 2, &d) || !civil_is_date(y, m, d)) return false;
    *ret_day = civil_day(y, m, d);
    return true;
}

bool civil_read_time(struct str s, int64_t *ret_utc_ms) {
    int64_t day;
    int32_t h, m, sec, ms = 0, oh, om;
    if (s.len < 20 || (s.ptr[10] != 'T' && s.ptr[10] != 't') || s.ptr[13] != ':' || s.ptr[16] != ':') return false;
    if (!civil_read_date((struct str){s.ptr, 10}, &day)) return false;
    if (!digits(s, 11, 2, &h) || !digits(s, 14, 2, &m) || !digits(s, 17, 2, &sec) || h > 23 || m > 59 || sec > 59)
        return false;
    size_t at = 19;
    if (s.ptr[at] == '.') {
        int32_t scale = 100, digit;
        size_t from = ++at;
        for (; digits(s, at, 1, &digit); at++, scale /= 10) ms += digit * scale;
        if (at == from || at - from > 9) return false;
    }
    int64_t offset_s = 0;
    if (at + 1 == s.len && (s.ptr[at] == 'Z' || s.ptr[at] == 'z')) {
        at++;
    } else {
        if (at + 6 != s.len || (s.ptr[at] != '+' && s.ptr[at] != '-') || s.ptr[at + 3] != ':') return false;
        if (!digits(s, at + 1, 2, &oh) || !digits(s, at + 4, 2, &om) || oh > 23 || om > 59) return false;
        offset_s = (oh * 3600 + om * 60) * (s.ptr[at] == '-' ? -1 : 1);
    }
    *ret_utc_ms = (day * DAY_S + h * 3600 + m * 60 + sec - offset_s) * 1000 + ms;
    return true;
}

void civil_put_date(struct buf *b, int64_t day) {
    int32_t y, m, d;
    civil_from_day(day, &y, &m, &d);
    buf_fmt(b, "%04d-%02d-%02d", y, m, d);
}

void civil_put_time(struct buf *b, const struct zone *z, int64_t utc_ms) {
    struct civil c = zone_civil(z, utc_ms);
    int32_t offset = zone_offset_s(z, utc_ms), size = offset < 0 ? -offset : offset;
    buf_fmt(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03d", c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms);
    if (!z)
        buf_char(b, 'Z');
    else
        buf_fmt(b, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}
