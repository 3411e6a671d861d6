/* Sparkplug B against the vectors of its sheet: frames, datatypes, topics, what devices are told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug.h"

#include "protocol/frame_json.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define NBIRTH "spBv1.0/estate/NBIRTH/gw1"
#define NDATA  "spBv1.0/estate/NDATA/gw1"
#define DDATA  "spBv1.0/estate/DDATA/gw1/meter"
#define TIME   "08 80D095FFBC31 " /* 1700000000000 */
#define M09    TIME "12 0B 0A05626453657120085800 12 1A 0A144E6F646520436F6E74726F6C2F52656269727468200B7000 18 00"
#define M10    TIME "12 14 0A0474656D70 18 80D095FFBC31 2009 65 0000AC41 18 01"

/* A metric "a" of a datatype with a value. */
#define A(len, type, value) "12 " len " 0A0161 20 " type " " value " "

static const struct row {
    const char *topic, *payload;
    struct vector v; /* without its bytes */
} table[] = {
    {NBIRTH,
     M09,
     {.name = "M09 a node is born",
      .json =
          "{\"message\":\"NBIRTH\",\"group\":\"estate\",\"edge\":\"gw1\",\"topic\":\"" NBIRTH
          "\",\"timestamp\":1700000000000,\"metrics\":[{\"name\":\"bdSeq\",\"datatype\":\"UInt64\",\"long_value\":0},{"
          "\"name\":\"Node Control/Rebirth\",\"datatype\":\"Boolean\",\"boolean_value\":false}],\"seq\":0}",
      .said = "-offline ",
      .device = "estate:gw1"}},
    {NDATA,
     M10,
     {.name = "M10 data",
      .json = "\"metrics\":[{\"name\":\"temp\",\"timestamp\":1700000000000,\"datatype\":\"Float\",\"float_value\":21.5}"
              "],\"seq\":1}",
      .said = "temp=21.5 ",
      .device = "estate:gw1"}},
    {"spBv1.0/estate/NDEATH/gw1",
     "12 0B 0A05626453657120085800",
     {.name = "a node is dead", .said = "!offline ", .device = "estate:gw1"}},
    {"spBv1.0/estate/DBIRTH/gw1/meter",
     TIME A("07", "0B", "7001") "18 01",
     {.name = "a device is born", .said = "a=1 -offline ", .device = "estate:gw1:meter"}},
    {"spBv1.0/estate/DDEATH/gw1/meter", TIME "18 02", {.name = "a device is dead", .said = "!offline "}},
    {"spBv1.0/a b/DDATA/c:d/%",
     A("07", "0B", "7001"),
     {.name = "names that codes cannot have", .said = "a=1 ", .device = "a%20b:c%3Ad:%25"}},
    {"spBv1.0/estate/NCMD/gw1", A("07", "0B", "7001"), {.name = "a command", .json = "\"message\":\"NCMD\""}},
    {"spBv1.0/STATE/scada",
     "7B226F6E6C696E65223A747275657D",
     {.name = "a host",
      .json = "{\"message\":\"STATE\",\"host\":\"scada\",\"topic\":\"spBv1.0/STATE/scada\",\"payload\":\"{"}},
    {"STATE/scada", "4F4E4C494E45", {.name = "a host of 2.2", .json = "\"payload\":\"ONLINE\""}},
    {NDATA, "", {.name = "nothing new", .json = "\"metrics\":[]"}},

    {DDATA,
     A("07", "01", "507F") A("08", "01", "50FF01"),
     {.name = "Int8, its highest, and -1 in 8 bits", .said = "a=127 a=-1 "}},
    {DDATA, A("0B", "01", "5080FFFFFF0F"), {.name = "Int8, its lowest in 32 bits", .said = "a=-128 "}},
    {DDATA, A("09", "02", "50FFFF01") A("0B", "02", "508080FEFF0F"), {.name = "Int16", .said = "a=32767 a=-32768 "}},
    {DDATA, A("0B", "03", "50F6FFFFFF0F"), {.name = "Int32, -10 in two's complement", .said = "a=-10 "}},
    {DDATA, A("10", "03", "50F6FFFFFFFFFFFFFFFF01"), {.name = "Int32, its sign in 64 bits", .said = "a=-10 "}},
    {DDATA, A("10", "04", "58F6FFFFFFFFFFFFFFFF01"), {.name = "Int64", .said = "a=-10 "}},
    {DDATA, A("08", "05", "50FF01") A("09", "06", "50FFFF03"), {.name = "UInt8, UInt16", .said = "a=255 a=65535 "}},
    {DDATA,
     A("0B", "07", "50FFFFFFFF0F") A("0B", "07", "58FFFFFFFF0F"),
     {.name = "UInt32 in either field", .said = "a=4294967295 a=4294967295 "}},
    {DDATA, A("10", "08", "58FFFFFFFFFFFFFFFFFF01"), {.name = "UInt64", .said = "a=1.844674407e+19 "}},
    {DDATA,
     A("0A", "09", "65000020C1") A("0E", "0A", "69000000000000F83F"),
     {.name = "Float, Double", .said = "a=-10 a=1.5 "}},
    {DDATA, A("07", "0B", "7000") A("07", "0B", "7001"), {.name = "Boolean", .said = "a=0 a=1 "}},
    {DDATA,
     A("08", "0C", "7A0162") A("0C", "0D", "5880D095FFBC31") A("08", "0E", "7A0162") A("08", "0F", "7A0162"),
     {.name = "String, DateTime, Text, UUID are no readings", .said = ""}},
    {DDATA,
     A("09", "10", "8A010162") A("09", "11", "82010162") A("09", "12", "82010162") A("09", "13", "92010162")
         A("09", "16", "82010162"),
     {.name = "DataSet, Bytes, File, Template, arrays neither",
      .json = "\"datatype\":\"DataSet\",\"dataset_value_hex\":\"62\"",
      .said = ""}},
    {DDATA, A("0A", "09", "650000C07F"), {.name = "no number", .json = "\"payload_hex\":\"120A", .said = ""}},
    {DDATA, A("07", "0B", "3801") A("09", "0B", "3001 7001"), {.name = "null, and transient", .said = ""}},
    {DDATA,
     "12 08 0A0161 65000020C1 12 05 0A0161 7001",
     {.name = "no datatype, but it can be one only", .said = "a=-10 a=1 "}},
    {DDATA, "12 05 0A0161 5001", {.name = "and where it can be several", .said = ""}},
    {DDATA, "12 06 1005 200B 7001", {.name = "an alias alone", .json = "\"alias\":5", .said = ""}},
    {DDATA, "12 0D 0A07 6F75742F3120 61 200B 7001", {.name = "a name with / and a blank", .said = "out_1_a=1 "}},
    {DDATA,
     "12 19 0A0161 2003 4A10 0A075175616C697479 1205 0803 18C001 500A",
     {.name = "a set of properties", .json = "\"properties_hex\":\"0A07", .said = "a=10 "}},
    {DDATA,
     "18 02 08 01",
     {.name = "fields in another order",
      .json = "\"timestamp\":1,\"metrics\":[],\"seq\":2,\"payload_hex\":\"18020801\""}},
    {DDATA,
     "08 8100 F201 00",
     {.name = "a number that is too long, a field of later", .json = "\"payload_hex\":\"088100F20100\""}},
    {DDATA, "22 01 75 2A 02 0001", {.name = "uuid and body", .json = "\"uuid\":\"u\",\"body_hex\":\"0001\""}},

    {"spBv1.0/estate/NDATA", "", {.name = "no edge node", .rule = "topic: it is none of Sparkplug B", .at = 0}},
    {"spBv1.0/estate/NDATA/gw1/meter", "", {.name = "a node with a device", .rule = "topic: it is none", .at = 0}},
    {"spBv1.0/estate/DDATA/gw1", "", {.name = "a device without one", .rule = "topic: it is none", .at = 0}},
    {"spBv1.0/estate/XDATA/gw1", "", {.name = "another message", .rule = "topic: it is none", .at = 0}},
    {"spAv1.0/estate/NDATA/gw1", "", {.name = "another version", .rule = "topic: it is none", .at = 0}},
    {"spBv1.0/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/NDATA/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
     "",
     {.name = "65 bytes of names", .rule = "topic: group, edge node and device", .at = 0}},
    {"a", "00", {.name = "field 0", .rule = "topic: it is none", .at = 0}},
    {NDATA, "00", {.name = "no field has the number 0", .rule = "protobuf: a field has a number", .at = 25}},
    {NDATA, "0B", {.name = "a group", .rule = "protobuf: a wire type", .at = 25}},
    {NDATA, "08 80", {.name = "half a number", .rule = "protobuf: the payload ends", .at = 25}},
    {NDATA, "08 FFFFFFFFFFFFFFFFFF02", {.name = "a number of 65 bits", .rule = "protobuf: the payload ends", .at = 25}},
    {NDATA, "18 01 12 05 0A01", {.name = "half a metric", .rule = "protobuf: the payload ends", .at = 27}},
    {NDATA, "12 03 0A05 61", {.name = "half a name", .rule = "protobuf: the payload ends", .at = 27}},
    {NDATA, "0A 00", {.name = "a time that is bytes", .rule = "payload: a field has another wire type", .at = 25}},
    {NDATA,
     "12 02 0801",
     {.name = "a name that is a number", .rule = "metric: a field has another wire type", .at = 27}},
    {NDATA, "12 03 0A01FF", {.name = "a name that is no UTF-8", .rule = "metric: its name", .at = 27}},
    {NDATA, "12 04 7A02C328", {.name = "a string that is no UTF-8", .rule = "metric: its string", .at = 27}},
    {NDATA, "18 8002", {.name = "seq 256", .rule = "seq: it is 0 to 255", .at = 25}},
    {NDATA, "22 01 FF", {.name = "a uuid that is no UTF-8", .rule = "uuid: it is UTF-8", .at = 27}},
    {NDATA,
     A("08", "01", "508002"),
     {.name = "Int8 of 256", .rule = "value: it is no integer of its datatype", .at = 25}},
    {NDATA,
     A("08", "05", "508002"),
     {.name = "UInt8 of 256", .rule = "value: it is no integer of its datatype", .at = 25}},
    {NDATA,
     A("07", "09", "7001"),
     {.name = "a Float that is a Boolean", .rule = "value: it is not of its datatype", .at = 25}},
    {NDATA,
     "08 FFFFFFFFFFFFFFFFFF01",
     {.name = "a time of 64 bits", .rule = "timestamp: it is over 63 bits", .at = 25}},
};

