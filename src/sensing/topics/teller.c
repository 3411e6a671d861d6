/* How devices spoke last, what they were told, and what ends it.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/topics/teller.h"

#include "protocol/lorawan/lorawan.h"
#include "protocol/sparkplug/sparkplug.h"
#include "sensing/topics/order.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_MAX   (HOME_TOPIC_MAX + 1 + 4096)
#define ARENA_BYTES ((size_t)1 << 20)
#define OWN         "linli/"

struct spoken { /* in order of community and code */
    int64_t community_id;
    const struct codec *codec; /* NULL: as discovery describes it, or under topics of our own */
    bool is_own, is_away;
    char code[TELEMETRY_DEVICE_MAX + 1], key[TELLER_KEY_MAX + 1];
};
struct told {
    int64_t id, community_id, until_ms;
    const struct codec *codec; /* in which it went out; NULL: see spoken */
    bool is_out, is_own;
    bool is_known; /* the device was in use, once */
    char key[TELLER_KEY_MAX + 1];
    struct str device, address, item, value; /* in `texts` */
    char texts[];
};
struct teller {
    struct teller_options o;
    struct spoken *spoken;
    size_t spoken_n, spoken_cap, told_n;
    struct told *told[TELLER_ORDERS_MAX]; /* in the order in which they came */
};

struct teller *teller_create(const struct teller_options *o) {
    struct teller *t = calloc(1, sizeof *t);
    if (t) t->o = *o;
    return t;
}

void teller_destroy(struct teller *t) {
    if (!t) return;
    for (size_t i = 0; i < t->told_n; i++) free(t->told[i]);
    free(t->spoken);
    free(t);
}

static int64_t now_ms(const struct teller *t) {
    return t->o.world->utc_ms(t->o.world->self);
}

/* ---- how they spoke ---- */

static int compare(int64_t community_id, struct str code, const struct spoken *s) {
    if (community_id != s->community_id) return community_id < s->community_id ? -1 : 1;
    return str_cmp(code, str_of(s->code));
}

static size_t place_of(const struct teller *t, int64_t community_id, struct str code, bool *ret_found) {
    size_t low = 0, high = t->spoken_n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (compare(community_id, code, &t->spoken[mid]) > 0)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_found = low < t->spoken_n && !compare(community_id, code, &t->spoken[low]);
    return low;
}

static struct spoken *find(const struct teller *t, int64_t community_id, struct str code) {
    bool found;
    size_t at = place_of(t, community_id, code, &found);
    return found ? &t->spoken[at] : NULL;
}

bool teller_knows(struct teller *t, int64_t community_id, struct str device) {
    return find(t, community_id, device) != NULL;
}

/* NULL: over a bound. */
static struct spoken *find_or_add(struct teller *t, int64_t community_id, struct str code) {
    bool found;
    size_t at = place_of(t, community_id, code, &found);
    if (found) return &t->spoken[at];
    if (t->spoken_n == TELLER_DEVICES_MAX || !code.len || code.len > TELEMETRY_DEVICE_MAX) return NULL;
    if (t->spoken_n == t->spoken_cap) {
        size_t cap = t->spoken_cap ? t->spoken_cap * 2 : 16;
        struct spoken *grown = realloc(t->spoken, cap * sizeof *grown);
        if (!grown) return NULL;
        t->spoken = grown;
        t->spoken_cap = cap;
    }
    memmove(&t->spoken[at + 1], &t->spoken[at], (t->spoken_n++ - at) * sizeof *t->spoken);
    t->spoken[at] = (struct spoken){.community_id = community_id};
    memcpy(t->spoken[at].code, code.ptr, code.len);
    return &t->spoken[at];
}

