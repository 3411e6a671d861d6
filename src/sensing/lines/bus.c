/* Devices that are asked: one connection, one question at a time, what is answered on its way into the store.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line_internal.h"

#include "base/utf8.h"
#include "sensing/lines/search.h"
#include "sensing/poll/poll.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CAP      ((size_t)1 << 20)
#define ORDER_TRIES    3 /* of what only asks */
#define TAG_FIND       0 /* tags of commands are their ids, above; of midnights their negative time, below */
#define FIND_WITHIN_MS INT64_C(3600000) /* 1,800 questions that nobody answers, or half of them beside points */

/* A connection; more than one only where gateways connect to us. */
struct peer {
    struct bus *bus;
    size_t greeted; /* bytes of the greeting that came */
};
struct bus {
    struct line *line;
    struct poll *poll;
    struct tcp_conn *conn; /* the bus; NULL: nobody can be asked */
    struct loop_timer *timer;
    struct line_plan *plan; /* NULL: none yet */
    struct arena arena;     /* of what is on its way */
    struct intake intake;
    struct str address;             /* of whose readings these are; in the arena */
    int64_t device_id, midnight_ms; /* where they are of one; else 0 */
    int64_t heard_us;               /* an answer; whoever only makes noise does not hold the line */
    bool is_waiting;                /* for the store */
    struct search search;
    int64_t searched_ms, search_until_ms; /* UTC; of the clock of questions */
    int refs;                             /* the owner, and what is on its way */
};

static int64_t mono_ms(const struct bus *b) {
    return b->line->o.world->mono_us(b->line->o.world->self) / 1000;
}

static void release(struct bus *b) {
    if (--b->refs) return;
    line_release(b->line);
    poll_destroy(b->poll);
    line_plan_free(b->plan);
    arena_finish(&b->arena);
    free(b);
}

/* ---- the clock of questions ---- */

static void step(struct bus *b) {
    struct arena arena;
    struct buf out;
    struct str question;
    if (!b->conn || b->is_waiting) return;
    int64_t now_ms = mono_ms(b);
    arena_init(&arena, ARENA_CAP);
    buf_init_arena(&out, &arena, b->line->o.codec->frame_max + 1);
    int64_t next_ms = poll_step(b->poll, now_ms, &out);
    bool is_gone = out.len && buf_done(&out, &question) &&
                   tcp_write(b->conn, (struct bytes){(const uint8_t *)question.ptr, question.len});
    if (out.len) FIGURES_ADD(b->line->o.figures, asked, 1);
    arena_finish(&arena);
    if (is_gone) return; /* its close comes, and with it another connection */
    int64_t pause_ms = next_ms > now_ms ? next_ms - now_ms : 1;
    if (next_ms != INT64_MAX) loop_timer_start(b->timer, pause_ms < 60000 ? pause_ms : 60000, 0);
}

static void on_timer(void *arg) {
    step(arg);
}

/* ---- what was answered ---- */

static void told_kept(const struct bus *b, int64_t device_id, int64_t midnight_ms, enum line_kept what) {
    const struct line_options *o = &b->line->o;
    if (o->kept) o->kept(o->arg, device_id, midnight_ms, what);
}

static void stored(void *arg, bool is_stored) {
    struct bus *b = arg;
    if (is_stored) intake_note_refused(&b->intake, b->line->o.figures, b->conn ? tcp_peer(b->conn).ptr : "");
    if (!is_stored) { /* asked anew, once the store is back */
        FIGURES_ADD(b->line->o.figures, unanswered, 1);
        poll_now(b->poll, b->address);
    } else if (b->midnight_ms) {
        told_kept(b, b->device_id, b->midnight_ms, LINE_KEPT);
    }
    b->is_waiting = false;
    if (b->conn) loop_timer_start(b->timer, is_stored ? 1 : 1000, 0);
    release(b);
}

