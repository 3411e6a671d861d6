/* Polling of one line.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/poll/poll.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS     2000
#define GAP_MS      20
#define TRICKLE_MS  500 /* while bytes come no further apart, an answer is on its way (DL/T 645-2007, link layer) */
#define TRICKLE_MAX 4   /* times as long as is waited for its first */
#define TRIES       3
#define PARTS_MAX   32
#define PIECES_MAX  200            /* of an answer that comes by itself */
#define DATA_MAX    ((size_t)8192) /* of all parts of an answer */
#define ARENA_BYTES ((size_t)256 * 1024)
#define ADDRESS_MAX 40
#define ITEM_MAX    2000 /* a list of them, where one question may ask for many */
#define TEXT_MAX    200  /* of a value, of a key */
#define PROOF_MAX   40   /* of the item that shows that something is done */
#define NOT_SHOWN   "it took the command, and did not show in time that it is done"
#define NOT_HEARD   "it did not answer, and does not show that it is done"

struct point {
    char *item;
    int64_t every_ms, due_ms;
    uint32_t device;
    int fails; /* in a row; while others of its device answer, it is asked less and less */
    bool is_planned;
};
struct order {
    struct order *next;
    struct poll_order o; /* texts behind it */
    bool is_taken;       /* by the device, as far as anybody knows; its proof is read from now on */
    bool is_answered;    /* it said so */
    bool is_lost;        /* with the line: its proof is read once more, however late */
    int64_t due_ms;
    char proof[PROOF_MAX];
    char text[];
};
struct device { /* all points of an address */
    char address[ADDRESS_MAX + 1];
    bool is_doubted;          /* its last question was not answered: is it there at all? */
    bool is_silent;           /* none of its points was: one of them is asked now and then */
    int64_t due_ms, pause_ms; /* of a silent one */
};
struct poll {
    struct poll_options o;
    struct point *points;
    size_t n, cap;
    struct device *devices;
    size_t devices_n, devices_cap;
    size_t at;    /* of the point whose turn is next, when several are due */
    size_t found; /* of the point that was added last: plans come in the same order again */
    struct order *first;
    size_t orders_n;
    bool is_points_turn; /* before another order that can wait */
    /* the question under way, of an order or else of a point */
    struct order *told; /* NULL: none */
    struct point *asked;
    struct question q;
    int tries, pieces;
    bool is_sent;
    int64_t until_ms, free_ms; /* give up then; ask no sooner */
    int64_t first_ms, sent_ms; /* when it was said first, and last */
    uint8_t serial;
    uint8_t *in;
    size_t in_n, in_cap;
    char data[DATA_MAX];
    struct buf joined;
    struct arena arena;
};

