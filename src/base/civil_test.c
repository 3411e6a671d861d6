/* Tests of civil time: days, the zones of the world against libc's reading of the same data, jumps, text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONES    "/usr/share/zoneinfo/"
#define TZIF_MAX 16384
#define DAY_MS   INT64_C(86400000)

static struct bytes tzif_of(struct t *t, const char *name) {
    char path[256];
    uint8_t *bytes = arena_alloc(&t->arena, TZIF_MAX, 1, 1);
    snprintf(path, sizeof path, ZONES "%s", name);
    FILE *in = fopen(path, "rb");
    size_t n = in && bytes ? fread(bytes, 1, TZIF_MAX, in) : 0;
    if (in) fclose(in);
    CHECK_SAY(t, n > 44 && n < TZIF_MAX, "%s: %zu bytes", path, n);
    return (struct bytes){bytes, n};
}

static struct zone *zone_named(struct t *t, const char *name) {
    struct zone *z = NULL;
    CHECK_SAY(t, !zone_parse(tzif_of(t, name), &z, &t->fault), "%s", name);
    return z;
}

static int64_t ms_of(struct t *t, const char *text) {
    int64_t ms = 0;
    CHECK_SAY(t, civil_read_time(str_of(text), &ms), "%s", text);
    return ms;
}

static const char *text_of(struct t *t, const struct zone *z, int64_t ms) {
    char *mem = arena_alloc(&t->arena, 48, 1, 1);
    struct buf b;
    buf_init(&b, mem, 48);
    civil_put_time(&b, z, ms);
    return mem;
}

/* ---- days ---- */

static void days_and_dates_agree_over_four_centuries(struct t *t) {
    int64_t day = civil_day(1800, 1, 1);
    for (int32_t y = 1800; y < 2210; y++)
        for (int32_t m = 1; m <= 12; m++)
            for (int32_t d = 1; d <= civil_month_days(y, m); d++, day++) {
                int32_t ry, rm, rd;
                civil_from_day(day, &ry, &rm, &rd);
                CHECK_SAY(t, civil_day(y, m, d) == day && ry == y && rm == m && rd == d, "%d-%d-%d", y, m, d);
            }
    CHECK(t, civil_day(1970, 1, 1) == 0 && civil_day(2000, 3, 1) == 11017 && civil_day(1969, 12, 31) == -1);
}

