/* Vectors of GB/T 26875.3 frames as rows, every type of data, what is refused, and JSON there and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/gb26875/gb26875.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "F01 Smoke detector fire alarm (type 2)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 0A 00 02 "
            "00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 "
            "3A 09 1A 09 0C 46 23 23",
     .json = "\"command\":\"send\",\"type\":2,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,"
             "\"address\":131082,\"state\":2,",
     .said = "!fire_alarm ",
     .device = "889"},
    {.name = "F02 Centre confirms",
     .hex = "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AB 23 23",
     .json = "\"source\":88888,\"destination\":889,\"command\":\"confirm\"}"},
    {.name = "F03 Device mains-power fault (type 21)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 02 15 01 08 02 3A 09 1A 09 "
            "0C 42 23 23",
     .json = "\"type\":21,\"objects\":[{\"state\":8,\"time\":\"2012-09-26T09:58:02\"}]",
     .said = "!mains_fault ",
     .device = "889"},
    {.name = "F04 Guard answered the duty check (type 24)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 0A 00 02 18 01 20 01 02 3A 09 1A "
            "09 0C 5F 23 23",
     .json = "\"type\":24,\"objects\":[{\"operation\":32,\"operator\":1,",
     .said = "!duty_answer ",
     .device = "889"},
    {.name = "F05 Centre reads device status (type 81)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 04 51 01 00 FE 23 23",
     .json = "\"command\":\"request\",\"type\":81,\"objects\":[{\"reserved\":0}]"},
    {.name = "F06 Device answers status",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 05 15 01 08 02 3A 09 1A 09 "
            "0C 45 23 23",
     .json = "\"command\":\"answer\",\"type\":21",
     .said = "!mains_fault ",
     .device = "889"},
    {.name = "F07 Clock sync (type 90)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 08 00 01 5A 01 02 3A 09 1A 09 0C "
            "7D 23 23",
     .json = "\"command\":\"control\",\"type\":90,\"objects\":[{\"time\":\"2012-09-26T09:58:02\"}]"},
    {.name = "F08 Duty check (type 91)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 01 5B 01 0A 0F 23 23",
     .json = "\"command\":\"control\",\"type\":91,\"objects\":[{\"minutes\":10}]"},
    {.name = "F09 Vendor heartbeat (empty send-data)",
     .hex = "40 40 34 12 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 00 00 02 BA 23 23",
     .json = "\"serial\":4660,\"version\":[1,1],\"time\":\"2026-11-21T08:30:00\",\"source\":889,\"destination\":88888,"
             "\"command\":\"send\"}"},
    {.name = "F10 Analogue value (type 3)",
     .hex = "40 40 02 00 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 12 00 02 03 01 0B 01 63 05 00 01 "
            "00 04 04 00 00 1E 08 15 0B 1A 69 23 23",
     .json = "\"type\":3,\"objects\":[{\"system\":11,\"system_address\":1,\"component\":99,\"address\":65541,"
             "\"analogue\":4,\"value\":4,",
     .said = "pressure.99.65541=0.4 MPa ",
     .device = "889"},
    {.name = "F11 Two system states in one unit (type 1)",
     .hex = "40 40 04 00 01 01 00 1E 08 15 0B 1A 79 03 00 00 00 00 38 5B 01 00 00 00 16 00 02 01 02 01 01 03 00 00 1E "
            "08 15 0B 1A 0B 01 04 01 00 1E 08 15 0B 1A 67 23 23",
     .json = "\"type\":1,\"objects\":[{\"system\":1,\"system_address\":1,\"state\":3,",
     .said = "!fire_alarm !fault !mains_fault ",
     .device = "889"},
    {.name = "F12 a sum that is off by one bit",
     .hex = "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AA 23 23",
     .rule = "GB/T 26875.3 6.6: the sum is wrong",
     .at = 27},
    {.name = "Centre denies",
     .hex = "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 06 AE 23 23",
     .json = "\"command\":\"deny\""},
    {.name = "Device version (type 25)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 04 00 02 19 01 01 01 C7 23 23",
     .json = "\"objects\":[{\"major\":1,\"minor\":1}]",
     .said = "!version ",
     .device = "889"},
    {.name = "Device clock (type 28)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 08 00 02 1C 01 02 3A 09 1A 09 0C "
            "40 23 23",
     .json = "\"type\":28",
     .said = "!clock ",
     .device = "889"},
    {.name = "Centre reads the version (type 85)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 04 55 01 00 02 23 23",
     .json = "\"type\":85"},
    {.name = "Centre reads the clock (type 88)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 04 58 01 00 05 23 23",
     .json = "\"type\":88"},
    {.name = "Centre initialises the device (type 89)",
     .hex = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 01 59 01 00 03 23 23",
     .json = "\"command\":\"control\",\"type\":89"},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &gb26875_codec, rows, COUNT(rows));
}

/* Application data of each type as hex, and its objects as clause 8.3 has them. */
static const struct {
    uint8_t command;
    const char *data, *json; /* of the frame, from the command on */
} types[] = {
    {2, "01 01 01 01 03 00 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":1,\"objects\":[{\"system\":1,\"system_address\":1,\"state\":3,\"time\":"
     "\"2012-09-26T09:58:02\"}]}"},
    {2,
     "02 01 01 01 28 0A 00 02 00 02 00 33 BA C5 C2 A5 D1 CC B8 D0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 "
     "00 00 00 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":2,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,\"address\":"
     "131082,"
     "\"state\":2,\"text\":\"3号楼烟感\",\"time\":\"2012-09-26T09:58:02\"}]}"},
    {2,
     "02 01 01 01 28 0A 00 02 00 02 00 E7 83 9F E6 84 9F 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 "
     "00 00 00 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":2,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,\"address\":"
     "131082,"
     "\"state\":2,\"text_utf8\":\"烟感\",\"time\":\"2012-09-26T09:58:02\"}]}"},
    {2,
     "02 01 01 01 28 0A 00 02 00 02 00 FF FE 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 "
     "00 00 00 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":2,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,\"address\":"
     "131082,"
     "\"state\":2,\"text_hex\":\"FFFE0000000000000000000000000000000000000000000000000000000000\",\"time\":"
     "\"2012-09-26T09:58:02\"}]}"},
    {2, "03 01 0B 01 63 05 00 01 00 03 FB FF 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":3,\"objects\":[{\"system\":11,\"system_address\":1,\"component\":99,\"address\":"
     "65541,"
     "\"analogue\":3,\"value\":-5,\"time\":\"2012-09-26T09:58:02\"}]}"},
    {2, "04 01 01 02 21 07 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":4,\"objects\":[{\"system\":1,\"system_address\":2,\"operation\":33,\"operator\":7,"
     "\"time\":\"2012-09-26T09:58:02\"}]}"},
    {5, "05 01 01 01 03 09",
     "\"command\":\"answer\",\"type\":5,\"objects\":[{\"system\":1,\"system_address\":1,\"major\":3,\"minor\":9}]}"},
    {5, "06 02 01 01 04 D6 D0 CE C4 01 02 00",
     "\"command\":\"answer\",\"type\":6,\"objects\":[{\"system\":1,\"system_address\":1,\"text\":\"中文\"},{\"system\":"
     "1,"
     "\"system_address\":2,\"text\":\"\"}]}"},
    {5, "06 01 01 01 02 41 00",
     "\"command\":\"answer\",\"type\":6,\"objects\":[{\"system\":1,\"system_address\":1,\"text_hex\":\"4100\"}]}"},
    {5,
     "07 01 01 01 28 0A 00 02 00 42 37 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 "
     "00",
     "\"command\":\"answer\",\"type\":7,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,\"address\":"
     "131082,\"text\":\"B7\"}]}"},
    {5, "08 01 01 01 02 3A 09 1A 09 0C",
     "\"command\":\"answer\",\"type\":8,\"objects\":[{\"system\":1,\"system_address\":1,\"time\":\"2012-09-26T09:58:"
     "02\"}]"
     "}"},
    {2, "15 01 08 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":21,\"objects\":[{\"state\":8,\"time\":\"2012-09-26T09:58:02\"}]}"},
    {2, "15 01 08 02 3A 09 1A 0D 0C", /* month 13 */
     "\"command\":\"send\",\"type\":21,\"objects\":[{\"state\":8,\"time_hex\":\"023A091A0D0C\"}]}"},
    {2, "18 02 20 01 02 3A 09 1A 09 0C 01 02 02 3A 09 1A 09 0C",
     "\"command\":\"send\",\"type\":24,\"objects\":[{\"operation\":32,\"operator\":1,\"time\":\"2012-09-26T09:58:02\"},"
     "{"
     "\"operation\":1,\"operator\":2,\"time\":\"2012-09-26T09:58:02\"}]}"},
    {5, "1A 01 02 42 37", "\"command\":\"answer\",\"type\":26,\"objects\":[{\"text\":\"B7\"}]}"},
    {4, "3D 02 01 01 0B 01",
     "\"command\":\"request\",\"type\":61,\"objects\":[{\"system\":1,\"system_address\":1},{\"system\":11,\"system_"
     "address\":1}]}"},
    {4, "3E 01 01 01 0A 00 02 00",
     "\"command\":\"request\",\"type\":62,\"objects\":[{\"system\":1,\"system_address\":1,\"address\":131082}]}"},
    {4, "3F 01 01 01 0A 00 02 00",
     "\"command\":\"request\",\"type\":63,\"objects\":[{\"system\":1,\"system_address\":1,\"address\":131082}]}"},
    {4, "40 01 01 01 05 02 3A 09 1A 09 0C",
     "\"command\":\"request\",\"type\":64,\"objects\":[{\"system\":1,\"system_address\":1,\"records\":5,\"time\":"
     "\"2012-09-26T09:58:02\"}]}"},
    {4, "41 01 01 01", "\"command\":\"request\",\"type\":65,\"objects\":[{\"system\":1,\"system_address\":1}]}"},
    {4, "42 01 01 01", "\"command\":\"request\",\"type\":66,\"objects\":[{\"system\":1,\"system_address\":1}]}"},
    {4, "43 02 01 01 0A 00 02 00 01 01 0B 00 02 00",
     "\"command\":\"request\",\"type\":67,\"objects\":[{\"system\":1,\"system_address\":1,\"address\":131082},{"
     "\"system\":"
     "1,\"system_address\":1,\"address\":131083}]}"},
    {4, "44 01 01 01", "\"command\":\"request\",\"type\":68,\"objects\":[{\"system\":1,\"system_address\":1}]}"},
    {4, "51 01 00", "\"command\":\"request\",\"type\":81,\"objects\":[{\"reserved\":0}]}"},
    {4, "54 01 05 02 3A 09 1A 09 0C",
     "\"command\":\"request\",\"type\":84,\"objects\":[{\"records\":5,\"time\":\"2012-09-26T09:58:02\"}]}"},
    {4, "56 01 00", "\"command\":\"request\",\"type\":86,\"objects\":[{\"reserved\":0}]}"},
    {1, "5A 01 02 3A 09 1A 09 0C",
     "\"command\":\"control\",\"type\":90,\"objects\":[{\"time\":\"2012-09-26T09:58:02\"}]}"},
    {1, "5B 01 0A", "\"command\":\"control\",\"type\":91,\"objects\":[{\"minutes\":10}]}"},
    {4, "51 01 00 EE FF", /* bytes behind the last object are allowed */
     "\"command\":\"request\",\"type\":81,\"objects\":[{\"reserved\":0}],\"rest_hex\":\"EEFF\"}"},
    {2, "", "\"command\":\"send\"}"},
    {2, "80 01 AA", "\"command\":\"send\",\"data_hex\":\"8001AA\"}"},
    {130, "01", "\"command\":130,\"data_hex\":\"01\"}"},
};

