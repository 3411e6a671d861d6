/* Erasing readings: what is left of the chunks concerned is written anew, a group of the log makes it true, and then
 * the bytes themselves are overwritten.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/telemetry/telemetry_internal.h"

#include <stdlib.h>

/* What was a chunk: a magic and its length, then zeros. */
#define DEAD_MAGIC 0x5848434cu /* "LCHX" */
#define DEAD_HEAD  8

/* ---- dead chunks ---- */

bool dead_is(const struct telemetry *t, size_t slot, int64_t at) {
    for (size_t i = 0; i < t->dead_n; i++)
        if (t->dead[i].segment == slot && (int64_t)t->dead[i].at8 * 8 == at) return true;
    return false;
}

bool dead_reserve(struct telemetry *t, size_t more) {
    size_t cap = t->dead_cap ? t->dead_cap : 64;
    if (t->dead_n + more <= t->dead_cap) return true;
    while (cap < t->dead_n + more) cap *= 2;
    struct dead *grown = realloc(t->dead, cap * sizeof *grown);
    if (!grown) return false;
    t->dead = grown;
    t->dead_cap = cap;
    return true;
}

bool dead_add(struct telemetry *t, size_t slot, int64_t at) {
    if (!dead_reserve(t, 1)) return false;
    t->dead[t->dead_n++] = (struct dead){(uint32_t)(at / 8), (uint16_t)slot};
    return true;
}

void dead_forget(struct telemetry *t, size_t slot) {
    size_t n = 0;
    for (size_t i = 0; i < t->dead_n; i++)
        if (t->dead[i].segment != slot) t->dead[n++] = t->dead[i];
    t->dead_n = n;
}

void out_dead(struct out *o, const struct telemetry *t, const struct dead *d) {
    out_int(o, ENTRY_DEAD, 1);
    out_key(o, t, t->segments[d->segment]);
    out_int(o, d->at8, 4);
}

size_t dead_read(struct bytes bytes) {
    if (bytes.len < DEAD_HEAD || le_get(bytes.ptr, 4) != DEAD_MAGIC) return 0;
    size_t n = le_get(bytes.ptr + 4, 4);
    return n >= DEAD_HEAD && n % 8 == 0 && n <= CHUNK_BYTES_MAX ? n : 0;
}

/* As long as the chunk was; where its head cannot be read any more, the head alone. */
static bool overwrite(struct telemetry *t, const struct dead *d) {
    const struct segment *g = t->segments[d->segment];
    uint8_t bytes[CHUNK_BYTES_MAX];
    struct chunk_head h;
    int64_t at = (int64_t)d->at8 * 8, n = t->chunk_io.read(t->chunk_io.self, g->file, bytes, CHUNK_HEAD_MAX, at);
    if (n < CHUNK_HEAD_MIN) return n >= 0;
    if (dead_read((struct bytes){bytes, (size_t)n})) return true;
    size_t len = chunk_head_read((struct bytes){bytes, (size_t)n}, &h) ? chunk_bytes(&h) : DEAD_HEAD;
    memset(bytes, 0, len);
    le_put(bytes, DEAD_MAGIC, 4);
    le_put(bytes + 4, len, 4);
    return t->chunk_io.write(t->chunk_io.self, g->file, bytes, len, at) == (int64_t)len;
}

void dead_sweep(struct telemetry *t) {
    pthread_mutex_lock(&t->lock);
    bool is_read = t->scans > 0;
    pthread_mutex_unlock(&t->lock);
    if (is_read || !t->dead_n) return;
    bool ok = true;
    for (size_t i = 0; i < t->dead_n; i++) {
        const struct segment *g = t->segments[t->dead[i].segment];
        if (!g->is_dropped && g->file >= 0) ok = overwrite(t, &t->dead[i]) && ok;
    }
    for (size_t i = 0; i < t->segments_n && ok; i++)
        if (t->segments[i]->file >= 0 && !t->segments[i]->is_dropped)
            ok = !t->chunk_io.sync(t->chunk_io.self, t->segments[i]->file);
    if (ok) t->dead_n = 0; /* else the next time, or the next opening, does it */
}

/* ---- what is concerned ---- */

