/* An edge node of Sparkplug B with a valve behind it: births that name its metrics, data by their aliases, a death as
 * the last will; it is born again when its host asks, and does what it is told.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug.h"
#include "main/simulate/talk.h"

#define DEVICE  "valve"
#define ALIASES 10
#define ARENA   ((size_t)64 * 1024)
#define BIT(i)  (1u << (i))

enum { TEMPERATURE, POSITION, RELAY, METRICS };
static const struct {
    const char *name;
    enum sparkplug_type type;
    int value; /* its field */
    int scale;
    struct sim_range range;
} metrics[METRICS] = {[TEMPERATURE] = {"Temperature", SPARKPLUG_FLOAT, METRIC_FLOAT, 10, {215, -100, 420, 3}},
                      [POSITION] = {"Valve/Position", SPARKPLUG_INT32, METRIC_INT, 1, {0, 0, 0, 0}},
                      [RELAY] = {"Relay", SPARKPLUG_BOOLEAN, METRIC_BOOLEAN, 1, {0, 0, 0, 0}}};
enum { DEATH /* bdSeq of this connection */, SEQ }; /* places in sim_device.told */

static void at(struct sim_talk *t, const char *message, bool is_device) {
    sim_topic(t, "spBv1.0/%s/%s/", t->base, message);
    sim_put_name(t->o, t->d, &t->topic);
    if (is_device) buf_cstr(&t->topic, "/" DEVICE);
}

static void put(struct sim_talk *t, struct sparkplug_metric *all, size_t n, bool has_seq) {
    struct sparkplug_payload p = {
        .has = BIT(SPARKPLUG_TIMESTAMP), .timestamp = (uint64_t)t->at_ms, .metrics = all, .metrics_n = n};
    if (has_seq) {
        p.has |= BIT(SPARKPLUG_SEQ);
        p.seq = (uint64_t)t->d->told[SEQ]++ % 256;
    }
    sparkplug_put(&p, &t->payload);
}

static struct sparkplug_metric death_of(const struct sim_talk *t) {
    return (struct sparkplug_metric){.has = BIT(METRIC_NAME) | BIT(METRIC_TYPE) | BIT(METRIC_LONG),
                                     .name = S("bdSeq"),
                                     .type = SPARKPLUG_UINT64,
                                     .value = METRIC_LONG,
                                     .integer = (uint64_t)t->d->told[DEATH] % 256};
}

/* Born with its name, later by the alias alone. */
static struct sparkplug_metric metric_of(struct sim_talk *t, size_t i, bool is_birth) {
    struct sparkplug_metric m = {.has = BIT(METRIC_ALIAS) | BIT(METRIC_TIMESTAMP) | BIT(METRIC_TYPE),
                                 .name = str_of(metrics[i].name),
                                 .alias = ALIASES + i,
                                 .timestamp = (uint64_t)t->at_ms,
                                 .type = metrics[i].type,
                                 .value = metrics[i].value};
    m.has |= BIT(m.value) | (is_birth ? BIT(METRIC_NAME) : 0);
    if (m.value == METRIC_FLOAT)
        m.real = (double)sim_walk(t->d, i, &metrics[i].range) / metrics[i].scale;
    else
        m.integer = (uint32_t)(int32_t)t->d->values[i];
    return m;
}

/* A connection's death is told before its birth. */
static void will(struct sim_talk *t) {
    t->d->told[DEATH]++;
    struct sparkplug_metric m = death_of(t);
    at(t, "NDEATH", false);
    put(t, &m, 1, false);
}

static void born(struct sim_talk *t) {
    struct sparkplug_metric node[] = {death_of(t),
                                      {.has = BIT(METRIC_NAME) | BIT(METRIC_TYPE) | BIT(METRIC_BOOLEAN),
                                       .name = S("Node Control/Rebirth"),
                                       .type = SPARKPLUG_BOOLEAN,
                                       .value = METRIC_BOOLEAN}},
                            all[METRICS];
    t->d->told[SEQ] = 0;
    at(t, "NBIRTH", false);
    put(t, node, COUNT(node), true);
    sim_publish(t, false);
    for (size_t i = 0; i < METRICS; i++) all[i] = metric_of(t, i, true);
    at(t, "DBIRTH", true);
    put(t, all, METRICS, true);
    sim_publish(t, false);
}

static void say_metric(struct sim_talk *t, size_t i) {
    struct sparkplug_metric m = metric_of(t, i, false);
    at(t, "DDATA", true);
    put(t, &m, 1, true);
    sim_publish(t, false);
}

static void say(struct sim_talk *t) {
    say_metric(t, sim_random(t->d) % 4 ? TEMPERATURE : sim_random(t->d) % 2 ? POSITION : RELAY);
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    static const char *const told[] = {"NCMD", "DCMD"};
    if (i >= COUNT(told)) return false;
    buf_fmt(out, "spBv1.0/%s/%s/", t->base, told[i]);
    sim_put_name(t->o, t->d, out);
    if (i) buf_cstr(out, "/" DEVICE);
    return true;
}

static bool is_metric(const struct sparkplug_metric *m, size_t i) {
    return m->has & BIT(METRIC_NAME) ? str_is(m->name, metrics[i].name)
                                     : m->has & BIT(METRIC_ALIAS) && m->alias == ALIASES + i;
}

static void obey(struct sim_talk *t, const struct sparkplug_metric *m) {
    if (m->has & BIT(METRIC_NAME) && str_is(m->name, "Node Control/Rebirth")) {
        if (m->value == METRIC_BOOLEAN && m->integer) born(t);
        return;
    }
    for (size_t i = POSITION; i < METRICS; i++) {
        bool is_whole = m->value == METRIC_INT || m->value == METRIC_LONG || m->value == METRIC_BOOLEAN;
        if (!is_metric(m, i) || !is_whole) continue;
        t->d->values[i] = i == RELAY ? m->integer != 0 : (double)(int32_t)(uint32_t)m->integer;
        say_metric(t, i);
    }
}

static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    struct sparkplug_payload p;
    struct wire_error e;
    struct arena a;
    (void)topic;
    arena_init(&a, ARENA);
    if (sparkplug_read(payload, 0, &a, &p, &e))
        for (size_t i = 0; i < p.metrics_n && i < METRICS; i++) obey(t, &p.metrics[i]);
    arena_finish(&a);
}

static const struct sim_convention convention = {.base = "linli",
                                                 .is_never_sure = true, /* births and data have QoS 0 (6.4) */
                                                 .will = will,
                                                 .filter = filter,
                                                 .born = born,
                                                 .say = say,
                                                 .told = told};
const struct sim_protocol sim_sparkplug = {.name = "sparkplug", SIM_TALKS(convention)};
