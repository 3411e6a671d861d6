/* Vectors of OSDP packets, what is refused, questions and answers, cards and keys.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/osdp/osdp.h"
#include "tests/lib/vectors.h"

#include <stdio.h>
#include <string.h>

static const struct vector rows[] = {
    {.name = "A01 poll",
     .hex = "53 65 08 00 04 60 60 90",
     .json = "\"address\":101,\"command\":\"poll\",\"sequence\":0,\"check\":\"crc\""},
    {.name = "A02 who is it?", .hex = "53 65 09 00 04 61 00 D9 7A", .json = "\"command\":\"id\",\"sequence\":0"},
    {.name = "A03 who it is",
     .hex = "53 E5 14 00 04 45 A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3 F8 D9",
     .json = "\"address\":101,\"reply\":\"pdid\",\"sequence\":0,\"check\":\"crc\",\"vendor_hex\":\"A1A2A3\",\"model\":"
             "177,\"version\":193,\"serial_hex\":\"D1D2D3D4\",\"firmware_hex\":\"E1E2E3\""},
    {.name = "A04 nothing new", .hex = "53 E5 08 00 06 40 B0 F0", .json = "\"reply\":\"ack\",\"sequence\":2"},
    {.name = "A05 with a sum",
     .hex = "53 E5 07 00 01 40 80",
     .json = "\"reply\":\"ack\",\"sequence\":1,\"check\":\"sum\""},
    {.name = "A06 refused",
     .hex = "53 E5 09 00 05 41 01 0E 8F",
     .json = "\"reply\":\"nak\",\"sequence\":1,\"check\":\"crc\",\"reason\":1,\"why\":\"check\""},
    {.name = "A07 a card",
     .hex = "53 80 10 00 05 50 00 01 1A 00 BD 88 EB 80 CD 65",
     .json = "\"reply\":\"raw\",\"sequence\":1,\"check\":\"crc\",\"reader\":0,\"format\":1,\"bits\":26",
     .said = "!card_read ",
     .passes = "card 8065495 ",
     .device = "0"},
    {.name = "A08 open for 3 s",
     .hex = "53 01 0C 00 06 68 00 05 1E 00 B2 74",
     .json = "\"command\":\"out\",\"sequence\":2,\"check\":\"crc\",\"records\":[{\"output\":0,\"control\":5,\"timer\":"
             "30}]"},
    {.name = "with a mark", .hex = "FF 53 65 08 00 04 60 60 90", .json = "\"mark\":true,\"address\":101"},
    {.name = "no packet", .hex = "54 65 08 00 04 60 60 90", .rule = "OSDP SOM", .at = 0},
    {.name = "no packet behind a mark", .hex = "FF 65 08 00 04 60 60 90", .rule = "OSDP SOM", .at = 1},
    {.name = "nothing", .hex = "", .rule = "OSDP SOM", .at = 0},
    {.name = "one byte", .hex = "53", .rule = "OSDP length", .at = 1},
    {.name = "cut short", .hex = "53 65 08 00 04 60 60", .rule = "OSDP length", .at = 2},
    {.name = "too short for anything", .hex = "53 65 06 00 00 42", .rule = "OSDP length", .at = 2},
    {.name = "a wrong CRC", .hex = "53 65 08 00 04 60 60 91", .rule = "OSDP CRC", .at = 6},
    {.name = "a wrong sum", .hex = "53 E5 07 00 01 40 81", .rule = "OSDP checksum", .at = 6},
    {.name = "a secure channel is asked for",
     .hex = "53 65 13 00 0C 03 11 00 76 B0 B1 B2 B3 B4 B5 B6 B7 98 D0",
     .rule = "OSDP security block: a secure channel",
     .at = 5},
    {.name = "within a secure channel",
     .hex = "53 65 0E 00 0E 02 15 60 01 02 03 04 18 AB",
     .rule = "OSDP security block: a secure channel",
     .at = 5},
    {.name = "a block longer than the packet",
     .hex = "53 65 0A 00 0C 09 11 60 D0 23",
     .rule = "OSDP security block: its length",
     .at = 5},
    {.name = "a block of another type",
     .hex = "53 65 0B 00 0C 03 19 00 60 E6 DA",
     .rule = "OSDP security block: there is no such type",
     .at = 6},
    {.name = "no MAC", .hex = "53 65 0A 00 0C 02 15 60 E5 1F", .rule = "OSDP security block: the MAC", .at = 8},
    {.name = "no such command",
     .hex = "53 65 08 00 04 40 02 B4",
     .rule = "OSDP code: there is no such command",
     .at = 5},
    {.name = "no such reply", .hex = "53 E5 08 00 04 60 B0 B2", .rule = "OSDP code: there is no such reply", .at = 5},
};

/* A packet around a code and its data. */
static struct bytes packet(struct t *t, uint8_t address, bool is_reply, uint8_t code, const char *hex) {
    struct buf b;
    struct osdp_frame f = {.address = address, .is_reply = is_reply, .code = code, .data = vector_bytes(t, hex)};
    buf_init_arena(&b, &t->arena, OSDP_PACKET_MAX + 2);
    CHECK(t, osdp_encode(&f, &b));
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &osdp_codec, rows, COUNT(rows));
}

