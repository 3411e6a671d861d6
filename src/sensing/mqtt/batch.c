/* Publishes on their way to the store: gathered, made durable, answered in the order in which they came.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <stdlib.h>
#include <string.h>

#define FREE_MAX     256     /* batches kept for reuse */
#define FREE_RAW_MAX 65536   /* bytes that such a one may keep */
#define RETRY_US     1000000 /* while the store takes nothing */

/* ---- life ---- */

static void batch_free(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    mqtt_report_destroy(b->report);
    mqtt_conn_drop(b->c);
    if (l->free_n == FREE_MAX || b->raw_cap > FREE_RAW_MAX) {
        free(b->raw);
        free(b);
        return;
    }
    b->next = l->free;
    l->free = b;
    l->free_n++;
}

static struct mqtt_batch *batch_make(struct mqtt_conn *c, enum batch_kind kind) {
    struct mqtt_listener *l = c->l;
    struct mqtt_batch *b = l->free;
    if (b) {
        l->free = b->next;
        l->free_n--;
    } else if (!(b = malloc(sizeof *b))) {
        return NULL;
    } else {
        b->raw = NULL;
        b->raw_cap = 0;
    }
    b->next = b->next_stuck = NULL;
    b->c = c;
    b->kind = kind;
    b->is_done = b->is_begun = b->is_will = b->online = false;
    b->result = OK;
    b->task = (struct loop_task){0};
    b->raw_n = b->publishes_n = b->told_n = b->points_n = 0;
    b->point = l->points_n;
    l->gather_ms = now_ms(l);
    l->heard_n = 0;
    b->next_put = NULL;
    b->report = NULL;
    c->refs++;
    return b;
}

void mqtt_batches_of_free(struct mqtt_conn *c) {
    while (c->first) {
        struct mqtt_batch *b = c->first;
        c->first = b->next;
        mqtt_report_destroy(b->report);
        free(b->raw);
        free(b);
    }
}

void mqtt_batches_free(struct mqtt_listener *l) {
    while (l->free) {
        struct mqtt_batch *b = l->free;
        l->free = b->next;
        free(b->raw);
        free(b);
    }
}

/* ---- answers ---- */

/* PUBACK (3.4); in 5.0 with the reason where there is one. */
static void put_puback(struct buf *out, const struct mqtt_conn *c, const struct publish *p) {
    bool with_reason = p->reason && c->level == MQTT_V5;
    buf_char(out, (char)(MQTT_PUBACK << 4));
    buf_char(out, with_reason ? 3 : 2);
    buf_char(out, (char)(uint8_t)(p->id >> 8));
    buf_char(out, (char)(uint8_t)p->id);
    if (with_reason) buf_char(out, (char)p->reason);
}

static void send_all(struct mqtt_conn *c, struct buf *out) {
    if (out->len && c->tcp && c->state == CONN_OPEN)
        (void)!tcp_write(c->tcp, (struct bytes){(const uint8_t *)out->ptr, out->len}); /* full: it closes */
    out->len = 0;
}

static void answer_one(struct mqtt_batch *b, struct buf *out) {
    struct mqtt_conn *c = b->c;
    for (size_t i = 0; i < b->publishes_n; i++) {
        if (!b->publishes[i].id) continue;
        c->in_flight--;
        put_puback(out, c, &b->publishes[i]);
    }
    c->bytes -= b->raw_n;
    c->l->bytes -= b->raw_n;
    FIGURE(c->l, waiting, -(int64_t)b->publishes_n);
    batch_free(b);
}

static void answer(struct mqtt_conn *c) {
    char mem[5 * BATCH_PUBLISHES * 4 + 1]; /* four full batches, the longest PUBACK being 5 bytes */
    struct buf out;
    buf_init(&out, mem, sizeof mem);
    c->refs++;
    while (c->first && c->first->is_done) {
        struct mqtt_batch *b = c->first;
        c->first = b->next;
        if (!c->first) c->last = &c->first;
        if (out.len + 5 * b->publishes_n >= sizeof mem) send_all(c, &out);
        answer_one(b, &out);
    }
    send_all(c, &out);
    mqtt_conn_go_on(c);
    mqtt_conn_drop(c);
}

void mqtt_batch_done(struct mqtt_batch *b) {
    b->is_done = true;
    answer(b->c);
}

