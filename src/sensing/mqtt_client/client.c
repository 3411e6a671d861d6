/* A line to an outside broker: publishes decoded, made durable, done; the way of each before the next.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/client_internal.h"

#include "base/utf8.h"
#include "protocol/mqtt/mqtt.h"
#include "sensing/lines/intake.h"
#include "sensing/topics/host.h"
#include "sensing/topics/teller.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)16 << 20)
#define RETRY_US    1000000
#define PORT        1883 /* IANA: mqtt, secure-mqtt */
#define PORT_TLS    8883
#define STATE_MAX   256 /* bytes */
#define CONFIG_MOST 64  /* topics of one config that are subscribed to */

struct mqtt_client {
    struct mqtt_client_options o;
    struct caller *caller; /* NULL: closed */
    char name[LINE_NAME_MAX * 4 + 1], host[HOST_MAX + 1], community[HOME_CODE_MAX * 4 + 1], topics[TEXT_MAX],
        filters[FILTERS_MAX], problem[LINE_PROBLEM_MAX];
    size_t filters_n;
    bool is_open, is_busy;
    struct home_points points;
    struct said_site said;
    struct intake_site site;
    struct sparkplug_host *sparkplug; /* also where we are none: what its topics say is read as one reads it */
    char host_name[HOST_MAX + 1];
    struct teller *teller;
    int64_t tell_us; /* when what waits is tried again */
    /* The publish under way. */
    struct arena arena;
    struct intake intake;
    struct decoded decoded;
    int64_t at_ms, retry_us; /* retry_us: when the store is tried again; 0: it is not */
    const char *lost;        /* what some of its values broke, which nobody can name; NULL: none */
};

int mqtt_client_port(int port, bool tls) {
    return port ? port : tls ? PORT_TLS : PORT;
}

static int64_t now_ms(const struct mqtt_client *c) {
    return c->o.world->utc_ms(c->o.world->self);
}

static int64_t now_us(const struct mqtt_client *c) {
    return c->o.world->mono_us(c->o.world->self);
}

static void destroy(struct mqtt_client *c) {
    arena_finish(&c->arena);
    teller_destroy(c->teller);
    sparkplug_host_destroy(c->sparkplug);
    free(c->points.all);
    free(c);
}

/* ---- telling ---- */

static struct teller_voice voice_of(const struct mqtt_client *c) {
    return (struct teller_voice){.community_id = c->o.community_id,
                                 .speaks = &c->said.speaks,
                                 .points = &c->points,
                                 .community = c->said.community,
                                 .is_broker = true};
}

static bool voice(void *arg, int64_t community_id, struct str device, struct teller_voice *ret) {
    struct mqtt_client *c = arg;
    (void)community_id;
    (void)device;
    *ret = voice_of(c);
    return c->is_open;
}

static bool out(void *arg, const struct teller_voice *v, struct str topic, struct bytes payload) {
    struct mqtt_client *c = arg;
    (void)v;
    return c->caller && caller_publish(c->caller, topic, payload);
}

static void told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    struct mqtt_client *c = arg;
    if (c->o.told && c->caller) c->o.told(c->o.told_arg, command_id, is_done, answer);
}

bool mqtt_client_tell(struct mqtt_client *c, const struct line_order *o, const char **ret_why) {
    return teller_tell(c->teller, c->o.community_id, o, ret_why);
}

/* ---- a publish's way ---- */

static void done(struct mqtt_client *c) {
    c->is_busy = false;
    if (c->caller)
        caller_done(c->caller);
    else
        destroy(c);
}

static struct sample sample_of(const struct mqtt_client *c, const struct arrival *p, const char *rule, size_t at) {
    struct sample x = {.at_ms = now_ms(c), .offset = at, .len = p->payload.len};
    utf8_copy(x.peer, sizeof x.peer, str_of(c->host));
    if (utf8_is_valid(p->topic)) utf8_copy(x.about, sizeof x.about, p->topic);
    utf8_copy(x.rule, sizeof x.rule, str_of(rule));
    return x;
}

static void taken(void *arg, bool is_stored) {
    struct mqtt_client *c = arg;
    if (!is_stored && c->caller) { /* the store takes nothing now: so does this line */
        c->retry_us = now_us(c) + RETRY_US;
        return;
    }
    intake_note_refused(&c->intake, c->o.figures, c->host);
    done(c);
}

/* Always with the time at which it came: said again it is no other reading. */
static void store(struct mqtt_client *c) {
    c->retry_us = 0;
    c->intake = (struct intake){.site = &c->site, .done = taken, .arg = c, .peer = c->host};
    intake_take(&c->intake, &c->decoded, &c->arena, c->at_ms);
}

