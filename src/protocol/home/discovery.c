/* Configs of Home Assistant's discovery: PREFIX/COMPONENT/[NODE/]OBJECT/config for an entity,
 * PREFIX/device/OBJECT/config for all entities of a device, with abbreviated keys and ~.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/home/home_internal.h"

/* ---- keys ---- */

enum place { IN_ENTITY, IN_AVAILABILITY, IN_DEVICE, IN_ORIGIN };
static const struct {
    const char *abbreviated, *key;
    enum place place;
    enum home_key to;
} keys[] = {
    {"~", "~", IN_ENTITY, KEY_BASE},
    {"name", "name", IN_ENTITY, KEY_NAME},
    {"dev_cla", "device_class", IN_ENTITY, KEY_CLASS},
    {"unit_of_meas", "unit_of_measurement", IN_ENTITY, KEY_UNIT},
    {"stat_t", "state_topic", IN_ENTITY, KEY_STATE},
    {"val_tpl", "value_template", IN_ENTITY, KEY_TEMPLATE},
    {"stat_val_tpl", "state_value_template", IN_ENTITY, KEY_TEMPLATE},
    {"avty_t", "availability_topic", IN_ENTITY, KEY_AVAILABILITY},
    {"pl_avail", "payload_available", IN_ENTITY, KEY_ONLINE},
    {"pl_not_avail", "payload_not_available", IN_ENTITY, KEY_OFFLINE},
    {"pl_on", "payload_on", IN_ENTITY, KEY_ON},
    {"pl_off", "payload_off", IN_ENTITY, KEY_OFF},
    {"stat_on", "state_on", IN_ENTITY, KEY_STATE_ON},
    {"stat_off", "state_off", IN_ENTITY, KEY_STATE_OFF},
    {"p", "platform", IN_ENTITY, KEY_COMPONENT},
    {"cmd_t", "command_topic", IN_ENTITY, KEY_COMMAND},
    {"cmd_tpl", "command_template", IN_ENTITY, KEY_COMMAND_TEMPLATE},
    {"pl_lock", "payload_lock", IN_ENTITY, KEY_LOCK},
    {"pl_unlk", "payload_unlock", IN_ENTITY, KEY_UNLOCK},
    {"pl_open", "payload_open", IN_ENTITY, KEY_OPEN},
    {"pl_cls", "payload_close", IN_ENTITY, KEY_CLOSE},
    {"pl_prs", "payload_press", IN_ENTITY, KEY_PRESS},
    {"t", "topic", IN_AVAILABILITY, KEY_AVAILABILITY},
    {"pl_avail", "payload_available", IN_AVAILABILITY, KEY_ONLINE},
    {"pl_not_avail", "payload_not_available", IN_AVAILABILITY, KEY_OFFLINE},
    {"ids", "identifiers", IN_DEVICE, KEY_DEVICE},
    {"name", "name", IN_DEVICE, KEY_DEVICE_NAME},
    {"name", "name", IN_ORIGIN, KEY_ORIGIN},
};
static const struct {
    const char *abbreviated, *key;
    enum place place;
} objects[] = {{"avty", "availability", IN_AVAILABILITY}, {"dev", "device", IN_DEVICE}, {"o", "origin", IN_ORIGIN}};

static bool place_of(struct str name, enum place *ret) {
    for (size_t i = 0; i < COUNT(objects); i++) {
        if (!str_is(name, objects[i].abbreviated) && !str_is(name, objects[i].key)) continue;
        *ret = objects[i].place;
        return true;
    }
    return false;
}

static bool key_of(struct str name, enum place place, enum home_key *ret) {
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (keys[i].place != place || !(str_is(name, keys[i].abbreviated) || str_is(name, keys[i].key))) continue;
        *ret = keys[i].to;
        return true;
    }
    return false;
}

/* ---- reading ---- */

struct reader {
    struct home_report *r;
    const struct home_topic *t;
    bool wants_components; /* the second time through, of a device's config */
    struct home_entity shared, now;
    size_t availability; /* which of a list */
    home_entity_fn *fn;
    void *arg;
};

