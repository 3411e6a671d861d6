/* ESPHome: NAME/COMPONENT/OBJECT/state, /command, and NAME/status; payloads are plain text, those of lights JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

/* ---- topics ---- */

static bool is_component(struct str level) {
    return word_in("sensor binary_sensor text_sensor switch light fan cover valve climate lock number select button "
                   "text datetime event update water_heater alarm_control_panel media_player",
                   level);
}

/* `only`: the one node that may speak; absent: any.  Names of nodes have no slash.  item: COMPONENT/OBJECT, and behind
 * it what of the object, as position of a cover. */
static bool read_topic(struct str only, struct str topic, struct home_topic *ret) {
    struct str rest = topic, name, component, before;
    if (!str_cut(&rest, '/', &name) || !name.len || !rest.len || (only.ptr && !str_eq(only, name))) return false;
    if (str_is(rest, "status")) {
        *ret = (struct home_topic){.what = HOME_AVAILABILITY, .name = name};
        return !str_is(name, "homeassistant");
    }
    struct str last = home_last(rest, &before), object = before;
    if (!str_cut(&object, '/', &component) || !object.len || !is_component(component)) return false;
    bool is_state = str_is(last, "state");
    *ret = (struct home_topic){is_state ? HOME_STATE : HOME_COMMAND, name, before};
    return is_state || str_is(last, "command");
}

/* ---- values ---- */

struct taken {
    struct home_report *r;
    struct str object;
};

/* The object alone, or with what of it: kitchen, kitchen_position. */
static bool add(struct home_report *r, struct str object, struct str what, double v) {
    struct buf b;
    struct str metric, plain;
    buf_init_arena(&b, r->a, 2 * HOME_TOPIC_MAX);
    buf_fmt(&b, STR_FMT "%s" STR_FMT, STR_ARG(object), what.len ? "/" : "", STR_ARG(what));
    if (!buf_done(&b, &plain) || !home_snake(r->a, plain, &metric)) return home_bad(r, "out of memory", 0);
    const struct home_word *w = home_word(metric);
    if (w && w->event && !home_event(r, w->event, (struct str){NULL, 0}, v)) return false;
    return home_add(r, w ? home_word_metric(w) : metric, w ? w->unit : "", v);
}

/* Of a light: its state is the object's, brightness and the like have names of their own. */
static bool take_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct taken *t = arg;
    struct str key = leaf->path[0].name;
    double v = leaf->number;
    (void)in;
    if (leaf->path_n != 1 || leaf->type == JSON_LEAF_NULL) return true;
    if (leaf->type == JSON_LEAF_TEXT && !home_switched(leaf->text, &v)) return true;
    return add(t->r, t->object, str_is(key, "state") ? S("") : key, v);
}

static bool said_of(struct home_report *r, struct str item) {
    struct str object = item, component, text = home_text(r);
    struct taken t = {.r = r};
    double v;
    (void)str_cut(&object, '/', &component);
    t.object = object;
    if (word_in("text_sensor text select datetime event update button", component)) return true;
    if (text.len && text.ptr[0] == '{') return home_leaves(r, take_leaf, &t);
    /* nan, and words that are no switch's, are no reading */
    return (!str_to_f64(text, &v) && !home_switched(text, &v)) || add(r, object, S(""), v);
}

static bool said(struct home_report *r, const struct home_topic *t) {
    return t->what == HOME_AVAILABILITY ? home_available(r, S("online"), S("offline")) : said_of(r, t->item);
}

const struct home_convention home_esphome = {HOME_ESPHOME, "esphome", NULL, read_topic, said};

/* ---- questions: an item is COMPONENT/OBJECT; a node is told, and cannot be asked ---- */

static bool ask(const struct question *q, struct buf *out) {
    struct str object = q->item, component;
    if (!q->address.len || !q->value.ptr || !str_cut(&object, '/', &component) || !object.len) return false;
    if (!is_component(component) || memchr(q->item.ptr, '\n', q->item.len)) return false;
    home_name_put(out, q->address);
    buf_fmt(out, "/" STR_FMT "/command\n" STR_FMT, STR_ARG(q->item), STR_ARG(q->value));
    return true;
}

/* A button has no state. */
static bool tells(const struct question *q) {
    return !str_starts(q->item, S("button/"));
}

/* The object's state; of what is no JSON the value that was told. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct home_topic t;
    struct bytes payload;
    (void)ret_why;
    if (!home_answers(&home_esphome, q, whole, &t, &payload) || !str_eq(t.item, q->item)) return ANSWER_OTHER;
    struct str text = str_trim((struct str){payload.len ? (const char *)payload.ptr : "", payload.len});
    bool is_json = text.len && text.ptr[0] == '{';
    if (!is_json && q->value.ptr && !home_is_move(q->value) && !home_is_value(q->value, text)) return ANSWER_OTHER;
    buf_add(data, payload.ptr, payload.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct home_report r;
    *ret = (struct decoded){0};
    if (!home_report_init(&r, a, reterr, data, 0)) return false;
    r.device = q->address;
    if (!said_of(&r, q->item)) return false;
    home_report_end(&r, ret);
    return true;
}

static const struct asking asking = {.ask = ask, .answers = answers, .read = understand, .tells = tells};

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    return home_frame(&home_esphome, in, ret_len);
}
static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return home_decode(&home_esphome, whole, a, ret, reterr);
}
static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return home_show(&home_esphome, whole, a, j, reterr);
}

const struct codec esphome_codec = {
    .name = "esphome",
    .standard = "ESPHome topics",
    .frame_max = HOME_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .asking = &asking,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
