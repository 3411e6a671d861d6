/* What Home Assistant's discovery has described: entities by the topics of their states, in the caller's memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

_Static_assert(POINT__COUNT == COUNT(((struct home_point *)0)->ends), "a point has these texts");

struct str home_point_text(const struct home_point *p, enum home_text i) {
    size_t from = i ? p->ends[i - 1] : 0;
    return (struct str){p->texts + from, p->ends[i] - from};
}

/* In the order of the texts. */
static bool put(struct home_point *p, enum home_text i, struct str s) {
    size_t from = i ? p->ends[i - 1] : 0;
    if (s.len > sizeof p->texts - from) return false;
    if (s.len) memcpy(p->texts + from, s.ptr, s.len);
    p->ends[i] = (uint16_t)(from + s.len);
    return true;
}

/* ---- what an entity is ---- */

/* Classes of binary sensors that have a word here; ON of a door is open, of moisture wet. */
static const struct {
    const char *class, *metric, *event;
} classes[] = {
    {"smoke", "smoke", "smoke"},
    {"gas", "gas", "gas"},
    {"carbon_monoxide", "carbon_monoxide", "carbon_monoxide"},
    {"moisture", "water_leak", "water_leak"},
    {"tamper", "tamper", "tamper"},
    {"battery", "low_battery", "low_battery"},
    {"door", "open", NULL},
    {"window", "open", NULL},
    {"opening", "open", NULL},
    {"garage_door", "open", NULL},
    {"occupancy", "occupancy", NULL},
    {"presence", "presence", NULL},
    {"motion", "occupancy", NULL},
    {"vibration", "vibration", NULL},
};

static bool is_state(struct str component) {
    return word_in("sensor binary_sensor switch number lock fan siren cover valve", component);
}

/* Its name where it has one, without that of its device in front; else its class, else its object. */
static bool name_entity(struct home_report *r, const struct home_entity *e, struct str *ret) {
    struct str name = e->text[KEY_NAME], device = e->text[KEY_DEVICE_NAME];
    bool is_prefixed = device.len && name.len > device.len + 1 && name.ptr[device.len] == ' ' &&
                       home_same((struct str){name.ptr, device.len}, device);
    if (is_prefixed) name = str_from(name, device.len + 1);
    if (!name.len) name = e->text[KEY_CLASS];
    if (!name.len) name = e->text[KEY_OBJECT];
    return home_snake(r->a, name, ret) || home_bad(r, "out of memory", 0);
}

struct learning {
    struct home_points *points;
    const struct home_speaks *speaks;
    struct str topic;
};

/* States that another convention tells by itself, and commands that it takes, where it is spoken. */
static bool is_others(const struct home_speaks *speaks, struct str topic, enum home_what what) {
    struct home_topic t;
    for (size_t i = 0; i < HOME_HOMEASSISTANT; i++)
        if (speaks->is_spoken[i] && home_conventions[i]->topic(speaks->base[i], topic, &t) && t.what == what)
            return true;
    return false;
}

static struct str or_else(struct str s, struct str otherwise) {
    return s.len ? s : otherwise;
}

static bool describe(struct home_report *r, const struct home_entity *e, struct home_point *p, struct str *ret_metric,
                     struct str *ret_unit) {
    struct str class = e->text[KEY_CLASS], metric;
    const struct home_word *w = NULL;
    if (!name_entity(r, e, &metric) || !home_unit(r->a, e->text[KEY_UNIT], ret_unit)) return false;
    for (size_t i = 0; p->is_binary && i < COUNT(classes); i++) {
        if (!str_is(class, classes[i].class)) continue;
        p->event = classes[i].event;
        if (str_is(metric, classes[i].class)) metric = str_of(classes[i].metric);
    }
    if (!p->is_binary) w = home_word(metric);
    *ret_metric = w ? home_word_metric(w) : metric;
    return true;
}

