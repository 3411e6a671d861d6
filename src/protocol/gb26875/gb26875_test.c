/* Vectors of GB/T 26875.3 frames as rows; splitting at every byte.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "tests/lib/test.h"

#include <string.h>

struct row {
    const char *name, *hex;
    uint8_t command;
    const char *code, *text; /* of the first event, or NULL */
    bool is_set;
    const char *metric;
    double value;
};
static const struct row rows[] = {
    {"F01 Smoke detector fire alarm (type 2)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 "
     "0A 00 02 00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 "
     "20 20 20 20 00 02 3A 09 1A 09 0C 46 23 23 ",
     2, "fire_alarm", "smoke_detector 1.1.40.131082", true, NULL, 0},
    {"F02 Centre confirms",
     "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AB 23 23 ", 3, NULL, NULL, false,
     NULL, 0},
    {"F03 Device mains-power fault (type 21)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 02 15 01 08 02 3A "
     "09 1A 09 0C 42 23 23 ",
     2, "mains_fault", "device", true, NULL, 0},
    {"F04 Guard answered the duty check (type 24)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 0A 00 02 18 01 20 01 02 "
     "3A 09 1A 09 0C 5F 23 23 ",
     2, "duty_answer", "operator 1", true, NULL, 0},
    {"F05 Centre reads device status (type 81)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 04 51 01 00 FE 23 "
     "23 ",
     4, NULL, NULL, false, NULL, 0},
    {"F06 Device answers status",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 05 15 01 08 02 3A "
     "09 1A 09 0C 45 23 23 ",
     5, "mains_fault", "device", true, NULL, 0},
    {"F07 Clock sync (type 90)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 08 00 01 5A 01 02 3A 09 "
     "1A 09 0C 7D 23 23 ",
     1, NULL, NULL, false, NULL, 0},
    {"F08 Duty check (type 91)",
     "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 01 5B 01 0A 0F 23 "
     "23 ",
     1, NULL, NULL, false, NULL, 0},
    {"F09 Vendor heartbeat (empty send-data)",
     "40 40 34 12 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 00 00 02 BA 23 23 ", 2, NULL, NULL, false,
     NULL, 0},
    {"F10 Analogue value (type 3)",
     "40 40 02 00 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 12 00 02 03 01 0B 01 63 "
     "05 00 01 00 04 04 00 00 1E 08 15 0B 1A 69 23 23 ",
     2, NULL, NULL, false, "pressure.99.65541", 0.4},
    {"F11 Two system states in one unit (type 1)",
     "40 40 04 00 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 16 00 02 01 02 01 01 03 "
     "00 00 1E 08 15 0B 1A 0B 01 04 01 00 1E 08 15 0B 1A 67 23 23 ",
     2, "fire_alarm", "fire_alarm 1.1", true, NULL, 0},
};

static size_t unhex(const char *hex, uint8_t *ret, size_t cap) {
    size_t n = 0;
    for (unsigned high = 16; *hex && n < cap; hex++) {
        const char *digits = "0123456789ABCDEF", *at = strchr(digits, *hex);
        if (*hex == ' ' || !at) continue;
        unsigned v = (unsigned)(at - digits);
        if (high == 16) {
            high = v;
        } else {
            ret[n++] = (uint8_t)(high << 4 | v);
            high = 16;
        }
    }
    return n;
}

static void each_vector_decodes_and_comes_back_the_same(struct t *t) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[512], again[512];
        size_t n = unhex(rows[i].hex, bytes, sizeof bytes);
        struct gb26875_frame f;
        struct decoded d;
        struct wire_error e = {0};
        struct buf b;
        bool ok = gb26875_decode((struct bytes){bytes, n}, &f, &e) &&
                  gb26875_codec.decode((struct bytes){bytes, n}, &t->arena, &d, &e);
        CHECK_SAY(t, ok, "%s: %s at %zu", rows[i].name, e.rule ? e.rule : "", e.at);
        if (!ok) continue;
        CHECK_SAY(t, f.command == rows[i].command, "%s: command %u", rows[i].name, f.command);
        buf_init(&b, (char *)again, sizeof again);
        gb26875_encode(&f, &b);
        CHECK_SAY(t, b.len == n && !memcmp(again, bytes, n), "%s: encodes otherwise", rows[i].name);
        CHECK_SAY(t, !rows[i].code == !d.events_n, "%s: %zu events", rows[i].name, d.events_n);
        if (rows[i].code && d.events_n) {
            CHECK_SAY(t, str_is(d.events[0].code, rows[i].code), "%s: " STR_FMT, rows[i].name,
                      STR_ARG(d.events[0].code));
            CHECK_SAY(t, str_is(d.events[0].text, rows[i].text), "%s: " STR_FMT, rows[i].name,
                      STR_ARG(d.events[0].text));
            CHECK_SAY(t, str_is(d.events[0].device, "889") && d.events[0].is_set == rows[i].is_set, "%s: device",
                      rows[i].name);
        }
        CHECK_SAY(t, !rows[i].metric == !d.readings_n, "%s: %zu readings", rows[i].name, d.readings_n);
        if (rows[i].metric && d.readings_n) {
            CHECK_SAY(t, str_is(d.readings[0].metric, rows[i].metric), "%s: " STR_FMT, rows[i].name,
                      STR_ARG(d.readings[0].metric));
            CHECK_SAY(t, d.readings[0].value > rows[i].value - 1e-9 && d.readings[0].value < rows[i].value + 1e-9,
                      "%s: %f", rows[i].name, d.readings[0].value);
        }
    }
}

