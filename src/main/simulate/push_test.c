/* What platforms and devices that are played push, their protocol understands, and checks the signature of.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW_MS INT64_C(1795221000000)

static struct world_sim clock_now = {.utc_ms = NOW_MS};
static struct world world;

static struct sim_options options(void) {
    world = world_sim(&clock_now);
    return (struct sim_options){
        .host = "127.0.0.1", .port = 8080, .first = 889, .key = "KEY", .secret = "estate2026", .world = &world};
}

/* The body of the next request. */
static struct bytes next(struct t *t, const struct sim_protocol *p, struct sim_device *d, struct str *ret_request) {
    struct sim_options o = options();
    struct buf b;
    buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
    d->protocol = p;
    d->serial++;
    CHECK_SAY(t, p->speak(&o, d, NOW_MS, &b), "%s", p->name);
    *ret_request = (struct str){b.ptr, b.len};
    struct str body = sim_push_body((struct bytes){(const uint8_t *)b.ptr, b.len});
    return (struct bytes){(const uint8_t *)body.ptr, body.len};
}

static void what_is_pushed_is_understood(struct t *t) {
    static const struct {
        const struct sim_protocol *sim;
        const char *device, *says; /* metrics and events, passages; one of each at least */
    } all[] = {{&sim_chirpstack, "0004a30b00000379", "temperature humidity rssi snr battery join"},
               {&sim_ttn, "0004a30b00000379", "temperature humidity rssi snr"},
               {&sim_ctwing, "40edca19b01244808600000000000379", "liquid bat event_1002"},
               {&sim_onenet, "2016889", "temp offline"},
               {&sim_itsapi, "linli-889", "plate plate_seen"},
               {&sim_vz, "linli-889", "plate plate_seen input late unsaid"},
               {&sim_door, "linli-889", "card"},
               {&sim_lift, "31104403000000000889",
                "floor running door_zone door_closed passenger entrapped runs outside_zone alarm_button"}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct sim_device d = {.random = 1};
        const struct codec *codec = codec_find(str_of(all[i].sim->name));
        struct str rest = str_of(all[i].says), word, request;
        uint32_t said = 0;
        size_t words = 0;
        while (str_cut(&rest, ' ', &word)) words++;
        for (int k = 0; k < 600; k++) {
            struct decoded x;
            struct wire_error e = {"", 0};
            struct bytes body = next(t, all[i].sim, &d, &request);
            CHECK_SAY(t, codec->decode(body, &t->arena, &x, &e), "%s: %s", all[i].sim->name, e.rule);
            CHECK_SAY(t, str_is(x.sender, all[i].device), "%s", all[i].sim->name);
            rest = str_of(all[i].says);
            for (size_t n = 0; str_cut(&rest, ' ', &word); n++) {
                for (size_t r = 0; r < x.readings_n; r++) said |= (uint32_t)str_eq(x.readings[r].metric, word) << n;
                for (size_t r = 0; r < x.events_n; r++) said |= (uint32_t)str_eq(x.events[r].code, word) << n;
                said |= (uint32_t)(str_is(word, "unsaid") && !x.readings_n && !x.events_n) << n; /* it is alive */
                for (size_t r = 0; r < x.passings_n; r++)
                    said |= (uint32_t)(str_is(word, "late") && x.passings[r].is_late) << n |
                            (uint32_t)str_is(word, x.passings[r].kind == PASSING_CARD ? "card" : "plate") << n;
            }
        }
        CHECK_SAY(t, said == (1u << words) - 1, "%s: %x", all[i].sim->name, said);
    }
}

static void its_clock_is_in_what_is_pushed(struct t *t) {
    static const struct sim_protocol *const all[] = {&sim_chirpstack, &sim_ttn, &sim_ctwing, &sim_lift, &sim_onenet};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct sim_device d = {.random = 1, .shift_s = -3600};
        struct str request;
        struct decoded x;
        struct wire_error e;
        CHECK(t, codec_find(str_of(all[i]->name))->decode(next(t, all[i], &d, &request), &t->arena, &x, &e));
        int64_t at_ms = x.readings_n ? x.readings[0].at_ms : x.events[0].at_ms;
        CHECK_SAY(t, at_ms == NOW_MS - 3600000, "%s: %lld", all[i]->name, (long long)(at_ms - NOW_MS));
    }
}

static void a_broken_signature_is_found(struct t *t) {
    struct sim_device d = {.random = 1};
    struct str request;
    for (int i = 0; i < 100; i++) {
        struct bytes body = next(t, &sim_onenet, &d, &request);
        const struct codec *codec = codec_find(S("onenet"));
        CHECK(t, codec->is_genuine(body, S("estate2026")) && !codec->is_genuine(body, S("estate2027")));
        ((uint8_t *)(uintptr_t)body.ptr)[body.len - sim_onenet.sum_at] ^= 1;
        CHECK(t, !codec->is_genuine(body, S("estate2026")));
        struct decoded x;
        struct wire_error e;
        CHECK(t, codec->decode(body, &t->arena, &x, &e)); /* nothing else is broken */
    }
}

static void an_address_is_checked_by_what_comes_back(struct t *t) {
    struct sim_options o = options();
    struct sim_device d = {.random = 1, .protocol = &sim_onenet};
    struct buf b;
    size_t used;
    uint16_t serial;
    buf_init_arena(&b, &t->arena, SIM_FRAME_MAX);
    CHECK(t, sim_onenet.greet(&o, &d, &b) && str_starts((struct str){b.ptr, b.len}, S("GET /api/v1/push/KEY?msg=")));
    static const struct {
        const char *answer;
        enum sim_heard heard;
    } all[] = {
        {"HTTP/1.1 200 OK\r\nX-Request-Id: linli-is-there\r\nContent-Length: 14\r\n\r\nlinli-is-there", SIM_READY},
        {"HTTP/1.1 200 OK\r\nX-Request-Id: linli-is-there\r\nContent-Length: 2\r\n\r\nok", SIM_REFUSED},
        {"HTTP/1.1 404 Not Found\r\nX-Request-Id: linli-is-there\r\nContent-Length: 0\r\n\r\n", SIM_REFUSED},
        {"HTTP/1.1 200 OK\r\nX-Request-Id: linli-00007\r\nContent-Length: 0\r\n\r\n", SIM_CONFIRMED},
        {"HTTP/1.1 401 No\r\nX-Request-Id: linli-00007\r\nContent-Length: 0\r\n\r\n", SIM_DENIED},
        {"HTTP/1.1 200 OK\r\nX-Request-Id: linli-00007\r\nContent-Length: 5\r\n\r\nok", SIM_NOTHING}};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct bytes in = {(const uint8_t *)all[i].answer, strlen(all[i].answer)};
        CHECK_SAY(t, sim_onenet.hear(in, &used, &serial) == all[i].heard, "%zu", i);
    }
    static const char bad[] = "HTTP/1.1 200 OK\r\nX-Request-Id: linli-00007\r\nContent-Length: 10\r\n\r\n{\"code\":1}";
    struct bytes in = {(const uint8_t *)bad, sizeof bad - 1};
    CHECK(t, sim_lift.hear(in, &used, &serial) == SIM_DENIED && sim_vz.hear(in, &used, &serial) == SIM_CONFIRMED);
}

TESTS(CASE(what_is_pushed_is_understood), CASE(its_clock_is_in_what_is_pushed), CASE(a_broken_signature_is_found),
      CASE(an_address_is_checked_by_what_comes_back))
