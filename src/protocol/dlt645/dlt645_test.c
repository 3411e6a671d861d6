/* Vectors of DL/T 645 frames, what is refused, blocks, signs, missing values.  SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "protocol/dlt645/dlt645.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "D01 read forward active energy",
     .hex = "FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16",
     .json = "\"address\":\"000000000161\",\"function\":\"read\",\"from\":\"master\",\"refused\":false,\"more\":false,"
             "\"di\":\"00010000\""},
    {.name = "D02 energy",
     .hex = "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16",
     .said = "energy=0.26 kWh ",
     .device = "000000000161"},
    {.name = "D03 energy of another meter",
     .hex = "68 76 02 02 47 02 02 68 91 08 33 33 34 33 35 33 33 33 C9 16",
     .said = "energy=0.02 kWh ",
     .device = "020247020276"},
    {.name = "D04 read combined energy",
     .hex = "FE FE FE FE 68 29 25 07 07 21 20 68 11 04 33 33 33 33 4E 16",
     .json = "\"di\":\"00000000\""},
    {.name = "D05 voltages of a meter with one phase",
     .hex = "68 60 64 02 09 22 04 68 91 0A 33 32 34 35 47 56 33 33 33 33 97 16",
     .said = "voltage_a=231.4 V voltage_b=0 V voltage_c=0 V ",
     .device = "042209026460"},
    {.name = "D06 read the address",
     .hex = "68 AA AA AA AA AA AA 68 13 00 DF 16",
     .json = "\"address\":\"AAAAAAAAAAAA\",\"function\":\"address\""},
    {.name = "D07 a wrong sum",
     .hex = "68 11 11 11 11 11 11 68 91 06 33 33 33 33 33 33 7A 16",
     .rule = "DL/T 645 CS",
     .at = 16},
    {.name = "D08 the address",
     .hex = "68 29 25 07 07 21 20 68 93 06 5C 58 3A 3A 54 53 D5 16",
     .json = "\"data_hex\":\"292507072120\""},
    {.name = "D09 refused",
     .hex = "68 29 25 07 07 21 20 68 D1 01 35 74 16",
     .json = "\"refused\":true,\"more\":false,\"errors\":[\"no_data\"]"},
    {.name = "D10 read the frequency",
     .hex = "68 61 01 00 00 00 00 68 11 04 35 33 B3 35 97 16",
     .json = "\"di\":\"02800002\""},
    {.name = "D11 power that is fed in",
     .hex = "68 61 01 00 00 00 00 68 91 07 33 33 36 35 83 67 C5 4A 16",
     .said = "power=-12.345 kW "},
    {.name = "D12 the first part",
     .hex = "68 61 01 00 00 00 00 68 B1 06 33 32 34 35 34 55 40 16",
     .json = "\"more\":true,\"di\":\"0201FF00\""},
    {.name = "D13 read what follows",
     .hex = "68 61 01 00 00 00 00 68 12 05 33 32 34 35 34 4B 16",
     .json = "\"function\":\"following\",\"from\":\"master\",\"refused\":false,\"more\":false,\"di\":\"0201FF00\","
             "\"part\":1"},
    {.name = "D14 the time for all",
     .hex = "FE FE FE FE 68 99 99 99 99 99 99 68 08 06 89 48 3B 54 44 59 71 16",
     .json = "\"function\":\"time\",\"from\":\"master\",\"refused\":false,\"more\":false,\"time\":\"2026-11-21T08:15:"
             "56\""},
    {.name = "D15 read energy, 1997",
     .hex = "68 54 07 13 00 80 13 68 01 02 43 C3 DA 16",
     .json = "\"function\":\"read_97\",\"from\":\"master\",\"refused\":false,\"more\":false,\"di\":\"9010\""},
    {.name = "D16 energy, 1997",
     .hex = "68 54 07 13 00 80 13 68 81 06 43 C3 34 33 33 33 2B 16",
     .said = "energy=0.01 kWh ",
     .device = "138000130754"},
    {.name = "five FE", .hex = "FE FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16", .rule = "DL/T 645 start", .at = 5},
    {.name = "no second 68", .hex = "68 AA AA AA AA AA AA 69 13 00 E0 16", .rule = "DL/T 645 start: a second", .at = 7},
    {.name = "no end", .hex = "68 AA AA AA AA AA AA 68 13 00 DF 17", .rule = "DL/T 645 end", .at = 11},
    {.name = "cut short", .hex = "68 AA AA AA AA AA AA 68 13 01 DF 16", .rule = "DL/T 645 L: the length", .at = 9},
    {.name = "too long", .hex = "68 AA AA AA AA AA AA 68 13 C9 DF 16", .rule = "DL/T 645 L: at most", .at = 9},
    {.name = "no digits", .hex = "68 AB AA AA AA AA AA 68 13 00 E0 16", .rule = "DL/T 645 A0..A5", .at = 1},
    {.name = "no function", .hex = "68 AA AA AA AA AA AA 68 1F 00 EB 16", .rule = "DL/T 645 C", .at = 8},
    {.name = "a refusal without a reason",
     .hex = "68 29 25 07 07 21 20 68 D1 00 3E 16",
     .rule = "DL/T 645 L: a refusal",
     .at = 9},
    {.name = "nothing", .hex = "", .rule = "DL/T 645 start", .at = 0},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &dlt645_codec, rows, COUNT(rows));
}

static void values_of_items_and_blocks(struct t *t) {
    static const struct {
        uint32_t di;
        const char *hex;
        size_t n, rest;
        const char *metric; /* the last one */
        double value;
        uint8_t period;
        bool is_97, is_missing;
    } all[] = {
        {0x0001ff00, "01000000 02000000 03000000 04000000 05000000", 5, 0, "energy_t4", 0.05, 0, false, false},
        {0x0001ff00, "01000000 02000000", 2, 0, "energy_t1", 0.02, 0, false, false}, /* a meter without tariffs */
        {0x00010000, "FFFFFFFF", 1, 0, "energy", 0, 0, false, true},
        {0x00010000, "7856341A", 1, 0, "energy", 0, 0, false, true},
        {0x00000000, "01000080", 1, 0, "energy_net", -0.01, 0, false, false},
        {0x0001ff01, "00010000", 1, 0, "energy", 1, 1, false, false},
        {0x0001000c, "00010000", 1, 0, "energy", 1, 12, false, false},
        {0x0001000d, "00010000", 0, 4, NULL, 0, 0, false, false},
        {0x0203ff00, "000000 000100 000200 000380", 4, 0, "power_c", -0.03, 0, false, false},
        {0x02060000, "0081", 1, 0, "power_factor", -0.1, 0, false, false},
        {0x02060000, "FFFF", 1, 0, "power_factor", 0, 0, false, true},
        {0x02800002, "9949", 1, 0, "frequency", 49.99, 0, false, false},
        {0x02800002, "99", 0, 1, NULL, 0, 0, false, false},
        {0x04000101, "01020304", 0, 4, NULL, 0, 0, false, false}, /* no quantity */
        {0x901f, "01000000 02000000 03000000 04000000 05000000 AA", 5, 1, "energy_t4", 0.05, 0, true, false},
        {0xb61f, "2002 1902 2102", 3, 0, "voltage_c", 221, 0, true, false},
        {0xb621, "3412", 1, 0, "current_a", 12.34, 0, true, false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct dlt645_value v[DLT645_VALUES_MAX];
        size_t rest;
        size_t n = dlt645_values(all[i].di, all[i].is_97, vector_bytes(t, all[i].hex), v, &rest);
        CHECK_SAY(t, n == all[i].n && rest == all[i].rest, "%08X: %zu values, %zu bytes left", all[i].di, n, rest);
        if (!n || n != all[i].n) continue;
        v[n - 1].value -= all[i].value;
        CHECK_SAY(t, !strcmp(v[n - 1].metric, all[i].metric) && v[n - 1].value > -1e-9 && v[n - 1].value < 1e-9,
                  "%08X: %s off by %g", all[i].di, v[n - 1].metric, v[n - 1].value);
        CHECK_SAY(t, v[n - 1].is_missing == all[i].is_missing && v[n - 1].period == all[i].period, "%08X", all[i].di);
    }
}

