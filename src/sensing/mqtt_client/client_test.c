/* A line to an outside broker, by packets: its session, what is acknowledged when, what its row says of how it goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/site_test_internal.h"

/* ---- the session ---- */

static void it_logs_in_and_asks_for_a_session_that_lasts(struct t *t) {
    struct site s;
    char id[40];
    start(&s, t, "zigbee2mqtt a/+");
    broker_take(&s.b);
    CHECK(t, broker_next(&s.b) == MQTT_CONNECT && !s.b.got.clean_start && s.b.got.keep_alive_s == 60);
    snprintf(id, sizeof id, "linli-%lld", (long long)s.line_id);
    CHECK(t, str_is(s.b.got.client_id, id) && str_is(s.b.got.user, "linli") && !s.b.got.has_will);
    CHECK(t, s.b.got.password.len == 6 && !memcmp(s.b.got.password.ptr, "sesame", 6));
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(t, subscribes(&s.b, "a/+", 1) && subscribes(&s.b, "zigbee2mqtt/#", 1));
    CHECK(t, says(&s, "open", ""));
    broker_publish(&s.b, 1, "zigbee2mqtt/door", "{\"contact\":false,\"battery\":90}");
    CHECK(t, is_acknowledged(&s.b, 1) && latest(&s, "door", "battery") == 90 && latest(&s, "door", "open") == 1);
    broker_publish(&s.b, 0, "zigbee2mqtt/door", "{\"battery\":91}");
    broker_publish(&s.b, 2, "a/x", "{\"level\":5}");
    CHECK(t, is_acknowledged(&s.b, 2) && latest(&s, "door", "battery") == 91 && latest(&s, "a%2Fx", "level") == 5);
    CHECK(t, estate_comes_to(&s.e,
                             "SELECT COUNT(*) FROM devices d JOIN lines l ON l.id = d.line_id WHERE d.code IN ('door', "
                             "'a%2Fx') AND d.state = 'new' AND l.name = 'house'",
                             2));
    stop(&s);
}

static void what_is_told_there_raises_alarms(struct t *t) {
    struct site s;
    start(&s, t, "linli/#");
    broker_greet(&s.b, "linli/#");
    char topic[100];
    struct db *db;
    struct db_rows rows = {0};
    bool more;
    CHECK(t, !db_pool_take(s.e.pool, &db, &t->fault) &&
                 !db_query(db, &t->fault, "SELECT code FROM communities WHERE id = $1", VALS(V_I64(s.e.id)), &rows) &&
                 !db_next(&rows, &t->fault, &more) && more);
    snprintf(topic, sizeof topic, "linli/" STR_FMT "/889/event", STR_ARG(db_text(&rows, 0)));
    db_done(&rows);
    db_pool_give(s.e.pool, db);
    broker_publish(&s.b, 1, topic, "{\"event\":\"fire_alarm\"}");
    CHECK(t, is_acknowledged(&s.b, 1));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms WHERE state = 'active'") == 1);
    broker_publish(&s.b, 2, "linli/nowhere/889/event", "{\"event\":\"fire_alarm\"}");
    CHECK(t, is_acknowledged(&s.b, 2)); /* of another community: not for this line */
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms") == 1);
    stop(&s);
}

static void a_device_of_another_line_is_none_of_it(struct t *t) {
    struct site s;
    panel_hangs_elsewhere = true;
    start(&s, t, "tasmota a/+");
    panel_hangs_elsewhere = false;
    broker_take(&s.b);
    CHECK(t, broker_next(&s.b) == MQTT_CONNECT);
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(t, subscribes(&s.b, "a/+", 1) && subscribes(&s.b, "tele/#", 1) && subscribes(&s.b, "stat/#", 1));
    broker_publish(&s.b, 1, "tele/889/SENSOR", "{\"A\":{\"Power\":5}}");
    broker_publish(&s.b, 2, "tele/888/SENSOR", "{\"A\":{\"Power\":5}}");
    CHECK(t, is_acknowledged(&s.b, 1) && is_acknowledged(&s.b, 2));
    CHECK(t, isnan(latest(&s, "889", "power")) && latest(&s, "888", "power") == 5);
    stop(&s);
}

