/* Vectors of JT/T 808 frames, what is refused, alarms, batches, answers, commands.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/jt808/jt808.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "W12 heartbeat",
     .hex = "7E0002000004304832546500B7CA7E",
     .json = "\"message\":\"heartbeat\",\"terminal\":\"043048325465\",\"serial\":183"},
    {.name = "W13 authentication",
     .hex = "7E0102000E013511221122000661757468656E7469636174696F6E3F7E",
     .json = "\"message\":\"authenticate\",\"terminal\":\"013511221122\",\"serial\":6,\"code\":\"authentication\""},
    {.name = "W14 registration",
     .hex = "7E0100002D013511221122000500000000373031303748422D52303347424400000000000000000000003233363631303402CBD542"
            "4136383630387E",
     .json = "\"province\":0,\"city\":0,\"maker\":\"70107\",\"model\":\"HB-R03GBD\",\"terminal_id\":\"2366104\","
             "\"colour\":2,\"plate\":\"苏BA6860\""},
    {.name = "W15 location",
     .hex = "7E0200002F01357888888800B60000000000000003015972B406CBF6B802230000000116061317571301040000000003020000EB07"
            "00050001016708B37E",
     .said = "latitude=22.639284 deg longitude=114.030264 deg altitude=547 m speed=0 km/h course=1 deg ignition=1 "
             "mileage=0 km recorder_speed=0 km/h -normal ",
     .json = "\"time\":\"2016-06-13T17:57:13\"",
     .device = "013578888888"},
    {.name = "W16 emergency",
     .hex = "7E0200002E094027587492000A000000010000000A03083DB7001329F3000000140000130412164952010400000012360A00023415"
            "02CB0C20085C107E",
     .said = "latitude=50.871735 deg longitude=-1.255923 deg altitude=0 m speed=2 km/h course=0 deg ignition=0 "
             "mileage=1.8 km !sos -normal ",
     .device = "094027587492"},
    {.name = "W17 batch, 2019",
     .hex =
         "7E0704402D0100000866496077582164881D0001000028000000000000000701A00192091F2A4700160000000226050916422701040"
         "000258230010031010E507E",
     .said = "latitude=-27.263378 deg longitude=153.037383 deg altitude=22 m speed=0 km/h course=2 deg ignition=1 "
             "mileage=960.2 km rssi=0 satellites=14 -normal ",
     .json = "\"terminal\":\"00000866496077582164\",\"version\":1,\"serial\":34845,\"kind\":0",
     .device = "00000866496077582164"},
    {.name = "W18 the centre's answer",
     .hex = "7E80010005043048325465000100B70002004F7E",
     .json = "\"message\":\"centre_answer\",\"terminal\":\"043048325465\",\"serial\":1,\"answered_serial\":183,"
             "\"answered\":\"heartbeat\",\"result\":0"},
    {.name = "escapes, also of the check",
     .hex = "7E 09 00 00 03 04 30 48 32 54 65 00 08 7D 02 7D 01 00 7D 02 7E",
     .json = "\"message\":\"transparent_up\",\"terminal\":\"043048325465\",\"serial\":8,\"body_hex\":\"7E7D00\""},
    {.name = "a part",
     .hex = "7E 07 04 20 01 04 30 48 32 54 65 00 B7 00 02 00 01 55 BC 7E",
     .json = "\"parts\":2,\"part\":1,\"body_hex\":\"55\""},
    {.name = "no flag", .hex = "00 02 7E", .rule = "JT/T 808 flag: a frame begins", .at = 0},
    {.name = "no end", .hex = "7E0002000004304832546500B7CA", .rule = "JT/T 808 flag: a frame ends", .at = 13},
    {.name = "a flag alone", .hex = "7E", .rule = "JT/T 808 flag: a frame ends", .at = 1},
    {.name = "two frames", .hex = "7E00027E", .rule = "JT/T 808 attributes: the length", .at = 3},
    {.name = "a flag inside", .hex = "7E00027E00007E", .rule = "JT/T 808 flag: 7E inside", .at = 3},
    {.name = "a wrong check", .hex = "7E0002000004304832546500B7CB7E", .rule = "JT/T 808 check", .at = 13},
    {.name = "another length", .hex = "7E0002000104304832546500B7CB7E", .rule = "JT/T 808 attributes: the", .at = 3},
    {.name = "a wrong escape", .hex = "7E0002000004304832546500B77D037E", .rule = "JT/T 808 escape", .at = 14},
    {.name = "no BCD", .hex = "7E00020000A4304832546500B76A7E", .rule = "JT/T 808 terminal: it is BCD", .at = 5},
    {.name = "no number", .hex = "7E00020000000000000000000103 7E", .rule = "JT/T 808 terminal: it has", .at = 0},
    {.name = "part 3 of 2",
     .hex = "7E 07 04 20 01 04 30 48 32 54 65 00 B7 00 02 00 03 55 BE 7E",
     .rule = "JT/T 808 parts",
     .at = 15},
    {.name = "encrypted",
     .hex = "7E 02 00 04 01 04 30 48 32 54 65 00 B7 55 9A 7E",
     .rule = "JT/T 808 attributes: the body"},
    {.name = "half a location", .hex = "7E 02 00 00 01 04 30 48 32 54 65 00 B7 55 9E 7E", .rule = "JT/T 808 0200"},
    {.name = "a batch of less",
     .hex = "7E 07 04 00 03 04 30 48 32 54 65 00 B7 00 01 00 C9 7E",
     .rule = "JT/T 808 0704"},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &jt808_codec, rows, COUNT(rows));
}

#define TERMINAL "013800138000"

static struct bytes frame_of(struct t *t, uint16_t message, const void *body, size_t n, uint16_t attributes) {
    struct jt808_frame f = {
        .message = message, .serial = 7, .attributes = attributes, .terminal = TERMINAL, .body_n = n};
    struct buf b;
    if (n) memcpy(f.body, body, n);
    buf_init_arena(&b, &t->arena, JT808_FRAME_MAX + 1);
    CHECK(t, jt808_encode(&f, &b));
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static struct bytes location_of(struct t *t, const struct jt808_location *l) {
    struct buf b;
    buf_init_arena(&b, &t->arena, JT808_BODY_MAX + 1);
    jt808_put_location(l, &b);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static const char *events_of(struct t *t, const struct decoded *d) {
    struct buf b;
    struct str s = S("");
    buf_init_arena(&b, &t->arena, 512);
    for (size_t i = 0; i < d->events_n; i++)
        buf_fmt(&b, "%c" STR_FMT " ", d->events[i].is_set ? '!' : '-', STR_ARG(d->events[i].code));
    CHECK(t, !b.len || buf_done(&b, &s));
    return s.ptr;
}

static void bits_of_the_alarm_word(struct t *t) {
    static const struct {
        uint32_t alarm;
        const char *events; /* ! set, - over, each with a blank behind it */
    } all[] = {
        {0, "-normal "},
        {0x1, "!sos -normal "},
        {0x2, "!overspeed "},
        {0x4, "!fatigue "},
        {0x8, "!danger -normal "},
        {0x70, "!gnss_fault !antenna_open !antenna_short "},
        {0x180, "!undervoltage !power_cut "},
        {0x300000, "!area_crossed !route_crossed -normal "},
        {0x1c000000, "!illegal_ignition !illegal_move !stolen "},
        {0x60000000, "!collision !rollover "},
        {0x3, "!sos !overspeed "},
        {0x80000200, "-normal "}, /* bits of no table */
        {0xffffffff, "!sos !danger !area_crossed !route_crossed !illegal_ignition !illegal_move !overspeed !fatigue "
                     "!gnss_fault !antenna_open !antenna_short !undervoltage !power_cut !stolen !collision !rollover "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct jt808_location l = {.alarm = all[i].alarm, .time = {0x26, 0x11, 0x21, 0x08, 0x30, 0x00}};
        struct bytes body = location_of(t, &l);
        struct decoded d;
        struct wire_error e;
        CHECK(t, jt808_codec.decode(frame_of(t, JT808_LOCATION, body.ptr, body.len, 0), &t->arena, &d, &e));
        CHECK_SAY(t, !strcmp(events_of(t, &d), all[i].events), "%08x: %s", all[i].alarm, events_of(t, &d));
        for (size_t k = 0; k < d.events_n; k++)
            CHECK(t, d.events[k].at_s == 1795249800 && d.events[k].is_level == (d.events[k].part.len > 0));
    }
}

