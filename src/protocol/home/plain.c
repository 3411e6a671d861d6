/* What is of no convention: JSON or a number under a topic of the estate's own choice; and which topics are listened
 * to. SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

#include "base/civil.h"
#include "protocol/mqtt/mqtt.h"

/* ---- plain values ---- */

static void take_time(struct home_report *r, const struct json_leaf *leaf) {
    if (leaf->type == JSON_LEAF_TEXT) (void)!civil_read_time(leaf->text, &r->at_ms);
    if (leaf->type == JSON_LEAF_NUMBER && leaf->number > 0 && leaf->number < 1e15) r->at_ms = (int64_t)leaf->number;
}

static bool add(struct home_report *r, struct str name, double v) {
    struct str metric;
    if (!home_snake(r->a, name, &metric)) return home_bad(r, "out of memory", 0);
    const struct home_word *w = home_word(metric);
    return home_add(r, w ? home_word_metric(w) : metric, w ? w->unit : "", v);
}

/* The names above it joined, members of lists counted from 1: power_phase_2. */
static bool take_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct home_report *r = arg;
    struct buf b;
    struct str name;
    (void)in;
    if (leaf->path_n == 1 && str_is(leaf->path[0].name, "ts")) {
        take_time(r, leaf);
        return true;
    }
    if (leaf->type == JSON_LEAF_TEXT || leaf->type == JSON_LEAF_NULL) return true;
    buf_init_arena(&b, r->a, 4096);
    for (size_t i = 0; i < leaf->path_n; i++) {
        const struct json_step *step = &leaf->path[i];
        if (i) buf_char(&b, '/');
        if (step->name.ptr)
            buf_str(&b, step->name);
        else
            buf_i64(&b, (int64_t)step->index + 1);
    }
    return buf_done(&b, &name) ? add(r, name, leaf->number) : home_bad(r, "key: it has 1 to 64 bytes", 0);
}

enum home_taken home_plain(struct str topic, struct bytes payload, struct arena *a, struct decoded *ret,
                           struct wire_error *reterr) {
    struct home_report r;
    struct str before, last = home_last(topic, &before);
    double v;
    *ret = (struct decoded){0};
    if (!payload.len) return HOME_TAKEN;
    if (!home_report_init(&r, a, reterr, payload, 0)) return HOME_BAD;
    struct str text = home_text(&r);
    bool is_object = text.len && text.ptr[0] == '{', is_number = str_to_f64(text, &v);
    if (!is_object && !is_number) return HOME_OTHER;
    bool ok = is_object    ? home_of(&r, topic) && home_leaves(&r, take_leaf, &r)
              : before.len ? home_of(&r, before) && add(&r, last, v)
                           : home_of(&r, topic) && add(&r, S("value"), v);
    if (!ok) return HOME_BAD;
    home_report_end(&r, ret);
    return HOME_TAKEN;
}

/* ---- topics ---- */

static size_t convention_of(struct str word) {
    struct str name;
    size_t i = 0;
    (void)str_cut(&word, '=', &name);
    while (i < HOME__COUNT && !str_is(name, home_conventions[i]->name)) i++;
    return i;
}

static void put(struct buf *filters, const char *before, struct str base, const char *behind) {
    buf_fmt(filters, "%s" STR_FMT "%s", before, STR_ARG(base), behind);
    buf_char(filters, 0);
}

/* Where a convention's devices speak. */
static void put_filters(struct buf *filters, size_t convention, struct str base) {
    switch ((enum home_convention_id)convention) {
    case HOME_TASMOTA:
        put(filters, "tele/", base, base.len ? "/#" : "#");
        put(filters, "stat/", base, base.len ? "/#" : "#");
        return;
    case HOME_ESPHOME:
        put(filters, "", base.len ? base : S("+"), "/status");
        put(filters, "", base.len ? base : S("+"), "/+/+/state");
        put(filters, "", base.len ? base : S("+"), "/+/+/+/state");
        return;
    case HOME_ZIGBEE2MQTT:
    case HOME_HOMEASSISTANT: put(filters, "", base, "/#"); return;
    case HOME__COUNT: return;
    }
}

static bool is_sparkplug(struct str word, struct str *ret_host) {
    struct str name;
    (void)str_cut(&word, '=', &name);
    *ret_host = word.ptr ? word : S("");
    return str_is(name, "sparkplug");
}

const char *home_topics_read(struct str words, struct home_speaks *ret, struct buf *filters) {
    struct str rest = words, word, host;
    char mem[1024];
    struct buf conventions;
    buf_init(&conventions, mem, sizeof mem);
    while (str_word(&rest, &word)) {
        if (convention_of(word) < HOME__COUNT || is_sparkplug(word, &host)) {
            buf_str(&conventions, word);
            buf_char(&conventions, ' ');
        } else if (!mqtt_topic_is_filter(word, MQTT_V311) || mqtt_topic_is_shared(word)) {
            return "bad_filter";
        } else {
            put(filters, "", word, "");
        }
    }
    struct home_speaks s;
    const char *wrong = conventions.overflow ? "too_long" : home_speaks_read((struct str){mem, conventions.len}, &s);
    if (wrong) return wrong;
    rest = words;
    *ret = (struct home_speaks){0};
    for (size_t i = 0; i < HOME__COUNT; i++) ret->base[i] = str_of(home_conventions[i]->base);
    while (str_word(&rest, &word)) {
        size_t i = convention_of(word);
        struct str name;
        if (is_sparkplug(word, &host)) {
            if (memchr(host.ptr, '/', host.len)) return "bad_topic"; /* a host is one level (3.0.0, 4.1) */
            ret->is_sparkplug = true;
            ret->sparkplug = host;
            put(filters, "spBv1.0/", S("#"), "");
        }
        if (i == HOME__COUNT) continue;
        (void)str_cut(&word, '=', &name);
        if (word.ptr) ret->base[i] = word;
        put_filters(filters, i, ret->base[i]);
    }
    for (size_t i = 0; i < HOME__COUNT; i++) ret->is_spoken[i] = true; /* whatever a filter brings is understood */
    size_t n = 0;
    for (size_t i = 0; i < filters->len; i++) n += !filters->ptr[i];
    return filters->overflow ? "too_long" : n > HOME_FILTERS_MAX ? "too_many" : NULL;
}
