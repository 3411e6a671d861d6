/* A line to an outside broker, by packets: its session, what is acknowledged when, what its row says of how it goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/client.h"

#include "protocol/mqtt/mqtt.h"
#include "sensing/estate_test_internal.h"

#include <math.h>

/* ---- a broker of bare sockets ---- */

struct broker {
    struct t *t;
    int door, fd, port;
    uint8_t in[8192];
    size_t n, used;
    struct mqtt_packet got;
};

static void broker_open(struct broker *b, struct t *t) {
    *b = (struct broker){.t = t, .fd = -1};
    b->door = peer_listen(&b->port);
}

static void broker_take(struct broker *b) {
    struct pollfd fd = {.fd = b->door, .events = POLLIN};
    CHECK(b->t, poll(&fd, 1, PEER_WAIT_MS) == 1);
    b->fd = accept(b->door, NULL, NULL);
    b->n = b->used = 0;
}

static void broker_drop(struct broker *b) {
    if (b->fd >= 0) close(b->fd);
    b->fd = -1;
}

/* The next packet's type; 0: the client hung up. */
static int broker_next(struct broker *b) {
    struct mqtt_fault f;
    size_t len;
    memmove(b->in, b->in + b->used, b->n - b->used);
    b->n -= b->used;
    b->used = 0;
    while (mqtt_frame((struct bytes){b->in, b->n}, sizeof b->in, &len, &f) != FRAME_WHOLE) {
        struct pollfd fd = {.fd = b->fd, .events = POLLIN};
        bool some = poll(&fd, 1, PEER_WAIT_MS) == 1;
        ssize_t n = some ? recv(b->fd, b->in + b->n, sizeof b->in - b->n, 0) : 0;
        CHECK_SAY(b->t, some, "nothing came");
        if (n <= 0) return 0;
        b->n += (size_t)n;
    }
    bool ok = mqtt_decode((struct bytes){b->in, len}, MQTT_V311, &b->got, &f);
    CHECK_SAY(b->t, ok, "no packet: %s", ok ? "" : f.rule);
    b->used = len;
    return ok ? (int)b->got.type : 0;
}

static bool broker_hears_nothing(struct broker *b, int ms) {
    struct pollfd fd = {.fd = b->fd, .events = POLLIN};
    return b->n == b->used && poll(&fd, 1, ms) == 0;
}

static void broker_put(struct broker *b, struct mqtt_packet p) {
    char mem[4096];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    p.level = MQTT_V311;
    CHECK(b->t, mqtt_encode(&p, &out));
    peer_send(b->fd, (struct str){mem, out.len});
}

static void broker_publish(struct broker *b, int id, const char *topic, const char *payload) {
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                       .qos = id != 0,
                                       .id = (uint16_t)id,
                                       .topic = str_of(topic),
                                       .payload = {(const uint8_t *)payload, strlen(payload)}});
}

static bool is_acknowledged(struct broker *b, int id) {
    return broker_next(b) == MQTT_PUBACK && b->got.id == id;
}

/* A SUBSCRIBE of that one filter, answered. */
static bool subscribes(struct broker *b, const char *filter, uint8_t answer) {
    struct mqtt_filter f;
    int type = broker_next(b);
    CHECK_SAY(b->t, type == MQTT_SUBSCRIBE, "%d", type);
    if (type != MQTT_SUBSCRIBE) return false;
    struct bytes rest = b->got.list;
    uint16_t id = b->got.id;
    bool ok = mqtt_filter_next(&b->got, &rest, &f) && str_is(f.filter, filter) && f.qos == 1;
    CHECK_SAY(b->t, ok, STR_FMT, STR_ARG(f.filter));
    broker_put(b, (struct mqtt_packet){.type = MQTT_SUBACK, .id = id, .list = {&answer, 1}});
    return ok;
}

/* Takes a call and lets it in. */
static void broker_greet(struct broker *b, const char *filter) {
    broker_take(b);
    CHECK(b->t, broker_next(b) == MQTT_CONNECT && !b->got.clean_start);
    broker_put(b, (struct mqtt_packet){.type = MQTT_CONNACK});
    CHECK(b->t, subscribes(b, filter, 1));
}

/* ---- a server with a line there ---- */

struct site {
    struct estate e;
    struct line_set *lines;
    struct broker b;
    const char *topics;
    int64_t line_id;
};
static struct site *now_testing;
static bool panel_hangs_elsewhere; /* "889", on a line of its own */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool is_shut;
    int (*sync)(void *self, int64_t file);
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL};

