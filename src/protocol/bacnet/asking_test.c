/* How points are written, what is asked, what answers it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet.h"
#include "tests/lib/vectors.h"

#include <string.h>

static void items_are_words_or_numbers(struct t *t) {
    static const struct {
        const char *item;
        int64_t object, property, index, priority; /* property -1: it is no item */
        const char *again;                         /* as it is written back */
    } all[] = {
        {"ai_1", BACNET_ID(0, 1), 85, -1, -1, "ai_1"},
        {"0:1:85", BACNET_ID(0, 1), 85, -1, -1, "ai_1"},
        {"0_1_85", BACNET_ID(0, 1), 85, -1, -1, "ai_1"},
        {"0:1", BACNET_ID(0, 1), 85, -1, -1, "ai_1"},
        {"ai:1", BACNET_ID(0, 1), 85, -1, -1, "ai_1"},
        {"ao_3@8", BACNET_ID(1, 3), 85, -1, 8, "ao_3"},
        {"ao_3@1", BACNET_ID(1, 3), 85, -1, 1, "ao_3"},
        {"ao_3@16", BACNET_ID(1, 3), 85, -1, 16, "ao_3"},
        {"lift_2_car_mode", BACNET_ID(59, 2), 456, -1, -1, "lift_2_car_mode"},
        {"59:2:456", BACNET_ID(59, 2), 456, -1, -1, "lift_2_car_mode"},
        {"lift:2:car_door_status:1", BACNET_ID(59, 2), 450, 1, -1, "lift_2_car_door_status_1"},
        {"device_1234_object_list_0", BACNET_ID(8, 1234), 76, 0, -1, "device_1234_object_list_0"},
        {"device_4194303_object_name", BACNET_ID(8, 4194303), 77, -1, -1, "device_4194303_object_name"},
        {"trend_log_7", BACNET_ID(20, 7), 85, -1, -1, "trend_log_7"},
        {"200_5_512_3", BACNET_ID(200, 5), 512, 3, -1, "200_5_512_3"},
        {"ai_1_present_value_2", BACNET_ID(0, 1), 85, 2, -1, "ai_1_present_value_2"},
        {"1023_0_1", BACNET_ID(1023, 0), 1, -1, -1, "1023_0_1"},
        {"", 0, -1, 0, 0, NULL},
        {"ai", 0, -1, 0, 0, NULL},
        {"ai_", 0, -1, 0, 0, NULL},
        {"ai_x", 0, -1, 0, 0, NULL},
        {"_1", 0, -1, 0, 0, NULL},
        {"zz_1", 0, -1, 0, 0, NULL},
        {"1024_1", 0, -1, 0, 0, NULL},
        {"ai_4194304", 0, -1, 0, 0, NULL},
        {"ai_-1", 0, -1, 0, 0, NULL},
        {"ai_1_", 0, -1, 0, 0, NULL},
        {"ai_1_colour", 0, -1, 0, 0, NULL},
        {"ai_1_units_", 0, -1, 0, 0, NULL},
        {"ai_1_4294967296", 0, -1, 0, 0, NULL},
        {"ai_1_units_4294967296", 0, -1, 0, 0, NULL},
        {"ao_3@", 0, -1, 0, 0, NULL},
        {"ao_3@0", 0, -1, 0, 0, NULL},
        {"ao_3@17", 0, -1, 0, 0, NULL},
        {"@8", 0, -1, 0, 0, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bacnet_point p = bacnet_no_point;
        char text[80];
        struct buf b;
        bool ok = bacnet_read_item(str_of(all[i].item), &p);
        CHECK_SAY(t, ok == (all[i].property >= 0), "%s", all[i].item);
        if (!ok) continue;
        CHECK_SAY(t,
                  p.object == all[i].object && p.property == all[i].property && p.index == all[i].index &&
                      p.priority == all[i].priority,
                  "%s: another point", all[i].item);
        buf_init(&b, text, sizeof text);
        bacnet_put_item(&p, &b);
        CHECK_SAY(t, !strcmp(text, all[i].again), "%s: %s", all[i].item, text);
    }
}