static bool learn(void *arg, struct home_report *r, const struct home_entity *e) {
    struct learning *l = arg;
    struct home_points *points = l->points;
    struct home_point p = {.config = str_hash(l->topic)};
    struct home_template t = {0};
    struct str component = e->text[KEY_COMPONENT], state = e->text[KEY_STATE], metric, unit;
    char mem[HOME_POINT_TEXTS];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    if (!is_state(component)) state = S("");
    bool is_told = home_is_told(e) && !is_others(l->speaks, e->text[KEY_COMMAND], HOME_COMMAND);
    if ((!state.len && !is_told) || (state.len && is_others(l->speaks, state, HOME_STATE))) return true;
    if (points->n == points->cap) return home_bad(r, "config: more entities than are kept", 0);
    /* A template that is none of the simple ones counts as none: the payload as it is. */
    if (e->text[KEY_TEMPLATE].len) (void)!home_template_read(e->text[KEY_TEMPLATE], &b, &t);
    p.is_json = t.is_json;
    p.is_binary = str_is(component, "binary_sensor") || str_is(component, "switch");
    p.ops_n = t.ops_n;
    memcpy(p.ops, t.ops, sizeof p.ops);
    if (!describe(r, e, &p, &metric, &unit)) return false;
    p.state = state.len ? str_hash(state) : 0;
    p.availability = e->text[KEY_AVAILABILITY].len ? str_hash(e->text[KEY_AVAILABILITY]) : 0;
    struct str on = {NULL, 0}, off = {NULL, 0};
    if (is_told) p.words = home_words_of(e, &on, &off);
    const struct str texts[POINT__COUNT] = {
        [POINT_STATE] = state,
        [POINT_AVAILABILITY] = e->text[KEY_AVAILABILITY],
        [POINT_ONLINE] = or_else(e->text[KEY_ONLINE], S("online")),
        [POINT_OFFLINE] = or_else(e->text[KEY_OFFLINE], S("offline")),
        [POINT_ON] = or_else(e->text[KEY_STATE_ON], or_else(e->text[KEY_ON], S("ON"))),
        [POINT_OFF] = or_else(e->text[KEY_STATE_OFF], or_else(e->text[KEY_OFF], S("OFF"))),
        [POINT_PATH] = t.path,
        [POINT_METRIC] = metric,
        [POINT_UNIT] = unit,
        [POINT_DEVICE] = r->device,
        [POINT_PART] = e->text[KEY_OBJECT],
        [POINT_COMMAND] = is_told ? e->text[KEY_COMMAND] : S(""),
        [POINT_SAY_ON] = on,
        [POINT_SAY_OFF] = off,
    };
    for (size_t i = 0; i < POINT__COUNT; i++)
        if (!put(&p, (enum home_text)i, texts[i])) return home_bad(r, "config: its texts are too long", 0);
    points->all[points->n++] = p;
    return true;
}

bool home_points_learn(struct home_points *p, const struct home_speaks *speaks, struct str topic,
                       const struct home_topic *t, struct home_report *r) {
    uint64_t config = str_hash(topic);
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->all[i].config != config) p->all[kept++] = p->all[i];
    p->n = kept;
    return !r->payload.len || home_config(r, t, learn, &(struct learning){p, speaks, topic});
}

size_t home_points_topics(const struct home_points *p, struct str config, struct str *ret, size_t cap) {
    uint64_t hash = str_hash(config);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->all[i].config != hash) continue;
        const struct str topics[] = {home_point_text(&p->all[i], POINT_STATE),
                                     home_point_text(&p->all[i], POINT_AVAILABILITY)};
        for (size_t k = 0; k < COUNT(topics) && n < cap; k++)
            if (topics[k].len) ret[n++] = topics[k];
    }
    return n;
}

/* ---- what a state says ---- */

#define MATCHES_MAX HOME_READINGS_MAX
struct matching {
    struct home_report *r;
    const struct home_point *points[MATCHES_MAX];
    size_t n;
};

static bool is_at(const struct home_point *p, uint64_t hash, struct str topic) {
    return p->state == hash && str_eq(home_point_text(p, POINT_STATE), topic);
}

bool home_point_is_at(const struct home_point *p, struct str topic) {
    return topic.len && is_at(p, str_hash(topic), topic);
}

static bool is_heard_at(const struct home_point *p, uint64_t hash, struct str topic) {
    return p->availability == hash && str_eq(home_point_text(p, POINT_AVAILABILITY), topic);
}