static void months_end_where_the_calendar_says(struct t *t) {
    static const struct {
        int32_t year, month, day;
        bool ok;
    } rows[] = {
        {2024, 2, 29, true},  {2023, 2, 29, false}, {2000, 2, 29, true}, {1900, 2, 29, false}, {2100, 2, 29, false},
        {2026, 4, 30, true},  {2026, 4, 31, false}, {2026, 1, 0, false}, {2026, 0, 1, false},  {2026, 13, 1, false},
        {9999, 12, 31, true}, {10000, 1, 1, false}, {1, 1, 1, true},     {0, 1, 1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SAY(t, civil_is_date(rows[i].year, rows[i].month, rows[i].day) == rows[i].ok, "row %zu", i);
    CHECK(t, civil_month_days(2026, 0) == 0 && civil_month_days(2026, 13) == 0);
}

static void weeks_begin_on_monday(struct t *t) {
    static const struct {
        int32_t year, month, day, weekday;
    } rows[] = {{1970, 1, 1, 4},   {1969, 12, 31, 3}, {2026, 11, 24, 2},
                {2026, 11, 22, 7}, {2026, 11, 23, 1}, {1900, 1, 1, 1}};
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SAY(t, civil_weekday(civil_day(rows[i].year, rows[i].month, rows[i].day)) == rows[i].weekday, "row %zu",
                  i);
}

/* ---- zones ---- */

/* Reads the name of the next zone in zone1970.tab: code TAB coordinates TAB name [TAB comment]. */
static bool next_zone(FILE *tab, char *name, size_t size) {
    char line[512];
    while (fgets(line, sizeof line, tab)) {
        struct str rest = str_of(line), part;
        if (line[0] == '#' || !str_cut(&rest, '\t', &part) || !str_cut(&rest, '\t', &part)) continue;
        if (!str_cut(&rest, '\t', &part)) continue;
        part = str_trim(part);
        if (part.len >= size) continue;
        memcpy(name, part.ptr, part.len);
        name[part.len] = 0;
        return true;
    }
    return false;
}

static void every_zone_of_the_world_agrees_with_libc(struct t *t) {
    FILE *tab = fopen(ZONES "zone1970.tab", "r");
    char name[64];
    int zones = 0;
    CHECK(t, tab);
    if (!tab) return;
    for (; next_zone(tab, name, sizeof name); zones++) {
        struct zone *z = zone_named(t, name);
        setenv("TZ", name, 1);
        tzset();
        for (int i = 0; i < 400; i++) {
            long s = (long)(test_random(t) % (UINT64_C(180) * 366 * 86400)); /* 1970 to 2150 */
            struct tm tm;
            localtime_r(&s, &tm);
            struct civil c = zone_civil(z, s * INT64_C(1000) + 7);
            bool same = zone_offset_s(z, s * INT64_C(1000)) == tm.tm_gmtoff && c.year == tm.tm_year + 1900 &&
                        c.month == tm.tm_mon + 1 && c.day == tm.tm_mday && c.hour == tm.tm_hour &&
                        c.minute == tm.tm_min && c.second == tm.tm_sec && c.ms == 7;
            CHECK_SAY(t, same, "%s at %ld", name, s);
            /* Back again: the same instant, or the first one that the same clock shows. */
            int64_t back = zone_utc_ms(z, c), ms = s * INT64_C(1000) + 7;
            struct civil again = zone_civil(z, back);
            CHECK_SAY(t, back <= ms && ms - back <= DAY_MS && !memcmp(&again, &c, sizeof c), "%s at %ld", name, s);
        }
        zone_free(z);
        arena_reset(&t->arena);
    }
    fclose(tab);
    CHECK_SAY(t, zones > 250, "%d zones", zones);
}

static void skipped_and_doubled_times_have_one_meaning(struct t *t) {
    static const struct {
        const char *zone;
        struct civil local;
        const char *utc, *why;
    } rows[] = {
        {"Europe/Berlin", {2026, 3, 29, 1, 59, 59, 999}, "2026-03-29T00:59:59.999Z", "last before the gap"},
        {"Europe/Berlin", {2026, 3, 29, 2, 0, 0, 0}, "2026-03-29T01:00:00Z", "first skipped: the jump's end"},
        {"Europe/Berlin", {2026, 3, 29, 2, 30, 0, 5}, "2026-03-29T01:00:00Z", "inside the gap"},
        {"Europe/Berlin", {2026, 3, 29, 3, 0, 0, 0}, "2026-03-29T01:00:00Z", "first after the gap"},
        {"Europe/Berlin", {2026, 10, 25, 1, 59, 59, 0}, "2026-10-24T23:59:59Z", "last that is there once"},
        {"Europe/Berlin", {2026, 10, 25, 2, 0, 0, 0}, "2026-10-25T00:00:00Z", "doubled: the first"},
        {"Europe/Berlin", {2026, 10, 25, 2, 59, 59, 0}, "2026-10-25T00:59:59Z", "doubled: the first"},
        {"Europe/Berlin", {2026, 10, 25, 3, 0, 0, 0}, "2026-10-25T02:00:00Z", "once again"},
        {"Europe/Berlin", {2080, 3, 31, 2, 30, 0, 0}, "2080-03-31T01:00:00Z", "by the footer's rule"},
        {"Asia/Shanghai", {2026, 3, 29, 2, 30, 0, 0}, "2026-03-28T18:30:00Z", "no jumps today"},
        {"Asia/Shanghai", {1986, 5, 4, 2, 30, 0, 0}, "1986-05-03T18:00:00Z", "but in 1986"},
        {"Australia/Lord_Howe", {2026, 10, 4, 2, 15, 0, 0}, "2026-10-03T15:30:00Z", "a gap of half an hour"},
        {"Pacific/Apia", {2011, 12, 30, 12, 0, 0, 0}, "2011-12-30T10:00:00Z", "a whole day was skipped"},
        {"Europe/Dublin", {2026, 1, 15, 12, 0, 0, 0}, "2026-01-15T12:00:00Z", "daylight time that is behind"},
        {"Europe/Dublin", {2060, 7, 15, 12, 0, 0, 0}, "2060-07-15T11:00:00Z", "the same by the footer"},
        {"America/Santiago", {2060, 1, 15, 12, 0, 0, 0}, "2060-01-15T15:00:00Z", "the south: summer over new year"},
        {"Asia/Kolkata", {2026, 1, 1, 0, 0, 0, 0}, "2025-12-31T18:30:00Z", "half an hour"},
        {NULL, {2026, 1, 1, 0, 0, 0, 1}, "2026-01-01T00:00:00.001Z", "no zone is UTC"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *z = rows[i].zone ? zone_named(t, rows[i].zone) : NULL;
        int64_t ms = zone_utc_ms(z, rows[i].local);
        CHECK_SAY(t, ms == ms_of(t, rows[i].utc), "%s: %s, not %s", rows[i].why, text_of(t, NULL, ms), rows[i].utc);
        zone_free(z);
    }
}

static void days_and_months_begin_at_local_midnight(struct t *t) {
    static const struct {
        const char *zone, *at, *day, *month;
    } rows[] = {
        {"Asia/Shanghai", "2026-11-24T15:59:59.999Z", "2026-11-23T16:00:00Z", "2026-10-31T16:00:00Z"},
        {"Asia/Shanghai", "2026-11-24T16:00:00Z", "2026-11-24T16:00:00Z", "2026-10-31T16:00:00Z"},
        {"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-02-28T23:00:00Z"},
        {"Europe/Berlin", "2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z"},
        {"Europe/Berlin", "1969-12-31T12:00:00Z", "1969-12-30T23:00:00Z", "1969-11-30T23:00:00Z"},
        /* Santiago skips midnight itself: the day begins at one. */
        {"America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-01T04:00:00Z"},
        {NULL, "2026-11-24T10:00:00Z", "2026-11-24T00:00:00Z", "2026-11-01T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *z = rows[i].zone ? zone_named(t, rows[i].zone) : NULL;
        int64_t at = ms_of(t, rows[i].at), day = zone_day_start_ms(z, at), month = zone_month_start_ms(z, at);
        CHECK_SAY(t, day == ms_of(t, rows[i].day), "row %zu: %s", i, text_of(t, z, day));
        CHECK_SAY(t, month == ms_of(t, rows[i].month), "row %zu: %s", i, text_of(t, z, month));
        zone_free(z);
    }
}

static void adding_days_and_months_keeps_the_wall_clock(struct t *t) {
    static const struct {
        const char *zone, *at;
        int64_t days, months;
        const char *then;
    } rows[] = {
        {"Europe/Berlin", "2026-03-28T12:00:00+01:00", 1, 0, "2026-03-29T12:00:00+02:00"}, /* 23 hours */
        {"Europe/Berlin", "2026-10-24T12:00:00+02:00", 1, 0, "2026-10-25T12:00:00+01:00"}, /* 25 hours */
        {"Europe/Berlin", "2026-03-28T02:30:00+01:00", 1, 0, "2026-03-29T03:00:00+02:00"}, /* into the gap */
        {"Asia/Shanghai", "2026-01-01T00:00:00+08:00", -1, 0, "2025-12-31T00:00:00+08:00"},
        {"Asia/Shanghai", "2024-02-28T08:00:00.250+08:00", 2, 0, "2024-03-01T08:00:00.250+08:00"},
        {"Asia/Shanghai", "2026-01-31T09:00:00+08:00", 0, 1, "2026-02-28T09:00:00+08:00"},
        {"Asia/Shanghai", "2024-01-31T09:00:00+08:00", 0, 1, "2024-02-29T09:00:00+08:00"},
        {"Asia/Shanghai", "2026-03-31T09:00:00+08:00", 0, -1, "2026-02-28T09:00:00+08:00"},
        {"Asia/Shanghai", "2026-12-15T09:00:00+08:00", 0, 1, "2027-01-15T09:00:00+08:00"},
        {"Asia/Shanghai", "2026-01-15T09:00:00+08:00", 0, -1, "2025-12-15T09:00:00+08:00"},
        {"Asia/Shanghai", "2024-02-29T09:00:00+08:00", 0, 12, "2025-02-28T09:00:00+08:00"},
        {"Asia/Shanghai", "2026-05-31T00:30:00+08:00", 0, -25, "2024-04-30T00:30:00+08:00"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *z = zone_named(t, rows[i].zone);
        int64_t at = ms_of(t, rows[i].at);
        int64_t then =
            rows[i].months ? zone_add_months_ms(z, at, rows[i].months) : zone_add_days_ms(z, at, rows[i].days);
        CHECK_SAY(t, then == ms_of(t, rows[i].then), "row %zu: %s, not %s", i, text_of(t, z, then), rows[i].then);
        zone_free(z);
    }
}

static void zone_data_is_refused_when_cut_or_of_version_1(struct t *t) {
    struct bytes whole = tzif_of(t, "Europe/Berlin");
    for (size_t n = 0; n < whole.len; n++) {
        struct zone *z = NULL;
        struct fault f = {0};
        uint8_t *cut = malloc(n + 1); /* memory of its own size, so that reading past it is seen */
        if (!cut) return;
        memcpy(cut, whole.ptr, n);
        CHECK_SAY(t, zone_parse((struct bytes){cut, n}, &z, &f) == ERR_INVALID && !z, "%zu bytes", n);
        CHECK(t, !strcmp(f.code, "bad_zone"));
        free(cut);
    }
    uint8_t *old = arena_alloc(&t->arena, whole.len, 1, 1);
    struct zone *z = NULL;
    memcpy(old, whole.ptr, whole.len);
    old[4] = 0; /* version 1: 32-bit times, no footer */
    CHECK(t, zone_parse((struct bytes){old, whole.len}, &z, NULL) == ERR_INVALID && !z);
    zone_free(NULL);
}

static void damaged_zone_data_never_does_harm(struct t *t) {
    struct bytes whole = tzif_of(t, "Europe/Dublin");
    uint8_t *bytes = arena_alloc(&t->arena, whole.len, 1, 1);
    for (int i = 0; i < 20000; i++) {
        struct zone *z = NULL;
        memcpy(bytes, whole.ptr, whole.len);
        for (int flips = 0; flips < 4; flips++) bytes[test_random(t) % whole.len] = (uint8_t)test_random(t);
        if (zone_parse((struct bytes){bytes, whole.len}, &z, NULL)) continue;
        int64_t at = INT64_C(1790000000000) + (int64_t)(test_random(t) % 100) * 31 * DAY_MS;
        struct civil c = zone_civil(z, at);
        (void)zone_utc_ms(z, c);
        CHECK(t, c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
        zone_free(z);
    }
}

/* ---- text ---- */

static void rfc_3339_is_read_exactly_or_refused(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"1970-01-01t00:00:00z", true, 0},
        {"1969-12-31T23:59:59.999Z", true, -1},
        {"2026-11-24T10:42:00.000+08:00", true, INT64_C(1795488120000)},
        {"2026-11-24T02:42:00Z", true, INT64_C(1795488120000)},
        {"2026-11-23T21:12:00-05:30", true, INT64_C(1795488120000)},
        {"2026-11-24T02:42:00-00:00", true, INT64_C(1795488120000)},
        {"1970-01-01T00:00:00.1Z", true, 100},
        {"1970-01-01T00:00:00.0019Z", true, 1}, /* finer than ms is cut */
        {"1970-01-01T00:00:00.123456789Z", true, 123},
        {"1970-01-01T00:00:00.1234567891Z", false, 0},
        {"1970-01-01T00:00:00.Z", false, 0},
        {"1970-01-01T00:00:00", false, 0}, /* whose time? */
        {"1970-01-01T00:00Z", false, 0},
        {"1970-01-01 00:00:00Z", false, 0},
        {"1970-01-01", false, 0},
        {"1970-01-01T24:00:00Z", false, 0},
        {"1970-01-01T23:60:00Z", false, 0},
        {"1970-01-01T23:59:60Z", false, 0}, /* UTC milliseconds have no leap seconds */
        {"1970-02-30T00:00:00Z", false, 0},
        {"0000-01-01T00:00:00Z", false, 0},
        {"1970-01-01T00:00:00+24:00", false, 0},
        {"1970-01-01T00:00:00+08:60", false, 0},
        {"1970-01-01T00:00:00+0800", false, 0},
        {"1970-01-01T00:00:00+08", false, 0},
        {"1970-01-01T00:00:00Zx", false, 0},
        {"1970-01-01T00:00:00 Z", false, 0},
        {"1970-1-01T00:00:000Z", false, 0},
        {"+970-01-01T00:00:00Z", false, 0},
        {"1970-01-01T-1:00:00Z", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 42;
        bool ok = civil_read_time(str_of(rows[i].text), &ms);
        CHECK_SAY(t, ok == rows[i].ok && ms == (ok ? rows[i].ms : 42), "%s: %lld", rows[i].text, (long long)ms);
    }
}

static void dates_are_read_exactly_or_refused(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
        int64_t day;
    } rows[] = {
        {"1970-01-01", true, 0},       {"1970-01-02", true, 1},  {"2024-02-29", true, 19782}, {"2023-02-29", false, 0},
        {"2026-13-01", false, 0},      {"2026-00-10", false, 0}, {"2026-1-1", false, 0},      {"20260101", false, 0},
        {"2026-01-01T", false, 0},     {"2026/01/01", false, 0}, {" 2026-01-01", false, 0},   {"", false, 0},
        {"0001-01-01", true, -719162}, {"0000-12-31", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t day = 42;
        bool ok = civil_read_date(str_of(rows[i].text), &day);
        CHECK_SAY(t, ok == rows[i].ok && day == (ok ? rows[i].day : 42), "%s", rows[i].text);
    }
}

static void what_is_written_reads_back(struct t *t) {
    struct zone *zones[] = {NULL, zone_named(t, "Asia/Shanghai"), zone_named(t, "America/New_York"),
                            zone_named(t, "Etc/UTC")};
    CHECK(t, !strcmp(text_of(t, zones[1], INT64_C(1795488120000)), "2026-11-24T10:42:00.000+08:00"));
    CHECK(t, !strcmp(text_of(t, zones[0], INT64_C(1795488120001)), "2026-11-24T02:42:00.001Z"));
    CHECK(t, !strcmp(text_of(t, zones[3], 0), "1970-01-01T00:00:00.000+00:00"));
    for (int i = 0; i < 2000; i++) {
        int64_t ms = (int64_t)(test_random(t) % (UINT64_C(300) * 366 * 86400000)) - INT64_C(100) * 366 * 86400000, back;
        for (size_t z = 0; z < COUNT(zones); z++) {
            const char *text = text_of(t, zones[z], ms);
            /* Local mean time before 1900 has seconds in its offset; RFC 3339 cannot say those. */
            bool whole = zone_offset_s(zones[z], ms) % 60 == 0;
            CHECK_SAY(t, civil_read_time(str_of(text), &back) && (back == ms || !whole), "%s", text);
        }
        char mem[16];
        struct buf b;
        struct str s;
        buf_init(&b, mem, sizeof mem);
        civil_put_date(&b, ms / DAY_MS);
        CHECK_SAY(t, buf_done(&b, &s) && civil_read_date(s, &back) && back == ms / DAY_MS, "%s", mem);
    }
    for (size_t z = 0; z < COUNT(zones); z++) zone_free(zones[z]);
}

TESTS(CASE(days_and_dates_agree_over_four_centuries), CASE(months_end_where_the_calendar_says),
      CASE(weeks_begin_on_monday), CASE(every_zone_of_the_world_agrees_with_libc),
      CASE(skipped_and_doubled_times_have_one_meaning), CASE(days_and_months_begin_at_local_midnight),
      CASE(adding_days_and_months_keeps_the_wall_clock), CASE(zone_data_is_refused_when_cut_or_of_version_1),
      CASE(damaged_zone_data_never_does_harm), CASE(rfc_3339_is_read_exactly_or_refused),
      CASE(dates_are_read_exactly_or_refused), CASE(what_is_written_reads_back))
