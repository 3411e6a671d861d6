/* The MQTT listener by packets: who gets in, what each topic takes, limits, ends.  SPDX-License-Identifier: Apache-2.0
 */
#include "sensing/mqtt/site_test_internal.h"

#include <math.h>

static const enum mqtt_level levels[] = {MQTT_V311, MQTT_V5};
#define READINGS_TOPIC "linli/e1/pump/telemetry"
#define STATE_TOPIC    "linli/e1/pump/state"

/* ---- log-in ---- */

static void only_a_devices_own_password_opens(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        int bad_user = levels[i] == MQTT_V5 ? MQTT_BAD_USER : 4;
        const char *const passwords[] = {"", "wrong", s.lamp.password};
        for (size_t j = 0; j < COUNT(passwords); j++) {
            struct mqtt_packet c = connect_of(&s.pump, "c");
            c.password = (struct bytes){(const uint8_t *)passwords[j], strlen(passwords[j])};
            peer_open(&p, &s, levels[i]);
            peer_put(&p, c);
            while (i) { /* the fourth failure of an address and later ones are told later */
                struct pollfd fd = {.fd = p.fd, .events = POLLIN};
                if (poll(&fd, 1, 1) == 1) break;
                world_sim_advance(&t->sim, 1000);
            }
            CHECK(t, peer_next(&p) == MQTT_CONNACK && p.got.reason == bad_user);
            CHECK(t, peer_ends(&p, 0));
        }
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0 && !p.got.session_present);
        peer_shut(&p);
    }
    CHECK(t, figures(&s).refused == 6 && figures(&s).log_ins == 2);
    site_stop(&s);
}

static void nobody_gets_in_without_a_name(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    struct mqtt_packet c = connect_of(&s.pump, "c");
    c.user = (struct str){NULL, 0};
    c.password = (struct bytes){NULL, 0};
    CHECK(t, peer_connect(&p, &s, MQTT_V5, c) == MQTT_BAD_USER && peer_ends(&p, 0));
    CHECK(t, peer_connect(&p, &s, MQTT_V311, c) == 4 && peer_ends(&p, 0));
    site_stop(&s);
}

static void many_failures_are_told_late(struct t *t) {
    struct site s;
    struct peer p, good;
    site_start(&s, t);
    struct mqtt_packet c = connect_of(&s.pump, "c");
    c.user = (struct str){NULL, 0};
    c.password = (struct bytes){NULL, 0};
    for (int i = 0; i < 3; i++) CHECK(t, peer_connect(&p, &s, MQTT_V5, c) == MQTT_BAD_USER && peer_ends(&p, 0));
    peer_open(&p, &s, MQTT_V5);
    peer_put(&p, c);
    /* Somebody else from there gets in, and by then the fourth failure would have been told, were it told at once. */
    CHECK(t, peer_connect(&good, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    struct pollfd fd = {.fd = p.fd, .events = POLLIN};
    CHECK(t, poll(&fd, 1, 0) == 0);
    world_sim_advance(&t->sim, 250);
    CHECK(t, peer_next(&p) == MQTT_CONNACK && p.got.reason == MQTT_BAD_USER && peer_ends(&p, 0));
    peer_shut(&good);
    site_stop(&s);
}

static uint32_t said(const struct peer *p, uint8_t id) {
    struct mqtt_property x;
    return mqtt_property_find(p->got.properties, id, &x) ? x.number : UINT32_MAX;
}

static void connack_says_what_there_is(struct t *t) {
    struct site s;
    struct peer p;
    struct mqtt_property x;
    site_start(&s, t);
    static const uint8_t expiry[] = {MQTT_SESSION_EXPIRY, 0, 0, 14, 16};
    struct mqtt_packet c = connect_of(&s.pump, "");
    c.properties = (struct bytes){expiry, sizeof expiry};
    CHECK(t, peer_connect(&p, &s, MQTT_V5, c) == 0);
    CHECK(t, said(&p, MQTT_MAXIMUM_QOS) == 1 && said(&p, MQTT_RECEIVE_MAXIMUM) == 1024);
    CHECK(t, said(&p, MQTT_MAXIMUM_PACKET_SIZE) == 262144 && said(&p, MQTT_TOPIC_ALIAS_MAXIMUM) == UINT32_MAX);
    CHECK(t, said(&p, MQTT_WILDCARD_AVAILABLE) == 0 && said(&p, MQTT_SHARED_AVAILABLE) == 0);
    CHECK(t, said(&p, MQTT_SESSION_EXPIRY) == 0);
    CHECK(t, mqtt_property_find(p.got.properties, MQTT_ASSIGNED_CLIENT_ID, &x) && x.text.len > 10);
    peer_shut(&p);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "")) == 0);
    peer_shut(&p);
    site_stop(&s);
}

