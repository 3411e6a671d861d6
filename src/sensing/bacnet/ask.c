/* A BACnet client: what it asks, when, and what comes of it.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/bacnet/client_internal.h"

#include <string.h>

/* The n-th item of several; all of them where there are fewer. */
static struct str item_at(const char *items, size_t n) {
    struct str rest = str_of(items), item = rest;
    for (size_t i = 0; i <= n; i++)
        if (!str_word(&rest, &item)) return str_of(items);
    return item;
}

static bool has_several(const struct point *p) {
    return strchr(p->items, ' ') != NULL;
}

static bool is_subscribing(const struct station *s) {
    return s->point && (s->point->watch == WATCH_WANTED || s->point->watch == WATCH_ON);
}

struct question client_question(const struct station *s) {
    struct question q = {.serial = s->invoke};
    if (s->order) {
        q.address = str_of(s->order->address);
        q.item = str_of(s->order->item);
        if (s->order->has_value) q.value = str_of(s->order->value);
        q.now_s = s->order->now_s;
    } else if (s->asks_about) {
        q.item = str_of(s->about->item);
        q.address = str_of(s->about->address);
    } else {
        q.address = str_of(s->point->address);
        q.item = s->point->is_one_by_one ? item_at(s->point->items, s->point->part) : str_of(s->point->items);
    }
    return q;
}

/* ---- saying ---- */

static void send_to(struct bacnet_client *c, const struct udp_peer *to, const struct buf *b) {
    if (b->len && !b->overflow) c->o.calls.send(c->o.calls.arg, to, (struct bytes){(const uint8_t *)b->ptr, b->len});
}

/* To everybody here; and, where there is a BBMD, to everybody that it knows. */
static void announce(struct bacnet_client *c, struct bacnet_frame *f, const struct bacnet_body *body) {
    char mem[BACNET_FRAME_MAX + 1];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    if (!bacnet_put(f, body, &b)) return;
    send_to(c, NULL, &b);
    if (!c->o.bbmd) return;
    buf_init(&b, mem, sizeof mem);
    f->function = BACNET_DISTRIBUTE;
    if (bacnet_put(f, body, &b)) send_to(c, c->o.bbmd, &b);
}

static void who_is(struct bacnet_client *c, int64_t low, int64_t high) {
    struct bacnet_frame f = bacnet_announcement(BACNET_WHO_IS);
    struct bacnet_body body = bacnet_nothing;
    body.low = low;
    body.high = high;
    announce(c, &f, &body);
}

static void register_there(struct bacnet_client *c) {
    static const uint8_t lifetime[] = {BACNET_LIFETIME_S >> 8, BACNET_LIFETIME_S & 0xff};
    struct bacnet_frame f = {.function = BACNET_REGISTER, .data = {lifetime, sizeof lifetime}};
    char mem[16];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    if (bacnet_encode(&f, &b)) send_to(c, c->o.bbmd, &b);
}

static bool put_subscription(const struct station *s, struct buf *out) {
    struct bacnet_frame f = bacnet_request(BACNET_SUBSCRIBE_COV, s->invoke, &s->net);
    struct bacnet_body body = bacnet_nothing;
    body.process = s->point->object; /* so that the next run renews what this one subscribed */
    body.point.object = s->point->object;
    body.confirmed = 0;
    body.remaining_s = BACNET_LIFETIME_S;
    return bacnet_put(&f, &body, out);
}

/* As the codec asks it, and on to the network where the device is. */
static bool put_question(const struct station *s, struct buf *out) {
    char mem[BACNET_FRAME_MAX + 1];
    struct buf b;
    struct question q = client_question(s);
    struct bacnet_frame f, routed;
    struct wire_error ignored;
    buf_init(&b, mem, sizeof mem);
    if (!bacnet_codec.asking->ask(&q, &b) || !bacnet_decode((struct bytes){(const uint8_t *)mem, b.len}, &f, &ignored))
        return false;
    routed = bacnet_request(f.service, f.invoke, &s->net);
    routed.data = f.data;
    return bacnet_encode(&routed, out);
}

static void say(struct bacnet_client *c, struct station *s, int64_t now_ms) {
    char mem[BACNET_FRAME_MAX + 1];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    s->tries++;
    s->until_ms = now_ms + BACNET_WAIT_MS;
    if (is_subscribing(s) ? put_subscription(s, &b) : put_question(s, &b)) send_to(c, &s->at, &b);
}

static void begin(struct bacnet_client *c, struct station *s, int64_t now_ms, struct point *p, struct waiting *o) {
    s->point = p;
    s->order = o;
    s->asks_about = !p && !o;
    if (s->asks_about) client_prepare_about(s);
    c->abouts += s->asks_about;
    s->invoke = ++c->invoke;
    s->tries = 0;
    c->under_way++;
    say(c, s, now_ms);
}

/* ---- what comes of it ---- */

