/* Our own form of somebody before a door.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/door/door.h"

#include "base/civil.h"
#include "protocol/frame_json.h"
#include "protocol/members.h"
#include "protocol/passing.h"

#define DEVICE_MAX 64
#define AT_MAX_MS  INT64_C(253402300799999) /* 9999 */

static bool bad(struct wire_error *e, const char *rule, size_t at) {
    *e = (struct wire_error){rule, at};
    return false;
}

/* ---- by what ---- */

static bool is_name(struct str s, size_t most) {
    return s.len && s.len <= most && str_is_code(s);
}

static const struct {
    const char *member;
    enum passing_kind kind;
    const char *rule;
} shown[] = {
    {"card", PASSING_CARD, "door card: a number up to 4294967295, FACILITY,NUMBER, or BITS:HEX"},
    {"pin", PASSING_CODE, "door pin: 4 to 16 digits"},
    {"plate", PASSING_PLATE, "door plate: no number plate of GA 36"},
    {"face_ref", PASSING_FACE, "door face_ref: 1 to 64 bytes without blanks and / + #"},
};

/* ---- the form ---- */

struct form {
    struct str json;
    struct arena *a;
    struct wire_error *error;
};

static bool wrong(const struct form *f, const char *member, const char *rule) {
    struct str at = member_at(f->json, member);
    return bad(f->error, rule, at.ptr ? (size_t)(at.ptr - f->json.ptr) : 0);
}

/* Absent stays absent. */
static bool read_text(const struct form *f, const char *member, size_t most, const char *rule, struct str *ret) {
    if (!member_at(f->json, member).ptr) return true;
    *ret = member_text(f->json, member, f->a);
    return is_name(*ret, most) || wrong(f, member, rule);
}

static bool read_time(const struct form *f, int64_t *ret) {
    struct str at = member_at(f->json, "at");
    if (!at.ptr) return true;
    bool ok =
        at.ptr[0] == '"' ? civil_read_time(member_text(f->json, "at", f->a), ret) : member_i64(f->json, "at", ret);
    ok = ok && *ret > 0 && *ret <= AT_MAX_MS;
    return ok || wrong(f, "at", "door at: whole milliseconds since 1970, or RFC 3339");
}

static bool read_who(const struct form *f, struct passing *p) {
    size_t n = 0, which = 0;
    char value[PASSING_VALUE_SIZE];
    for (size_t i = 0; i < COUNT(shown); i++) {
        if (!member_at(f->json, shown[i].member).ptr) continue;
        which = i;
        n++;
    }
    if (n != 1) return bad(f->error, "door: one of card, pin, plate and face_ref says who it is", 0);
    struct str text = member_text(f->json, shown[which].member, f->a);
    if (!passing_read(shown[which].kind, text, value)) return wrong(f, shown[which].member, shown[which].rule);
    p->kind = shown[which].kind;
    return arena_str(f->a, str_of(value), &p->value) || bad(f->error, "out of memory", 0);
}

static bool read_how(const struct form *f, struct passing *p) {
    struct str late = member_at(f->json, "late");
    int64_t sure = 0;
    if (!read_text(f, "way", 3, "door way: in or out", &p->way)) return false;
    if (p->way.len && !str_is(p->way, "in") && !str_is(p->way, "out")) return wrong(f, "way", "door way: in or out");
    if (late.ptr && !str_is(late, "true") && !str_is(late, "false"))
        return wrong(f, "late", "door late: true or false");
    p->is_late = str_is(late, "true");
    if (member_at(f->json, "sure").ptr && (!member_i64(f->json, "sure", &sure) || sure < 1 || sure > 100))
        return wrong(f, "sure", "door sure: 1 to 100 %");
    p->sure_pct = (int32_t)sure;
    return read_time(f, &p->at_ms) &&
           read_text(f, "id", DOOR_ID_MAX, "door id: 1 to 60 bytes without blanks and / + #", &p->serial);
}

static bool read_device(const struct form *f, struct str device, struct passing *p) {
    p->device = device;
    if (!read_text(f, "device", DEVICE_MAX, "door device: 1 to 64 bytes without blanks and / + #", &p->device))
        return false;
    if (!p->device.len) return bad(f->error, "door device: nobody is named", 0);
    return !device.len || str_eq(p->device, device) || wrong(f, "device", "door device: the topic names another");
}

bool door_read(struct bytes whole, struct str device, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct form f = {{(const char *)whole.ptr, whole.len}, a, reterr};
    struct passing *p = arena_new(a, struct passing, 1);
    size_t at = 0;
    if (whole.len > DOOR_FORM_MAX) return bad(reterr, "door: " WIRE_LIMIT "at most 2048 bytes", DOOR_FORM_MAX);
    if (!members_check(whole, &at)) return bad(reterr, "door: this is no JSON", at);
    if (!p) return bad(reterr, "out of memory", 0);
    *p = (struct passing){.at_ms = 0};
    if (!read_device(&f, device, p) || !read_who(&f, p) || !read_how(&f, p)) return false;
    *ret = (struct decoded){.sender = p->device, .passings = p, .passings_n = 1};
    return true;
}

static const char *member_of(enum passing_kind kind) {
    size_t i = 0;
    while (shown[i].kind != kind) i++;
    return shown[i].member;
}

static void put_members(struct jw *j, const struct passing *p) {
    if (p->device.len) jw_kstr(j, "device", p->device);
    jw_kstr(j, member_of(p->kind), p->value);
    if (p->way.len) jw_kstr(j, "way", p->way);
    if (p->serial.len) jw_kstr(j, "id", p->serial);
    if (p->at_ms) jw_ki64(j, "at", p->at_ms);
    if (p->sure_pct) jw_ki64(j, "sure", p->sure_pct);
}

void door_write(const struct passing *p, struct buf *out) {
    struct jw j;
    jw_init(&j, out);
    jw_open(&j, '{');
    put_members(&j, p);
    if (p->is_late) jw_kbool(&j, "late", true);
    jw_close(&j, '}');
}

/* ---- for lines and tools ---- */

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    *ret = (struct decoded){0};
    return door_read(whole, (struct str){NULL, 0}, a, ret, reterr);
}

static void let(bool opens, struct str why, struct buf *out) {
    struct jw j;
    jw_init(&j, out);
    jw_put(&j, opens ? "{'open':true,'why':$}" : "{'open':false,'why':$}", JV(J_STR(why)));
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct decoded d;
    if (!decode(whole, a, &d, reterr)) return false;
    const struct passing *p = d.passings;
    jw_open(j, '{');
    put_members(j, p);
    jw_kbool(j, "late", p->is_late);
    frame_put_bytes(j, a, "text", whole);
    jw_close(j, '}');
    return true;
}

/* As it came, or the form itself. */
static bool make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str text = frame_text(&in, "text");
    struct decoded d;
    struct jw j;
    size_t from = out->len;
    if (in.is_bad) return false;
    if (text.ptr) {
        buf_str(out, text);
    } else {
        jw_init(&j, out);
        jw_json(&j, frame);
    }
    if (out->overflow) return bad(reterr, "door: " WIRE_LIMIT "at most 2048 bytes", DOOR_FORM_MAX);
    return decode((struct bytes){(const uint8_t *)out->ptr + from, out->len - from}, a, &d, reterr);
}

const struct codec door_codec = {
    .name = "door",
    .standard = "Linli, docs/lines.md",
    .frame_max = DOOR_FORM_MAX,
    .decode = decode,
    .let = let,
    .show = show,
    .make = make,
    .is_text = true,
    .carrier = CARRIER_BODY,
};