static void what_discovery_describes_is_subscribed_to(struct t *t) {
    struct site s;
    start(&s, t, "homeassistant");
    broker_greet(&s.b, "homeassistant/#");
    broker_publish(&s.b, 1, "homeassistant/sensor/x/config",
                   "{\"stat_t\":\"estate/th\",\"avty_t\":\"homeassistant/x\",\"val_tpl\":\"{{ value_json.t }}\"}");
    CHECK(t, is_acknowledged(&s.b, 1) && subscribes(&s.b, "estate/th", 1));
    broker_publish(&s.b, 2, "estate/th", "{\"t\":21.5}");
    CHECK(t, is_acknowledged(&s.b, 2) && latest(&s, "x", "x") == 21.5);
    stop(&s);
}

/* It is told what it may send; one that speaks 3.1.1 cannot be. */
static void the_broker_knows_how_much_it_may_send(struct t *t) {
    struct site s;
    struct mqtt_property x;
    start(&s, t, "a/#");
    for (int i = 0; i < 2; i++) {
        broker_take(&s.b);
        CHECK(t, broker_next(&s.b) == MQTT_CONNECT && s.b.level == (i ? MQTT_V311 : MQTT_V5));
        if (i) break;
        CHECK(t, mqtt_property_find(s.b.got.properties, MQTT_MAXIMUM_PACKET_SIZE, &x) && x.number == 263425);
        CHECK(t, mqtt_property_find(s.b.got.properties, MQTT_RECEIVE_MAXIMUM, &x) && x.number == 16);
        CHECK(t, mqtt_property_find(s.b.got.properties, MQTT_SESSION_EXPIRY, &x) && x.number == 604800);
        broker_drop(&s.b); /* it hangs up: perhaps on the version */
    }
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(t, subscribes(&s.b, "a/#", 1) && says(&s, "open", ""));
    broker_publish(&s.b, 1, "a/x", "{\"level\":1}");
    CHECK(t, is_acknowledged(&s.b, 1) && latest(&s, "a%2Fx", "level") == 1);
    stop(&s);
}

/* ---- durable ---- */

static void a_publish_is_acknowledged_only_when_it_is_synced(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_greet(&s.b, "a/#");
    broker_publish(&s.b, 1, "a/x", "{\"level\":1}");
    CHECK(t, is_acknowledged(&s.b, 1));
    gate_set(true);
    broker_publish(&s.b, 2, "a/x", "{\"level\":2}");
    broker_publish(&s.b, 3, "a/x", "hello");
    CHECK(t, broker_hears_nothing(&s.b, 300) && latest(&s, "a%2Fx", "level") == 1);
    gate_set(false);
    CHECK(t, is_acknowledged(&s.b, 2) && is_acknowledged(&s.b, 3) && latest(&s, "a%2Fx", "level") == 2);
    stop(&s);
}

static void a_full_disk_loses_nothing(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_greet(&s.b, "a/#");
    broker_publish(&s.b, 1, "a/x", "{\"level\":1}");
    CHECK(t, is_acknowledged(&s.b, 1));
    io_sim_fail_syncs(s.e.sim, INT64_MAX);
    broker_publish(&s.b, 2, "a/x", "{\"level\":2}");
    broker_publish(&s.b, 3, "a/x", "{\"level\":3}");
    CHECK(t, broker_hears_nothing(&s.b, 300));
    io_sim_fail_syncs(s.e.sim, 0);
    for (int id = 2; id <= 3; id++) {
        for (int i = 0; i < PEER_WAIT_MS / 10 && broker_hears_nothing(&s.b, 10); i++)
            world_sim_advance(&t->sim, 1000); /* it is tried again */
        CHECK(t, is_acknowledged(&s.b, id));
    }
    CHECK(t, latest(&s, "a%2Fx", "level") == 3);
    stop(&s);
}

static void what_is_not_stored_when_the_server_stops_is_not_acknowledged(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_greet(&s.b, "a/#");
    broker_publish(&s.b, 1, "a/x", "{\"level\":1}");
    CHECK(t, is_acknowledged(&s.b, 1));
    gate_set(true);
    broker_publish(&s.b, 2, "a/x", "{\"level\":2}");
    CHECK(t, broker_hears_nothing(&s.b, 100));
    test_on_loop(s.e.loop.loop, (loop_fn *)lines_stop, s.lines);
    int last = broker_next(&s.b);
    CHECK_SAY(t, last == 0, "%d", last); /* it hangs up, and the broker keeps it for the session */
    stop(&s);
}