static void what_is_secured_is_taken_apart(struct t *t) {
    struct osdp_frame f;
    struct wire_error e;
    CHECK(t, osdp_decode(vector_bytes(t, "53 65 13 00 0C 03 11 00 76 B0 B1 B2 B3 B4 B5 B6 B7 98 D0"), &f, &e));
    CHECK(t, f.security.len == 2 && f.security.ptr[0] == 0x11 && !f.mac.len && f.code == 0x76 && f.data.len == 8);
    CHECK(t, osdp_decode(vector_bytes(t, "53 65 0E 00 0E 02 15 60 01 02 03 04 18 AB"), &f, &e));
    CHECK(t, f.security.len == 1 && f.mac.len == 4 && f.mac.ptr[0] == 1 && f.code == OSDP_POLL && !f.data.len);
}

static void what_replies_say(struct t *t) {
    static const struct {
        uint8_t code;
        const char *hex, *rule, *said, *passes;
        size_t at;
    } all[] = {
        {OSDP_LSTATR, "01 00", NULL, "!tamper -power_failure ", "", 0},
        {OSDP_LSTATR, "00 01", NULL, "-tamper !power_failure ", "", 0},
        {OSDP_LSTATR, "00", "OSDP LSTATR", "", "", 7},
        {OSDP_ISTATR, "00 01", NULL, "input_0=0 input_1=1 ", "", 0},
        {OSDP_OSTATR, "01", NULL, "output_0=1 ", "", 0},
        {OSDP_RSTATR, "00 02", NULL, "-reader_lost -reader_tamper -reader_lost !reader_tamper ", "", 0},
        {OSDP_RAW, "01 00 22 00 89 1A 2B 3C 40", NULL, "!card_read ", "card 305419896 ", 0},
        {OSDP_RAW, "00 00 25 00 BD 88 EB 80 A8", NULL, "!card_read ", "card 37:BD88EB80A8 ", 0},
        {OSDP_RAW, "00 01 1A 00 BD 88 EB C0", "Wiegand parity", "", "", 13},
        {OSDP_RAW, "00 01 1A 00 BD 88 EB", "Wiegand length", "", "", 13},
        {OSDP_RAW, "00 01 00 00", "Wiegand length", "", "", 10},
        {OSDP_RAW, "00 01 1A", "OSDP RAW", "", "", 9},
        {OSDP_KEYPAD, "00 05 31 32 33 34 0D", NULL, "!keys_pressed ", "keys 1234# ", 0},
        {OSDP_KEYPAD, "00 01 39", NULL, "!keys_pressed ", "keys 9 ", 0},
        {OSDP_KEYPAD, "00 00", NULL, "!keys_pressed ", "", 0},
        {OSDP_KEYPAD, "00 06 31 7F 32 33 34 0D", NULL, "!keys_pressed ", "keys 1*234# ", 0},
        {OSDP_KEYPAD, "00 05 31 32 33 34", "OSDP KEYPAD", "", "", 7},
        {OSDP_KEYPAD, "00 02 31 41", "OSDP KEYPAD: a key", "", "", 9},
        {OSDP_ACK, "", NULL, "", "", 0},
        {OSDP_PDCAP, "01 02 03", NULL, "", "", 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct vector v = {.name = all[i].hex, .hex = "", .said = all[i].said, .passes = all[i].passes, .device = "5"};
        struct buf hex;
        buf_init_arena(&hex, &t->arena, 256);
        buf_hex(&hex, packet(t, 5, true, all[i].code, all[i].hex));
        v.hex = hex.ptr;
        v.rule = all[i].rule;
        v.at = all[i].at;
        vectors_check(t, &osdp_codec, &v, 1);
    }
}

static struct question asked_for(const char *address, const char *item, const char *value) {
    return (struct question){.address = str_of(address), .item = str_of(item), .value = str_of(value), .serial = 7};
}

static void what_is_asked_is_as_the_sheet_has_it(struct t *t) {
    static const struct {
        const char *address, *item, *value;
        const char *hex; /* NULL: it cannot be asked */
    } all[] = {
        {"101", "poll", NULL, "53 65 08 00 04 60 60 90"},  /* A01 */
        {"101", "id", NULL, "53 65 09 00 04 61 00 D9 7A"}, /* A02 */
        {"101", "", NULL, "53 65 09 00 04 61 00 D9 7A"},
        {"1", "out", "0 5 30", "53 01 0C 00 04 68 00 05 1E 00 F2 FF"}, /* A08 but for the sequence */
        {"1", "buz", "0 2 3 2 1", "53 01 0D 00 04 6A 00 02 03 02 01 CF AA"},
        {"1", "led", "0 0 2 10 0 2 0 30 1 1 0 1 0",
         "53 01 16 00 04 69 00 00 02 0A 00 02 00 1E 00 01 01 00 01 00 BA AD"},
        {"1", "out", "0 5", NULL},
        {"1", "out", "0 5 30 1", NULL},
        {"1", "out", "0 5 65536", NULL},
        {"1", "out", "0 x 1", NULL},
        {"1", "out", NULL, NULL},
        {"1", "lstat", "1", NULL},
        {"1", "comset", "1 9600", NULL},
        {"1", "open", NULL, NULL},
        {"127", "", NULL, "53 7F 09 00 04 61 00 5F E6"}, /* who is there? */
        {"127", "poll", NULL, NULL},
        {"128", "id", NULL, NULL},
        {"-1", "poll", NULL, NULL},
        {"", "poll", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].value);
        struct buf b, hex;
        buf_init_arena(&b, &t->arena, OSDP_PACKET_MAX + 2);
        buf_init_arena(&hex, &t->arena, 256);
        bool ok = osdp_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == !!all[i].hex, "%s %s", all[i].address, all[i].item);
        struct bytes want = vector_bytes(t, ok ? all[i].hex : "");
        buf_hex(&hex, (struct bytes){(const uint8_t *)b.ptr, b.len});
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr ? b.ptr : "", want.ptr, want.len), "%s %s: %s", all[i].address,
                  all[i].item, hex.ptr ? hex.ptr : "");
    }
}

