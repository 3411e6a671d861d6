/* Messages of JT/T 808 that come in parts: what a connection keeps of them until all are there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808_internal.h"

#include <string.h>

static bool bad(struct wire_error *e, const char *rule) {
    *e = (struct wire_error){rule, 0};
    return false;
}

/* The others are too short for it, or say nothing here: they are answered as unsupported. */
bool jt808_is_kept(const struct jt808_frame *f) {
    return f->parts && (f->message == JT808_BATCH || f->message == JT808_LOCATION ||
                        f->message == JT808_LOCATION_ANSWER || f->message == JT808_PARAMETERS);
}

static bool is_part(struct bytes whole) {
    struct jt808_frame f;
    struct wire_error ignored;
    return jt808_decode(whole, &f, &ignored) && jt808_is_kept(&f);
}

/* ---- room ---- */

static bool is_whole(const struct jt808_underway *u) {
    return u->have == u->parts;
}

static bool is_of(const struct jt808_parts *p, const struct jt808_piece *x, const struct jt808_underway *u) {
    return x->part && x->of == u - p->all;
}

static void forget(struct jt808_parts *p, struct jt808_underway *u) {
    for (size_t i = 0; i < JT808_PIECES; i++)
        if (is_of(p, &p->pieces[i], u)) p->pieces[i].part = 0;
    u->parts = 0;
}

/* One of the others makes room: the oldest of those that are whole, and wait only to be said again; else the oldest. */
static bool make_room(struct jt808_parts *p, const struct jt808_underway *but) {
    struct jt808_underway *victim = NULL;
    for (size_t i = 0; i < JT808_UNDERWAY; i++) {
        struct jt808_underway *u = &p->all[i];
        if (!u->parts || u == but) continue;
        bool is_better = victim && is_whole(u) == is_whole(victim) ? u->began_ms < victim->began_ms : is_whole(u);
        if (!victim || is_better) victim = u;
    }
    if (!victim) return false;
    p->is_crowded |= !is_whole(victim);
    forget(p, victim);
    return true;
}

static struct jt808_underway *free_place(struct jt808_parts *p) {
    for (size_t i = 0; i < JT808_UNDERWAY; i++)
        if (!p->all[i].parts) return &p->all[i];
    return NULL;
}

static struct jt808_piece *free_piece(struct jt808_parts *p) {
    for (size_t i = 0; i < JT808_PIECES; i++)
        if (!p->pieces[i].part) return &p->pieces[i];
    return NULL;
}

/* ---- one part ---- */

static uint16_t first_of(const struct jt808_frame *f) {
    return (uint16_t)(f->serial - (f->part - 1));
}

static struct jt808_underway *underway(struct jt808_parts *p, const struct jt808_frame *f) {
    for (size_t i = 0; i < JT808_UNDERWAY; i++) {
        struct jt808_underway *u = &p->all[i];
        if (u->parts && u->message == f->message && u->first == first_of(f) && !strcmp(u->terminal, f->terminal))
            return u;
    }
    return NULL;
}

static struct jt808_underway *begin(struct jt808_parts *p, const struct jt808_frame *f, int64_t now_ms) {
    struct jt808_underway *u = free_place(p);
    if (!u && make_room(p, NULL)) u = free_place(p);
    if (!u) return NULL;
    *u = (struct jt808_underway){
        .version = f->version, .message = f->message, .first = first_of(f), .parts = f->parts, .began_ms = now_ms};
    memcpy(u->terminal, f->terminal, sizeof u->terminal);
    return u;
}

static const struct jt808_piece *piece_of(const struct jt808_parts *p, const struct jt808_underway *u, uint16_t part) {
    for (size_t i = 0; i < JT808_PIECES; i++)
        if (is_of(p, &p->pieces[i], u) && p->pieces[i].part == part) return &p->pieces[i];
    return NULL;
}

/* What came already stays as it came first.  False: there is no room. */
static bool keep(struct jt808_parts *p, struct jt808_underway *u, const struct jt808_frame *f) {
    if (piece_of(p, u, f->part)) return true;
    struct jt808_piece *x = free_piece(p);
    while (!x && make_room(p, u)) x = free_piece(p);
    if (!x) return false;
    x->of = (uint8_t)(u - p->all);
    x->part = f->part;
    x->n = (uint16_t)f->body_n;
    if (f->body_n) memcpy(x->body, f->body, f->body_n);
    if (++u->have == u->parts) u->last = f->part;
    return true;
}