enum err poll_create(const struct poll_options *o, struct poll **ret, struct fault *f) {
    struct poll *p = calloc(1, sizeof *p);
    if (p) p->in = malloc(p->in_cap = 2 * o->codec->frame_max + 256);
    if (!p || !p->in) {
        free(p);
        return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    p->o = *o;
    if (!p->o.wait_ms) p->o.wait_ms = o->codec->asking->wait_ms ? o->codec->asking->wait_ms : WAIT_MS;
    if (!p->o.gap_ms) p->o.gap_ms = GAP_MS;
    if (!p->o.tries) p->o.tries = TRIES;
    arena_init(&p->arena, ARENA_BYTES);
    *ret = p;
    return OK;
}

void poll_destroy(struct poll *p) {
    if (!p) return;
    arena_finish(&p->arena);
    for (size_t i = 0; i < p->n; i++) free(p->points[i].item);
    for (struct order *o = p->first, *next; o; o = next) {
        next = o->next;
        free(o);
    }
    free(p->told);
    free(p->points);
    free(p->devices);
    free(p->in);
    free(p);
}

/* ---- what is asked ---- */

static bool grow(void **all, size_t n, size_t *cap, size_t size) {
    if (n < *cap) return true;
    size_t more = *cap ? *cap * 2 : 16;
    void *grown = realloc(*all, more * size);
    if (!grown) return false;
    *all = grown;
    *cap = more;
    return true;
}

/* A device's points come one after the other, so the last one is looked at first. */
static bool find_device(struct poll *p, struct str address, uint32_t *ret) {
    for (size_t i = p->devices_n; i-- > 0;)
        if (str_is(address, p->devices[i].address)) {
            *ret = (uint32_t)i;
            return true;
        }
    if (!grow((void **)&p->devices, p->devices_n, &p->devices_cap, sizeof *p->devices)) return false;
    struct device *d = &p->devices[p->devices_n];
    *d = (struct device){0};
    memcpy(d->address, address.ptr, address.len);
    *ret = (uint32_t)p->devices_n++;
    return true;
}

static bool can_ask(struct poll *p, const struct question *q) {
    struct buf ignored;
    buf_init_arena(&ignored, &p->arena, p->o.codec->frame_max + 1);
    bool ok = q->address.len <= ADDRESS_MAX && q->item.len <= ITEM_MAX && q->value.len <= TEXT_MAX &&
              q->key.len <= TEXT_MAX && p->o.codec->asking->ask(q, &ignored);
    arena_reset(&p->arena);
    return ok;
}

static struct point *find_point(struct poll *p, uint32_t device, struct str item) {
    for (size_t k = 0; k < p->n; k++) {
        struct point *x = &p->points[(p->found + k) % p->n];
        if (x->device == device && str_is(item, x->item)) return x;
    }
    return NULL;
}

enum err poll_add(struct poll *p, struct str address, struct str item, int64_t every_ms, struct fault *f) {
    if (!can_ask(p, &(struct question){.address = address, .item = item}))
        return FAIL_FIELD(f, "address", "bad_address", 0);
    uint32_t device = 0;
    bool has_room = find_device(p, address, &device);
    if (p->asked) p->q.address = str_of(p->devices[p->asked->device].address); /* they may have moved */
    struct point *x = has_room ? find_point(p, device, item) : NULL;
    if (!x && p->n == POLL_POINTS_MAX)
        return FAIL(f, ERR_LIMIT, "too_many", "no more than %d points a line", POLL_POINTS_MAX);
    if (!x) {
        size_t asked_at = p->asked ? (size_t)(p->asked - p->points) : 0;
        char *text = malloc(item.len + 1);
        if (!text || !has_room || !grow((void **)&p->points, p->n, &p->cap, sizeof *p->points)) {
            free(text);
            return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
        }
        if (p->asked) p->asked = &p->points[asked_at];
        if (item.len) memcpy(text, item.ptr, item.len);
        text[item.len] = 0;
        x = &p->points[p->n++];
        *x = (struct point){.item = text, .due_ms = INT64_MIN, .device = device};
        p->devices[device].due_ms = INT64_MIN;
    }
    x->every_ms = every_ms;
    x->is_planned = true;
    p->found = (size_t)(x - p->points) + 1;
    return OK;
}

void poll_plan_begin(struct poll *p) {
    for (size_t i = 0; i < p->n; i++) p->points[i].is_planned = false;
    p->found = 0;
}

/* The question under way ends by itself: a point that goes meanwhile is not waited for. */
void poll_plan_end(struct poll *p) {
    size_t kept = 0;
    struct point *asked = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct point x = p->points[i];
        bool is_asked = p->asked == &p->points[i];
        if (!x.is_planned) {
            free(x.item);
            if (is_asked) p->is_sent = false;
            continue;
        }
        if (is_asked) asked = &p->points[kept];
        p->points[kept++] = x;
    }
    p->n = kept;
    p->asked = asked;
    p->at = p->found = 0;
    if (asked) p->q.item = str_of(asked->item);
}

static struct str keep(char **at, struct str s) {
    if (!s.ptr) return s;
    char *text = *at;
    if (s.len) memcpy(text, s.ptr, s.len);
    *at += s.len;
    return (struct str){text, s.len};
}

