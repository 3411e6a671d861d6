/* Tasmota: vectors of telemetry, states, last wills; units, phases, sensors of one kind; questions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "M07 a plug",
     .text = "tele/plug-17/SENSOR\n{\"Time\":\"2026-11-21T08:30:00\",\"ENERGY\":{\"TotalStartTime\":\"2026-01-01T00:00:"
             "00\",\"Total\":3.185,\"Yesterday\":0.210,\"Today\":0.031,\"Power\":52,\"ApparentPower\":60,"
             "\"ReactivePower\":30,\"Factor\":0.87,\"Voltage\":228,\"Current\":0.263}}",
     .json = "\"what\":\"state\",\"name\":\"plug-17\",\"item\":\"SENSOR\"",
     .said = "energy=3.185 kWh energy_yesterday=0.21 kWh energy_today=0.031 kWh power=52 W apparent_power=60 VA "
             "reactive_power=30 var power_factor=0.87 voltage=228 V current=0.263 A ",
     .device = "plug-17"},
    {.name = "three phases",
     .text = "tele/m/SENSOR\n{\"ENERGY\":{\"Power\":[1,2,3],\"Voltage\":[228,229,230],\"Total\":9}}",
     .said = "power_a=1 W power_b=2 W power_c=3 W voltage_a=228 V voltage_b=229 V voltage_c=230 V energy=9 kWh "},
    {.name = "a list of another kind",
     .text = "tele/m/SENSOR\n{\"X\":{\"Level\":[1,2,3,4]}}",
     .said = "level_1=1 level_2=2 level_3=3 level_4=4 "},
    {.name = "sensors in degrees Fahrenheit and mmHg",
     .text = "tele/th/SENSOR\n{\"BME280\":{\"Temperature\":70.7,\"Humidity\":47.1,\"DewPoint\":49.8,\"Pressure\":760},"
             "\"PressureUnit\":\"mmHg\",\"TempUnit\":\"F\"}",
     .said = "temperature=70.7 [degF] humidity=47.1 % dew_point=49.8 [degF] pressure=760 mm[Hg] "},
    {.name = "in Celsius and hPa, and switches",
     .text = "tele/th/SENSOR\n{\"Switch1\":\"ON\",\"Switch2\":\"OFF\",\"SCD30\":{\"CarbonDioxide\":612,\"eCO2\":600},"
             "\"SDS0X1\":{\"PM2.5\":7.1,\"PM10\":9},\"BH1750\":{\"Illuminance\":32},\"PressureUnit\":\"hPa\","
             "\"TempUnit\":\"C\"}",
     .said = "switch1=1 switch2=0 co2=612 ppm eco2=600 ppm pm25=7.1 ug/m3 pm10=9 ug/m3 illuminance=32 lx "},
    {.name = "two sensors of one kind",
     .text = "tele/th/SENSOR\n{\"DS18B20-1\":{\"Id\":\"01\",\"Temperature\":20},\"DS18B20-2\":{\"Id\":\"02\","
             "\"Temperature\":21}}",
     .said = "temperature=20 Cel ds18b20_2_temperature=21 Cel "},
    {.name = "a counter of its own, and what lies too deep",
     .text = "tele/th/SENSOR\n{\"COUNTER\":{\"C1\":5},\"UVIndex\":3,\"X\":{\"Y\":{\"Z\":1}},\"N\":null,\"B\":true}",
     .said = "c1=5 uv_index=3 b=1 "},
    {.name = "a state",
     .text = "tele/plug-17/STATE\n{\"Time\":\"2026-11-21T08:30:00\",\"Uptime\":\"1T02:03:04\",\"UptimeSec\":93784,"
             "\"Heap\":25,\"POWER1\":\"ON\",\"POWER2\":\"OFF\",\"Dimmer\":40,\"Wifi\":{\"AP\":1,\"RSSI\":74,\"Signal\":"
             "-63}}",
     .said = "uptime=93784 s state_1=1 state_2=0 brightness=40 % linkquality=74 % rssi=-63 dB[mW] "},
    {.name = "a result", .text = "stat/plug-17/RESULT\n{\"POWER\":\"ON\"}", .said = "state=1 ", .device = "plug-17"},
    {.name = "a plain one", .text = "stat/plug-17/POWER32\nOFF", .said = "state_32=0 ", .device = "plug-17"},
    {.name = "no such relay", .text = "stat/plug-17/POWER33\nOFF", .json = "\"what\":\"other\""},
    {.name = "a toggle is no state", .text = "stat/plug-17/POWER\nTOGGLE"},
    {.name = "what was asked for",
     .text = "stat/plug-17/STATUS10\n{\"StatusSNS\":{\"Time\":\"2026-11-21T08:30:00\",\"ENERGY\":{\"Power\":52}}}",
     .said = "power=52 W ",
     .device = "plug-17"},
    {.name = "and of its state",
     .text = "stat/plug-17/STATUS11\n{\"StatusSTS\":{\"POWER\":\"OFF\",\"Wifi\":{\"RSSI\":60}}}",
     .said = "state=0 linkquality=60 % "},
    {.name = "gone",
     .text = "tele/plug-17/LWT\nOffline",
     .json = "\"what\":\"availability\"",
     .said = "!offline ",
     .device = "plug-17"},
    {.name = "here", .text = "tele/plug-17/LWT\nOnline", .said = "-offline "},
    {.name = "a topic of two levels", .text = "tele/b3/plug/LWT\nOnline", .said = "-offline ", .device = "b3%2Fplug"},
    {.name = "the prefix last but one", .text = "b3/plug/tele/LWT\nOnline", .said = "-offline ", .device = "b3%2Fplug"},
    {.name = "a command is no news", .text = "cmnd/plug-17/POWER\nON", .json = "\"what\":\"command\""},
    {.name = "what is told once", .text = "tele/plug-17/INFO1\n{\"Info1\":{}}", .json = "\"what\":\"other\""},
    {.name = "discovery", .text = "tasmota/discovery/AABBCC/sensors\n{}", .json = "\"item\":\"sensors\""},
    {.name = "taken back", .text = "tele/plug-17/LWT\n"},
    {.name = "no prefix", .text = "plug-17/SENSOR\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "no device", .text = "tele/SENSOR\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "an empty one", .text = "tele//SENSOR\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "no message", .text = "tele/x/\n{}", .rule = "topic: it is none", .at = 0},
    {.name = "no object", .text = "tele/x/SENSOR\nON", .rule = "payload: it is no JSON object", .at = 14},
    {.name = "neither", .text = "tele/x/LWT\nGone", .rule = "payload: it is neither", .at = 11},
    {.name = "twice of one sensor",
     .text = "tele/x/SENSOR\n{\"A\":{\"Power\":1,\"Power\":2,\"Power\":3}}",
     .rule = "key: a value stands twice",
     .at = 14},
};

static void vectors_of_the_sheet_and_every_message(struct t *t) {
    vectors_check(t, &tasmota_codec, rows, COUNT(rows));
}

static void times_are_local_unless_they_have_a_zone(struct t *t) {
    static const struct {
        const char *time;
        int64_t at_s, at_ms;
    } all[] = {{"2026-11-21T08:30:00", 1795249800, 0},
               {"2026-11-21T08:30:00+08:00", 0, INT64_C(1795221000000)},
               {"2026-11-21T08:30:00Z", 0, INT64_C(1795249800000)},
               {"2026-13-21T08:30:00", 0, 0},
               {"soon", 0, 0}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct buf b;
        struct decoded d;
        struct wire_error e;
        buf_init_arena(&b, &t->arena, 256);
        buf_fmt(&b, "tele/x/SENSOR\n{\"Time\":\"%s\",\"A\":1}", all[i].time);
        CHECK(t, tasmota_codec.decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &d, &e));
        CHECK_SAY(t, d.readings_n == 1 && d.readings[0].at_s == all[i].at_s && d.readings[0].at_ms == all[i].at_ms,
                  "%s: %lld", all[i].time, (long long)d.readings[0].at_s);
    }
}

static void a_command_is_answered_by_its_result(struct t *t) {
    static const struct {
        const char *address, *item, *value, *asked, *heard;
        enum answer answer;
        const char *said;
    } all[] = {
        {"plug", "Power", "ON", "cmnd/plug/Power\nON", "stat/plug/RESULT\n{\"POWER\":\"ON\"}", ANSWER_WHOLE, "state"},
        {"plug", "Power1", "ON", "cmnd/plug/Power1\nON", "stat/plug/RESULT\n{\"POWER\":\"ON\"}", ANSWER_WHOLE, "state"},
        {"plug", "Power2", "ON", "cmnd/plug/Power2\nON", "stat/plug/RESULT\n{\"POWER\":\"ON\"}", ANSWER_OTHER, NULL},
        {"plug", "Dimmer", NULL, "cmnd/plug/Dimmer\n", "stat/plug/RESULT\n{\"POWER\":\"ON\",\"Dimmer\":7}",
         ANSWER_WHOLE, "state"},
        {"b3%2Fplug", "Dimmer", "7", "cmnd/b3/plug/Dimmer\n7", "stat/b3/plug/RESULT\n{\"Dimmer\":7}", ANSWER_WHOLE,
         "brightness"},
        {"plug", "Nonsense", "1", "cmnd/plug/Nonsense\n1", "stat/plug/RESULT\n{\"Command\":\"Unknown\"}",
         ANSWER_REFUSED, NULL},
        {"plug", "Status", "10", "cmnd/plug/Status\n10", "stat/plug/STATUS10\n{\"StatusSNS\":{\"A\":{\"Power\":5}}}",
         ANSWER_WHOLE, "power"},
        {"plug", "Status", "10", "cmnd/plug/Status\n10", "stat/plug/STATUS8\n{\"StatusSNS\":{}}", ANSWER_OTHER, NULL},
        {"plug", "Power", "ON", "cmnd/plug/Power\nON", "tele/plug/STATE\n{\"POWER\":\"ON\"}", ANSWER_OTHER, NULL},
        {"plug", "Power", "ON", "cmnd/plug/Power\nON", "stat/other/RESULT\n{\"POWER\":\"ON\"}", ANSWER_OTHER, NULL},
        {"plug", "Power", "ON", "cmnd/plug/Power\nON", "stat/plug/RESULT\n{\"POWER\":", ANSWER_OTHER, NULL},
        {"plug", "", "ON", NULL, NULL, ANSWER_OTHER, NULL},
        {"plug", "a/b", "ON", NULL, NULL, ANSWER_OTHER, NULL},
        {"", "Power", "ON", NULL, NULL, ANSWER_OTHER, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = {
            .address = str_of(all[i].address), .item = str_of(all[i].item), .value = str_of(all[i].value)};
        struct buf out, data;
        struct decoded d;
        struct wire_error e = {"", 0};
        const char *why = NULL;
        buf_init_arena(&out, &t->arena, 1024);
        buf_init_arena(&data, &t->arena, 1024);
        bool ok = tasmota_codec.asking->ask(&q, &out);
        CHECK_SAY(t, ok == (all[i].asked != NULL) && (!ok || !strcmp(out.ptr, all[i].asked)), "%s", out.ptr);
        if (!ok) continue;
        enum answer got = tasmota_codec.asking->answers(&q, vector_bytes_of(all[i].heard), &data, &why);
        CHECK_SAY(t, got == all[i].answer && (got == ANSWER_REFUSED) == (why != NULL), "%s: %d", all[i].heard,
                  (int)got);
        if (got != ANSWER_WHOLE) continue;
        struct bytes whole = {(const uint8_t *)data.ptr, data.len};
        CHECK(t, tasmota_codec.asking->read(&q, whole, &t->arena, &d, &e) && d.readings_n);
        CHECK(t, str_is(d.readings[0].metric, all[i].said) && str_eq(d.readings[0].device, q.address));
    }
}

TESTS(CASE(vectors_of_the_sheet_and_every_message), CASE(times_are_local_unless_they_have_a_zone),
      CASE(a_command_is_answered_by_its_result))
