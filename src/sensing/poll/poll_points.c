/* Points: what is asked again and again, whose turn it is, and who falls silent.  SPDX-License-Identifier: Apache-2.0
 */
#include "sensing/poll/poll_internal.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_MAX 2000 /* a list of them, where one question may ask for many */
#define TEXT_MAX 200  /* of a value, of a key */

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

bool poll_can_ask(struct poll *p, const struct question *q) {
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
    if (!poll_can_ask(p, &(struct question){.address = address, .item = item}))
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

/* A point that goes meanwhile is not settled; its answer is waited for: it may pass for that to the next question. */
void poll_plan_end(struct poll *p) {
    size_t kept = 0;
    struct point *asked = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct point x = p->points[i];
        bool is_asked = p->asked == &p->points[i];
        if (!x.is_planned) {
            free(x.item);
            if (x.is_trial) p->devices[x.device].has_trial = false;
            if (is_asked && p->is_sent) p->free_ms = p->until_ms + (p->o.codec->is_blind ? p->o.wait_ms : 0);
            if (is_asked) p->is_sent = false;
            continue;
        }
        if (is_asked) asked = &p->points[kept];
        p->points[kept++] = x;
    }
    p->n = kept;
    p->asked = asked;
    p->at = p->found = 0;
    if (asked) p->q.item = poll_item_for(p, p->q.address, str_of(asked->item), p->otherwise);
}

void poll_now(struct poll *p, struct str address) {
    for (size_t i = 0; i < p->n; i++) {
        struct device *d = &p->devices[p->points[i].device];
        if (address.ptr && !str_is(address, d->address)) continue;
        p->points[i].due_ms = d->due_ms = INT64_MIN;
    }
}

/* ---- turns ---- */

/* A device that is doubted is asked at once for what it answered so far: one answer, and it is there. */
static int64_t due_of(const struct poll *p, const struct point *x) {
    const struct device *d = &p->devices[x->device];
    if (d->has_trial && !x->is_trial) return INT64_MAX;
    if (d->is_silent) return d->due_ms;
    return d->is_doubted && !x->fails ? INT64_MIN : x->due_ms;
}

/* Of a silent device's points that which is on trial, else the one that failed least: it may hold such as were never
 * answered. */
static struct point *probe(struct poll *p, struct point *x) {
    for (size_t i = 0; i < p->n && !x->is_trial; i++)
        if (p->points[i].device == x->device && (p->points[i].is_trial || p->points[i].fails < x->fails))
            x = &p->points[i];
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

bool poll_point_begin(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    p->is_points_turn = false;
    p->asked = next_due(p, now_ms, ret_next_ms);
    if (!p->asked) return false;
    struct question q = {.address = str_of(p->devices[p->asked->device].address), .item = str_of(p->asked->item)};
    poll_begin(p, &q);
    return true;
}

/* ---- how it is asked ---- */

/* False: there is no such way. */
static bool put_otherwise(const struct poll *p, struct str item, unsigned way, char *mem, struct str *ret) {
    const struct asking *asking = p->o.codec->asking;
    struct buf b;
    buf_init(&b, mem, PROOF_MAX);
    if (!asking->otherwise || !asking->otherwise(item, way, &b)) return false;
    *ret = (struct str){mem, b.overflow ? 0 : b.len};
    return true;
}

struct str poll_item_for(const struct poll *p, struct str address, struct str item, char *mem) {
    struct str other = S("");
    for (size_t i = 0; p->o.codec->asking->otherwise && i < p->devices_n; i++) {
        const struct device *d = &p->devices[i];
        bool is_so = d->is_way_known || (p->asked && p->asked->is_trial); /* nothing is told for a trial */
        if (d->way && is_so && str_is(address, d->address)) (void)put_otherwise(p, item, d->way, mem, &other);
    }
    return other.len ? other : item;
}

/* Nobody knows yet how the device wants it.  False: it was tried. */
static bool asks_otherwise(const struct poll *p, struct device *d, struct point *x) {
    char mem[PROOF_MAX];
    struct str other = S("");
    bool was_trial = x->is_trial;
    x->is_trial = d->has_trial = false;
    if (d->is_way_known) return false;
    d->way = 0;
    if (d->is_each_tried && (was_trial || !d->is_silent)) return false;
    for (bool is_again = d->is_each_tried; !other.len;) { /* some ways have nothing for this item */
        if (put_otherwise(p, str_of(x->item), ++d->way_tried, mem, &other)) continue;
        d->way_tried = 0;
        if (!is_again) break;
        is_again = false;
    }
    d->way = d->way_tried;
    x->is_trial = d->has_trial = d->way;
    d->is_each_tried |= was_trial && !x->is_trial;
    return x->is_trial;
}

/* ---- what came of it ---- */

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

bool poll_point_settle(struct poll *p, int64_t now_ms, enum poll_end end) {
    struct point *x = p->asked;
    poll_rest_behind(p, now_ms, end != POLL_SILENT);
    p->asked = NULL;
    if (!x) return false;
    struct device *d = &p->devices[x->device];
    bool was = d->is_silent;
    bool is_told_by_refusal = end == POLL_REFUSED && !x->is_trial && p->o.codec->asking->refuses_its_own;
    if ((end == POLL_ANSWERED || is_told_by_refusal) && !d->is_way_known) {
        if (!x->is_trial) d->way = 0; /* that of another point */
        d->is_way_known = true;
    }
    if (asks_otherwise(p, d, x)) { /* when others had their turn */
        x->due_ms = d->due_ms = INT64_MIN;
        return false;
    }
    (end == POLL_SILENT ? it_was_silent : it_spoke)(p, x, now_ms);
    if (was != d->is_silent && p->o.calls.silent) p->o.calls.silent(p->o.calls.arg, str_of(d->address), d->is_silent);
    return true;
}

bool poll_point_halve(struct poll *p, size_t n) {
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

/* Whether a doubted device is there, is asked once for each point, the last of them apart; so is how it is asked. */
int poll_point_tries(const struct poll *p) {
    const struct point *x = p->asked;
    if (x && x->is_trial) return 1;
    if (!x || !p->devices[x->device].is_doubted || p->devices[x->device].is_silent || x->fails) return p->o.tries;
    return points_without_fail(p, x->device) > 1 ? 1 : p->o.tries;
}

/* ---- numbers of questions ---- */

void poll_number(struct poll *p, int64_t now_ms) {
    int64_t forgets_ms = p->o.codec->asking->forgets_ms;
    uint32_t i;
    if (!forgets_ms || !find_device(p, p->q.address, &i)) return;
    struct device *d = &p->devices[i];
    if (!p->tries) {
        p->q.nth = now_ms - d->asked_ms < forgets_ms ? d->next : 0;
        d->next = p->q.nth == UINT8_MAX ? 1 : (uint8_t)(p->q.nth + 1);
    }
    d->asked_ms = now_ms;
}

void poll_number_anew(struct poll *p) {
    for (size_t i = 0; i < p->devices_n; i++)
        if (str_is(p->q.address, p->devices[i].address)) p->devices[i].next = 0;
}

void poll_numbers_anew(struct poll *p) {
    for (size_t i = 0; i < p->devices_n; i++) p->devices[i].next = 0;
}

void poll_points_free(struct poll *p) {
    for (size_t i = 0; i < p->n; i++) free(p->points[i].item);
    free(p->points);
    free(p->devices);
}
