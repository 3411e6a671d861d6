/* Gateways: what a device may tell of others, under whose name, what it hears, how it leaves.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/mqtt/site_test_internal.h"

#include <math.h>

static const enum mqtt_level levels[] = {MQTT_V311, MQTT_V5};

struct change {
    int64_t device_id;
    const char *speaks;
};
static enum err set_speaks(struct ctx *ctx, void *arg) {
    const struct change *c = arg;
    struct device d = {0};
    SET(&devices, &d, speaks, str_of(c->speaks));
    return row_update(ctx, &devices, c->device_id, 0, &d, d.row.has, NULL);
}
static void speaks(struct site *s, const struct device_keys *who, const char *words) {
    site_do(s, set_speaks, &(struct change){who->id, words});
}

static enum err rules_make(struct ctx *ctx, void *arg) {
    static const char *const codes[] = {"water_leak", "offline"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct rule r = {.row.community_id = ((struct site *)arg)->estate};
        SET(&rules, &r, name, str_of(codes[i]));
        SET(&rules, &r, kind, S("event"));
        SET(&rules, &r, event_code, str_of(codes[i]));
        SET(&rules, &r, severity, S("bad"));
        SET(&rules, &r, message, str_of(codes[i]));
        SET(&rules, &r, enabled, true);
        TRY(row_create(ctx, &rules, &r));
    }
    return OK;
}

/* "pump" speaks so, and "pump:tap" is a device of its that is adopted. */
static void start(struct site *s, struct t *t, const char *words) {
    struct device_keys tap;
    site_start(s, t);
    site_close_feed(s);
    speaks(s, &s->pump, words);
    site_do(s, rules_make, s);
    site_do(s, device_make, &(struct device_wish){s, "pump:tap", true, &tap});
    site_open_feed(s);
}

static int64_t alarms_of(struct site *s, const char *device, const char *code) {
    char sql[300];
    snprintf(sql, sizeof sql,
             "SELECT COUNT(*) FROM alarms a JOIN devices d ON d.id = a.device_id WHERE a.state = 'active' AND d.code = "
             "'%s' AND a.title = '%s'",
             device, code);
    return site_count(s, sql);
}

/* ---- whose ---- */

static void a_gateway_tells_of_its_devices_under_its_own_name(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt tasmota");
    for (size_t i = 0; i < COUNT(levels); i++) {
        int id = 1;
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", id++, "{\"battery\":90,\"water_leak\":true}") == 0);
        CHECK(t, site_latest(&s, "pump:tap", "battery") == 90 && site_latest(&s, "pump:tap", "water_leak") == 1);
        CHECK_SAY(t, alarms_of(&s, "pump:tap", "water_leak") == 1, "the alarm is there with the answer");
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", id++, "{\"water_leak\":false}") == 0);
        CHECK(t, alarms_of(&s, "pump:tap", "water_leak") == 0);
        /* A device of that name is none of its. */
        CHECK(t, peer_tell(&p, "zigbee2mqtt/lamp", id++, "{\"battery\":5}") == 0);
        CHECK(t, site_latest(&s, "pump:lamp", "battery") == 5 && isnan(site_latest(&s, "lamp", "battery")));
        CHECK(t, peer_tell(&p, "zigbee2mqtt/a/b c", id++, "{\"battery\":6}") == 0);
        CHECK(t, site_latest(&s, "pump:a%2Fb%20c", "battery") == 6);
        /* Itself it is where the name is its own. */
        CHECK(t, peer_tell(&p, "tele/pump/SENSOR", id++, "{\"ENERGY\":{\"Power\":52}}") == 0);
        CHECK(t, site_latest(&s, "pump", "power") == 52 && isnan(site_latest(&s, "pump:pump", "power")));
        CHECK(t, peer_tell(&p, "linli/e1/pump/telemetry", id++, "{\"x\":1}") == 0 && site_latest(&s, "pump", "x") == 1);
        CHECK(t, peer_tell(&p, "zigbee2mqtt/bridge/devices", id++, "[]") == 0);
        peer_publish(&p, "zigbee2mqtt/tap", 0, "{\"battery\":91}");
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", id++, "{\"humidity\":1}") == 0);
        CHECK(t, site_latest(&s, "pump:tap", "battery") == 91);
        peer_shut(&p);
    }
    CHECK(t, site_count(&s, "SELECT COUNT(*) FROM devices WHERE code = 'pump:lamp' AND state = 'new'") == 1);
    site_stop(&s);
}

