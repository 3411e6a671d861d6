/* Orders: what is asked or told once, and the proof that it was done.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/poll/poll_internal.h"

#include <stdlib.h>
#include <string.h>

#define STRAY_BYTES 8 /* fewer beside an answer are of the line, and nobody's: no frame is so short */
#define NOT_SHOWN   "it took the command, and did not show in time that it is done"
#define NOT_HEARD   "it did not answer, and does not show that it is done"

static struct str keep(char **at, struct str s) {
    if (!s.ptr) return s;
    char *text = *at;
    if (s.len) memcpy(text, s.ptr, s.len);
    *at += s.len;
    return (struct str){text, s.len};
}

enum err poll_order(struct poll *p, const struct poll_order *o, struct fault *f) {
    if (!poll_can_ask(p, &o->q)) return FAIL(f, ERR_INVALID, "bad_item", "its protocol cannot say this");
    const size_t most = o->can_wait ? POLL_PATIENT_MAX : POLL_ORDERS_MAX;
    if (p->orders_n >= most) return FAIL(f, ERR_LIMIT, "too_many", "no more than %zu may wait on a line", most);
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

/* ---- turns ---- */

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

void poll_keep(struct poll *p, bool (*is_wanted)(void *arg, const struct poll_order *o), void *arg, const char *why) {
    if (p->told && !is_wanted(arg, &p->told->o)) p->told->dropped = why;
    for (struct order **at = &p->first; *at;) {
        if (is_wanted(arg, &(*at)->o))
            at = &(*at)->next;
        else
            end_order(p, take_order(p, at), POLL_LOST, NULL, why);
    }
}

static void begin_order(struct poll *p, struct order *o, int64_t now_ms) {
    struct question q = o->o.q;
    if (q.now_s) q.now_s += (now_ms - o->o.now_ms) / 1000;
    p->told = o;
    p->is_points_turn = o->o.can_wait;
    if (o->o.can_wait) p->patient_ms = now_ms;
    o->is_lost = false;
    if (o->is_taken) q = (struct question){.address = o->o.q.address, .item = str_of(o->proof)};
    poll_begin(p, &q);
}

bool poll_orders_can_wait(struct poll *p, int64_t now_ms) {
    int64_t ignored = INT64_MAX;
    struct order **at = next_order(p, now_ms, &ignored);
    return at && (*at)->o.can_wait;
}

/* Without those that nobody wants any more. */
bool poll_order_begin(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    struct order **at;
    *ret_next_ms = INT64_MAX;
    while ((at = next_order(p, now_ms, ret_next_ms))) {
        struct order *o = take_order(p, at);
        if (o->o.until_ms > now_ms || o->is_lost) {
            begin_order(p, o, now_ms);
            return true;
        }
        if (!o->is_taken)
            end_order(p, o, POLL_LOST, NULL, "the line was not free in time");
        else if (o->is_answered)
            end_order(p, o, POLL_REFUSED, NULL, NOT_SHOWN);
        else
            end_order(p, o, POLL_SILENT, NULL, NOT_HEARD);
    }
    return false;
}

/* ---- what came of it ---- */

static void settle_order(struct poll *p, int64_t now_ms, enum poll_end end, const struct decoded *d, const char *why) {
    struct order *o = p->told;
    poll_rest_behind(p, now_ms, end != POLL_SILENT);
    p->told = NULL;
    if (o->dropped)
        end_order(p, o, POLL_LOST, NULL, o->dropped);
    else
        end_order(p, o, end, d, why);
}

/* It was said.  False: what was answered is all there is to know. */
static bool wants_proof(const struct poll *p, struct order *o, int64_t now_ms) {
    const struct asking *asking = p->o.codec->asking;
    struct buf item;
    int64_t within_ms;
    if (o->dropped) return false;
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
    poll_rest_behind(p, now_ms, o->is_taken || o->is_answered);
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

int poll_order_tries(const struct poll *p) {
    const struct asking *asking = p->o.codec->asking;
    if (p->told->dropped) return 1;
    bool is_known_again = asking->is_known_again && asking->is_known_again(&p->q);
    return p->told->is_taken || is_known_again ? p->o.tries : p->told->o.tries;
}

void poll_order_answered(struct poll *p, int64_t now_ms, const struct decoded *d, const char *why) {
    bool was_taken = p->told->is_taken;
    if (!wants_proof(p, p->told, now_ms))
        settle_order(p, now_ms, d ? POLL_ANSWERED : POLL_REFUSED, d, why);
    else if (d)
        prove(p, now_ms, d);
    else
        look_again(p, now_ms, was_taken ? now_ms + POLL_PROOF_MS : now_ms);
}

void poll_order_refused(struct poll *p, int64_t now_ms, const char *why) {
    if (p->told->is_taken && !p->told->dropped)
        look_again(p, now_ms, now_ms + POLL_PROOF_MS);
    else
        settle_order(p, now_ms, POLL_REFUSED, NULL, why);
}

/* It may have done it all the same, and is not told twice. */
void poll_order_silent(struct poll *p, int64_t now_ms, const char *why) {
    bool was_taken = p->told->is_taken;
    if (wants_proof(p, p->told, now_ms))
        look_again(p, now_ms, was_taken ? now_ms + POLL_PROOF_MS : now_ms);
    else
        settle_order(p, now_ms, POLL_SILENT, NULL, why);
}

bool poll_is_to_many(const struct poll *p) {
    return p->told && p->told->o.is_to_many;
}

void poll_order_heard_out(struct poll *p, int64_t now_ms) {
    bool is_garbled = p->garbled_n >= (p->is_met ? STRAY_BYTES : 1);
    if (is_garbled || (p->is_denied && p->is_met))
        settle_order(p, now_ms, POLL_GARBLED, NULL, "several answered at once");
    else if (p->is_denied)
        settle_order(p, now_ms, POLL_REFUSED, NULL, "it was refused");
    else if (p->is_met)
        settle_order(p, now_ms, POLL_ANSWERED, NULL, NULL);
    else
        settle_order(p, now_ms, POLL_SILENT, NULL, "no answer");
}

void poll_order_lost(struct poll *p) {
    struct order *o = p->told;
    p->told = NULL;
    if (!o) return;
    if (!wants_proof(p, o, p->sent_ms)) {
        end_order(p, o, POLL_LOST, NULL, o->dropped ? o->dropped : "the line was lost before an answer");
        return;
    }
    o->is_taken = o->is_lost = true;
    put_back(p, o, INT64_MIN);
}

void poll_orders_free(struct poll *p) {
    for (struct order *o = p->first, *next; o; o = next) {
        next = o->next;
        free(o);
    }
    free(p->told);
}