static void readings_that_are_refused_take_no_event_with_them(struct t *t) {
    struct site s;
    char numbers[4096];
    start(&s, t, "zigbee2mqtt");
    broker_greet(&s.b, "zigbee2mqtt/#");
    for (int k = 0; k < 4; k++) {
        struct buf b;
        buf_init(&b, numbers, sizeof numbers - 1);
        for (int i = 0; i < TELEMETRY_METRICS_MAX / 4; i++) buf_fmt(&b, "%c\"%c%03d\":1", i ? ',' : '{', 'a' + k, i);
        buf_char(&b, '}');
        numbers[b.len] = 0;
        broker_publish(&s.b, k + 1, "zigbee2mqtt/889", numbers);
        CHECK(t, is_acknowledged(&s.b, k + 1));
    }
    CHECK(t, latest(&s, "889", "d249") == 1 && has_bad(&s, 0));
    broker_publish(&s.b, 5, "zigbee2mqtt/889", "{\"smoke\":true}");
    CHECK(t, is_acknowledged(&s.b, 5) && isnan(latest(&s, "889", "smoke")) && has_bad(&s, 1));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM alarms WHERE state = 'active' AND title = 'smoke'") == 1);
    stop(&s);
}

/* ---- how it goes ---- */

static void a_broker_that_lets_nobody_in_is_named_with_its_reason(struct t *t) {
    static const struct {
        int code;
        const char *problem;
    } rows[] = {{134, "127.0.0.1 does not accept the user name or password"},
                {132, "127.0.0.1 does not accept the user name or password"}, /* of MQTT 5: it is called in 3.1.1 */
                {5, "127.0.0.1 does not let this user in"}};
    struct site s;
    start(&s, t, "a/#");
    for (size_t i = 0; i < COUNT(rows); i++) {
        broker_take(&s.b);
        CHECK(t, broker_next(&s.b) == MQTT_CONNECT && s.b.level == (rows[i].code < 128 ? MQTT_V311 : MQTT_V5));
        broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK, .reason = (uint8_t)rows[i].code});
        CHECK(t, says(&s, "failed", rows[i].problem));
        broker_drop(&s.b);
    }
    broker_greet(&s.b, "a/#");
    CHECK(t, says(&s, "open", ""));
    stop(&s);
}

static void a_broker_that_goes_is_called_again(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_greet(&s.b, "a/#");
    CHECK(t, says(&s, "open", ""));
    broker_drop(&s.b);
    CHECK(t, says(&s, "failed", "127.0.0.1 hung up"));
    broker_greet(&s.b, "a/#");
    CHECK(t, says(&s, "open", ""));
    broker_publish(&s.b, 1, "a/x", "{\"level\":1}");
    CHECK(t, is_acknowledged(&s.b, 1));
    close(s.b.door);
    broker_drop(&s.b);
    CHECK(t, says(&s, "failed", "no broker listens at 127.0.0.1 port %"));
    s.b.door = -1;
    stop(&s);
}

static void topics_that_may_not_be_read_are_named(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_take(&s.b);
    CHECK(t, broker_next(&s.b) == MQTT_CONNECT);
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(t, subscribes(&s.b, "a/#", 0x80));
    CHECK(t, says(&s, "failed", "127.0.0.1 does not let this user read a/#"));
    stop(&s);
}

static void what_cannot_be_read_is_counted_and_shown(struct t *t) {
    struct site s;
    start(&s, t, "a/#");
    broker_greet(&s.b, "a/#");
    broker_publish(&s.b, 1, "a/x", "hello");
    CHECK(t, is_acknowledged(&s.b, 1));
    broker_publish(&s.b, 2, "a/x", "{\"level\":2}");
    CHECK(t, is_acknowledged(&s.b, 2));
    CHECK(t, has_bad(&s, 1));
    stop(&s);
}

TESTS(CASE(it_logs_in_and_asks_for_a_session_that_lasts), CASE(what_is_told_there_raises_alarms),
      CASE(a_device_of_another_line_is_none_of_it), CASE(what_discovery_describes_is_subscribed_to),
      CASE(the_broker_knows_how_much_it_may_send), CASE(a_publish_is_acknowledged_only_when_it_is_synced),
      CASE(a_full_disk_loses_nothing), CASE(readings_that_are_refused_take_no_event_with_them),
      CASE(what_is_not_stored_when_the_server_stops_is_not_acknowledged),
      CASE(a_broker_that_lets_nobody_in_is_named_with_its_reason), CASE(a_broker_that_goes_is_called_again),
      CASE(topics_that_may_not_be_read_are_named), CASE(what_cannot_be_read_is_counted_and_shown))