/* References by what becomes of them. */
enum fate { STAYS, GOES, IS_REWRITTEN };

struct erasing {
    struct telemetry *t;
    const struct erasure *x;
    struct series *series;
    uint8_t *fate; /* of each reference */
    struct head head;
    struct points left; /* of those that are rewritten */
    struct sealing sealing;
    bool is_head_new;
};

static const struct segment_key *key_of(const struct erasing *e, size_t i) {
    return &e->t->segments[e->series->refs[i].segment]->key;
}

static int64_t first_of(const struct erasing *e, size_t i) {
    return e->t->segments[e->series->refs[i].segment]->start_ms + e->series->refs[i].first_rel;
}

static int64_t last_of(const struct erasing *e, size_t i) {
    return e->t->segments[e->series->refs[i].segment]->start_ms + e->series->refs[i].last_rel;
}

/* A chunk that is rewritten stands behind all others, so those that overlap it are rewritten with it: what was written
 * last at a time stays the one. */
static void decide(struct erasing *e) {
    size_t n = e->series->refs_n;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        if (key_of(e, i)->step_min || last_of(e, i) < e->x->from_ms || first_of(e, i) >= e->x->to_ms) continue;
        bool whole = first_of(e, i) >= e->x->from_ms && last_of(e, i) < e->x->to_ms;
        e->fate[i] = whole ? GOES : IS_REWRITTEN;
    }
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < n; i++) {
            if (key_of(e, i)->step_min) continue;
            if (e->fate[i] == STAYS && last_of(e, i) >= low && first_of(e, i) <= high) e->fate[i] = IS_REWRITTEN;
            if (e->fate[i] != IS_REWRITTEN || (first_of(e, i) >= low && last_of(e, i) <= high)) continue;
            if (first_of(e, i) < low) low = first_of(e, i);
            if (last_of(e, i) > high) high = last_of(e, i);
            more = true;
        }
    }
}

static void drop_range(struct points *p, int64_t from_ms, int64_t to_ms) {
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i] >= from_ms && p->at[i] < to_ms) continue;
        p->at[n] = p->at[i];
        p->value[n] = p->value[i];
        p->quality[n++] = p->quality[i];
    }
    p->n = n;
}

/* In the order written, so that sorting keeps the last of equal times.  A damaged chunk has nothing left. */
static enum err read_left(struct erasing *e) {
    size_t room = 0;
    for (size_t i = 0; i < e->series->refs_n; i++)
        if (e->fate[i] == IS_REWRITTEN) room += e->series->refs[i].count;
    if (!room) return OK;
    if (!points_init(&e->left, room)) return ERR_INTERNAL;
    for (size_t i = 0; i < e->series->refs_n; i++) {
        struct points at = {e->left.at + e->left.n, e->left.value + e->left.n, e->left.quality + e->left.n, 0};
        if (e->fate[i] != IS_REWRITTEN) continue;
        enum err err = chunk_read(e->t, e->x->series, &e->series->refs[i], &at);
        if (err == ERR_UNAVAILABLE) return err;
        if (!err) e->left.n += at.n;
    }
    drop_range(&e->left, e->x->from_ms, e->x->to_ms);
    return points_sort(&e->left) ? OK : ERR_INTERNAL;
}

/* The head without the range, in blocks of its own. */
static enum err read_head(struct erasing *e) {
    struct points p;
    struct telemetry *t = e->t;
    if (!head_copy(&t->blocks, &e->series->head, INT64_MIN, INT64_MAX, &p)) return ERR_INTERNAL;
    size_t before = p.n;
    drop_range(&p, e->x->from_ms, e->x->to_ms);
    e->is_head_new = p.n < before;
    pthread_mutex_lock(&t->lock);
    bool ok = !e->is_head_new || blocks_reserve(&t->blocks, p.n);
    e->head = (struct head){.scale = e->series->head.scale, .from_scale = e->series->head.scale};
    for (size_t i = 0; ok && e->is_head_new && i < p.n; i++)
        head_append(&t->blocks, &e->head, &(struct telemetry_stored){p.at[i], p.value[i], e->x->series, p.quality[i]});
    pthread_mutex_unlock(&t->lock);
    free(p.at);
    return ok ? OK : ERR_INTERNAL;
}