static void times_are_those_of_the_gateways_place(struct t *t) {
    struct site s;
    struct peer p;
    char text[200];
    int64_t now_s = t->world.utc_ms(t->world.self) / 1000;
    start(&s, t, "tasmota");
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    struct buf b;
    buf_init(&b, text, sizeof text);
    buf_cstr(&b, "{\"Time\":\"");
    civil_put_time(&b, NULL, (now_s - 60) * 1000);
    b.len = strlen("{\"Time\":\"") + 19;
    buf_cstr(&b, "\",\"A\":{\"Power\":7}}");
    CHECK(t, peer_tell(&p, "tele/tap/SENSOR", 1, text) == 0);
    struct telemetry_series *series;
    struct str code = S("pump:tap");
    size_t n = 0;
    CHECK(t,
          !telemetry_latest(feed_telemetry(s.feed), s.estate, &code, 1, S("power"), &t->arena, &series, &n, &t->fault));
    CHECK(t, n == 1 && series[0].latest.at_ms == (now_s - 60) * 1000 && str_is(series[0].unit, "W"));
    peer_shut(&p);
    site_stop(&s);
}

static void who_is_no_gateway_speaks_for_itself_alone(struct t *t) {
    static const char *const topics[] = {"zigbee2mqtt/tap", "tele/pump/SENSOR", "pump/status",
                                         "homeassistant/sensor/x/config"};
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt=home/z2m");
    speaks(&s, &s.fresh, "tasmota"); /* not adopted */
    for (size_t i = 0; i < COUNT(topics); i++) {
        const struct device_keys *const who[] = {&s.pump, &s.lamp, &s.fresh};
        for (size_t k = 0; k < COUNT(who); k++) {
            CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(who[k], "c")) == 0);
            CHECK_SAY(t, peer_tell(&p, topics[i], 1, "{\"battery\":1}") == MQTT_NOT_AUTHORIZED, "%s", topics[i]);
            peer_shut(&p);
        }
        CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.lamp, "c")) == 0);
        peer_publish(&p, topics[i], 1, "{\"battery\":1}");
        CHECK(t, peer_ends(&p, 0));
    }
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, "home/z2m/tap", 1, "{\"battery\":1}") == 0 && site_latest(&s, "pump:tap", "battery") == 1);
    CHECK(t, peer_tell(&p, "linli/e1/lamp/telemetry", 2, "{\"x\":1}") == MQTT_NOT_AUTHORIZED);
    peer_shut(&p);
    site_stop(&s);
}

static void what_cannot_be_read_is_told_and_shown(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt");
    for (size_t i = 0; i < COUNT(levels); i++) {
        int bad = levels[i] == MQTT_V5 ? MQTT_BAD_PAYLOAD : 0;
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 1, "{\"battery\":") == bad);
        CHECK(t, !strcmp(last_bad(&s)->rule, "a value is no number") &&
                     !strcmp(last_bad(&s)->about, "pump zigbee2mqtt/tap"));
        CHECK(t, peer_tell(&p, "zigbee2mqtt/012345678901234567890123456789012345678901234567890123456789", 2, "{}") ==
                     bad);
        CHECK(t, !strncmp(last_bad(&s)->rule, "name: of the device; with its gateway's", 30));
        CHECK(t, !last_bad(&s)->device[0]); /* whose it is nobody can say */
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 3, "{\"battery\":4}") == 0);
        const struct figures *line = line_of(&s);
        CHECK(t, !strcmp(line->good_samples[(line->good_n - 1) % FIGURES_GOOD_MAX].device, "pump:tap"));
        peer_shut(&p);
    }
    CHECK(t, figures(&s).bad == 4 && figures(&s).forbidden == 0);
    site_stop(&s);
}

/* ---- durable ---- */

static void a_report_is_answered_only_when_it_is_synced(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt");
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    gate_set(true);
    peer_publish(&p, "zigbee2mqtt/tap", 1, "{\"battery\":1,\"water_leak\":true}");
    peer_publish(&p, "zigbee2mqtt/tap", 2, "{");
    peer_publish(&p, "linli/e1/pump/telemetry", 3, "{\"x\":2}");
    CHECK(t, peer_is_quiet(&p) && isnan(site_latest(&s, "pump:tap", "battery")));
    gate_set(false);
    for (int i = 1; i <= 3; i++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i);
    CHECK(t, site_latest(&s, "pump:tap", "battery") == 1 && alarms_of(&s, "pump:tap", "water_leak") == 1);
    peer_shut(&p);
    site_stop(&s);
}

