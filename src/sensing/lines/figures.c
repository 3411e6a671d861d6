/* Figures of a line.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/figures.h"

#include "base/utf8.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX ((size_t)256 * 1024) /* of one frame as JSON */

struct figures *figures_create(void) {
    struct figures *f = calloc(1, sizeof *f);
    if (f) pthread_mutex_init(&f->lock, NULL);
    if (f) f->asked = f->missed = -1;
    if (f) f->clocks = heard_create();
    if (f && f->clocks) return f;
    figures_destroy(f);
    return NULL;
}

void figures_destroy(struct figures *f) {
    if (!f) return;
    heard_destroy(f->clocks);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void figures_asks(struct figures *f) {
    pthread_mutex_lock(&f->lock);
    if (f->asked < 0) f->asked = f->missed = 0;
    pthread_mutex_unlock(&f->lock);
}

void figures_missed(struct figures *f) {
    pthread_mutex_lock(&f->lock);
    f->missed += f->missed >= 0;
    pthread_mutex_unlock(&f->lock);
}

void figures_bad(struct figures *f, const struct sample *what, struct bytes bytes, bool skipped) {
    size_t n = bytes.len < FIGURES_BAD_BYTES ? bytes.len : FIGURES_BAD_BYTES;
    pthread_mutex_lock(&f->lock);
    f->bad++;
    if (skipped) f->skipped_bytes += (int64_t)what->len;
    if (!f->keeps_no_samples) {
        uint32_t at = f->bad_n++ % FIGURES_BAD_MAX;
        f->bad_samples[at] = *what;
        if (n) memcpy(f->bad_bytes[at], bytes.ptr, n);
    }
    pthread_mutex_unlock(&f->lock);
}

void figures_good(struct figures *f, const struct sample *what, struct bytes whole) {
    size_t n = whole.len < FIGURES_GOOD_BYTES ? whole.len : FIGURES_GOOD_BYTES;
    pthread_mutex_lock(&f->lock);
    f->frames++;
    f->last_ms = what->at_ms;
    if (!f->keeps_no_samples) {
        uint32_t at = f->good_n++ % FIGURES_GOOD_MAX;
        f->good_samples[at] = *what;
        if (n) memcpy(f->good_bytes[at], whole.ptr, n);
    }
    pthread_mutex_unlock(&f->lock);
}

void figures_clock(struct figures *f, struct str device, int64_t ahead_ms, int64_t now_ms) {
    if (f->keeps_no_samples || !(heard_is_off(ahead_ms) || heard_knows(f->clocks, device))) return;
    heard_clock(f->clocks, device, ahead_ms, now_ms);
}

void figures_search(struct figures *f, const struct figures_search *how) {
    pthread_mutex_lock(&f->lock);
    f->search = *how;
    pthread_mutex_unlock(&f->lock);
}

/* ---- of several communities ---- */

struct figures_book {
    unsigned uncounted;
    struct figures *nobody;
    _Atomic size_t n; /* of those that are there, which do not change any more */
    struct {
        int64_t community_id;
        struct figures *figures;
    } all[FIGURES_BOOK_MAX];
};

static struct figures *create_for(const struct figures_book *b) {
    struct figures *f = figures_create();
    if (f && (b->uncounted & FIGURES_NO_CONNECTIONS)) f->connections = f->connections_total = -1;
    if (f && (b->uncounted & FIGURES_NO_UNANSWERED)) f->unanswered = -1;
    return f;
}

struct figures_book *figures_book_create(unsigned uncounted) {
    struct figures_book *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->uncounted = uncounted;
    b->nobody = create_for(b);
    if (!b->nobody) {
        free(b);
        return NULL;
    }
    b->nobody->keeps_no_samples = true;
    return b;
}

void figures_book_destroy(struct figures_book *b) {
    if (!b) return;
    for (size_t i = 0; i < atomic_load(&b->n); i++) figures_destroy(b->all[i].figures);
    figures_destroy(b->nobody);
    free(b);
}

struct figures *figures_own(struct figures_book *b, int64_t community_id) {
    size_t n = atomic_load_explicit(&b->n, memory_order_acquire);
    for (size_t i = 0; i < n; i++)
        if (b->all[i].community_id == community_id) return b->all[i].figures;
    return NULL;
}

struct figures *figures_of(struct figures_book *b, int64_t community_id) {
    struct figures *own = figures_own(b, community_id);
    return own ? own : b->nobody;
}

void figures_book_add(struct figures_book *b, int64_t community_id) {
    size_t n = atomic_load(&b->n);
    if (n == FIGURES_BOOK_MAX || figures_own(b, community_id)) return;
    b->all[n].community_id = community_id;
    b->all[n].figures = create_for(b);
    if (b->all[n].figures) atomic_store_explicit(&b->n, n + 1, memory_order_release); /* else with the next look */
}

/* ---- as JSON ---- */

static void put_hex(struct jw *j, const char *key, struct bytes bytes, struct arena *a) {
    struct buf b;
    struct str hex = S("");
    buf_init_arena(&b, a, 2 * FIGURES_GOOD_BYTES + 1);
    buf_hex(&b, bytes);
    if (bytes.len) (void)!buf_done(&b, &hex);
    jw_kstr(j, key, hex);
}

/* Payloads of MQTT and HTTP are text mostly: of what was cut, whole characters. */
static void put_text(struct jw *j, struct bytes bytes) {
    struct str text = {(const char *)bytes.ptr, bytes.len};
    for (int cut = 0; cut < 3 && text.len && !utf8_is_valid(text); cut++) text.len--;
    if (!text.len || !utf8_is_valid(text)) return;
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || ((unsigned char)text.ptr[i] < ' ' && !strchr("\t\r\n", text.ptr[i]))) return;
    jw_kstr(j, "text", text);
}

