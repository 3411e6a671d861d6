/* Tasmota: tele/TOPIC/SENSOR, STATE, LWT; stat/TOPIC/RESULT, POWERn, STATUSn; cmnd/TOPIC/COMMAND.  The prefix stands
 * first, or last but one (FullTopic %topic%/%prefix%/).  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

#include "base/civil.h"

/* ---- topics ---- */

enum said { SAID_NOTHING, SAID_LWT, SAID_SENSOR, SAID_STATE, SAID_POWER };
static const struct {
    const char *name; /* of the message */
    enum said said;
} messages[] = {{"LWT", SAID_LWT},        {"SENSOR", SAID_SENSOR},   {"STATE", SAID_STATE},   {"RESULT", SAID_STATE},
                {"STATUS8", SAID_SENSOR}, {"STATUS10", SAID_SENSOR}, {"STATUS11", SAID_STATE}};

static bool is_power(struct str name) { /* POWER, POWER1 … POWER32 */
    int64_t n;
    if (!str_starts(name, S("POWER"))) return false;
    struct str number = str_from(name, 5);
    return !number.len || (str_to_i64(number, &n) && n > 0 && n <= 32);
}

static enum said said_by(struct str name) {
    for (size_t i = 0; i < COUNT(messages); i++)
        if (str_is(name, messages[i].name)) return messages[i].said;
    return is_power(name) ? SAID_POWER : SAID_NOTHING;
}

static bool is_prefix(struct str level, bool *ret_command) {
    *ret_command = str_is(level, "cmnd");
    return *ret_command || str_is(level, "tele") || str_is(level, "stat");
}

/* tasmota/discovery/MAC/config, sensors */
static bool read_discovery(struct str topic, struct home_topic *ret) {
    struct str rest = topic, before;
    if (!home_starts(&rest, S("tasmota")) || !home_starts(&rest, S("discovery"))) return false;
    *ret = (struct home_topic){.what = HOME_ELSE, .item = home_last(rest, &before)};
    return true;
}

/* `only`: the one device that may speak; absent: any. */
static bool read_topic(struct str only, struct str topic, struct home_topic *ret) {
    struct str before, above, rest = topic, first, last = home_last(topic, &before), second = home_last(before, &above);
    bool is_command, is_first = str_cut(&rest, '/', &first) && is_prefix(first, &is_command);
    if (read_discovery(topic, ret)) return !only.ptr;
    if (!is_first && !(above.len && is_prefix(second, &is_command))) return false;
    struct str name = is_first ? str_from(before, first.len + 1) : above;
    if (!name.len || !last.len || before.len <= first.len || (only.ptr && !str_eq(only, name))) return false;
    enum said said = said_by(last);
    enum home_what what = is_command             ? HOME_COMMAND
                          : said == SAID_LWT     ? HOME_AVAILABILITY
                          : said == SAID_NOTHING ? HOME_ELSE
                                                 : HOME_STATE;
    *ret = (struct home_topic){what, name, last};
    return true;
}

/* ---- values ---- */

/* What STATE and RESULT tell beside what is switched: of much housekeeping this. */
static const struct {
    const char *group, *name, *metric, *unit;
} states[] = {{NULL, "Dimmer", "brightness", "%"},
              {NULL, "UptimeSec", "uptime", "s"},
              {NULL, "Vcc", "battery_voltage", "V"},
              {"Wifi", "RSSI", "linkquality", "%"},
              {"Wifi", "Signal", "rssi", "dB[mW]"}};

struct taken {
    struct home_report *r;
    bool is_sensor;
    const char *degrees, *pressure; /* units that the payload names behind its values */
};

/* Local time without a zone, or with one. */
static void take_time(struct home_report *r, struct str text) {
    char mem[40];
    struct buf b;
    struct str with_zone;
    int64_t ms;
    if (civil_read_time(text, &r->at_ms)) return;
    buf_init(&b, mem, sizeof mem);
    buf_str(&b, text);
    buf_char(&b, 'Z');
    if (buf_done(&b, &with_zone) && civil_read_time(with_zone, &ms)) r->at_s = ms / 1000;
}

