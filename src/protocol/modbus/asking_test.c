/* Modbus as a master: items of models, questions, answers, what is written.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/modbus/modbus.h"
#include "tests/lib/vectors.h"

#include <string.h>

static struct question question(const char *unit, const char *item, const char *value) {
    return (struct question){.address = str_of(unit), .item = str_of(item), .value = str_of(value)};
}

static struct str hex_of(struct t *t, const struct buf *b) {
    struct buf hex;
    struct str text = S("");
    buf_init_arena(&hex, &t->arena, 1000);
    buf_hex(&hex, (struct bytes){(const uint8_t *)b->ptr, b->len});
    if (hex.len) CHECK(t, buf_done(&hex, &text));
    return text;
}

/* ---- items ---- */

static void an_item_says_what_stands_in_registers(struct t *t) {
    static const struct {
        const char *items, *data, *said; /* NULL: there is no such item */
    } all[] = {
        {"holding:100", "FFFF", "65535 "},
        {"input:0x64:u16", "8000", "32768 "},
        {"holding:0:s16", "8000", "-32768 "},
        {"holding:0:s16:badc", "0080", "-32768 "},
        {"holding:0:u32", "00012345", "74565 "},
        {"holding:0:u32:abcd", "00012345", "74565 "},
        {"holding:0:u32:cdab", "23450001", "74565 "},
        {"holding:0:u32:badc", "01004523", "74565 "},
        {"holding:0:u32:dcba", "45230100", "74565 "},
        {"input:3:s32:cdab", "FFFEFFFF", "-2 "},
        {"holding:0:f32", "435C199A", "220.1 "},
        {"holding:0:f32:cdab", "199A435C", "220.1 "},
        {"holding:0:f32", "00000000", "0 "},
        {"holding:0:f32", "4B800001", "16777218 "},
        {"holding:0:f32", "7FC00000", ""}, /* no number */
        {"holding:0:f32", "7F800000", ""},
        {"holding:0:u64", "0000000000000100", "256 "},
        {"holding:0:s64", "FFFFFFFFFFFFFFFF", "-1 "},
        {"holding:0:u64:cdab", "0100000000000000", "256 "},
        {"holding:0:u64:dcba", "0001000000000000", "256 "},
        {"holding:0:f64", "C05EDD2F1A9FBE77", "-123.456 "},
        {"holding:0:f64", "7FF8000000000000", ""},
        {"holding:0:bcd16", "1234", "1234 "},
        {"holding:0:bcd16", "123A", ""},
        {"holding:0:bcd32", "00123456", "123456 "},
        {"holding:0:bcd32:cdab:/100", "34560012", "1234.56 "},
        {"holding:10:u16:*0.1", "00D9", "21.7 "},
        {"holding:10:u16:/10", "00D9", "21.7 "},
        {"holding:10:u16:*0.05", "0003", "0.15 "},
        {"holding:10:s16:*1000", "FFFF", "-1000 "},
        {"holding:10:*2.5", "0003", "7.5 "},
        {"holding:20:s16:/10:-40", "0320", "40 "},
        {"holding:20:+273.15", "0000", "273.15 "},
        {"input:8:s16:!8000", "8000", ""},
        {"input:8:s16:!8000", "8001", "-32767 "},
        {"input:8:u32:cdab:!FFFFFFFE", "FFFEFFFF", ""},
        {"input:8:!7fff:/10", "7FFF", ""},
        {"holding:12:bit0", "0001", "1 "},
        {"holding:12:bit3", "FFF7", "0 "},
        {"holding:12:bit15", "8000", "1 "},
        {"holding:12:bit15:badc", "0080", "1 "},
        {"coil:5", "01", "1 "},
        {"discrete:7", "FE", "0 "},
        /* lists: what nobody asked for is passed over */
        {"holding:0 holding:2:s16 holding:3:u32", "0001AAAAFFFF00010000", "1 -1 65536 "},
        {"holding:3 holding:1 holding:1:bit1", "0002AAAA0007", "7 2 1 "},
        {"holding:0:bcd16 holding:1", "FFFF0005", "5 "},
        {"coil:0 coil:9 coil:3 coil:20", "09021 0", "1 1 1 1 "},
        {"discrete:100 discrete:101", "02", "0 1 "},
        {"holding", NULL, NULL},
        {"holding:", NULL, NULL},
        {"holding:65536", NULL, NULL},
        {"holding:-1", NULL, NULL},
        {"holding:0x10000", NULL, NULL},
        {"holding:65535:u32", NULL, NULL},
        {"register:1", NULL, NULL},
        {"holding:1:u16:u32", NULL, NULL},
        {"holding:1:abcd:abcd", NULL, NULL},
        {"holding:1:u24", NULL, NULL},
        {"holding:1:bit16", NULL, NULL},
        {"holding:1:bit3:*2", NULL, NULL},
        {"holding:1:*0", NULL, NULL},
        {"holding:1:/0", NULL, NULL},
        {"holding:1:*", NULL, NULL},
        {"holding:1:!", NULL, NULL},
        {"holding:1:!10000", NULL, NULL},
        {"holding:1:!0g", NULL, NULL},
        {"holding:1:+", NULL, NULL},
        {"holding:1::u16", NULL, NULL},
        {"coil:1:u16", NULL, NULL},
        {"input:1:many", NULL, NULL},
        {" ", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("1", all[i].items, NULL);
        struct buf out, said;
        struct decoded d;
        struct wire_error e = {NULL, 0};
        struct str text = S("");
        buf_init_arena(&out, &t->arena, MODBUS_RTU_MAX + 1);
        buf_init_arena(&said, &t->arena, 1000);
        bool ok = modbus_rtu_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == !!all[i].data, "%s", all[i].items);
        if (!ok || !all[i].data) continue;
        ok = modbus_rtu_codec.asking->read(&q, vector_bytes(t, all[i].data), &t->arena, &d, &e);
        CHECK_SAY(t, ok, "%s: %s", all[i].items, e.rule ? e.rule : "");
        for (size_t k = 0; ok && k < d.readings_n; k++) {
            struct jw j;
            jw_init(&j, &said);
            jw_f64(&j, d.readings[k].value);
            buf_char(&said, ' ');
            CHECK(t, str_is(d.readings[k].device, "1") && word_in(all[i].items, d.readings[k].metric));
        }
        if (said.len) CHECK(t, buf_done(&said, &text));
        CHECK_SAY(t, str_is(text, all[i].said), "%s: " STR_FMT, all[i].items, STR_ARG(text));
    }
}

