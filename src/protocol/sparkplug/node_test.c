/* A host's knowledge of an edge node: births, aliases, lost messages, deaths.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/sparkplug/sparkplug_internal.h"
#include "tests/lib/test.h"

#include <string.h>

#define NOW INT64_C(1795221000000)
#define CAP 8

struct site {
    struct t *t;
    struct sparkplug_alias all[CAP];
    struct sparkplug_node n;
    struct decoded d;
    struct wire_error e;
    int64_t now_ms;
    bool wants_birth;
};

static void start(struct site *s, struct t *t) {
    memset(s, 0, sizeof *s);
    s->t = t;
    s->n.all = s->all;
    s->n.cap = CAP;
    s->now_ms = NOW;
}

struct metric { /* {NULL} ends them */
    const char *name;
    int alias; /* 0: none */
    int value; /* Int32; of bdSeq UInt64 */
};

/* seq -1: none. */
static bool hear(struct site *s, const char *topic, int seq, const struct metric *metrics) {
    struct sparkplug_metric all[16];
    struct sparkplug_payload p = {.has = BIT(SPARKPLUG_TIMESTAMP), .timestamp = 1000, .metrics = all};
    struct buf b;
    for (const struct metric *m = metrics; m && (m->name || m->alias); m++) {
        bool is_seq = m->name && !strcmp(m->name, "bdSeq");
        struct sparkplug_metric *x = &all[p.metrics_n++];
        *x = (struct sparkplug_metric){.has = BIT(is_seq ? METRIC_LONG : METRIC_INT),
                                       .value = is_seq ? METRIC_LONG : METRIC_INT,
                                       .integer = (uint64_t)m->value,
                                       .alias = (uint64_t)m->alias,
                                       .type = is_seq ? SPARKPLUG_UINT64 : SPARKPLUG_INT32};
        if (m->name) {
            x->has |= BIT(METRIC_NAME) | BIT(METRIC_TYPE);
            x->name = str_of(m->name);
        }
        if (m->alias) x->has |= BIT(METRIC_ALIAS);
    }
    if (seq >= 0) {
        p.has |= BIT(SPARKPLUG_SEQ);
        p.seq = (uint64_t)seq;
    }
    buf_init_arena(&b, &s->t->arena, 1024);
    buf_fmt(&b, "spBv1.0/e/%s\n", topic);
    sparkplug_put(&p, &b);
    s->e = (struct wire_error){NULL, 0};
    return sparkplug_hear(&s->n, (struct bytes){(const uint8_t *)b.ptr, b.len}, s->now_ms, &s->t->arena, &s->d,
                          &s->wants_birth, &s->e);
}

static struct str said_of(struct site *s) {
    struct buf b;
    struct str text = S("");
    buf_init_arena(&b, &s->t->arena, 1024);
    for (size_t i = 0; i < s->d.readings_n; i++)
        buf_fmt(&b, STR_FMT "." STR_FMT "=%g ", STR_ARG(s->d.readings[i].device), STR_ARG(s->d.readings[i].metric),
                s->d.readings[i].value);
    for (size_t i = 0; i < s->d.events_n; i++)
        buf_fmt(&b, STR_FMT "%c" STR_FMT " ", STR_ARG(s->d.events[i].device), s->d.events[i].is_set ? '!' : '-',
                STR_ARG(s->d.events[i].code));
    return !b.len || buf_done(&b, &text) ? text : S("?");
}

#define METRICS(...)          \
    (const struct metric[]) { \
        __VA_ARGS__, {        \
            NULL, 0, 0        \
        }                     \
    }
#define SAYS(s, said, wants)                                                                                      \
    CHECK_SAY((s)->t, str_is(said_of(s), said) && (s)->wants_birth == (wants), STR_FMT "%s", STR_ARG(said_of(s)), \
              (s)->wants_birth ? ", wants a birth" : "")

/* A node with a device, all of it known. */
static void be_born(struct site *s) {
    struct t *t = s->t;
    CHECK(t, hear(s, "NBIRTH/g", 0, METRICS({"bdSeq", 0, 7}, {"a", 1, 1}, {"Node Control/Rebirth", 2, 0})));
    SAYS(s, "e:g.a=1 e:g-offline ", false);
    CHECK(t, hear(s, "DBIRTH/g/m", 1, METRICS({"b", 3, 2})));
    SAYS(s, "e:g:m.b=2 e:g:m-offline ", false);
}

