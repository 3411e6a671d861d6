/* For this folder's tests: a listener over a feed, a store in a file and a disk in memory whose syncs a test may hold
 * up, and a client of bare sockets.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_MQTT_SITE_TEST_INTERNAL_H
#define LINLI_SENSING_MQTT_SITE_TEST_INTERNAL_H

#include "kernel/rows.h"
#include "net/testing.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/rules/alarms.h"
#include "platform/things/things.h"
#include "protocol/mqtt/mqtt.h"
#include "sensing/lines/figures.h"
#include "sensing/mqtt/listener.h"
#include "tests/lib/test.h"

struct device_keys {
    int64_t id;
    char user[40], password[40];
};
struct site {
    struct t *t;
    struct test_loop tl;
    struct io_sim *disk;
    struct io io;
    struct log log;
    struct db_pool *pool;
    struct kernel *kernel;
    struct feed *feed;
    struct mqtt_listener *mqtt;
    int port;
    int64_t estate;
    struct device_keys pump, lamp, fresh; /* codes "pump" and "lamp"; "fresh" waits for adoption */
};

/* ---- a disk that can be held up ---- */

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

/* ---- rows ---- */

static inline void site_do(struct site *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg) {
    struct arena arena;
    struct ctx ctx = {.kernel = s->kernel, .arena = &arena, .world = &s->t->world, .actor = actor_system()};
    arena_init(&arena, (size_t)16 << 20);
    enum err e = db_pool_take(s->pool, &ctx.db, &ctx.fault);
    if (!e) {
        ctx_begin(&ctx);
        e = fn(&ctx, arg);
        db_pool_give(s->pool, ctx.db);
    }
    if (e) s->t->fault = ctx.fault;
    CHECK(s->t, !e);
    arena_finish(&arena);
}

struct device_wish {
    struct site *s;
    const char *code;
    bool adopt;
    struct device_keys *ret;
};
static inline enum err device_make(struct ctx *ctx, void *arg) {
    struct device_wish *w = arg;
    struct device d = {.row.community_id = w->s->estate};
    struct str user, password;
    SET(&devices, &d, name, str_of(w->code));
    SET(&devices, &d, code, str_of(w->code));
    SET(&devices, &d, model, str_of(w->code));
    SET(&devices, &d, place_id, w->s->estate);
    TRY(row_create(ctx, &devices, &d));
    uint64_t takes = UINT64_C(1) << field_index(&devices, "name") | UINT64_C(1) << field_index(&devices, "place_id");
    if (w->adopt) TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &d, takes, NULL));
    TRY(device_key_make(ctx, d.row.id, &user, &password));
    w->ret->id = d.row.id;
    snprintf(w->ret->user, sizeof w->ret->user, STR_FMT, STR_ARG(user));
    snprintf(w->ret->password, sizeof w->ret->password, STR_FMT, STR_ARG(password));
    return OK;
}