static void take_unit(struct taken *taken, struct str key, struct str text) {
    static const struct {
        const char *key, *text, *unit;
    } units[] = {{"TempUnit", "F", "[degF]"},
                 {"TempUnit", "C", "Cel"},
                 {"TempUnit", "K", "K"},
                 {"PressureUnit", "mmHg", "mm[Hg]"},
                 {"PressureUnit", "inHg", "[in_i'Hg]"},
                 {"PressureUnit", "hPa", "hPa"}};
    for (size_t i = 0; i < COUNT(units); i++) {
        if (!str_is(key, units[i].key) || !str_is(text, units[i].text)) continue;
        if (key.ptr[0] == 'T')
            taken->degrees = units[i].unit;
        else
            taken->pressure = units[i].unit;
    }
}

/* POWER as state, POWER2 as state_2. */
static bool take_power(struct home_report *r, struct str name, struct str text) {
    double v;
    struct str number = str_from(name, 5), metric = S("state");
    struct buf b;
    if (!home_switched(text, &v)) return true;
    buf_init_arena(&b, r->a, 16);
    buf_fmt(&b, "state_" STR_FMT, STR_ARG(number));
    if (number.len && !buf_done(&b, &metric)) return home_bad(r, "out of memory", 0);
    return home_add(r, metric, "", v);
}

static bool take_state(struct home_report *r, struct str group, struct str name, double v) {
    for (size_t i = 0; i < COUNT(states); i++)
        if (str_is(name, states[i].name) && (states[i].group ? str_is(group, states[i].group) : !group.ptr))
            return home_add(r, str_of(states[i].metric), states[i].unit, v);
    return true;
}

/* The metric of a value: behind it a or b or c of three phases, else the number in a list; before it its sensor, where
 * another of the report has the name already. */
static bool name_sensor(struct home_report *r, struct str group, struct str name, const struct json_step *item,
                        struct str *ret) {
    struct buf b;
    struct str plain = *ret, sensor = group;
    bool is_twice = false;
    if (!plain.ptr && !home_snake(r->a, name, &plain)) return home_bad(r, "out of memory", 0);
    for (int twice = 0; twice < 2 && (!twice || is_twice); twice++) {
        buf_init_arena(&b, r->a, 256);
        if (twice && group.len && home_snake(r->a, group, &sensor)) buf_fmt(&b, STR_FMT "_", STR_ARG(sensor));
        buf_str(&b, plain);
        if (item && item->index < 3 && str_is(group, "ENERGY"))
            buf_fmt(&b, "_%c", (int)('a' + (int)item->index));
        else if (item)
            buf_fmt(&b, "_%zu", item->index + 1);
        if (!buf_done(&b, ret)) return home_bad(r, "key: it is too long", 0);
        is_twice = home_find(r, *ret);
    }
    return true;
}

static bool take_sensor(struct home_report *r, struct str group, struct str name, const struct json_step *item,
                        double v) {
    const struct home_word *w = home_word_tasmota(name);
    struct str metric = w ? home_word_metric(w) : (struct str){NULL, 0};
    return name_sensor(r, group, name, item, &metric) && home_add(r, metric, w ? w->unit : "", v);
}

