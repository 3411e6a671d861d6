/* A BACnet client: its devices, its plan, what it hears.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/bacnet/client_internal.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 20)

enum err bacnet_client_create(const struct bacnet_client_options *o, struct bacnet_client **ret, struct fault *f) {
    struct bacnet_client *c = calloc(1, sizeof *c);
    if (!c) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    c->o = *o;
    if (o->bbmd) c->bbmd = *o->bbmd;
    c->o.bbmd = o->bbmd ? &c->bbmd : NULL;
    arena_init(&c->arena, ARENA_BYTES);
    *ret = c;
    return OK;
}

void bacnet_client_destroy(struct bacnet_client *c) {
    if (!c) return;
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        for (struct point *p = s->points, *next; p; p = next) {
            next = p->next;
            free(p);
        }
        for (struct waiting *o = s->orders, *next; o; o = next) {
            next = o->next;
            free(o);
        }
        free(s->about);
        free(s);
    }
    arena_finish(&c->arena);
    free(c->stations);
    free(c);
}

size_t bacnet_client_devices(const struct bacnet_client *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) n += c->stations[i]->is_here;
    return n;
}

/* ---- devices ---- */

/* One that nobody asks anything makes room for another: whoever makes up devices drives out no other. */
static struct station *reuse(struct bacnet_client *c) {
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        if (s->points || s->orders) continue;
        client_drop(c, s);
        free(s->about);
        *s = (struct station){0};
        return s;
    }
    return NULL;
}

struct station *client_station(struct bacnet_client *c, int64_t device, bool makes_one) {
    for (size_t i = 0; i < c->n; i++)
        if (c->stations[i]->device == device) return c->stations[i];
    if (!makes_one) return NULL;
    struct station *s = c->n == BACNET_DEVICES_MAX ? reuse(c) : NULL;
    if (!s && c->n < BACNET_DEVICES_MAX) {
        size_t cap = c->cap ? 2 * c->cap : 16;
        struct station **grown = c->n < c->cap ? c->stations : realloc(c->stations, cap * sizeof(struct station *));
        if (!grown) return NULL;
        if (c->n == c->cap) c->cap = cap;
        c->stations = grown;
        s = calloc(1, sizeof *s);
        if (s) c->stations[c->n++] = s;
    }
    if (s) s->device = (uint32_t)device;
    return s;
}

void client_silent(struct bacnet_client *c, struct station *s, bool is_silent) {
    const char *last = "";
    s->is_silent = is_silent;
    for (const struct point *p = s->points; p; p = p->next) {
        if (strcmp(p->address, last) != 0) c->o.calls.silent(c->o.calls.arg, str_of(p->address), is_silent);
        last = p->address;
    }
}

bool client_is_asking(const struct station *s) {
    return s->point || s->order || s->asks_about;
}

void client_drop(struct bacnet_client *c, struct station *s) {
    c->under_way -= client_is_asking(s);
    c->abouts -= s->asks_about;
    s->point = NULL;
    s->order = NULL;
    s->asks_about = false;
}

/* ---- the plan ---- */

static bool can_ask(struct bacnet_client *c, const struct question *q) {
    struct buf ignored;
    buf_init_arena(&ignored, &c->arena, BACNET_FRAME_MAX + 1);
    bool ok = q->address.len && q->address.len <= ADDRESS_MAX && bacnet_codec.asking->ask(q, &ignored);
    arena_reset(&c->arena);
    return ok;
}

static int64_t device_of(struct str address) {
    struct str device = address;
    int64_t n = -1;
    (void)str_cut(&address, '.', &device);
    return str_to_i64(device, &n) ? n : -1;
}

/* The object that an item of an address is about. */
static bool read_object(struct str address, struct str item, int64_t *ret) {
    struct bacnet_point p;
    if (bacnet_read_item(item, &p)) {
        *ret = p.object;
        return true;
    }
    (void)str_cut(&address, '.', &(struct str){0});
    return address.ptr && bacnet_read_object(address, ret);
}

void bacnet_client_plan_begin(struct bacnet_client *c) {
    for (size_t i = 0; i < c->n; i++)
        for (struct point *p = c->stations[i]->points; p; p = p->next) p->is_kept = false;
}

void bacnet_client_plan_end(struct bacnet_client *c) {
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        for (struct point **at = &s->points, *p; (p = *at);) {
            if (p->is_kept) {
                at = &p->next;
                continue;
            }
            if (s->point == p) client_drop(c, s);
            *at = p->next;
            c->points_n--;
            free(p);
        }
    }
}