static const struct gb26875_frame like = {
    .serial = 7, .version = {1, 1}, .time = {2, 58, 9, 26, 9, 12}, .source = 889, .destination = 88888};

static struct bytes frame_with(struct t *t, uint8_t command, const char *data) {
    struct gb26875_frame f = like;
    struct buf b;
    f.command = command;
    f.data = vector_bytes(t, data);
    buf_init_arena(&b, &t->arena, 1200);
    gb26875_encode(&f, &b);
    return (struct bytes){(const uint8_t *)b.ptr, b.len};
}

static void comes_back(struct t *t, struct bytes whole, const char *shown, const char *name) {
    struct wire_error e = {"", 0};
    json_t *o = NULL;
    struct buf b;
    buf_init_arena(&b, &t->arena, 1200);
    CHECK_SAY(t, !json_read(str_of(shown), &o, &t->fault), "%s: no JSON", name);
    bool ok = gb26875_codec.make(o, &t->arena, &b, &e);
    CHECK_SAY(t, ok && b.len == whole.len && !memcmp(b.ptr, whole.ptr, b.len), "%s: not the same: %s", name, e.rule);
    json_decref(o);
}

static const char *shown(struct t *t, struct bytes whole, const char *name) {
    struct wire_error e = {"", 0};
    struct str text = S("");
    struct jw j;
    struct buf b;
    buf_init_arena(&b, &t->arena, 20000);
    jw_init(&j, &b);
    CHECK_SAY(t, gb26875_codec.show(whole, &t->arena, &j, &e), "%s: %s at %zu", name, e.rule, e.at);
    CHECK(t, buf_done(&b, &text));
    return text.ptr;
}

