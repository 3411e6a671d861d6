/* Readings on their way to their log: what many connections said in one round of the loop goes there together, since
 * each trip costs a lock, a wake-up and a share in a sync.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"

#include <stdlib.h>

/* ---- points ---- */

bool mqtt_points_add(struct mqtt_batch *b, const struct mqtt_packet *p, size_t publish, struct payload_fault *reterr) {
    struct mqtt_listener *l = b->c->l;
    size_t n;
    if (!payload_readings(p->payload, &l->names, l->values, COUNT(l->values), &n, reterr)) return false;
    for (size_t i = 0; i < n; i++) {
        const struct payload_value *v = &l->values[i];
        if (v->has_at) mqtt_clock_told(b->c, (struct str){b->c->device, b->c->device_n}, v->at_ms, l->gather_ms);
        l->point_of[l->points_n] = (uint16_t)publish;
        l->points[l->points_n++] = (struct telemetry_point){.device = {b->c->device, b->c->device_n},
                                                            .metric = v->metric,
                                                            .at_ms = mqtt_clock(v->has_at, v->at_ms, l->gather_ms),
                                                            .value = v->value};
    }
    b->points_n += n;
    return true;
}

bool mqtt_round_has_room(const struct mqtt_listener *l, size_t payload) {
    return l->points_n <= BATCH_POINTS - PAYLOAD_VALUES_MAX && l->names.len + payload < l->names.cap;
}

static void clear(struct mqtt_listener *l) {
    l->round_n = l->points_n = l->names.len = 0;
}

/* ---- what became of them ---- */

static void landed(void *arg) { /* the first of those that the store was given together */
    struct mqtt_batch *first = arg;
    struct mqtt_listener *l = first->c->l;
    enum err e = first->result;
    size_t n = 0;
    for (struct mqtt_batch *b = first, *next; b; b = next, n++) {
        next = b->next_put;
        if (e && !l->is_closing) mqtt_batch_stick(b);
    }
    if (e && !l->is_closing) return;
    mqtt_batches_done(first);
    if (l->stuck && !l->is_closing) mqtt_batches_retry(l, 2 * n); /* there is room again */
}

static void stored(void *arg, enum err e) { /* the writer's thread */
    struct mqtt_batch *first = arg;
    first->result = e;
    loop_post_task(first->c->l->loop, &first->task);
}

/* ---- alone ---- */

/* The store refuses a publish for good: a device with too many metrics.  The others of the batch go on. */
static void refuse_publish(struct mqtt_batch *b, size_t publish, const struct fault *f) {
    struct mqtt_listener *l = b->c->l;
    size_t kept = b->point, end = b->point + b->points_n;
    for (size_t i = b->point; i < end; i++) {
        if (l->point_of[i] == publish) continue;
        l->points[kept] = l->points[i];
        l->point_of[kept++] = l->point_of[i];
    }
    b->points_n = kept - b->point;
    b->publishes[publish].reason = f->kind == ERR_TOO_MANY ? MQTT_QUOTA : MQTT_BAD_PAYLOAD;
    b->c->is_refused = true;
    mqtt_sample(l, b->c, &l->figures.bad, S("telemetry"), (struct bytes){NULL, 0},
                f->kind == ERR_TOO_MANY ? INTAKE_TOO_MANY : INTAKE_REFUSED, NO_OFFSET);
}

enum fate { GIVEN, DONE, STUCK, TOO_BAD }; /* the store has it; nothing is left of it; later; the connection ends */

static enum fate put_alone(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    for (int refused = 0; b->points_n; refused++) {
        struct fault f = {0};
        size_t bad = 0;
        struct telemetry_batch points = {
            .community_id = b->c->community_id, .points = l->points + b->point, .n = b->points_n};
        b->next_put = NULL;
        b->task = (struct loop_task){.fn = landed, .arg = b};
        enum err e = telemetry_put(feed_telemetry(l->o.feed), &points, stored, b, &bad, &f);
        if (!e) {
            FIGURE(l, points, (int64_t)b->points_n);
            return GIVEN;
        }
        if (e != ERR_TOO_MANY && e != ERR_INVALID) return STUCK;
        if (refused == BATCH_REFUSALS) return TOO_BAD;
        refuse_publish(b, l->point_of[b->point + bad], &f);
    }
    return DONE;
}

static void settle(struct mqtt_batch *b, enum fate fate) {
    if (fate == GIVEN) return;
    if (fate == STUCK) {
        mqtt_batch_stick(b);
        return;
    }
    if (fate == TOO_BAD) mqtt_conn_end(b->c, MQTT_QUOTA);
    mqtt_batch_done(b);
}

