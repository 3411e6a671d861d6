/* Log-in of a device: who it is, on a worker; then what it may from now on.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include "base/utf8.h"
#include "kernel/rows.h"
#include "platform/things/things.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNACK_BYTES_MAX 64  /* the longest packet that a device gets */
#define SPEAKS_MAX        800 /* bytes */
#define DOOR_FREE         3   /* failed log-ins of an address that are answered at once */
#define DOOR_STEP_US      INT64_C(250000)
#define DOOR_MOST_US      INT64_C(8000000)
#define DOOR_KEPT_US      INT64_C(900000000) /* 15 min after the last one it is forgotten */

struct mqtt_login {
    struct mqtt_login *next;
    struct mqtt_conn *c;
    enum err result;
    bool is_known, is_adopted; /* an adopted device has rules */
    int64_t device_id, community_id;
    uint64_t key_tag;
    const struct zone *zone;
    char device[CODE_MAX + 1], community[CODE_MAX + 1], speaks[SPEAKS_MAX + 1]; /* speaks: of an adopted gateway */
    size_t user_n, password_n, will_n, said_n;
    bool will_is_bad; /* its payload says no state */
    char texts[];     /* user, password, topic of the will, and its payload */
};

/* ---- doors: an address that fails often is answered late ---- */

static int64_t door_failed(struct mqtt_listener *l, struct str peer) {
    int64_t now = now_us(l);
    struct door *d = &l->doors[0];
    for (size_t i = 0; i < DOORS; i++) { /* its own, else the one that was quiet longest */
        if (str_is(peer, l->doors[i].peer)) {
            d = &l->doors[i];
            break;
        }
        if (l->doors[i].last_us < d->last_us) d = &l->doors[i];
    }
    if (!str_is(peer, d->peer) || now - d->last_us > DOOR_KEPT_US) d->failed = 0;
    snprintf(d->peer, sizeof d->peer, STR_FMT, STR_ARG(peer));
    d->last_us = now;
    d->failed++;
    if (d->failed <= DOOR_FREE) return 0;
    int over = d->failed - DOOR_FREE - 1;
    return over < 5 ? DOOR_STEP_US << over : DOOR_MOST_US;
}

/* ---- CONNACK (3.2) ---- */

static uint8_t return_code(enum mqtt_reason reason) { /* of 3.1.1 (3.2.2.3) */
    if (reason == MQTT_BAD_VERSION) return 1;
    if (reason == MQTT_BAD_CLIENT_ID) return 2;
    if (reason == MQTT_BAD_USER) return 4;
    return reason == MQTT_UNAVAILABLE || reason == MQTT_QUOTA ? 3 : 5;
}

void mqtt_login_refuse(struct mqtt_conn *c, enum mqtt_reason reason) {
    struct mqtt_packet p = {.type = MQTT_CONNACK, .level = c->level};
    p.reason = c->level == MQTT_V5 ? (uint8_t)reason : return_code(reason);
    FIGURE(c->l, refused, 1);
    (void)!mqtt_conn_send(c, &p);
    c->state = CONN_ENDED;
    tcp_close(c->tcp);
}

static void put_number(struct buf *b, uint8_t id, uint32_t number) {
    mqtt_property_put(b, &(struct mqtt_property){.id = id, .number = number});
}

static bool accept(struct mqtt_conn *c) {
    char mem[256];
    struct buf b;
    struct mqtt_packet p = {.type = MQTT_CONNACK, .level = c->level};
    buf_init(&b, mem, sizeof mem);
    put_number(&b, MQTT_RECEIVE_MAXIMUM, IN_FLIGHT_MAX);
    put_number(&b, MQTT_MAXIMUM_QOS, 1);
    put_number(&b, MQTT_MAXIMUM_PACKET_SIZE, PACKET_BYTES_MAX);
    put_number(&b, MQTT_WILDCARD_AVAILABLE, c->gateway != NULL);
    put_number(&b, MQTT_SUBSCRIPTION_ID_AVAILABLE, 0);
    put_number(&b, MQTT_SHARED_AVAILABLE, 0);
    if (c->wants_session) put_number(&b, MQTT_SESSION_EXPIRY, 0); /* it ends with the connection */
    if (c->id_is_ours)
        mqtt_property_put(
            &b, &(struct mqtt_property){.id = MQTT_ASSIGNED_CLIENT_ID, .text = {c->client_id, c->client_id_n}});
    if (c->level == MQTT_V5) p.properties = (struct bytes){(const uint8_t *)b.ptr, b.len};
    return mqtt_conn_send(c, &p);
}

