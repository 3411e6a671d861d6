/* Vectors of CJ/T 188 frames, what is refused, units, states.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/cjt188/cjt188.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "C01 read, 1F 90",
     .hex = "FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16",
     .json = "\"medium\":\"cold_water\",\"address\":\"78330011223344\",\"function\":\"read\",\"from\":\"master\","
             "\"refused\":false,\"di\":\"901F\",\"order\":\"low\",\"serial\":0"},
    {.name = "C02 a wrong sum",
     .hex =
         "FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 "
         "84 08 16",
     .rule = "CJ/T 188 CS",
     .at = 37},
    {.name = "C03 a water meter",
     .hex =
         "FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 "
         "84 13 16",
     .json = "\"clock\":\"2015-05-11T22:01:31\",\"valve\":\"closed\",\"low_battery\":false",
     .said = "volume=556677 m3 volume_settlement=556677 m3 valve=0 -normal ",
     .device = "78330011223344"},
    {.name = "C04 read the address of any",
     .hex = "FE FE FE FE 68 AA AA AA AA AA AA AA AA 03 03 81 0A 00 49 16",
     .json = "\"medium\":\"any\",\"address\":\"AAAAAAAAAAAAAA\",\"function\":\"address\",\"from\":\"master\","
             "\"refused\":false,\"di\":\"810A\",\"order\":\"high\""},
    {.name = "C05 read, 90 1F",
     .hex = "FE FE FE FE 68 10 18 02 12 20 20 00 00 01 03 90 1F 00 97 16",
     .json = "\"di\":\"901F\",\"order\":\"high\""},
    {.name = "C06 open the valve",
     .hex = "FE FE FE FE 68 10 69 05 90 05 15 33 78 04 04 A0 17 01 55 50 16",
     .json = "\"di\":\"A017\",\"order\":\"high\",\"serial\":1"},
    {.name = "C07 close it",
     .hex = "FE FE FE FE 68 10 69 05 90 05 15 33 78 04 04 A0 17 01 99 94 16",
     .json = "\"data_hex\":\"A0170199\""},
    {.name = "C08 refused",
     .hex = "68 10 69 05 90 05 15 33 78 C4 02 01 00 02 16",
     .json = "\"refused\":true,\"serial\":1,\"valve\":\"open\"",
     .said = "valve=1 -normal ",
     .device = "78331505900569"},
    {.name = "C09 a heat meter",
     .hex =
         "FE FE 68 20 44 33 22 11 00 33 78 81 2E 1F 90 01 78 56 34 12 05 90 78 56 34 05 00 12 00 00 17 50 34 12 00 35 "
         "78 56 34 12 2C 50 55 00 25 40 00 56 04 00 31 01 22 11 05 15 20 00 00 23 16",
     .said = "heat_settlement=123456.78 kWh heat=345678.9 kWh power=12 kW flow=12.345 m3/h volume=123456.78 m3 "
             "supply_temperature=55.5 Cel return_temperature=40.25 Cel working_time=456 h valve=1 -normal "},
    {.name = "no such unit",
     .hex = "68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2D 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 14 16",
     .rule = "CJ/T 188 901F: a value",
     .at = 14},
    {.name = "no clock",
     .hex = "68 10 44 33 22 11 00 33 78 81 0D 1F 90 00 00 77 66 55 2C 00 77 66 55 2C C6 16",
     .rule = "CJ/T 188 901F: clock",
     .at = 24},
    {.name = "too long",
     .hex = "68 AA AA AA AA AA AA AA AA 03 65 81 0A 00 AB 16",
     .rule = "CJ/T 188 L: at most",
     .at = 10},
    {.name = "no digits", .hex = "68 10 4A 02 12 20 20 00 00 01 03 90 1F 00 C9 16", .rule = "CJ/T 188 A0..A6", .at = 2},
    {.name = "no function", .hex = "68 10 18 02 12 20 20 00 00 02 03 90 1F 00 98 16", .rule = "CJ/T 188 C", .at = 9},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &cjt188_codec, rows, COUNT(rows));
}

/* A water meter's answer with other bytes in it: the sum is made to fit. */
static bool read_with(struct t *t, size_t at, uint8_t byte, struct decoded *ret, struct cjt188_body *ret_body) {
    struct cjt188_frame f;
    struct wire_error e;
    struct buf b;
    uint8_t data[CJT188_DATA_MAX];
    bool ok = cjt188_decode(vector_bytes(t, rows[2].hex), &f, &e);
    memcpy(data, f.data.ptr, f.data.len);
    data[at] = byte;
    f.data.ptr = data;
    buf_init_arena(&b, &t->arena, CJT188_FRAME_MAX + 1);
    CHECK(t, ok && cjt188_encode(&f, &b));
    struct bytes whole = {(const uint8_t *)b.ptr, b.len};
    return cjt188_codec.decode(whole, &t->arena, ret, &e) && cjt188_body(&f, ret_body, &e);
}