static bool disk_has_failed(struct site *s) {
    struct telemetry_stats stats;
    telemetry_stats(feed_telemetry(s->feed), &stats);
    return stats.disk_errors > 0;
}

static void a_full_disk_loses_no_report(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt");
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 1, "{\"battery\":1}") == 0);
    io_sim_fail_syncs(s.disk, INT64_MAX);
    for (int i = 2; i < 50; i++) peer_publish(&p, "zigbee2mqtt/tap", i, "{\"battery\":2,\"water_leak\":true}");
    CHECK(t, site_until(&s, disk_has_failed));
    test_on_loop(s.tl.loop, site_nothing, NULL);
    struct pollfd fd = {.fd = p.fd, .events = POLLIN};
    CHECK(t, poll(&fd, 1, 0) == 0);
    io_sim_fail_syncs(s.disk, 0);
    for (int i = 2; i < 50 && !t->failed; i++) {
        world_sim_advance(&t->sim, 1000);
        CHECK_SAY(t, peer_next(&p) == MQTT_PUBACK && p.got.id == i, "%d", i);
    }
    CHECK(t, site_latest(&s, "pump:tap", "battery") == 2 && alarms_of(&s, "pump:tap", "water_leak") == 1);
    peer_shut(&p);
    site_stop(&s);
}

/* {"PREFIX000":1,…} and what stands behind it. */
static const char *numbers(struct t *t, const char *prefix, int n, const char *rest) {
    struct buf b;
    struct str text;
    buf_init_arena(&b, &t->arena, 8192);
    for (int i = 0; i < n; i++) buf_fmt(&b, "%c\"%s%03d\":1", i ? ',' : '{', prefix, i);
    buf_fmt(&b, "%s}", rest);
    return buf_done(&b, &text) ? text.ptr : "";
}

static void readings_that_are_refused_take_no_event_with_them(struct t *t) {
    static const char *const prefixes[] = {"a", "b", "c", "d"};
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt");
    for (size_t i = 0; i < COUNT(levels); i++) {
        int refused = levels[i] == MQTT_V5 ? MQTT_QUOTA : 0;
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        for (int k = 0; k < 4; k++)
            CHECK(t,
                  peer_tell(&p, "zigbee2mqtt/tap", k + 1, numbers(t, prefixes[k], TELEMETRY_METRICS_MAX / 4, "")) == 0);
        int64_t points = figures(&s).points;
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 5, "{\"water_leak\":true}") == refused);
        CHECK(t, alarms_of(&s, "pump:tap", "water_leak") == 1 && isnan(site_latest(&s, "pump:tap", "water_leak")));
        CHECK(t, line_of(&s)->bad == 1 + 2 * (int64_t)i && figures(&s).bad == line_of(&s)->bad);
        CHECK(t, strstr(last_bad(&s)->rule, "too many metrics") && figures(&s).points == points);
        CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 6, "{\"water_leak\":false}") == refused);
        CHECK(t, alarms_of(&s, "pump:tap", "water_leak") == 0);
        peer_shut(&p);
    }
    CHECK(t, figures(&s).events == 4);
    site_stop(&s);
}

/* ---- Home Assistant ---- */

static void configs_are_remembered_while_the_gateway_is_away(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "homeassistant");
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, "estate/th", 1, "{\"t\":21.5}") == MQTT_NOT_AUTHORIZED); /* nobody told what it is */
    CHECK(t, peer_tell(&p, "homeassistant/sensor/tap/config", 2,
                       "{\"stat_t\":\"estate/th\",\"val_tpl\":\"{{ value_json.t }}\",\"unit_of_meas\":\"°C\",\"name\":"
                       "\"Temperature\",\"dev\":{\"ids\":\"tap\"}}") == 0);
    CHECK(t, peer_tell(&p, "estate/th", 3, "{\"t\":21.5}") == 0);
    CHECK(t, site_latest(&s, "pump:tap", "temperature") == 21.5);
    peer_shut(&p);
    CHECK(t, site_until(&s, nobody_is_connected));
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.pump, "d")) == 0);
    CHECK(t, peer_tell(&p, "estate/th", 1, "{\"t\":22}") == 0 && site_latest(&s, "pump:tap", "temperature") == 22);
    peer_shut(&p);
    speaks(&s, &s.lamp, "homeassistant");
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.lamp, "c")) == 0); /* what one told is not another's */
    CHECK(t, peer_tell(&p, "estate/th", 1, "{\"t\":23}") == MQTT_NOT_AUTHORIZED);
    peer_shut(&p);
    site_stop(&s);
}

