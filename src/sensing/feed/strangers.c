/* Who is not known, in order and within bounds.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/strangers.h"

#include "base/utf8.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4 /* places where one may be remembered */

struct lately {
    int64_t community_id, until_ms; /* 0: nobody */
    char code[TELEMETRY_DEVICE_MAX + 1];
};
struct strangers {
    pthread_mutex_t lock;
    struct stranger waiting[STRANGERS_MAX]; /* a ring: those from `settled` to `came` */
    uint64_t came, settled;
    struct lately lately[STRANGERS_LATELY / WAYS][WAYS];
};

struct strangers *strangers_create(void) {
    struct strangers *s = calloc(1, sizeof *s);
    if (s) pthread_mutex_init(&s->lock, NULL);
    return s;
}

void strangers_destroy(struct strangers *s) {
    if (!s) return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct lately *ways_of(struct strangers *s, int64_t community_id, struct str code) {
    uint64_t hash = str_hash(code) ^ (uint64_t)community_id * UINT64_C(0x9e3779b97f4a7c15);
    return s->lately[hash % COUNT(s->lately)];
}

static bool is_remembered(struct strangers *s, int64_t community_id, struct str code, int64_t now_ms) {
    const struct lately *ways = ways_of(s, community_id, code);
    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].until_ms > now_ms && ways[i].community_id == community_id && str_is(code, ways[i].code))
            return true;
    return false;
}

static void remember(struct strangers *s, const struct stranger *x, int64_t now_ms) {
    struct lately *ways = ways_of(s, x->community_id, str_of(x->code)), *oldest = ways;
    for (size_t i = 1; i < WAYS; i++)
        if (ways[i].until_ms < oldest->until_ms) oldest = &ways[i];
    *oldest = (struct lately){.community_id = x->community_id, .until_ms = now_ms + STRANGERS_KEPT_MS};
    memcpy(oldest->code, x->code, sizeof oldest->code);
}

static bool waits(const struct strangers *s, int64_t community_id, struct str code) {
    for (uint64_t i = s->settled; i < s->came; i++) {
        const struct stranger *x = &s->waiting[i % STRANGERS_MAX];
        if (x->community_id == community_id && str_is(code, x->code)) return true;
    }
    return false;
}

static bool says_more(const struct feed_about *about) {
    return about && (about->name[0] || about->vendor[0] || about->model[0]);
}

static void note_about(struct stranger *x, const struct feed_about *about) {
    if (about->address) utf8_copy(x->address, sizeof x->address, str_of(about->address));
    utf8_copy(x->name, sizeof x->name, str_of(about->name));
    utf8_copy(x->vendor, sizeof x->vendor, str_of(about->vendor));
    utf8_copy(x->model, sizeof x->model, str_of(about->model));
}

bool strangers_hear(struct strangers *s, int64_t community_id, struct str device, const char *line,
                    const struct feed_about *about, int64_t now_ms) {
    pthread_mutex_lock(&s->lock);
    bool is_new = s->came - s->settled < STRANGERS_MAX &&
                  (says_more(about) || !is_remembered(s, community_id, device, now_ms)) &&
                  !waits(s, community_id, device);
    if (is_new) {
        struct stranger *x = &s->waiting[s->came++ % STRANGERS_MAX];
        *x = (struct stranger){.community_id = community_id};
        memcpy(x->code, device.ptr, device.len);
        utf8_copy(x->line, sizeof x->line, str_of(line));
        if (about) note_about(x, about);
    }
    pthread_mutex_unlock(&s->lock);
    return is_new;
}

size_t strangers_first(struct strangers *s, struct stranger *ret, size_t most) {
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    for (; n < most && s->settled + n < s->came; n++) ret[n] = s->waiting[(s->settled + n) % STRANGERS_MAX];
    pthread_mutex_unlock(&s->lock);
    return n;
}

void strangers_settle(struct strangers *s, size_t n, int64_t now_ms) {
    pthread_mutex_lock(&s->lock);
    for (; n; n--) remember(s, &s->waiting[s->settled++ % STRANGERS_MAX], now_ms);
    pthread_mutex_unlock(&s->lock);
}

uint64_t strangers_came(struct strangers *s) {
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->came;
    pthread_mutex_unlock(&s->lock);
    return n;
}

uint64_t strangers_settled(struct strangers *s) {
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->settled;
    pthread_mutex_unlock(&s->lock);
    return n;
}
