/* What one publish of a home says, gathered: a device, its readings and events.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

#include "base/utf8.h"

#define METRIC_MAX 64

/* ---- names and codes ---- */

static bool is_escaped(char c) {
    return (unsigned char)c <= ' ' || c == 0x7f || memchr("/:+#%", c, 5);
}

bool home_code_put(struct buf *b, struct str name) {
    size_t from = b->len;
    for (size_t i = 0; i < name.len && b->len - from <= HOME_CODE_MAX; i++) {
        if (is_escaped(name.ptr[i]))
            buf_fmt(b, "%%%02X", (unsigned char)name.ptr[i]);
        else
            buf_char(b, name.ptr[i]);
    }
    return name.len && b->len - from <= HOME_CODE_MAX && !b->overflow;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void home_name_put(struct buf *b, struct str code) {
    for (size_t i = 0; i < code.len; i++) {
        bool is_code = code.ptr[i] == '%' && i + 2 < code.len && hex_digit(code.ptr[i + 1]) >= 0 &&
                       hex_digit(code.ptr[i + 2]) >= 0;
        buf_char(b, is_code ? (char)(hex_digit(code.ptr[i + 1]) << 4 | hex_digit(code.ptr[i + 2])) : code.ptr[i]);
        if (is_code) i += 2;
    }
}

/* ---- topics ---- */

struct str home_last(struct str topic, struct str *ret_before) {
    size_t at = topic.len;
    while (at && topic.ptr[at - 1] != '/') at--;
    *ret_before = (struct str){topic.ptr, at ? at - 1 : 0};
    return str_from(topic, at);
}

bool home_starts(struct str *topic, struct str levels) {
    if (!str_starts(*topic, levels) || topic->len == levels.len || topic->ptr[levels.len] != '/') return false;
    *topic = str_from(*topic, levels.len + 1);
    return true;
}

/* ---- the report ---- */

bool home_report_init(struct home_report *r, struct arena *a, struct wire_error *reterr, struct bytes payload,
                      size_t payload_at) {
    *r = (struct home_report){.a = a, .error = reterr, .payload = payload, .payload_at = payload_at};
    r->readings = arena_new(a, struct reading, HOME_READINGS_MAX);
    r->events = arena_new(a, struct device_event, HOME_READINGS_MAX);
    return (r->readings && r->events) || home_bad(r, "out of memory", 0);
}

void home_report_end(struct home_report *r, struct decoded *ret) {
    for (size_t i = 0; i < r->readings_n; i++) {
        r->readings[i].at_s = r->at_s;
        r->readings[i].at_ms = r->at_ms;
    }
    for (size_t i = 0; i < r->events_n; i++) r->events[i].at_s = r->at_s;
    *ret = (struct decoded){.sender = r->device,
                            .readings = r->readings,
                            .readings_n = r->readings_n,
                            .events = r->events,
                            .events_n = r->events_n};
}

bool home_bad(struct home_report *r, const char *rule, size_t at) {
    *r->error = (struct wire_error){rule, r->payload_at + at};
    return false;
}

bool home_of(struct home_report *r, struct str name) {
    struct buf b;
    buf_init_arena(&b, r->a, HOME_CODE_MAX + 8);
    if (!name.len) return home_bad(r, "name: of the device; it is empty", 0);
    if (!home_code_put(&b, name)) return home_bad(r, "name: of the device; its code has over 64 bytes", 0);
    return buf_done(&b, &r->device) || home_bad(r, "out of memory", 0);
}

struct reading *home_find(struct home_report *r, struct str metric) {
    for (size_t i = 0; i < r->readings_n; i++)
        if (str_eq(r->readings[i].metric, metric) && str_eq(r->readings[i].device, r->device)) return &r->readings[i];
    return NULL;
}

bool home_add(struct home_report *r, struct str metric, const char *unit, double value) {
    struct str copy;
    if (!metric.len || metric.len > METRIC_MAX) return home_bad(r, "key: it has 1 to 64 bytes", 0);
    for (size_t i = 0; i < metric.len; i++)
        if ((unsigned char)metric.ptr[i] < ' ' || metric.ptr[i] == 0x7f)
            return home_bad(r, "key: it has a control character", 0);
    if (home_find(r, metric)) return home_bad(r, "key: a value stands twice", 0);
    if (r->readings_n == HOME_READINGS_MAX) return home_bad(r, "payload: " WIRE_LIMIT "at most 256 values", 0);
    if (!arena_str(r->a, metric, &copy)) return home_bad(r, "out of memory", 0);
    r->readings[r->readings_n++] =
        (struct reading){.device = r->device, .metric = copy, .unit = str_of(unit), .value = value};
    return true;
}

bool home_event(struct home_report *r, const char *code, struct str part, bool is_set) {
    if (r->events_n == HOME_READINGS_MAX) return home_bad(r, "payload: " WIRE_LIMIT "at most 256 values", 0);
    r->events[r->events_n++] =
        (struct device_event){.device = r->device, .code = str_of(code), .part = part, .is_set = is_set};
    return true;
}

/* ---- payloads ---- */

struct str home_text(const struct home_report *r) {
    return str_trim((struct str){r->payload.len ? (const char *)r->payload.ptr : "", r->payload.len});
}

bool home_leaves(struct home_report *r, json_leaf_fn *fn, void *arg) {
    struct buf texts;
    char *mem = arena_alloc(r->a, r->payload.len + 1, 1, 1);
    if (!mem) return home_bad(r, "out of memory", 0);
    buf_init(&texts, mem, r->payload.len + 1);
    struct json_in in = json_in_of(r->payload, &texts);
    json_in_blanks(&in);
    if (in.at == in.end || *in.at != '{') return home_bad(r, "payload: it is no JSON object", 0);
    if (json_in_leaves(&in, fn, arg) && json_in_end(&in)) return true;
    return in.rule ? home_bad(r, in.rule, in.rule_at) : false; /* else told by fn */
}

struct state {
    struct str text;
};
static bool take_state(void *arg, struct json_in *in, const struct json_leaf *leaf) {
    struct state *s = arg;
    (void)in;
    if (leaf->path_n == 1 && str_is(leaf->path[0].name, "state") && leaf->type == JSON_LEAF_TEXT) s->text = leaf->text;
    return true;
}

bool home_available(struct home_report *r, struct str online, struct str offline) {
    struct state s = {home_text(r)};
    if (s.text.len && s.text.ptr[0] == '{' && !home_leaves(r, take_state, &s)) return false;
    bool is_online = home_same(s.text, online);
    if (!is_online && !home_same(s.text, offline)) return home_bad(r, "payload: it is neither online nor offline", 0);
    return home_event(r, "offline", (struct str){NULL, 0}, !is_online);
}
