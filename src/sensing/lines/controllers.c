/* Controllers of a BACnet network: one socket, whom they are asked for, what they answer, tell of changes and report,
 * on its way into the store.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line_internal.h"

#include "base/utf8.h"
#include "net/udp.h"
#include "sensing/bacnet/client.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CAP     ((size_t)1 << 20)
#define UNDER_WAY_MAX 256 /* on their way into the store; then nobody is asked, and what comes is not acknowledged */
#define STRANGE_MAX   32  /* of these, what those say whom nobody knows: they hold up no other */
#define STORE_WAIT_MS 1000
#define ITEMS_BYTES   2000  /* of a point, as plan.c makes them */
#define ORDER_TRIES   3     /* of what only asks */
#define WATCH_FROM_MS 10000 /* what is read more often needs no subscription: devices have few */

struct controllers {
    struct line *line;
    struct udp *udp, *everybody; /* NULL: the first hears what is said to all */
    struct bacnet_client *client;
    struct loop_timer *timer;
    struct line_plan *plan; /* NULL: none yet */
    struct udp_peer other;  /* LINE_DIAL: who passes on what is for everybody; else port 0 */
    int64_t pause_ms;       /* until then nobody is asked: the store took nothing */
    struct bytes datagram;  /* that is being heard */
    size_t under_way, strange;
    int refs; /* the owner, and what is on its way */
};
/* What one said. */
struct news {
    struct controllers *c;
    struct arena arena;
    struct intake intake;
    struct udp_peer from;
    struct bytes reply; /* once it is stored */
    struct str address;
    bool is_strange;
};

static int64_t mono_ms(const struct controllers *c) {
    return c->line->o.world->mono_us(c->line->o.world->self) / 1000;
}

static void release(struct controllers *c) {
    if (--c->refs) return;
    line_release(c->line);
    bacnet_client_destroy(c->client);
    line_plan_free(c->plan);
    free(c);
}

/* ---- the clock of questions ---- */

static void step(struct controllers *c) {
    int64_t now_ms = mono_ms(c);
    if (!c->udp || c->under_way >= UNDER_WAY_MAX || now_ms < c->pause_ms) return;
    int64_t next_ms = bacnet_client_step(c->client, now_ms), wait_ms = next_ms > now_ms ? next_ms - now_ms : 1;
    if (next_ms != INT64_MAX) loop_timer_start(c->timer, wait_ms < 60000 ? wait_ms : 60000, 0);
}

static void on_timer(void *arg) {
    step(arg);
}

/* For everybody where only one is known: to him, in case that he is no BBMD but a controller, or a router. */
static void say_to_other(struct controllers *c, struct bytes datagram) {
    uint8_t mem[BACNET_FRAME_MAX];
    if (datagram.len < 2 || datagram.len > sizeof mem) return;
    memcpy(mem, datagram.ptr, datagram.len);
    mem[1] = BACNET_UNICAST;
    (void)!udp_send(c->udp, &c->other, (struct bytes){mem, datagram.len});
}

static void say(void *arg, const struct udp_peer *to, struct bytes datagram) {
    struct controllers *c = arg;
    if (!c->udp) return;
    /* What the kernel does not take is lost like any other datagram. */
    if (to)
        (void)!udp_send(c->udp, to, datagram);
    else if (c->other.port)
        say_to_other(c, datagram);
    else
        (void)!udp_send_all(c->udp, udp_port(c->udp), datagram);
}

/* ---- what was said ---- */

static void refuse_foreign(const struct controllers *c, const struct udp_peer *from, struct str code) {
    const struct wire_error e = {LINE_FOREIGN, 0};
    struct sample x = line_sample(c->line, from->host, c->datagram.len, &e);
    utf8_copy(x.about, sizeof x.about, code);
    figures_bad(c->line->o.figures, &x, c->datagram, false);
}