void mqtt_round_again(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    struct bytes rest = {b->raw, b->raw_n};
    struct mqtt_packet p;
    struct payload_fault ignored;
    mqtt_round_put(l);
    b->point = b->points_n = 0;
    l->gather_ms = now_ms(l);
    for (size_t i = 0; mqtt_kept_next(b, &rest, &i, &p); i++)
        if (!b->publishes[i].reason) (void)!mqtt_points_add(b, &p, i, &ignored);
    enum fate fate = put_alone(b);
    clear(l);
    settle(b, fate);
}

/* ---- together ---- */

struct together { /* some batches of one community, read as one */
    struct mqtt_batch *const *batches;
    size_t n, batch, point; /* the next point */
};

static enum err next_point(void *arg, struct telemetry_point *p, bool *ret_more, struct fault *f) {
    struct together *t = arg;
    (void)f;
    while (t->batch < t->n && t->point == t->batches[t->batch]->points_n) t->batch++, t->point = 0;
    *ret_more = t->batch < t->n;
    if (!*ret_more) return OK;
    const struct mqtt_batch *b = t->batches[t->batch];
    *p = b->c->l->points[b->point + t->point++];
    return OK;
}

static void rewind_points(void *arg) {
    struct together *t = arg;
    t->batch = t->point = 0;
}

/* Refused: one of them holds what the store does not take, and is found by putting each alone. */
static enum err put_together(struct mqtt_listener *l, struct mqtt_batch *const *batches, size_t n) {
    struct together all = {batches, n, 0, 0};
    struct fault ignored = {0};
    struct telemetry_batch points = {
        .community_id = batches[0]->c->community_id, .next = next_point, .rewind = rewind_points, .arg = &all};
    size_t points_n = 0;
    for (size_t i = 0; i < n; i++) {
        batches[i]->next_put = i + 1 < n ? batches[i + 1] : NULL;
        points_n += batches[i]->points_n;
    }
    batches[0]->task = (struct loop_task){.fn = landed, .arg = batches[0]};
    TRY(telemetry_put(feed_telemetry(l->o.feed), &points, stored, batches[0], NULL, &ignored));
    FIGURE(l, points, (int64_t)points_n);
    return OK;
}

static int by_community(const void *a, const void *b) {
    const struct mqtt_batch *x = *(struct mqtt_batch *const *)a, *y = *(struct mqtt_batch *const *)b;
    if (x->c->community_id != y->c->community_id) return x->c->community_id < y->c->community_id ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point); /* what one connection said stays in order */
}

/* Those of one community; gives how many. */
static size_t put_some(struct mqtt_listener *l, struct mqtt_batch **batches, size_t n, uint8_t *fates) {
    size_t same = 1;
    while (same < n && batches[same]->c->community_id == batches[0]->c->community_id) same++;
    enum err e = same > 1 ? put_together(l, batches, same) : OK;
    bool alone = same == 1 || e == ERR_TOO_MANY || e == ERR_INVALID;
    for (size_t i = 0; i < same; i++) fates[i] = (uint8_t)(alone ? put_alone(batches[i]) : e ? STUCK : GIVEN);
    return same;
}

static void settle_later(void *arg) {
    struct mqtt_batch *b = arg;
    settle(b, b->result ? TOO_BAD : DONE);
}

void mqtt_round_put(struct mqtt_listener *l) {
    struct mqtt_batch *batches[ROUND_BATCHES];
    uint8_t fates[ROUND_BATCHES];
    size_t n = l->round_n;
    bool mixed = false;
    for (size_t i = 0; i < n; i++) {
        batches[i] = l->round[i];
        mixed |= batches[i]->c->community_id != batches[0]->c->community_id;
    }
    if (mixed) qsort(batches, n, sizeof batches[0], by_community);
    for (size_t i = 0; i < n;) i += put_some(l, batches + i, n - i, fates + i);
    clear(l);
    for (size_t i = 0; i < n; i++) {
        struct mqtt_batch *b = batches[i];
        if (fates[i] == GIVEN) continue;
        if (fates[i] == STUCK) {
            mqtt_batch_stick(b);
            continue;
        }
        b->result = fates[i] == TOO_BAD ? ERR_TOO_MANY : OK;
        b->task = (struct loop_task){.fn = settle_later, .arg = b}; /* answering reads on, and could end up here */
        loop_post_task(l->loop, &b->task);
    }
}

void mqtt_round_add(struct mqtt_batch *b) {
    struct mqtt_listener *l = b->c->l;
    b->is_begun = true;
    if (!b->points_n || b->c->is_refused) {
        settle(b, put_alone(b));
        return;
    }
    if (!l->round_n) loop_soon_start(l->soon);
    l->round[l->round_n++] = b;
    if (l->round_n == ROUND_BATCHES) mqtt_round_put(l);
}