static void values_units_and_states(struct t *t) {
    struct decoded d;
    struct cjt188_body b;
    CHECK(t, read_with(t, 3, 0xff, &d, &b)); /* digits that are none: no value, not 0 */
    CHECK(t, d.readings_n == 2 && str_is(d.readings[0].metric, "volume_settlement") && b.values[0].is_missing);
    CHECK(t, read_with(t, 7, 0x29, &d, &b)); /* litres */
    CHECK(t, d.readings[0].value > 556.676 && d.readings[0].value < 556.678 && str_is(d.readings[0].unit, "m3"));
    CHECK(t, read_with(t, 20, 0x27, &d, &b)); /* the valve is stuck, the battery low */
    CHECK(t, d.events_n == 2 && str_is(d.events[0].code, "low_battery") && str_is(d.events[1].code, "valve_fault"));
    CHECK(t, d.events[0].is_set && d.events[0].is_level && str_is(d.events[0].part, "status") && d.readings_n == 2);
    CHECK(t, b.has_clock && d.clock_s == b.clock_s && d.clock_s);
    CHECK(t, read_with(t, 13, 0x61, &d, &b) && !b.has_clock && !d.clock_s &&
                 d.readings_n == 3); /* second 61: its clock is off */
}

static void questions_and_their_answers(struct t *t) {
    static const struct {
        const char *address, *item;
        uint8_t serial;
        const char *hex, *value;
    } asked[] = {
        {"78331505900569", "04:A017", 1, NULL, "ajar"},
        {"78331505900569", "10:901F", 1, NULL, "open"},
        {"78330011223344", "10:901F<", 0, "FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16"}, /* C01 */
        {"AAAAAAAAAAAAAA", "", 0, "FE FE FE FE 68 AA AA AA AA AA AA AA AA 03 03 81 0A 00 49 16"},         /* C04 */
        {"00002020120218", "10:901F", 0, "FE FE FE FE 68 10 18 02 12 20 20 00 00 01 03 90 1F 00 97 16"},  /* C05 */
        {"78331505900569", "10:A017", 1, "FE FE FE FE 68 10 69 05 90 05 15 33 78 04 04 A0 17 01 55 50 16",
         "open"}, /* C06 */
        {"78331505900569", "10:A017", 1, "FE FE FE FE 68 10 69 05 90 05 15 33 78 04 04 A0 17 01 99 94 16",
         "close"},                                       /* C07 */
        {"AAAAAAAAAAAAAA", "10:A017", 1, NULL, "close"}, /* every valve of the line would */
        {"00002020120218", "10:901", 0, NULL},
        {"00002020120218", "1x:901F", 0, NULL},
        {"0000202012021", "901F", 0, NULL},
    };
    static const struct {
        const char *address, *item;
        uint8_t serial;
        int row; /* of the vectors */
        enum answer answer;
    } answered[] = {
        {"78330011223344", "10:901F<", 0, 2, ANSWER_WHOLE}, {"78330011223344", "901F", 0, 2, ANSWER_WHOLE},
        {"78330011223344", "901F", 1, 2, ANSWER_OTHER},     {"78330011223345", "901F", 0, 2, ANSWER_OTHER},
        {"78330011223344", "11:901F", 0, 2, ANSWER_OTHER},  {"78330011223344", "D120", 0, 2, ANSWER_OTHER},
        {"78330011223344", "901F", 0, 1, ANSWER_OTHER},     {"78330011223344", "901F", 0, 0, ANSWER_OTHER},
        {"78330011223344", "20:901F", 1, 8, ANSWER_WHOLE},
    };
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct question q = {
            .address = str_of(asked[i].address), .item = str_of(asked[i].item), .serial = asked[i].serial};
        struct buf b;
        q.value = str_of(asked[i].value);
        buf_init_arena(&b, &t->arena, CJT188_FRAME_MAX + 1);
        bool ok = cjt188_codec.asking->ask(&q, &b);
        struct bytes want = vector_bytes(t, asked[i].hex ? asked[i].hex : "");
        CHECK_SAY(t, ok == !!asked[i].hex && b.len == want.len && !memcmp(b.ptr ? b.ptr : "", want.ptr, want.len),
                  "%s %s: asked otherwise", asked[i].address, asked[i].item);
    }
    for (size_t i = 0; i < COUNT(answered); i++) {
        struct question q = {
            .address = str_of(answered[i].address), .item = str_of(answered[i].item), .serial = answered[i].serial};
        struct buf data;
        const char *why;
        struct decoded d;
        struct wire_error e;
        buf_init_arena(&data, &t->arena, CJT188_FRAME_MAX + 1);
        enum answer answer = cjt188_codec.asking->answers(&q, vector_bytes(t, rows[answered[i].row].hex), &data, &why);
        CHECK_SAY(t, answer == answered[i].answer, "row %zu: %d", i, (int)answer);
        if (answer != ANSWER_WHOLE) continue;
        struct bytes all = {(const uint8_t *)data.ptr, data.len};
        CHECK_SAY(t, cjt188_codec.asking->read(&q, all, &t->arena, &d, &e) && d.readings_n >= 3, "row %zu", i);
    }
}