/* The last of a device's points, so that they keep their order; or the one that is as asked for. */
static struct point **place_of(struct station *s, struct str address, struct str items, bool is_watched) {
    struct point **at = &s->points;
    while (*at && !(str_is(address, (*at)->address) && str_is(items, (*at)->items) && is_watched == !!(*at)->watch))
        at = &(*at)->next;
    return at;
}

static enum err add(struct bacnet_client *c, struct station *s, struct str address, struct str items, bool is_watched,
                    struct point **ret, struct fault *f) {
    struct point **at = place_of(s, address, items, is_watched);
    if (!*at) {
        if (c->points_n == POLL_POINTS_MAX)
            return FAIL(f, ERR_LIMIT, "too_many", "no more than %d points a line", POLL_POINTS_MAX);
        struct point *p = calloc(1, sizeof *p + items.len + 1);
        if (!p) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
        p->watch = is_watched ? WATCH_WANTED : WATCH_NOT;
        p->due_ms = INT64_MIN;
        memcpy(p->address, address.ptr, address.len);
        memcpy(p->items, items.ptr, items.len);
        struct str first = items;
        (void)str_cut(&items, ' ', &first);
        if (is_watched) (void)read_object(address, first, &p->object);
        *at = p;
        c->points_n++;
    }
    (*at)->is_kept = true;
    *ret = *at;
    return OK;
}

/* All of the items from `item` on that are about the same object; none where an earlier one is. */
static struct str of_one_object(struct str address, struct str items, struct str item, char *mem) {
    struct str rest = items, other;
    int64_t object = -1, another;
    size_t n = 0;
    (void)read_object(address, item, &object);
    while (str_word(&rest, &other)) {
        if (!read_object(address, other, &another) || another != object) continue;
        if (other.ptr < item.ptr) return S("");
        if (n) mem[n++] = ' ';
        memcpy(mem + n, other.ptr, other.len);
        n += other.len;
    }
    return (struct str){mem, n};
}

enum err bacnet_client_add(struct bacnet_client *c, struct str address, struct str items, int64_t every_ms,
                           bool is_watched, struct fault *f) {
    char mem[ITEMS_MAX + 1];
    struct str rest = items, item;
    struct point *p;
    if (!items.len || items.len > ITEMS_MAX || !can_ask(c, &(struct question){.address = address, .item = items}))
        return FAIL_FIELD(f, "address", "bad_address", 0);
    struct station *s = client_station(c, device_of(address), true);
    if (!s) return FAIL(f, ERR_LIMIT, "too_many", "no more than %d devices a line", BACNET_DEVICES_MAX);
    if (!is_watched) {
        TRY(add(c, s, address, items, false, &p, f));
        p->every_ms = every_ms;
    }
    while (is_watched && str_word(&rest, &item)) {
        struct str group = of_one_object(address, items, item, mem);
        if (!group.len) continue;
        TRY(add(c, s, address, group, true, &p, f));
        p->every_ms = every_ms;
    }
    return OK;
}

/* ---- orders ---- */

static void copy(char *to, struct str text) {
    if (text.len) memcpy(to, text.ptr, text.len);
    to[text.len] = 0;
}

enum err bacnet_client_order(struct bacnet_client *c, const struct poll_order *o, struct fault *f) {
    if (o->q.item.len > TEXT_MAX || o->q.value.len > TEXT_MAX || !o->q.item.len || !can_ask(c, &o->q))
        return FAIL_FIELD(f, "address", "bad_address", 0);
    struct station *s = client_station(c, device_of(o->q.address), true);
    struct waiting *w = s && c->orders_n < POLL_ORDERS_MAX ? calloc(1, sizeof *w) : NULL, **last;
    if (!w) return FAIL(f, ERR_LIMIT, "too_many", "no more than %d orders wait", POLL_ORDERS_MAX);
    *w = (struct waiting){
        .tag = o->tag, .whose = o->whose, .until_ms = o->until_ms, .tries = o->tries, .now_s = o->q.now_s};
    copy(w->address, o->q.address);
    copy(w->item, o->q.item);
    copy(w->value, o->q.value);
    w->has_value = o->q.value.ptr;
    for (last = &s->orders; *last;) last = &(*last)->next;
    *last = w;
    c->orders_n++;
    return OK;
}

void client_forget_order(struct bacnet_client *c, struct station *s, struct waiting *o) {
    struct waiting **at = &s->orders;
    while (*at != o) at = &(*at)->next;
    *at = o->next;
    c->orders_n--;
    free(o);
}