static bool is_crowded(const struct mqtt_conn *c) {
    size_t n = 0;
    for (const struct mqtt_conn *x = c->l->buckets[(uint64_t)c->device_id % BUCKETS]; x; x = x->same_bucket)
        n += x->device_id == c->device_id;
    return n >= DEVICE_CONNS_MAX;
}

static void let_in(struct mqtt_conn *c) {
    struct mqtt_listener *l = c->l;
    struct mqtt_conn **bucket = &l->buckets[(uint64_t)c->device_id % BUCKETS], *before;
    while ((before = mqtt_conn_other(c, true))) { /* 3.1.4: the same client id; of the same device, or any device */
        FIGURE(l, taken_over, 1);                 /* could throw out any other */
        before->has_will = false;                 /* it is here: its state is not offline */
        mqtt_gateway_forgets_will(before);
        mqtt_conn_end(before, MQTT_TAKEN_OVER);
    }
    if (is_crowded(c)) {
        mqtt_login_refuse(c, MQTT_QUOTA);
        return;
    }
    c->state = CONN_OPEN;
    c->same_bucket = *bucket;
    *bucket = c;
    c->heard_us = now_us(l);
    FIGURE(l, log_ins, 1);
    (void)mqtt_line(c); /* from now on it counts there */
    if (!accept(c)) return;
    mqtt_conn_go_on(c);
}

/* ---- the worker ---- */

static void copy_text(char *to, struct str s) {
    size_t n = s.len < CODE_MAX ? s.len : CODE_MAX;
    memcpy(to, s.ptr, n);
    to[n] = 0;
}

static enum err find_community(struct ctx *ctx, struct mqtt_login *in) {
    struct db_rows rows = {0};
    bool more = false;
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT code FROM communities WHERE id = $1",
                          VALS(V_I64(in->community_id)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more) copy_text(in->community, db_text(&rows, 0));
    db_done(&rows);
    in->is_known = more;
    return e;
}

/* Whose device it says it is, so that they see who fails; the same work whether there is one or not. */
static enum err find_claimed(struct ctx *ctx, struct mqtt_login *in) {
    bool found;
    return db_one_i64(ctx->db, &ctx->fault, "SELECT community_id FROM devices WHERE id = $1",
                      VALS(V_I64(in->device_id)), &in->community_id, &found);
}

static enum err find_device(struct ctx *ctx, struct mqtt_login *in) {
    struct device d = {0};
    bool ok = false;
    struct str user = {in->texts, in->user_n}, password = {in->texts + in->user_n, in->password_n};
    TRY(device_key_check(ctx, user, password, &in->device_id, &ok));
    TRY(find_claimed(ctx, in));
    if (!ok) return OK;
    TRY(device_key_tag(ctx, in->device_id, &in->key_tag));
    if (!in->key_tag) return OK;
    enum err e = row_get(ctx, &devices, in->device_id, &d);
    if (e) return e == ERR_NOT_FOUND ? OK : e;
    in->is_adopted = d.state != DEVICE_NEW;
    in->community_id = d.row.community_id;
    in->zone = kernel_zone(ctx, in->community_id);
    copy_text(in->device, d.code);
    if (in->is_adopted) utf8_copy(in->speaks, sizeof in->speaks, d.speaks);
    TRY(find_community(ctx, in));
    if (d.state == DEVICE_OFFLINE && in->is_known) return device_step(ctx, in->device_id, "hear");
    return OK;
}