static void a_client_id_is_taken_over_within_its_device_only(struct t *t) {
    struct site s;
    struct peer a, b, other;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&a, &s, levels[i], connect_of(&s.pump, "same")) == 0);
        CHECK(t, peer_connect(&other, &s, levels[i], connect_of(&s.lamp, "same")) == 0);
        CHECK(t, peer_connect(&b, &s, levels[i], connect_of(&s.pump, "same")) == 0);
        CHECK(t, peer_ends(&a, MQTT_TAKEN_OVER));
        CHECK(t, peer_is_quiet(&b) && peer_is_quiet(&other));
        CHECK(t, peer_connect(&a, &s, levels[i], connect_of(&s.pump, "another")) == 0 && peer_is_quiet(&b));
        peer_shut(&a), peer_shut(&b), peer_shut(&other);
    }
    CHECK(t, figures(&s).taken_over == 2);
    site_stop(&s);
}

/* ---- topics ---- */

static void a_device_touches_its_own_topics_only(struct t *t) {
    static const char *const topics[] = {"linli/e1/lamp/telemetry",  "linli/e2/pump/telemetry",
                                         "linli/e1/pump/command",    "linli/e1/pump/telemetry/x",
                                         "linli/e1/pump/",           "telemetry",
                                         "/linli/e1/pump/telemetry", "$SYS/x"};
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    for (size_t i = 0; i < COUNT(topics); i++)
        CHECK_SAY(t, peer_tell(&p, topics[i], 7, "{\"x\":1}") == MQTT_NOT_AUTHORIZED, "%s", topics[i]);
    CHECK(t, peer_tell(&p, READINGS_TOPIC, 8, "{\"x\":2}") == 0);
    peer_publish(&p, topics[0], 0, "{\"x\":1}"); /* QoS 0 has no answer that could say so */
    CHECK(t, peer_ends(&p, MQTT_NOT_AUTHORIZED));
    for (int qos = 0; qos < 2; qos++) {
        CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
        peer_publish(&p, topics[0], qos, "{\"x\":1}");
        CHECK(t, peer_ends(&p, 0));
    }
    struct mqtt_figures f = figures(&s);
    const struct sample *last = last_bad(&s);
    CHECK(t, f.forbidden == 11 && f.bad == 0 && !strcmp(last->about, topics[0]) && last->len == strlen("{\"x\":1}"));
    CHECK(t, !strcmp(last->rule, "not a topic of this device") && !strcmp(last->peer, "127.0.0.1") && last->at_ms > 0);
    CHECK(t, isnan(site_latest(&s, "lamp", "x")) && site_latest(&s, "pump", "x") == 2);
    site_stop(&s);
}

static void commands_of_its_own_are_all_it_may_subscribe_to(struct t *t) {
    static const struct {
        const char *filter;
        uint8_t qos, v311, v5;
    } rows[] = {{"linli/e1/pump/command", 0, 0, 0},
                {"linli/e1/pump/command", 1, 1, 1},
                {"linli/e1/pump/command", 2, 1, 1},
                {"linli/e1/lamp/command", 1, 0x80, MQTT_NOT_AUTHORIZED},
                {READINGS_TOPIC, 1, 0x80, MQTT_NOT_AUTHORIZED},
                {"linli/+/pump/command", 1, 0x80, MQTT_NO_WILDCARD},
                {"#", 0, 0x80, MQTT_NO_WILDCARD},
                {"$share/g/linli/e1/pump/command", 0, 0x80, MQTT_NO_SHARED}};
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        char mem[1024];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        for (size_t r = 0; r < COUNT(rows); r++)
            mqtt_filter_put(&b, MQTT_SUBSCRIBE,
                            &(struct mqtt_filter){.filter = str_of(rows[r].filter), .qos = rows[r].qos});
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        peer_put(&p, (struct mqtt_packet){.type = MQTT_SUBSCRIBE, .id = 9, .list = {(const uint8_t *)b.ptr, b.len}});
        CHECK(t, peer_next(&p) == MQTT_SUBACK && p.got.id == 9 && p.got.list.len == COUNT(rows));
        for (size_t r = 0; r < COUNT(rows) && r < p.got.list.len; r++)
            CHECK_SAY(t, p.got.list.ptr[r] == (levels[i] == MQTT_V5 ? rows[r].v5 : rows[r].v311), "%s", rows[r].filter);
        buf_init(&b, mem, sizeof mem);
        mqtt_filter_put(&b, MQTT_UNSUBSCRIBE, &(struct mqtt_filter){.filter = S("linli/e1/pump/command")});
        mqtt_filter_put(&b, MQTT_UNSUBSCRIBE, &(struct mqtt_filter){.filter = S("linli/e1/pump/command")});
        peer_put(&p, (struct mqtt_packet){.type = MQTT_UNSUBSCRIBE, .id = 3, .list = {(const uint8_t *)b.ptr, b.len}});
        CHECK(t, peer_next(&p) == MQTT_UNSUBACK && p.got.id == 3);
        if (levels[i] == MQTT_V5) CHECK(t, p.got.list.len == 2 && p.got.list.ptr[0] == 0 && p.got.list.ptr[1] == 0x11);
        peer_shut(&p);
    }
    site_stop(&s);
}

