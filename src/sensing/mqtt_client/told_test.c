/* Commands to devices at an outside broker: rows go out as publishes, and publishes end them.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "kernel/outbox.h"
#include "kernel/rows.h"
#include "protocol/sparkplug/sparkplug.h"
#include "sensing/mqtt_client/site_test_internal.h"
#include "sensing/topics/host.h"

#define EUI    "0101010101010101"
#define UPLINK "application/7/device/" EUI "/event/up"
#define ACK    "application/7/device/" EUI "/event/ack"
#define INFO   "{\"deviceInfo\":{\"devEui\":\"" EUI "\"},"

static struct {
    const char *device, *item, *value;
    int64_t command;
} wish;

/* A device that can be told one thing, on the line. */
static enum err adopt(struct ctx *ctx, struct estate *e) {
    struct model_command told = {.has = 0x09, .command = {"switch", 6}, .item = str_of(wish.item)};
    struct device_model m = {0};
    struct device d = {.row.community_id = e->id};
    SET(&device_models, &m, code, S("plug"));
    SET(&device_models, &m, name, S("plug"));
    SET(&device_models, &m, commands, (struct lines){&told, 1});
    TRY(row_create(ctx, &device_models, &m));
    SET(&devices, &d, name, S("plug"));
    SET(&devices, &d, code, str_of(wish.device));
    SET(&devices, &d, model, S("plug"));
    SET(&devices, &d, line_id, now_testing->line_id);
    SET(&devices, &d, place_id, e->id);
    TRY(row_create(ctx, &devices, &d));
    TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &d,
                UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id"), NULL));
    return events_deliver(ctx, 100, &(size_t){0});
}

static enum err command_it(struct ctx *ctx, struct estate *e) {
    struct device_command c = {.row.community_id = e->id};
    struct device d = {0};
    bool found;
    size_t done;
    TRY(device_by_code(ctx, e->id, str_of(wish.device), &d, &found));
    SET(&commands, &c, device_id, d.row.id);
    SET(&commands, &c, command, S("switch"));
    SET(&commands, &c, value, str_of(wish.value));
    SET(&commands, &c, reason, S("a test"));
    TRY(row_create(ctx, &commands, &c));
    wish.command = c.row.id;
    return events_deliver(ctx, 100, &done);
}

static bool command_is(struct site *s, const char *state, const char *answer) {
    char query[200];
    snprintf(query, sizeof query,
             "SELECT COUNT(*) FROM commands WHERE id = %lld AND state = '%s' AND COALESCE(answer, '') = '%s'",
             (long long)wish.command, state, answer);
    return estate_comes_to(&s->e, query, 1);
}

/* payload NULL: any */
static bool hears(struct broker *b, const char *topic, const char *payload) {
    bool ok = broker_next(b) == MQTT_PUBLISH && str_is(b->got.topic, topic) && b->got.qos == 1 && !b->got.retain;
    struct str said = {(const char *)b->got.payload.ptr, b->got.payload.len};
    ok = ok && (!payload || str_is(said, payload));
    CHECK_SAY(b->t, ok, STR_FMT " " STR_FMT, STR_ARG(b->got.topic), STR_ARG(said));
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBACK, .id = b->got.id});
    return ok;
}

static void adopt_known(struct site *s) {
    estate_do(&s->e, adopt);
    for (int i = 0; i < PEER_WAIT_MS / 10 && !feed_knows(s->e.feed, s->e.id, str_of(wish.device)); i++)
        (void)poll(NULL, 0, 10);
}

static void begin(struct site *s, struct t *t, const char *topics) {
    start(s, t, topics);
    broker_greet(&s->b, topics);
    CHECK(t, says(s, "open", ""));
    adopt_known(s);
}

static void order(struct site *s) {
    estate_do(&s->e, command_it);
    world_sim_advance(&s->e.t->sim, 1000); /* what waits is tried again */
}