static void questions_are_numbered(struct t *t) {
    static const struct {
        const char *address;
        uint8_t nth, sequence;
    } all[] = {{"5", 0, 0}, {"5", 1, 1}, {"5", 2, 2},   {"5", 3, 3},
               {"5", 4, 1}, {"5", 6, 3}, {"5", 255, 3}, {"127", 1, 0} /* who answers has another number */};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, "id", NULL);
        struct osdp_frame f;
        struct wire_error e;
        struct buf b, data;
        const char *why = "";
        q.nth = all[i].nth;
        buf_init_arena(&b, &t->arena, OSDP_PACKET_MAX + 2);
        buf_init_arena(&data, &t->arena, 512);
        CHECK(t, osdp_codec.asking->ask(&q, &b));
        CHECK(t, osdp_decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &f, &e));
        CHECK_SAY(t, f.sequence == all[i].sequence, "row %zu: %d", i, f.sequence);
        CHECK(t, osdp_codec.asking->is_known_again(&q) == !!f.sequence);
        for (uint8_t k = 0; k < 4; k++) { /* a reply has the number of its question */
            struct osdp_frame nak = {.address = 5, .is_reply = true, .sequence = k, .code = OSDP_NAK};
            nak.data = vector_bytes(t, "04");
            buf_init_arena(&b, &t->arena, OSDP_PACKET_MAX + 2);
            CHECK(t, osdp_encode(&nak, &b));
            enum answer answer =
                osdp_codec.asking->answers(&q, (struct bytes){(const uint8_t *)b.ptr, b.len}, &data, &why);
            CHECK_SAY(t,
                      answer == (k != f.sequence ? ANSWER_OTHER
                                 : k             ? ANSWER_ANEW
                                                 : ANSWER_REFUSED),
                      "row %zu: %d", i, (int)answer);
        }
    }
}