static void questions_are_made_from_what_they_need(struct t *t) {
    static const struct {
        const char *json, *hex, *rule;
    } all[] = {
        {"{\"wake\":0,\"address\":\"000000000161\",\"function\":\"read\",\"di\":\"02800002\"}",
         "68 61 01 00 00 00 00 68 11 04 35 33 B3 35 97 16", NULL},
        {"{\"address\":\"000000000161\",\"function\":\"following\",\"di\":\"0201ff00\",\"wake\":0}",
         "68 61 01 00 00 00 00 68 12 05 33 32 34 35 34 4B 16", NULL},
        {"{\"address\":\"AAAAAAAAAAAA\",\"function\":\"address\",\"wake\":0}", "68 AA AA AA AA AA AA 68 13 00 DF 16",
         NULL},
        {"{\"address\":\"161\",\"function\":\"read\",\"di\":\"02800002\"}", NULL, "address: "},
        {"{\"address\":\"000000000161\",\"di\":\"02800002\"}", NULL, "function: is missing"},
        {"{\"address\":\"000000000161\",\"function\":\"look\"}", NULL, "function: "},
        {"{\"address\":\"000000000161\",\"function\":\"read\",\"di\":\"9010\"}", NULL, "di: is not 8"},
        {"{\"address\":\"000000000161\",\"function\":\"read_97\",\"di\":\"00010000\"}", NULL, "di: is not 4"},
        {"{\"address\":\"000000000161\",\"function\":\"address\",\"di\":\"00010000\"}", NULL, "di: has no place"},
        {"{\"address\":\"000000000161\",\"function\":\"read\",\"from\":\"me\"}", NULL, "from: "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, 512);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = dlt645_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (!ok || !all[i].hex) continue;
        struct bytes want = vector_bytes(t, all[i].hex);
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr, want.ptr, want.len), "%s: made otherwise", all[i].json);
    }
}