/* Who stands before the door; keys are a code once all of it is typed. */
static bool copy_passings(struct bus *b, struct line_device *d, const struct decoded *from, struct decoded *to) {
    struct passing *passings = arena_new(&b->arena, struct passing, from->passings_n + 1);
    bool ok = passings;
    for (size_t i = 0; ok && i < from->passings_n; i++) {
        struct passing *p = &passings[to->passings_n];
        char typed[PASSING_CODE_MAX + 1];
        *p = from->passings[i];
        p->device = to->sender;
        if (p->kind == PASSING_KEYS) {
            if (!keys_press(&d->keys, p->value, mono_ms(b), typed)) continue;
            p->kind = PASSING_CODE;
            p->value = str_of(typed);
        }
        to->passings_n++;
        ok = keep(&b->arena, &p->value) && keep(&b->arena, &p->serial);
    }
    to->passings = passings;
    return ok;
}

static void take(struct bus *b, const struct question *q, const struct decoded *d, int64_t at_ms) {
    struct line_device *device = asked_at(b->plan, q->address);
    struct decoded copied;
    if (!device) return; /* it left the plan meanwhile */
    arena_reset(&b->arena);
    b->address = device->address;
    b->midnight_ms = 0;
    b->is_waiting = true;
    b->refs++;
    if (!arena_str(&b->arena, b->address, &b->address) ||
        !asked_copy(b->line, &b->arena, b->plan, device, d, &copied) || !copy_passings(b, device, d, &copied))
        stored(b, false);
    else
        intake_take(&b->intake, &copied, &b->arena, at_ms);
}

static void note(const struct bus *b, struct str address, enum heard_how how, const char *why) {
    asked_note(b->line, b->plan, address, how, why);
}

static void on_silent(void *arg, struct str address, bool is_silent) {
    struct bus *b = arg;
    asked_silent(b->line, b->plan, address, is_silent);
}

static void on_said(void *arg, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    note(b, q->address, HEARD_FRAME, "");
    on_silent(b, q->address, false); /* its row may say so from a day before */
    take(b, q, d, 0);
}

static void on_refused(void *arg, const struct question *q, const char *why) {
    note(arg, q->address, HEARD_REFUSED, why);
}

static void on_missed(void *arg, const struct question *q) {
    note(arg, q->address, HEARD_SILENT, "");
}

/* What shows who passes is personal: such a frame is counted, its bytes are not kept. */
static bool shows_who(const struct bus *b, struct bytes whole) {
    const struct codec *codec = b->line->o.codec;
    struct decoded d = {0};
    struct wire_error ignored;
    struct arena arena;
    if (!codec->decode) return false;
    arena_init(&arena, ARENA_CAP);
    bool ok = codec->decode(whole, &arena, &d, &ignored);
    arena_finish(&arena);
    return ok && d.passings_n;
}

/* Of whom an answer is waited for, and to what. */
static void put_asked(const struct bus *b, struct sample *x) {
    const struct line_device *d = asked_at(b->plan, poll_asked(b->poll));
    if (d) utf8_copy(x->device, sizeof x->device, d->code);
    struct bytes said = poll_said(b->poll);
    if (said.len > sizeof x->asked) return;
    if (said.len) memcpy(x->asked, said.ptr, said.len);
    x->asked_n = said.len;
}

static void on_heard(void *arg, struct bytes whole) {
    struct bus *b = arg;
    b->heard_us = b->line->o.world->mono_us(b->line->o.world->self);
    if (shows_who(b, whole)) whole = (struct bytes){NULL, 0};
    struct sample x = line_sample(b->line, b->conn ? tcp_peer(b->conn).ptr : "", whole.len, NULL);
    put_asked(b, &x);
    figures_good(b->line->o.figures, &x, whole);
}

static void on_noise(void *arg, struct bytes bytes, const char *rule) {
    struct bus *b = arg;
    struct str asked = poll_asked(b->poll);
    if (asked.len) note(b, asked, HEARD_GARBLED, "");
    if (!rule) return; /* an echo of the question, or an answer that came too late */
    const struct wire_error e = {rule, 0};
    struct sample x = line_sample(b->line, b->conn ? tcp_peer(b->conn).ptr : "", bytes.len, &e);
    put_asked(b, &x);
    figures_bad(b->line->o.figures, &x, bytes, true);
}

