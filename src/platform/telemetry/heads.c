/* Heads: the unsealed points of series as they arrived, in blocks of a few dozen.  SPDX-License-Identifier: Apache-2.0
 */
#include "platform/telemetry/telemetry_internal.h"

#include <endian.h>
#include <stdlib.h>

/* A point: a byte that says how, then what differs from the point before: its time from the step before, its value as a
 * whole number at the series' scale.  A point never goes from one block into the next. */
enum { AT_SAME = 0, AT_8 = 1, AT_16 = 2, AT_64 = 3, AT_MASK = 3 };
enum {
    VALUE_SAME = 0 << 2,
    VALUE_8 = 1 << 2,
    VALUE_16 = 2 << 2,
    VALUE_32 = 3 << 2,
    VALUE_64 = 4 << 2,
    VALUE_RAW = 5 << 2,   /* a double that is no decimal */
    VALUE_SCALE = 6 << 2, /* another scale, and the number itself */
    VALUE_MASK = 7 << 2,
    HAS_QUALITY = 1 << 5
};
#define POINT_MAX 20 /* bytes */

static struct block *block_at(const struct blocks *b, uint32_t id) {
    return &b->page[id / BLOCKS_A_PAGE][id % BLOCKS_A_PAGE];
}

/* ---- blocks ---- */

bool blocks_reserve(struct blocks *b, size_t n) {
    while (b->pages_n * BLOCKS_A_PAGE - b->used + b->free_n < n) {
        if (b->pages_n == COUNT(b->page)) return false;
        struct block *page = malloc(BLOCKS_A_PAGE * sizeof *page + 8); /* touched as it fills; loads reach over */
        if (!page) return false;
        b->page[b->pages_n++] = page;
    }
    return true;
}

int64_t blocks_bytes(const struct blocks *b) {
    return (int64_t)(b->used - b->free_n) * (int64_t)sizeof(struct block);
}

void blocks_finish(struct blocks *b) {
    for (size_t i = 0; i < b->pages_n; i++) free(b->page[i]);
    *b = (struct blocks){.free = NONE};
}

static uint32_t take(struct blocks *b) { /* there is one: it was reserved */
    uint32_t id = b->free;
    if (id == NONE) return b->used++;
    b->free = block_at(b, id)->next;
    b->free_n--;
    return id;
}

/* ---- appending ---- */

static uint8_t *put_number(uint8_t *out, uint64_t v, size_t n) { /* what follows overwrites those above n */
    v = htole64(v);
    memcpy(out, &v, sizeof v);
    return out + n;
}

static uint8_t *put_at(uint8_t *out, struct head *h, int64_t at, uint8_t *how) {
    uint64_t step = (uint64_t)at - (uint64_t)h->at, z = zigzag((int64_t)(step - (uint64_t)h->step));
    unsigned class = !z ? AT_SAME : z <= UINT8_MAX ? AT_8 : z <= UINT16_MAX ? AT_16 : AT_64;
    static const uint8_t bytes[] = {0, 1, 2, 8};
    h->at = at;
    h->step = h->n ? (int64_t)step : 0;
    *how |= (uint8_t) class;
    return put_number(out, z, bytes[class]);
}

static uint8_t *put_value(uint8_t *out, struct head *h, double value, uint8_t *how) {
    int64_t m;
    unsigned scale = decimal_find(value, h->scale, &m);
    if (scale == NO_DECIMAL) {
        *how |= VALUE_RAW;
        return put_number(out, bits_of(value), 8);
    }
    uint64_t z = zigzag((int64_t)((uint64_t)m - (uint64_t)h->m));
    h->m = m;
    if (scale != h->scale) {
        h->scale = (uint8_t)scale;
        *how |= VALUE_SCALE;
        *out++ = (uint8_t)scale;
        return put_number(out, (uint64_t)m, 8);
    }
    unsigned class = !z ? 0 : z <= UINT8_MAX ? 1 : z <= UINT16_MAX ? 2 : z <= UINT32_MAX ? 3 : 4;
    static const uint8_t bytes[] = {0, 1, 2, 4, 8};
    *how |= (uint8_t)(class << 2);
    return put_number(out, z, bytes[class]);
}

void head_append(struct blocks *b, struct head *h, const struct telemetry_stored *p) {
    uint8_t bytes[POINT_MAX + 8] = {0}, *end = bytes + 1;
    end = put_at(end, h, p->at_ms, bytes);
    end = put_value(end, h, p->value, bytes);
    if (p->quality) {
        bytes[0] |= HAS_QUALITY;
        *end++ = p->quality;
    }
    size_t n = (size_t)(end - bytes);
    struct block *last = h->n ? block_at(b, h->last) : NULL;
    if (!last || last->used + n > BLOCK_BYTES) {
        uint32_t id = take(b);
        if (last)
            last->next = id;
        else
            h->first = id;
        h->last = id;
        last = block_at(b, id);
        last->used = 0;
    }
    memcpy(last->bytes + last->used, bytes, n);
    last->used = (uint8_t)(last->used + n);
    h->n++;
}