static struct question asked_for(const char *address, const char *item, uint8_t part) {
    return (struct question){.address = str_of(address), .item = str_of(item), .part = part};
}

static void what_is_asked_is_as_the_sheet_has_it(struct t *t) {
    static const struct {
        const char *address, *item;
        uint8_t part;
        const char *hex; /* NULL: it cannot be asked */
    } all[] = {
        {"000000000161", "00010000", 0, "FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16"},    /* D01 */
        {"202107072529", "00000000", 0, "FE FE FE FE 68 29 25 07 07 21 20 68 11 04 33 33 33 33 4E 16"},    /* D04 */
        {"AAAAAAAAAAAA", "", 0, "FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16"},                        /* D06 */
        {"000000000161", "0201FF00", 1, "FE FE FE FE 68 61 01 00 00 00 00 68 12 05 33 32 34 35 34 4B 16"}, /* D13 */
        {"138000130754", "9010", 0, "FE FE FE FE 68 54 07 13 00 80 13 68 01 02 43 C3 DA 16"},              /* D15 */
        {"138000130754", "901", 0, NULL},
        {"138000130754", "901G", 0, NULL},
        {"13800013075", "9010", 0, NULL},
        {"13800013075X", "9010", 0, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].part);
        struct buf b;
        buf_init_arena(&b, &t->arena, DLT645_FRAME_MAX + 1);
        bool ok = dlt645_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == !!all[i].hex, "%s %s", all[i].address, all[i].item);
        struct bytes want = vector_bytes(t, ok ? all[i].hex : "");
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr ? b.ptr : "", want.ptr, want.len), "%s %s: asked otherwise",
                  all[i].address, all[i].item);
    }
}