/* ---- questions ---- */

static void a_list_is_one_question_where_that_is_worth_it(struct t *t) {
    static const struct {
        const char *items, *question; /* NULL: it takes more than one */
    } all[] = {
        {"holding:100", "0103 0064 0001"},
        {"holding:100 holding:101:f32", "0103 0064 0003"},
        {"holding:101:f32 holding:100", "0103 0064 0003"},
        {"input:0 input:17", "0104 0000 0012"}, /* 16 between them */
        {"input:0 input:18", NULL},
        {"input:18 input:0", NULL},
        {"input:17 input:0", "0104 0000 0012"},
        {"input:0:u32 input:18", "0104 0000 0013"},
        {"input:0 holding:1", NULL},
        {"coil:0 discrete:1", NULL},
        {"coil:0 coil:257", "0101 0000 0102"},
        {"coil:0 coil:258", NULL},
        {"holding:0 holding:17 holding:34 holding:51 holding:68 holding:85 holding:102 holding:119 holding:124",
         "0103 0000 007D"},
        {"holding:0 holding:17 holding:34 holding:51 holding:68 holding:85 holding:102 holding:119 holding:125", NULL},
        {"holding:65535", "0103 FFFF 0001"},
        {"discrete:0 discrete:256 discrete:512 discrete:768 discrete:1024 discrete:1280 discrete:1536 discrete:1792 "
         "discrete:1999",
         "0102 0000 07D0"},
        {"discrete:0 discrete:256 discrete:512 discrete:768 discrete:1024 discrete:1280 discrete:1536 discrete:1792 "
         "discrete:2000",
         NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("1", all[i].items, NULL);
        struct buf out;
        buf_init_arena(&out, &t->arena, MODBUS_RTU_MAX + 1);
        bool ok = modbus_rtu_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == !!all[i].question, "%s", all[i].items);
        struct bytes want = vector_bytes(t, ok ? all[i].question : "");
        CHECK_SAY(t, !ok || (out.len == want.len + 2 && !memcmp(out.ptr, want.ptr, want.len)), "%s: asked otherwise",
                  all[i].items);
    }
}