static void times_are_the_sheets(struct t *t) {
    uint8_t bytes[512];
    struct decoded d;
    struct wire_error e;
    size_t n = unhex(rows[0].hex, bytes, sizeof bytes);
    CHECK(t, gb26875_codec.decode((struct bytes){bytes, n}, &t->arena, &d, &e));
    CHECK(t, d.events_n == 1 && d.events[0].at_s == 1348653482); /* 2012-09-26 09:58:02 */
}

static void a_wrong_sum_is_refused_and_denied(struct t *t) {
    uint8_t bytes[64];
    char out[64];
    struct gb26875_frame f;
    struct wire_error e;
    struct buf b;
    size_t n = unhex("40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AA 23 23", bytes,
                     sizeof bytes);
    CHECK(t, !gb26875_decode((struct bytes){bytes, n}, &f, &e));
    CHECK_SAY(t, !strcmp(e.rule, "8.2: the sum is wrong") && e.at == n - 3, "%s at %zu", e.rule, e.at);
    buf_init(&b, out, sizeof out);
    gb26875_codec.reply((struct bytes){bytes, n}, false, 1348653515, &b);
    CHECK(t, gb26875_decode((struct bytes){(const uint8_t *)out, b.len}, &f, &e));
    CHECK(t, f.command == GB26875_DENY && f.serial == 1);
}

static void what_is_sent_is_confirmed_with_the_addresses_swapped(struct t *t) {
    uint8_t sent[512], want[64];
    char out[64];
    struct buf b;
    size_t n = unhex(rows[0].hex, sent, sizeof sent), m = unhex(rows[1].hex, want, sizeof want);
    buf_init(&b, out, sizeof out);
    gb26875_codec.reply((struct bytes){sent, n}, true, 1348653515, &b); /* 2012-09-26 09:58:35, as F02 */
    CHECK(t, b.len == m && !memcmp(out, want, m));
    buf_init(&b, out, sizeof out);
    gb26875_codec.reply((struct bytes){want, m}, true, 0, &b);
    CHECK(t, b.len == 0); /* a confirmation is not answered */
}

/* Feeds bytes in two pieces and counts whole frames. */
static size_t split(struct t *t, const uint8_t *all, size_t n, size_t cut) {
    uint8_t keep[4096];
    size_t have = 0, frames = 0, fed = 0;
    for (int piece = 0; piece < 2; piece++) {
        size_t to = piece ? n : cut;
        memcpy(keep + have, all + fed, to - fed);
        have += to - fed;
        fed = to;
        for (int turns = 0; turns < 5000; turns++) {
            size_t len = 0;
            enum frame f = gb26875_codec.frame((struct bytes){keep, have}, &len);
            if (f == FRAME_SHORT) break;
            CHECK(t, len > 0 && len <= have);
            frames += f == FRAME_WHOLE;
            memmove(keep, keep + len, have - len);
            have -= len;
        }
    }
    return frames;
}

static void frames_are_found_whatever_the_pieces(struct t *t) {
    uint8_t all[2048];
    size_t n = 0;
    memcpy(all, "\x23\x23noise\x40x", 9);
    n = 9;
    for (size_t i = 0; i < 4; i++) n += unhex(rows[i].hex, all + n, sizeof all - n);
    all[n++] = 0x40; /* a start that lies about its length */
    all[n++] = 0x40;
    memset(all + n, 0, 22);
    all[n + 22] = 0xff;
    all[n + 23] = 0xff;
    n += 24;
    n += unhex(rows[9].hex, all + n, sizeof all - n);
    for (size_t cut = 0; cut <= n; cut++) {
        size_t frames = split(t, all, n, cut);
        CHECK_SAY(t, frames == 5, "cut at %zu: %zu frames", cut, frames);
    }
}

TESTS(CASE(each_vector_decodes_and_comes_back_the_same), CASE(times_are_the_sheets),
      CASE(a_wrong_sum_is_refused_and_denied), CASE(what_is_sent_is_confirmed_with_the_addresses_swapped),
      CASE(frames_are_found_whatever_the_pieces))