static void stored(void *arg, bool is_stored) {
    struct news *n = arg;
    struct controllers *c = n->c;
    intake_note_refused(&n->intake, c->line->o.figures, n->from.host);
    if (is_stored && n->reply.len) say(c, &n->from, n->reply);
    if (!is_stored) { /* asked anew, or said again, once the store is back */
        FIGURES_ADD(c->line->o.figures, unanswered, 1);
        bacnet_client_now(c->client, n->address);
        c->pause_ms = mono_ms(c) + STORE_WAIT_MS;
    }
    c->under_way--;
    c->strange -= n->is_strange;
    if (c->udp) loop_timer_start(c->timer, is_stored ? 1 : STORE_WAIT_MS, 0);
    arena_finish(&n->arena);
    free(n);
    release(c);
}

static bool is_of(struct str address, struct str number) {
    return str_starts(address, number) && (address.len == number.len || address.ptr[number.len] == '.');
}

/* Is it a device of the plan, or does it speak for one, as for its lift? */
static bool is_planned(const struct controllers *c, struct str address) {
    struct str rest = address, number;
    bool is_planned = false;
    (void)str_cut(&rest, '.', &number);
    for (size_t i = 0; c->plan && i < c->plan->devices_n && !is_planned; i++)
        is_planned = is_of(c->plan->devices[i].address, number);
    return is_planned;
}

/* Such a one, or a number that this line looks for. */
static bool is_wanted(const struct controllers *c, struct str address) {
    const struct line_options *o = &c->line->o;
    struct str rest = address, number;
    int64_t n = -1;
    if (!c->plan || !str_cut(&rest, '.', &number) || !str_to_i64(number, &n)) return false;
    return o->find_low < 0 || (n >= o->find_low && n <= o->find_high) || is_planned(c, address);
}

static void note_one(const struct controllers *c, struct str address, const char *host, struct str *last) {
    if (str_eq(address, *last)) return;
    *last = address;
    asked_found(c->line, c->plan, address, host, NULL);
    asked_silent(c->line, c->plan, address, false); /* its row may say so from a day before */
}

/* Each once, where its readings stand together; by their addresses. */
static void note_all(const struct controllers *c, const struct decoded *d, const char *host) {
    struct str last = S("");
    if (d->sender.len) note_one(c, d->sender, host, &last);
    for (size_t i = 0; i < d->readings_n; i++) note_one(c, d->readings[i].device, host, &last);
    for (size_t i = 0; i < d->events_n; i++) note_one(c, d->events[i].device, host, &last);
}

/* NULL: there is no room, or no memory. */
static struct news *begin(struct controllers *c, const struct bacnet_news *said) {
    bool is_strange = !is_planned(c, said->address);
    bool has_room = c->under_way < UNDER_WAY_MAX && (!is_strange || c->strange < STRANGE_MAX);
    struct news *n = has_room ? calloc(1, sizeof *n) : NULL;
    if (!n) return NULL;
    *n = (struct news){
        .c = c, .from = said->from, .reply = said->reply, .address = said->address, .is_strange = is_strange};
    c->strange += is_strange;
    n->intake = (struct intake){.site = &c->line->site, .done = stored, .arg = n};
    arena_init(&n->arena, ARENA_CAP);
    c->under_way++;
    c->refs++;
    return n;
}

static bool copy(struct news *n, const struct decoded *from, struct decoded *ret) {
    uint8_t *reply = arena_alloc(&n->arena, n->reply.len + 1, 1, 1);
    if (reply && n->reply.len) memcpy(reply, n->reply.ptr, n->reply.len);
    n->reply.ptr = reply;
    return reply && arena_str(&n->arena, n->address, &n->address) &&
           asked_copy(n->c->line, &n->arena, n->c->plan, NULL, from, ret);
}

static void on_said(void *arg, const struct bacnet_news *said) {
    struct controllers *c = arg;
    struct decoded d;
    if (!is_wanted(c, said->address)) return;
    struct news *n = begin(c, said);
    if (!n) {
        FIGURES_ADD(c->line->o.figures, unanswered, 1);
        bacnet_client_now(c->client, said->address);
        return;
    }
    if (!copy(n, said->decoded, &d)) {
        stored(n, false);
        return;
    }
    if (!intake_is_of(&c->line->site, c->line->o.id, &d)) {
        refuse_foreign(c, &said->from, d.sender);
        n->reply.len = 0;
        stored(n, true);
        return;
    }
    note_all(c, said->decoded, said->from.host);
    intake_take(&n->intake, &d, &n->arena, 0);
}