static void what_is_written_is_what_was_said(struct t *t) {
    static const struct {
        const char *item, *value, *pdu; /* NULL: it cannot be said */
    } all[] = {
        {"coil:5", "1", "05 0005 FF00"},
        {"coil:5", "on", "05 0005 FF00"},
        {"coil:5", "0", "05 0005 0000"},
        {"coil:5", "off", "05 0005 0000"},
        {"coil:5", "2", NULL},
        {"coil:5", "", NULL},
        {"coil:5:many", "on", "0F 0005 0001 01 01"},
        {"discrete:5", "1", NULL},
        {"input:5", "1", NULL},
        {"holding:100", "65535", "06 0064 FFFF"},
        {"holding:100", "65536", NULL},
        {"holding:100", "-1", NULL},
        {"holding:100", "1.5", NULL},
        {"holding:100", "on", NULL},
        {"holding:100:many", "7", "10 0064 0001 02 0007"},
        {"holding:100:s16", "-32768", "06 0064 8000"},
        {"holding:100:s16", "-32769", NULL},
        {"holding:100:s16", "32768", NULL},
        {"holding:100:badc", "1", "06 0064 0100"},
        {"holding:100:u16:*0.1", "21.7", "06 0064 00D9"},
        {"holding:100:u16:*0.1", "21.75", NULL}, /* it would be another temperature */
        {"holding:100:s16:/10:-40", "-40.1", "06 0064 FFFF"},
        {"holding:100:u32", "74565", "10 0064 0002 04 00012345"},
        {"holding:100:u32:cdab", "74565", "10 0064 0002 04 23450001"},
        {"holding:100:u32", "4294967295", "10 0064 0002 04 FFFFFFFF"},
        {"holding:100:u32", "4294967296", NULL},
        {"holding:100:s32", "-2", "10 0064 0002 04 FFFFFFFE"},
        {"holding:100:f32", "220.1", "10 0064 0002 04 435C199A"},
        {"holding:100:f32:dcba", "220.1", "10 0064 0002 04 9A195C43"},
        {"holding:100:f32", "1e39", NULL},
        {"holding:100:f64", "-123.456", "10 0064 0004 08 C05EDD2F1A9FBE77"},
        {"holding:100:u64", "256", "10 0064 0004 08 0000000000000100"},
        {"holding:100:s64", "-1", "10 0064 0004 08 FFFFFFFFFFFFFFFF"},
        {"holding:100:s64", "9007199254740993000", NULL}, /* not exact any more */
        {"holding:100:bcd16", "1234", "06 0064 1234"},
        {"holding:100:bcd16", "10000", NULL},
        {"holding:100:bcd32", "99999999", "10 0064 0002 04 99999999"},
        {"holding:100:s16:!8000", "-32768", NULL}, /* there it would mean nothing */
        {"holding:100:bit3", "1", "16 0064 FFF7 0008"},
        {"holding:100:bit3", "off", "16 0064 FFF7 0000"},
        {"holding:100:bit3", "2", NULL},
        {"holding:100 holding:101", "1", NULL},
        {"", "1", NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("17", all[i].item, all[i].value);
        struct buf out;
        buf_init_arena(&out, &t->arena, MODBUS_TCP_MAX + 1);
        bool ok = modbus_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == !!all[i].pdu, "%s %s", all[i].item, all[i].value);
        struct bytes want = vector_bytes(t, ok && all[i].pdu ? all[i].pdu : "");
        CHECK_SAY(t, !ok || (out.len == 7 + want.len && !memcmp(out.ptr + 7, want.ptr, want.len)), "%s %s: " STR_FMT,
                  all[i].item, all[i].value, STR_ARG(hex_of(t, &out)));
    }
}

static void units_are_those_of_their_wire(struct t *t) {
    static const struct {
        const char *unit;
        bool rtu, tcp;
    } all[] = {{"1", true, true},      {"247", true, true},  {"248", false, true},
               {"255", false, true},   {"0", false, true},   {"256", false, false},
               {"", false, false},     {"x", false, false},  {"-1", false, false},
               {"0001", false, false}, {"01", false, false}, {"1 ", false, false}}; /* two rows would be one unit */
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].unit, "holding:0", NULL);
        struct buf out;
        buf_init_arena(&out, &t->arena, 1000);
        CHECK_SAY(t, modbus_rtu_codec.asking->ask(&q, &out) == all[i].rtu, "%s", all[i].unit);
        CHECK_SAY(t, modbus_codec.asking->ask(&q, &out) == all[i].tcp, "%s", all[i].unit);
    }
}