static struct question asked_for(const char *address, const char *item, const char *value) {
    return (struct question){.address = str_of(address), .item = str_of(item), .value = str_of(value), .serial = 1};
}

static void what_is_asked_is_as_the_sheet_has_it(struct t *t) {
    static const struct {
        const char *address, *item, *value;
        const char *hex; /* NULL: it cannot be asked */
    } all[] = {
        {"1234", "0:1:85", NULL, "81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55"},             /* B11 */
        {"1234", "lift_1_car_mode", NULL, "81 0A 00 12 01 04 00 05 01 0C 0C 0E C0 00 01 1A 01 C8"}, /* L01 */
        {"1234.lift_1", "car_mode", NULL, "81 0A 00 12 01 04 00 05 01 0C 0C 0E C0 00 01 1A 01 C8"},
        {"1234.lift_1", "lift_1_car_mode", NULL, "81 0A 00 12 01 04 00 05 01 0C 0C 0E C0 00 01 1A 01 C8"},
        {"1234.lift_1", "456", NULL, "81 0A 00 12 01 04 00 05 01 0C 0C 0E C0 00 01 1A 01 C8"},
        {"", "", NULL, "81 0B 00 0C 01 20 FF FF 00 FF 10 08"}, /* B08 */
        {"1234", "", NULL, "81 0B 00 12 01 20 FF FF 00 FF 10 08 0A 04 D2 1A 04 D2"},
        {"1234", "ai_1 ai_1_units bi_7", NULL,
         "81 0A 00 1E 01 04 00 05 01 0E 0C 00 00 00 01 1E 09 55 09 75 1F 0C 00 C0 00 07 1E 09 55 1F"},
        {"1234", "ao_3@8", "21.5", "81 0A 00 1A 01 04 00 05 01 0F 0C 00 40 00 03 19 55 3E 44 41 AC 00 00 3F 49 08"},
        {"1234", "ao_3@8", "null", "81 0A 00 16 01 04 00 05 01 0F 0C 00 40 00 03 19 55 3E 00 3F 49 08"},
        {"1234", "bo_3", "active", "81 0A 00 15 01 04 00 05 01 0F 0C 01 00 00 03 19 55 3E 91 01 3F"},
        {"1234", "bo_3", "0", "81 0A 00 15 01 04 00 05 01 0F 0C 01 00 00 03 19 55 3E 91 00 3F"},
        {"1234", "mv_3", "300", "81 0A 00 16 01 04 00 05 01 0F 0C 04 C0 00 03 19 55 3E 22 01 2C 3F"},
        {"1234", "45:3", "-129", "81 0A 00 16 01 04 00 05 01 0F 0C 0B 40 00 03 19 55 3E 32 FF 7F 3F"},
        {"1234", "ai_1_out_of_service", "true", "81 0A 00 14 01 04 00 05 01 0F 0C 00 00 00 01 19 51 3E 11 3F"},
        {"1234", "lift_1_making_car_call_1", "unsigned:12",
         "81 0A 00 18 01 04 00 05 01 0F 0C 0E C0 00 01 1A 01 DB 29 01 3E 21 0C 3F"},
        {"1234", "av_3_object_name", "水箱",
         "81 0A 00 1C 01 04 00 05 01 0F 0C 00 80 00 03 19 4D 3E 75 07 00 E6 B0 B4 E7 AE "
         "B1 3F"},
        {"1234", "ao_3", "warm", NULL},
        {"1234", "ao_3", "1e39", NULL},
        {"1234", "mv_3", "-1", NULL},
        {"1234", "ai_1_out_of_service", "2", NULL},
        {"1234", "lift_1_making_car_call_1", "12", NULL}, /* of which type? */
        {"1234", "ao_3 ao_4", "1", NULL},
        {"1234", "", "1", NULL},
        {"1234", "ai_1 x", NULL, NULL},
        {"", "ai_1", NULL, NULL},
        {"4194303", "ai_1", NULL, NULL},
        {"x", "ai_1", NULL, NULL},
        {"1234.lift", "car_mode", NULL, NULL},
        {"1234.lift_1", "lift_2_car_mode", NULL, NULL}, /* another lift's */
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].value);
        struct buf b;
        buf_init_arena(&b, &t->arena, BACNET_FRAME_MAX + 1);
        bool ok = bacnet_codec.asking->ask(&q, &b);
        CHECK_SAY(t, ok == !!all[i].hex, "%s %s", all[i].address, all[i].item);
        struct bytes want = vector_bytes(t, ok ? all[i].hex : "");
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr ? b.ptr : "", want.ptr, want.len), "%s %s: asked otherwise",
                  all[i].address, all[i].item);
    }
    struct question who = {.address = S("1234")};
    CHECK(t, bacnet_codec.asking->find(0, &who) && !who.address.len && !who.item.len); /* as above: everybody */
    CHECK(t, !bacnet_codec.asking->find(1, &who));
}

