/* What a publish at an outside broker says: our own topics, those of homes, those of other codecs, plain values.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt_client/client_internal.h"

#include "base/utf8.h"
#include "platform/rules/rules.h"
#include "protocol/payload/payload.h"

#include <string.h>

#define EVENT_TEXT_MAX 199

/* ---- linli/COMMUNITY/DEVICE/KIND ---- */

static bool no_memory(struct wire_error *e) {
    *e = (struct wire_error){"out of memory", 0};
    return false;
}

static bool told(struct wire_error *e, const struct payload_fault *f) {
    *e = (struct wire_error){f->rule, f->at == NO_OFFSET ? 0 : f->at};
    return false;
}

static bool read_telemetry(struct str device, struct bytes payload, struct arena *a, struct buf *names,
                           struct decoded *ret, struct wire_error *reterr) {
    struct payload_value *values = arena_new(a, struct payload_value, PAYLOAD_VALUES_MAX);
    struct payload_fault f;
    size_t n = 0;
    if (!values) return no_memory(reterr);
    if (!payload_readings(payload, names, values, PAYLOAD_VALUES_MAX, &n, &f)) return told(reterr, &f);
    struct reading *readings = arena_new(a, struct reading, n);
    if (!readings) return no_memory(reterr);
    for (size_t i = 0; i < n; i++)
        readings[i] = (struct reading){.device = device,
                                       .metric = values[i].metric,
                                       .unit = {NULL, 0},
                                       .value = values[i].value,
                                       .at_ms = values[i].has_at ? values[i].at_ms : 0};
    ret->readings = readings;
    ret->readings_n = n;
    return true;
}

static bool read_event(const struct said_site *s, struct str device, struct bytes payload, struct arena *a,
                       struct buf *names, struct decoded *ret, struct wire_error *reterr) {
    struct device_event *e = arena_new(a, struct device_event, 1);
    char *text = arena_alloc(a, EVENT_TEXT_MAX + 1, 1, 1);
    struct payload_event said;
    struct payload_fault f;
    if (!e || !text) return no_memory(reterr);
    if (!payload_event(payload, names, &said, &f)) return told(reterr, &f);
    utf8_copy(text, EVENT_TEXT_MAX + 1, said.data);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' '; /* line breaks between JSON's words */
    int64_t at_s = said.at_ms / 1000 + zone_offset_s(s->zone, said.at_ms);
    *e = (struct device_event){.device = device,
                               .code = said.code,
                               .text = str_of(text),
                               .part = said.part,
                               .at_s = said.has_at ? at_s : 0,
                               .is_set = !said.is_over};
    ret->events = e;
    ret->events_n = 1;
    return true;
}

static bool read_state(struct str device, struct bytes payload, struct arena *a, struct decoded *ret,
                       struct wire_error *reterr) {
    struct device_event *e = arena_new(a, struct device_event, 1);
    struct str text = {(const char *)payload.ptr, payload.len};
    bool is_online = str_is(text, "online");
    if (!e) return no_memory(reterr);
    if (!is_online && !str_is(text, "offline")) {
        *reterr = (struct wire_error){"state: neither online nor offline", 0};
        return false;
    }
    *e = (struct device_event){.device = device, .code = S("offline"), .is_set = !is_online};
    ret->events = e;
    ret->events_n = 1;
    return true;
}

static bool read_own(const struct said_site *s, struct str topic, struct bytes payload, struct arena *a,
                     struct decoded *ret, struct wire_error *reterr) {
    struct str rest = str_from(topic, 6), community, device;
    struct buf names;
    char *mem = arena_alloc(a, payload.len + 1, 1, 1);
    if (!mem) return no_memory(reterr);
    buf_init(&names, mem, payload.len + 1);
    *reterr = (struct wire_error){"topic: linli/COMMUNITY/DEVICE/ and telemetry, event or state of this community", 0};
    if (!str_cut(&rest, '/', &community) || !str_eq(community, s->community)) return false;
    if (!str_cut(&rest, '/', &device) || !str_is_code(device) || device.len > HOME_CODE_MAX) return false;
    if (str_is(rest, "command") || str_is(rest, "reply")) return true; /* to it, and of what it was told */
    ret->sender = device;
    if (str_is(rest, "telemetry")) return read_telemetry(device, payload, a, &names, ret, reterr);
    if (str_is(rest, "event")) return read_event(s, device, payload, a, &names, ret, reterr);
    return str_is(rest, "state") && read_state(device, payload, a, ret, reterr);
}

/* ---- codecs whose frames are publishes, and which are no home's ---- */

static bool is_of_homes(const struct codec *c) {
    return c == &zigbee2mqtt_codec || c == &tasmota_codec || c == &esphome_codec || c == &homeassistant_codec;
}