/* How a publish was spoken: neither codec nor own, as discovery describes it or as nobody knows. */
struct manner {
    const struct codec *codec;
    struct str key;
    bool is_own;
};
static struct manner manner_of(const struct teller_voice *v, struct str topic) {
    static const struct codec *const servers[] = {&chirpstack_codec, &ttn_codec};
    struct sparkplug_topic ignored;
    struct manner m = {.is_own = v->community.len && str_starts(topic, S(OWN))};
    if (m.is_own) return m;
    m.codec = home_codec_of(v->speaks, topic, &m.key);
    if (!m.codec && v->speaks->is_sparkplug && sparkplug_topic(topic, &ignored)) m.codec = &sparkplug_codec;
    for (size_t i = 0; v->is_broker && !m.codec && i < COUNT(servers); i++)
        if (servers[i]->asking->key(topic, &m.key)) m.codec = servers[i];
    return m;
}

static void note(struct teller *t, const struct teller_voice *v, const struct manner *m, struct str device) {
    struct spoken *s = m->key.len <= TELLER_KEY_MAX ? find_or_add(t, v->community_id, device) : NULL;
    if (!s || (!m->codec && !m->is_own && s->codec)) return; /* discovery may describe it, too */
    s->codec = m->codec;
    s->is_own = m->is_own;
    memset(s->key, 0, sizeof s->key);
    if (m->key.len) memcpy(s->key, m->key.ptr, m->key.len);
}

/* Who is there by what is said, each once where what is of it stands together. */
static void note_all(struct teller *t, const struct teller_voice *v, const struct manner *m, const struct decoded *d) {
    struct str last = d->sender;
    if (last.len) note(t, v, m, last);
    for (size_t i = 0; i < d->readings_n; i++) {
        if (!str_eq(d->readings[i].device, last)) note(t, v, m, d->readings[i].device);
        last = d->readings[i].device;
    }
    for (size_t i = 0; i < d->events_n; i++) {
        const struct device_event *e = &d->events[i];
        if (!str_eq(e->device, last)) note(t, v, m, e->device);
        last = e->device;
        struct spoken *s = find(t, v->community_id, e->device);
        if (s && str_is(e->code, "offline") && !e->part.len) s->is_away = e->is_set;
    }
}

/* ---- telling ---- */

enum said { SAID, SAID_LATER /* nobody knows how, yet */, SAID_NEVER };

/* Where one convention alone is spoken, there is no other. */
static const struct codec *only_codec(const struct home_speaks *s) {
    const struct codec *only = s->is_sparkplug ? &sparkplug_codec : NULL;
    size_t n = s->is_sparkplug;
    for (size_t i = 0; i < HOME__COUNT; i++) {
        if (s->is_spoken[i]) only = home_codecs[i];
        n += s->is_spoken[i];
    }
    return n == 1 ? only : NULL;
}

static bool put_own(const struct teller_voice *v, const struct told *x, struct arena *a, struct buf *out) {
    struct str payload;
    const struct line_order o = {.command_id = x->id, .item = x->item, .value = x->value};
    if (!order_put(&o, a, &payload)) return false;
    buf_fmt(out, OWN STR_FMT "/" STR_FMT "/command\n" STR_FMT, STR_ARG(v->community), STR_ARG(x->address),
            STR_ARG(payload));
    return !out->overflow;
}

static struct question question_of(const struct told *x, int64_t at_ms) {
    return (struct question){
        .address = x->address, .item = x->item, .value = x->value, .key = str_of(x->key), .now_ms = at_ms};
}

static enum said put(struct teller *t, struct told *x, const struct teller_voice *v, struct arena *a, struct buf *out,
                     bool *ret_tells) {
    const struct spoken *s = find(t, x->community_id, x->device);
    x->codec = s ? s->codec : only_codec(v->speaks);
    x->is_own = s && s->is_own;
    memset(x->key, 0, sizeof x->key);
    if (s) memcpy(x->key, s->key, sizeof x->key);
    if (!s && x->codec == &zigbee2mqtt_codec && v->speaks->base[HOME_ZIGBEE2MQTT].len <= TELLER_KEY_MAX)
        memcpy(x->key, v->speaks->base[HOME_ZIGBEE2MQTT].ptr, v->speaks->base[HOME_ZIGBEE2MQTT].len);
    struct question q = question_of(x, now_ms(t));
    const struct asking *asking = x->codec ? x->codec->asking : NULL;
    *ret_tells = true;
    if (x->is_own) return put_own(v, x, a, out) ? SAID : SAID_NEVER;
    if (asking && asking->ask(&q, out) && !out->overflow) {
        *ret_tells = !asking->tells || asking->tells(&q);
        return SAID;
    }
    buf_init_arena(out, a, FRAME_MAX);
    enum home_asked asked = home_points_ask(v->points, &q, out, ret_tells);
    if (asked == HOME_ASKED) x->codec = NULL;
    return asked == HOME_ASKED ? SAID : asked == HOME_UNSAYABLE || asking ? SAID_NEVER : SAID_LATER;
}