static void what_may_tell_its_changes_is_known(struct t *t) {
    static const struct {
        const char *item;
        bool tells;
    } all[] = {{"ai_1", true},
               {"mv_3@8", true},
               {"ai_1_units", false},
               {"ai_1_present_value_2", false},
               {"ao_1_87", false},
               {"lift_1_car_mode", true},
               {"escalator_2_power_mode", true},
               {"device_1", false},
               {"trend_log_1", false}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bacnet_point p;
        CHECK_SAY(t, bacnet_read_item(str_of(all[i].item), &p) && bacnet_tells_changes(&p) == all[i].tells, "%s",
                  all[i].item);
    }
}

#define VALUE  "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 3F" /* B12 */
#define I_AM   "81 0B 00 19 01 20 FF FF 00 FF 10 00 C4 02 00 04 D2 22 05 C4 91 03 22 01 04"
#define ERRORS "81 0A 00 18 01 00 30 01 0E 0C 00 00 00 01 1E 29 55 5E 91 01 91 1F 5F 1F"

static void an_answer_is_told_from_what_is_none(struct t *t) {
    static const struct {
        const char *address, *item, *value, *hex;
        enum answer answer;
        const char *why;
    } all[] = {
        {"1234", "ai_1", NULL, VALUE, ANSWER_WHOLE, ""},
        {"1234", "ai_2", NULL, VALUE, ANSWER_OTHER, ""},
        {"1234", "ai_1_units", NULL, VALUE, ANSWER_OTHER, ""},
        {"1234", "ai_1 ai_2", NULL, VALUE, ANSWER_OTHER, ""},
        {"1234", "ai_1", "1", VALUE, ANSWER_OTHER, ""},
        {"1234", "", NULL, VALUE, ANSWER_OTHER, ""},
        {"1234", "ai_1", NULL, "81 0A 00 17 01 00 30 02 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 3F", ANSWER_OTHER,
         ""},
        {"1234", "ai_1", NULL, "81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55", ANSWER_OTHER, ""}, /* asked */
        {"1234", "ai_1", NULL, "81 0A 00 0D 01 00 50 01 0C 91 01 91 1F", ANSWER_REFUSED, "unknown_object"},
        {"1234", "ai_1", NULL, "81 0A 00 0D 01 00 50 01 0C 91 02 91 FE", ANSWER_REFUSED, "property"},
        {"1234", "ai_1", NULL, "81 0A 00 0D 01 00 50 01 0C 91 63 91 FE", ANSWER_REFUSED, "error"},
        {"1234", "ai_1", NULL, "81 0A 00 09 01 00 60 01 09", ANSWER_REFUSED, "rejected_unrecognized_service"},
        {"1234", "ai_1", NULL, "81 0A 00 09 01 00 60 01 80", ANSWER_REFUSED, "rejected"},
        {"1234", "ai_1", NULL, "81 0A 00 09 01 00 71 01 04", ANSWER_REFUSED, "aborted_segmentation_not_supported"},
        {"1234", "ai_1 ai_2", NULL, "81 0A 00 13 01 00 3C 01 00 04 0E 0C 00 00 00 01 1E 29 55", ANSWER_REFUSED,
         "answer_in_segments"},
        {"1234", "ai_1 ai_2", NULL, ERRORS, ANSWER_REFUSED, "unknown_object"},
        {"1234", "ao_3@8", "21.5", "81 0A 00 09 01 00 20 01 0F", ANSWER_WHOLE, ""},
        {"1234", "ao_3@8", "21.5", "81 0A 00 09 01 00 20 01 05", ANSWER_OTHER, ""},
        {"1234", "ao_3@8", "21.5", "81 0A 00 0D 01 00 50 01 0F 91 02 91 28", ANSWER_REFUSED, "write_access_denied"},
        {"1234", "ao_3@8", "21.5", "81 0A 00 0D 01 00 50 01 0F 91 02 91 25", ANSWER_REFUSED, "value_out_of_range"},
        {"1234", "", NULL, I_AM, ANSWER_WHOLE, ""},
        {"", "", NULL, I_AM, ANSWER_WHOLE, ""},
        {"1235", "", NULL, I_AM, ANSWER_OTHER, ""},
        {"1234", "ai_1", NULL, I_AM, ANSWER_OTHER, ""},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = asked_for(all[i].address, all[i].item, all[i].value);
        struct buf data;
        const char *why = "";
        buf_init_arena(&data, &t->arena, BACNET_FRAME_MAX + 1);
        enum answer answer = bacnet_codec.asking->answers(&q, vector_bytes(t, all[i].hex), &data, &why);
        CHECK_SAY(t, answer == all[i].answer && !strcmp(why, all[i].why), "row %zu: %d %s", i, (int)answer, why);
    }
}