/* `text` with `with` in place of `what`. */
static void expand(char to[300], const char *text, const char *what, const char *with) {
    const char *at = text ? strstr(text, what) : NULL;
    if (at)
        snprintf(to, 300, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
    else
        snprintf(to, 300, "%s", text ? text : "");
}

static void code_of(struct site *s, char to[80]) {
    struct db *db;
    struct db_rows rows = {0};
    bool more,
        ok = !db_pool_take(s->e.pool, &db, &s->e.t->fault) &&
             !db_query(db, &s->e.t->fault, "SELECT code FROM communities WHERE id = $1", VALS(V_I64(s->e.id)), &rows) &&
             !db_next(&rows, &s->e.t->fault, &more) && more;
    CHECK(s->e.t, ok);
    snprintf(to, 80, STR_FMT, STR_ARG(db_text(&rows, 0)));
    db_done(&rows);
    db_pool_give(s->e.pool, db);
}

static void a_command_goes_out_and_the_devices_word_ends_it(struct t *t) {
    static const struct {
        const char *topics, *device, *item, *value, *said[2], *topic, *payload, *other[2], *answered[2], *state,
            *answer;
    } rows[] = {
        {"#",
         "plug-17",
         "Power",
         "ON",
         {"tele/plug-17/STATE", "{\"POWER\":\"OFF\"}"},
         "cmnd/plug-17/Power",
         "ON",
         {"stat/plug-17/RESULT", "{\"POWER\":\"OFF\"}"},
         {"stat/plug-17/RESULT", "{\"POWER\":\"ON\"}"},
         "done",
         ""},
        {"home/z2m/#",
         "valve",
         "state",
         "OPEN",
         {"home/z2m/valve", "{\"battery\":5}"},
         NULL,
         NULL,
         {NULL, NULL},
         {NULL, NULL},
         "sent",
         ""}, /* of no convention that knows commands */
        {"#",
         EUI,
         "10",
         "01ff",
         {UPLINK, INFO "\"fPort\":2,\"object\":{\"t\":1}}"},
         "application/7/device/" EUI "/command/down",
         NULL,
         {UPLINK, INFO "\"fPort\":2,\"object\":{\"t\":1}}"},
         {ACK, INFO "\"queueItemId\":\"x\",\"acknowledged\":true}"},
         "done",
         ""},
        {"linli/#",
         "B-1",
         "switch",
         "on",
         {"linli/%s/B-1/telemetry", "{\"level\":1}"},
         "linli/%s/B-1/command",
         "{\"id\":\"%lld\",\"name\":\"switch\",\"args\":{\"value\":\"on\"}}",
         {"linli/%s/B-1/reply", "{\"id\":\"1\",\"ok\":true}"},
         {"linli/%s/B-1/reply", "{\"id\":\"%lld\",\"error\":\"stuck\"}"},
         "failed",
         "stuck"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        char community[80], mem[6][300];
        const char *texts[] = {rows[i].said[0], rows[i].topic, rows[i].other[0], rows[i].answered[0]};
        wish.device = rows[i].device;
        wish.item = rows[i].item;
        wish.value = rows[i].value;
        begin(&s, t, rows[i].topics);
        code_of(&s, community);
        for (size_t k = 0; k < COUNT(texts); k++) expand(mem[k], texts[k], "%s", community);
        broker_publish(&s.b, 1, mem[0], rows[i].said[1]);
        CHECK(t, is_acknowledged(&s.b, 1));
        order(&s);
        CHECK(t, command_is(&s, "sent", ""));
        if (rows[i].topic) {
            char id[24];
            snprintf(id, sizeof id, "%lld", (long long)wish.command);
            expand(mem[4], rows[i].payload, "%lld", id);
            expand(mem[5], rows[i].answered[1], "%lld", id);
            CHECK_SAY(t, hears(&s.b, mem[1], rows[i].payload ? mem[4] : NULL), "row %zu", i);
            broker_publish(&s.b, 2, mem[2], rows[i].other[1]);
            CHECK(t, is_acknowledged(&s.b, 2) && command_is(&s, "sent", ""));
            broker_publish(&s.b, 3, mem[3], mem[5]);
            CHECK(t, is_acknowledged(&s.b, 3));
        }
        CHECK_SAY(t, command_is(&s, rows[i].state, rows[i].answer), "row %zu", i);
        CHECK(t, broker_hears_nothing(&s.b, 10));
        stop(&s);
    }
}

static void who_was_not_heard_yet_is_told_once_it_speaks(struct t *t) {
    struct site s;
    wish.device = "plug-17", wish.item = "Power", wish.value = "ON";
    begin(&s, t, "#");
    order(&s);
    CHECK(t, command_is(&s, "sent", "") && broker_hears_nothing(&s.b, 200));
    broker_publish(&s.b, 1, "tele/plug-17/LWT", "Offline");
    CHECK(t, is_acknowledged(&s.b, 1));
    CHECK(t, estate_comes_to(&s.e, "SELECT COUNT(*) FROM devices WHERE code = 'plug-17' AND state = 'offline'", 1));
    world_sim_advance(&t->sim, 1000);
    CHECK(t, broker_hears_nothing(&s.b, 200));
    broker_drop(&s.b);
    broker_greet(&s.b, "#");
    broker_publish(&s.b, 2, "tele/plug-17/LWT", "Online");
    CHECK(t, is_acknowledged(&s.b, 2));
    CHECK(t, says(&s, "open", ""));
    world_sim_advance(&t->sim, 1000);
    CHECK(t, hears(&s.b, "cmnd/plug-17/Power", "ON"));
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                          .qos = 1,
                                          .id = 3,
                                          .retain = true,
                                          .topic = S("stat/plug-17/RESULT"),
                                          .payload = {(const uint8_t *)"{\"POWER\":\"ON\"}", 14}});
    CHECK(t, is_acknowledged(&s.b, 3) && command_is(&s, "sent", "")); /* of before, kept by the broker */
    broker_publish(&s.b, 4, "stat/plug-17/RESULT", "{\"POWER\":\"ON\"}");
    CHECK(t, is_acknowledged(&s.b, 4) && command_is(&s, "done", ""));
    stop(&s);
}