/* ---- what was rolled up: rolled up again, or, where the points are gone, without the windows that were touched ----
 */

static bool is_touched(const struct erasing *e, int64_t at_ms, int64_t step_ms) {
    return at_ms < e->x->to_ms && at_ms + step_ms > e->x->from_ms;
}

/* All rows of a segment, from all its chunks of the series. */
static enum err read_rows(struct erasing *e, uint16_t slot, struct rolled *rows, size_t *ret_n) {
    struct chunk_head h;
    *ret_n = 0;
    for (size_t i = 0; i < e->series->refs_n; i++) {
        const struct chunk_ref *ref = &e->series->refs[i];
        if (ref->segment != slot) continue;
        enum err err = chunk_read_rolled(e->t, e->x->series, ref, rows + *ret_n, &h);
        if (err == ERR_UNAVAILABLE) return err;
        if (!err) *ret_n += h.count;
    }
    return OK;
}

static int compare_rows(const void *a, const void *b) {
    const struct rolled *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static enum err drop_segment(struct erasing *e, uint16_t slot) {
    for (size_t i = 0; i < e->series->refs_n; i++)
        if (e->series->refs[i].segment == slot) TRY(sealing_drop(&e->sealing, e->x->series, &e->series->refs[i]));
    return OK;
}

/* Those that stay, in order.  The first point of a row makes a pair with the last one before it: where that goes, the
 * pair goes, or what was erased could be computed from it. */
static size_t rows_left(const struct erasing *e, int64_t step_ms, struct rolled *rows, size_t n) {
    struct rolled before = {0};
    size_t left = 0;
    bool is_gone = false;
    for (size_t i = 0; i < n; i++) {
        struct rolled row = rows[i];
        bool goes = is_touched(e, row.at_ms, step_ms);
        if (is_gone && !goes) rolled_unpair(&row, &before, TELEMETRY_GAP_MS);
        if (!goes) rows[left++] = row;
        is_gone = goes;
        before = rows[i];
    }
    return left;
}

static enum err rewrite_rolled(struct erasing *e, uint16_t slot, size_t room) {
    const struct segment_key *key = &e->t->segments[slot]->key;
    struct rolled *rows = malloc(room * sizeof *rows);
    if (!rows) return ERR_INTERNAL;
    size_t n = 0;
    enum err err = read_rows(e, slot, rows, &n);
    qsort(rows, n, sizeof *rows, compare_rows);
    size_t left = rows_left(e, key->step_min * INT64_C(60000), rows, n);
    if (!err && left < n) err = drop_segment(e, slot);
    if (!err && left < n && left) err = sealing_put_rolled(&e->sealing, e->x->series, key, rows, left);
    free(rows);
    return err;
}

/* Segment by segment, each at its first reference. */
static enum err erase_rolled(struct erasing *e) {
    for (size_t i = 0; i < e->series->refs_n; i++) {
        const struct segment_key *key = key_of(e, i);
        uint16_t slot = e->series->refs[i].segment;
        size_t room = 0, before = 0;
        if (!key->step_min || month_start_ms(key->month) >= e->x->to_ms ||
            month_start_ms(key->month + 1) <= e->x->from_ms)
            continue;
        while (e->series->refs[before].segment != slot) before++;
        if (before < i) continue;
        for (size_t k = i; k < e->series->refs_n; k++) room += e->series->refs[k].segment == slot ? ROLLED_MAX : 0;
        bool whole;
        TRY(raw_is_whole(e->t, e->x->series, key->month, key->step_min, &whole));
        if (whole)
            TRY(drop_segment(e, slot));
        else
            TRY(rewrite_rolled(e, slot, room));
    }
    return OK;
}

/* ---- making it so ---- */

/* The head is said whole, so that its latest point is found again. */
static void tell(struct out *group, void *arg) {
    const struct erasing *e = arg;
    out_int(group, ENTRY_FORGET, 1);
    out_int(group, e->x->series, 4);
    out_int(group, ENTRY_CLEAR, 1);
    out_int(group, 1, 4);
    out_int(group, e->x->series, 4);
    const struct head *head = e->is_head_new ? &e->head : &e->series->head;
    if (head->n) out_head(group, &e->t->blocks, head, e->x->series);
}

/* Of those that end before below_ms and behind the latest known, the one that ends last; refs_n: none.  Of several
 * that end alike one is as good as the other. */
static size_t last_chunk(const struct erasing *e, int64_t below_ms) {
    const struct series *s = e->series;
    size_t best = s->refs_n;
    for (size_t i = 0; i < s->refs_n; i++) {
        int64_t end = last_of(e, i);
        if (key_of(e, i)->step_min || end >= below_ms || (s->has_latest && end <= s->latest.at_ms)) continue;
        if (best == s->refs_n || end > last_of(e, best)) best = i;
    }
    return best;
}

/* Its last point is the latest; false: it cannot be read. */
static bool take_latest(struct erasing *e, size_t i) {
    struct series *s = e->series;
    struct points last;
    if (!points_init(&last, CHUNK_POINTS_MAX)) return false;
    bool ok = !chunk_read(e->t, e->x->series, &s->refs[i], &last);
    if (ok) {
        size_t k = last.n - 1;
        s->latest = (struct telemetry_stored){last.at[k], last.value[k], e->x->series, last.quality[k]};
        s->has_latest = s->is_latest_sealed = true;
    }
    free(last.at);
    return ok;
}

/* The point with the highest time that is left: of the head, or the last of a chunk. */
static void find_latest(struct erasing *e) {
    struct series *s = e->series;
    struct points p;
    s->has_latest = false;
    if (head_copy(&e->t->blocks, &s->head, INT64_MIN, INT64_MAX, &p))
        for (size_t i = 0; i < p.n; i++) {
            if (s->has_latest && p.at[i] < s->latest.at_ms) continue;
            s->latest = (struct telemetry_stored){p.at[i], p.value[i], e->x->series, p.quality[i]};
            s->has_latest = true;
        }
    free(p.at);
    int64_t below_ms = INT64_MAX;
    for (size_t i; (i = last_chunk(e, below_ms)) < s->refs_n && !take_latest(e, i); below_ms = last_of(e, i)) continue;
}

static void swap_head(struct erasing *e) {
    struct telemetry *t = e->t;
    struct series *s = e->series;
    int64_t less = (int64_t)s->head.n - (int64_t)e->head.n;
    t->head_points -= less;
    if (s->is_due) t->due_points -= less;
    head_drop(&t->blocks, &s->head);
    s->head = e->head;
    e->head = (struct head){0};
}

static void apply(void *arg) {
    struct erasing *e = arg;
    struct series *s = e->series;
    if (e->is_head_new) swap_head(e);
    if (s->has_latest && s->latest.at_ms >= e->x->from_ms && s->latest.at_ms < e->x->to_ms) find_latest(e);
    e->t->must_roll = true;
}

static enum err run(struct erasing *e) {
    decide(e);
    TRY(erase_rolled(e));
    TRY(read_left(e));
    TRY(read_head(e));
    for (size_t i = 0; i < e->series->refs_n; i++)
        if (e->fate[i] != STAYS) TRY(sealing_drop(&e->sealing, e->x->series, &e->series->refs[i]));
    if (!e->sealing.gone_n && !e->is_head_new) return OK;
    if (e->left.n) TRY(sealing_put(&e->sealing, e->x->series, &e->left));
    return sealing_commit(&e->sealing, &(struct sealing_also){tell, apply, e});
}

enum err erase(struct telemetry *t, const struct erasure *x) {
    struct erasing e = {.t = t, .x = x, .series = series_at(t, x->series)};
    e.fate = calloc(e.series->refs_n + 1, 1);
    enum err err = sealing_begin(&e.sealing, t) && e.fate ? run(&e) : ERR_INTERNAL;
    pthread_mutex_lock(&t->lock);
    head_drop(&t->blocks, &e.head); /* where it did not come to that */
    pthread_mutex_unlock(&t->lock);
    sealing_end(&e.sealing);
    free(e.left.at);
    free(e.fate);
    if (!err) dead_sweep(t);
    return err;
}