/* True: one of them took it; *ret_ok is what came of it. */
static bool read_codecs(struct str topic, struct bytes payload, struct arena *a, struct decoded *ret, bool *ret_ok,
                        struct wire_error *reterr) {
    uint8_t *whole = arena_alloc(a, topic.len + payload.len + 1, 1, 1);
    size_t len = topic.len + 1 + payload.len, at;
    if (!whole) return no_memory(reterr);
    memcpy(whole, topic.ptr, topic.len);
    whole[topic.len] = '\n';
    if (payload.len) memcpy(whole + topic.len + 1, payload.ptr, payload.len);
    struct bytes frame = {whole, len};
    for (size_t i = 0; i < codecs_n; i++) {
        const struct codec *c = codecs[i];
        if (c->carrier != CARRIER_TOPIC || !c->decode || is_of_homes(c) || len > c->frame_max) continue;
        if (c->frame && c->frame(frame, &at) != FRAME_WHOLE) continue;
        *ret_ok = c->decode(frame, a, ret, reterr);
        if (!*ret_ok && !c->frame) continue; /* it knows its topics by decoding alone */
        if (!*ret_ok) reterr->at = reterr->at > topic.len ? reterr->at - topic.len - 1 : 0;
        return true;
    }
    return false;
}

/* ---- state is no news ---- */

static bool is_fresh(const struct said_site *s, int64_t at_s, int64_t at_ms) {
    if (!at_ms && at_s) at_ms = (at_s - zone_offset_s(s->zone, s->now_ms)) * 1000;
    return at_ms && at_ms > s->now_ms - RULES_FRESH_MS && at_ms < s->now_ms + RULES_FRESH_MS;
}

/* What a broker kept says how things are, not since when: without a time of its own a reading is none, and nothing
 * begins; that something is over, holds, and so does that a device is not there. */
static bool keep_state(const struct said_site *s, struct arena *a, struct decoded *d, struct wire_error *reterr) {
    struct reading *readings = arena_new(a, struct reading, d->readings_n + 1);
    struct device_event *events = arena_new(a, struct device_event, d->events_n + 1);
    size_t readings_n = 0, events_n = 0;
    bool is_news = false;
    if (!readings || !events) return no_memory(reterr);
    for (size_t i = 0; i < d->readings_n; i++) {
        const struct reading *r = &d->readings[i];
        if (!r->at_ms && !r->at_s) continue;
        readings[readings_n++] = *r;
        is_news |= is_fresh(s, r->at_s, r->at_ms);
    }
    for (size_t i = 0; i < d->events_n; i++) {
        const struct device_event *e = &d->events[i];
        bool is_now = is_fresh(s, e->at_s, e->at_ms) || (is_news && !e->at_s && !e->at_ms);
        if (e->is_set && !is_now && !str_is(e->code, RULES_OFFLINE)) continue;
        events[events_n] = *e;
        events[events_n++].is_kept = !is_now;
    }
    d->readings = readings;
    d->readings_n = readings_n;
    d->events = events;
    d->events_n = events_n;
    return true;
}

/* ---- all of them ---- */

static bool read_any(const struct said_site *s, struct str topic, struct bytes payload, struct arena *a,
                     struct decoded *ret, struct wire_error *reterr) {
    bool ok = false;
    if (str_starts(topic, S("linli/"))) return read_own(s, topic, payload, a, ret, reterr);
    enum home_taken taken = home_take(&s->speaks, s->points, topic, payload, a, ret, reterr);
    if (taken != HOME_OTHER) return taken == HOME_TAKEN;
    if (read_codecs(topic, payload, a, ret, &ok, reterr)) return ok;
    taken = home_plain(topic, payload, a, ret, reterr);
    if (taken == HOME_OTHER)
        *reterr = (struct wire_error){"payload: neither JSON nor a number, under no topic known", 0};
    return taken == HOME_TAKEN;
}

bool said_read(const struct said_site *s, const struct arrival *p, struct arena *a, struct decoded *ret,
               struct wire_error *reterr) {
    *ret = (struct decoded){0};
    *reterr = (struct wire_error){"topic: it has 1 to 256 bytes", 0};
    if (!p->topic.len || p->topic.len > HOME_TOPIC_MAX || !utf8_is_valid(p->topic)) return false;
    *reterr = (struct wire_error){"payload: " WIRE_LIMIT "at most 256 KiB", 0};
    if (p->payload.len > HOME_PAYLOAD_MAX) return false;
    if (!read_any(s, p->topic, p->payload, a, ret, reterr)) return false;
    return !p->is_retained || keep_state(s, a, ret, reterr);
}
