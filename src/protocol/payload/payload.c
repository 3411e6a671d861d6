/* Reads the JSON payloads of devices.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/payload/payload.h"

#include "protocol/codec.h"

#include "base/civil.h"

static bool told(const struct json_in *in, struct payload_fault *reterr) {
    *reterr = (struct payload_fault){in->rule, in->rule_at};
    return false;
}

static bool read_ts(struct json_in *in, int64_t *ret, bool *ret_has) {
    struct str text;
    double ignored;
    bool is_whole;
    if (json_in_word(in, S("null"))) return true;
    *ret_has = true;
    if (in->at < in->end && *in->at == '"')
        return json_in_text(in, &text) && (civil_read_time(text, ret) || json_in_bad(in, "ts is no time of RFC 3339"));
    if (!json_in_number(in, &ignored, &text, &is_whole)) return json_in_bad(in, "ts is no time");
    return (is_whole && str_to_i64(text, ret)) || json_in_bad(in, "ts is no whole number of milliseconds");
}

static bool check_name(struct json_in *in, struct str s) {
    if (!s.len) return json_in_bad(in, "an empty name");
    if (s.len > PAYLOAD_NAME_MAX) return json_in_bad(in, WIRE_LIMIT "a name has at most 64 bytes");
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f) return json_in_bad(in, "a control character in a name");
    return true;
}

/* ---- readings ---- */

struct values {
    struct payload_value *all;
    size_t n, cap;
};

static bool read_metric(struct json_in *in, struct values *v, size_t from, struct str metric) {
    if (v->n == v->cap || v->n - from == PAYLOAD_METRICS_MAX) return json_in_bad(in, WIRE_LIMIT "too many values");
    if (!check_name(in, metric)) return false;
    for (size_t i = from; i < v->n; i++)
        if (str_eq(v->all[i].metric, metric)) return json_in_bad(in, "a metric stands twice");
    v->all[v->n] = (struct payload_value){.metric = metric};
    return json_in_value(in, &v->all[v->n++].value);
}

static bool read_object(struct json_in *in, struct values *v) {
    size_t from = v->n;
    bool more, has_at = false, seen_ts = false;
    int64_t at_ms = 0;
    struct str key;
    if (!json_in_char(in, '{')) return json_in_bad(in, "neither an object nor a list of objects");
    for (bool is_first = true;; is_first = false) {
        if (!json_in_member(in, is_first, &key, &more)) return false;
        if (!more) break;
        if (!str_is(key, "ts")) {
            if (!read_metric(in, v, from, key)) return false;
            continue;
        }
        if (seen_ts) return json_in_bad(in, "ts stands twice");
        seen_ts = true;
        if (!read_ts(in, &at_ms, &has_at)) return false;
    }
    if (v->n == from) return json_in_bad(in, "no metric");
    for (size_t i = from; i < v->n && has_at; i++) {
        v->all[i].at_ms = at_ms;
        v->all[i].has_at = true;
    }
    return true;
}

static bool read_objects(struct json_in *in, struct values *v) {
    json_in_blanks(in);
    if (!json_in_char(in, '[')) return read_object(in, v);
    do {
        json_in_blanks(in);
        if (!read_object(in, v)) return false;
        json_in_blanks(in);
    } while (json_in_char(in, ','));
    return json_in_char(in, ']') || json_in_bad(in, "neither , nor ] behind an object");
}

bool payload_readings(struct bytes payload, struct buf *names, struct payload_value *ret, size_t cap, size_t *ret_n,
                      struct payload_fault *reterr) {
    struct json_in in = json_in_of(payload, names);
    struct values v = {ret, 0, cap < PAYLOAD_VALUES_MAX ? cap : PAYLOAD_VALUES_MAX};
    bool ok = payload.len || json_in_bad(&in, "nothing");
    if (!ok || !read_objects(&in, &v) || !json_in_end(&in)) return told(&in, reterr);
    *ret_n = v.n;
    return true;
}

/* ---- events ---- */

enum key { KEY_TS, KEY_EVENT, KEY_PART, KEY_ACTIVE, KEY_DATA, KEY__COUNT };

static bool read_member(struct json_in *in, enum key key, struct payload_event *e) {
    const char *begin = in->at;
    switch (key) {
    case KEY_TS: return read_ts(in, &e->at_ms, &e->has_at);
    case KEY_EVENT: return json_in_text(in, &e->code) && check_name(in, e->code);
    case KEY_PART: return json_in_text(in, &e->part) && check_name(in, e->part);
    case KEY_ACTIVE:
        e->is_over = json_in_word(in, S("false"));
        return e->is_over || json_in_word(in, S("true")) || json_in_bad(in, "active is neither true nor false");
    case KEY_DATA:
        if (!json_in_leaves(in, NULL, NULL)) return false;
        e->data = (struct str){begin, (size_t)(in->at - begin)};
        return true;
    case KEY__COUNT: break;
    }
    return json_in_bad(in, "an unknown key");
}

static bool read_event(struct json_in *in, struct payload_event *e) {
    static const char *const keys[KEY__COUNT] = {"ts", "event", "part", "active", "data"};
    unsigned seen = 0;
    bool more;
    struct str key;
    json_in_blanks(in);
    if (!json_in_char(in, '{')) return json_in_bad(in, "no object");
    for (bool is_first = true;; is_first = false) {
        enum key k = 0;
        if (!json_in_member(in, is_first, &key, &more)) return false;
        if (!more) break;
        while (k < KEY__COUNT && !str_is(key, keys[k])) k++;
        if (seen >> k & 1) return json_in_bad(in, "a key stands twice");
        seen |= 1u << k;
        if (!read_member(in, k, e)) return false;
    }
    if (!json_in_end(in)) return false;
    return e->code.len || json_in_bad(in, "no event");
}

bool payload_event(struct bytes payload, struct buf *names, struct payload_event *ret, struct payload_fault *reterr) {
    struct json_in in = json_in_of(payload, names);
    struct payload_event e = {0};
    bool ok = payload.len || json_in_bad(&in, "nothing");
    if (!ok || !read_event(&in, &e)) return told(&in, reterr);
    *ret = e;
    return true;
}
