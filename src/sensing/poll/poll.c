/* Polling of one line.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/poll/poll.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS     2000
#define GAP_MS      20
#define TRIES       3
#define PARTS_MAX   32
#define DATA_MAX    ((size_t)8192) /* of all parts of an answer */
#define ARENA_BYTES ((size_t)256 * 1024)
#define ADDRESS_MAX 24
#define ITEM_MAX    24

struct point {
    char address[ADDRESS_MAX + 1], item[ITEM_MAX + 1];
    int64_t every_ms, due_ms;
    uint32_t device;
};
struct device { /* all points of an address */
    char address[ADDRESS_MAX + 1];
    int fails; /* questions in a row without an answer */
};
struct poll {
    struct poll_options o;
    struct point *points;
    size_t n, cap;
    struct device *devices;
    size_t devices_n, devices_cap;
    size_t at; /* of the point whose turn is next, when several are due */
    /* the question under way */
    struct point *asked; /* NULL: none */
    struct question q;
    int tries;
    bool is_sent;
    int64_t until_ms, free_ms; /* give up then; ask no sooner */
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
    if (!p->o.wait_ms) p->o.wait_ms = WAIT_MS;
    if (!p->o.gap_ms) p->o.gap_ms = GAP_MS;
    if (!p->o.tries) p->o.tries = TRIES;
    arena_init(&p->arena, ARENA_BYTES);
    *ret = p;
    return OK;
}