static void work(void *arg) {
    struct mqtt_login *in = arg;
    const struct mqtt_options *o = &in->c->l->o;
    struct arena arena;
    struct ctx ctx = {.kernel = o->kernel, .arena = &arena, .world = o->world, .actor = actor_system()};
    in->result = db_pool_take(o->pool, &ctx.db, &ctx.fault);
    if (in->result) return;
    arena_init(&arena, (size_t)1 << 20);
    ctx_begin(&ctx);
    in->result = find_device(&ctx, in);
    arena_finish(&arena);
    db_pool_give(o->pool, ctx.db);
}

/* ---- the loop ---- */

static void begin_next(struct mqtt_listener *l);

static void refuse_late(struct mqtt_conn *c, enum mqtt_reason reason) {
    c->refusal = reason;
    c->state = CONN_REFUSED;
    c->until_us = now_us(c->l) + door_failed(c->l, tcp_peer(c->tcp));
    if (c->until_us <= now_us(c->l)) mqtt_login_refuse(c, reason);
}

static void finish(struct mqtt_login *in) {
    struct mqtt_conn *c = in->c;
    if (c->tcp && c->state == CONN_LOGIN) let_in(c);
    c->login = NULL;
    free(in);
    mqtt_conn_drop(c);
}

/* A will is the device's own state; a gateway's may be in what it speaks. */
static bool check_will(struct mqtt_conn *c, const struct mqtt_login *in) {
    struct str topic = {in->texts + in->user_n + in->password_n, in->will_n};
    if (!c->has_will && !in->will_is_bad) return true;
    struct bytes payload = {(const uint8_t *)topic.ptr + topic.len, in->said_n};
    if (mqtt_gateway_will(c, topic, payload)) {
        c->has_will = false;
        return true;
    }
    bool own = str_starts(topic, (struct str){c->topic, c->topic_n}) && str_is(str_from(topic, c->topic_n), "state");
    const struct bytes none = {NULL, 0};
    if (!own)
        mqtt_sample(c->l, c, &c->l->figures.forbidden, topic, none, "a will on another topic than the device's state",
                    NO_OFFSET);
    else if (in->will_is_bad)
        mqtt_sample(c->l, c, &c->l->figures.bad, topic, none, "the will is neither online nor offline", NO_OFFSET);
    else
        return true;
    c->has_will = false;
    mqtt_login_refuse(c, own ? MQTT_BAD_PAYLOAD : MQTT_NOT_AUTHORIZED);
    return false;
}

static void rules_loaded(void *arg) {
    struct mqtt_login *in = arg;
    if (!in->c->l->is_closing) finish(in);
}

static void worked(void *arg) {
    struct mqtt_login *in = arg;
    struct mqtt_conn *c = in->c;
    struct mqtt_listener *l = c->l;
    l->logins--;
    bool here = c->tcp && c->state == CONN_LOGIN && !l->is_closing;
    if (here && in->result) {
        mqtt_login_refuse(c, MQTT_UNAVAILABLE);
    } else if (here && !in->is_known) {
        mqtt_wrong_password(c, in->community_id, (struct str){in->texts, in->user_n});
        refuse_late(c, MQTT_BAD_USER);
    } else if (here) {
        c->device_id = in->device_id;
        c->key_tag = in->key_tag;
        c->community_id = in->community_id;
        memcpy(c->device, in->device, sizeof c->device);
        c->device_n = strlen(c->device);
        c->topic_n = (size_t)snprintf(c->topic, sizeof c->topic, "linli/%s/%s/", in->community, in->device);
        if (in->speaks[0] && !mqtt_gateway_create(c, in->speaks, in->zone)) {
            mqtt_login_refuse(c, MQTT_UNAVAILABLE);
            here = false;
        }
        /* Added a moment ago: its rules are read before its first message is heard. */
        if (here && check_will(c, in) && in->is_adopted &&
            !feed_knows(l->o.feed, in->community_id, str_of(in->device)) && !feed_reload(l->o.feed, rules_loaded, in)) {
            begin_next(l);
            return;
        }
    }
    finish(in);
    begin_next(l);
}