/* As a template writes it. */
static struct str text_of(const struct json_leaf *leaf) {
    if (leaf->type == JSON_LEAF_FLAG) return leaf->number ? S("True") : S("False");
    return leaf->type == JSON_LEAF_TEXT ? leaf->text : (struct str){NULL, 0};
}

/* path: within the entity.  Of a list of identifiers the first counts, of one of availabilities the last. */
static void take(struct reader *x, struct home_entity *e, const struct json_step *path, size_t n, struct str text) {
    enum place place = IN_ENTITY;
    enum home_key key;
    if (!path[0].name.ptr || !text.ptr) return;
    if (n > 1 && !place_of(path[0].name, &place)) return;
    size_t at = n > 1;
    if (place == IN_AVAILABILITY && n > 2 && !path[1].name.ptr) {
        if (path[1].index != x->availability)
            e->text[KEY_AVAILABILITY] = e->text[KEY_ONLINE] = e->text[KEY_OFFLINE] = S("");
        x->availability = path[1].index;
        at = 2;
    }
    bool is_list = n == at + 2 && !path[at + 1].name.ptr && place == IN_DEVICE;
    if (n != at + 1 && !(is_list && !path[at + 1].index)) return;
    if (key_of(path[at].name, place, &key)) e->text[key] = text;
}

/* ~ at the beginning or the end of a topic. */
static bool expand(struct home_report *r, struct home_entity *e, enum home_key key) {
    struct str *topic = &e->text[key], base = e->text[KEY_BASE];
    bool begins = topic->len && topic->ptr[0] == '~', ends = topic->len > 1 && topic->ptr[topic->len - 1] == '~';
    struct buf b;
    if (!begins && !ends) return true;
    buf_init_arena(&b, r->a, 2 * HOME_TOPIC_MAX + 1);
    if (begins) buf_str(&b, base);
    buf_str(&b, (struct str){topic->ptr + begins, topic->len - begins - ends});
    if (ends) buf_str(&b, base);
    return buf_done(&b, topic) || home_bad(r, "~: a topic with it is too long", 0);
}

static bool end_entity(struct reader *x) {
    struct home_entity *e = &x->now;
    return expand(x->r, e, KEY_STATE) && expand(x->r, e, KEY_AVAILABILITY) && expand(x->r, e, KEY_COMMAND) &&
           (!x->fn || x->fn(x->arg, x->r, e));
}

static bool take_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct reader *x = arg;
    const struct json_step *path = leaf->path;
    bool is_component = leaf->path_n > 2 && (str_is(path[0].name, "cmps") || str_is(path[0].name, "components"));
    (void)in;
    if (!x->wants_components) {
        if (!is_component) take(x, &x->shared, path, leaf->path_n, text_of(leaf));
        return true;
    }
    if (!is_component || !path[1].name.ptr) return true;
    if (!str_eq(path[1].name, x->now.text[KEY_OBJECT])) {
        if (x->now.text[KEY_OBJECT].ptr && !end_entity(x)) return false;
        x->now = x->shared;
        x->now.text[KEY_OBJECT] = path[1].name;
    }
    take(x, &x->now, path + 2, leaf->path_n - 2, text_of(leaf));
    return true;
}

bool home_config(struct home_report *r, const struct home_topic *t, home_entity_fn *fn, void *arg) {
    struct reader x = {.r = r, .t = t, .fn = fn, .arg = arg};
    bool is_device = str_is(t->item, "device");
    if (!home_leaves(r, take_leaf, &x)) return false;
    struct str device = x.shared.text[KEY_DEVICE], name = x.shared.text[KEY_DEVICE_NAME];
    if (is_device && !device.len) return home_bad(r, "device: identifiers are missing", 0);
    if (is_device && !x.shared.text[KEY_ORIGIN].len) return home_bad(r, "origin: its name is missing", 0);
    if (!home_of(r, device.len ? device : name.len ? name : t->name)) return false;
    x.now = x.shared;
    if (!is_device) {
        x.now.text[KEY_COMPONENT] = t->item;
        x.now.text[KEY_OBJECT] = t->name;
        return end_entity(&x);
    }
    x.wants_components = true;
    return home_leaves(r, take_leaf, &x) && (!x.now.text[KEY_OBJECT].ptr || end_entity(&x));
}