/* ---- answers ---- */

static void an_answer_is_told_from_what_is_none(struct t *t) {
    static const struct {
        const char *item, *value, *hex;
        enum answer answer;
        const char *data; /* or why it was refused */
    } all[] = {
        {"holding:0", NULL, "0107 0000 0005 01 03 02 0007", ANSWER_WHOLE, "0007"},
        {"holding:0", NULL, "0108 0000 0005 01 03 02 0007", ANSWER_OTHER, ""}, /* to another question */
        {"holding:0", NULL, "0107 0000 0005 02 03 02 0007", ANSWER_OTHER, ""},
        {"holding:0", NULL, "0107 0000 0005 01 04 02 0007", ANSWER_OTHER, ""},
        {"holding:0", NULL, "0107 0000 0007 01 03 04 0007 0008", ANSWER_OTHER, ""}, /* of two registers */
        {"holding:0:u32", NULL, "0107 0000 0007 01 03 04 0007 0008", ANSWER_WHOLE, "00070008"},
        {"holding:0", NULL, "0107 0000 0006 01 03 0000 0001", ANSWER_OTHER, ""}, /* our own question */
        {"holding:0", NULL, "0107 0000 0003 01 83 02", ANSWER_REFUSED, "illegal_address"},
        {"holding:0", NULL, "0107 0000 0003 01 83 04", ANSWER_REFUSED, "device_failure"},
        {"holding:0", NULL, "0107 0000 0003 01 83 06", ANSWER_OTHER, ""}, /* busy: not now */
        {"holding:5", "7", "0107 0000 0003 01 86 06", ANSWER_REFUSED, "busy"},
        {"holding:0", NULL, "0107 0000 0003 01 83 63", ANSWER_REFUSED, "exception"},
        {"holding:0", NULL, "0107 0000 0003 01 84 02", ANSWER_OTHER, ""},
        {"holding:0", NULL, "0107 0000 0003 01 83 0A", ANSWER_OTHER, ""}, /* the gateway's, not the device's */
        {"holding:0", NULL, "0107 0000 0003 01 83 0B", ANSWER_OTHER, ""},
        {"coil:0 coil:9", NULL, "0107 0000 0005 01 01 02 0102", ANSWER_WHOLE, "0102"},
        {"coil:0 coil:9", NULL, "0107 0000 0004 01 01 01 01", ANSWER_OTHER, ""},
        {"coil:769 coil:785", NULL, "0107 0000 0006 01 01 03 010011", ANSWER_OTHER, ""}, /* an echo that looks so */
        {"coil:769 coil:785", NULL, "0107 0000 0006 01 01 03 010012", ANSWER_WHOLE, "010012"},
        {"coil:5", "on", "0107 0000 0006 01 05 0005 FF00", ANSWER_WHOLE, ""},
        {"coil:5", "on", "0107 0000 0006 01 05 0005 0000", ANSWER_OTHER, ""},
        {"coil:5", "on", "0107 0000 0006 01 05 0006 FF00", ANSWER_OTHER, ""},
        {"coil:5:many", "on", "0107 0000 0006 01 0F 0005 0001", ANSWER_WHOLE, ""},
        {"holding:5", "7", "0107 0000 0006 01 06 0005 0007", ANSWER_WHOLE, ""},
        {"holding:5", "7", "0107 0000 0006 01 06 0005 0008", ANSWER_OTHER, ""},
        {"holding:5", "7", "0107 0000 0003 01 86 03", ANSWER_REFUSED, "illegal_value"},
        {"holding:5", "7", "0107 0000 0003 01 86 05", ANSWER_WHOLE, NULL}, /* it does it */
        {"holding:5:u32", "7", "0107 0000 0006 01 10 0005 0002", ANSWER_WHOLE, ""},
        {"holding:5:u32", "7", "0107 0000 0006 01 10 0005 0001", ANSWER_OTHER, ""},
        {"holding:5:bit0", "1", "0107 0000 0008 01 16 0005 FFFE 0001", ANSWER_WHOLE, ""},
        {"holding:5:bit0", "1", "0107 0000 0008 01 16 0005 FFFE 0000", ANSWER_OTHER, ""},
        {"", NULL, "0107 0000 0005 01 03 02 0007", ANSWER_WHOLE, "0007"},
        {"", NULL, "0107 0000 0003 01 83 02", ANSWER_WHOLE, ""}, /* who refuses is there */
        {"", NULL, "0107 0000 0003 01 83 0B", ANSWER_OTHER, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("1", all[i].item, all[i].value);
        struct buf data;
        const char *why = "";
        buf_init_arena(&data, &t->arena, 512);
        q.serial = 7;
        enum answer answer = modbus_codec.asking->answers(&q, vector_bytes(t, all[i].hex), &data, &why);
        struct str got = answer == ANSWER_REFUSED ? str_of(why) : hex_of(t, &data);
        CHECK_SAY(t, answer == all[i].answer && str_is(got, all[i].data), "row %zu: %d " STR_FMT, i, (int)answer,
                  STR_ARG(got));
    }
}

static void over_rtu_the_unit_and_the_length_must_do(struct t *t) {
    struct question q = question("1", "input:0", NULL);
    struct buf data;
    const char *why;
    buf_init_arena(&data, &t->arena, 512);
    const struct asking *a = modbus_rtu_codec.asking;
    CHECK(t, a->answers(&q, vector_bytes(t, "01 04 02 00 01 78 F0"), &data, &why) == ANSWER_WHOLE && data.len == 2);
    CHECK(t, a->answers(&q, vector_bytes(t, "01 04 02 00 01 78 F1"), &data, &why) == ANSWER_OTHER);
    CHECK(t, a->answers(&q, vector_bytes(t, "01 04 00 00 00 01 31 CA"), &data, &why) == ANSWER_OTHER);
    q.address = S("2");
    CHECK(t, a->answers(&q, vector_bytes(t, "01 04 02 00 01 78 F0"), &data, &why) == ANSWER_OTHER);
}

static void an_answer_that_is_too_short_is_refused(struct t *t) {
    struct question q = question("1", "input:0 input:1", NULL);
    struct decoded d;
    struct wire_error e = {NULL, 0};
    CHECK(t, !modbus_codec.asking->read(&q, vector_bytes(t, "0001"), &t->arena, &d, &e) && e.rule);
}

static void who_is_there_is_asked_of_every_unit(struct t *t) {
    struct question q;
    struct decoded d;
    struct wire_error e;
    const struct asking *a = modbus_rtu_codec.asking;
    for (size_t n = 0; n < MODBUS_UNITS; n++) {
        int64_t unit = 0;
        struct buf out;
        buf_init_arena(&out, &t->arena, 20);
        CHECK(t, a->find(n, &q) && str_to_i64(q.address, &unit) && unit == (int64_t)n + 1 && a->ask(&q, &out));
        CHECK(t, out.len == 8 && (uint8_t)out.ptr[0] == n + 1 && !memcmp(out.ptr + 1, "\x03\0\0\0\1", 5));
    }
    CHECK(t, !a->find(MODBUS_UNITS, &q));
    const struct asking *tcp = modbus_codec.asking;
    bool asked[MODBUS_UNITS + 1] = {false};
    for (size_t n = 0; n < MODBUS_UNITS; n++) {
        int64_t unit = 0;
        CHECK(t, tcp->find(n, &q) && str_to_i64(q.address, &unit) && !asked[unit]);
        CHECK(t, n ? n > tcp->find_decoys || unit > MODBUS_UNITS - tcp->find_decoys : unit == 1);
        asked[unit] = true;
    }
    CHECK(t, !tcp->find(MODBUS_UNITS, &q) && !a->find_decoys);
    CHECK(t, a->find(16, &q) && a->read(&q, (struct bytes){NULL, 0}, &t->arena, &d, &e));
    CHECK(t, str_is(d.sender, "17") && !d.readings_n);
}

TESTS(CASE(an_item_says_what_stands_in_registers), CASE(a_list_is_one_question_where_that_is_worth_it),
      CASE(what_is_written_is_what_was_said), CASE(units_are_those_of_their_wire),
      CASE(an_answer_is_told_from_what_is_none), CASE(over_rtu_the_unit_and_the_length_must_do),
      CASE(an_answer_that_is_too_short_is_refused), CASE(who_is_there_is_asked_of_every_unit))