static const char *hex_of(struct t *t, const struct row *r) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, &t->arena, 4096);
    buf_hex(&b, vector_bytes_of(r->topic));
    buf_cstr(&b, "0A");
    buf_cstr(&b, r->payload);
    return buf_done(&b, &text) ? text.ptr : "";
}

static void vectors_of_the_sheet(struct t *t) {
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vector v = table[i].v;
        v.hex = hex_of(t, &table[i]);
        vectors_check(t, &sparkplug_codec, &v, 1);
    }
}

static bool decode(struct t *t, const char *topic, const char *payload, struct decoded *ret) {
    struct wire_error e = {NULL, 0};
    struct row r = {.topic = topic, .payload = payload};
    bool ok = sparkplug_codec.decode(vector_bytes(t, hex_of(t, &r)), &t->arena, ret, &e);
    CHECK_SAY(t, ok, "%s: %s", payload, e.rule);
    return ok;
}

static void a_metrics_time_is_its_own_or_the_payloads(struct t *t) {
    struct decoded d;
    if (decode(t, NDATA,
               TIME A("07", "0B", "7001") "12 0E 0A0161 18 81D095FFBC31 200B 7001 12 09 0A0161 1800 200B 7001", &d))
        CHECK(t, d.readings_n == 3 && d.readings[0].at_ms == 1700000000000 && d.readings[1].at_ms == 1700000000001 &&
                     d.readings[2].at_ms == 0);
    if (decode(t, NDATA, A("09", "0B", "2801 7001"), &d)) CHECK(t, d.readings_n == 1 && !d.readings[0].at_ms);
    if (decode(t, "spBv1.0/e/NDEATH/g", TIME, &d)) CHECK(t, !d.events[0].at_ms); /* written before the node lived */
    if (decode(t, "spBv1.0/e/DDEATH/g/d", TIME, &d)) CHECK(t, d.events[0].at_ms == 1700000000000);
}