enum err poll_order(struct poll *p, const struct poll_order *o, struct fault *f) {
    if (!can_ask(p, &o->q)) return FAIL(f, ERR_INVALID, "bad_item", "its protocol cannot say this");
    if (p->orders_n >= POLL_ORDERS_MAX)
        return FAIL(f, ERR_LIMIT, "too_many", "no more than %d may wait on a line", POLL_ORDERS_MAX);
    struct order *x = malloc(sizeof *x + o->q.address.len + o->q.item.len + o->q.value.len + o->q.key.len + 1);
    if (!x) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    *x = (struct order){.o = *o};
    char *at = x->text;
    x->o.q.address = keep(&at, o->q.address);
    x->o.q.item = keep(&at, o->q.item);
    x->o.q.value = keep(&at, o->q.value);
    x->o.q.key = keep(&at, o->q.key);
    struct order **to = &p->first;
    while (*to && (o->can_wait || !(*to)->o.can_wait)) to = &(*to)->next;
    x->next = *to;
    *to = x;
    p->orders_n++;
    return OK;
}

void poll_now(struct poll *p, struct str address) {
    for (size_t i = 0; i < p->n; i++) {
        struct device *d = &p->devices[p->points[i].device];
        if (address.ptr && !str_is(address, d->address)) continue;
        p->points[i].due_ms = d->due_ms = INT64_MIN;
    }
}

/* A device that is doubted is asked at once for what it answered so far: one answer, and it is there. */
static int64_t due_of(const struct poll *p, const struct point *x) {
    const struct device *d = &p->devices[x->device];
    if (d->is_silent) return d->due_ms;
    return d->is_doubted && !x->fails ? INT64_MIN : x->due_ms;
}

/* Of a silent device's points the one that failed least: it may hold such as were never answered. */
static struct point *probe(struct poll *p, struct point *x) {
    for (size_t i = 0; i < p->n; i++)
        if (p->points[i].device == x->device && p->points[i].fails < x->fails) x = &p->points[i];
    return x;
}

/* Round robin among those that are due, so that none waits for one that is due again and again. */
static struct point *next_due(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    *ret_next_ms = INT64_MAX;
    for (size_t k = 0; k < p->n; k++) {
        size_t i = (p->at + k) % p->n;
        int64_t due_ms = due_of(p, &p->points[i]);
        if (due_ms <= now_ms) {
            p->at = (i + 1) % p->n;
            return p->devices[p->points[i].device].is_silent ? probe(p, &p->points[i]) : &p->points[i];
        }
        if (due_ms < *ret_next_ms) *ret_next_ms = due_ms;
    }
    return NULL;
}

/* ---- a question's way ---- */

static void begin(struct poll *p, const struct question *q) {
    p->tries = 0;
    p->q = *q;
    p->q.serial = ++p->serial;
}

static struct order *take_order(struct poll *p, struct order **at) {
    struct order *o = *at;
    *at = o->next;
    p->orders_n--;
    return o;
}

/* Before all others, so that these wait for it where they are for the same device.  Beyond the bound, by one at most:
 * it was within before. */
static void put_back(struct poll *p, struct order *o, int64_t due_ms) {
    o->due_ms = due_ms;
    o->next = p->first;
    p->first = o;
    p->orders_n++;
}

static bool is_held(const struct poll *p, const struct order *o) {
    for (const struct order *x = p->first; x && x != o && x->is_taken; x = x->next)
        if (str_eq(x->o.q.address, o->o.q.address)) return true;
    return false;
}

/* NULL: it is no order's turn before *ret_next_ms. */
static struct order **next_order(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    for (struct order **at = &p->first; *at; at = &(*at)->next) {
        if (is_held(p, *at)) continue;
        if ((*at)->due_ms <= now_ms) return at;
        if ((*at)->due_ms < *ret_next_ms) *ret_next_ms = (*at)->due_ms;
    }
    return NULL;
}