/* When it was kept, where that is a midnight; 0: it is not. */
static int64_t kept_at(const struct bus *b, const struct decoded *d, int64_t midnight_ms) {
    const struct zone *zone = b->line->o.zone;
    if (!d->readings_n) return 0;
    if (!d->readings[0].at_s) return midnight_ms;
    int64_t at_ms = zone_utc_ms(zone, zone_civil(NULL, d->readings[0].at_s * 1000));
    int64_t near_ms = at_ms - zone_day_start_ms(zone, at_ms + LINE_MIDNIGHT_NEAR_MS);
    bool is_midnight = near_ms >= -LINE_MIDNIGHT_NEAR_MS && near_ms <= LINE_MIDNIGHT_NEAR_MS;
    return is_midnight && at_ms <= line_now_ms(b->line) ? at_ms : 0;
}

/* The readings have a time of their own, which is none of the meter's clock: they go as of then. */
static void take_kept(struct bus *b, const struct line_device *device, const struct question *q,
                      const struct decoded *d, int64_t midnight_ms) {
    int64_t at_ms = kept_at(b, d, midnight_ms), device_id = device->id;
    struct arena arena;
    arena_init(&arena, ARENA_CAP);
    struct reading *readings = arena_new(&arena, struct reading, d->readings_n + 1);
    for (size_t i = 0; readings && i < d->readings_n; i++) {
        readings[i] = d->readings[i];
        readings[i].at_s = 0;
    }
    if (!at_ms) told_kept(b, device_id, midnight_ms, LINE_KEPT);
    if (readings && at_ms) {
        take(b, q, &(struct decoded){.sender = d->sender, .readings = readings, .readings_n = d->readings_n}, at_ms);
        b->device_id = device_id;
        b->midnight_ms = midnight_ms;
    }
    arena_finish(&arena);
}

static void midnight_ended(struct bus *b, int64_t midnight_ms, const struct question *q, enum poll_end end,
                           const struct decoded *d) {
    const struct line_device *device = asked_at(b->plan, q->address);
    if (!device) return;
    switch (end) {
    case POLL_ANSWERED: take_kept(b, device, q, d, midnight_ms); return;
    case POLL_REFUSED: told_kept(b, device->id, midnight_ms, LINE_KEPT_NONE); return;
    case POLL_SILENT: told_kept(b, device->id, midnight_ms, LINE_KEPT_SILENT); return;
    case POLL_GARBLED:
    case POLL_LOST: return;
    }
}

/* ---- who is there ---- */

static void found(void *arg, struct str address) {
    const struct bus *b = arg;
    asked_found(b->line, b->plan, address, "", NULL);
}

static void put_search(const struct bus *b) {
    const struct search *s = &b->search;
    figures_search(b->line->o.figures,
                   &(struct figures_search){.began_ms = b->searched_ms,
                                            .ended_ms = search_goes_on(s) ? 0 : line_now_ms(b->line),
                                            .asked = (int64_t)s->asked,
                                            .of = (int64_t)s->of,
                                            .found = (int64_t)s->found_n,
                                            .mixed = (int64_t)s->mixed,
                                            .refused = (int64_t)s->refused});
}

/* The next question of the search, unless it is over. */
static void look_further(struct bus *b) {
    const struct asking *asking = b->line->o.codec->asking;
    struct poll_order o = {
        .tag = TAG_FIND, .tries = 1, .until_ms = b->search_until_ms, .can_wait = true, .is_to_many = asking->finds_all};
    struct fault f = {0};
    if (search_next(&b->search, &o.q) && poll_order(b->poll, &o, &f)) search_ended(&b->search, POLL_LOST);
    put_search(b);
}

static void on_met(void *arg, int64_t tag, const struct question *q, const struct decoded *d) {
    struct bus *b = arg;
    (void)q;
    if (tag == TAG_FIND) search_met(&b->search, d);
}