/* What a config describes comes under topics of its own, which may be under no filter. */
static void follow(struct mqtt_client *c, struct str config) {
    struct str topics[CONFIG_MOST];
    size_t n = home_points_topics(&c->points, config, topics, CONFIG_MOST);
    for (size_t i = 0; i < n; i++) {
        bool is_heard = false;
        for (const char *f = c->filters; f < c->filters + c->filters_n; f += strlen(f) + 1)
            is_heard |= mqtt_topic_matches(str_of(f), topics[i]);
        if (!is_heard && mqtt_topic_is_name(topics[i])) caller_subscribe(c->caller, topics[i]);
    }
}

static bool copy(struct mqtt_client *c, const struct arrival *p, struct arrival *ret) {
    char *topic = arena_alloc(&c->arena, p->topic.len + 1, 1, 1);
    uint8_t *payload = arena_alloc(&c->arena, p->payload.len + 1, 1, 1);
    if (!topic || !payload) return false;
    memcpy(topic, p->topic.ptr, p->topic.len);
    if (p->payload.len) memcpy(payload, p->payload.ptr, p->payload.len);
    *ret = (struct arrival){{topic, p->topic.len}, {payload, p->payload.len}, p->is_retained};
    return true;
}

/* ---- as the host of Sparkplug B ---- */

static bool says_that_we_are_dead(const struct mqtt_client *c, const struct sparkplug_topic *t, struct bytes payload) {
    struct fault ignored = {0};
    json_t *v = NULL;
    if (t->what != SPARKPLUG_STATE || !str_is(t->group, c->host_name) || payload.len > STATE_MAX ||
        json_read((struct str){(const char *)payload.ptr, payload.len}, &v, &ignored))
        return false;
    bool is_dead = json_is_false(json_object_get(v, "online"));
    json_decref(v);
    return is_dead;
}

/* The will of a call before, or somebody else's who calls himself so: we say that we live (3.0.0, STATE).  Who is who
 * behind the broker only its groups tell: each is a scope. */
static bool hear_sparkplug(struct mqtt_client *c, const struct sparkplug_topic *t, const struct arrival *p,
                           struct wire_error *reterr) {
    char mem[HOME_TOPIC_MAX + 256];
    struct host_lost lost = {.rule = NULL};
    if (says_that_we_are_dead(c, t, p->payload)) caller_say_state(c->caller);
    buf_init(&lost.rebirth, mem, sizeof mem);
    if (!sparkplug_host_hear(c->sparkplug, (int64_t)str_hash(t->group), p->topic, p->payload, c->at_ms, &c->arena,
                             &c->decoded, &lost, reterr))
        return false;
    c->lost = lost.rule;
    struct str payload = {lost.rebirth.ptr, lost.rebirth.len}, topic;
    (void)str_cut(&payload, '\n', &topic);
    const struct bytes bytes = {(const uint8_t *)payload.ptr, payload.len};
    if (payload.len && c->said.speaks.is_sparkplug)
        (void)caller_publish(c->caller, topic, bytes); /* else with its next word */
    return true;
}

static bool read_arrival(struct mqtt_client *c, const struct arrival *p, struct wire_error *reterr) {
    struct sparkplug_topic t;
    bool is_news = c->said.speaks.is_sparkplug || !p->is_retained;
    if (is_news && p->payload.len <= HOME_PAYLOAD_MAX && sparkplug_topic(p->topic, &t))
        return hear_sparkplug(c, &t, p, reterr);
    return said_read(&c->said, p, &c->arena, &c->decoded, reterr);
}

static void heard(void *arg, const struct arrival *p) {
    struct mqtt_client *c = arg;
    struct arrival kept;
    struct wire_error e = {"out of memory", 0};
    c->is_busy = true;
    c->lost = NULL;
    c->at_ms = c->said.now_ms = now_ms(c);
    arena_reset(&c->arena);
    FIGURES_ADD(c->o.figures, bytes, (int64_t)p->payload.len);
    bool is_small = p->payload.len <= HOME_PAYLOAD_MAX && p->topic.len <= HOME_TOPIC_MAX;
    bool ok = (!is_small || copy(c, p, &kept)) && read_arrival(c, is_small ? &kept : p, &e);
    bool is_foreign = ok && !intake_is_of(&c->site, c->o.line_id, &c->decoded);
    if (is_foreign) e = (struct wire_error){LINE_FOREIGN, NO_OFFSET};
    ok = ok && !is_foreign;
    struct sample x = sample_of(c, p, !ok ? e.rule : c->lost ? c->lost : "", !ok ? e.at : c->lost ? NO_OFFSET : 0);
    if (is_foreign) utf8_copy(x.about, sizeof x.about, c->decoded.sender);
    if (ok || is_foreign) utf8_copy(x.device, sizeof x.device, figures_device(&c->decoded, S("")));
    if (!ok || c->lost)
        figures_bad(c->o.figures, &x, p->payload, false);
    else
        figures_good(c->o.figures, &x, p->payload);
    if (ok) {
        struct teller_voice v = voice_of(c);
        teller_heard(c->teller, &v, kept.topic, kept.payload, &c->decoded, kept.is_retained);
        follow(c, kept.topic);
        store(c);
    } else {
        done(c);
    }
}