static void places_and_times(struct t *t) {
    static const struct {
        struct jt808_location l;
        size_t n; /* readings */
        double latitude, longitude, altitude;
        int64_t at_s;
    } all[] = {
        {{.status = 3, .latitude = 22500000, .longitude = 114500000, .time = {0x26, 0x11, 0x21, 0x08, 0x30}},
         6,
         22.5,
         114.5,
         0,
         1795249800},
        {{.status = 0xe,
          .latitude = 22500000,
          .longitude = 114500000,
          .altitude_m = 0xffff,
          .time = {0x26, 0x11, 0x21}},
         6,
         -22.5,
         -114.5,
         -1,
         1795219200},
        {{.status = 2, .latitude = 90000000, .longitude = 180000000, .time = {0x26, 0x13, 0x21}}, 6, 90, 180, 0, 0},
        {{.status = 2, .latitude = 90000001, .longitude = 180000000}, 1, 0, 0, 0, 0},
        {{.status = 2, .latitude = 90000000, .longitude = 180000001}, 1, 0, 0, 0, 0},
        {{.status = 1, .latitude = 22500000, .longitude = 114500000, .time = {0x00, 0x01, 0x01}}, 1, 0, 0, 0, 0},
        {{.status = 1, .time = {0x2a, 0x01, 0x01}}, 1, 0, 0, 0, 0}, /* no BCD */
        {{.status = 1, .time = {0x26, 0x11, 0x21, 0x24}}, 1, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bytes body = location_of(t, &all[i].l);
        struct decoded d;
        struct wire_error e;
        CHECK(t, jt808_codec.decode(frame_of(t, JT808_LOCATION, body.ptr, body.len, 0), &t->arena, &d, &e));
        CHECK_SAY(t, d.readings_n == all[i].n && d.readings[0].at_s == all[i].at_s, "%zu: %zu at %lld", i, d.readings_n,
                  (long long)d.readings[0].at_s);
        if (d.readings_n < 3) continue;
        CHECK_SAY(t,
                  d.readings[0].value == all[i].latitude && d.readings[1].value == all[i].longitude &&
                      d.readings[2].value == all[i].altitude,
                  "%zu: %g %g %g", i, d.readings[0].value, d.readings[1].value, d.readings[2].value);
    }
}

static void extras_that_do_not_fit_are_left_out(struct t *t) {
    static const struct {
        const char *hex, *metrics;
    } all[] = {{"010400000012", "mileage "},
               {"0103000012", ""}, /* of three bytes */
               {"010400000012 010400000013", "mileage "},
               {"02020064 0302002A 300118 310107", "fuel recorder_speed rssi satellites "},
               {"EB0700050001016708 310107", "satellites "},
               {"310107 0104000000", "satellites "}, /* runs past the end */
               {"31", ""}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct jt808_location l = {.extras = vector_bytes(t, all[i].hex)};
        struct bytes body = location_of(t, &l);
        struct decoded d;
        struct wire_error e;
        struct buf b;
        char got[128];
        CHECK(t, jt808_codec.decode(frame_of(t, JT808_LOCATION, body.ptr, body.len, 0), &t->arena, &d, &e));
        buf_init(&b, got, sizeof got);
        for (size_t k = 1; k < d.readings_n; k++) buf_fmt(&b, STR_FMT " ", STR_ARG(d.readings[k].metric));
        CHECK_SAY(t, !strcmp(got, all[i].metrics), "%s: %s", all[i].hex, got);
    }
}

/* Of three locations in a batch: overspeed, emergency, nothing. */
static void only_the_last_of_a_batch_says_what_holds_now(struct t *t) {
    static const struct {
        char kind;
        const char *events;
    } all[] = {{0, "!sos -normal "}, {1, "!sos "}};
    static const uint32_t alarms[] = {2, 1, 0};
    for (size_t i = 0; i < COUNT(all); i++) {
        char mem[256];
        struct buf b;
        struct decoded d;
        struct wire_error e;
        buf_init(&b, mem, sizeof mem);
        buf_add(&b, "\0\3", 2);
        buf_char(&b, all[i].kind);
        for (size_t k = 0; k < COUNT(alarms); k++) {
            struct jt808_location l = {.alarm = alarms[k], .time = {0x26, 0x11, 0x21, 0x08, 0x30, (uint8_t)k}};
            buf_add(&b, "\0\x1c", 2);
            jt808_put_location(&l, &b);
        }
        CHECK(t, jt808_codec.decode(frame_of(t, JT808_BATCH, mem, b.len, 0), &t->arena, &d, &e));
        CHECK_SAY(t, !strcmp(events_of(t, &d), all[i].events), "kind %d: %s", all[i].kind, events_of(t, &d));
        CHECK(t, d.readings_n == 3 && d.readings[2].at_s == 1795249802 && d.events[0].at_s == 1795249801);
    }
}

static void what_is_owed_is_answered(struct t *t) {
    static const char location[JT808_LOCATION_BYTES];
    const struct {
        const char *what;
        struct bytes frame;
        bool ok;
        uint16_t answer; /* 0: none */
        const char *body;
    } all[] = {
        {"heartbeat", frame_of(t, JT808_HEARTBEAT, "", 0, 0), true, JT808_CENTRE_ANSWER, "0007000200"},
        {"log-out", frame_of(t, JT808_LOG_OUT, "", 0, 0), true, JT808_CENTRE_ANSWER, "0007000300"},
        {"authentication", frame_of(t, JT808_AUTHENTICATE, "any", 3, 0), true, JT808_CENTRE_ANSWER, "0007010200"},
        {"registration", frame_of(t, JT808_REGISTER, location, 28, 0), true, JT808_REGISTERED,
         "000700303133383030313338303030"},
        {"location", frame_of(t, JT808_LOCATION, location, 28, 0), true, JT808_CENTRE_ANSWER, "0007020000"},
        {"transparent", frame_of(t, JT808_TRANSPARENT_UP, "\1", 1, 0), true, JT808_CENTRE_ANSWER, "0007090003"},
        {"a maker's own", frame_of(t, 0x0f01, "", 0, 0), true, JT808_CENTRE_ANSWER, "00070F0103"},
        {"half a location", frame_of(t, JT808_LOCATION, location, 27, 0), false, JT808_CENTRE_ANSWER, "0007020002"},
        {"encrypted", frame_of(t, JT808_LOCATION, location, 28, 0x0400), false, JT808_CENTRE_ANSWER, "0007020003"},
        {"an answer", frame_of(t, JT808_ANSWER, "\0\1\x81\3\0", 5, 0), true, 0, ""},
        {"parameters", frame_of(t, JT808_PARAMETERS, "\0\1\0", 3, 0), true, 0, ""},
        {"from the centre", frame_of(t, JT808_CENTRE_ANSWER, "\0\1\0\2\0", 5, 0), true, 0, ""},
        {"a wrong check", vector_bytes(t, "7E0002000004304832546500B7CB7E"), false, 0, ""},
        {"2019", vector_bytes(t, "7E0002400001000008664960775821648800 E6 7E"), true, JT808_CENTRE_ANSWER,
         "8800000200"},
        {"a part", vector_bytes(t, "7E0704200104304832546500B70002000155BC7E"), true, JT808_CENTRE_ANSWER,
         "00B7070400"},
        {"a part of what is not put together", vector_bytes(t, "7E0801200104304832546500B70002000155B67E"), true,
         JT808_CENTRE_ANSWER, "00B7080103"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char out[256];
        struct buf b;
        struct jt808_frame f, asked;
        struct wire_error e = {0};
        struct bytes want = vector_bytes(t, all[i].body);
        buf_init(&b, out, sizeof out);
        jt808_codec.reply(all[i].frame, all[i].ok, 0, &b);
        CHECK_SAY(t, !b.len == !all[i].answer, "%s: %zu bytes", all[i].what, b.len);
        if (!b.len) continue;
        CHECK_SAY(t, jt808_decode((struct bytes){(const uint8_t *)out, b.len}, &f, &e), "%s: %s", all[i].what, e.rule);
        CHECK(t, jt808_decode(all[i].frame, &asked, &e));
        CHECK_SAY(t, f.message == all[i].answer && f.body_n == want.len && !memcmp(f.body, want.ptr, want.len),
                  "%s: %04x, %zu bytes, last %d", all[i].what, f.message, f.body_n, f.body[f.body_n - 1]);
        CHECK_SAY(t, !strcmp(f.terminal, asked.terminal) && f.version == asked.version, "%s: to whom?", all[i].what);
    }
}

/* ---- asking ---- */

static void what_a_terminal_is_asked_and_told(struct t *t) {
    static const struct {
        const char *address, *item, *value;
        uint16_t message; /* 0: it cannot be */
        const char *body;
    } all[] = {
        {TERMINAL, "locate", NULL, JT808_LOCATE, ""},
        {TERMINAL, "locate", "1", 0, ""},
        {TERMINAL, "interval", NULL, JT808_GET_PARAMETERS, ""},
        {TERMINAL, "interval", "30", JT808_SET_PARAMETERS, "01 00000029 04 0000001E"},
        {TERMINAL, "interval", "4294967295", JT808_SET_PARAMETERS, "01 00000029 04 FFFFFFFF"},
        {TERMINAL, "interval", "4294967296", 0, ""},
        {TERMINAL, "interval", "-1", 0, ""},
        {TERMINAL, "interval", "", 0, ""},
        {TERMINAL, "sleep_interval", "600", JT808_SET_PARAMETERS, "01 00000027 04 00000258"},
        {TERMINAL, "heartbeat_interval", "60", JT808_SET_PARAMETERS, "01 00000001 04 0000003C"},
        {TERMINAL, "server", "a.b:9000", JT808_SET_PARAMETERS, "02 00000013 03 612E62 00000018 04 00002328"},
        {TERMINAL, "server", "a.b", 0, ""},
        {TERMINAL, "server", ":1", 0, ""},
        {TERMINAL, "server", NULL, 0, ""},
        {TERMINAL, "text", "你好", JT808_TEXT, "0C C4E3BAC3"},
        {"00000866496077582164", "text", "a", JT808_TEXT, "0C 01 61"},
        {TERMINAL, "text", NULL, 0, ""},
        {TERMINAL, "restart", NULL, JT808_CONTROL, "04"},
        {TERMINAL, "power_off", NULL, JT808_CONTROL, "03"},
        {TERMINAL, "factory_reset", NULL, JT808_CONTROL, "05"},
        {TERMINAL, "dance", NULL, 0, ""},
        {"1380013800", "locate", NULL, 0, ""},
        {"01380013800x", "locate", NULL, 0, ""},
        {"000000000866496077582164", "locate", NULL, 0, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {
            .address = str_of(all[i].address), .item = str_of(all[i].item), .value = str_of(all[i].value), .serial = 9};
        char out[256];
        struct buf b;
        struct jt808_frame f;
        struct wire_error e;
        struct bytes want = vector_bytes(t, all[i].body);
        buf_init(&b, out, sizeof out);
        bool ok = jt808_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == (all[i].message > 0), "%s=%s", all[i].item, all[i].value ? all[i].value : "");
        if (!ok || !all[i].message) continue;
        CHECK(t, jt808_decode((struct bytes){(const uint8_t *)out, b.len}, &f, &e));
        CHECK_SAY(t,
                  f.message == all[i].message && f.serial == 9 && f.body_n == want.len &&
                      !memcmp(f.body, want.ptr ? want.ptr : f.body, want.len),
                  "%s=%s", all[i].item, all[i].value ? all[i].value : "");
        CHECK(t, !strcmp(f.terminal, all[i].address) && f.version == (strlen(all[i].address) == JT808_DIGITS_19));
    }
}

static void what_answers_a_question(struct t *t) {
    static const struct {
        const char *item, *value;
        uint16_t message;
        const char *body;
        enum answer answer;
        const char *said; /* readings, or why it refuses */
    } all[] = {
        {"restart", NULL, JT808_ANSWER, "0009 8105 00", ANSWER_WHOLE, ""},
        {"restart", NULL, JT808_ANSWER, "0009 8105 01", ANSWER_REFUSED, "failed"},
        {"restart", NULL, JT808_ANSWER, "0009 8105 02", ANSWER_REFUSED, "wrong"},
        {"restart", NULL, JT808_ANSWER, "0009 8105 03", ANSWER_REFUSED, "unsupported"},
        {"restart", NULL, JT808_ANSWER, "0009 8105 09", ANSWER_REFUSED, "failed"},
        {"restart", NULL, JT808_ANSWER, "0008 8105 00", ANSWER_OTHER, ""},
        {"restart", NULL, JT808_ANSWER, "0009 8103 00", ANSWER_OTHER, ""},
        {"restart", NULL, JT808_HEARTBEAT, "", ANSWER_OTHER, ""},
        {"interval", "30", JT808_ANSWER, "0009 8103 00", ANSWER_WHOLE, ""},
        {"text", "a", JT808_ANSWER, "0009 8300 00", ANSWER_WHOLE, ""},
        {"interval", NULL, JT808_ANSWER, "0009 8104 00", ANSWER_OTHER, ""}, /* and then come the parameters */
        {"interval", NULL, JT808_ANSWER, "0009 8104 03", ANSWER_REFUSED, "unsupported"},
        {"interval", NULL, JT808_PARAMETERS, "0009 02 00000001 04 0000003C 00000029 04 0000001E", ANSWER_WHOLE,
         "interval=30 s "},
        {"heartbeat_interval", NULL, JT808_PARAMETERS, "0009 02 00000001 04 0000003C 00000029 04 0000001E",
         ANSWER_WHOLE, "heartbeat_interval=60 s "},
        {"sleep_interval", NULL, JT808_PARAMETERS, "0009 01 00000001 04 0000003C", ANSWER_WHOLE, ""},
        {"interval", NULL, JT808_PARAMETERS, "0009 02 00000001 04 0000003C", ANSWER_OTHER, ""}, /* half of it */
        {"locate", NULL, JT808_LOCATION_ANSWER, "0009 00000000 00000002 015752A0 06D321A0 0000 0000 0000 261121083000",
         ANSWER_WHOLE, "latitude=22.5 deg longitude=114.5 deg altitude=0 m speed=0 km/h course=0 deg ignition=0 "},
        {"locate", NULL, JT808_LOCATION, "00000000 00000002 015752A0 06D321A0 0000 0000 0000 261121083000",
         ANSWER_OTHER, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {
            .address = S(TERMINAL), .item = str_of(all[i].item), .value = str_of(all[i].value), .serial = 9};
        struct bytes body = vector_bytes(t, all[i].body);
        struct bytes frame = frame_of(t, all[i].message, body.ptr, body.len, 0);
        struct buf data, said;
        char text[256] = "";
        struct decoded d = {0};
        struct wire_error e = {0};
        const char *why = "";
        buf_init_arena(&data, &t->arena, JT808_FRAME_MAX + 1);
        enum answer got = jt808_codec.asking->answers(&q, frame, &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%s, %s: %d", all[i].item, all[i].body, (int)got);
        if (got == ANSWER_REFUSED) CHECK_SAY(t, !strcmp(why, all[i].said), "%s: %s", all[i].body, why);
        if (got != ANSWER_WHOLE) continue;
        CHECK(t, jt808_codec.asking->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &t->arena, &d, &e));
        buf_init(&said, text, sizeof text);
        for (size_t k = 0; k < d.readings_n; k++)
            buf_fmt(&said, STR_FMT "=%g " STR_FMT "%s", STR_ARG(d.readings[k].metric), d.readings[k].value,
                    STR_ARG(d.readings[k].unit), d.readings[k].unit.len ? " " : "");
        CHECK_SAY(t, !strcmp(text, all[i].said), "%s: %s", all[i].body, text);
        q.address = S("013800138001");
        CHECK(t, jt808_codec.asking->answers(&q, frame, &data, &why) == ANSWER_OTHER);
    }
}

/* Parameters may be too many for a frame: the part that has the serial is the answer. */
static void the_first_of_parts_answers(struct t *t) {
    static const struct {
        uint16_t message, part;
        const char *body;
        enum answer answer;
    } all[] = {{JT808_PARAMETERS, 1, "0009 02 00000001 04 0000003C", ANSWER_WHOLE},
               {JT808_PARAMETERS, 1, "0008 02 00000001 04 0000003C", ANSWER_OTHER},
               {JT808_PARAMETERS, 1, "00", ANSWER_OTHER},
               {JT808_PARAMETERS, 2, "0009 00000029 04 0000001E", ANSWER_OTHER},
               {JT808_ANSWER, 1, "0009 8104 03", ANSWER_OTHER}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S(TERMINAL), .item = S("interval"), .serial = 9};
        struct jt808_frame f = {
            .message = all[i].message, .serial = 7, .terminal = TERMINAL, .parts = 2, .part = all[i].part};
        struct bytes body = vector_bytes(t, all[i].body);
        struct buf whole, data;
        const char *why = "";
        memcpy(f.body, body.ptr, f.body_n = body.len);
        buf_init_arena(&whole, &t->arena, JT808_FRAME_MAX + 1);
        buf_init_arena(&data, &t->arena, JT808_FRAME_MAX + 1);
        CHECK(t, jt808_encode(&f, &whole));
        struct bytes frame = {(const uint8_t *)whole.ptr, whole.len};
        CHECK_SAY(t, jt808_codec.asking->answers(&q, frame, &data, &why) == all[i].answer && !data.len, "row %zu", i);
    }
}

TESTS(CASE(the_first_of_parts_answers), CASE(vectors_of_the_sheet), CASE(bits_of_the_alarm_word),
      CASE(places_and_times), CASE(extras_that_do_not_fit_are_left_out),
      CASE(only_the_last_of_a_batch_says_what_holds_now), CASE(what_is_owed_is_answered),
      CASE(what_a_terminal_is_asked_and_told), CASE(what_answers_a_question))