void client_end_order(struct bacnet_client *c, struct station *s, struct waiting *o, enum poll_end end,
                      const struct decoded *d, const char *why) {
    struct question q = {.address = str_of(o->address), .item = str_of(o->item)};
    if (o->has_value) q.value = str_of(o->value);
    int64_t tag = o->tag;
    c->o.calls.ended(c->o.calls.arg, tag, &q, end, d, why);
    client_forget_order(c, s, o);
}

/* The next item of those that are asked for one by one, or the point's next turn. */
static void go_on(struct point *p, int64_t now_ms) {
    size_t n = 0;
    struct str rest = str_of(p->items), item;
    while (str_word(&rest, &item)) n++;
    bool is_last = !p->is_one_by_one || ++p->part >= n;
    if (is_last) p->part = 0;
    p->due_ms = is_last ? now_ms + p->every_ms : now_ms;
}

static void settle(struct bacnet_client *c, struct station *s, int64_t now_ms) {
    client_drop(c, s);
    s->free_ms = now_ms + BACNET_GAP_MS;
    if (s->is_silent) client_silent(c, s, false);
}

/* It may be that it cannot tell several things at once: it is asked for one, before it is taken for silent. */
static void no_answer(struct bacnet_client *c, struct station *s, int64_t now_ms) {
    struct point *p = s->point;
    struct waiting *o = s->order;
    bool is_read = p && !is_subscribing(s);
    client_drop(c, s);
    if (!p && !o) {
        client_end_about(c, s);
        return;
    }
    if (is_read && has_several(p) && !p->is_one_by_one) {
        p->is_one_by_one = true;
        return;
    }
    if (p) p->due_ms = now_ms + p->every_ms;
    s->is_here = false;
    s->pause_ms = 0;
    s->who_ms = now_ms;
    client_silent(c, s, true);
    if (o) client_end_order(c, s, o, POLL_SILENT, NULL, "no answer");
}

/* True: it is said again. */
static bool is_late(struct bacnet_client *c, struct station *s, int64_t now_ms) {
    if (s->tries < (s->order ? s->order->tries : BACNET_TRIES)) {
        say(c, s, now_ms);
        return true;
    }
    no_answer(c, s, now_ms);
    return false;
}

static void subscribed(struct bacnet_client *c, struct station *s, int64_t now_ms, const char *why) {
    struct point *p = s->point;
    p->watch = !why ? WATCH_ON : p->every_ms ? WATCH_REFUSED /* read like any other */ : WATCH_WANTED;
    p->due_ms = !why ? now_ms + BACNET_LIFETIME_S * INT64_C(1000) / 2 : p->every_ms ? now_ms : now_ms + BACNET_AGAIN_MS;
    settle(c, s, now_ms);
}

static void refused(struct bacnet_client *c, struct station *s, int64_t now_ms, const struct question *q,
                    const char *why) {
    struct point *p = s->point;
    struct waiting *o = s->order;
    bool is_too_much = p && has_several(p) && !p->is_one_by_one &&
                       (str_starts(str_of(why), S("aborted")) || str_starts(str_of(why), S("rejected")) ||
                        str_starts(str_of(why), S("answer_in_segments")));
    settle(c, s, now_ms);
    if (is_too_much) {
        p->is_one_by_one = true;
        p->due_ms = now_ms;
        return;
    }
    if (o) {
        client_end_order(c, s, o, POLL_REFUSED, NULL, why);
        return;
    }
    c->o.calls.refused(c->o.calls.arg, q->address, q->item, why);
    go_on(p, now_ms);
}

/* What it is, as far as it says. */
static void introduced(struct bacnet_client *c, struct station *s, int64_t now_ms, struct bytes values) {
    settle(c, s, now_ms);
    if (!client_go_on_about(s, values)) client_end_about(c, s);
}

static void answered(struct bacnet_client *c, struct station *s, int64_t now_ms, const struct question *q,
                     const struct udp_peer *from, const struct decoded *d) {
    struct point *p = s->point;
    struct waiting *o = s->order;
    settle(c, s, now_ms);
    if (o) {
        client_end_order(c, s, o, POLL_ANSWERED, d, "");
        return;
    }
    const struct bacnet_news news = {.address = q->address, .decoded = d, .from = *from};
    c->o.calls.said(c->o.calls.arg, &news);
    go_on(p, now_ms);
}