/* ---- life ---- */

static const char *prepare(struct mqtt_client *c, const struct mqtt_client_options *o) {
    struct buf filters;
    c->o = *o;
    utf8_copy(c->name, sizeof c->name, str_of(o->name));
    utf8_copy(c->host, sizeof c->host, str_of(o->host));
    utf8_copy(c->community, sizeof c->community, str_of(o->community));
    utf8_copy(c->topics, sizeof c->topics, str_of(o->topics));
    arena_init(&c->arena, ARENA_BYTES);
    c->points =
        (struct home_points){.all = malloc(MQTT_CLIENT_POINTS * sizeof(struct home_point)), .cap = MQTT_CLIENT_POINTS};
    c->teller = teller_create(&(struct teller_options){
        .world = o->world, .feed = o->feed, .voice = voice, .out = out, .told = told, .arg = c});
    c->sparkplug = sparkplug_host_create();
    if (!c->points.all || !c->teller || !c->sparkplug) return "out of memory";
    buf_init(&filters, c->filters, sizeof c->filters);
    c->said = (struct said_site){.points = &c->points, .community = str_of(c->community), .zone = o->zone};
    if (home_topics_read(str_of(c->topics), &c->said.speaks, &filters)) return "its topics cannot be read";
    c->filters_n = filters.len;
    if (c->said.speaks.is_sparkplug) {
        struct str name = c->said.speaks.sparkplug;
        utf8_copy(c->host_name, sizeof c->host_name, name.len ? name : S(HOST_NAME));
    }
    return filters.len ? NULL : "it says no topics";
}

enum err mqtt_client_open(struct loop *loop, const struct mqtt_client_options *o, struct mqtt_client **ret,
                          struct fault *f) {
    struct mqtt_client *c = calloc(1, sizeof *c);
    if (!c) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    char id[40];
    struct buf b;
    const char *wrong = prepare(c, o);
    c->site = (struct intake_site){loop, o->feed, o->world, o->zone, o->community_id, c->name, o->heard};
    buf_init(&b, id, sizeof id);
    buf_fmt(&b, "linli-%lld", (long long)o->line_id);
    enum err e = wrong ? FAIL(f, ERR_INVALID, "topics", "%s", wrong) : OK;
    if (!e)
        e = caller_start(&(struct caller_options){.id = id,
                                                  .host = c->host,
                                                  .user = o->user,
                                                  .secret = o->secret,
                                                  .filters = c->filters,
                                                  .filters_n = c->filters_n,
                                                  .port = mqtt_client_port(o->port, o->tls),
                                                  .tls = o->tls,
                                                  .sparkplug = c->host_name[0] ? c->host_name : NULL,
                                                  .now_ms = now_ms(c),
                                                  .loop = loop,
                                                  .heard = heard,
                                                  .arg = c},
                         &c->caller, f);
    if (e) {
        destroy(c);
        return e;
    }
    *ret = c;
    return OK;
}

bool mqtt_client_is_open(struct mqtt_client *c, struct str *ret_why) {
    bool is_open = caller_is_open(c->caller, c->problem, sizeof c->problem);
    if (is_open != c->is_open) {
        FIGURES_ADD(c->o.figures, connections, is_open ? 1 : -1);
        if (is_open) FIGURES_ADD(c->o.figures, connections_total, 1);
    }
    c->is_open = is_open;
    *ret_why = str_of(c->problem);
    return is_open;
}

void mqtt_client_tick(struct mqtt_client *c) {
    if (c->retry_us && now_us(c) >= c->retry_us) store(c);
    if (now_us(c) < c->tell_us) return;
    c->tell_us = now_us(c) + RETRY_US;
    teller_tick(c->teller);
}

void mqtt_client_close(struct mqtt_client *c) {
    if (!c) return;
    if (c->is_open) FIGURES_ADD(c->o.figures, connections, -1);
    caller_stop(c->caller);
    c->caller = NULL;
    if (!c->is_busy || c->retry_us) destroy(c); /* else the store still has it */
}