static void end_order(struct poll *p, struct order *o, enum poll_end end, const struct decoded *d, const char *why) {
    if (p->o.calls.ended) p->o.calls.ended(p->o.calls.arg, o->o.tag, &o->o.q, end, d, why);
    free(o);
}

static bool begin_point(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    p->is_points_turn = false;
    p->asked = next_due(p, now_ms, ret_next_ms);
    if (!p->asked) return false;
    struct question q = {.address = str_of(p->devices[p->asked->device].address), .item = str_of(p->asked->item)};
    begin(p, &q);
    return true;
}

static void begin_order(struct poll *p, struct order *o) {
    struct question q = o->o.q;
    p->told = o;
    p->is_points_turn = o->o.can_wait;
    o->is_lost = false;
    if (o->is_taken) q = (struct question){.address = o->o.q.address, .item = str_of(o->proof)};
    begin(p, &q);
}

/* Orders nobody wants any more, then the first of the others, then the points. */
static void begin_next(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    int64_t order_ms = INT64_MAX;
    struct order **at = next_order(p, now_ms, &order_ms);
    if (p->is_points_turn && at && (*at)->o.can_wait && begin_point(p, now_ms, ret_next_ms)) return;
    for (; at; at = next_order(p, now_ms, &order_ms)) {
        struct order *o = take_order(p, at);
        if (o->o.until_ms > now_ms || o->is_lost) {
            begin_order(p, o);
            return;
        }
        if (!o->is_taken)
            end_order(p, o, POLL_LOST, NULL, "the line was not free in time");
        else if (o->is_answered)
            end_order(p, o, POLL_REFUSED, NULL, NOT_SHOWN);
        else
            end_order(p, o, POLL_SILENT, NULL, NOT_HEARD);
    }
    if (!begin_point(p, now_ms, ret_next_ms) && order_ms < *ret_next_ms) *ret_next_ms = order_ms;
}

static void put_question(struct poll *p, int64_t now_ms, struct buf *out) {
    if (!p->q.part) buf_init(&p->joined, p->data, sizeof p->data);
    p->pieces = 0;
    (void)p->o.codec->asking->ask(&p->q, out);
    p->is_sent = true;
    p->sent_ms = now_ms;
    if (!p->tries) p->first_ms = now_ms;
    p->in_n = 0; /* what came before it answers nothing */
    p->until_ms = now_ms + p->o.wait_ms;
}

static void rest(struct poll *p, int64_t now_ms) {
    p->is_sent = false;
    p->free_ms = now_ms + p->o.gap_ms;
}

/* What was said again may be answered twice; where answers are blind the second must not be taken for that to the next
 * question, so it is waited for as long as the first was. */
static void rest_behind(struct poll *p, int64_t now_ms, bool answered) {
    rest(p, now_ms);
    if (!p->tries || !p->o.codec->is_blind) return;
    p->free_ms = answered ? p->sent_ms + (now_ms - p->first_ms) + p->o.wait_ms / 4 : now_ms + p->o.wait_ms;
}

static size_t points_without_fail(const struct poll *p, uint32_t device) {
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) n += p->points[i].device == device && !p->points[i].fails;
    return n;
}

static int64_t longer(int64_t pause_ms, int64_t every_ms) {
    if (every_ms >= POLL_BACKOFF_MS) return every_ms;
    return pause_ms < POLL_BACKOFF_MS / 2 ? pause_ms * 2 : POLL_BACKOFF_MS;
}

/* Once it is back all of it is old: all of it is due. */
static void it_spoke(struct poll *p, struct point *x, int64_t now_ms) {
    struct device *d = &p->devices[x->device];
    for (size_t i = 0; d->is_silent && i < p->n; i++) {
        struct point *other = &p->points[i];
        if (other->device != x->device) continue;
        other->fails = 0;
        other->due_ms = INT64_MIN;
    }
    d->is_silent = d->is_doubted = false;
    x->fails = 0;
    x->due_ms = now_ms + x->every_ms;
}

