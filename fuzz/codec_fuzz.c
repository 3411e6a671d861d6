/* Fuzzes the codec named by CODEC as lines and tools use it: any bytes split without standing still or waiting for
 * ever; what a stream's frame says is the same twice; a bad frame names a rule and a byte of it; an answer is a frame
 * that decodes, if not the body of an HTTP answer; what is shown is made again the same; a question is a frame,
 * and what answers it is understood.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN_MAX ((size_t)4 << 20)
#define NOW_S     INT64_C(1348653515) /* 2012-09-26T09:58:35 */
#define ASKED_S   INT64_C(1470041937) /* 2016-08-01T08:58:57: HJ 212 knows answers by it */

static struct arena arena;
static const struct codec *codec;

static void must(bool ok) {
    if (!ok) abort();
}

static void round_trip(struct bytes whole) {
    struct buf text, again;
    struct str json = {NULL, 0};
    struct jw j;
    struct wire_error e;
    struct fault f = {0};
    json_t *o = NULL;
    buf_init_arena(&text, &arena, SHOWN_MAX);
    jw_init(&j, &text);
    must(codec->show(whole, &arena, &j, &e) && buf_done(&text, &json));
    must(!json_read(json, &o, &f));
    if (codec->make) {
        buf_init_arena(&again, &arena, codec->frame_max + 1);
        must(codec->make(o, &arena, &again, &e));
        must(again.len == whole.len && !memcmp(again.ptr, whole.ptr, whole.len));
    }
    json_decref(o);
}

static void answer(struct bytes whole, bool ok) {
    struct buf b;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&b, &arena, codec->frame_max + 1);
    codec->reply(whole, ok, NOW_S, &b);
    must(!b.overflow);
    for (size_t at = 0, n; at < b.len && codec->carrier != CARRIER_BODY; at += n) { /* of a stream maybe several */
        struct bytes rest = {(const uint8_t *)b.ptr + at, b.len - at};
        n = rest.len;
        if (codec->carrier == CARRIER_STREAM && codec->frame) must(codec->frame(rest, &n) == FRAME_WHOLE);
        must(codec->decode((struct bytes){rest.ptr, n}, &arena, &d, &e));
    }
}

static const struct asked {
    const char *codec, *address, *item, *value;
    uint8_t serial;
    const char *key;
    uint8_t nth;
} asked[] = {
    {"dlt645", "AAAAAAAAAAAA", "", NULL, 0, NULL},
    {"dlt645", "AAAAAAAAAAAA", "00010000", NULL, 0, NULL},
    {"dlt645", "AAAAAAAAAAAA", "0201FF00", NULL, 0, NULL},
    {"dlt645", "AAAAAAAAAAAA", "901F", NULL, 0, NULL},
    {"dlt645", "AAAAAAAAAAAA", "1C", "trip", 0, "02123456"},
    {"cjt188", "AAAAAAAAAAAAAA", "", NULL, 0, NULL},
    {"cjt188", "AAAAAAAAAAAAAA", "901F", NULL, 0, NULL},
    {"cjt188", "AAAAAAAAAAAAAA", "901F<", NULL, 0, NULL},
    {"gb26875", "889", "system_state:1.1", NULL, 1, NULL},
    {"gb26875", "889", "component_state:1.1.131082", NULL, 1, NULL},
    {"gb26875", "889", "analogue:11.1.65541", NULL, 1, NULL},
    {"gb26875", "889", "system_operations:1.1 5 now", NULL, 1, NULL},
    {"gb26875", "889", "system_version:1.1", NULL, 1, NULL},
    {"gb26875", "889", "system_configuration:1.1", NULL, 1, NULL},
    {"gb26875", "889", "component_configuration:1.1.131082", NULL, 1, NULL},
    {"gb26875", "889", "system_clock:1.1", NULL, 1, NULL},
    {"gb26875", "889", "device_state", NULL, 1, NULL},
    {"gb26875", "889", "device_operations:5 now", NULL, 1, NULL},
    {"gb26875", "889", "device_version", NULL, 1, NULL},
    {"gb26875", "889", "device_configuration", NULL, 1, NULL},
    {"gb26875", "889", "device_clock", NULL, 1, NULL},
    {"gb26875", "889", "clock", "now", 1, NULL},
    {"hj212", "010000A8900016F000169DC0", "interval", NULL, 223, NULL},
    {"hj212", "010000A8900016F000169DC0", "interval", "30", 223, NULL},
    {"hj212", "010000A8900016F000169DC0", "hour", "20160801000000 now", 223, NULL},
    {"hj212", "010000A8900016F000169DC0", "serial_number", "w01018", 223, NULL},
    {"hj212", "88888880000001", "clock", "now", 223, NULL},
    {"jt808", "043048325465", "locate", NULL, 0, NULL},
    {"jt808", "043048325465", "restart", NULL, 0, NULL},
    {"jt808", "043048325465", "interval", NULL, 0, NULL},
    {"watch", "8800000015", "locate", NULL, 0, NULL},
    {"watch", "8800000015", "find", NULL, 0, NULL},
    {"osdp", "0", "poll", NULL, 0, NULL},
    {"osdp", "101", "poll", NULL, 0, NULL},
    {"osdp", "101", "id", NULL, 0, NULL},
    {"osdp", "101", "poll", NULL, 0, NULL, 1},
    {"osdp", "101", "out", "0 5 30", 0, NULL, 2},
    {"modbus", "1", "", NULL, 0, NULL},
    {"modbus", "1", "input:0", NULL, 0, NULL},
    {"modbus", "1", "holding:0:f32 holding:3:bcd16:!8000:/10", NULL, 0, NULL},
    {"modbus", "1", "coil:0 coil:20", NULL, 0, NULL},
    {"modbus_rtu", "1", "", NULL, 0, NULL},
    {"modbus_rtu", "1", "input:0", NULL, 0, NULL},
    {"modbus_rtu", "1", "holding:0:f32 holding:3:bcd16:!8000:/10", NULL, 0, NULL},
    {"modbus_rtu", "1", "coil:0 coil:20", NULL, 0, NULL},
    {"bacnet", "1234", "", NULL, 0, NULL},
    {"bacnet", "1234", "ai_1", NULL, 0, NULL},
    {"bacnet", "1234", "ai_1 ai_1_units", NULL, 0, NULL},
    {"bacnet", "1234.lift_1", "car_mode", NULL, 0, NULL},
    {"esphome", "boiler", "switch/relay", "ON", 0, NULL},
    {"tasmota", "plug-17", "POWER", "ON", 0, NULL},
    {"tasmota", "plug-17", "Status", "11", 0, NULL},
    {"zigbee2mqtt", "plug", "state", "ON", 0, NULL},
    {"chirpstack", "0101010101010101", "10", "00", 0, "17c82e96-be03-4f38-aef3-f83d48582d97"},
    {"ttn", "b3-12f-th", "10", "00", 0, "estate@ttn/devices/b3-12f-th"},
    {"ttn", "0004a30b001c0530", "10", "00", 0, "estate@ttn/devices/b3-12f-th"},
};