static void a_value_whose_quality_is_not_good_is_suspect(struct t *t) {
    static const struct {
        const char *payload;
        enum quality quality;
    } all[] = {
        {"12 19 0A0161 4A10 0A075175616C697479 1205 0803 18C001 200B 7001", QUALITY_GOOD},
        {"12 19 0A0161 200B 4A10 0A075175616C697479 1205 0803 18F403 7001", QUALITY_SUSPECT},
        {"12 18 0A0161 200B 4A0F 0A075175616C697479 1204 0803 1800 7001", QUALITY_SUSPECT},
        {"12 22 0A0161 200B 4A19 0A0178 0A075175616C697479 1204 08031801 1205 0803 18C001 7001", QUALITY_GOOD},
        {"12 0C 0A0161 200B 4A03 0A0178 7001", QUALITY_GOOD},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct decoded d;
        if (decode(t, NDATA, all[i].payload, &d))
            CHECK_SAY(t, d.readings_n == 1 && d.readings[0].quality == all[i].quality, "%zu", i);
    }
}

static void nodes_and_devices_are_told_one_metric(struct t *t) {
    static const struct {
        const char *address, *item, *value;
        int64_t now_ms;
        const char *topic, *payload; /* NULL: there is no such question */
    } all[] = {
        {"estate:gw1", "Node Control/Rebirth", "true", 1700000000000, "spBv1.0/estate/NCMD/gw1",
         TIME "12 21 0A144E6F646520436F6E74726F6C2F52656269727468 1880D095FFBC31 200B 7001"},
        {"estate:gw1:a%20b", "out", "1", 0, "spBv1.0/estate/DCMD/gw1/a b", "12 09 0A036F7574 2004 5801"},
        {"e:g", "out", "-1", 0, "spBv1.0/e/NCMD/g", "12 12 0A036F7574 2004 58FFFFFFFFFFFFFFFFFF01"},
        {"e:g", "out", "1.5", 0, "spBv1.0/e/NCMD/g", "12 10 0A036F7574 200A 69000000000000F83F"},
        {"e:g", "out", "on", 0, "spBv1.0/e/NCMD/g", "12 0B 0A036F7574 200C 7A026F6E"},
        {"e:g", "out:Float", "21", 0, "spBv1.0/e/NCMD/g", "12 0C 0A036F7574 2009 650000A841"},
        {"e:g", "out:Int8", "-128", 0, "spBv1.0/e/NCMD/g", "12 0D 0A036F7574 2001 5080FFFFFF0F"},
        {"e:g", "out:UInt32", "4294967295", 0, "spBv1.0/e/NCMD/g", "12 0D 0A036F7574 2007 50FFFFFFFF0F"},
        {"e:g", "out:String", "1", 0, "spBv1.0/e/NCMD/g", "12 0A 0A036F7574 200C 7A0131"},
        {"e:g", "out:1", "true", 0, "spBv1.0/e/NCMD/g", "12 0B 0A056F75743A31 200B 7001"},
        {"e:g", "out:Int8", "128", 0, NULL, NULL},
        {"e:g", "out:Int8", "-129", 0, NULL, NULL},
        {"e:g", "out:UInt8", "256", 0, NULL, NULL},
        {"e:g", "out:UInt8", "-1", 0, NULL, NULL},
        {"e:g", "out:Boolean", "1", 0, NULL, NULL},
        {"e:g", "out:Float", "1e40", 0, NULL, NULL},
        {"e:g", "out:DataSet", "1", 0, NULL, NULL},
        {"e:g", "out", NULL, 0, NULL, NULL}, /* nothing can be asked for but a rebirth */
        {"e:g", "", "1", 0, NULL, NULL},
        {"e", "out", "1", 0, NULL, NULL},
        {"e:g:d:x", "out", "1", 0, NULL, NULL},
        {"e::d", "out", "1", 0, NULL, NULL},
        {"e:%2", "out", "1", 0, NULL, NULL},
        {"e:%2F", "out", "1", 0, NULL, NULL},
        {"e:%00", "out", "1", 0, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = str_of(all[i].address),
                             .item = str_of(all[i].item),
                             .value = str_of(all[i].value),
                             .now_ms = all[i].now_ms};
        char mem[256];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        bool ok = sparkplug_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == (all[i].topic != NULL), "%zu", i);
        if (!ok || !all[i].topic) continue;
        struct row r = {.topic = all[i].topic, .payload = all[i].payload};
        struct bytes want = vector_bytes(t, hex_of(t, &r));
        CHECK_SAY(t, b.len == want.len && !memcmp(mem, want.ptr, want.len), "%zu: another frame", i);
    }
}