static void an_answer_is_told_from_what_is_none(struct t *t) {
    static const struct {
        const char *address, *item, *value, *hex;
        enum answer answer;
        const char *data; /* or why it was refused */
    } all[] = {
        {"101", "poll", NULL, "53 E5 08 00 04 40 D2 96", ANSWER_WHOLE, "6540"},
        {"101", "poll", NULL, "53 65 08 00 04 60 60 90", ANSWER_OTHER, ""},
        {"100", "poll", NULL, "53 E5 08 00 04 40 D2 96", ANSWER_OTHER, ""},
        {"101", "poll", NULL, "53 E5 08 00 06 40 B0 F0", ANSWER_OTHER, ""}, /* of another sequence */
        {"101", "id", NULL, "53 E5 14 00 04 45 A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3 F8 D9", ANSWER_WHOLE,
         "6545A1A2A3B1C1D1D2D3D4E1E2E3"},
        {"127", "", NULL, "53 E5 14 00 04 45 A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3 F8 D9", ANSWER_WHOLE,
         "6545A1A2A3B1C1D1D2D3D4E1E2E3"},
        {"101", "cap", NULL, "53 E5 14 00 04 45 A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3 F8 D9", ANSWER_OTHER, ""},
        {"101", "poll", NULL, "NAK 01", ANSWER_REFUSED, "check"},
        {"101", "poll", NULL, "NAK 06", ANSWER_REFUSED, "needs_secure_channel"},
        {"101", "poll", NULL, "53 E5 0E 00 0C 02 16 40 01 02 03 04 40 6B", ANSWER_REFUSED, "needs_secure_channel"},
        {"101", "out", "0 5 30", "NAK 04", ANSWER_REFUSED, "sequence"},
        {"101", "out", "0 5 30", "NAK 0A", ANSWER_REFUSED, "other"},
        {"101", "out", "0 5 30", "BUSY", ANSWER_REFUSED, "busy"},
        {"101", "out", "0 5 30", "53 E5 08 00 04 40 D2 96", ANSWER_WHOLE, "6540"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].value);
        struct buf data, hex;
        const char *why = "";
        struct str got = S("");
        struct bytes whole;
        if (!strncmp(all[i].hex, "NAK", 3))
            whole = packet(t, 101, true, OSDP_NAK, all[i].hex + 3);
        else
            whole = !strcmp(all[i].hex, "BUSY") ? packet(t, 101, true, OSDP_BUSY, "") : vector_bytes(t, all[i].hex);
        buf_init_arena(&data, &t->arena, 512);
        buf_init_arena(&hex, &t->arena, 512);
        enum answer answer = osdp_codec.asking->answers(&q, whole, &data, &why);
        buf_hex(&hex, (struct bytes){(const uint8_t *)data.ptr, data.len});
        if (hex.len) CHECK(t, buf_done(&hex, &got));
        CHECK_SAY(t, answer == all[i].answer, "row %zu: %d", i, (int)answer);
        CHECK_SAY(t, str_is(answer == ANSWER_REFUSED ? str_of(why) : got, all[i].data), "row %zu: " STR_FMT " %s", i,
                  STR_ARG(got), why);
    }
}