void poll_destroy(struct poll *p) {
    if (!p) return;
    arena_finish(&p->arena);
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

enum err poll_add(struct poll *p, struct str address, struct str item, int64_t every_ms, struct fault *f) {
    struct question q = {.address = address, .item = item};
    struct buf ignored;
    buf_init_arena(&ignored, &p->arena, p->o.codec->frame_max + 1);
    bool fits = address.len <= ADDRESS_MAX && item.len <= ITEM_MAX;
    bool ok = fits && p->o.codec->asking->ask(&q, &ignored);
    arena_reset(&p->arena);
    if (!ok) return FAIL_FIELD(f, "address", "bad_address", 0);
    if (p->n == POLL_POINTS_MAX)
        return FAIL(f, ERR_LIMIT, "too_many", "no more than %d points a line", POLL_POINTS_MAX);
    struct point *asked = p->asked;
    size_t asked_at = asked ? (size_t)(asked - p->points) : 0;
    uint32_t device;
    if (!grow((void **)&p->points, p->n, &p->cap, sizeof *p->points) || !find_device(p, address, &device))
        return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    if (asked) { /* its texts moved */
        p->asked = &p->points[asked_at];
        p->q.address = str_of(p->asked->address);
        p->q.item = str_of(p->asked->item);
    }
    struct point *x = &p->points[p->n++];
    *x = (struct point){.every_ms = every_ms, .due_ms = INT64_MIN, .device = device};
    memcpy(x->address, address.ptr, address.len);
    if (item.len) memcpy(x->item, item.ptr, item.len);
    return OK;
}

void poll_now(struct poll *p, struct str address) {
    for (size_t i = 0; i < p->n; i++)
        if (!address.ptr || str_is(address, p->points[i].address)) p->points[i].due_ms = INT64_MIN;
}

/* Round robin among those that are due, so that none waits for one that is due again and again. */
static struct point *next_due(struct poll *p, int64_t now_ms, int64_t *ret_next_ms) {
    struct point *found = NULL;
    *ret_next_ms = INT64_MAX;
    for (size_t k = 0; k < p->n && !found; k++) {
        size_t i = (p->at + k) % p->n;
        if (p->points[i].due_ms <= now_ms) {
            found = &p->points[i];
            p->at = (i + 1) % p->n;
        } else if (p->points[i].due_ms < *ret_next_ms) {
            *ret_next_ms = p->points[i].due_ms;
        }
    }
    return found;
}

/* ---- a question's way ---- */

static void begin(struct poll *p, struct point *x) {
    p->asked = x;
    p->tries = 0;
    p->q = (struct question){.address = str_of(x->address), .item = str_of(x->item), .serial = ++p->serial};
    buf_init(&p->joined, p->data, sizeof p->data);
}

static void send(struct poll *p, int64_t now_ms, struct buf *out) {
    (void)p->o.codec->asking->ask(&p->q, out);
    p->is_sent = true;
    p->in_n = 0; /* what came before it answers nothing */
    p->until_ms = now_ms + p->o.wait_ms;
}

/* A silent device is asked less and less often: the line is others', too. */
static void settle(struct poll *p, int64_t now_ms, bool answered) {
    struct point *x = p->asked;
    struct device *d = &p->devices[x->device];
    bool was = d->fails >= p->o.tries;
    d->fails = answered ? 0 : d->fails + p->tries;
    if (d->fails > 1000) d->fails = 1000;
    int64_t pause_ms = x->every_ms;
    for (int k = p->o.tries; k <= d->fails && pause_ms < POLL_BACKOFF_MS; k += p->o.tries) pause_ms *= 2;
    if (pause_ms > POLL_BACKOFF_MS && pause_ms > x->every_ms)
        pause_ms = x->every_ms > POLL_BACKOFF_MS ? x->every_ms : POLL_BACKOFF_MS;
    x->due_ms = now_ms + pause_ms;
    p->asked = NULL;
    p->is_sent = false;
    p->free_ms = now_ms + p->o.gap_ms;
    bool is = d->fails >= p->o.tries;
    if (was != is && p->o.calls.silent) p->o.calls.silent(p->o.calls.arg, str_of(d->address), is);
}

static void give_up_if_late(struct poll *p, int64_t now_ms) {
    if (!p->asked || !p->is_sent || now_ms < p->until_ms) return;
    p->is_sent = false;
    p->free_ms = now_ms + p->o.gap_ms;
    if (++p->tries >= p->o.tries) settle(p, now_ms, false);
}

int64_t poll_step(struct poll *p, int64_t now_ms, struct buf *out) {
    int64_t next_ms = INT64_MAX;
    give_up_if_late(p, now_ms);
    if (p->asked && p->is_sent) return p->until_ms;
    if (now_ms < p->free_ms) return p->free_ms;
    struct point *x = p->asked ? NULL : next_due(p, now_ms, &next_ms);
    if (x) begin(p, x);
    if (!p->asked) return next_ms;
    send(p, now_ms, out);
    return p->until_ms;
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
    bool ok = !p->joined.overflow && p->o.codec->asking->read(&q, data, &p->arena, &d, &e);
    settle(p, now_ms, true);
    if (ok)
        p->o.calls.said(p->o.calls.arg, &q, &d);
    else
        noise(p, data, e.rule ? e.rule : "the answer is too long");
    arena_reset(&p->arena);
}

static void take(struct poll *p, int64_t now_ms, struct bytes whole) {
    const char *why = "";
    size_t before = p->joined.len;
    enum answer answer =
        p->asked && p->is_sent ? p->o.codec->asking->answers(&p->q, whole, &p->joined, &why) : ANSWER_OTHER;
    struct question q = p->q;
    switch (answer) {
    case ANSWER_OTHER:
        p->joined.len = before;
        noise(p, whole, NULL);
        return;
    case ANSWER_WHOLE: whole_answer(p, now_ms); return;
    case ANSWER_PART:
        if (++p->q.part == PARTS_MAX) { /* it never ends */
            p->tries = p->o.tries;
            settle(p, now_ms, false);
            return;
        }
        p->is_sent = false;
        p->tries = 0;
        p->free_ms = now_ms + p->o.gap_ms;
        return;
    case ANSWER_REFUSED:
        settle(p, now_ms, true); /* it spoke */
        if (p->o.calls.refused) p->o.calls.refused(p->o.calls.arg, &q, why);
        return;
    }
}

static void forget(struct poll *p, size_t n) {
    memmove(p->in, p->in + n, p->in_n - n);
    p->in_n -= n;
}

static void split(struct poll *p, int64_t now_ms) {
    while (p->in_n) {
        size_t len = 0;
        enum frame what = p->o.codec->frame((struct bytes){p->in, p->in_n}, &len);
        if (what == FRAME_SHORT) return;
        struct bytes piece = {p->in, len};
        if (what == FRAME_SKIP)
            noise(p, piece, "these bytes are no frame");
        else
            take(p, now_ms, piece);
        forget(p, len < p->in_n ? len : p->in_n);
    }
}

void poll_feed(struct poll *p, int64_t now_ms, struct bytes in) {
    while (in.len) {
        size_t room = p->in_cap - p->in_n, n = in.len < room ? in.len : room;
        memcpy(p->in + p->in_n, in.ptr, n);
        p->in_n += n;
        in = (struct bytes){in.ptr + n, in.len - n};
        split(p, now_ms);
    }
}

void poll_lost(struct poll *p) {
    if (p->asked) p->asked->due_ms = INT64_MIN;
    p->asked = NULL;
    p->is_sent = false;
    p->in_n = 0;
}