/* ---- what it hears ---- */

static int subscribed(struct peer *p, const char *filter) {
    char mem[200];
    struct buf b;
    struct mqtt_filter f = {.filter = str_of(filter), .qos = 1};
    buf_init(&b, mem, sizeof mem);
    mqtt_filter_put(&b, MQTT_SUBSCRIBE, &f);
    struct mqtt_packet packet = {.type = MQTT_SUBSCRIBE, .id = 9, .list = {(const uint8_t *)mem, b.len}};
    peer_put(p, packet);
    return peer_next(p) == MQTT_SUBACK && p->got.list.len == 1 ? p->got.list.ptr[0] : -1;
}

static void a_gateway_may_subscribe_to_what_its_devices_are_told(struct t *t) {
    struct site s;
    struct peer p;
    struct mqtt_property x;
    start(&s, t, "zigbee2mqtt homeassistant=ha");
    for (size_t i = 0; i < COUNT(levels); i++) {
        int refused = levels[i] == MQTT_V5 ? MQTT_NO_WILDCARD : 0x80;
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        CHECK(t, levels[i] != MQTT_V5 ||
                     (mqtt_property_find(p.got.properties, MQTT_WILDCARD_AVAILABLE, &x) && x.number == 1));
        CHECK(t, subscribed(&p, "zigbee2mqtt/#") == 1 && subscribed(&p, "linli/e1/pump/command") == 1);
        CHECK(t, subscribed(&p, "#") == refused && subscribed(&p, "+/set") == refused);
        CHECK(t, peer_is_quiet(&p));
        CHECK(t, subscribed(&p, "ha/status") == 1); /* and hears that it shall say its configs again */
        CHECK(t, peer_next(&p) == MQTT_PUBLISH && str_is(p.got.topic, "ha/status") && p.got.qos == 0);
        CHECK(t, p.got.payload.len == 6 && !memcmp(p.got.payload.ptr, "online", 6));
        peer_shut(&p);
    }
    CHECK(t, peer_connect(&p, &s, MQTT_V311, connect_of(&s.lamp, "c")) == 0 && subscribed(&p, "zigbee2mqtt/#") == 0x80);
    peer_shut(&p);
    site_stop(&s);
}

/* ---- how it leaves ---- */

static struct mqtt_packet with_will(const struct device_keys *who, const char *topic, const char *payload) {
    struct mqtt_packet c = connect_of(who, "c");
    c.has_will = true;
    c.will = (struct mqtt_will){.topic = str_of(topic), .retain = true};
    c.will.payload = (struct bytes){(const uint8_t *)payload, strlen(payload)};
    return c;
}

static bool tap_is_lost(struct site *s) {
    return alarms_of(s, "pump:tap", "offline") == 1 &&
           site_count(s, "SELECT COUNT(*) FROM devices WHERE code = 'pump' AND state = 'offline'") == 1;
}

