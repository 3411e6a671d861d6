/* Commands over MQTT: heard by whoever listens for its own, ended by its reply and by nobody else's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "sensing/lines/line.h"
#include "sensing/mqtt/mqtt_internal.h"
#include "sensing/mqtt/site_test_internal.h"

#include <stdatomic.h>

#define COMMAND "linli/e1/pump/command"

static struct {
    struct site *site;
    struct line_order order;
    bool is_out;
    const char *why;
    atomic_int ends, done;
    int64_t id;
    char answer[64];
} told;

static void on_told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    (void)arg;
    told.id = command_id;
    utf8_copy(told.answer, sizeof told.answer, answer);
    atomic_store(&told.done, is_done);
    atomic_fetch_add(&told.ends, 1);
}

static void give(void *arg) {
    (void)arg;
    told.is_out = mqtt_tell(told.site->mqtt, told.site->estate, &told.order, &told.why);
}

static void listen_to_ends(void *arg) {
    struct site *s = arg;
    s->mqtt->o.told = on_told;
}

static void start(struct site *s, struct t *t) {
    site_start(s, t);
    test_on_loop(s->tl.loop, listen_to_ends, s);
    memset(&told, 0, sizeof told);
    told.site = s;
    told.order = (struct line_order){.command_id = 77, .device = S("pump"), .item = S("switch"), .value = S("on")};
}

static void subscribe(struct peer *p) {
    char mem[100];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    mqtt_filter_put(&b, MQTT_SUBSCRIBE, &(struct mqtt_filter){.filter = S(COMMAND), .qos = 1});
    peer_put(p, (struct mqtt_packet){.type = MQTT_SUBSCRIBE, .id = 9, .list = {(const uint8_t *)b.ptr, b.len}});
    CHECK(told.site->t, peer_next(p) == MQTT_SUBACK);
}

static bool it_ended(struct site *s) {
    (void)s;
    return atomic_load(&told.ends) == 1;
}

static void a_device_hears_its_command_and_its_reply_ends_it(struct t *t) {
    static const struct {
        const char *value, *payload, *reply, *answer; /* reply NULL: none comes */
        bool done;
    } rows[] = {{"on", "{\"id\":\"77\",\"name\":\"switch\",\"args\":{\"value\":\"on\"}}", "{\"id\":\"77\",\"ok\":true}",
                 "", true},
                {"{\"to\":3}", "{\"id\":\"77\",\"name\":\"switch\",\"args\":{\"to\":3}}",
                 "{\"id\":\"77\",\"ok\":false,\"error\":\"stuck\"}", "stuck", false},
                {NULL, "{\"id\":\"77\",\"name\":\"switch\",\"args\":{}}", "{\"id\":\"77\"}", "refused", false},
                {NULL, "{\"id\":\"77\",\"name\":\"switch\",\"args\":{}}", NULL, "no answer", false}};
    struct site s;
    struct peer p, other;
    start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&other, &s, MQTT_V311, connect_of(&s.lamp, "d")) == 0);
    subscribe(&p);
    for (size_t i = 0; i < COUNT(rows); i++) {
        atomic_store(&told.ends, 0);
        told.order.value = str_of(rows[i].value);
        test_on_loop(s.tl.loop, give, NULL);
        CHECK(t, told.is_out && peer_next(&p) == MQTT_PUBLISH && str_is(p.got.topic, COMMAND));
        CHECK_SAY(t,
                  p.got.payload.len == strlen(rows[i].payload) &&
                      !memcmp(p.got.payload.ptr, rows[i].payload, p.got.payload.len),
                  "row %zu: %.*s", i, (int)p.got.payload.len, (const char *)p.got.payload.ptr);
        CHECK(t, peer_tell(&other, "linli/e1/lamp/reply", 3, "{\"id\":\"77\",\"ok\":true}") == 0);
        CHECK(t, peer_tell(&p, "linli/e1/pump/reply", 4, "{\"id\":\"76\",\"ok\":true}") == 0);
        CHECK(t, peer_tell(&p, "linli/e1/pump/reply", 5, "nonsense") == 0);
        CHECK(t, atomic_load(&told.ends) == 0);
        if (rows[i].reply) CHECK(t, peer_tell(&p, "linli/e1/pump/reply", 6, rows[i].reply) == 0);
        if (!rows[i].reply) world_sim_advance(&t->sim, 31000);
        CHECK(t, site_until(&s, it_ended));
        CHECK_SAY(t, told.id == 77 && atomic_load(&told.done) == rows[i].done && !strcmp(told.answer, rows[i].answer),
                  "row %zu: %s", i, told.answer);
        if (!rows[i].reply) break; /* keep-alives have run out with the time */
        CHECK(t, peer_tell(&p, "linli/e1/pump/reply", 7, "{\"id\":\"77\",\"ok\":true}") == 0); /* too late */
        CHECK(t, atomic_load(&told.ends) == 1);
    }
    peer_shut(&p);
    peer_shut(&other);
    site_stop(&s);
}

static void who_does_not_listen_is_not_told(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t);
    test_on_loop(s.tl.loop, give, NULL);
    CHECK(t, !told.is_out && strstr(told.why, "not connected"));
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    test_on_loop(s.tl.loop, give, NULL);
    CHECK(t, !told.is_out && peer_is_quiet(&p));
    subscribe(&p);
    told.order.device = S("lamp");
    test_on_loop(s.tl.loop, give, NULL);
    CHECK(t, !told.is_out && peer_is_quiet(&p));
    told.order.device = S("pump");
    for (int i = 0; i < COMMANDS_MAX; i++) test_on_loop(s.tl.loop, give, NULL);
    CHECK(t, told.is_out);
    test_on_loop(s.tl.loop, give, NULL);
    CHECK(t, !told.is_out && strstr(told.why, "unanswered"));
    peer_shut(&p);
    site_stop(&s);
}

TESTS(CASE(a_device_hears_its_command_and_its_reply_ends_it), CASE(who_does_not_listen_is_not_told))