static void an_answer_is_told_from_what_is_none(struct t *t) {
    static const struct {
        const char *address, *item;
        uint8_t part;
        const char *hex;
        enum answer answer;
        const char *data; /* or why it was refused */
    } all[] = {
        {"000000000161", "00010000", 0, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", ANSWER_WHOLE,
         "26000000"},
        {"000000000162", "00010000", 0, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", ANSWER_OTHER,
         ""},
        {"000000000161", "00020000", 0, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", ANSWER_OTHER,
         ""},
        {"000000000161", "00010000", 1, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", ANSWER_OTHER,
         ""},
        {"AAAAAAAA0161", "00010000", 0, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16", ANSWER_WHOLE,
         "61010000000026000000"}, /* of many who were asked, this one */
        {"000000000161", "00010000", 0, "FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16", ANSWER_OTHER,
         ""}, /* its own question, as a loop of the line brings it back */
        {"202107072529", "00000000", 0, "68 29 25 07 07 21 20 68 D1 01 35 74 16", ANSWER_REFUSED, "no_data"},
        {"AAAAAAAAAAAA", "", 0, "68 29 25 07 07 21 20 68 93 06 5C 58 3A 3A 54 53 D5 16", ANSWER_WHOLE, "292507072120"},
        {"000000000161", "0201FF00", 0, "68 61 01 00 00 00 00 68 B1 06 33 32 34 35 34 55 40 16", ANSWER_PART, "0122"},
        {"138000130754", "9010", 0, "68 54 07 13 00 80 13 68 81 06 43 C3 34 33 33 33 2B 16", ANSWER_WHOLE, "01000000"},
        {"138000130754", "9010", 0, "68 54 07 13 00 80 13 68 81 06 43 C3 34 33 33 33 2C 16", ANSWER_OTHER, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].part);
        struct buf data, hex;
        const char *why = "";
        struct str got = S("");
        buf_init_arena(&data, &t->arena, 512);
        buf_init_arena(&hex, &t->arena, 512);
        enum answer answer = dlt645_codec.asking->answers(&q, vector_bytes(t, all[i].hex), &data, &why);
        buf_hex(&hex, (struct bytes){(const uint8_t *)data.ptr, data.len});
        if (hex.len) CHECK(t, buf_done(&hex, &got));
        CHECK_SAY(t, answer == all[i].answer, "row %zu: %d", i, (int)answer);
        CHECK_SAY(t, str_is(answer == ANSWER_REFUSED ? str_of(why) : got, all[i].data), "row %zu: " STR_FMT, i,
                  STR_ARG(got));
    }
}

/* Two parts of a block, the second numbered: joined they are its values. */
static void parts_are_joined(struct t *t) {
    struct dlt645_frame f = {.address = "000000000161", .control = DLT645_FOLLOWING | DLT645_REPLY};
    static const uint8_t second[] = {0x00, 0xff, 0x01, 0x02, 0x30, 0x22, 0x01};
    const char *why;
    struct buf whole, data;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&whole, &t->arena, 64);
    buf_init_arena(&data, &t->arena, 64);
    struct question q = asked_for("000000000161", "0201FF00", 0);
    struct bytes first = vector_bytes(t, "68 61 01 00 00 00 00 68 B1 06 33 32 34 35 34 55 40 16");
    CHECK(t, dlt645_codec.asking->answers(&q, first, &data, &why) == ANSWER_PART);
    memcpy(f.data, second, f.data_n = sizeof second);
    CHECK(t, dlt645_encode(&f, &whole));
    q.part = 2; /* another part was asked for */
    struct bytes frame = {(const uint8_t *)whole.ptr, whole.len};
    CHECK(t, dlt645_codec.asking->answers(&q, frame, &data, &why) == ANSWER_OTHER);
    q.part = 1;
    CHECK(t, dlt645_codec.asking->answers(&q, frame, &data, &why) == ANSWER_WHOLE);
    CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
    CHECK(t, d.readings_n == 2 && d.readings[0].value == 220.1 && d.readings[1].value == 223.0 &&
                 str_is(d.readings[1].metric, "voltage_b") && str_is(d.readings[0].device, "000000000161"));
}

