/* Cayenne LPP: each type, both ends of its range, and what is none.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/cayenne.h"

#include "protocol/frame_json.h"
#include "tests/lib/test.h"

#include <string.h>

static void every_type_means_what_its_table_says(struct t *t) {
    static const struct {
        const char *hex, *said;
    } rows[] = {
        {"01 67 00D7 02 68 5E", "1 temperature=21.5 Cel;2 humidity=47 %;"}, /* M01 */
        {"03 67 0110 05 67 00FF", "3 temperature=27.2 Cel;5 temperature=25.5 Cel;"},
        {"01 67 FFD7", "1 temperature=-4.1 Cel;"},
        {"01 67 7FFF 01 67 8000", "1 temperature=3276.7 Cel;1 temperature=-3276.8 Cel;"},
        {"06 71 04D2 FB2E 0000", "6 acceleration_x=1.234 [g];6 acceleration_y=-1.234 [g];6 acceleration_z=0 [g];"},
        {"01 88 06765F F2960A 0003E8", "1 latitude=42.3519 deg;1 longitude=-87.9094 deg;1 altitude=10 m;"},
        {"01 88 800000 7FFFFF 800000", "1 latitude=-838.8608 deg;1 longitude=838.8607 deg;1 altitude=-83886.08 m;"},
        {"00 00 01 FF 01 FF", "0 digital_input=1;255 digital_output=255;"},
        {"01 02 0064 02 03 FF9C", "1 analog_input=1;2 analog_output=-1;"},
        {"01 64 FFFFFFFF", "1 generic=4294967295;"},
        {"01 65 FFFF", "1 illuminance=65535 lx;"},
        {"01 66 01 01 68 FF", "1 presence=1;1 humidity=127.5 %;"},
        {"01 73 2794", "1 pressure=1013.2 hPa;"},
        {"01 74 0168 01 75 0006", "1 voltage=3.6 V;1 current=0.006 A;"},
        {"01 76 00000032 01 78 64", "1 frequency=50 Hz;1 percentage=100 %;"},
        {"01 79 FFFF 01 7D 019A", "1 altitude=-1 m;1 concentration=410 ppm;"},
        {"01 80 0064 01 82 000004D2", "1 power=100 W;1 distance=1.234 m;"},
        {"01 83 000004D2 01 84 010E", "1 energy=1.234 kWh;1 direction=270 deg;"},
        {"01 85 6553F100", "1 time=1700000000 s;"},
        {"01 86 0064 FF9C 0001", "1 rotation_x=1 deg/s;1 rotation_y=-1 deg/s;1 rotation_z=0.01 deg/s;"},
        {"01 87 FF 80 00 02 8E 01", "1 red=255;1 green=128;1 blue=0;2 switch=1;"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cayenne_value v[CAYENNE_VALUES_MAX];
        struct bytes b;
        size_t n = 0;
        char said[400] = "";
        struct buf out;
        buf_init(&out, said, sizeof said);
        CHECK(t, frame_unhex(&t->arena, str_of(rows[i].hex), &b) && cayenne_read(b, v, &n));
        for (size_t k = 0; k < n; k++)
            buf_fmt(&out, "%d %s=%.10g%s%s;", v[k].channel, v[k].name, v[k].value, v[k].unit[0] ? " " : "", v[k].unit);
        CHECK_SAY(t, !strcmp(said, rows[i].said), "%s: %s", rows[i].hex, said);
        for (size_t cut = 0; cut < b.len; cut++) { /* an end within a value is no end */
            size_t had = n;
            bool ok = cayenne_read((struct bytes){b.ptr, cut}, v, &had);
            CHECK_SAY(t, !ok || had < n, "%zu bytes of %s", cut, rows[i].hex);
        }
    }
}

static void what_is_none_is_refused(struct t *t) {
    static const char *const rows[] = {
        "", "01", "01 67", "01 67 00", "01 67 00D7 02", "01 FF 00", "01 67 00D7 00 05 00", "01 04 00", "02 63 00"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cayenne_value v[CAYENNE_VALUES_MAX];
        struct bytes b;
        size_t n = 0;
        CHECK(t, frame_unhex(&t->arena, str_of(rows[i]), &b));
        CHECK_SAY(t, !cayenne_read(b, v, &n) && !n, "%s is taken", rows[i]);
    }
}

static void the_longest_payload_has_room(struct t *t) {
    static const size_t lens[] = {3 * 128, 3 * 129}; /* at, above what is kept; LoRaWAN has 255 bytes at most */
    for (size_t i = 0; i < COUNT(lens); i++) {
        struct cayenne_value v[CAYENNE_VALUES_MAX];
        uint8_t mem[3 * 129] = {0}; /* digital inputs of channel 0 */
        size_t n = 0;
        CHECK(t, cayenne_read((struct bytes){mem, lens[i]}, v, &n) == (lens[i] == 3 * 128));
    }
}

TESTS(CASE(every_type_means_what_its_table_says), CASE(what_is_none_is_refused), CASE(the_longest_payload_has_room))