static void on_found(void *arg, struct str address, const struct udp_peer *from, const struct bacnet_about *about) {
    struct controllers *c = arg;
    const struct line *l = c->line;
    char mem[ASKED_CODE_SIZE];
    if (!is_wanted(c, address)) return;
    struct str code = asked_code(l, address, mem);
    if (!asked_at(c->plan, address) && !feed_is_of_line(l->o.feed, l->o.community_id, code, l->o.id)) {
        refuse_foreign(c, from, code);
        return;
    }
    const struct feed_about says = {about ? about->name : "", about ? about->vendor : "", about ? about->model : "",
                                    NULL};
    asked_found(c->line, c->plan, address, from->host, about ? &says : NULL);
}

static void on_refused(void *arg, struct str address, struct str item, const char *why) {
    const struct controllers *c = arg;
    (void)item;
    asked_note(c->line, c->plan, address, HEARD_REFUSED, why);
}

static void on_silent(void *arg, struct str address, bool is_silent) {
    const struct controllers *c = arg;
    if (is_silent) asked_note(c->line, c->plan, address, HEARD_SILENT, "");
    asked_silent(c->line, c->plan, address, is_silent);
}

static void on_heard(void *arg, const struct udp_peer *from, struct bytes whole) {
    const struct controllers *c = arg;
    struct sample x = line_sample(c->line, from->host, whole.len, NULL);
    /* Not of what we say to everybody, and hear ourselves. */
    FIGURES_ADD(c->line->o.figures, bytes, (int64_t)whole.len);
    figures_good(c->line->o.figures, &x, whole);
}

static void on_noise(void *arg, const struct udp_peer *from, struct bytes bytes, const struct wire_error *e) {
    const struct controllers *c = arg;
    FIGURES_ADD(c->line->o.figures, bytes, (int64_t)bytes.len);
    if (!e->rule) return;
    struct sample x = line_sample(c->line, from->host, bytes.len, e);
    figures_bad(c->line->o.figures, &x, bytes, true);
}

static void on_ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                     const char *why) {
    const struct controllers *c = arg;
    const struct line_options *o = &c->line->o;
    (void)d;
    asked_ended(c->line, c->plan, q->address, end, why);
    bacnet_client_now(c->client, q->address); /* where it stands now, its readings say */
    if (o->told) o->told(o->arg, tag, end == POLL_ANSWERED, str_of(why));
}

static void on_datagram(void *arg, const struct udp_peer *from, struct bytes bytes) {
    struct controllers *c = arg;
    c->datagram = bytes;
    bacnet_client_feed(c->client, mono_ms(c), from, bytes);
    c->datagram = (struct bytes){NULL, 0};
    step(c);
}

/* ---- what is asked ---- */

/* Those of the items that a subscription may tell. */
static struct str watched_of(struct str items, char mem[ITEMS_BYTES]) {
    struct str item;
    size_t n = 0;
    while (str_word(&items, &item)) {
        struct bacnet_point p;
        bool is_plain = bacnet_read_item(item, &p); /* else a property of a lift, which tells it */
        if (is_plain && !bacnet_tells_changes(&p)) continue;
        if (n) mem[n++] = ' ';
        memcpy(mem + n, item.ptr, item.len);
        n += item.len;
    }
    return (struct str){mem, n};
}

static enum err add(struct controllers *c, const struct line_device *d, const struct line_point *p, struct fault *f) {
    char mem[ITEMS_BYTES];
    enum err e = bacnet_client_add(c->client, d->address, p->item, p->every_ms, false, f);
    if (e || p->every_ms < WATCH_FROM_MS || p->item.len > sizeof mem) return e;
    struct str watched = watched_of(p->item, mem);
    return watched.len ? bacnet_client_add(c->client, d->address, watched, 0, true, f) : OK;
}

/* Values come under the names that the protocol has for the items, however the model writes them. */
static void name_values(struct line_plan *plan) {
    for (size_t i = 0; i < plan->values_n; i++) {
        struct bacnet_point p;
        char mem[64];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        if (!bacnet_read_item(plan->values[i].item, &p)) continue;
        bacnet_put_item(&p, &b);
        struct str item = {mem, b.len};
        if (!b.overflow && arena_str(&plan->arena, item, &item)) plan->values[i].item = item;
    }
}