/* A value lies in its sensor, or alone; all of them in StatusSNS or StatusSTS where the device was asked. */
static bool take_leaf(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct taken *t = arg;
    const struct json_step *path = leaf->path, *item = NULL;
    size_t n = leaf->path_n;
    (void)in;
    if (n > 1 && (str_is(path->name, "StatusSNS") || str_is(path->name, "StatusSTS"))) path++, n--;
    if (!path[n - 1].name.ptr) item = &path[--n];
    if (!n || n > 2 || !path[n - 1].name.ptr) return true;
    struct str name = path[n - 1].name, group = n == 2 ? path[0].name : (struct str){NULL, 0};
    double v = leaf->number;
    switch (leaf->type) {
    case JSON_LEAF_NULL: return true;
    case JSON_LEAF_TEXT:
        if (str_is(name, "Time") && n == 1) take_time(t->r, leaf->text);
        take_unit(t, name, leaf->text);
        if (is_power(name) && n == 1 && !item) return take_power(t->r, name, leaf->text);
        if (!t->is_sensor || !home_switched(leaf->text, &v)) return true;
        break;
    case JSON_LEAF_FLAG:
    case JSON_LEAF_NUMBER: break;
    }
    if (t->is_sensor) return take_sensor(t->r, group, name, item, v);
    return item ? true : take_state(t->r, group, name, v);
}

static bool take(struct home_report *r, bool is_sensor) {
    struct taken t = {r, is_sensor, NULL, NULL};
    if (!home_leaves(r, take_leaf, &t)) return false;
    for (size_t i = 0; i < r->readings_n; i++) {
        struct reading *x = &r->readings[i];
        if (t.degrees && str_is(x->unit, "Cel")) x->unit = str_of(t.degrees);
        if (t.pressure && str_is(x->unit, "hPa")) x->unit = str_of(t.pressure);
    }
    return true;
}

static bool said_as(struct home_report *r, struct str message) {
    switch (said_by(message)) {
    case SAID_LWT: return home_available(r, S("Online"), S("Offline"));
    case SAID_SENSOR: return take(r, true);
    case SAID_STATE: return take(r, false);
    case SAID_POWER: return take_power(r, message, home_text(r));
    case SAID_NOTHING: break;
    }
    return true;
}

static bool said(struct home_report *r, const struct home_topic *t) {
    return said_as(r, t->item);
}

const struct home_convention home_tasmota = {HOME_TASMOTA, "tasmota", NULL, read_topic, said};

/* ---- questions: an item is a command, "Power1", "Dimmer", "Status" with what it wants as value, or the reading that
 * it sets, "state_2"; the key is there where the prefix stands last but one ---- */

static struct str command_of(struct str item, char mem[24]) {
    struct buf b;
    bool is_state = str_is(item, "state") || str_starts(item, S("state_"));
    if (str_is(item, "brightness")) return S("Dimmer");
    if (!is_state || item.len > 12) return item;
    buf_init(&b, mem, 24);
    buf_fmt(&b, "Power" STR_FMT, STR_ARG(str_from(item, item.len > 5 ? 6 : 5)));
    return (struct str){mem, b.len};
}

static bool ask(const struct question *q, struct buf *out) {
    char mem[24];
    struct str command = command_of(q->item, mem);
    if (!q->address.len || !command.len || !str_is_code(command)) return false;
    if (!q->key.len) buf_cstr(out, "cmnd/");
    home_name_put(out, q->address);
    buf_fmt(out, "%s/" STR_FMT "\n" STR_FMT, q->key.len ? "/cmnd" : "", STR_ARG(command), STR_ARG(q->value));
    return true;
}

static bool key_of(struct str topic, struct str *ret) {
    struct str before, above, rest = topic, first;
    bool is_command;
    if (str_cut(&rest, '/', &first) && is_prefix(first, &is_command)) return false;
    (void)home_last(topic, &before);
    *ret = home_last(before, &above);
    return is_prefix(*ret, &is_command);
}

/* Each of a row of commands answers for itself. */
static bool tells(const struct question *q) {
    struct str name = {q->item.ptr, q->item.len < 7 ? q->item.len : 7};
    return !home_is(name, "backlog");
}

struct sought {
    struct str item, value;
    bool is_there, is_unknown;
};