static void qos_2_ends_the_connection(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        peer_put(&p, (struct mqtt_packet){.type = MQTT_PUBLISH, .qos = 2, .id = 1, .topic = S(READINGS_TOPIC)});
        CHECK(t, peer_ends(&p, MQTT_NO_QOS));
    }
    site_stop(&s);
}

/* ---- payloads ---- */

static void bad_payloads_are_told_and_kept_as_a_sample(struct t *t) {
    static const struct {
        const char *topic, *payload;
    } rows[] = {{READINGS_TOPIC, "{\"x\":}"},
                {READINGS_TOPIC, ""},
                {READINGS_TOPIC, "{\"x\":\"1\"}"},
                {READINGS_TOPIC, "[1]"},
                {STATE_TOPIC, "gone"},
                {STATE_TOPIC, ""},
                {"linli/e1/pump/event", "{\"data\":1}"}};
    struct site s;
    struct peer p;
    site_start(&s, t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        for (size_t r = 0; r < COUNT(rows); r++) {
            /* 3.1.1 has no word for it, and without an answer it would come for ever */
            int want = levels[i] == MQTT_V5 ? MQTT_BAD_PAYLOAD : 0;
            CHECK_SAY(t, peer_tell(&p, rows[r].topic, 5, rows[r].payload) == want, "%s", rows[r].payload);
        }
        CHECK(t, peer_tell(&p, READINGS_TOPIC, 6, "{\"x\":1}") == 0);
        peer_shut(&p);
    }
    struct mqtt_figures f = figures(&s);
    CHECK(t, f.bad == 2 * COUNT(rows) && f.points == 2);
    /* Each is kept, the newest sixteen of them, with what it broke. */
    const struct figures *line = line_of(&s);
    CHECK(t, line->bad == (int64_t)(2 * COUNT(rows)) && line->frames == 2 && line->last_ms > 0 && line->bytes > 0);
    for (size_t r = 0; r < COUNT(rows) && r < FIGURES_BAD_MAX; r++) {
        size_t at = (line->bad_n - 1 - r) % FIGURES_BAD_MAX;
        const char *payload = rows[COUNT(rows) - 1 - r].payload;
        CHECK(t, line->bad_samples[at].len == strlen(payload) && !strcmp(line->bad_samples[at].peer, "127.0.0.1"));
        CHECK(t, !memcmp(line->bad_bytes[at], payload, strlen(payload)) && line->bad_samples[at].rule[0]);
        CHECK(t, !strcmp(line->bad_samples[at].about, rows[COUNT(rows) - 1 - r].topic));
    }
    CHECK(t, !strcmp(last_bad(&s)->rule, "no event"));
    site_stop(&s);
}

static void answers_come_in_the_order_of_the_publishes(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    for (int i = 1; i <= 600; i++) { /* good, bad and foreign ones, events and states among them */
        static const struct {
            const char *topic, *payload;
        } rows[] = {{READINGS_TOPIC, "{\"x\":1}"},
                    {READINGS_TOPIC, "{\"x\":"},
                    {"a", "1"},
                    {"linli/e1/pump/event", "{\"event\":\"e\"}"},
                    {READINGS_TOPIC, "[{\"x\":2},{\"y\":3}]"},
                    {STATE_TOPIC, "online"},
                    {READINGS_TOPIC, "{\"x\":4}"}};
        peer_publish(&p, rows[i % 7].topic, i, rows[i % 7].payload);
    }
    for (int i = 1; i <= 600 && !t->failed; i++) {
        static const int reasons[] = {0, MQTT_BAD_PAYLOAD, MQTT_NOT_AUTHORIZED, 0, 0, 0, 0};
        CHECK_SAY(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i && p.got.reason == reasons[i % 7], "%d: %d %d", i,
                  p.got.id, p.got.reason);
    }
    peer_shut(&p);
    site_stop(&s);
}