void client_answered(struct bacnet_client *c, struct station *s, int64_t now_ms, const struct bacnet_frame *f,
                     const struct udp_peer *from, struct bytes whole) {
    struct question q = client_question(s);
    struct bacnet_body body;
    struct wire_error e = {NULL, 0};
    struct decoded d = {0};
    struct buf data;
    const char *why = NULL;
    bool is_known;
    if (is_subscribing(s)) {
        if (bacnet_read_body(f, NULL, 0, &body, &is_known, &e)) why = bacnet_refusal(f, &body);
        if (why || (f->kind == BACNET_SIMPLE_ACK && f->service == BACNET_SUBSCRIBE_COV)) subscribed(c, s, now_ms, why);
        return;
    }
    buf_init_arena(&data, &c->arena, BACNET_FRAME_MAX + 1);
    enum answer answer = bacnet_codec.asking->answers(&q, whole, &data, &why);
    if (s->asks_about && answer != ANSWER_OTHER) {
        bool ok = answer == ANSWER_WHOLE && bacnet_read_body(f, NULL, 0, &body, &is_known, &e);
        introduced(c, s, now_ms, ok ? body.point.values : (struct bytes){NULL, 0});
        return;
    }
    if (answer == ANSWER_REFUSED) refused(c, s, now_ms, &q, why);
    if (answer != ANSWER_WHOLE) return;
    struct bytes all = {(const uint8_t *)(data.len ? data.ptr : ""), data.len};
    if (bacnet_codec.asking->read(&q, all, &c->arena, &d, &e))
        answered(c, s, now_ms, &q, from, &d);
    else
        refused(c, s, now_ms, &q, e.rule);
}

/* ---- turns ---- */

static void note(int64_t *next_ms, int64_t at_ms) {
    if (at_ms < *next_ms) *next_ms = at_ms;
}

static void expire_orders(struct bacnet_client *c, struct station *s, int64_t now_ms, int64_t *next_ms) {
    for (struct waiting *o = s->orders, *next; o; o = next) {
        next = o->next;
        if (o != s->order && now_ms >= o->until_ms)
            client_end_order(c, s, o, POLL_LOST, NULL, "it was not there in time");
        else
            note(next_ms, o->until_ms);
    }
}

/* Those that are due in the order in which they became so. */
static struct point *due_point(const struct station *s, int64_t now_ms, int64_t *next_ms) {
    struct point *found = NULL;
    for (struct point *p = s->points; p; p = p->next)
        if (!found || p->due_ms < found->due_ms) found = p;
    if (found && found->due_ms <= now_ms) return found;
    if (found) note(next_ms, found->due_ms);
    return NULL;
}

static void look_at(struct bacnet_client *c, struct station *s, int64_t now_ms, int64_t *next_ms) {
    if (client_is_asking(s) && (now_ms < s->until_ms || is_late(c, s, now_ms))) {
        note(next_ms, s->until_ms);
        return;
    }
    if (s->orders) expire_orders(c, s, now_ms, next_ms);
    if (!s->is_here || (!s->orders && !s->points && !s->about)) return;
    if (now_ms < s->free_ms || c->under_way == BACNET_AT_ONCE) {
        note(next_ms, now_ms < s->free_ms ? s->free_ms : now_ms + BACNET_GAP_MS);
        return;
    }
    struct point *p = s->orders ? NULL : due_point(s, now_ms, next_ms);
    if (!p && !s->orders && !s->about) return;
    if (!p && !s->orders && c->abouts == BACNET_ABOUTS_MAX) {
        note(next_ms, now_ms + BACNET_GAP_MS);
        return;
    }
    begin(c, s, now_ms, p, s->orders);
    note(next_ms, s->until_ms);
}

/* All that are missing with one question: the lowest to the highest of their numbers. */
static void search(struct bacnet_client *c, int64_t now_ms, int64_t *next_ms) {
    int64_t low = INT64_MAX, high = -1;
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        if (s->is_here || (!s->points && !s->orders)) continue;
        if (now_ms >= s->who_ms) {
            if (s->device < low) low = s->device;
            if (s->device > high) high = s->device;
            if (s->pause_ms > BACNET_WHO_MS && !s->is_silent) client_silent(c, s, true); /* the third time */
            s->pause_ms = s->pause_ms ? 2 * s->pause_ms : BACNET_WHO_MS;
            if (s->pause_ms > BACNET_WHO_MAX_MS) s->pause_ms = BACNET_WHO_MAX_MS;
            s->who_ms = now_ms + s->pause_ms;
            s->searched_ms = now_ms;
        }
        note(next_ms, s->who_ms);
    }
    if (high >= 0) who_is(c, low, high);
}

int64_t bacnet_client_step(struct bacnet_client *c, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    if (c->o.bbmd && now_ms >= c->register_ms) {
        register_there(c);
        c->register_ms = now_ms + BACNET_LIFETIME_S * INT64_C(1000) / 2;
    }
    if (c->o.bbmd) note(&next_ms, c->register_ms);
    if (c->wants_find) who_is(c, c->find_low, c->find_high);
    c->wants_find = false;
    for (size_t k = 0; k < c->n; k++) look_at(c, c->stations[(c->turn + k) % c->n], now_ms, &next_ms);
    c->turn = c->n ? (c->turn + 1) % c->n : 0;
    search(c, now_ms, &next_ms);
    return next_ms;
}