/* A meter's relay: the password and the operator it wants, and an hour in which it may obey. */
static void a_relay_is_told_with_its_password(struct t *t) {
    static const struct {
        const char *item, *value, *key, *data; /* NULL: it cannot be said */
    } all[] = {
        {"1C", "trip", "02123456", "02563412000000001A00000030281126"},
        {"1C", "close", "02123456 00000007", "02563412070000001C00000030281126"},
        {"1C", "permit_close", "04000000", "04000000000000001B00000030281126"},
        {"1C", "trip", "0212345", NULL},
        {"1C", "trip", "02123456 0007", NULL},
        {"1C", "trip", "", NULL},
        {"1C", "explode", "02123456", NULL},
        {"00010000", "trip", "02123456", NULL},
    };
    const int64_t at_s = civil_day(2026, 11, 28) * 86400 + 23 * 3600 + 30 * 60;
    static const char *const everybody[] = {"AAAAAAAAAAAA", "AA0000000161", "999999999999"};
    for (size_t i = 0; i < COUNT(everybody); i++) { /* every relay of the line would do it */
        struct question q = asked_for(everybody[i], "1C", 0);
        struct buf b;
        q.value = S("trip");
        q.key = S("02123456");
        buf_init_arena(&b, &t->arena, DLT645_FRAME_MAX + 1);
        CHECK_SAY(t, !dlt645_codec.asking->ask(&q, &b), "%s", everybody[i]);
    }
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for("000000000161", all[i].item, 0);
        struct dlt645_frame f;
        struct wire_error e;
        struct buf b, hex, data;
        struct decoded d;
        const char *why;
        struct str got = S("");
        q.value = str_of(all[i].value);
        q.key = str_of(all[i].key);
        q.now_s = at_s - 23 * 3600; /* 00:30, and an hour on it is 01:30 */
        buf_init_arena(&b, &t->arena, DLT645_FRAME_MAX + 1);
        buf_init_arena(&hex, &t->arena, 512);
        buf_init_arena(&data, &t->arena, 512);
        bool ok = dlt645_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == !!all[i].data, "row %zu", i);
        if (!ok) continue;
        CHECK(t, dlt645_decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &f, &e) && f.control == DLT645_SWITCH);
        buf_hex(&hex, (struct bytes){f.data, f.data_n - 4});
        CHECK(t, buf_done(&hex, &got) && f.data_n == 16 && f.data[12] == 0x01);
        CHECK_SAY(t, !strncmp(got.ptr, all[i].data, 20), "row %zu: " STR_FMT, i, STR_ARG(got));
        f = (struct dlt645_frame){.address = "000000000161", .control = DLT645_SWITCH | DLT645_REPLY};
        b.len = 0;
        CHECK(t, dlt645_encode(&f, &b));
        struct bytes whole = {(const uint8_t *)b.ptr, b.len};
        CHECK(t, dlt645_codec.asking->answers(&q, whole, &data, &why) == ANSWER_WHOLE && !data.len);
        CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){NULL, 0}, &t->arena, &d, &e) && !d.readings_n);
        f.control |= DLT645_REFUSED;
        f.data[f.data_n++] = 4;
        b.len = 0;
        CHECK(t, dlt645_encode(&f, &b));
        whole = (struct bytes){(const uint8_t *)b.ptr, b.len};
        CHECK(t,
              dlt645_codec.asking->answers(&q, whole, &data, &why) == ANSWER_REFUSED && !strcmp(why, "wrong_password"));
    }
}

/* What the meter's status word says of what it was told; what moves no relay is done with its answer. */
static void a_relay_shows_where_it_stands(struct t *t) {
    static const struct {
        const char *value, *word; /* NULL: nothing is read */
        enum proof proof;
    } all[] = {{"trip", "10 00", PROOF_DONE},  {"trip", "00 00", PROOF_NONE},  {"trip", "EF FF", PROOF_NONE},
               {"close", "00 00", PROOF_DONE}, {"close", "10 00", PROOF_NONE}, {"permit_close", NULL, PROOF_NONE},
               {"alarm_on", NULL, PROOF_NONE}, {"protect", NULL, PROOF_NONE}};
    const struct asking *asking = dlt645_codec.asking;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for("000000000161", "1C", 0);
        struct decoded d;
        struct wire_error e;
        struct buf item;
        struct str text = S("");
        const char *why = NULL;
        int64_t within_ms = 0;
        buf_init_arena(&item, &t->arena, 20);
        q.value = str_of(all[i].value);
        CHECK_SAY(t, asking->proof(&q, &item, &within_ms) == !!all[i].word, "row %zu", i);
        if (!all[i].word) continue;
        CHECK(t, buf_done(&item, &text) && str_is(text, "04000503") && within_ms == 60000);
        struct question look = {.address = q.address, .item = text};
        CHECK(t, asking->read(&look, vector_bytes(t, all[i].word), &t->arena, &d, &e));
        CHECK_SAY(t, asking->shows(&q, &d, &why) == all[i].proof && !why, "row %zu", i);
    }
    struct question q = asked_for("000000000161", "00010000", 0);
    CHECK(t, !asking->proof(&q, &(struct buf){0}, &(int64_t){0})); /* a question has its answer */
}