static bool body_of(const struct jt808_parts *p, const struct jt808_underway *u, struct arena *a, struct bytes *ret) {
    uint8_t *body = arena_alloc(a, (size_t)u->parts * JT808_BODY_MAX, 1, 1);
    *ret = (struct bytes){body, 0};
    for (uint16_t part = 1; body && part <= u->parts; part++) {
        const struct jt808_piece *x = piece_of(p, u, part);
        memcpy(body + ret->len, x->body, x->n);
        ret->len += x->n;
    }
    return body;
}

bool jt808_hear(struct jt808_parts *p, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                struct wire_error *reterr) {
    struct jt808_frame f;
    struct bytes body;
    if (!jt808_codec.decode(whole, a, ret, reterr)) return false;
    if (!jt808_decode(whole, &f, reterr) || !jt808_is_kept(&f)) return true;
    struct jt808_underway *u = underway(p, &f);
    if (f.parts > JT808_PIECES) return bad(reterr, "JT/T 808 parts: " WIRE_LIMIT "at most 64");
    if (u && u->parts != f.parts) return bad(reterr, "JT/T 808 parts: the message had another number of them before");
    if (!u) u = begin(p, &f, now_ms);
    if (!u || !keep(p, u, &f)) return bad(reterr, "JT/T 808 parts: " WIRE_LIMIT "at most 64");
    u->heard_ms = now_ms;
    if (!is_whole(u) || f.part != u->last) return true;
    if (!body_of(p, u, a, &body)) return bad(reterr, "out of memory");
    f.parts = f.part = 0;
    return jt808_check(&f, body, reterr) && jt808_say(&f, body, ret->sender, a, ret, reterr);
}

/* ---- what is missing ---- */

/* 8003: serial of the first part, how many (2013: one byte, 2019: two), which. */
static void ask_again(struct jt808_parts *p, const struct jt808_underway *u, struct buf *out) {
    struct jt808_frame f = {.message = JT808_RESEND, .serial = p->serial++, .version = u->version};
    bool of_19 = strlen(u->terminal) == JT808_DIGITS_19;
    struct buf b;
    buf_init(&b, (char *)f.body, sizeof f.body);
    cursor_put_be(&b, u->first, 2);
    cursor_put_be(&b, (uint64_t)(u->parts - u->have), of_19 ? 2 : 1);
    for (uint16_t part = 1; part <= u->parts; part++)
        if (!piece_of(p, u, part)) cursor_put_be(&b, part, 2);
    f.body_n = b.len;
    memcpy(f.terminal, u->terminal, sizeof f.terminal);
    (void)jt808_encode(&f, out);
}

bool jt808_missing(struct jt808_parts *p, int64_t now_ms, struct buf *out, struct wire_error *reterr) {
    bool ok = !p->is_crowded || bad(reterr, "JT/T 808 parts: " WIRE_LIMIT "of too many messages at once");
    p->is_crowded = false;
    for (size_t i = 0; i < JT808_UNDERWAY; i++) {
        struct jt808_underway *u = &p->all[i];
        if (!u->parts) continue;
        if (now_ms - u->began_ms >= JT808_PARTS_MS) {
            if (!is_whole(u)) ok = bad(reterr, "JT/T 808 parts: not all came within 60 s");
            forget(p, u);
        } else if (!is_whole(u) && now_ms - u->heard_ms >= JT808_AGAIN_MS) {
            ask_again(p, u, out);
            u->heard_ms = now_ms;
        }
    }
    return ok;
}

static bool join(void *kept, struct bytes whole, int64_t now_ms, struct arena *a, struct decoded *ret,
                 struct wire_error *reterr) {
    return jt808_hear(kept, whole, now_ms, a, ret, reterr);
}

static bool missing(void *kept, int64_t now_ms, struct buf *out, struct wire_error *reterr) {
    return jt808_missing(kept, now_ms, out, reterr);
}

const struct joining jt808_joining = {sizeof(struct jt808_parts), is_part, join, missing};