/* The line is others', too.  One item that a device does not answer is no silent device. */
static void it_was_silent(struct poll *p, struct point *x, int64_t now_ms) {
    struct device *d = &p->devices[x->device];
    int64_t pause_ms = x->every_ms, every_ms = INT64_MAX;
    if (x->fails < 1000) x->fails++;
    for (int k = 0; k < x->fails && pause_ms < POLL_BACKOFF_MS; k++) pause_ms = longer(pause_ms, x->every_ms);
    x->due_ms = now_ms + pause_ms;
    d->is_doubted = true;
    if (points_without_fail(p, x->device)) return;
    for (size_t i = 0; i < p->n; i++)
        if (p->points[i].device == x->device && p->points[i].every_ms < every_ms) every_ms = p->points[i].every_ms;
    d->pause_ms = longer(d->is_silent ? d->pause_ms : every_ms, every_ms);
    d->due_ms = now_ms + d->pause_ms;
    d->is_silent = true;
}

static void settle(struct poll *p, int64_t now_ms, bool answered) {
    struct point *x = p->asked;
    rest_behind(p, now_ms, answered);
    p->asked = NULL;
    if (!x) return; /* it left the plan */
    struct device *d = &p->devices[x->device];
    bool was = d->is_silent;
    (answered ? it_spoke : it_was_silent)(p, x, now_ms);
    if (was != d->is_silent && p->o.calls.silent) p->o.calls.silent(p->o.calls.arg, str_of(d->address), d->is_silent);
}

static void settle_order(struct poll *p, int64_t now_ms, enum poll_end end, const struct decoded *d, const char *why) {
    struct order *o = p->told;
    rest_behind(p, now_ms, end != POLL_SILENT);
    p->told = NULL;
    end_order(p, o, end, d, why);
}

/* ---- proofs ---- */

/* It was said.  False: what was answered is all there is to know. */
static bool wants_proof(const struct poll *p, struct order *o, int64_t now_ms) {
    const struct asking *asking = p->o.codec->asking;
    struct buf item;
    int64_t within_ms;
    if (o->is_taken) return true;
    buf_init(&item, o->proof, sizeof o->proof);
    if (!asking->proof || !asking->proof(&o->o.q, &item, &within_ms) || item.overflow || item.len == sizeof o->proof)
        return false;
    o->proof[item.len] = 0;
    o->o.until_ms = now_ms + within_ms;
    return true;
}

static void look_again(struct poll *p, int64_t now_ms, int64_t due_ms) {
    struct order *o = p->told;
    rest_behind(p, now_ms, o->is_taken || o->is_answered);
    p->told = NULL;
    o->is_taken = true;
    put_back(p, o, due_ms < o->o.until_ms ? due_ms : o->o.until_ms);
}

/* The answer to what was told shows a fault at most: the device has had no time yet. */
static void prove(struct poll *p, int64_t now_ms, const struct decoded *d) {
    struct order *o = p->told;
    const char *why = NULL;
    enum proof proof = p->o.codec->asking->shows(&o->o.q, d, &why);
    o->is_answered |= !o->is_taken;
    if (p->o.calls.said) p->o.calls.said(p->o.calls.arg, &p->q, d);
    if (proof == PROOF_FAILED)
        settle_order(p, now_ms, POLL_REFUSED, NULL, why);
    else if (!o->is_taken)
        look_again(p, now_ms, now_ms);
    else if (proof == PROOF_DONE)
        settle_order(p, now_ms, POLL_ANSWERED, d, NULL);
    else
        look_again(p, now_ms, now_ms + POLL_PROOF_MS);
}

static void give_up(struct poll *p, int64_t now_ms, const char *why) {
    struct question q = p->q;
    if (p->told && p->told->is_taken) {
        look_again(p, now_ms, now_ms + POLL_PROOF_MS);
        return;
    }
    if (p->told && wants_proof(p, p->told, now_ms)) { /* it may have done it all the same, and is not told twice */
        look_again(p, now_ms, now_ms);
        return;
    }
    if (p->told) {
        settle_order(p, now_ms, POLL_SILENT, NULL, why);
        return;
    }
    if (p->asked && p->o.calls.missed) p->o.calls.missed(p->o.calls.arg, &q);
    settle(p, now_ms, false);
}