/* What the answer shows of what was told; the item under which it is looked up. */
static enum proof shown(struct t *t, const struct question *q, const char *answer, const char **ret_why) {
    struct buf data;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&data, &t->arena, CJT188_FRAME_MAX + 1);
    CHECK(t, cjt188_codec.asking->answers(q, vector_bytes(t, answer), &data, ret_why) == ANSWER_WHOLE);
    struct bytes all = {(const uint8_t *)data.ptr, data.len};
    CHECK(t, cjt188_codec.asking->read(q, all, &t->arena, &d, &e));
    return cjt188_codec.asking->shows(q, &d, ret_why);
}

static void a_valve_shows_whether_it_did_what_it_was_told(struct t *t) {
    static const struct {
        const char *value, *answer;
        enum proof proof;
    } all[] = {{"close", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 01 00 7D 16", PROOF_DONE},
               {"close", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 00 00 7C 16", PROOF_NONE},
               {"close", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 02 00 7E 16", PROOF_NONE}, /* says nothing */
               {"close", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 03 00 7F 16", PROOF_FAILED},
               {"open", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 01 00 7D 16", PROOF_NONE},
               {"open", "68 10 69 05 90 05 15 33 78 84 05 A0 17 01 00 00 7C 16", PROOF_DONE}};
    struct question q = {.address = S("78331505900569"), .item = S("10:A017"), .serial = 1};
    struct buf data;
    const char *why = NULL;
    for (size_t i = 0; i < COUNT(all); i++) {
        q.value = str_of(all[i].value);
        why = NULL;
        enum proof proof = shown(t, &q, all[i].answer, &why);
        CHECK_SAY(t, proof == all[i].proof && (why != NULL) == (proof == PROOF_FAILED), "%zu: %d", i, (int)proof);
    }
    q.serial = 2;
    buf_init_arena(&data, &t->arena, CJT188_FRAME_MAX + 1);
    CHECK(t, cjt188_codec.asking->answers(&q, vector_bytes(t, all[0].answer), &data, &why) == ANSWER_OTHER);
    q.serial = 1;
    CHECK(t, cjt188_codec.asking->answers(&q, vector_bytes(t, rows[7].hex), &data, &why) == ANSWER_REFUSED && why);
}

/* In the form in which the meter is asked otherwise. */
static void where_a_valve_stands_is_read_with_the_volume(struct t *t) {
    static const struct {
        const char *told, *read;
    } all[] = {{"A017", "901F"}, {"10:A017", "10:901F"}, {"A017<", "901F<"}, {"30:A017<", "30:901F<"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("78331505900569"), .item = str_of(all[i].told), .value = S("open")};
        struct buf item;
        struct str text = {NULL, 0};
        int64_t within_ms = 0;
        buf_init_arena(&item, &t->arena, 16);
        CHECK(t, cjt188_codec.asking->proof(&q, &item, &within_ms) && buf_done(&item, &text));
        CHECK_SAY(t, str_is(text, all[i].read) && within_ms == 120000, "%s: " STR_FMT, all[i].told, STR_ARG(text));
        q.value = (struct str){NULL, 0};
        CHECK(t, !cjt188_codec.asking->proof(&q, &item, &within_ms)); /* a question has its answer */
    }
}

static void other_types_and_orders_are_ways_to_ask(struct t *t) {
    static const struct {
        const char *item, *ways; /* empty ones apart */
    } all[] = {{"10:901F", "10:901F< 11:901F 11:901F< 12:901F 12:901F< 13:901F 13:901F< 901F 901F<"},
               {"30:A017<", "30:A017 A017 A017<"},
               {"901F", "10:901F 10:901F< 11:901F 11:901F< 12:901F 12:901F< 13:901F 13:901F< 20:901F 20:901F< 21:901F "
                        "21:901F< 22:901F 22:901F< 30:901F 30:901F< 901F<"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct buf ways;
        struct str text = S("");
        buf_init_arena(&ways, &t->arena, 300);
        for (unsigned n = 1;; n++) {
            char mem[20];
            struct buf way;
            buf_init(&way, mem, sizeof mem);
            if (!cjt188_codec.asking->otherwise(str_of(all[i].item), n, &way)) break;
            if (way.len) buf_fmt(&ways, "%s" STR_FMT, ways.len ? " " : "", (int)way.len, mem);
        }
        CHECK_SAY(t, buf_done(&ways, &text) && str_is(text, all[i].ways), "%s: " STR_FMT, all[i].item, STR_ARG(text));
    }
    struct question q;
    CHECK(t, cjt188_codec.asking->find(0, &q) && !q.item.len && str_is(q.address, "AAAAAAAAAAAAAA"));
    CHECK(t, cjt188_codec.asking->find(1, &q) && str_is(q.item, "810A<") && !cjt188_codec.asking->find(2, &q));
}

TESTS(CASE(other_types_and_orders_are_ways_to_ask), CASE(a_valve_shows_whether_it_did_what_it_was_told),
      CASE(where_a_valve_stands_is_read_with_the_volume), CASE(vectors_of_the_sheet), CASE(questions_and_their_answers),
      CASE(values_units_and_states))