static void begin_next(struct mqtt_listener *l) {
    while (l->waiting && l->logins < LOGINS_AT_ONCE && !l->is_closing) {
        struct mqtt_login *in = l->waiting;
        if (loop_work(l->loop, work, worked, in)) return; /* the tick comes again */
        l->waiting = in->next;
        if (!l->waiting) l->waiting_last = &l->waiting;
        l->logins++;
    }
}

void mqtt_logins_go_on(struct mqtt_listener *l) {
    begin_next(l);
}

/* An id of ours (5.0, 3.1.3.1; 3.1.1 the same). */
static void name_client(struct mqtt_conn *c, struct str id) {
    char mem[2 * sizeof(uint64_t) * 2 + 8];
    struct buf b;
    uint8_t random[16];
    c->id_is_ours = !id.len;
    if (!id.len) {
        const struct world *w = c->l->o.world;
        w->random(w->self, random, sizeof random);
        buf_init(&b, mem, sizeof mem);
        buf_cstr(&b, "linli-");
        buf_hex(&b, (struct bytes){random, sizeof random / 2});
        id = (struct str){b.ptr, b.len};
    }
    memcpy(c->client_id, id.ptr, id.len);
    c->client_id_n = id.len;
}

static bool login_queue(struct mqtt_conn *c, const struct mqtt_packet *p) {
    struct mqtt_listener *l = c->l;
    struct mqtt_login *in =
        calloc(1, sizeof *in + p->user.len + p->password.len + p->will.topic.len + p->will.payload.len);
    if (!in) return false;
    in->c = c;
    in->user_n = p->user.len;
    in->password_n = p->password.len;
    in->will_n = p->will.topic.len;
    in->said_n = p->will.payload.len;
    memcpy(in->texts, p->user.ptr, p->user.len);
    if (p->password.len) memcpy(in->texts + in->user_n, p->password.ptr, in->password_n);
    char *will = in->texts + in->user_n + in->password_n;
    if (in->will_n) memcpy(will, p->will.topic.ptr, in->will_n);
    if (in->said_n) memcpy(will + in->will_n, p->will.payload.ptr, in->said_n);
    c->has_will = p->has_will && mqtt_state_read(p->will.payload, &c->will_online);
    in->will_is_bad = p->has_will && !c->has_will;
    c->login = in;
    c->refs++;
    c->state = CONN_LOGIN;
    *l->waiting_last = in;
    l->waiting_last = &in->next;
    return true;
}

void mqtt_login(struct mqtt_conn *c, const struct mqtt_packet *p) {
    struct mqtt_property x;
    c->level = p->level;
    c->keep_alive_us = (int64_t)p->keep_alive_s * 1500000; /* 3.1.2.10: one and a half times */
    c->wants_session = mqtt_property_find(p->properties, MQTT_SESSION_EXPIRY, &x) && x.number;
    if (mqtt_property_find(p->properties, MQTT_AUTH_METHOD, &x))
        mqtt_login_refuse(c, MQTT_BAD_AUTH_METHOD);
    else if (mqtt_property_find(p->properties, MQTT_MAXIMUM_PACKET_SIZE, &x) && x.number < CONNACK_BYTES_MAX)
        mqtt_login_refuse(c, MQTT_TOO_LARGE); /* it could not take our answers */
    else if (p->client_id.len > CLIENT_ID_MAX)
        mqtt_login_refuse(c, MQTT_BAD_CLIENT_ID);
    else if (p->has_will && p->will.qos == 2 && c->level == MQTT_V5)
        mqtt_login_refuse(c, MQTT_NO_QOS);
    else if (!p->user.ptr)
        refuse_late(c, MQTT_BAD_USER); /* nobody is let in without a name */
    else if (name_client(c, p->client_id), login_queue(c, p))
        begin_next(c->l);
    else
        mqtt_login_refuse(c, MQTT_UNAVAILABLE);
}