static void every_type_has_the_objects_of_8_3(struct t *t) {
    static const char head[] = "{\"serial\":7,\"version\":[1,1],\"time\":\"2012-09-26T09:58:02\",\"source\":889,"
                               "\"destination\":88888,";
    for (size_t i = 0; i < COUNT(types); i++) {
        struct bytes whole = frame_with(t, types[i].command, types[i].data);
        const char *json = shown(t, whole, types[i].data);
        CHECK_SAY(t,
                  str_starts(str_of(json), (struct str){head, sizeof head - 1}) &&
                      !strcmp(json + sizeof head - 1, types[i].json),
                  "%s: %s", types[i].data, json);
        comes_back(t, whole, json, types[i].data);
    }
}

/* One thing wrong in F03, or in the data of a frame: the clause and the byte. */
static void what_the_standard_forbids_is_refused(struct t *t) {
    static const struct {
        size_t byte; /* of F03 */
        uint8_t value;
        const char *rule;
        size_t at;
    } bytes[] = {{0, 0x41, "GB/T 26875.3 6.6: the start", 0},      {1, 0, "GB/T 26875.3 6.6: the start", 0},
                 {24, 8, "GB/T 26875.3 6.6: the length does", 24}, {25, 8, "GB/T 26875.3 6.6: the length is", 24},
                 {36, 0, "GB/T 26875.3 6.6: the sum", 36},         {37, 0, "GB/T 26875.3 6.6: the end", 37},
                 {38, 0, "GB/T 26875.3 6.6: the end", 37}};
    static const struct {
        uint8_t command;
        const char *data, *rule;
        size_t at;
    } data[] = {{0, "", "GB/T 26875.3 6.6: no such command", 26},
                {7, "", "GB/T 26875.3 6.6: no such command", 26},
                {127, "", "GB/T 26875.3 6.6: no such command", 26},
                {2, "00 01", "GB/T 26875.3 8.1.1", 27},
                {2, "09 01 00", "GB/T 26875.3 8.1.1", 27},
                {2, "1D 01 00", "GB/T 26875.3 8.1.1", 27},
                {4, "5C 01 00", "GB/T 26875.3 8.1.1", 27},
                {2, "15", "GB/T 26875.3 8.1.2", 28},
                {2, "15 00", "GB/T 26875.3 8.1.2", 28},
                {2, "15 02 08 02 3A 09 1A 09 0C 08 02 3A 09 1A 09 0C", "GB/T 26875.3 8.1.2", 28},
                {4, "3E 17", "GB/T 26875.3 8.1.2", 28},
                {2, "15 01 08 02 3A 09 1A 09", "GB/T 26875.3 8.3", 30},
                {2, "01 02 01 01 03 00 02 3A 09 1A 09 0C", "GB/T 26875.3 8.3", 39},
                {5, "06 01 01 01 05 D6 D0 CE C4", "GB/T 26875.3 8.3", 31},
                {5, "08 01 02 3A 09 1A 09 0C", "GB/T 26875.3 8.3", 31},
                {4, "44 01 01", "GB/T 26875.3 8.3", 30}};
    for (size_t i = 0; i < COUNT(bytes); i++) {
        uint8_t raw[64];
        struct gb26875_frame f;
        struct wire_error e = {"", 0};
        struct bytes f03 = vector_bytes(t, rows[2].hex);
        memcpy(raw, f03.ptr, f03.len);
        raw[bytes[i].byte] = bytes[i].value;
        bool ok = gb26875_decode((struct bytes){raw, f03.len}, &f, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(bytes[i].rule)) && e.at == bytes[i].at,
                  "byte %zu: %s at %zu", bytes[i].byte, e.rule, e.at);
    }
    for (size_t i = 0; i < COUNT(data); i++) {
        struct decoded d;
        struct wire_error e = {"", 0};
        bool ok = gb26875_codec.decode(frame_with(t, data[i].command, data[i].data), &t->arena, &d, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(data[i].rule)) && e.at == data[i].at, "%s: %s at %zu",
                  data[i].data, ok ? "taken" : e.rule, e.at);
    }
}