void bacnet_client_keep(struct bacnet_client *c, bool (*is_wanted)(void *arg, const struct poll_order *o), void *arg,
                        const char *why) {
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        for (struct waiting *o = s->orders, *next; o; o = next) {
            const struct poll_order is = {.q = {.address = str_of(o->address)}, .tag = o->tag, .whose = o->whose};
            next = o->next;
            if (o != s->order && !is_wanted(arg, &is)) client_end_order(c, s, o, POLL_LOST, NULL, why);
        }
    }
}

void bacnet_client_now(struct bacnet_client *c, struct str address) {
    struct station *s = client_station(c, device_of(address), false);
    struct str rest = address;
    (void)str_cut(&rest, '.', &(struct str){0});
    for (struct point *p = s ? s->points : NULL; p; p = p->next)
        if (!rest.ptr || str_is(address, p->address)) p->due_ms = INT64_MIN;
}

void bacnet_client_find(struct bacnet_client *c, int64_t low, int64_t high) {
    c->wants_find = true;
    c->find_low = low;
    c->find_high = high;
    for (size_t i = 0; i < c->n; i++) c->stations[i]->is_introduced = false;
}

/* ---- what comes ---- */

static bool is_at(const struct station *s, const struct udp_peer *from, const struct bacnet_address *net) {
    return s->is_here && s->at.port == from->port && !strcmp(s->at.host, from->host) && s->net.net == net->net &&
           s->net.mac_n == net->mac_n && !memcmp(s->net.mac, net->mac, net->mac_n);
}

static void noise(const struct bacnet_client *c, const struct udp_peer *from, struct bytes whole, const char *rule,
                  size_t at) {
    const struct wire_error e = {rule, at};
    c->o.calls.noise(c->o.calls.arg, from, whole, &e);
}

/* It knows nothing of subscriptions any more. */
static void all_due(struct station *s) {
    for (struct point *p = s->points; p; p = p->next) {
        if (p->watch) p->watch = WATCH_WANTED;
        p->due_ms = INT64_MIN;
    }
}

static void put_name(char *mem, size_t size, int64_t device) {
    struct buf b;
    buf_init(&b, mem, size);
    buf_i64(&b, device);
}

static void move_to(struct bacnet_client *c, struct station *s, int64_t now_ms, const struct bacnet_frame *f,
                    const struct udp_peer *from) {
    bool is_other = s->is_here && !is_at(s, from, &f->from);
    if (is_other) client_drop(c, s);
    s->at = *from;
    s->net = f->from;
    s->heard_ms = now_ms;
    if (!s->is_here || is_other) all_due(s);
    s->is_here = true;
    s->who_ms = s->pause_ms = 0;
    if (s->is_silent) client_silent(c, s, false);
}

static void learn(struct bacnet_client *c, int64_t now_ms, const struct bacnet_frame *f, int64_t device,
                  const struct udp_peer *from, struct bytes whole) {
    struct station *s = client_station(c, device, true);
    char name[16];
    if (!s) {
        noise(c, from, whole, WIRE_LIMIT "there are too many devices on this line", 0);
        return;
    }
    if (s->is_here && !is_at(s, from, &f->from) && now_ms - s->heard_ms < BACNET_KEPT_MS) {
        noise(c, from, whole, "two devices say that they have this number", 0);
        return;
    }
    c->o.calls.heard(c->o.calls.arg, from, whole);
    move_to(c, s, now_ms, f, from);
    if (s->about || (!s->points && client_begin_about(s))) return; /* it is found once that is answered */
    put_name(name, sizeof name, device);
    c->o.calls.found(c->o.calls.arg, str_of(name), from, NULL);
}

/* Who is not at his place is searched for at once, unless he just was. */
static void search_soon(struct station *s) {
    if (s->searched_ms + BACNET_WHO_MS < s->who_ms) s->who_ms = s->searched_ms + BACNET_WHO_MS;
}

/* A change or an event: who is waited for at that place says it, or one who is asked nothing.  Of one who is asked, and
 * has not said yet where he is, anybody could say it: he says it again. */