static void on_ended(void *arg, int64_t tag, const struct question *q, enum poll_end end, const struct decoded *d,
                     const char *why) {
    struct bus *b = arg;
    const struct line_options *o = &b->line->o;
    if (tag == TAG_FIND) {
        if (d) search_met(&b->search, d);
        search_ended(&b->search, end);
        look_further(b);
        return;
    }
    asked_ended(b->line, b->plan, q->address, end, why);
    if (tag < 0) {
        midnight_ended(b, -tag, q, end, d);
        return;
    }
    poll_now(b->poll, q->address); /* where it stands now, its readings say */
    if (o->told) o->told(o->arg, tag, end == POLL_ANSWERED, str_of(why));
}

/* ---- what is asked ---- */

static bool is_of_plan(void *arg, const struct poll_order *o) {
    const struct bus *b = arg;
    return o->tag == TAG_FIND || asked_is_of_plan(b->plan, o);
}

void bus_plan(struct bus *b, struct line_plan *plan) {
    struct fault f = {0};
    for (size_t i = 0; i < plan->devices_n; i++) { /* somebody may be typing while rows change */
        const struct line_device *before = asked_at(b->plan, plan->devices[i].address);
        if (before && before->keys.n) plan->devices[i].keys = before->keys;
    }
    line_plan_free(b->plan);
    b->plan = plan;
    poll_keep(b->poll, is_of_plan, b, LINE_NOT_IN_USE);
    poll_plan_begin(b->poll);
    for (size_t i = 0; i < plan->points_n; i++) {
        const struct line_device *d = &plan->devices[plan->points[i].device];
        if (poll_add(b->poll, d->address, plan->points[i].item, plan->points[i].every_ms, &f)) {
            note(b, d->address, HEARD_REFUSED, "its address or an item of its model is none of this protocol");
            f = (struct fault){0};
        }
    }
    poll_plan_end(b->poll);
    step(b);
}

bool bus_tell(struct bus *b, const struct line_order *o, const char **ret_why) {
    int64_t now_ms = line_now_ms(b->line);
    const struct poll_order order = {.q = {.address = o->address,
                                           .item = o->item,
                                           .value = o->value,
                                           .key = o->key,
                                           .now_s = now_ms / 1000 + zone_offset_s(b->line->o.zone, now_ms)},
                                     .now_ms = mono_ms(b),
                                     .tag = o->command_id ? o->command_id : -o->midnight_ms,
                                     .whose = o->device_id,
                                     .tries = o->value.ptr ? 1 : ORDER_TRIES,
                                     .until_ms = mono_ms(b) + (o->until_ms - now_ms),
                                     .can_wait = o->midnight_ms != 0};
    struct fault f = {0};
    *ret_why = "its line is not connected";
    if (!b->conn) return false;
    *ret_why = LINE_NOT_IN_USE;
    if (b->plan && !asked_is_of_plan(b->plan, &order)) return false;
    enum err e = poll_order(b->poll, &order, &f);
    *ret_why = e == ERR_LIMIT ? "too much waits on its line" : "its protocol cannot say this, or wants a password";
    if (!e) step(b);
    return !e;
}

bool bus_find(struct bus *b) {
    const struct asking *asking = b->line->o.codec->asking;
    if (search_goes_on(&b->search)) return true;
    if (!b->conn || !asking->find) return false;
    search_begin(&b->search, asking, found, b);
    b->searched_ms = line_now_ms(b->line);
    b->search_until_ms = mono_ms(b) + FIND_WITHIN_MS;
    look_further(b);
    step(b);
    return search_goes_on(&b->search);
}

/* ---- the connection ---- */

/* Whoever is there already stays, unless he has been still for long: the other end may be gone without a word. */
static bool is_taken(const struct bus *b) {
    if (!b->conn) return false;
    int64_t still_us = b->line->o.world->mono_us(b->line->o.world->self) - b->heard_us;
    return still_us < LINE_STILL_MS * INT64_C(1000);
}

static bool is_no_search(void *arg, const struct poll_order *o) {
    (void)arg;
    return o->tag != TAG_FIND;
}

/* A search ends with its line, also one whose next question waited. */
static void lose(struct bus *b) {
    poll_lost(b->poll);
    poll_keep(b->poll, is_no_search, b, "the line was lost");
}