static void its_last_will_is_what_it_speaks(struct t *t) {
    struct site s;
    struct peer p, again;
    start(&s, t, "tasmota homeassistant");
    for (size_t i = 0; i < COUNT(levels); i++) {
        struct mqtt_packet c = with_will(&s.pump, "tele/tap/LWT", "Offline");
        CHECK(t, peer_connect(&p, &s, levels[i], c) == 0);
        peer_put(&p, (struct mqtt_packet){.type = MQTT_DISCONNECT});
        CHECK(t, peer_ends(&p, 0) && site_until(&s, nobody_is_connected));
        CHECK(t, peer_connect(&p, &s, levels[i], c) == 0);
        CHECK(t, peer_connect(&again, &s, levels[i], c) == 0 && peer_ends(&p, MQTT_TAKEN_OVER)); /* it is here */
        CHECK(t, peer_tell(&again, "tele/tap/SENSOR", 1, "{}") == 0 && !tap_is_lost(&s));
        peer_shut(&again);
        CHECK(t, site_until(&s, tap_is_lost));
        CHECK(t, peer_connect(&p, &s, levels[i], c) == 0 && peer_tell(&p, "tele/tap/LWT", 1, "Online") == 0);
        CHECK(t, alarms_of(&s, "pump:tap", "offline") == 0);
        peer_put(&p, (struct mqtt_packet){.type = MQTT_DISCONNECT});
        CHECK(t, peer_ends(&p, 0));
    }
    int refused = MQTT_NOT_AUTHORIZED;
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s.pump, "linli/e1/lamp/state", "offline")) == refused);
    CHECK(t, peer_ends(&p, 0));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s.lamp, "tele/tap/LWT", "Offline")) == refused);
    CHECK(t, peer_ends(&p, 0));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, with_will(&s.pump, "estate/th/status", "offline")) == 0);
    peer_put(&p, (struct mqtt_packet){.type = MQTT_DISCONNECT});
    CHECK(t, peer_ends(&p, 0));
    site_stop(&s);
}

static void tick(void *arg) {
    mqtt_tick(((struct site *)arg)->mqtt);
}

static void what_it_speaks_may_be_taken_away(struct t *t) {
    struct site s;
    struct peer p;
    start(&s, t, "zigbee2mqtt");
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    world_sim_advance(&t->sim, 31000);
    test_on_loop(s.tl.loop, tick, &s);
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 1, "{\"battery\":1}") == 0); /* looked at, and nothing has changed */
    speaks(&s, &s.pump, "");
    world_sim_advance(&t->sim, 31000);
    test_on_loop(s.tl.loop, tick, &s);
    CHECK(t, peer_ends(&p, MQTT_NOT_AUTHORIZED));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, "zigbee2mqtt/tap", 1, "{\"battery\":1}") == MQTT_NOT_AUTHORIZED);
    peer_shut(&p);
    site_stop(&s);
}

/* ---- what is too large ---- */

static void a_bridge_may_say_more_than_anybody_listens_to(struct t *t) {
    static char much[300 * 1024];
    struct site s;
    struct peer p;
    memset(much, ' ', sizeof much - 1);
    start(&s, t, "zigbee2mqtt");
    for (size_t i = 0; i < COUNT(levels); i++) {
        CHECK(t, peer_connect(&p, &s, levels[i], connect_of(&s.pump, "c")) == 0);
        peer_publish(&p, "zigbee2mqtt/tap", 1, "{\"battery\":3}");
        peer_publish(&p, "zigbee2mqtt/bridge/devices", 2, much);
        peer_publish(&p, "zigbee2mqtt/bridge/devices", 0, much);
        peer_publish(&p, "zigbee2mqtt/tap", 3, "{\"battery\":4}");
        for (int k = 1; k <= 3; k++) CHECK(t, peer_next(&p) == MQTT_PUBACK && p.got.id == k);
        CHECK(t, site_latest(&s, "pump:tap", "battery") == 4);
        peer_shut(&p);
    }
    CHECK(t, figures(&s).bad == 4 && !strcmp(last_bad(&s)->about, "pump zigbee2mqtt/bridge/devices"));
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.lamp, "c")) == 0);
    peer_publish(&p, "zigbee2mqtt/bridge/devices", 2, much);
    CHECK(t, peer_ends(&p, MQTT_TOO_LARGE));
    site_stop(&s);
}

TESTS(CASE(a_gateway_tells_of_its_devices_under_its_own_name), CASE(times_are_those_of_the_gateways_place),
      CASE(who_is_no_gateway_speaks_for_itself_alone), CASE(what_cannot_be_read_is_told_and_shown),
      CASE(a_report_is_answered_only_when_it_is_synced), CASE(a_full_disk_loses_no_report),
      CASE(readings_that_are_refused_take_no_event_with_them), CASE(configs_are_remembered_while_the_gateway_is_away),
      CASE(a_gateway_may_subscribe_to_what_its_devices_are_told), CASE(its_last_will_is_what_it_speaks),
      CASE(what_it_speaks_may_be_taken_away), CASE(a_bridge_may_say_more_than_anybody_listens_to))
