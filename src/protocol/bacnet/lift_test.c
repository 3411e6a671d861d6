/* Lifts and escalators over BACnet tell what those of GB/T 24476 tell.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet.h"
#include "tests/lib/vectors.h"

#include <string.h>

/* Answers that hold several properties of one object. */
static const struct vector rows[] = {
    {.name = "a lift that travels, with its labels of floors, and calls",
     .hex =
         "81 0A 00 56 01 00 30 09 0E 0C 0E C0 00 01 1E 2A 01 C8 4E 91 01 4F 2A 01 C5 4E 91 05 4F 2A 01 C9 4E 91 03 4F "
         "2A 01 C4 4E 10 4F 2A 01 CA 4E 21 03 4F 2A 01 C2 4E 91 00 91 04 4F 2A 01 CF 4E 4F 2A 01 DE 4E 11 4F 2A 01 D0 "
         "4E 73 00 42 32 73 00 42 31 72 00 31 4F 1F",
     .said = "service_mode=1 running=1 direction=1 door_zone=0 floor=1 door_closed=1 -normal !alarm_button ",
     .device = "lift_1"},
    {.name = "a lift that moves with an open door, and all its faults, one of them new and two the same",
     .hex =
         "81 0A 00 3E 01 00 30 09 0E 0C 0E C0 00 02 1E 2A 01 C8 4E 91 01 4F 2A 01 C5 4E 91 02 4F 2A 01 C4 4E 10 4F 2A "
         "01 C2 4E 91 00 91 01 4F 2A 01 CF 4E 91 0E 91 00 91 01 91 06 91 28 91 09 4F 1F",
     .said = "service_mode=1 running=1 door_zone=0 door_closed=0 !unintended_movement !position_lost !no_restart "
             "!door_close_fault !other !button_stuck ",
     .device = "lift_2"},
    {.name = "a lift under somebody's hands",
     .hex =
         "81 0A 00 34 01 00 30 09 0E 0C 0E C0 00 02 1E 2A 01 C8 4E 91 08 4F 2A 01 CF 4E 91 06 91 05 4F 2A 01 C2 4E 91 "
         "02 4F 2A 01 CA 4E 21 07 4F 2A 01 DE 4E 10 4F 1F",
     .said = "service_mode=2 floor=7 !safety_circuit -alarm_button "},
    {.name = "an escalator that goes down too fast",
     .hex =
         "81 0A 00 35 01 00 30 09 0E 0C 0E 80 00 01 1E 2A 01 CE 4E 91 03 4F 2A 01 DD 4E 91 05 4F 2A 01 CF 4E 91 03 4F "
         "2A 01 CC 4E 44 41 48 00 00 4F 2A 01 DF 4E 11 4F 1F",
     .said = "service_mode=1 direction=2 running=1 energy=12.5 kWh power_mode=1 !overspeed ",
     .device = "escalator_1"},
};

static void what_they_say_is_told_alike(struct t *t) {
    vectors_check(t, &bacnet_codec, rows, COUNT(rows));
}

/* One value of one property: what is told; "": nothing. */
static void each_value_has_its_meaning(struct t *t) {
    static const struct {
        const char *object;
        uint16_t property;
        const char *values[17];
    } all[] = {
        {"lift_1",
         456,
         {"service_mode=7", "service_mode=1", "service_mode=1", "service_mode=1", "service_mode=0", "service_mode=1",
          "service_mode=4", "service_mode=5", "service_mode=2", "service_mode=2", "service_mode=6", "service_mode=3",
          "service_mode=0", "service_mode=7", ""}},
        {"lift_1",
         453,
         {"", "running=0", "running=1", "running=1", "running=1", "running=1", "running=1", "running=1", "running=1",
          "running=1", ""}},
        {"lift_1", 457, {"", "direction=0", "direction=0", "direction=1", "direction=2", "", ""}},
        {"lift_1",
         450,
         {"door_closed=1", "door_closed=0", "", "door_closed=0", "", "", "door_closed=0", "door_closed=0",
          "door_closed=1", "door_closed=0"}},
        {"lift_1",
         463,
         {"!no_restart", "!no_restart", "!governor_fault", "!shaft_fault", "!supply_fault", "!safety_circuit",
          "!door_close_fault", "!door_open_fault", "!outside_zone", "!button_stuck", "!start_fault", "!no_restart",
          "!self_test_failed", "!run_time_limit", "!position_lost", "!drive_hot", "!load_sensor_fault"}},
        {"escalator_1",
         462,
         {"service_mode=3", "service_mode=0", "service_mode=1", "service_mode=1", "service_mode=2", "service_mode=0",
          ""}},
        {"escalator_1",
         477,
         {"", "direction=0 running=0", "direction=1 running=1", "direction=1 running=1", "direction=2 running=1",
          "direction=2 running=1", ""}},
        {"escalator_1",
         463,
         {"!no_restart", "!no_restart", "!mechanical_fault", "!overspeed", "!supply_fault", "!safety_circuit",
          "!no_restart", "!drive_hot", "!comb_plate_fault", "!other"}},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (int64_t k = 0; k < (int64_t)COUNT(all[i].values) && all[i].values[k]; k++) {
            struct bacnet_frame f = {.function = BACNET_UNICAST, .kind = BACNET_COMPLEX_ACK, .service = BACNET_READ};
            struct bacnet_body body = bacnet_nothing;
            struct decoded d;
            struct wire_error e = {"", 0};
            char mem[8], text[80];
            struct buf value, frame, said;
            buf_init(&value, mem, sizeof mem);
            buf_init(&said, text, sizeof text);
            buf_init_arena(&frame, &t->arena, 100);
            bacnet_put_value(&(struct bacnet_value){.type = BACNET_ENUMERATED, .whole = k}, &value);
            CHECK(t, bacnet_read_object(str_of(all[i].object), &body.point.object));
            body.point.property = all[i].property;
            body.point.values = (struct bytes){(const uint8_t *)mem, value.len};
            CHECK(t, bacnet_put(&f, &body, &frame));
            struct bytes whole = {(const uint8_t *)frame.ptr, frame.len};
            CHECK_SAY(t, bacnet_codec.decode(whole, &t->arena, &d, &e), "%s", e.rule);
            for (size_t r = 0; r < d.readings_n; r++)
                buf_fmt(&said, "%s" STR_FMT "=%d", r ? " " : "", STR_ARG(d.readings[r].metric),
                        (int)d.readings[r].value);
            for (size_t r = 0; r < d.events_n; r++)
                buf_fmt(&said, "%c" STR_FMT, d.events[r].is_set ? '!' : '-', STR_ARG(d.events[r].code));
            CHECK_SAY(t, !strcmp(text, all[i].values[k]), "%s %u = %d: %s", all[i].object, (unsigned)all[i].property,
                      (int)k, text);
        }
    }
}

TESTS(CASE(what_they_say_is_told_alike), CASE(each_value_has_its_meaning))