/* Whether a doubted device is there, is asked once for each point, the last of them apart. */
static int tries_of(const struct poll *p) {
    const struct point *x = p->asked;
    if (p->told && !p->told->is_taken) return p->told->o.tries;
    if (!x || !p->devices[x->device].is_doubted || p->devices[x->device].is_silent || x->fails) return p->o.tries;
    return points_without_fail(p, x->device) > 1 ? 1 : p->o.tries;
}

static void give_up_if_late(struct poll *p, int64_t now_ms) {
    if (!p->is_sent || now_ms < p->until_ms) return;
    rest(p, now_ms);
    if (++p->tries >= tries_of(p)) give_up(p, now_ms, "no answer");
}

struct str poll_asked(const struct poll *p) {
    return p->is_sent ? p->q.address : (struct str){NULL, 0};
}

int64_t poll_step(struct poll *p, int64_t now_ms, struct buf *out) {
    int64_t next_ms = INT64_MAX;
    give_up_if_late(p, now_ms);
    if (p->is_sent) return p->until_ms;
    if (now_ms < p->free_ms) return p->free_ms;
    if (!p->told && !p->asked) begin_next(p, now_ms, &next_ms);
    if (!p->told && !p->asked) return next_ms;
    put_question(p, now_ms, out);
    return p->until_ms;
}

/* What is refused as a list may be had in parts, where one item of it is not there.  False: it is no list. */
static bool halve(struct poll *p, size_t n) {
    char *item = p->points[n].item, *cut = strchr(item + strlen(item) / 2, ' ');
    if (!cut) cut = strrchr(item, ' ');
    size_t len = cut ? strlen(cut + 1) : 0;
    char *rest = cut && p->n < POLL_POINTS_MAX ? malloc(len + 1) : NULL;
    if (!rest || !grow((void **)&p->points, p->n, &p->cap, sizeof *p->points)) {
        free(rest);
        return false;
    }
    memcpy(rest, cut + 1, len + 1);
    *cut = 0;
    struct point *x = &p->points[n];
    x->due_ms = INT64_MIN;
    p->points[p->n] = *x;
    p->points[p->n++].item = rest;
    return true;
}

/* ---- what comes ---- */

static void noise(const struct poll *p, struct bytes bytes, const char *rule) {
    if (bytes.len && p->o.calls.noise) p->o.calls.noise(p->o.calls.arg, bytes, rule);
}

static void whole_answer(struct poll *p, int64_t now_ms) {
    struct decoded d = {0};
    struct wire_error e = {NULL, 0};
    struct bytes data = {(const uint8_t *)p->joined.ptr, p->joined.len};
    struct question q = p->q;
    bool ok = !p->joined.overflow && p->o.codec->asking->read(&q, data, &p->arena, &d, &e), is_told = p->told;
    if (!e.rule) e.rule = WIRE_LIMIT "the answer is too long";
    bool was_taken = is_told && p->told->is_taken, is_proven = is_told && wants_proof(p, p->told, now_ms);
    if (is_proven && ok)
        prove(p, now_ms, &d);
    else if (is_proven)
        look_again(p, now_ms, was_taken ? now_ms + POLL_PROOF_MS : now_ms);
    else if (is_told)
        settle_order(p, now_ms, ok ? POLL_ANSWERED : POLL_REFUSED, ok ? &d : NULL, ok ? NULL : e.rule);
    else
        settle(p, now_ms, true);
    if (ok && !is_told) p->o.calls.said(p->o.calls.arg, &q, &d);
    if (!ok) noise(p, data, e.rule);
    arena_reset(&p->arena);
}

