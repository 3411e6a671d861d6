/* GB/T 26875.3 as the centre: questions as the sheet has them, and what answers them.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "protocol/gb26875/gb26875.h"
#include "tests/lib/vectors.h"

#include <string.h>

#define NOW_S INT64_C(1348653512) /* 2012-09-26T09:58:32, when the sheet's frames are sent */
#define F02   "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AB 23 23"
#define F05   "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 04 51 01 00 FE 23 23"
#define F06                                                                                                           \
    "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 05 15 01 08 02 3A 09 1A 09 0C 45 " \
    "23 23"
#define F07                                                                                                           \
    "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 08 00 01 5A 01 02 3A 09 1A 09 0C 7D 23 " \
    "23"
#define F08 "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 03 00 01 5B 01 0A 0F 23 23"

static struct question question(const char *item, const char *value) {
    return (struct question){.address = S("889"),
                             .item = str_of(item),
                             .value = str_of(value),
                             .key = S("88888"),
                             .now_s = NOW_S,
                             .serial = 1};
}

static bool ask(struct t *t, const struct question *q, struct bytes *ret) {
    struct buf b;
    buf_init_arena(&b, &t->arena, 128);
    bool ok = gb26875_codec.asking->ask(q, &b);
    CHECK(t, ok == (b.len > 0));
    *ret = (struct bytes){(const uint8_t *)(ok ? b.ptr : ""), b.len};
    return ok;
}

static void questions_are_the_sheets(struct t *t) {
    static const struct {
        const char *item, *value, *hex;
    } all[] = {{"device_state", NULL, F05},
               {"81", "read", F05},
               {"clock", "2012-09-26T09:58:02", F07},
               {"90", "2012-09-26T09:58:02", F07},
               {"duty", "10", F08}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        struct bytes got, want = vector_bytes(t, all[i].hex);
        CHECK_SAY(t, ask(t, &q, &got) && got.len == want.len && !memcmp(got.ptr, want.ptr, want.len), "%s",
                  all[i].item);
    }
}

/* Each with the data that it is sent with: type, number of objects, object (clause 8.3.2). */
static void every_type_can_be_asked(struct t *t) {
    static const struct {
        const char *item, *value, *data; /* NULL: it cannot be said */
    } all[] = {
        {"system_state:1.2", NULL, "3D 01 01 02"},
        {"system_state", "1.2", "3D 01 01 02"},
        {"61:1.2", "read", "3D 01 01 02"},
        {"component_state:1.2.131082", NULL, "3E 01 01 02 0A 00 02 00"},
        {"analogue:11.1.4294967295", NULL, "3F 01 0B 01 FF FF FF FF"},
        {"system_operations", "1.2 5 2012-09-26T09:58:02", "40 01 01 02 05 02 3A 09 1A 09 0C"},
        {"system_version:1.2", NULL, "41 01 01 02"},
        {"system_configuration:1.2", NULL, "42 01 01 02"},
        {"component_configuration:1.2.10", NULL, "43 01 01 02 0A 00 00 00"},
        {"system_clock:1.2", NULL, "44 01 01 02"},
        {"device_state", NULL, "51 01 00"},
        {"device_operations:5 now", NULL, "54 01 05 20 3A 09 1A 09 0C"},
        {"device_version", NULL, "55 01 00"},
        {"device_configuration", NULL, "56 01 00"},
        {"device_clock", NULL, "58 01 00"},
        {"init", "now", "59 01 00"},
        {"clock", "now", "5A 01 20 3A 09 1A 09 0C"},
        {"duty", "255", "5B 01 FF"},
        {"init", NULL, NULL}, /* what is done needs a value */
        {"clock", NULL, NULL},
        {"duty", NULL, NULL},
        {"duty:10", NULL, NULL},
        {"duty:10", "now", NULL},
        {"duty", "256", NULL},
        {"duty", "10 10", NULL},
        {"duty", "-1", NULL},
        {"duty", "", NULL},
        {"clock", "yesterday", NULL},
        {"clock", "1999-09-26T09:58:02", NULL},
        {"clock", "2012-09-31T09:58:02", NULL},
        {"system_state", NULL, NULL},
        {"system_state:1", NULL, NULL},
        {"system_state:1.", NULL, NULL},
        {"system_state:1.2.3", NULL, NULL},
        {"system_state:1.256", NULL, NULL},
        {"system_state:1.2", "3.4", NULL}, /* which of them? */
        {"component_state:1.2.4294967296", NULL, NULL},
        {"device_state:1.2", NULL, NULL},
        {"device_state", "now", NULL},
        {"init", "read", NULL},
        {"device_operations:5", NULL, NULL},
        {"82", NULL, NULL},
        {"21", NULL, NULL},
        {"weather", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        struct bytes got, want = all[i].data ? vector_bytes(t, all[i].data) : (struct bytes){NULL, 0};
        struct gb26875_frame f;
        struct decoded d;
        struct wire_error e = {"", 0};
        bool ok = ask(t, &q, &got);
        CHECK_SAY(t, ok == !!all[i].data, "%s %s", all[i].item, all[i].value ? all[i].value : "");
        if (!ok || !all[i].data) continue;
        CHECK_SAY(t, gb26875_decode(got, &f, &e) && gb26875_codec.decode(got, &t->arena, &d, &e), "%s: %s", all[i].item,
                  e.rule);
        CHECK_SAY(t, f.data.len == want.len && !memcmp(f.data.ptr, want.ptr, want.len), "%s", all[i].item);
        CHECK(t, f.serial == 1 && f.destination == 889 && f.source == 88888 && f.time.second == 32);
        CHECK(t, f.command == (want.ptr[0] < 89 ? GB26875_REQUEST : GB26875_CONTROL));
    }
}

static void who_is_asked_and_by_whom(struct t *t) {
    static const struct {
        const char *address, *key;
        int64_t now_s;
        bool can;
    } all[] = {{"889", NULL, NOW_S, true},
               {"281474976710655", "281474976710655", NOW_S, true},
               {"281474976710656", NULL, NOW_S, false},
               {"889", "281474976710656", NOW_S, false},
               {"889", "centre", NOW_S, false},
               {"panel", NULL, NOW_S, false},
               {"", NULL, NOW_S, false},
               {"889", NULL, 0, true}}; /* it is not known when it is: the frame has no time */
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question("device_state", NULL);
        struct bytes got;
        struct gb26875_frame f;
        struct wire_error e;
        q.address = str_of(all[i].address);
        q.key = str_of(all[i].key);
        q.now_s = all[i].now_s;
        CHECK_SAY(t, ask(t, &q, &got) == all[i].can, "row %zu", i);
        if (!all[i].can) continue;
        CHECK(t, gb26875_decode(got, &f, &e) && f.time.month == (all[i].now_s ? 9 : 0));
        CHECK(t, !all[i].key == !f.source);
    }
    struct question q = question("clock", "now");
    struct bytes got;
    q.now_s = 0;
    CHECK(t, !ask(t, &q, &got)); /* a clock is not set to what nobody knows */
    q = question("device_state", NULL);
    q.part = 1;
    CHECK(t, !ask(t, &q, &got));
}