/* ---- as the host of Sparkplug B ---- */

/* A frame of one number under a name and the alias 7; name NULL: the alias alone. */
static void broker_puts(struct broker *b, int id, const char *topic, int seq, const char *name, int value) {
    bool is_seq = name && !strcmp(name, "bdSeq");
    struct sparkplug_metric m = {.has = (is_seq ? 0 : 1u << METRIC_ALIAS) | 1u << METRIC_INT | 1u << METRIC_TYPE |
                                        (name ? 1u << METRIC_NAME : 0),
                                 .name = str_of(name),
                                 .alias = 7,
                                 .type = SPARKPLUG_INT32,
                                 .value = METRIC_INT,
                                 .integer = (uint64_t)value};
    struct sparkplug_payload p = {.has = 1u << SPARKPLUG_TIMESTAMP | 1u << SPARKPLUG_SEQ,
                                  .timestamp = (uint64_t)b->t->world.utc_ms(b->t->world.self),
                                  .seq = (uint64_t)seq,
                                  .metrics = &m,
                                  .metrics_n = 1};
    struct buf out;
    buf_init_arena(&out, &b->t->arena, 1024);
    sparkplug_put(&p, &out);
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                       .qos = 1,
                                       .id = (uint16_t)id,
                                       .topic = str_of(topic),
                                       .payload = {(const uint8_t *)out.ptr, out.len}});
}

/* {"online":…,"timestamp":…} of the host, kept; *ret_at: since when. */
static bool is_state(struct str topic, struct bytes payload, bool retain, const char *online, int64_t *ret_at) {
    char text[200];
    snprintf(text, sizeof text, "%.*s", (int)payload.len, (const char *)payload.ptr);
    const char *at = strstr(text, "\"timestamp\":");
    *ret_at = at ? strtoll(at + 12, NULL, 10) : 0;
    return str_is(topic, "spBv1.0/STATE/estate") && retain && strstr(text, online) && *ret_at;
}