static void a_list_of_readings_is_stored_with_its_times(struct t *t) {
    struct site s;
    struct peer p;
    char text[200];
    site_start(&s, t);
    int64_t now = t->sim.utc_ms;
    snprintf(text, sizeof text, "[{\"ts\":%lld,\"a\":1.5,\"b\":-2},{\"a\":true},{\"ts\":1,\"c\":9}]",
             (long long)now - 5000);
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, READINGS_TOPIC, 1, text) == 0);
    CHECK(t, site_latest(&s, "pump", "a") == 1 && site_latest(&s, "pump", "b") == -2);
    struct telemetry_series *series;
    struct str code = S("pump");
    size_t n = 0;
    CHECK(t, !telemetry_latest(feed_telemetry(s.feed), s.estate, &code, 1, (struct str){0}, &t->arena, &series, &n,
                               &t->fault));
    for (size_t i = 0; i < n; i++) { /* a clock of 1970 counts from now */
        int64_t want = str_is(series[i].metric, "b") ? now - 5000 : now;
        CHECK_SAY(t, series[i].latest.at_ms == want, STR_FMT, STR_ARG(series[i].metric));
    }
    CHECK(t, n == 3);
    peer_shut(&p);
    site_stop(&s);
}

static void large_payloads_pass_and_larger_ones_end_it(struct t *t) {
    struct site s;
    struct peer p;
    struct buf b;
    struct str text;
    site_start(&s, t);
    buf_init_arena(&b, &t->arena, 300000);
    for (int i = 0; i < 4000; i++) buf_fmt(&b, "%c{\"metric of a long name\":%d.25,\"m\":%d}", i ? ',' : '[', i, i);
    for (size_t i = b.len; i < 250000; i++) buf_char(&b, ' ');
    buf_char(&b, ']');
    CHECK(t, buf_done(&b, &text));
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        /* 8,000 values are more than one payload may have */
        CHECK(t, peer_tell(&p, READINGS_TOPIC, 1, text.ptr) == (levels[i] == MQTT_V5 ? MQTT_BAD_PAYLOAD : 0));
        const char *half = strstr(text.ptr, ",{\"metric of a long name\":2048.25");
        char *good = arena_cstr(&t->arena, (struct str){text.ptr, (size_t)(half - text.ptr) + 1});
        good[half - text.ptr] = ']';
        CHECK(t, peer_tell(&p, READINGS_TOPIC, 2, good) == 0 && site_latest(&s, "pump", "m") == 2047);
        peer_send(p.fd, S("\x32\x81\x80\x10")); /* says that 256 KiB and a byte follow */
        CHECK(t, peer_ends(&p, MQTT_TOO_LARGE));
    }
    peer_open(&p, &s, MQTT_V5);
    peer_send(p.fd, S("\x10\x81\x40")); /* CONNECT of 8 KiB and a byte */
    CHECK(t, peer_ends(&p, 0));
    site_stop(&s);
}

static void bytes_may_come_one_at_a_time(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    char mem[256];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    for (uint16_t i = 1; i <= 2; i++) {
        struct mqtt_packet m = {.type = MQTT_PUBLISH, .level = MQTT_V5, .qos = 1, .id = i, .topic = S(READINGS_TOPIC)};
        m.payload = (struct bytes){(const uint8_t *)"{\"x\":7}", 7};
        CHECK(t, mqtt_encode(&m, &b));
    }
    for (size_t i = 0; i < b.len; i++) {
        peer_send(p.fd, (struct str){b.ptr + i, 1});
        test_on_loop(s.tl.loop, site_nothing, NULL); /* a round, so that it comes alone */
    }
    for (int i = 1; i <= 2; i++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i && p.got.reason == 0);
    peer_shut(&p);
    site_stop(&s);
}