static void births_teach_aliases(struct t *t) {
    struct site s;
    start(&s, t);
    be_born(&s);
    CHECK(t, hear(&s, "NDATA/g", 2, METRICS({NULL, 1, 5}, {"c", 0, 6}, {NULL, 2, 1})));
    SAYS(&s, "e:g.a=5 e:g.c=6 ", false);
    CHECK(t, hear(&s, "DDATA/g/m", 3, METRICS({NULL, 3, -7})));
    SAYS(&s, "e:g:m.b=-7 ", false); /* of the datatype that its birth told */
    CHECK(t, hear(&s, "NCMD/g", -1, METRICS({"a", 0, 1})));
    SAYS(&s, "", false);
}

static void seq_counts_all_messages_of_a_node(struct t *t) {
    static const struct {
        int first, next;
        bool is_lost;
    } rows[] = {{0, 1, false}, {0, 0, true}, {0, 2, true}, {254, 255, false}, {255, 0, false}, {255, 1, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        start(&s, t);
        CHECK(t, hear(&s, "NBIRTH/g", rows[i].first, METRICS({"a", 1, 1})));
        CHECK(t, hear(&s, "NDATA/g", rows[i].next, METRICS({NULL, 1, 5}, {"c", 0, 6})));
        CHECK_SAY(t, s.wants_birth == rows[i].is_lost && s.d.readings_n == (rows[i].is_lost ? 1 : 2), "%d, %d",
                  rows[i].first, rows[i].next);
    }
}

static void what_was_lost_is_asked_for_once_in_a_while(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, hear(&s, "DDATA/g/m", 9, METRICS({NULL, 3, 1}, {"c", 0, 2})));
    SAYS(&s, "e:g:m.c=2 ", true); /* never born */
    s.now_ms += SPARKPLUG_REBIRTH_MS - 1;
    CHECK(t, hear(&s, "NDATA/g", 10, METRICS({"c", 0, 2})));
    SAYS(&s, "e:g.c=2 ", false);
    s.now_ms += 1;
    CHECK(t, hear(&s, "NDATA/g", 11, METRICS({"c", 0, 2})));
    SAYS(&s, "e:g.c=2 ", true);
    s.now_ms = NOW; /* a clock that was put back */
    CHECK(t, hear(&s, "NDATA/g", 12, METRICS({"c", 0, 2})));
    SAYS(&s, "e:g.c=2 ", true);
    be_born(&s);
    CHECK(t, hear(&s, "NDATA/g", 9, METRICS({NULL, 1, 2})));
    SAYS(&s, "", true); /* at once: it was born since */
    CHECK(t, hear(&s, "NDATA/g", 10, METRICS({NULL, 1, 2})));
    SAYS(&s, "", false); /* its aliases may be others by now */
}