static bool says_alive(struct broker *b, int64_t at_ms) {
    int64_t born_ms;
    bool ok = broker_next(b) == MQTT_PUBLISH && b->got.qos == 1 &&
              is_state(b->got.topic, b->got.payload, b->got.retain, "\"online\":true", &born_ms) && born_ms == at_ms;
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBACK, .id = b->got.id});
    return ok;
}

static bool is_asked_for(struct broker *b, const char *topic, const char *metric, double value) {
    struct sparkplug_payload said;
    struct wire_error e;
    bool ok = broker_next(b) == MQTT_PUBLISH && str_is(b->got.topic, topic) &&
              sparkplug_read(b->got.payload, 0, &b->t->arena, &said, &e) && said.metrics_n == 1 &&
              str_is(said.metrics[0].name, metric) && (double)said.metrics[0].integer == value;
    CHECK_SAY(b->t, ok, STR_FMT, STR_ARG(b->got.topic));
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBACK, .id = b->got.id});
    return ok;
}

/* Births name its aliases; who is no host asks nobody to be born. */
static void who_is_no_host_reads_edge_nodes_all_the_same(struct t *t) {
    struct site s;
    start(&s, t, "spBv1.0/#");
    broker_greet(&s.b, "spBv1.0/#");
    broker_puts(&s.b, 1, "spBv1.0/plant/NDATA/gw1", 4, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, 1) && has_bad(&s, 1) && broker_hears_nothing(&s.b, 100));
    broker_puts(&s.b, 2, "spBv1.0/plant/NBIRTH/gw1", 0, "level", 1);
    broker_puts(&s.b, 3, "spBv1.0/plant/NDATA/gw1", 1, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, 2) && is_acknowledged(&s.b, 3));
    CHECK(t, latest(&s, "plant:gw1", "level") == 5 && has_bad(&s, 1));
    broker_publish(&s.b, 4, "spBv1.0/STATE/linli", "{\"online\":false,\"timestamp\":1}");
    CHECK(t, is_acknowledged(&s.b, 4) && broker_hears_nothing(&s.b, 100));
    stop(&s);
}

/* Behind a broker a group is who fills places. */
static void a_group_with_too_many_nodes_harms_no_other(struct t *t) {
    struct site s;
    char topic[64];
    int id = 1;
    int64_t at_ms = 0;
    start(&s, t, "sparkplug=estate");
    broker_take(&s.b);
    CHECK(t, broker_next(&s.b) == MQTT_CONNECT &&
                 is_state(s.b.got.will.topic, s.b.got.will.payload, true, "\"online\":false", &at_ms));
    broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(t, says_alive(&s.b, at_ms) && subscribes(&s.b, "spBv1.0/#", 1));
    broker_puts(&s.b, id, "spBv1.0/plant/NBIRTH/gw1", 0, "level", 1);
    CHECK(t, is_acknowledged(&s.b, id++));
    for (int i = 0; i <= HOST_SCOPE_NODES; i++, id++) {
        snprintf(topic, sizeof topic, "spBv1.0/many/NBIRTH/gw-%d", i);
        broker_puts(&s.b, id, topic, 0, "level", 1);
        CHECK(t, is_acknowledged(&s.b, id));
    }
    broker_puts(&s.b, id, "spBv1.0/plant/NDATA/gw1", 1, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, id++) && latest(&s, "plant:gw1", "level") == 5 && has_bad(&s, 0));
    broker_puts(&s.b, id, "spBv1.0/many/NDATA/gw-0", 1, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, id) && is_asked_for(&s.b, "spBv1.0/many/NCMD/gw-0", "Node Control/Rebirth", 1));
    CHECK(t, has_bad(&s, 1) && latest(&s, "many:gw-0", "level") == 1);
    stop(&s);
}