/* Of what is switched or dimmed the value counts; 2 and more toggle and blink.  Others answer in words of their own. */
static bool is_told(const struct sought *s, struct str key, const struct json_leaf *leaf) {
    double told, said = leaf->number;
    bool is_level = home_is(key, "dimmer"), is_switch = is_power(key);
    if ((!is_level && !is_switch) || !s->value.ptr) return true;
    if (!str_to_f64(s->value, &told) && !home_switched(s->value, &told)) return true;
    if (is_switch && told > 1) return true;
    return (leaf->type != JSON_LEAF_TEXT || home_switched(leaf->text, &said)) && said == told;
}

static bool seek(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct sought *s = arg;
    (void)in;
    if (!leaf->path_n || !leaf->path[0].name.ptr) return true;
    struct str key = leaf->path[0].name;
    bool is_item = home_same(s->item, key) || /* a device with one relay answers POWER to Power1 */
                   (str_is(key, "POWER") && home_is(s->item, "power1")) ||
                   (str_is(key, "POWER1") && home_is(s->item, "power"));
    s->is_there |= is_item && is_told(s, key, leaf);
    s->is_unknown |= str_is(key, "Command") && leaf->type == JSON_LEAF_TEXT && str_is(leaf->text, "Unknown");
    return true;
}

/* RESULT with the command's name, or STATUSn for Status n. */
static enum answer answers(const struct question *q, struct bytes whole, struct buf *data, const char **ret_why) {
    struct home_topic t;
    struct bytes payload;
    char mem[1024], status[32], name[24];
    struct buf texts, b;
    struct sought s = {.item = command_of(q->item, name), .value = q->value};
    buf_init(&texts, mem, sizeof mem);
    buf_init(&b, status, sizeof status);
    buf_fmt(&b, "STATUS" STR_FMT, STR_ARG(q->value));
    if (!home_answers(&home_tasmota, q, whole, &t, &payload)) return ANSWER_OTHER;
    struct json_in in = json_in_of(payload, &texts);
    if (!json_in_leaves(&in, seek, &s) || !json_in_end(&in)) return ANSWER_OTHER;
    if (str_is(t.item, "RESULT") && s.is_unknown) {
        *ret_why = "it does not know the command";
        return ANSWER_REFUSED;
    }
    bool is_status = home_is(q->item, "status") && !b.overflow && str_is(t.item, status);
    if (!is_status && !(str_is(t.item, "RESULT") && s.is_there)) return ANSWER_OTHER;
    buf_fmt(data, STR_FMT "\n", STR_ARG(t.item));
    buf_add(data, payload.ptr, payload.len);
    return ANSWER_WHOLE;
}

static bool understand(const struct question *q, struct bytes data, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct home_report r;
    struct str rest = {data.len ? (const char *)data.ptr : "", data.len}, message;
    *ret = (struct decoded){0};
    (void)str_cut(&rest, '\n', &message);
    if (!home_report_init(&r, a, reterr, (struct bytes){(const uint8_t *)rest.ptr, rest.len}, data.len - rest.len))
        return false;
    r.device = q->address;
    if (!said_as(&r, message)) return false;
    home_report_end(&r, ret);
    return true;
}

static const struct asking asking = {.ask = ask, .answers = answers, .read = understand, .key = key_of, .tells = tells};

/* ---- the narrow waist ---- */

static enum frame split(struct bytes in, size_t *ret_len) {
    return home_frame(&home_tasmota, in, ret_len);
}
static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    return home_decode(&home_tasmota, whole, a, ret, reterr);
}
static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    return home_show(&home_tasmota, whole, a, j, reterr);
}

const struct codec tasmota_codec = {
    .name = "tasmota",
    .standard = "Tasmota topics",
    .frame_max = HOME_FRAME_MAX,
    .frame = split,
    .decode = decode,
    .show = show,
    .make = publish_make,
    .asking = &asking,
    .is_text = true,
    .carrier = CARRIER_TOPIC,
};