/* Whose voice it is, its devices have its code before them; their address is what is behind it. */
static bool is_of(const struct teller_voice *v, struct str device) {
    struct str rest = str_from(device, v->gateway.len);
    return !v->gateway.len || str_eq(device, v->gateway) ||
           (str_starts(device, v->gateway) && rest.len && rest.ptr[0] == ':');
}

static struct str address_in(const struct teller_voice *v, struct str address) {
    if (!v->gateway.len || str_eq(address, v->gateway) || !is_of(v, address)) return address;
    return str_from(address, v->gateway.len + 1);
}

/* SAID: the order may be over by that. */
static enum said speak(struct teller *t, struct told *x, bool *ret_tells) {
    struct teller_voice v = {0};
    const struct spoken *s = find(t, x->community_id, x->device);
    struct arena arena;
    struct buf b;
    if ((s && s->is_away) || !t->o.voice(t->o.arg, x->community_id, x->device, &v)) return SAID_LATER;
    x->address = address_in(&v, x->address);
    arena_init(&arena, ARENA_BYTES);
    buf_init_arena(&b, &arena, FRAME_MAX);
    enum said said = put(t, x, &v, &arena, &b, ret_tells);
    if (said == SAID) {
        struct str payload = {b.ptr, b.len}, topic;
        (void)str_cut(&payload, '\n', &topic);
        const struct bytes bytes = {(const uint8_t *)(payload.ptr ? payload.ptr : ""), payload.len};
        if (!t->o.out(t->o.arg, &v, topic, bytes)) said = SAID_LATER;
    }
    arena_finish(&arena);
    x->is_out = said == SAID;
    return said;
}

static void drop(struct teller *t, size_t i) {
    free(t->told[i]);
    memmove(&t->told[i], &t->told[i + 1], (--t->told_n - i) * sizeof(struct told *));
}

static void end(struct teller *t, size_t i, bool is_done, struct str answer) {
    int64_t id = t->told[i]->id;
    drop(t, i);
    t->o.told(t->o.arg, id, is_done, answer);
}

#define NOT_SAYABLE "its protocol cannot say this"

static struct str place(char **at, struct str s) {
    struct str put = {s.ptr ? *at : NULL, s.len};
    if (s.len) memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return put;
}

bool teller_tell(struct teller *t, int64_t community_id, const struct line_order *o, const char **ret_why) {
    size_t len = o->device.len + o->address.len + o->item.len + o->value.len;
    bool tells = true;
    *ret_why = "too many commands are unanswered";
    struct told *x = t->told_n < TELLER_ORDERS_MAX ? calloc(1, sizeof *x + len + 1) : NULL;
    if (!x) return false;
    char *at = x->texts;
    x->id = o->command_id;
    x->community_id = community_id;
    x->until_ms = o->until_ms;
    x->device = place(&at, o->device);
    x->address = place(&at, o->address.len ? o->address : o->device);
    x->item = place(&at, o->item);
    x->value = place(&at, o->value);
    *ret_why = NOT_SAYABLE;
    enum said said = speak(t, x, &tells);
    if (said == SAID_NEVER || (said == SAID && !tells)) {
        free(x);
        return said == SAID;
    }
    t->told[t->told_n++] = x;
    return true;
}

static bool is_in_use(const struct teller *t, const struct told *x) {
    return feed_knows(t->o.feed, x->community_id, x->device);
}

/* Retired since, or put back.  One that was adopted a moment ago may not be known yet. */
static bool has_left(const struct teller *t, struct told *x) {
    bool is_here = is_in_use(t, x), was_here = x->is_known;
    x->is_known |= is_here;
    return was_here && !is_here;
}