static struct decoded read_of(struct t *t, const char *address, const char *item, const char *hex) {
    struct question q = asked_for(address, item, NULL);
    struct decoded d = {0};
    struct wire_error e = {"", 0};
    struct buf data;
    const char *why = "";
    buf_init_arena(&data, &t->arena, BACNET_FRAME_MAX + 1);
    CHECK(t, bacnet_codec.asking->answers(&q, vector_bytes(t, hex), &data, &why) == ANSWER_WHOLE);
    struct bytes all = {(const uint8_t *)data.ptr, data.len};
    CHECK_SAY(t, bacnet_codec.asking->read(&q, all, &t->arena, &d, &e), "%s: %s", item, e.rule);
    return d;
}

static void what_was_read_is_of_who_was_asked(struct t *t) {
    struct decoded d = read_of(t, "1234", "ai_1", VALUE);
    CHECK(t, d.readings_n == 1 && str_is(d.readings[0].device, "1234") && str_is(d.readings[0].metric, "ai_1") &&
                 d.readings[0].value == 21.5);
    d = read_of(t, "1234.lift_1", "car_mode", "81 0A 00 15 01 00 30 01 0C 0C 0E C0 00 01 1A 01 C8 3E 91 08 3F");
    CHECK(t, d.readings_n == 1 && str_is(d.readings[0].device, "1234.lift_1") &&
                 str_is(d.readings[0].metric, "service_mode") && d.readings[0].value == 2);
    d = read_of(t, "", "", I_AM);
    CHECK(t, !d.readings_n && str_is(d.sender, "1234"));
}

TESTS(CASE(what_may_tell_its_changes_is_known), CASE(items_are_words_or_numbers),
      CASE(what_is_asked_is_as_the_sheet_has_it), CASE(an_answer_is_told_from_what_is_none),
      CASE(what_was_read_is_of_who_was_asked))