bool home_points_know(const struct home_points *p, struct str topic) {
    uint64_t hash = str_hash(topic);
    for (size_t i = 0; i < p->n; i++)
        if (is_at(&p->all[i], hash, topic) || is_heard_at(&p->all[i], hash, topic) ||
            str_eq(home_point_text(&p->all[i], POINT_COMMAND), topic)) /* ours, come back */
            return true;
    return false;
}

/* A text as a template gives it; number: where it came as one. */
static bool value_of(const struct home_point *p, struct str said, const double *number, double *ret) {
    double on;
    bool is_on = said.ptr ? str_eq(said, home_point_text(p, POINT_ON))
                          : str_to_f64(home_point_text(p, POINT_ON), &on) && on == *number;
    bool is_off = said.ptr ? str_eq(said, home_point_text(p, POINT_OFF))
                           : str_to_f64(home_point_text(p, POINT_OFF), &on) && on == *number;
    *ret = is_on;
    if (is_on || is_off || p->is_binary) return is_on || is_off;
    if (number) *ret = *number;
    if (!number && !str_to_f64(said, ret) && !home_switched(said, ret)) return false;
    *ret = home_ops(p->ops, p->ops_n, *ret);
    return true;
}

/* What is told outlives the point. */
static bool become(struct home_report *r, const struct home_point *p) {
    return str_eq(r->device, home_point_text(p, POINT_DEVICE)) ||
           arena_str(r->a, home_point_text(p, POINT_DEVICE), &r->device) || home_bad(r, "out of memory", 0);
}

static bool tell(struct home_report *r, const struct home_point *p, struct str said, const double *number) {
    double v;
    struct str part;
    if (!value_of(p, said, number, &v)) return true; /* unknown, unavailable, a word */
    const char *unit = arena_cstr(r->a, home_point_text(p, POINT_UNIT));
    if (!become(r, p)) return false;
    if (!unit || !arena_str(r->a, home_point_text(p, POINT_PART), &part)) return home_bad(r, "out of memory", 0);
    if (p->event && !home_event(r, p->event, part, v)) return false;
    return home_find(r, home_point_text(p, POINT_METRIC)) || /* two entities of one name: the first */
           home_add(r, home_point_text(p, POINT_METRIC), unit, v);
}

static bool tell_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct matching *m = arg;
    struct str said = leaf->text;
    (void)in;
    if (leaf->type == JSON_LEAF_NULL) return true;
    if (leaf->type == JSON_LEAF_FLAG) said = leaf->number ? S("True") : S("False");
    for (size_t i = 0; i < m->n; i++) {
        const struct home_point *p = m->points[i];
        bool is_number = leaf->type == JSON_LEAF_NUMBER || (leaf->type == JSON_LEAF_FLAG && !p->is_binary);
        if (p->is_json && home_path_is(home_point_text(p, POINT_PATH), leaf) &&
            !tell(m->r, p, leaf->type == JSON_LEAF_NUMBER ? (struct str){NULL, 0} : said,
                  is_number ? &leaf->number : NULL))
            return false;
    }
    return true;
}

static bool say_states(struct matching *m) {
    bool wants_json = false;
    for (size_t i = 0; i < m->n; i++) {
        wants_json |= m->points[i]->is_json;
        if (!m->points[i]->is_json && !tell(m->r, m->points[i], home_text(m->r), NULL)) return false;
    }
    return !wants_json || home_leaves(m->r, tell_leaf, m);
}

/* Once for each device that is heard there. */
static bool say_available(struct home_report *r, const struct home_point *p) {
    for (size_t i = 0; i < r->events_n; i++)
        if (str_eq(r->events[i].device, home_point_text(p, POINT_DEVICE)) && str_is(r->events[i].code, "offline"))
            return true;
    return become(r, p) && home_available(r, home_point_text(p, POINT_ONLINE), home_point_text(p, POINT_OFFLINE));
}

bool home_points_said(const struct home_points *points, struct str topic, struct home_report *r) {
    uint64_t hash = str_hash(topic);
    struct matching m = {.r = r};
    for (size_t i = 0; i < points->n; i++) {
        const struct home_point *p = &points->all[i];
        if (is_at(p, hash, topic) && m.n < MATCHES_MAX) m.points[m.n++] = p;
        if (is_heard_at(p, hash, topic) && !say_available(r, p)) return false;
    }
    return !m.n || say_states(&m);
}