static void unknown_aliases_and_devices_are_lost_births(struct t *t) {
    static const struct {
        const char *topic;
        struct metric m;
    } rows[] = {{"NDATA/g", {NULL, 9, 1}},
                {"NDATA/g", {NULL, 3, 1}}, /* that of its device */
                {"DDATA/g/m", {NULL, 1, 1}},
                {"DDATA/g/other", {NULL, 3, 1}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        start(&s, t);
        be_born(&s);
        CHECK(t, hear(&s, rows[i].topic, 2, METRICS(rows[i].m)));
        SAYS(&s, "", true);
    }
}

/* Lost are values that would be readings, had they a name. */
static void values_under_unknown_aliases_are_said_to_be_lost(struct t *t) {
    static const struct {
        const char *topic;
        int seq;
        struct metric m;
        bool is_lost;
    } rows[] = {{"NDATA/g", 2, {NULL, 1, 1}, false}, {"NDATA/g", 2, {NULL, 2, 1}, false}, /* known, and no reading */
                {"NDATA/g", 2, {NULL, 9, 1}, true},  {"NDATA/g", 2, {"c", 9, 1}, false},
                {"NDATA/g", 3, {NULL, 1, 1}, true}, /* out of turn */
                {"NDATA/g", 3, {"c", 1, 1}, false},  {"DDATA/g/other", 2, {NULL, 3, 1}, true},
                {"NCMD/g", -1, {NULL, 9, 1}, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s;
        start(&s, t);
        be_born(&s);
        CHECK(t, hear(&s, rows[i].topic, rows[i].seq, METRICS(rows[i].m)));
        const char *said = s.n.unknown;
        CHECK_SAY(t, rows[i].is_lost == (said != NULL), "%zu", i);
        CHECK(t, !said || !strcmp(said, "alias: nobody knows it before its edge node is born again"));
        be_born(&s);
        CHECK(t, !s.n.unknown);
    }
}

static void a_birth_replaces_aliases(struct t *t) {
    struct site s;
    start(&s, t);
    be_born(&s);
    CHECK(t, hear(&s, "DBIRTH/g/m", 2, METRICS({"x", 4, 1})));
    CHECK(t, hear(&s, "DDATA/g/m", 3, METRICS({NULL, 4, 2})));
    SAYS(&s, "e:g:m.x=2 ", false);
    CHECK(t, hear(&s, "DDATA/g/m", 4, METRICS({NULL, 3, 2})));
    SAYS(&s, "", true);
    CHECK(t, hear(&s, "NBIRTH/g", 0, METRICS({"y", 3, 1})));
    CHECK(t, hear(&s, "NDATA/g", 1, METRICS({NULL, 3, 2})));
    SAYS(&s, "e:g.y=2 ", false);
    CHECK(t, hear(&s, "DDATA/g/m", 2, METRICS({NULL, 4, 2})));
    SAYS(&s, "", true); /* the device is not born again yet */
}

static void an_alias_is_one_metrics(struct t *t) {
    struct site s;
    start(&s, t);
    be_born(&s);
    CHECK(t, !hear(&s, "DBIRTH/g/other", 2, METRICS({"x", 1, 1})));
    CHECK(t, !strncmp(s.e.rule, "alias: it is that of another metric", 35));
    CHECK(t, hear(&s, "NDATA/g", 2, METRICS({"c", 0, 1})));
    SAYS(&s, "e:g.c=1 ", true);
    CHECK(t, !hear(&s, "NBIRTH/g", 0, METRICS({"x", 1, 1}, {"y", 1, 1})));
}

static void a_death_is_that_of_its_birth_and_of_all_its_devices(struct t *t) {
    struct site s;
    start(&s, t);
    be_born(&s);
    CHECK(t, hear(&s, "DBIRTH/g/k", 2, NULL) && hear(&s, "DDEATH/g/k", 3, NULL));
    SAYS(&s, "e:g:k!offline ", false);
    CHECK(t, hear(&s, "NDEATH/g", -1, METRICS({"bdSeq", 0, 6})));
    SAYS(&s, "", false); /* the will of the session before */
    CHECK(t, hear(&s, "NDATA/g", 4, METRICS({NULL, 1, 3})));
    SAYS(&s, "e:g.a=3 ", false);
    CHECK(t, hear(&s, "NDEATH/g", -1, METRICS({"bdSeq", 0, 7})));
    SAYS(&s, "e:g!offline e:g:m!offline ", false);
    CHECK(t, hear(&s, "NDATA/g", 5, METRICS({NULL, 1, 3})));
    SAYS(&s, "", true);
    be_born(&s);
    CHECK(t, hear(&s, "NDEATH/g", -1, NULL)); /* without the metric that would tell */
    SAYS(&s, "e:g!offline e:g:m!offline ", false);
}

static void what_a_node_cannot_have_is_refused(struct t *t) {
    struct site s;
    char topic[32];
    start(&s, t);
    CHECK(t, !hear(&s, "NBIRTH/g", -1, NULL) && !strcmp(s.e.rule, "seq: it is missing"));
    CHECK(t, !hear(&s, "DDATA/g", 1, NULL) && !strcmp(s.e.rule, "topic: it is none of Sparkplug B"));
    CHECK(t, hear(&s, "NBIRTH/g", 0, NULL));
    for (int i = 1; i <= SPARKPLUG_DEVICES_MAX + 1; i++) {
        snprintf(topic, sizeof topic, "DBIRTH/g/%d", i);
        CHECK_SAY(t, hear(&s, topic, i, NULL) == (i <= SPARKPLUG_DEVICES_MAX), "%d", i);
    }
}

/* Else a rebirth would be asked for without end. */
static void aliases_beyond_the_room_say_nothing(struct t *t) {
    struct site s;
    start(&s, t);
    CHECK(t, hear(&s, "NBIRTH/g", 0,
                  METRICS({"a", 1, 0}, {"b", 2, 0}, {"c", 3, 0}, {"d", 4, 0}, {"e", 5, 0}, {"f", 6, 0}, {"g", 7, 0},
                          {"h", 8, 0})));
    CHECK(t, !s.n.is_full);
    for (int i = 1; i <= CAP; i++) {
        CHECK(t, hear(&s, "NDATA/g", i, METRICS({NULL, i, i})));
        CHECK_SAY(t, s.d.readings_n == 1 && s.d.readings[0].metric.ptr[0] == 'a' + i - 1, "%d", i);
    }
    CHECK(t, hear(&s, "DBIRTH/g/m", 9, METRICS({"i", 9, 0})) && s.n.is_full);
    CHECK(t, hear(&s, "DDATA/g/m", 10, METRICS({NULL, 9, 1}, {"i", 9, 2})));
    SAYS(&s, "e:g:m.i=2 ", false);
    CHECK(t, s.n.unknown && !strcmp(s.n.unknown, "alias: " WIRE_LIMIT "too many of one edge node"));
    s.n.cap = 0;
    CHECK(t, hear(&s, "NBIRTH/g", 0, METRICS({"a", 1, 0})) && hear(&s, "NDATA/g", 1, METRICS({NULL, 1, 1})));
    SAYS(&s, "", false);
}

static void a_rebirth_is_a_command_to_the_node(struct t *t) {
    struct sparkplug_topic topic;
    struct sparkplug_frame f;
    struct wire_error e;
    struct buf b;
    buf_init_arena(&b, &t->arena, 256);
    CHECK(t, sparkplug_topic(S("spBv1.0/e/DDATA/g/m"), &topic));
    sparkplug_rebirth(&topic, NOW, &b);
    CHECK(t, sparkplug_frame_read((struct bytes){(const uint8_t *)b.ptr, b.len}, &t->arena, &f, &e));
    CHECK(t, str_is(f.publish.topic, "spBv1.0/e/NCMD/g") && f.payload.metrics_n == 1);
    const struct sparkplug_metric *m = &f.payload.metrics[0];
    CHECK(t, str_is(m->name, "Node Control/Rebirth") && m->value == METRIC_BOOLEAN && m->integer == 1 &&
                 m->type == SPARKPLUG_BOOLEAN && m->timestamp == NOW && f.payload.timestamp == NOW);
}

static void a_host_says_its_state(struct t *t) {
    struct buf b;
    struct sparkplug_topic topic;
    struct str whole, first;
    buf_init_arena(&b, &t->arena, 256);
    sparkplug_state(S("linli"), true, NOW, &b);
    CHECK(t,
          buf_done(&b, &whole) && str_is(whole, "spBv1.0/STATE/linli\n{\"online\":true,\"timestamp\":1795221000000}"));
    CHECK(t, str_cut(&whole, '\n', &first) && sparkplug_topic(first, &topic) && topic.what == SPARKPLUG_STATE);
}

TESTS(CASE(a_host_says_its_state), CASE(births_teach_aliases), CASE(seq_counts_all_messages_of_a_node),
      CASE(what_was_lost_is_asked_for_once_in_a_while), CASE(unknown_aliases_and_devices_are_lost_births),
      CASE(values_under_unknown_aliases_are_said_to_be_lost), CASE(a_birth_replaces_aliases),
      CASE(an_alias_is_one_metrics), CASE(a_death_is_that_of_its_birth_and_of_all_its_devices),
      CASE(what_a_node_cannot_have_is_refused), CASE(aliases_beyond_the_room_say_nothing),
      CASE(a_rebirth_is_a_command_to_the_node))