static void wrong_wishes_are_told(struct t *t) {
    static const struct {
        const char *json, *rule;
    } wishes[] = {
        {"{\"command\":\"send\"}", "time: is missing"},
        {"{\"command\":\"shout\",\"time\":\"2026-11-24T10:42:00\"}", "command: is none"},
        {"{\"command\":\"send\",\"time\":\"2026-11-31T10:42:00\"}", "time: is not like"},
        {"{\"command\":\"send\",\"time\":\"1999-11-30T10:42:00\"}", "time: is not like"},
        {"{\"command\":\"request\",\"type\":82,\"objects\":[{}],\"time\":\"2026-11-24T10:42:00\"}", "type: is none"},
        {"{\"command\":\"request\",\"type\":81,\"time\":\"2026-11-24T10:42:00\"}", "objects: is no list"},
        {"{\"command\":\"request\",\"type\":81,\"objects\":[{},{}],\"time\":\"2026-11-24T10:42:00\"}",
         "GB/T 26875.3 8.1.2"},
        {"{\"command\":\"control\",\"type\":91,\"objects\":[{\"minutes\":256}],\"time\":\"2026-11-24T10:42:00\"}",
         "minutes: is no whole number"},
        {"{\"command\":\"send\",\"time\":\"2026-11-24T10:42:00\",\"source\":281474976710656}", "source: is no whole"},
        {"{\"command\":9,\"time\":\"2026-11-24T10:42:00\"}", "GB/T 26875.3 6.6: no such command"},
        {"[]", "the frame: is no JSON object"},
    };
    for (size_t i = 0; i < COUNT(wishes); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        CHECK(t, !json_read(str_of(wishes[i].json), &o, &t->fault));
        buf_init_arena(&b, &t->arena, 1200);
        bool ok = gb26875_codec.make(o, &t->arena, &b, &e);
        CHECK_SAY(t, !ok && str_starts(str_of(e.rule), str_of(wishes[i].rule)), "%s: %s", wishes[i].json,
                  ok ? "made" : e.rule);
        json_decref(o);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(every_type_has_the_objects_of_8_3), CASE(what_the_standard_forbids_is_refused),
      CASE(wrong_wishes_are_told))