static void answers_are_known_by_serial_sender_and_type(struct t *t) {
    static const char deny[] =
        "40 40 01 00 01 01 23 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 00 00 06 AE 23 23";
    static const char confirm[] =
        "40 40 01 00 01 01 23 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 00 00 03 AB 23 23";
    static const char sent[] = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 09 00 02 15 01 "
                               "08 02 3A 09 1A 09 0C 42 23 23"; /* F03: by itself */
    static const struct {
        const char *item, *value, *address;
        uint8_t serial;
        const char *hex;
        enum answer answer;
    } all[] = {
        {"device_state", NULL, "889", 1, F06, ANSWER_WHOLE},
        {"81", NULL, "889", 1, F06, ANSWER_WHOLE},
        {"device_state", NULL, "889", 2, F06, ANSWER_OTHER},
        {"device_state", NULL, "890", 1, F06, ANSWER_OTHER},
        {"device_version", NULL, "889", 1, F06, ANSWER_OTHER},
        {"device_state", NULL, "889", 1, sent, ANSWER_OTHER},
        {"device_state", NULL, "889", 1, confirm, ANSWER_OTHER},
        {"device_state", NULL, "889", 1, deny, ANSWER_REFUSED},
        {"clock", "now", "889", 1, confirm, ANSWER_WHOLE},
        {"clock", "now", "889", 1, F02, ANSWER_OTHER}, /* the centre's own */
        {"duty", "10", "889", 1, confirm, ANSWER_WHOLE},
        {"duty", "10", "889", 1, deny, ANSWER_REFUSED},
        {"duty", "10", "889", 2, deny, ANSWER_OTHER},
        {"duty", "10", "889", 1, F06, ANSWER_OTHER},
        {"weather", NULL, "889", 1, F06, ANSWER_OTHER},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct question q = question(all[i].item, all[i].value);
        struct buf data;
        struct decoded d;
        struct wire_error e = {"", 0};
        const char *why = NULL;
        q.serial = all[i].serial;
        q.address = str_of(all[i].address);
        buf_init_arena(&data, &t->arena, 256);
        enum answer got = gb26875_codec.asking->answers(&q, vector_bytes(t, all[i].hex), &data, &why);
        CHECK_SAY(t, got == all[i].answer, "row %zu: %d", i, got);
        CHECK_SAY(t, (got == ANSWER_REFUSED) == (why && !strcmp(why, "denied")), "row %zu", i);
        if (got != ANSWER_WHOLE) continue;
        struct bytes bytes = {(const uint8_t *)data.ptr, data.len};
        CHECK_SAY(t, gb26875_codec.asking->read(&q, bytes, &t->arena, &d, &e), "row %zu: %s", i, e.rule);
        CHECK(t, str_is(d.sender, "889") && d.events_n == (all[i].value ? 0u : 1u));
    }
}

TESTS(CASE(questions_are_the_sheets), CASE(every_type_can_be_asked), CASE(who_is_asked_and_by_whom),
      CASE(answers_are_known_by_serial_sender_and_type))