void teller_tick(struct teller *t) {
    int64_t now = now_ms(t);
    for (size_t i = t->told_n; i-- > 0;) {
        bool tells = true;
        enum said said = SAID_LATER;
        if (now >= t->told[i]->until_ms) {
            drop(t, i); /* its row expires by itself */
            continue;
        }
        if (!t->told[i]->is_out && has_left(t, t->told[i])) {
            end(t, i, false, S(LINE_NOT_IN_USE));
            continue;
        }
        if (!t->told[i]->is_out) said = speak(t, t->told[i], &tells);
        if (said == SAID_NEVER) end(t, i, false, S(NOT_SAYABLE));
        if (said == SAID && !tells) drop(t, i);
    }
}

/* ---- what ends it ---- */

struct publish_heard {
    const struct teller_voice *v;
    const struct decoded *d;
    struct str topic;
    struct bytes payload, whole;
    struct arena *a;
};

static bool says_metric(const struct publish_heard *p, const struct told *x, const struct question *q) {
    for (size_t i = 0; x->codec == &sparkplug_codec && i < p->d->readings_n; i++)
        if (str_eq(p->d->readings[i].device, x->device) && sparkplug_says(q, &p->d->readings[i])) return true;
    return false;
}

static enum answer own_answer(const struct publish_heard *p, const struct told *x, const char **ret_why) {
    struct str rest = str_from(p->topic, sizeof OWN - 1), community, device;
    struct order_reply r;
    if (!str_cut(&rest, '/', &community) || !str_cut(&rest, '/', &device) || !str_is(rest, "reply") ||
        !str_eq(device, x->address) || !order_reply_read(p->payload, p->a, &r) || r.id != x->id)
        return ANSWER_OTHER;
    *ret_why = arena_cstr(p->a, r.answer);
    return r.is_done ? ANSWER_WHOLE : ANSWER_REFUSED;
}

static enum answer answer_to(struct teller *t, const struct publish_heard *p, const struct told *x,
                             const char **ret_why) {
    struct question q = question_of(x, now_ms(t));
    struct buf data;
    if (x->is_own) return str_starts(p->topic, S(OWN)) ? own_answer(p, x, ret_why) : ANSWER_OTHER;
    if (!x->codec)
        return home_points_answer(p->v->points, &q, p->topic, p->payload, p->a) ? ANSWER_WHOLE : ANSWER_OTHER;
    if (says_metric(p, x, &q)) return ANSWER_WHOLE;
    buf_init_arena(&data, p->a, HOME_FRAME_MAX);
    return x->codec->asking->answers(&q, p->whole, &data, ret_why);
}

static void end_some(struct teller *t, struct publish_heard *p) {
    for (size_t i = t->told_n; i-- > 0;) {
        const struct told *x = t->told[i];
        const char *why = NULL;
        if (!x->is_out || x->community_id != p->v->community_id || !is_of(p->v, x->device)) continue;
        enum answer answer = answer_to(t, p, x, &why);
        if (answer == ANSWER_WHOLE) end(t, i, true, str_of(x->is_own ? why : NULL));
        if (answer == ANSWER_REFUSED) end(t, i, false, why && why[0] ? str_of(why) : S("refused"));
    }
}

void teller_heard(struct teller *t, const struct teller_voice *v, struct str topic, struct bytes payload,
                  const struct decoded *d, bool is_kept) {
    struct manner m = manner_of(v, topic);
    note_all(t, v, &m, d);
    if (!t->told_n) return;
    struct arena arena;
    struct buf whole;
    arena_init(&arena, 4 * HOME_FRAME_MAX);
    buf_init_arena(&whole, &arena, HOME_FRAME_MAX);
    buf_str(&whole, topic);
    buf_char(&whole, '\n');
    buf_add(&whole, payload.ptr, payload.len);
    struct publish_heard p = {v, d, topic, payload, {(const uint8_t *)whole.ptr, whole.len}, &arena};
    if (!is_kept && !whole.overflow) end_some(t, &p);
    arena_finish(&arena);
}
