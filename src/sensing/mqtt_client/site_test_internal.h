/* For this folder's tests: a broker of bare sockets, and a server with a line there.  SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef LINLI_SENSING_MQTT_CLIENT_SITE_TEST_INTERNAL_H
#define LINLI_SENSING_MQTT_CLIENT_SITE_TEST_INTERNAL_H

#include "protocol/mqtt/mqtt.h"
#include "sensing/estate_test_internal.h"
#include "sensing/mqtt_client/client.h"

#include <math.h>

/* ---- a broker of bare sockets ---- */

struct broker {
    struct t *t;
    int door, fd, port;
    uint8_t in[8192];
    size_t n, used;
    struct mqtt_packet got;
    enum mqtt_level level; /* of the call */
};

static inline void broker_open(struct broker *b, struct t *t) {
    *b = (struct broker){.t = t, .fd = -1};
    b->door = peer_listen(&b->port);
}

static inline void broker_take(struct broker *b) {
    struct pollfd fd = {.fd = b->door, .events = POLLIN};
    CHECK(b->t, poll(&fd, 1, PEER_WAIT_MS) == 1);
    b->fd = accept(b->door, NULL, NULL);
    b->n = b->used = 0;
    b->level = MQTT_V5;
}

static inline void broker_drop(struct broker *b) {
    if (b->fd >= 0) close(b->fd);
    b->fd = -1;
}

/* The next packet's type; 0: the client hung up. */
static inline int broker_next(struct broker *b) {
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
    bool ok = mqtt_decode((struct bytes){b->in, len}, b->level, &b->got, &f);
    CHECK_SAY(b->t, ok, "no packet: %s", ok ? "" : f.rule);
    b->used = len;
    if (ok && b->got.type == MQTT_CONNECT) b->level = b->got.level;
    return ok ? (int)b->got.type : 0;
}

static inline bool broker_hears_nothing(struct broker *b, int ms) {
    struct pollfd fd = {.fd = b->fd, .events = POLLIN};
    return b->n == b->used && poll(&fd, 1, ms) == 0;
}

static inline void broker_put(struct broker *b, struct mqtt_packet p) {
    char mem[4096];
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    p.level = b->level;
    CHECK(b->t, mqtt_encode(&p, &out));
    peer_send(b->fd, (struct str){mem, out.len});
}

static inline void broker_publish(struct broker *b, int id, const char *topic, const char *payload) {
    broker_put(b, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                       .qos = id != 0,
                                       .id = (uint16_t)id,
                                       .topic = str_of(topic),
                                       .payload = {(const uint8_t *)payload, strlen(payload)}});
}

static inline bool is_acknowledged(struct broker *b, int id) {
    return broker_next(b) == MQTT_PUBACK && b->got.id == id;
}

/* A SUBSCRIBE of that one filter, answered. */
static inline bool subscribes(struct broker *b, const char *filter, uint8_t answer) {
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
static inline void broker_greet(struct broker *b, const char *filter) {
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

static inline int gate_sync(void *self, int64_t file) {
    pthread_mutex_lock(&gate.mutex);
    while (gate.is_shut) pthread_cond_wait(&gate.cond, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    return gate.sync(self, file);
}
static inline void gate_set(bool is_shut) {
    pthread_mutex_lock(&gate.mutex);
    gate.is_shut = is_shut;
    pthread_cond_broadcast(&gate.cond);
    pthread_mutex_unlock(&gate.mutex);
}

static inline enum err smoke_rule(struct ctx *ctx, struct estate *e) {
    struct rule r = {.row.community_id = e->id};
    SET(&rules, &r, name, S("smoke"));
    SET(&rules, &r, kind, S("event"));
    SET(&rules, &r, event_code, S("smoke"));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("smoke"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

static inline enum err the_row(struct ctx *ctx, struct estate *e) {
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

static inline void start(struct site *s, struct t *t, const char *topics) {
    *s = (struct site){.topics = topics};
    now_testing = s;
    broker_open(&s->b, t);
    estate_start(&s->e, t);
    feed_stop(s->e.feed); /* it opens anew, over a disk that can be held up */
    feed_close(s->e.feed);
    gate.sync = s->e.io.sync;
    s->e.io.sync = gate_sync;
    estate_do(&s->e, smoke_rule);
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

static inline void stop(struct site *s) {
    gate_set(false);
    estate_stop(&s->e, (loop_fn *)lines_stop, s->lines);
    lines_free(s->lines);
    broker_drop(&s->b);
    close(s->b.door);
}

static inline double latest(struct site *s, const char *device, const char *metric) { /* NaN: none */
    struct telemetry_series *series;
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(s->e.t, !telemetry_latest(feed_telemetry(s->e.feed), s->e.id, &code, 1, str_of(metric), &s->e.t->arena,
                                    &series, &n, &s->e.t->fault));
    return n == 1 && series[0].has_latest ? series[0].latest.value : (double)NAN;
}

/* The line shows so many. */
static inline bool has_bad(struct site *s, int n) {
    char figure[100];
    struct api_with with = lines_with(s->lines);
    struct buf text;
    buf_init_arena(&text, &s->e.t->arena, 65536);
    with.put_figures(with.arg, &text);
    snprintf(figure, sizeof figure, "linli_line_bad_total{line=\"%lld\",kind=\"mqtt-client\"} %d\n",
             (long long)s->line_id, n);
    return strstr(text.ptr, figure) != NULL;
}

/* Its row comes to say so. */
static inline bool says(struct site *s, const char *state, const char *problem) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM lines WHERE state = '%s' AND COALESCE(problem, '') LIKE '%s'",
             state, problem);
    return estate_comes_to(&s->e, sql, 1);
}

#endif