static void become_the_bus(struct bus *b, struct tcp_conn *conn) {
    struct tcp_conn *before = b->conn;
    b->conn = conn;
    b->heard_us = b->line->o.world->mono_us(b->line->o.world->self);
    if (before) tcp_drop(before);
    if (before) lose(b);
    step(b);
}

void bus_open(struct bus *b, struct tcp_conn *conn) {
    struct peer *p = calloc(1, sizeof *p);
    bool must_greet = b && b->line->greeting[0] && b->line->o.reach == LINE_LISTEN;
    if (!b || !p || (!must_greet && is_taken(b))) {
        free(p);
        tcp_close(conn);
        return;
    }
    p->bus = b;
    tcp_set_user(conn, p);
    if (!must_greet) become_the_bus(b, conn);
}

/* True: `bytes` are what comes behind the greeting. */
static bool is_greeted(struct bus *b, struct tcp_conn *conn, struct peer *p, struct bytes *bytes) {
    const char *want = b->line->greeting;
    size_t n = strlen(want);
    if (b->conn == conn) return true;
    while (p->greeted < n && bytes->len) {
        if (*bytes->ptr != (uint8_t)want[p->greeted]) {
            struct wire_error e = {"the gateway did not say the registration that the line asks for", p->greeted};
            struct sample x = line_sample(b->line, tcp_peer(conn).ptr, bytes->len, &e);
            figures_bad(b->line->o.figures, &x, *bytes, true);
            tcp_drop(conn);
            return false;
        }
        p->greeted++;
        *bytes = (struct bytes){bytes->ptr + 1, bytes->len - 1};
    }
    if (p->greeted < n) return false;
    become_the_bus(b, conn);
    return true;
}

void bus_bytes(struct bus *b, struct tcp_conn *conn, struct bytes bytes) {
    struct peer *p = tcp_user(conn);
    if (!p || !is_greeted(b, conn, p, &bytes) || !bytes.len) return;
    poll_feed(b->poll, mono_ms(b), bytes);
    step(b);
}

void bus_gone(struct bus *b, struct tcp_conn *conn) {
    free(tcp_user(conn));
    if (!b || b->conn != conn) return;
    b->conn = NULL;
    loop_timer_stop(b->timer);
    lose(b);
}

void bus_tick(struct bus *b) {
    step(b);
}

void bus_end_orders(struct bus *b, const char *why) {
    if (!b) return;
    lose(b);
    poll_keep(b->poll, asked_is_of_none, NULL, why);
}

/* ---- life ---- */

enum err bus_create(struct line *l, struct bus **ret, struct fault *f) {
    struct bus *b = calloc(1, sizeof *b);
    if (!b) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    /* Modbus over Serial Line V1.02, 2.5.1.1: 3.5 characters of silence between frames. */
    int64_t gap_ms = l->o.reach == LINE_SERIAL && l->o.serial.baud > 0 ? 20 + 38500 / l->o.serial.baud : 0;
    const struct poll_options o = {.codec = l->o.codec,
                                   .gap_ms = gap_ms,
                                   .calls = {.said = on_said,
                                             .refused = on_refused,
                                             .missed = on_missed,
                                             .silent = on_silent,
                                             .heard = on_heard,
                                             .noise = on_noise,
                                             .met = on_met,
                                             .ended = on_ended,
                                             .arg = b}};
    *b = (struct bus){.line = l, .refs = 1};
    figures_asks(l->o.figures);
    b->intake = (struct intake){.site = &l->site, .done = stored, .arg = b};
    arena_init(&b->arena, ARENA_CAP);
    enum err e = poll_create(&o, &b->poll, f);
    if (!e && loop_timer_create(l->loop, on_timer, b, &b->timer)) e = FAIL(f, ERR_INTERNAL, "loop", "no timer");
    if (e) {
        poll_destroy(b->poll);
        free(b);
        return e;
    }
    l->refs++;
    *ret = b;
    return OK;
}

void bus_destroy(struct bus *b) {
    if (!b) return;
    loop_timer_destroy(b->timer);
    b->timer = NULL;
    b->conn = NULL;
    release(b);
}