static inline enum err estate_make(struct ctx *ctx, void *arg) {
    struct place p = {0};
    SET(&places, &p, name, S("estate"));
    SET(&places, &p, code, S("e1"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    ((struct site *)arg)->estate = p.row.id;
    return OK;
}

static inline enum err rule_make(struct ctx *ctx, void *arg) { /* event "leak" of any pump or lamp */
    struct rule r = {.row.community_id = ((struct site *)arg)->estate};
    SET(&rules, &r, name, S("leak"));
    SET(&rules, &r, kind, S("event"));
    SET(&rules, &r, event_code, S("leak"));
    SET(&rules, &r, severity, S("bad"));
    SET(&rules, &r, message, S("there is water"));
    SET(&rules, &r, enabled, true);
    return row_create(ctx, &rules, &r);
}

struct count {
    const char *sql;
    int64_t n;
};
static inline enum err count_rows(struct ctx *ctx, void *arg) {
    struct count *c = arg;
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, c->sql, NO_VALS, &c->n, &found);
}
static inline int64_t site_count(struct site *s, const char *sql) {
    struct count c = {sql, -1};
    site_do(s, count_rows, &c);
    return c.n;
}

/* ---- life ---- */

static inline void site_open_feed(struct site *s) {
    CHECK(s->t, !loop_create(&s->tl.loop));
    CHECK(s->t, !feed_open(&(struct feed_options){.kernel = s->kernel,
                                                  .pool = s->pool,
                                                  .loop = s->tl.loop,
                                                  .world = &s->t->world,
                                                  .io = &s->io,
                                                  .log = &s->log,
                                                  .dir = "readings"},
                           &s->feed, &s->t->fault));
    CHECK(s->t, !mqtt_open(s->tl.loop,
                           &(struct mqtt_options){
                               .kernel = s->kernel, .pool = s->pool, .world = &s->t->world, .feed = s->feed},
                           &s->mqtt, &s->t->fault));
    figures_book_add(mqtt_line_figures(s->mqtt), s->estate); /* it has a line */
    s->port = mqtt_port(s->mqtt);
    test_loop_start(&s->tl);
}

static inline void site_start(struct site *s, struct t *t) {
    static const struct module *const modules[] = {&places_module, &parties_module, &things_module, &passes_module,
                                                   &rules_module};
    static int serial;
    char url[256];
    struct db *db = NULL;
    *s = (struct site){.t = t, .disk = io_sim_create(t->seed), .log = {.fd = -1, .world = &t->world}};
    s->io = io_sim_io(s->disk);
    gate.sync = s->io.sync;
    s->io.sync = gate_sync;
    snprintf(url, sizeof url, "sqlite:%s/mqtt-%d.db", test_dir(t), ++serial);
    struct kernel_options k = {.modules = modules, .modules_n = COUNT(modules)};
    CHECK(t, !kernel_create(&k, &s->kernel, &t->fault) &&
                 !db_pool_open(&(struct db_options){.url = url}, 4, &s->pool, &t->fault) &&
                 !db_pool_take(s->pool, &db, &t->fault) && !kernel_install(s->kernel, db, &t->world, &t->fault));
    db_pool_give(s->pool, db);
    site_do(s, estate_make, s);
    site_do(s, rule_make, s);
    site_do(s, device_make, &(struct device_wish){s, "pump", true, &s->pump});
    site_do(s, device_make, &(struct device_wish){s, "lamp", true, &s->lamp});
    site_do(s, device_make, &(struct device_wish){s, "fresh", false, &s->fresh});
    site_open_feed(s);
}

static inline void site_unlisten(void *arg) {
    struct site *s = arg;
    mqtt_close(s->mqtt);
}

/* As the server stops: what listens, the feed, the loop, what is left. */
static inline void site_close_feed(struct site *s) {
    test_on_loop(s->tl.loop, site_unlisten, s);
    loop_stop(s->tl.loop);
    pthread_join(s->tl.thread, NULL);
    feed_stop(s->feed);
    loop_destroy(s->tl.loop);
    mqtt_free(s->mqtt);
    feed_close(s->feed);
}

static inline void site_stop(struct site *s) {
    gate_set(false);
    site_close_feed(s);
    db_pool_close(s->pool);
    kernel_destroy(s->kernel);
    io_sim_destroy(s->disk);
}

static inline void site_nothing(void *arg) {
    (void)arg;
}
/* Until a condition holds; false when it does not in a time far over what it takes. */
static inline bool site_until(struct site *s, bool (*holds)(struct site *s)) {
    for (int i = 0; i < PEER_WAIT_MS; i++) {
        if (holds(s)) return true;
        (void)poll(NULL, 0, 1);
    }
    return false;
}

static inline double site_latest(struct site *s, const char *device, const char *metric) { /* NaN: none */
    struct telemetry_series *series;
    struct str code = str_of(device);
    size_t n = 0;
    CHECK(s->t, !telemetry_latest(feed_telemetry(s->feed), s->estate, &code, 1, str_of(metric), &s->t->arena, &series,
                                  &n, &s->t->fault));
    return n == 1 && series[0].has_latest ? series[0].latest.value : (double)0 / 0.0;
}

static inline struct mqtt_figures figures(struct site *s) {
    struct mqtt_figures f;
    mqtt_figures(s->mqtt, &f);
    return f;
}
static inline struct figures *line_of(struct site *s) {
    return figures_of(mqtt_line_figures(s->mqtt), s->estate);
}
static inline const struct sample *last_bad(struct site *s) {
    const struct figures *line = line_of(s);
    CHECK(s->t, line->bad_n > 0);
    return &line->bad_samples[(line->bad_n - 1) % FIGURES_BAD_MAX];
}
static inline bool nobody_is_connected(struct site *s) {
    return figures(s).connections == 0;
}

/* ---- a client ---- */

struct peer {
    struct t *t;
    int fd;
    enum mqtt_level level;
    uint8_t in[8192];
    size_t n, used; /* used: bytes of the packet given last */
    struct mqtt_packet got;
};

static inline void peer_put(struct peer *p, struct mqtt_packet packet) {
    char *mem = arena_alloc(&p->t->arena, packet.payload.len + 2048, 1, 1);
    struct buf b;
    buf_init(&b, mem, packet.payload.len + 2048);
    packet.level = p->level;
    CHECK(p->t, mqtt_encode(&packet, &b));
    peer_send(p->fd, (struct str){b.ptr, b.len});
}

/* The next packet's type; 0: the server closed. */
static inline int peer_next(struct peer *p) {
    struct mqtt_fault f;
    size_t len;
    memmove(p->in, p->in + p->used, p->n - p->used);
    p->n -= p->used;
    p->used = 0;
    while (mqtt_frame((struct bytes){p->in, p->n}, sizeof p->in, &len, &f) != FRAME_WHOLE) {
        struct pollfd fd = {.fd = p->fd, .events = POLLIN};
        bool some = poll(&fd, 1, PEER_WAIT_MS) == 1;
        ssize_t n = some ? recv(p->fd, p->in + p->n, sizeof p->in - p->n, 0) : 0;
        CHECK_SAY(p->t, some, "nothing came");
        if (n <= 0) return 0;
        p->n += (size_t)n;
    }
    bool ok = mqtt_decode((struct bytes){p->in, len}, p->level, &p->got, &f);
    CHECK_SAY(p->t, ok, "no packet: %s", ok ? "" : f.rule);
    p->used = len;
    return ok ? (int)p->got.type : 0;
}

static inline void peer_open(struct peer *p, struct site *s, enum mqtt_level level) {
    p->t = s->t;
    p->fd = peer_dial(s->port);
    p->level = level;
    p->n = p->used = 0;
}

static inline void peer_shut(struct peer *p) {
    close(p->fd);
}

static inline struct mqtt_packet connect_of(const struct device_keys *k, const char *client_id) {
    return (struct mqtt_packet){.type = MQTT_CONNECT,
                                .clean_start = true,
                                .keep_alive_s = 60,
                                .client_id = str_of(client_id),
                                .user = str_of(k->user),
                                .password = {(const uint8_t *)k->password, strlen(k->password)}};
}

/* Connects; the answer's reason. */
static inline int peer_connect(struct peer *p, struct site *s, enum mqtt_level level, struct mqtt_packet connect) {
    peer_open(p, s, level);
    peer_put(p, connect);
    return peer_next(p) == MQTT_CONNACK ? p->got.reason : -1;
}

static inline void peer_publish(struct peer *p, const char *topic, int id, const char *payload) {
    peer_put(p, (struct mqtt_packet){.type = MQTT_PUBLISH,
                                     .qos = id != 0,
                                     .id = (uint16_t)id,
                                     .topic = str_of(topic),
                                     .payload = {(const uint8_t *)payload, strlen(payload)}});
}

/* Publishes with QoS 1; PUBACK's reason, -1 for anything else. */
static inline int peer_tell(struct peer *p, const char *topic, int id, const char *payload) {
    peer_publish(p, topic, id, payload);
    return peer_next(p) == MQTT_PUBACK && p->got.id == id ? p->got.reason : -1;
}

static inline bool peer_ends(struct peer *p, int reason) { /* in 5.0 with a DISCONNECT of that reason, unless 0 */
    int type = peer_next(p);
    bool told = type == MQTT_DISCONNECT && p->got.reason == reason;
    if (p->level == MQTT_V5 && reason) type = told ? peer_next(p) : -1;
    peer_shut(p);
    return type == 0;
}

/* Is the connection alive and nothing on it before the answer to a ping? */
static inline bool peer_is_quiet(struct peer *p) {
    peer_put(p, (struct mqtt_packet){.type = MQTT_PINGREQ});
    return peer_next(p) == MQTT_PINGRESP;
}

#endif
