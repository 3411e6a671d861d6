/* Records of lifts, read.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lift/lift_internal.h"

#include "base/civil.h"
#include "protocol/members.h"

#include <stddef.h>

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

struct in {
    struct str json;
    struct wire_error *error;
};

static size_t place_of(const struct in *in, struct str value) {
    return (size_t)(value.ptr - in->json.ptr);
}

/* Numbers of the standard's tables, and yes and no. */
static const struct number {
    const char *member, *rule;
    size_t at;   /* in struct lift_state */
    int8_t most; /* -1: yes or no */
} numbers[] = {
    {"serviceMode", "lift serviceMode: 0 to 7", offsetof(struct lift_state, mode), LIFT_MODE_UNKNOWN},
    {"carStatus", "lift carStatus: 0 stopped, 1 running", offsetof(struct lift_state, running), 1},
    {"operationStatus", "lift operationStatus: 0 stopped, 1 running", offsetof(struct lift_state, running), 1},
    {"carDirection", "lift carDirection: 0 none, 1 up, 2 down", offsetof(struct lift_state, direction), 2},
    {"operationDirection", "lift operationDirection: 0 none, 1 up, 2 down", offsetof(struct lift_state, direction), 2},
    {"doorZone", "lift doorZone: true or false", offsetof(struct lift_state, door_zone), -1},
    {"doorClosed", "lift doorClosed: true or false", offsetof(struct lift_state, door_closed), -1},
    {"passenger", "lift passenger: true or false", offsetof(struct lift_state, passenger), -1},
};

static bool read_flag(struct str value, int8_t *ret) {
    *ret = str_is(value, "true") || str_is(value, "1");
    return *ret || str_is(value, "false") || str_is(value, "0") || str_is(value, "2");
}

static bool read_state(const struct in *in, struct lift_state *ret) {
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct number *n = &numbers[i];
        struct str value = member_at(in->json, n->member);
        int8_t *to = (int8_t *)ret + n->at;
        int64_t v;
        if (!value.ptr) continue;
        bool ok = n->most < 0 ? read_flag(value, to) : str_to_i64(value, &v) && v >= 0 && v <= n->most;
        if (!ok) return bad(in->error, n->rule, place_of(in, value));
        if (n->most >= 0) *to = (int8_t)v;
    }
    return true;
}

static bool read_count(const struct in *in, const char *member, const char *rule, int64_t *ret) {
    struct str value = member_at(in->json, member);
    *ret = -1;
    if (!value.ptr) return true;
    return (str_to_i64(value, ret) && *ret >= 0) || bad(in->error, rule, place_of(in, value));
}

static bool read_time(const struct in *in, struct arena *a, const char *member, const char *rule, int64_t *ret) {
    struct str value = member_at(in->json, member);
    *ret = 0;
    if (!value.ptr) return true;
    return (civil_read_time(member_text(in->json, member, a), ret) && *ret > 0) ||
           bad(in->error, rule, place_of(in, value));
}

/* A text, or a number. */
static bool read_position(const struct in *in, struct arena *a, struct lift_record *r) {
    struct str value = member_at(in->json, "carPosition");
    if (!value.ptr) return true;
    r->position = value.ptr[0] == '"' ? member_text(value, "", a) : value;
    if (!r->position.ptr || !r->position.len || r->position.len > 16 || r->position.ptr[0] == '{' ||
        r->position.ptr[0] == '[')
        return bad(in->error, "lift carPosition: what the display shows, at most 16 bytes", place_of(in, value));
    r->has_floor = lift_floor(r->position, &r->floor);
    return true;
}

static bool is_registration(struct str s) {
    bool ok = s.len == LIFT_CODE_DIGITS;
    for (size_t i = 0; ok && i < s.len; i++) ok = s.ptr[i] >= '0' && s.ptr[i] <= '9';
    return ok;
}

static bool read_report(const struct in *in, struct arena *a, struct lift_record *r) {
    struct str value = member_at(in->json, "code");
    int64_t begin, end;
    if (!value.ptr) return read_time(in, a, "ts", "lift ts: a time as RFC 3339 has it", &r->at_ms);
    r->code = value.ptr[0] == '"' ? member_text(value, "", a) : value;
    if (!r->code.ptr || !r->code.len || r->code.len > 8 || !str_is_code(r->code))
        return bad(in->error, "lift code: two digits, of a dialect up to 8 bytes", place_of(in, value));
    if (!read_time(in, a, "begin", "lift begin: a time as RFC 3339 has it", &begin) ||
        !read_time(in, a, "end", "lift end: a time as RFC 3339 has it, or null", &end))
        return false;
    r->is_over = end;
    r->at_ms = end ? end : begin;
    return true;
}

bool lift_read(struct bytes whole, struct arena *a, struct lift_record *ret, struct wire_error *reterr) {
    struct in in = {{(const char *)whole.ptr, whole.len}, reterr};
    struct lift_record r = {.state = lift_unknown};
    size_t at = 0;
    if (whole.len > LIFT_RECORD_MAX) return bad(reterr, "lift record: " WIRE_LIMIT "at most 64 KiB", LIFT_RECORD_MAX);
    if (!members_check(whole, &at)) return bad(reterr, "lift record: this is no JSON", at);
    struct str code = member_at(in.json, "regCode");
    r.device = member_text(in.json, "regCode", a);
    if (!is_registration(r.device))
        return bad(reterr, "lift regCode: a registration has 20 digits", code.ptr ? place_of(&in, code) : 0);
    r.is_escalator = member_at(in.json, "operationStatus").ptr || member_at(in.json, "operationDirection").ptr;
    if (!read_report(&in, a, &r) || !read_state(&in, &r.state) || !read_position(&in, a, &r) ||
        !read_count(&in, "totalRunningTime", "lift totalRunningTime: whole hours", &r.running_h) ||
        !read_count(&in, "presentCounterValue", "lift presentCounterValue: a number of runs", &r.runs))
        return false;
    *ret = r;
    return true;
}
