/* Polling of one line: the question under way, and what comes.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/poll/poll_internal.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS     2000
#define GAP_MS      20
#define TRICKLE_MS  500 /* while bytes come no further apart, an answer is on its way (DL/T 645-2007, link layer) */
#define DELAY_MS    500 /* that a meter may take at most to begin (the same) */
#define TRICKLE_MAX 4   /* times as long as is waited for its first */
#define TRIES       3
#define PARTS_MAX   32
#define PIECES_MAX  200 /* of an answer that comes by itself */
#define ECHOES      3   /* readings in a row: the line does bring back what is said */
#define ARENA_BYTES ((size_t)256 * 1024)

enum err poll_create(const struct poll_options *o, struct poll **ret, struct fault *f) {
    struct poll *p = calloc(1, sizeof *p);
    if (p) p->in = malloc(p->in_cap = 2 * o->codec->frame_max + 256);
    if (p) p->said = malloc(o->codec->frame_max + 1);
    if (!p || !p->in || !p->said) {
        if (p) free(p->in);
        if (p) free(p->said);
        free(p);
        return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    }
    p->o = *o;
    if (!p->o.wait_ms) p->o.wait_ms = o->codec->asking->wait_ms ? o->codec->asking->wait_ms : WAIT_MS;
    if (!p->o.gap_ms) p->o.gap_ms = GAP_MS;
    if (!p->o.tries) p->o.tries = TRIES;
    p->patient_ms = INT64_MIN;
    arena_init(&p->arena, ARENA_BYTES);
    *ret = p;
    return OK;
}

void poll_destroy(struct poll *p) {
    if (!p) return;
    arena_finish(&p->arena);
    poll_points_free(p);
    poll_orders_free(p);
    free(p->in);
    free(p->said);
    free(p);
}

/* ---- a question's way ---- */

void poll_begin(struct poll *p, const struct question *q) {
    p->tries = 0;
    p->q = *q;
    p->q.item = poll_item_for(p, q->address, q->item, p->otherwise);
    p->q.serial = ++p->serial;
}

/* Orders, then the points; these have the line as long as an order that can wait had it. */
static void begin_next(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    int64_t order_ms;
    if (p->patient_ms != INT64_MIN) p->points_until_ms = now_ms + (now_ms - p->patient_ms);
    p->patient_ms = INT64_MIN;
    if ((p->is_points_turn || now_ms < p->points_until_ms) && poll_orders_can_wait(p, now_ms) &&
        poll_point_begin(p, now_ms, ret_next_ms))
        return;
    if (poll_order_begin(p, now_ms, &order_ms) || poll_point_begin(p, now_ms, ret_next_ms)) return;
    if (order_ms < *ret_next_ms) *ret_next_ms = order_ms;
}

/* A search is a hundred questions, most of them to nobody: whoever is there is about as quick as those heard so far. */
static int64_t wait_for_many(const struct poll *p) {
    int64_t ms = DELAY_MS + 2 * (p->slowest_ms - 1);
    return p->o.codec->asking->narrow && p->slowest_ms && ms < p->o.wait_ms ? ms : p->o.wait_ms;
}

static void put_question(struct poll *p, int64_t now_ms, struct buf *out) {
    if (!p->q.part) buf_init(&p->joined, p->data, sizeof p->data);
    p->pieces = 0;
    poll_number(p, now_ms);
    size_t before = out->len;
    (void)p->o.codec->asking->ask(&p->q, out);
    p->is_echoed = p->is_met = p->is_denied = false;
    p->garbled_n = 0;
    p->said_n = out->overflow || out->len - before > p->o.codec->frame_max ? 0 : out->len - before;
    if (p->said_n) memcpy(p->said, out->ptr + before, p->said_n);
    p->is_sent = true;
    p->sent_ms = now_ms;
    if (!p->tries) p->first_ms = now_ms;
    p->in_n = 0; /* what came before it answers nothing */
    p->until_ms = now_ms + (poll_is_to_many(p) ? wait_for_many(p) : p->o.wait_ms);
}

static void rest(struct poll *p, int64_t now_ms) {
    p->is_sent = false;
    p->free_ms = now_ms + p->o.gap_ms;
}

/* What was said again may be answered twice; where answers are blind the second must not be taken for that to the next
 * question, so it is waited for as long as the first was. */
void poll_rest_behind(struct poll *p, int64_t now_ms, bool answered) {
    rest(p, now_ms);
    if (!p->tries || !p->o.codec->is_blind) return;
    p->free_ms = answered ? p->sent_ms + (now_ms - p->first_ms) + p->o.wait_ms / 4 : now_ms + p->o.wait_ms;
}

static void give_up(struct poll *p, int64_t now_ms, const char *why) {
    struct question q = p->q;
    poll_number_anew(p);
    if (poll_is_to_many(p)) {
        poll_order_heard_out(p, now_ms);
        return;
    }
    if (p->told) {
        poll_order_silent(p, now_ms, why);
        return;
    }
    if (poll_point_settle(p, now_ms, POLL_SILENT) && p->o.calls.missed) p->o.calls.missed(p->o.calls.arg, &q);
}

static void give_up_if_late(struct poll *p, int64_t now_ms) {
    if (!p->is_sent || now_ms < p->until_ms) return;
    p->garbled_n += p->in_n; /* a frame that did not come to its end */
    rest(p, now_ms);
    if (++p->tries >= (p->told ? poll_order_tries(p) : poll_point_tries(p))) give_up(p, now_ms, "no answer");
}