static bool is_of_plan(void *arg, const struct poll_order *o) {
    return asked_is_of_plan(((struct controllers *)arg)->plan, o);
}

void controllers_plan(struct controllers *c, struct line_plan *plan) {
    struct fault f = {0};
    line_plan_free(c->plan);
    c->plan = plan;
    bacnet_client_keep(c->client, is_of_plan, c, LINE_NOT_IN_USE);
    name_values(plan);
    bacnet_client_plan_begin(c->client);
    for (size_t i = 0; i < plan->points_n; i++) {
        const struct line_device *d = &plan->devices[plan->points[i].device];
        if (!add(c, d, &plan->points[i], &f)) continue;
        asked_note(c->line, plan, d->address, HEARD_REFUSED, "its address or an item of its model is none of BACnet");
        f = (struct fault){0};
    }
    bacnet_client_plan_end(c->client);
    step(c);
}

bool controllers_tell(struct controllers *c, const struct line_order *o, const char **ret_why) {
    int64_t now_ms = line_now_ms(c->line);
    const struct poll_order order = {.q = {.address = o->address, .item = o->item, .value = o->value},
                                     .tag = o->command_id,
                                     .whose = o->device_id,
                                     .tries = o->value.ptr ? 1 : ORDER_TRIES,
                                     .until_ms = mono_ms(c) + (o->until_ms - now_ms)};
    struct fault f = {0};
    *ret_why = LINE_NOT_IN_USE;
    if (c->plan && !asked_is_of_plan(c->plan, &order)) return false;
    enum err e = bacnet_client_order(c->client, &order, &f);
    *ret_why = e == ERR_LIMIT ? "too much waits on its line" : "its protocol cannot say this";
    if (!e) step(c);
    return !e;
}

bool controllers_find(struct controllers *c) {
    bacnet_client_find(c->client, c->line->o.find_low, c->line->o.find_high);
    step(c);
    return true;
}

void controllers_tick(struct controllers *c) {
    step(c);
}

void controllers_end_orders(struct controllers *c, const char *why) {
    if (c) bacnet_client_keep(c->client, asked_is_of_none, NULL, why);
}

int controllers_port(const struct controllers *c) {
    return udp_port(c->udp);
}

/* ---- life ---- */

static enum err open_all(struct controllers *c, struct fault *f) {
    const struct line_options *o = &c->line->o;
    bool dials = o->reach == LINE_DIAL;
    const struct udp_options udp = {
        .bind = dials ? "0.0.0.0" : o->bind, .port = dials ? 0 : o->port, .may_broadcast = true};
    const struct udp_calls calls = {on_datagram, c};
    const struct bacnet_client_options client = {
        .bbmd = dials ? &c->other : NULL,
        .calls = {say, on_found, on_said, on_refused, on_silent, on_heard, on_noise, on_ended, c}};
    if (dials) {
        utf8_copy(c->other.host, sizeof c->other.host, str_of(o->host));
        c->other.port = o->port;
    }
    TRY(bacnet_client_create(&client, &c->client, f));
    if (loop_timer_create(c->line->loop, on_timer, c, &c->timer)) return FAIL(f, ERR_INTERNAL, "loop", "no timer");
    TRY(udp_open(c->line->loop, &udp, &calls, &c->udp, f));
    return dials ? OK : udp_open_all(c->udp, &calls, &c->everybody, f);
}

enum err controllers_open(struct line *l, struct controllers **ret, struct fault *f) {
    struct controllers *c = calloc(1, sizeof *c);
    if (!c) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    *c = (struct controllers){.line = l, .refs = 1};
    enum err e = open_all(c, f);
    if (e) {
        udp_close(c->udp);
        loop_timer_destroy(c->timer);
        bacnet_client_destroy(c->client);
        free(c);
        return e;
    }
    l->refs++;
    *ret = c;
    return OK;
}

void controllers_close(struct controllers *c) {
    if (!c) return;
    udp_close(c->udp);
    udp_close(c->everybody);
    loop_timer_destroy(c->timer);
    c->udp = c->everybody = NULL;
    c->timer = NULL;
    release(c);
}