/* What can be asked is a frame; where frames are publishes only a device is asked with it. */
static void say(const struct question *q) {
    struct buf b;
    struct decoded d;
    struct wire_error e;
    buf_init_arena(&b, &arena, codec->frame_max + 1);
    if (!codec->asking->ask(q, &b) || b.overflow) return; /* too long: nobody is asked */
    struct bytes whole = {(const uint8_t *)b.ptr, b.len};
    must(b.len && b.len <= codec->frame_max);
    must(codec->carrier != CARRIER_STREAM || codec->decode(whole, &arena, &d, &e));
}

/* What answers hold is understood, or breaks a rule; also when it comes twice. */
static void hear(const struct question *q, struct bytes whole) {
    struct decoded d;
    struct wire_error e = {NULL, 0};
    const char *why = NULL;
    struct buf data;
    buf_init_arena(&data, &arena, 2 * codec->frame_max + 1);
    enum answer answer = codec->asking->answers(q, whole, &data, &why);
    if (answer == ANSWER_MORE) must(codec->asking->answers(q, whole, &data, &why) == ANSWER_MORE);
    must(!data.overflow && ((answer != ANSWER_REFUSED && answer != ANSWER_ANEW) || why));
    if (answer != ANSWER_WHOLE && answer != ANSWER_MORE) return;
    struct bytes all = {(const uint8_t *)(data.ptr ? data.ptr : ""), data.len};
    must(codec->asking->read(q, all, &arena, &d, &e) || e.rule);
}

static void ask_for(struct bytes whole) {
    static bool are_said; /* as they stand in the table they are the same each time */
    for (size_t i = 0; i < COUNT(asked); i++) {
        if (strcmp(asked[i].codec, codec->name) != 0) continue;
        struct question q = {.address = str_of(asked[i].address),
                             .item = str_of(asked[i].item),
                             .value = str_of(asked[i].value),
                             .key = str_of(asked[i].key),
                             .now_s = ASKED_S,
                             .serial = asked[i].serial,
                             .nth = asked[i].nth};
        for (; q.part < 2; q.part++) hear(&q, whole);
        q.part = 0;
        if (!are_said) say(&q);
        q.value = (struct str){(const char *)whole.ptr, whole.len};
        say(&q);
    }
    are_said = true;
}

static void take(struct bytes whole) {
    struct decoded d, again;
    struct wire_error e = {NULL, 0};
    bool ok = codec->decode(whole, &arena, &d, &e);
    must(ok || (e.rule && e.at <= whole.len));
    must(codec->decode(whole, &arena, &again, &e) == ok);
    must(!ok || (again.readings_n == d.readings_n && again.events_n == d.events_n));
    must(!ok || ((!d.readings_n || d.readings) && (!d.events_n || d.events) && (!d.passings_n || d.passings)));
    if (codec->reply) answer(whole, ok);
    if (codec->asking) ask_for(whole);
    if (ok && codec->show) round_trip(whole);
}

/* Half of it was seen before, and waited for the rest. */
static void follow(struct bytes rest, enum frame what, size_t len) {
    struct followed f = {0};
    size_t n = 0;
    if (codec->follow((struct bytes){rest.ptr, rest.len / 2}, &f, &n) != FRAME_SHORT) f = (struct followed){0};
    n = 0;
    must(codec->follow(rest, &f, &n) == what && n == (what == FRAME_SHORT ? 0 : len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = {data, size};
    codec = codec_find(S(CODEC));
    must(codec);
    arena_init(&arena, (size_t)16 << 20);
    if (size <= codec->frame_max) take(rest); /* as a tool does, without splitting */
    while (codec->frame && rest.len) {
        size_t len = 0;
        enum frame what = codec->frame(rest, &len);
        if (codec->follow) follow(rest, what, len);
        arena_reset(&arena);
        if (what == FRAME_SHORT) {
            must(rest.len < codec->frame_max); /* else it would wait for ever */
            break;
        }
        must(len > 0 && len <= rest.len && (what == FRAME_SKIP || len <= codec->frame_max));
        if (what == FRAME_WHOLE) take((struct bytes){rest.ptr, len});
        rest = (struct bytes){rest.ptr + len, rest.len - len};
    }
    arena_finish(&arena);
    return 0;
}