static void a_host_is_born_and_knows_its_edge_nodes(struct t *t) {
    struct site s;
    int64_t at_ms, before_ms = 0;
    wish.device = "plant:gw1:valve", wish.item = "Valve/Position:Int32", wish.value = "40";
    start(&s, t, "sparkplug=estate");
    for (int call = 0; call < 2; call++) {
        broker_take(&s.b);
        CHECK(t, broker_next(&s.b) == MQTT_CONNECT && s.b.got.has_will && s.b.got.will.qos == 1);
        CHECK(t, is_state(s.b.got.will.topic, s.b.got.will.payload, s.b.got.will.retain, "\"online\":false", &at_ms));
        CHECK(t, at_ms >= before_ms);
        before_ms = at_ms;
        broker_put(&s.b, (struct mqtt_packet){.type = MQTT_CONNACK});
        CHECK(t, says_alive(&s.b, at_ms) && subscribes(&s.b, "spBv1.0/#", 1));
        if (!call) broker_drop(&s.b);
    }
    CHECK(t, says(&s, "open", ""));
    adopt_known(&s);
    broker_publish(&s.b, 1, "spBv1.0/STATE/estate", "{\"online\":true,\"timestamp\":1}");
    broker_publish(&s.b, 2, "spBv1.0/STATE/other", "{\"online\":false,\"timestamp\":1}");
    CHECK(t, is_acknowledged(&s.b, 1) && is_acknowledged(&s.b, 2) && broker_hears_nothing(&s.b, 100));
    broker_publish(&s.b, 3, "spBv1.0/STATE/estate", "{\"online\":false,\"timestamp\":1}");
    CHECK(t, is_acknowledged(&s.b, 3) && says_alive(&s.b, at_ms));
    broker_puts(&s.b, 4, "spBv1.0/plant/DDATA/gw1/valve", 9, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, 4) && is_asked_for(&s.b, "spBv1.0/plant/NCMD/gw1", "Node Control/Rebirth", 1));
    CHECK(t, has_bad(&s, 1)); /* the value that nobody can name */
    broker_puts(&s.b, 5, "spBv1.0/plant/NBIRTH/gw1", 0, "bdSeq", 3);
    broker_puts(&s.b, 6, "spBv1.0/plant/DBIRTH/gw1/valve", 1, "Valve/Position", 5);
    CHECK(t, is_acknowledged(&s.b, 5) && is_acknowledged(&s.b, 6));
    CHECK(t, latest(&s, "plant:gw1:valve", "Valve_Position") == 5);
    order(&s);
    CHECK(t, is_asked_for(&s.b, "spBv1.0/plant/DCMD/gw1/valve", "Valve/Position", 40));
    broker_puts(&s.b, 7, "spBv1.0/plant/DDATA/gw1/valve", 2, NULL, 5);
    CHECK(t, is_acknowledged(&s.b, 7) && command_is(&s, "sent", ""));
    broker_puts(&s.b, 8, "spBv1.0/plant/DDATA/gw1/valve", 3, NULL, 40);
    CHECK(t, is_acknowledged(&s.b, 8) && command_is(&s, "done", ""));
    CHECK(t, latest(&s, "plant:gw1:valve", "Valve_Position") == 40 && has_bad(&s, 1));
    broker_puts(&s.b, 9, "spBv1.0/plant/NDEATH/gw1", 0, "bdSeq", 2); /* of a session before */
    CHECK(t, is_acknowledged(&s.b, 9));
    CHECK(t, estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE state = 'offline'") == 0);
    broker_puts(&s.b, 10, "spBv1.0/plant/NDEATH/gw1", 0, "bdSeq", 3);
    CHECK(t, is_acknowledged(&s.b, 10));
    CHECK(t,
          estate_count(&s.e, "SELECT COUNT(*) FROM devices WHERE state = 'offline' AND code = 'plant:gw1:valve'") == 1);
    stop(&s);
}

TESTS(CASE(a_command_goes_out_and_the_devices_word_ends_it), CASE(who_was_not_heard_yet_is_told_once_it_speaks),
      CASE(a_host_is_born_and_knows_its_edge_nodes), CASE(who_is_no_host_reads_edge_nodes_all_the_same),
      CASE(a_group_with_too_many_nodes_harms_no_other))