static void a_card_that_is_read_answers_a_poll(struct t *t) {
    struct question q = asked_for("0", "poll", NULL);
    struct decoded d;
    struct wire_error e;
    struct buf data;
    const char *why;
    buf_init_arena(&data, &t->arena, 64);
    struct bytes whole = packet(t, 0, true, OSDP_RAW, "00 01 1A 00 BD 88 EB 80");
    CHECK(t, osdp_codec.asking->answers(&q, whole, &data, &why) == ANSWER_WHOLE);
    CHECK(t, osdp_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
    CHECK(t, d.passings_n == 1 && str_is(d.passings[0].value, "8065495") && d.passings[0].kind == PASSING_CARD);
    CHECK(t, d.events_n == 1 && str_is(d.events[0].part, "0") && !d.events[0].text.len); /* not in the clear */
}

static void who_is_there_is_asked_of_all(struct t *t) {
    struct question q;
    struct decoded d;
    struct wire_error e;
    struct buf data;
    const char *why;
    buf_init_arena(&data, &t->arena, 64);
    CHECK(t, osdp_codec.asking->find(0, &q) && !osdp_codec.asking->find(1, &q));
    struct bytes whole = packet(t, 5, true, OSDP_PDID, "A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3");
    CHECK(t, osdp_codec.asking->answers(&q, whole, &data, &why) == ANSWER_WHOLE);
    CHECK(t, osdp_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
    CHECK(t, str_is(d.sender, "5"));
}

static void packets_are_made_from_what_they_need(struct t *t) {
    static const struct {
        const char *json, *hex, *rule;
    } all[] = {
        {"{\"address\":101,\"command\":\"poll\"}", "53 65 08 00 04 60 60 90", NULL},
        {"{\"address\":101,\"command\":\"id\"}", "53 65 09 00 04 61 00 D9 7A", NULL},
        {"{\"address\":1,\"sequence\":2,\"command\":\"out\",\"output\":0,\"control\":5,\"timer\":30}",
         "53 01 0C 00 06 68 00 05 1E 00 B2 74", NULL},
        {"{\"address\":101,\"sequence\":1,\"check\":\"sum\",\"reply\":\"ack\"}", "53 E5 07 00 01 40 80", NULL},
        {"{\"command\":\"poll\"}", NULL, "address: is missing"},
        {"{\"address\":128,\"command\":\"poll\"}", NULL, "address: "},
        {"{\"address\":1}", NULL, "command: is missing"},
        {"{\"address\":1,\"command\":\"look\"}", NULL, "command: is not one"},
        {"{\"address\":1,\"reply\":\"poll\"}", NULL, "reply: is not one"},
        {"{\"address\":1,\"command\":\"out\",\"output\":0}", NULL, "control: is missing"},
        {"{\"address\":1,\"reply\":\"pdid\",\"vendor_hex\":\"01\"}", NULL, "vendor: "},
        {"{\"address\":1,\"command\":\"poll\",\"check\":\"none\"}", NULL, "check: "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, 512);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = osdp_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (!ok || !all[i].hex) continue;
        struct bytes want = vector_bytes(t, all[i].hex);
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr, want.ptr, want.len), "%s: made otherwise", all[i].json);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(what_is_secured_is_taken_apart), CASE(what_replies_say),
      CASE(what_is_asked_is_as_the_sheet_has_it), CASE(questions_are_numbered),
      CASE(an_answer_is_told_from_what_is_none), CASE(a_card_that_is_read_answers_a_poll),
      CASE(who_is_there_is_asked_of_all), CASE(packets_are_made_from_what_they_need))