void mqtt_batches_done(struct mqtt_batch *list) {
    struct mqtt_conn *conns = NULL, **last = &conns;
    for (struct mqtt_batch *b = list; b; b = b->next_put) {
        struct mqtt_conn *c = b->c;
        b->is_done = true;
        if (c->is_answered) continue;
        c->is_answered = true;
        c->next_answered = NULL;
        c->refs++;
        *last = c;
        last = &c->next_answered;
    }
    for (struct mqtt_conn *c = conns, *next; c; c = next) { /* from here on batches go */
        next = c->next_answered;
        c->is_answered = false;
        answer(c);
        mqtt_conn_drop(c);
    }
}

/* ---- another try ---- */

/* The store takes nothing: nothing is lost and nothing answered, the connection is read on when it does again. */
void mqtt_batch_stick(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    b->c->stuck_n++;
    b->next_stuck = NULL;
    *l->stuck_last = b;
    l->stuck_last = &b->next_stuck;
    if (!l->retry_us) l->retry_us = now_us(l) + RETRY_US;
}

void mqtt_batches_retry(struct mqtt_listener *l, size_t most) {
    struct mqtt_batch *last = NULL, *b;
    for (struct mqtt_batch *x = l->stuck; x; x = x->next_stuck) last = x;
    l->retry_us = 0;
    for (bool more = last != NULL; more && most && !l->is_closing; most--) {
        b = l->stuck;
        more = b != last;
        l->stuck = b->next_stuck;
        if (!l->stuck) l->stuck_last = &l->stuck;
        b->c->stuck_n--;
        if (b->c->tcp || b->is_will)
            mqtt_batch_begin(b);
        else
            mqtt_batch_done(b); /* nobody waits for the answer: the device says it again */
    }
    if (l->stuck && !l->retry_us) l->retry_us = now_us(l) + RETRY_US;
}

/* ---- gathering ---- */

struct mqtt_batch *mqtt_batch_for(struct mqtt_conn *c, enum batch_kind kind) {
    struct mqtt_batch *b = c->gathering;
    bool fits =
        b && b->publishes_n < BATCH_PUBLISHES && (kind == BATCH_PLAIN || b->kind == BATCH_PLAIN || b->kind == kind);
    if (b && !fits) {
        mqtt_batch_flush(c);
        b = NULL;
    }
    if (!b) b = batch_make(c, kind);
    if (b && kind != BATCH_PLAIN) b->kind = kind;
    c->gathering = b;
    return b;
}

/* The packets move, and what points into them with them. */
static bool make_room(struct mqtt_batch *b, size_t n) {
    struct mqtt_listener *l = b->c->l;
    size_t cap = (b->raw_n + n) * 2;
    if (b->raw_cap - b->raw_n >= n) return true;
    uint8_t *grown = malloc(cap);
    if (!grown) return false;
    if (b->raw_n) memcpy(grown, b->raw, b->raw_n);
    for (size_t i = b->point; i < b->point + b->points_n; i++) {
        const char **at = &l->points[i].metric.ptr, *old = (const char *)b->raw;
        if (*at >= old && *at < old + b->raw_n) *at = (const char *)grown + (*at - old);
    }
    free(b->raw);
    b->raw = grown;
    b->raw_cap = cap;
    return true;
}

bool mqtt_batch_keep(struct mqtt_batch *b, struct bytes whole, struct bytes *ret) {
    if (!make_room(b, whole.len)) return false;
    *ret = (struct bytes){b->raw + b->raw_n, whole.len};
    memcpy(b->raw + b->raw_n, whole.ptr, whole.len);
    b->raw_n += whole.len;
    return true;
}

void mqtt_batch_unkeep(struct mqtt_batch *b, struct bytes copy) {
    b->raw_n -= copy.len;
}

void mqtt_batch_flush(struct mqtt_conn *c) {
    struct mqtt_batch *b = c->gathering;
    if (!b) return;
    mqtt_heard_all(b);
    c->gathering = NULL;
    *c->last = b;
    c->last = &b->next;
    c->bytes += b->raw_n;
    c->l->bytes += b->raw_n;
    pthread_mutex_lock(&c->l->lock);
    c->l->figures.messages += (int64_t)b->publishes_n;
    c->l->figures.waiting += (int64_t)b->publishes_n;
    pthread_mutex_unlock(&c->l->lock);
    mqtt_batch_begin(b);
}

void mqtt_batch_state(struct mqtt_conn *c, bool online, bool is_will) {
    mqtt_batch_flush(c);
    struct mqtt_batch *b = batch_make(c, BATCH_STATE);
    if (!b) return; /* out of memory: the device's next word says it */
    b->online = online;
    b->is_will = is_will;
    c->gathering = b;
    mqtt_batch_flush(c);
}