static void refused(struct poll *p, int64_t now_ms, const char *why) {
    struct question q = p->q;
    const struct point *x = p->asked;
    if (p->told && p->told->is_taken) {
        look_again(p, now_ms, now_ms + POLL_PROOF_MS);
        return;
    }
    if (p->told) {
        settle_order(p, now_ms, POLL_REFUSED, NULL, why);
        return;
    }
    settle(p, now_ms, true); /* it spoke */
    if (x && halve(p, (size_t)(x - p->points))) return;
    if (p->o.calls.refused) p->o.calls.refused(p->o.calls.arg, &q, why);
}

static void take(struct poll *p, int64_t now_ms, struct bytes whole) {
    const char *why = "";
    size_t before = p->joined.len;
    enum answer answer = p->is_sent ? p->o.codec->asking->answers(&p->q, whole, &p->joined, &why) : ANSWER_OTHER;
    if (answer != ANSWER_OTHER && p->o.calls.heard) p->o.calls.heard(p->o.calls.arg, whole);
    switch (answer) {
    case ANSWER_OTHER:
        p->joined.len = before;
        noise(p, whole, NULL);
        return;
    case ANSWER_WHOLE: whole_answer(p, now_ms); return;
    case ANSWER_PART:
        if (++p->q.part == PARTS_MAX) { /* it never ends */
            p->tries = p->o.tries;
            give_up(p, now_ms, "its answer has no end");
            return;
        }
        rest(p, now_ms);
        p->tries = 0;
        return;
    case ANSWER_MORE:
        p->until_ms = now_ms + p->o.wait_ms;
        if (++p->pieces == PIECES_MAX || p->joined.overflow) give_up(p, now_ms, "its answer has no end");
        return;
    case ANSWER_REFUSED: refused(p, now_ms, why); return;
    }
}

static void forget(struct poll *p, size_t n) {
    memmove(p->in, p->in + n, p->in_n - n);
    p->in_n -= n;
}

static void drop_noise(struct poll *p, size_t n) {
    noise(p, (struct bytes){p->in, n}, "these bytes are no frame");
    forget(p, n);
}

/* What is no frame is told in one piece up to where one may begin. */
static void split(struct poll *p, int64_t now_ms) {
    size_t skipped = 0;
    while (skipped < p->in_n) {
        size_t len = 0;
        enum frame what = p->o.codec->frame((struct bytes){p->in + skipped, p->in_n - skipped}, &len);
        if (what == FRAME_SKIP) {
            skipped += len < p->in_n - skipped ? len : p->in_n - skipped;
            continue;
        }
        drop_noise(p, skipped);
        skipped = 0;
        if (what == FRAME_SHORT) return;
        take(p, now_ms, (struct bytes){p->in, len});
        forget(p, len);
    }
    drop_noise(p, skipped);
}

void poll_feed(struct poll *p, int64_t now_ms, struct bytes in) {
    bool is_coming = p->is_sent && in.len && now_ms < p->sent_ms + TRICKLE_MAX * p->o.wait_ms;
    if (is_coming && p->until_ms < now_ms + TRICKLE_MS) p->until_ms = now_ms + TRICKLE_MS;
    while (in.len) {
        size_t room = p->in_cap - p->in_n, n = in.len < room ? in.len : room;
        memcpy(p->in + p->in_n, in.ptr, n);
        p->in_n += n;
        in = (struct bytes){in.ptr + n, in.len - n};
        split(p, now_ms);
    }
}

void poll_lost(struct poll *p) {
    struct order *o = p->told;
    if (p->asked) p->asked->due_ms = INT64_MIN;
    p->told = NULL;
    p->asked = NULL;
    p->is_sent = false;
    p->in_n = 0;
    if (o && wants_proof(p, o, p->sent_ms)) {
        o->is_taken = o->is_lost = true;
        put_back(p, o, INT64_MIN);
    } else if (o) {
        end_order(p, o, POLL_LOST, NULL, "the line was lost before an answer");
    }
}