static int gate_sync(void *self, int64_t file) {
    pthread_mutex_lock(&gate.mutex);
    while (gate.is_shut) pthread_cond_wait(&gate.cond, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    return gate.sync(self, file);
}
static void gate_set(bool is_shut) {
    pthread_mutex_lock(&gate.mutex);
    gate.is_shut = is_shut;
    pthread_cond_broadcast(&gate.cond);
    pthread_mutex_unlock(&gate.mutex);
}

static enum err the_row(struct ctx *ctx, struct estate *e) {
    struct line_row r = {.row.community_id = e->id}, secret = {0};
    SET(&line_rows, &r, name, S("house"));
    SET(&line_rows, &r, kind, S("mqtt-client"));
    SET(&line_rows, &r, host, S("127.0.0.1"));
    SET(&line_rows, &r, port, now_testing->b.port);
    SET(&line_rows, &r, username, S("linli"));
    SET(&line_rows, &r, topics, str_of(now_testing->topics));
    SET(&line_rows, &r, enabled, true);
    TRY(row_create(ctx, &line_rows, &r));
    now_testing->line_id = r.row.id;
    if (panel_hangs_elsewhere) {
        TRY(line_row_put(ctx, e->id, S("other"), "http", 0));
        TRY(db_exec(ctx->db, &ctx->fault,
                    "UPDATE devices SET line_id = (SELECT id FROM lines WHERE name = 'other') WHERE code = '889'",
                    NO_VALS, NULL));
    }
    SET(&line_rows, &secret, secret, S("sesame"));
    return row_act(ctx, &line_rows, r.row.id, 0, "set_secret", &secret, secret.row.has, NULL);
}

static void start(struct site *s, struct t *t, const char *topics) {
    *s = (struct site){.topics = topics};
    now_testing = s;
    broker_open(&s->b, t);
    estate_start(&s->e, t);
    feed_stop(s->e.feed); /* it opens anew, over a disk that can be held up */
    feed_close(s->e.feed);
    gate.sync = s->e.io.sync;
    s->e.io.sync = gate_sync;
    estate_do(&s->e, the_row);
    if (feed_open(&(struct feed_options){.kernel = s->e.kernel,
                                         .pool = s->e.pool,
                                         .loop = s->e.loop.loop,
                                         .world = &t->world,
                                         .io = &s->e.io,
                                         .log = &s->e.log,
                                         .dir = "/readings"},
                  &s->e.feed, &t->fault))
        estate_die("feed", &t->fault);
    struct lines_options o = {.kernel = s->e.kernel,
                              .pool = s->e.pool,
                              .loop = s->e.loop.loop,
                              .world = &t->world,
                              .log = &s->e.log,
                              .feed = s->e.feed,
                              .first_port = -1};
    if (lines_open(&o, &s->lines, &t->fault)) estate_die("lines", &t->fault);
    test_loop_start(&s->e.loop);
}

static void stop(struct site *s) {
    gate_set(false);
    estate_stop(&s->e, (loop_fn *)lines_stop, s->lines);
    lines_free(s->lines);
    broker_drop(&s->b);
    close(s->b.door);
}

static double latest(struct site *s, const char *device, const char *metric) { /* NaN: none */
    struct telemetry_series *series;
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(s->e.t, !telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &code, 1, str_of(metric), &s->e.t->arena,
                                    &series, &n, &s->e.t->fault));
    return n == 1 && series[0].has_latest ? series[0].latest.value : (double)NAN;
}

/* Its row comes to say so. */
static bool says(struct site *s, const char *state, const char *problem) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM lines WHERE state = '%s' AND COALESCE(problem, '') LIKE '%s'",
             state, problem);
    return estate_comes_to(&s->e, sql, 1);
}

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

/* ---- how it goes ---- */

static void a_broker_that_lets_nobody_in_is_named_with_its_reason(struct t *t) {
    static const struct {
        int code;
        const char *problem;
    } rows[] = {{4, "127.0.0.1 does not accept the user name or password"}, {5, "127.0.0.1 does not let this user in"}};
    struct site s;
    start(&s, t, "a/#");
    for (size_t i = 0; i < COUNT(rows); i++) {
        broker_take(&s.b);
        CHECK(t, broker_next(&s.b) == MQTT_CONNECT);
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
    struct api_with with = lines_with(s.lines);
    struct buf text;
    buf_init_arena(&text, &t->arena, 65536);
    with.put_figures(with.arg, &text);
    CHECK_SAY(t, strstr(text.ptr, "kind=\"mqtt-client\"} 1\n"), "%s", text.ptr);
    stop(&s);
}

TESTS(CASE(it_logs_in_and_asks_for_a_session_that_lasts), CASE(what_is_told_there_raises_alarms),
      CASE(a_device_of_another_line_is_none_of_it), CASE(what_discovery_describes_is_subscribed_to),
      CASE(a_publish_is_acknowledged_only_when_it_is_synced), CASE(a_full_disk_loses_nothing),
      CASE(what_is_not_stored_when_the_server_stops_is_not_acknowledged),
      CASE(a_broker_that_lets_nobody_in_is_named_with_its_reason), CASE(a_broker_that_goes_is_called_again),
      CASE(topics_that_may_not_be_read_are_named), CASE(what_cannot_be_read_is_counted_and_shown))