static void what_is_kept_of_midnights_is_energy(struct t *t) {
    static const uint8_t kept[] = {0x34, 0x12, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0};
    struct question q = asked_for("000000000161", "05060102", 0);
    struct decoded d;
    struct wire_error e;
    struct buf item;
    struct str text;
    buf_init_arena(&item, &t->arena, 20);
    CHECK(t, dlt645_codec.asking->midnight(S("00010000"), 1, &item) && buf_done(&item, &text) &&
                 str_is(text, "05060002+05060102"));
    CHECK(t, !dlt645_codec.asking->midnight(S("9010"), 1, &item)); /* 1997 */
    CHECK(t, !dlt645_codec.asking->midnight(S("00010000"), 62, &item));
    CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){kept, sizeof kept}, &t->arena, &d, &e) && d.readings_n == 5);
    CHECK(t, str_is(d.readings[0].metric, "energy") && d.readings[0].value == 12.34);
    CHECK(t, str_is(d.readings[4].metric, "energy_t4") && d.readings[4].value == 0.04);
    q.item = S("0506013F"); /* there is no 63rd */
    CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){kept, sizeof kept}, &t->arena, &d, &e) && !d.readings_n);
    q.item = S("04000503");
    CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){(const uint8_t *)"\x10", 2}, &t->arena, &d, &e));
    CHECK(t, d.readings_n == 1 && str_is(d.readings[0].metric, "relay_open") && d.readings[0].value == 1);
}

