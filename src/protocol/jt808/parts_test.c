/* Messages in parts: in any order, twice, of several terminals, never whole.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cursor.h"
#include "protocol/jt808/jt808.h"
#include "tests/lib/test.h"
#include "tests/lib/vectors.h"

#include <string.h>
#include <strings.h>

#define TERMINAL    "013800138000"
#define TERMINAL_19 "00000866496077582164"
#define FIRST       0xfffe /* serials go on at 0 */
#define NOW         INT64_C(5000)

struct site {
    struct t *t;
    struct jt808_parts p;
    struct decoded d;
    struct wire_error e;
    struct bytes body;
    int64_t now_ms;
    const char *terminal;
    uint16_t message;
};

/* A batch of n locations, each 28 bytes: latitude 1, 2 … */
static struct bytes batch(struct t *t, uint16_t n) {
    struct buf b;
    buf_init_arena(&b, &t->arena, 1 << 17);
    cursor_put_be(&b, n, 2);
    cursor_put_be(&b, 0, 1);
    for (uint32_t i = 1; i <= n; i++) {
        struct jt808_location l = {
            .status = 2, .latitude = i % 90 * 1000000, .time = {0x26, 0x11, 0x21, 0x08, 0x30, (uint8_t)(i % 10)}};
        cursor_put_be(&b, JT808_LOCATION_BYTES, 2);
        jt808_put_location(&l, &b);
    }
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void start(struct site *s, struct t *t, uint16_t locations) {
    memset(s, 0, sizeof *s);
    s->t = t;
    s->body = batch(t, locations);
    s->now_ms = NOW;
    s->terminal = TERMINAL;
    s->message = JT808_BATCH;
}

/* Part `part` of `parts` of the body, cut evenly. */
static struct bytes frame(struct site *s, uint16_t first, uint16_t part, uint16_t parts) {
    size_t from = s->body.len * (part - 1u) / parts, to = s->body.len * part / parts;
    struct jt808_frame f = {.message = s->message,
                            .serial = (uint16_t)(first + part - 1),
                            .parts = parts,
                            .part = part,
                            .version = 1,
                            .body_n = to - from};
    struct buf b;
    memcpy(f.terminal, s->terminal, strlen(s->terminal) + 1);
    memcpy(f.body, s->body.ptr + from, f.body_n);
    buf_init_arena(&b, &s->t->arena, JT808_FRAME_MAX + 1);
    CHECK(s->t, jt808_encode(&f, &b));
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static bool hear(struct site *s, uint16_t first, uint16_t part, uint16_t parts) {
    s->e = (struct wire_error){NULL, 0};
    return jt808_hear(&s->p, frame(s, first, part, parts), s->now_ms, &s->t->arena, &s->d, &s->e);
}

/* What is asked for again: "terminal message serial: body in hex", and the rule if something was given up. */
static const char *missing(struct site *s) {
    char mem[2048];
    struct buf wire, b;
    struct jt808_frame f;
    struct str text = S("");
    size_t at = 0, n;
    s->e = (struct wire_error){NULL, 0};
    buf_init(&wire, mem, sizeof mem);
    buf_init_arena(&b, &s->t->arena, 2048);
    bool ok = jt808_missing(&s->p, s->now_ms, &wire, &s->e);
    CHECK(s->t, ok == !s->e.rule && !wire.overflow);
    for (; at < wire.len; at += n) {
        struct bytes rest = {(const uint8_t *)mem + at, wire.len - at};
        struct wire_error e;
        if (jt808_codec.frame(rest, &n) != FRAME_WHOLE) return "no frame";
        if (!jt808_decode((struct bytes){rest.ptr, n}, &f, &e)) return e.rule;
        buf_fmt(&b, "%s%s %04x %u: ", b.len ? ", " : "", f.terminal, f.message, f.serial);
        buf_hex(&b, (struct bytes){f.body, f.body_n});
    }
    if (!ok) buf_fmt(&b, "%s%s", b.len ? ", " : "", s->e.rule);
    if (b.len) CHECK(s->t, buf_done(&b, &text));
    return text.ptr;
}

/* ---- what comes ---- */

static void parts_come_in_any_order_and_more_than_once(struct t *t) {
    static const struct {
        const char *order; /* part by part; behind the last all is said */
    } all[] = {{"123"}, {"321"}, {"213"}, {"132"}, {"1123"}, {"11223"}, {"32231"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct site s;
        size_t n = strlen(all[i].order);
        start(&s, t, 10);
        for (size_t k = 0; k < n; k++) {
            CHECK_SAY(t, hear(&s, FIRST, (uint16_t)(all[i].order[k] - '0'), 3), "%s: %s", all[i].order, s.e.rule);
            CHECK(t, str_is(s.d.sender, TERMINAL));
            CHECK_SAY(t, s.d.readings_n == (k + 1 < n ? 0 : 60), "%s: %zu at %zu", all[i].order, s.d.readings_n, k);
        }
        for (size_t k = 0; k < 10; k++) CHECK(t, s.d.readings[6 * k].value == (double)(k + 1));
        CHECK(t, s.d.events_n == 1 && str_is(s.d.events[0].code, "normal"));
    }
}

/* Its answer may have been lost, or the store was full. */
static void the_last_one_said_again_says_all_again(struct t *t) {
    struct site s;
    start(&s, t, 10);
    for (uint16_t part = 1; part <= 3; part++) CHECK(t, hear(&s, 7, part, 3));
    CHECK(t, hear(&s, 7, 1, 3) && !s.d.readings_n);
    CHECK(t, hear(&s, 7, 3, 3) && s.d.readings_n == 60);
    s.now_ms += JT808_PARTS_MS;
    CHECK(t, !strcmp(missing(&s), "")); /* it was whole */
    CHECK(t, hear(&s, 7, 3, 3) && !s.d.readings_n);
}

static void what_is_no_part_is_said_as_ever(struct t *t) {
    static const struct {
        const char *hex, *rule; /* NULL: taken */
        size_t readings;
    } all[] = {
        {"7E0200002F01357888888800B60000000000000003015972B406CBF6B802230000000116061317571301040000000003020000EB07"
         "00050001016708B37E",
         NULL, 8},
        {"7E0801200104304832546500B70002000155B67E", NULL, 0}, /* pictures are not kept */
        {"7E0002000004304832546500B7CB7E", "JT/T 808 check", 0},
        {"7E 07 04 20 01 04 30 48 32 54 65 00 B7 00 02 00 03 55 BE 7E", "JT/T 808 parts: which one", 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct site s;
        start(&s, t, 1);
        bool ok = jt808_hear(&s.p, vector_bytes(t, all[i].hex), NOW, &t->arena, &s.d, &s.e);
        CHECK_SAY(t, ok == !all[i].rule && (ok || str_starts(str_of(s.e.rule), str_of(all[i].rule))), "%zu: %s", i,
                  s.e.rule);
        CHECK(t, !ok || s.d.readings_n == all[i].readings);
        for (size_t k = 0; k < JT808_UNDERWAY; k++) CHECK(t, !s.p.all[k].parts);
    }
}

static void a_location_and_parameters_come_in_parts_too(struct t *t) {
    struct site s;
    start(&s, t, 0);
    s.message = JT808_LOCATION;
    s.body = vector_bytes(t, "00000000 00000003 015972B4 06CBF6B8 0223 0000 0001 160613175713 0104000000123101 0E");
    CHECK(t, hear(&s, 7, 1, 2) && !s.d.readings_n && hear(&s, 7, 2, 2) && s.d.readings_n == 8);
    s.message = JT808_PARAMETERS;
    s.body = vector_bytes(t, "0001 02 00000001 04 0000003C 00000029 04 0000000A");
    CHECK(t, hear(&s, 7, 2, 2) && !s.d.readings_n && hear(&s, 7, 1, 2) && s.d.readings_n == 2);
}

/* ---- what is wrong ---- */

static void together_they_must_be_right(struct t *t) {
    struct site s;
    start(&s, t, 3);
    s.body.len--;
    CHECK(t, hear(&s, 7, 1, 2));
    for (int i = 0; i < 2; i++) CHECK(t, !hear(&s, 7, 2, 2) && str_starts(str_of(s.e.rule), S("JT/T 808 0704: ")));
}

static void another_total_is_refused(struct t *t) {
    struct site s;
    start(&s, t, 10);
    CHECK(t, hear(&s, 7, 1, 3));
    CHECK(t, !hear(&s, 7, 2, 4) && str_starts(str_of(s.e.rule), S("JT/T 808 parts: the message had another")));
    CHECK(t, !hear(&s, 7, 2, 2));
    CHECK(t, hear(&s, 7, 2, 3) && hear(&s, 7, 3, 3) && s.d.readings_n == 60);
}

static void up_to_64_parts_are_kept(struct t *t) {
    struct site s;
    start(&s, t, 2180); /* 65403 bytes: 1021 and 1022 a part */
    for (uint16_t part = 1; part <= 64; part++) CHECK(t, hear(&s, FIRST, part, 64));
    CHECK_SAY(t, s.d.readings_n == 6 * 2180, "%zu", s.d.readings_n);
    CHECK(t, !hear(&s, FIRST, 1, 65) && str_starts(str_of(s.e.rule), S("JT/T 808 parts: " WIRE_LIMIT "at most 64")));
}

/* ---- several at once ---- */

static void messages_do_not_mix(struct t *t) {
    struct site s;
    start(&s, t, 10);
    CHECK(t, hear(&s, 7, 1, 2) && hear(&s, 20, 1, 2));
    s.terminal = TERMINAL_19;
    CHECK(t, hear(&s, 7, 1, 2) && hear(&s, 7, 2, 2) && s.d.readings_n == 60 && str_is(s.d.sender, TERMINAL_19));
    s.terminal = TERMINAL;
    CHECK(t, hear(&s, 20, 2, 2) && s.d.readings_n == 60);
    CHECK(t, hear(&s, 7, 2, 2) && s.d.readings_n == 60 && str_is(s.d.sender, TERMINAL));
}

static void the_oldest_makes_room_and_that_is_told(struct t *t) {
    struct site s;
    start(&s, t, 10);
    for (uint16_t i = 0; i < JT808_UNDERWAY; i++, s.now_ms++) CHECK(t, hear(&s, (uint16_t)(100 * i), 1, 2));
    CHECK(t, hear(&s, 100, 2, 2) && s.d.readings_n == 60); /* whole: it goes first */
    CHECK(t, hear(&s, 900, 1, 2) && !strcmp(missing(&s), ""));
    CHECK(t, hear(&s, 950, 1, 2));
    CHECK(t, !strcmp(missing(&s), "JT/T 808 parts: " WIRE_LIMIT "of too many messages at once"));
    CHECK(t, !strcmp(missing(&s), ""));
    CHECK(t, hear(&s, 200, 2, 2) && s.d.readings_n == 60);
    CHECK(t, hear(&s, 0, 2, 2) && !s.d.readings_n); /* it begins anew */
}

static void pieces_of_others_make_room(struct t *t) {
    struct site s;
    start(&s, t, 100);
    for (uint16_t part = 1; part < 40; part++) CHECK(t, hear(&s, 7, part, 40));
    s.now_ms++;
    for (uint16_t part = 1; part <= 40; part++) CHECK(t, hear(&s, 500, part, 40));
    CHECK(t, s.d.readings_n == 600);
    CHECK(t, !strcmp(missing(&s), "JT/T 808 parts: " WIRE_LIMIT "of too many messages at once"));
    CHECK(t, hear(&s, 7, 40, 40) && !s.d.readings_n);
}

/* ---- what does not come ---- */

static void what_is_missing_is_asked_for_again_until_a_minute_is_over(struct t *t) {
    static const struct {
        int64_t after_ms; /* the first part */
        const char *said;
    } all[] = {
        {0, ""},
        {4999, ""},
        {5000, TERMINAL " 8003 0: FFFE0200020003"}, /* 2013: how many is a byte */
        {5001, ""},
        {9999, ""},
        {10000, TERMINAL " 8003 1: FFFE0200020003"},
        {59999, TERMINAL " 8003 2: FFFE0200020003"},
        {60000, "JT/T 808 parts: not all came within 60 s"},
        {60001, ""},
    };
    struct site s;
    start(&s, t, 10);
    CHECK(t, hear(&s, FIRST, 1, 3));
    for (size_t i = 0; i < COUNT(all); i++) {
        s.now_ms = NOW + all[i].after_ms;
        const char *said = missing(&s);
        CHECK_SAY(t, !strcasecmp(said, all[i].said), "%lld: %s", (long long)all[i].after_ms, said);
    }
    CHECK(t, hear(&s, FIRST, 2, 3) && hear(&s, FIRST, 3, 3) && !s.d.readings_n);
}

static void a_part_that_came_puts_off_the_question(struct t *t) {
    struct site s;
    start(&s, t, 10);
    s.terminal = TERMINAL_19;
    CHECK(t, hear(&s, 7, 2, 3));
    s.now_ms += 4999;
    CHECK(t, hear(&s, 7, 3, 3));
    s.now_ms += 4999;
    CHECK(t, !strcmp(missing(&s), ""));
    s.now_ms++;
    const char *said = missing(&s);
    CHECK_SAY(t, !strcmp(said, TERMINAL_19 " 8003 0: 000700010001"), "%s", said); /* 2019: two bytes */
    CHECK(t, hear(&s, 7, 1, 3) && s.d.readings_n == 60);
}

TESTS(CASE(parts_come_in_any_order_and_more_than_once), CASE(the_last_one_said_again_says_all_again),
      CASE(what_is_no_part_is_said_as_ever), CASE(a_location_and_parameters_come_in_parts_too),
      CASE(together_they_must_be_right), CASE(another_total_is_refused), CASE(up_to_64_parts_are_kept),
      CASE(messages_do_not_mix), CASE(the_oldest_makes_room_and_that_is_told), CASE(pieces_of_others_make_room),
      CASE(what_is_missing_is_asked_for_again_until_a_minute_is_over), CASE(a_part_that_came_puts_off_the_question))