struct str poll_asked(const struct poll *p) {
    return p->is_sent ? p->q.address : (struct str){NULL, 0};
}

struct bytes poll_said(const struct poll *p) {
    bool is_secret = p->q.value.ptr || p->q.key.len;
    return p->is_sent && !is_secret ? (struct bytes){p->said, p->said_n} : (struct bytes){NULL, 0};
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

/* ---- what comes ---- */

static void noise(struct poll *p, struct bytes bytes, const char *rule) {
    if (rule) p->garbled_n += bytes.len;
    if (bytes.len && p->o.calls.noise) p->o.calls.noise(p->o.calls.arg, bytes, rule);
}

/* Of what is to many: others may follow, but not without end. */
static void await_others(struct poll *p, int64_t now_ms) {
    int64_t end_ms = p->sent_ms + TRICKLE_MAX * p->o.wait_ms, wait_ms = wait_for_many(p);
    buf_init(&p->joined, p->data, sizeof p->data);
    p->until_ms = now_ms + wait_ms < end_ms ? now_ms + wait_ms : end_ms;
}

static void met(struct poll *p, int64_t now_ms, const struct decoded *d) {
    p->is_met |= d != NULL;
    if (d && p->o.calls.met) p->o.calls.met(p->o.calls.arg, p->told->o.tag, &p->told->o.q, d);
    await_others(p, now_ms);
}

static void whole_answer(struct poll *p, int64_t now_ms) {
    struct decoded d = {0};
    struct wire_error e = {NULL, 0};
    struct bytes data = {(const uint8_t *)p->joined.ptr, p->joined.len};
    struct question q = p->q;
    bool ok = !p->joined.overflow && p->o.codec->asking->read(&q, data, &p->arena, &d, &e), is_told = p->told;
    if (!e.rule) e.rule = WIRE_LIMIT "the answer is too long";
    if (poll_is_to_many(p))
        met(p, now_ms, ok ? &d : NULL);
    else if (is_told)
        poll_order_answered(p, now_ms, ok ? &d : NULL, ok ? NULL : e.rule);
    else
        (void)poll_point_settle(p, now_ms, POLL_ANSWERED);
    if (ok && !is_told) p->o.calls.said(p->o.calls.arg, &q, &d);
    if (!ok) noise(p, data, e.rule);
    arena_reset(&p->arena);
}

static void refused(struct poll *p, int64_t now_ms, const char *why) {
    struct question q = p->q;
    const struct point *x = p->asked;
    if (poll_is_to_many(p)) {
        p->is_denied = true;
        await_others(p, now_ms);
        return;
    }
    if (p->told) {
        poll_order_refused(p, now_ms, why);
        return;
    }
    bool is_over = poll_point_settle(p, now_ms, POLL_REFUSED);
    if (x && (!is_over || poll_point_halve(p, (size_t)(x - p->points)))) return;
    if (p->o.calls.refused) p->o.calls.refused(p->o.calls.arg, &q, why);
}

/* It is asked anew, unless it may have been done already when it was said before. */
static void asked_anew(struct poll *p, int64_t now_ms, const char *why) {
    poll_number_anew(p);
    if ((p->q.value.ptr && p->tries) || (p->told && p->told->dropped)) {
        refused(p, now_ms, why);
        return;
    }
    rest(p, now_ms);
    p->tries = 0;
}

/* Adapters that bring back what is said: of a reading the codec tells that from its answer; what is written is often
 * answered with the same bytes, so on such a line the first of them are the echo. */
static bool is_echo(struct poll *p, struct bytes whole, enum answer answer) {
    bool is_same = p->is_sent && whole.len == p->said_n && !memcmp(whole.ptr, p->said, p->said_n);
    if (is_same && !p->is_echoed && (answer == ANSWER_OTHER || p->echoes >= ECHOES)) return p->is_echoed = true;
    if (answer == ANSWER_OTHER || p->q.value.ptr) return false;
    p->echoes = !p->is_echoed ? 0 : p->echoes < ECHOES ? p->echoes + 1 : ECHOES;
    return false;
}

static void take(struct poll *p, int64_t now_ms, struct bytes whole) {
    const char *why = "";
    size_t before = p->joined.len;
    enum answer answer = p->is_sent ? p->o.codec->asking->answers(&p->q, whole, &p->joined, &why) : ANSWER_OTHER;
    if (is_echo(p, whole, answer)) answer = ANSWER_OTHER;
    if (answer != ANSWER_OTHER && p->slowest_ms <= now_ms - p->sent_ms) p->slowest_ms = now_ms - p->sent_ms + 1;
    if (answer != ANSWER_OTHER && p->o.calls.heard) p->o.calls.heard(p->o.calls.arg, whole);
    switch (answer) {
    case ANSWER_OTHER:
        p->joined.len = before;
        noise(p, whole, NULL);
        return;
    case ANSWER_WHOLE: whole_answer(p, now_ms); return;
    case ANSWER_PART:
        if (++p->q.part == PARTS_MAX || (p->told && p->told->dropped)) { /* it never ends, or nobody wants it */
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
    case ANSWER_ANEW: asked_anew(p, now_ms, why); return;
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
    poll_numbers_anew(p);
    if (p->asked) p->asked->due_ms = INT64_MIN;
    p->asked = NULL;
    p->is_sent = false;
    p->in_n = 0;
    p->slowest_ms = 0;
    p->patient_ms = INT64_MIN;
    poll_order_lost(p);
}