struct telling {
    const struct codec *codec;
    const struct figures_reader *reader;
    struct arena *a;
    struct jw *j;
};

/* False: its bytes are not for this reader. */
static bool put_sample(const struct telling *t, const struct sample *s, struct bytes bytes, const struct decoded *d,
                       bool is_bad) {
    struct jw *j = t->j;
    bool sees = !t->reader || t->reader->sees(t->reader->arg, s, &bytes, d, is_bad);
    jw_ki64(j, "at_ms", s->at_ms);
    jw_kcstr(j, "peer", s->peer);
    bool is_event = !is_bad && t->codec; /* that says how somebody is */
    if (s->about[0] && (sees || !is_event)) jw_kcstr(j, "about", s->about);
    if (s->device[0]) jw_kcstr(j, "device", s->device);
    jw_ki64(j, "length", (int64_t)s->len);
    put_hex(j, "hex", sees ? bytes : (struct bytes){NULL, 0}, t->a);
    if (s->asked_n) put_hex(j, "asked", (struct bytes){s->asked, s->asked_n}, t->a);
    if (sees && !t->codec) put_text(j, bytes);
    if (!sees && s->len) jw_kbool(j, "is_private", true);
    if (s->number) jw_ki64(j, "number", (int64_t)s->number);
    if (s->rule[0]) jw_kcstr(j, "rule", s->rule);
    if (s->rule[0] && s->offset != NO_OFFSET) jw_ki64(j, "offset", (int64_t)s->offset);
    return sees;
}

static void put_frame(const struct telling *t, struct bytes whole) {
    struct wire_error e;
    struct buf b;
    struct str shown;
    struct jw inner;
    buf_init_arena(&b, t->a, SHOWN_MAX);
    jw_init(&inner, &b);
    if (!t->codec->show || !t->codec->show(whole, t->a, &inner, &e) || !buf_done(&b, &shown)) return;
    jw_key(t->j, "frame");
    jw_raw(t->j, shown);
}