void head_drop(struct blocks *b, struct head *h) {
    if (!h->n) return;
    size_t n = 1;
    for (uint32_t id = h->first; id != h->last; id = block_at(b, id)->next) n++;
    block_at(b, h->last)->next = b->free;
    b->free = h->first;
    b->free_n += n;
    *h = (struct head){.scale = h->scale, .from_scale = h->scale};
}

/* ---- reading ---- */

static uint64_t get_number(const uint8_t **in, size_t n) { /* n: 0..8; eight bytes may be read */
    uint64_t v;
    memcpy(&v, *in, sizeof v);
    *in += n;
    return n == 8 ? le64toh(v) : le64toh(v) & ((UINT64_C(1) << 8 * n) - 1);
}

size_t head_decode(struct head_state *s, const uint8_t *bytes, struct telemetry_stored *ret) {
    static const uint8_t at_bytes[] = {0, 1, 2, 8}, value_bytes[] = {0, 1, 2, 4, 8, 0, 0, 0};
    const uint8_t *in = bytes;
    uint8_t how = *in++;
    s->step += (uint64_t)unzigzag(get_number(&in, at_bytes[how & AT_MASK]));
    s->at += s->step;
    if (!s->has_begun) s->step = 0;
    s->has_begun = true;
    ret->at_ms = (int64_t)s->at;
    if ((how & VALUE_MASK) == VALUE_RAW) {
        ret->value = double_of(get_number(&in, 8));
    } else {
        if ((how & VALUE_MASK) == VALUE_SCALE) {
            s->scale = *in++ % (SCALE_MAX + 1);
            s->m = get_number(&in, 8);
        } else {
            s->m += (uint64_t)unzigzag(get_number(&in, value_bytes[(how & VALUE_MASK) >> 2]));
        }
        ret->value = decimal_value((int64_t)s->m, s->scale);
    }
    ret->quality = how & HAS_QUALITY ? *in++ : 0;
    return (size_t)(in - bytes);
}

struct head_block head_block(const struct blocks *b, const struct head *h, uint32_t id) {
    const struct block *at = block_at(b, id);
    return (struct head_block){{at->bytes, at->used}, id == h->last ? NONE : at->next};
}

bool head_copy(const struct blocks *b, const struct head *h, int64_t from_ms, int64_t to_ms, struct points *ret) {
    struct head_state state = {.scale = h->from_scale};
    struct telemetry_stored p;
    *ret = (struct points){0};
    if (!h->n) return true;
    if (!points_init(ret, h->n)) return false;
    for (struct head_block at = {.next = h->first}; at.next != NONE;) {
        at = head_block(b, h, at.next);
        for (size_t i = 0; i < at.bytes.len;) {
            i += head_decode(&state, at.bytes.ptr + i, &p);
            if (p.at_ms < from_ms || p.at_ms >= to_ms) continue;
            ret->at[ret->n] = p.at_ms;
            ret->value[ret->n] = p.value;
            ret->quality[ret->n++] = p.quality;
        }
    }
    if (ret->n) return true;
    free(ret->at);
    *ret = (struct points){0};
    return true;
}

/* ---- of a series ---- */

static void series_latest(struct series *s, const struct telemetry_stored *p) {
    if (s->has_latest && p->at_ms < s->latest.at_ms) return;
    s->latest = *p;
    s->has_latest = true;
    s->is_latest_sealed = false;
}

void head_due(struct telemetry *t, uint32_t id) {
    struct series *s = series_at(t, id);
    if (s->is_due) return;
    s->is_due = ids32_add(&t->due, id);
    if (s->is_due) t->due_points += s->head.n;
}

void head_add(struct telemetry *t, uint32_t id, const struct telemetry_stored *p) {
    struct series *s = series_at(t, id);
    head_append(&t->blocks, &s->head, p);
    t->head_points++;
    series_latest(s, p);
    if (s->is_due)
        t->due_points++;
    else if (s->head.n >= t->options.seal_at / (t->head_points > HEADS_WARM ? 2 : 1))
        head_due(t, id);
}

void head_clear(struct telemetry *t, uint32_t id) {
    struct series *s = series_at(t, id);
    t->head_points -= s->head.n;
    head_drop(&t->blocks, &s->head);
}

bool refs_reserve(struct series *s, uint32_t more) {
    if (s->refs_n + more <= s->refs_cap) return true;
    uint32_t cap = s->refs_cap ? s->refs_cap * 2 : 4;
    while (cap < s->refs_n + more) cap *= 2;
    struct chunk_ref *grown = realloc(s->refs, cap * sizeof *grown);
    if (!grown) return false;
    s->refs = grown;
    s->refs_cap = cap;
    return true;
}