static void hear_news(struct bacnet_client *c, int64_t now_ms, const struct bacnet_frame *f, int64_t device,
                      const struct udp_peer *from, struct bytes whole) {
    struct decoded d;
    struct wire_error e = {NULL, 0};
    struct buf reply;
    struct station *s = client_station(c, device, false);
    char name[16];
    if (s && s->is_here && !is_at(s, from, &f->from)) {
        noise(c, from, whole, "this device is somewhere else", 0);
        return;
    }
    if (s && !s->is_here) {
        search_soon(s);
        noise(c, from, whole, NULL, 0);
        return;
    }
    if (s) s->heard_ms = now_ms;
    if (!bacnet_codec.decode(whole, &c->arena, &d, &e)) {
        noise(c, from, whole, e.rule, e.at);
        return;
    }
    c->o.calls.heard(c->o.calls.arg, from, whole);
    buf_init_arena(&reply, &c->arena, BACNET_FRAME_MAX + 1);
    bacnet_codec.reply(whole, true, 0, &reply);
    put_name(name, sizeof name, device);
    const struct bacnet_news news = {
        str_of(name), &d, *from, {(const uint8_t *)(reply.len ? reply.ptr : ""), reply.len}};
    c->o.calls.said(c->o.calls.arg, &news);
}

static bool is_news(const struct bacnet_frame *f) {
    if (f->kind == BACNET_CONFIRMED) return f->service == BACNET_COV_CONFIRMED || f->service == BACNET_EVENT_CONFIRMED;
    return f->kind == BACNET_UNCONFIRMED && (f->service == BACNET_COV || f->service == BACNET_EVENT);
}

static void reply_at_once(struct bacnet_client *c, const struct udp_peer *from, struct bytes whole, bool ok) {
    struct buf reply;
    buf_init_arena(&reply, &c->arena, BACNET_FRAME_MAX + 1);
    bacnet_codec.reply(whole, ok, 0, &reply);
    if (reply.len) c->o.calls.send(c->o.calls.arg, from, (struct bytes){(const uint8_t *)reply.ptr, reply.len});
}

static struct station *who_answers(const struct bacnet_client *c, const struct bacnet_frame *f,
                                   const struct udp_peer *from) {
    if (f->kind < BACNET_SIMPLE_ACK || f->kind == BACNET_SEGMENT_ACK) return NULL;
    for (size_t i = 0; i < c->n; i++) {
        struct station *s = c->stations[i];
        if (client_is_asking(s) && s->invoke == f->invoke && is_at(s, from, &f->from)) return s;
    }
    return NULL;
}

/* Who says it through a BBMD is where the BBMD says. */
static struct udp_peer origin_of(const struct bacnet_frame *f, const struct udp_peer *from) {
    struct udp_peer at = *from;
    struct buf b;
    if (f->function != BACNET_FORWARDED) return at;
    buf_init(&b, at.host, sizeof at.host);
    for (int i = 0; i < 4; i++) buf_fmt(&b, "%s%d", i ? "." : "", f->origin[i]);
    at.port = f->origin[4] << 8 | f->origin[5];
    return at;
}

static void take(struct bacnet_client *c, int64_t now_ms, const struct bacnet_frame *f, const struct udp_peer *from,
                 struct bytes whole) {
    struct bacnet_body body;
    struct wire_error e = {NULL, 0};
    bool is_known = false;
    struct station *s = who_answers(c, f, from);
    if (!bacnet_read_body(f, NULL, 0, &body, &is_known, &e)) {
        noise(c, from, whole, e.rule, e.at + (size_t)(f->data.ptr - whole.ptr));
        reply_at_once(c, from, whole, false);
    } else if (s) {
        s->heard_ms = now_ms;
        if (f->flags & BACNET_SEGMENTED) reply_at_once(c, from, whole, true);
        c->o.calls.heard(c->o.calls.arg, from, whole);
        client_answered(c, s, now_ms, f, from, whole);
    } else if (is_known && is_news(f)) {
        hear_news(c, now_ms, f, BACNET_NUMBER_OF(body.device), from, whole);
    } else if (is_known && f->kind == BACNET_UNCONFIRMED && f->service == BACNET_I_AM) {
        learn(c, now_ms, f, BACNET_NUMBER_OF(body.device), from, whole);
    } else if (f->kind == BACNET_CONFIRMED || f->flags & BACNET_SEGMENTED) {
        noise(c, from, whole, NULL, 0);
        reply_at_once(c, from, whole, true);
    }
}

void bacnet_client_feed(struct bacnet_client *c, int64_t now_ms, const struct udp_peer *from, struct bytes datagram) {
    struct bacnet_frame f;
    struct wire_error e = {NULL, 0};
    if (!bacnet_decode(datagram, &f, &e)) {
        noise(c, from, datagram, e.rule, e.at);
        return;
    }
    bool has_npdu = f.function != BACNET_RESULT && f.function != BACNET_REGISTER;
    struct udp_peer at = origin_of(&f, from);
    if (has_npdu && !f.is_network) take(c, now_ms, &f, &at, datagram);
    arena_reset(&c->arena);
}