static void data_with_the_value_are_the_answer(struct t *t) {
    static const struct {
        const char *item, *value, *topic, *payload;
        enum answer answer;
    } all[] = {
        {"a", "true", NDATA, A("07", "0B", "7001"), ANSWER_WHOLE},
        {"a", "true", NDATA, A("07", "0B", "7000") A("07", "0B", "7001"), ANSWER_OTHER}, /* the first counts */
        {"a", "true", DDATA, A("07", "0B", "7001"), ANSWER_OTHER},
        {"a", "true", "spBv1.0/estate/NCMD/gw1", A("07", "0B", "7001"), ANSWER_OTHER},
        {"a", "true", NDATA, "12 06 1005 200B 7001", ANSWER_OTHER},
        {"a", "5", NDATA, A("07", "01", "5005"), ANSWER_WHOLE}, /* the node's own datatype */
        {"a", "5", NDATA, "12 05 0A0161 5805", ANSWER_WHOLE},
        {"a", "6", NDATA, A("07", "01", "5005"), ANSWER_OTHER},
        {"a:Float", "21.5", NDATA, A("0A", "09", "650000AC41"), ANSWER_WHOLE},
        {"a", "b", NDATA, A("08", "0C", "7A0162"), ANSWER_WHOLE},
        {"a", "c", NDATA, A("08", "0C", "7A0162"), ANSWER_OTHER},
        {"Node Control/Rebirth", "true", NBIRTH, M09, ANSWER_WHOLE},
        {"Node Control/Rebirth", "true", NDATA, M10, ANSWER_OTHER},
        {"a", "true", NDATA, "12 05 0A01", ANSWER_OTHER},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {.address = S("estate:gw1"), .item = str_of(all[i].item), .value = str_of(all[i].value)};
        struct row r = {.topic = all[i].topic, .payload = all[i].payload};
        char mem[64];
        struct buf data;
        const char *why = NULL;
        buf_init(&data, mem, sizeof mem);
        enum answer got = sparkplug_codec.asking->answers(&q, vector_bytes(t, hex_of(t, &r)), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "%zu: %d", i, (int)got);
    }
}

static void a_payload_has_4096_metrics_at_most(struct t *t) {
    for (size_t n = 4095; n <= 4097; n++) {
        struct buf b;
        struct decoded d;
        struct wire_error e = {NULL, 0};
        buf_init_arena(&b, &t->arena, 4 * n + 64);
        buf_cstr(&b, NDATA "\n");
        for (size_t i = 0; i < n; i++) buf_add(&b, "\x12\0", 2);
        bool ok = sparkplug_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e);
        CHECK_SAY(t, ok == (n <= 4096), "%zu: %s", n, ok ? "" : e.rule);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(a_metrics_time_is_its_own_or_the_payloads),
      CASE(a_value_whose_quality_is_not_good_is_suspect), CASE(nodes_and_devices_are_told_one_metric),
      CASE(data_with_the_value_are_the_answer), CASE(a_payload_has_4096_metrics_at_most))