static void rubbish_ends_its_connection_and_no_other(struct t *t) {
    static const struct {
        const char *bytes, *why;
        size_t n;
        int reason;
        bool before; /* instead of CONNECT */
    } rows[] = {
        {"\x00\x00", "type 0", 2, MQTT_MALFORMED, false},
        {"\xf0\x00", "AUTH that nobody asked for", 2, MQTT_PROTOCOL_ERROR, false},
        {"\x36\x03\x00\x01\x61", "QoS 3", 5, MQTT_MALFORMED, false},
        {"\x32\xff\xff\xff\xff\x01", "a length of five bytes", 6, MQTT_MALFORMED, false},
        {"\x32\x05\x00\x01#\x00\x01", "a topic with a wildcard", 7, MQTT_BAD_TOPIC, false},
        {"\x32\x06\x00\x01\x61\x00\x00\x00", "packet id 0", 8, MQTT_PROTOCOL_ERROR, false},
        {"\x32\x04\x00\x02\xc3\x28", "a topic that is no UTF-8", 6, MQTT_MALFORMED, false},
        {"\x80\x00", "flags of SUBSCRIBE", 2, MQTT_MALFORMED, false},
        {"\x82\x03\x00\x01\x00", "a subscription to nothing", 5, MQTT_PROTOCOL_ERROR, false},
        {"\x50\x02\x00\x01", "PUBREC of nothing", 4, MQTT_PROTOCOL_ERROR, false},
        {"\x20\x03\x00\x00\x00", "CONNACK from a client", 5, MQTT_PROTOCOL_ERROR, false},
        {"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00", "a second CONNECT", 15, MQTT_PROTOCOL_ERROR, false},
        {"\x32\x09\x00\x01\x61\x00\x01\x03\x23\x00\x01", "a topic alias", 11, MQTT_BAD_ALIAS, false},
        {"GET / HTTP/1.1\r\n\r\n", "another protocol", 18, 0, true},
        {"\x30\x03\x00\x01\x61", "PUBLISH first", 5, 0, true},
        {"\x10\x02\x00\x04", "half a CONNECT", 4, 0, true},
        {"\x10\x0d\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x00", "the reserved flag", 15, 0, true},
    };
    struct site s;
    struct peer healthy, p;
    site_start(&s, t);
    CHECK(t, peer_connect(&healthy, &s, MQTT_V5, connect_of(&s.lamp, "healthy")) == 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].before)
            peer_open(&p, &s, MQTT_V311);
        else
            CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
        peer_send(p.fd, (struct str){rows[i].bytes, rows[i].n});
        bool ended =
            peer_ends(&p, rows[i].reason) || (rows[i].before && p.got.type == MQTT_CONNACK && p.got.reason == 1);
        CHECK_SAY(t, ended, "%s: %02x", rows[i].why, p.got.reason);
        CHECK_SAY(t, peer_tell(&healthy, "linli/e1/lamp/telemetry", 1, "{\"x\":1}") == 0, "behind %s", rows[i].why);
    }
    peer_open(&p, &s, MQTT_V311); /* a version of before is told so */
    peer_send(p.fd, S("\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01\x61"));
    CHECK(t, peer_next(&p) == MQTT_CONNACK && p.got.reason == 1 && peer_ends(&p, 0));
    /* Of what came before a log-in nobody can say whose it is. */
    const struct figures *nobody = figures_of(mqtt_line_figures(s.mqtt), 0), *line = line_of(&s);
    CHECK(t, figures(&s).malformed == COUNT(rows) && nobody->bad == 5 && line->bad == (int64_t)COUNT(rows) - 5);
    CHECK(t, !nobody->bad_n && line->bad_n == COUNT(rows) - 5);
    peer_shut(&healthy);
    site_stop(&s);
}

TESTS(CASE(only_a_devices_own_password_opens), CASE(nobody_gets_in_without_a_name), CASE(many_failures_are_told_late),
      CASE(connack_says_what_there_is), CASE(a_client_id_is_taken_over_within_its_device_only),
      CASE(a_device_touches_its_own_topics_only), CASE(commands_of_its_own_are_all_it_may_subscribe_to),
      CASE(qos_2_ends_the_connection), CASE(bad_payloads_are_told_and_kept_as_a_sample),
      CASE(answers_come_in_the_order_of_the_publishes), CASE(a_list_of_readings_is_stored_with_its_times),
      CASE(large_payloads_pass_and_larger_ones_end_it), CASE(bytes_may_come_one_at_a_time),
      CASE(rubbish_ends_its_connection_and_no_other))