/* Who names himself only as he logs in is named by the sample. */
static void put_readings(const struct telling *t, const struct sample *s, const struct decoded *d) {
    const struct figures_reader *r = t->reader;
    struct jw *j = t->j;
    jw_key(j, "readings");
    jw_open(j, '[');
    for (size_t i = 0; i < d->readings_n; i++) {
        struct str device = d->readings[i].device.len ? d->readings[i].device : str_of(s->device);
        if (r && !r->sees_reading(r->arg, device, d->readings[i].metric)) continue;
        jw_open(j, '{');
        jw_kstr(j, "device", device);
        jw_kstr(j, "key", d->readings[i].metric);
        jw_key(j, "value");
        jw_f64(j, d->readings[i].value);
        jw_kstr(j, "unit", d->readings[i].unit);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_events(const struct telling *t, const struct sample *s, const struct decoded *d) {
    struct jw *j = t->j;
    jw_key(j, "events");
    jw_open(j, '[');
    for (size_t i = 0; i < d->events_n; i++) {
        jw_open(j, '{');
        jw_kstr(j, "device", d->events[i].device.len ? d->events[i].device : str_of(s->device));
        jw_kstr(j, "code", d->events[i].code);
        jw_kstr(j, "text", d->events[i].text);
        jw_kbool(j, "set", d->events[i].is_set);
        jw_close(j, '}');
    }
    jw_close(j, ']');
}

static void put_search(const struct figures_search *s, struct jw *j) {
    jw_key(j, "search");
    jw_open(j, '{');
    jw_ki64(j, "began_ms", s->began_ms);
    if (s->ended_ms) jw_ki64(j, "ended_ms", s->ended_ms);
    jw_ki64(j, "asked", s->asked);
    jw_ki64(j, "of", s->of);
    jw_ki64(j, "found", s->found);
    jw_ki64(j, "mixed", s->mixed);
    jw_ki64(j, "refused", s->refused);
    jw_close(j, '}');
}

static void put_good(const struct telling *t, const struct sample *s, struct bytes kept) {
    struct decoded d = {0};
    struct wire_error e;
    bool is_whole = t->codec && kept.len == s->len;
    bool is_decoded = is_whole && t->codec->decode && t->codec->decode(kept, t->a, &d, &e);
    bool sees = put_sample(t, s, kept, is_decoded ? &d : NULL, false);
    if (is_whole && sees) put_frame(t, kept);
    if (!is_decoded) return;
    put_readings(t, s, &d);
    if (sees) put_events(t, s, &d);
}

struct str figures_device(const struct decoded *d, struct str otherwise) {
    struct str one = d->sender;
    for (size_t i = 0; i < d->readings_n + d->events_n; i++) {
        struct str x = i < d->readings_n ? d->readings[i].device : d->events[i - d->readings_n].device;
        if (one.len && !str_eq(x, one)) return S("");
        one = x;
    }
    return one.len ? one : otherwise;
}

/* What is told is copied under the lock, so that a slow reader never holds up the loop. */
void figures_put(struct figures *f, const struct codec *codec, const struct figures_reader *reader, struct arena *a,
                 struct jw *j) {
    const struct telling t = {codec, reader, a, j};
    struct figures *now = arena_alloc(a, 1, sizeof *now, _Alignof(struct figures));
    if (!now) {
        j->out->overflow = true;
        return;
    }
    pthread_mutex_lock(&f->lock);
    memcpy(now, f, sizeof *now);
    pthread_mutex_unlock(&f->lock);
    jw_ki64(j, "frames", now->frames);
    jw_ki64(j, "bad", now->bad);
    jw_ki64(j, "skipped_bytes", now->skipped_bytes);
    jw_ki64(j, "bytes", now->bytes);
    if (now->unanswered >= 0) jw_ki64(j, "unanswered", now->unanswered);
    if (now->asked >= 0) jw_ki64(j, "asked", now->asked);
    if (now->missed >= 0) jw_ki64(j, "missed", now->missed);
    if (now->connections >= 0) jw_ki64(j, "connections", now->connections);
    if (now->connections_total >= 0) jw_ki64(j, "connections_total", now->connections_total);
    if (now->last_ms) jw_ki64(j, "last_ms", now->last_ms);
    if (now->search.began_ms) put_search(&now->search, j);
    jw_key(j, "bad_samples");
    jw_open(j, '[');
    for (uint32_t i = now->bad_n; i > 0 && now->bad_n - i < FIGURES_BAD_MAX; i--) {
        const struct sample *s = &now->bad_samples[(i - 1) % FIGURES_BAD_MAX];
        size_t n = s->len < FIGURES_BAD_BYTES ? s->len : FIGURES_BAD_BYTES;
        jw_open(j, '{');
        (void)put_sample(&t, s, (struct bytes){now->bad_bytes[(i - 1) % FIGURES_BAD_MAX], n}, NULL, true);
        jw_close(j, '}');
    }
    jw_close(j, ']');
    jw_key(j, "good_samples");
    jw_open(j, '[');
    for (uint32_t i = now->good_n; i > 0 && now->good_n - i < FIGURES_GOOD_MAX; i--) {
        const struct sample *s = &now->good_samples[(i - 1) % FIGURES_GOOD_MAX];
        size_t n = s->len < FIGURES_GOOD_BYTES ? s->len : FIGURES_GOOD_BYTES;
        jw_open(j, '{');
        put_good(&t, s, (struct bytes){now->good_bytes[(i - 1) % FIGURES_GOOD_MAX], n});
        jw_close(j, '}');
    }
    jw_close(j, ']');
}