/* First when, then what, each a question of its own; what follows of the latter counts from one. */
static void what_was_kept_says_when(struct t *t) {
    static const struct {
        uint8_t part, control, data_n, data[11];
        enum answer answer;
    } all[] = {{0, 0x91, 9, {2, 0, 6, 5, 0, 0, 0x22, 0x11, 0x26}, ANSWER_PART},
               {0, 0x91, 9, {3, 0, 6, 5, 0, 0, 0x22, 0x11, 0x26}, ANSWER_OTHER},
               {0, 0x91, 8, {2, 0, 6, 5, 0, 0, 0x22, 0x11}, ANSWER_REFUSED},
               {0, 0xd1, 1, {2}, ANSWER_REFUSED},
               {1, 0xb1, 8, {2, 1, 6, 5, 0x34, 0x12, 0, 0}, ANSWER_PART},
               {1, 0x91, 8, {2, 0, 6, 5, 0x34, 0x12, 0, 0}, ANSWER_OTHER},
               {2, 0x92, 9, {2, 1, 6, 5, 1, 0, 0, 0, 1}, ANSWER_WHOLE},
               {2, 0x92, 9, {2, 1, 6, 5, 1, 0, 0, 0, 2}, ANSWER_OTHER}};
    struct buf data;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&data, &t->arena, 64);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for("000000000161", "05060002+05060102", all[i].part);
        struct dlt645_frame f = {.address = "000000000161", .control = all[i].control, .data_n = all[i].data_n}, asked;
        struct buf out, question;
        const char *why = NULL;
        memcpy(f.data, all[i].data, sizeof all[i].data);
        buf_init_arena(&out, &t->arena, DLT645_FRAME_MAX + 1);
        buf_init_arena(&question, &t->arena, DLT645_FRAME_MAX + 1);
        CHECK(t, dlt645_encode(&f, &out) && dlt645_codec.asking->ask(&q, &question));
        CHECK(t, dlt645_decode((struct bytes){(const uint8_t *)question.ptr, question.len}, &asked, &e));
        CHECK_SAY(t, asked.control == (all[i].part < 2 ? 0x11 : 0x12) && asked.data[1] == (all[i].part > 0), "%zu", i);
        struct bytes whole = {(const uint8_t *)out.ptr, out.len};
        CHECK_SAY(t, dlt645_codec.asking->answers(&q, whole, &data, &why) == all[i].answer, "row %zu", i);
    }
    struct question q = asked_for("000000000161", "05060002+05060102", 2);
    CHECK(t, data.len == 5 + 4 + 4);
    CHECK(t, dlt645_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
    CHECK(t, d.readings_n == 2 && d.readings[0].value == 12.34 && d.readings[1].value == 0.01);
    CHECK(t, d.readings[0].at_s == civil_day(2026, 11, 22) * 86400 && d.readings[1].at_s == d.readings[0].at_s);
    data.ptr[3] = 0x13; /* a month that is none: nothing was kept */
    CHECK(t, !dlt645_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
}

static void who_is_there_is_said_by_its_address(struct t *t) {
    struct question q;
    struct decoded d;
    struct wire_error e;
    CHECK(t, dlt645_codec.asking->find(0, &q) && str_is(q.address, "AAAAAAAAAAAA") && !q.item.len);
    CHECK(t, dlt645_codec.asking->read(&q, vector_bytes(t, "29 25 07 07 21 20"), &t->arena, &d, &e));
    CHECK(t, str_is(d.sender, "202107072529") && !d.readings_n);
    CHECK(t, !dlt645_codec.asking->read(&q, vector_bytes(t, "29 25 07 07 2F 20"), &t->arena, &d, &e));
    CHECK(t, dlt645_codec.asking->find(1, &q) && str_is(q.address, "AAAAAAAAAAAA") && str_is(q.item, "00010000"));
    CHECK(t, dlt645_codec.asking->read(&q, vector_bytes(t, "29 25 07 07 21 20 26 00 00 00"), &t->arena, &d, &e));
    CHECK(t, str_is(d.sender, "202107072529") && d.readings_n == 1 && d.readings[0].value == 0.26);
    CHECK(t, !dlt645_codec.asking->read(&q, vector_bytes(t, "29 25 07 07 21"), &t->arena, &d, &e));
    CHECK(t, dlt645_codec.asking->find(2, &q) && str_is(q.item, "9010") && !dlt645_codec.asking->find(3, &q));
}

/* Those whose addresses end alike, two digits more each time, all hundred of them. */
static void many_are_told_apart_by_how_their_addresses_end(struct t *t) {
    static const struct {
        const char *from, *item;
        size_t nth;
        const char *address, *asks; /* NULL: there is none */
    } all[] = {{"AAAAAAAAAAAA", "", 0, "AAAAAAAAAA00", "00010000"},
               {"AAAAAAAAAAAA", "9010", 99, "AAAAAAAAAA99", "9010"},
               {"AAAAAAAAAAAA", "", 100, NULL, NULL},
               {"AAAAAAAAAA07", "00010000", 42, "AAAAAAAA4207", "00010000"},
               {"AA0000000161", "00010000", 13, "130000000161", "00010000"},
               {"000000000161", "00010000", 0, NULL, NULL}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question from = asked_for(all[i].from, all[i].item, 0), q;
        char mem[FIND_ADDRESS_MAX + 1];
        bool ok = dlt645_codec.asking->narrow(&from, all[i].nth, mem, &q);
        CHECK_SAY(t, ok == !!all[i].address, "%zu", i);
        if (ok) CHECK_SAY(t, str_is(q.address, all[i].address) && str_is(q.item, all[i].asks), "%zu: %s", i, mem);
    }
}

/* What the sheet says of the 1997 edition: the same metrics under two bytes. */
static void a_meter_of_1997_is_asked_for_the_same(struct t *t) {
    static const char *const all[][2] = {{"00010000", "9010"}, {"0001FF00", "901F"},     {"00010400", "9014"},
                                         {"00020000", "9020"}, {"02010100", "B611"},     {"0201FF00", "B61F"},
                                         {"02020300", "B623"}, {"02030000", "B630"},     {"0203FF00", "B63F"},
                                         {"0206FF00", ""},     {"02800002", ""},         {"9010", ""},
                                         {"1C", ""},           {"05060001+05060101", ""}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct buf b;
        struct str got = S("");
        buf_init_arena(&b, &t->arena, 16);
        CHECK(t, dlt645_codec.asking->otherwise(str_of(all[i][0]), 1, &b));
        CHECK_SAY(t, (!b.len || buf_done(&b, &got)) && str_is(got, all[i][1]), "%s: " STR_FMT, all[i][0], STR_ARG(got));
        CHECK(t, !dlt645_codec.asking->otherwise(str_of(all[i][0]), 2, &b));
    }
}

TESTS(CASE(a_relay_is_told_with_its_password), CASE(a_relay_shows_where_it_stands),
      CASE(what_is_kept_of_midnights_is_energy), CASE(what_was_kept_says_when),
      CASE(who_is_there_is_said_by_its_address), CASE(many_are_told_apart_by_how_their_addresses_end),
      CASE(a_meter_of_1997_is_asked_for_the_same), CASE(vectors_of_the_sheet),
      CASE(what_is_asked_is_as_the_sheet_has_it), CASE(an_answer_is_told_from_what_is_none), CASE(parts_are_joined),
      CASE(values_of_items_and_blocks), CASE(questions_are_made_from_what_they_need))
