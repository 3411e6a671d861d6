/* JT/T 808 behind the narrow waist: positions, alarms, and the answers that terminals wait for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/jt808/jt808_internal.h"

#include <string.h>

#define SILENT_MS INT64_C(180000) /* three heartbeats, one every 60 s at most */

static bool is_from_centre(const struct jt808_frame *f) {
    return f->message & JT808_FROM_CENTRE;
}

/* Terminals that were never given a number would all be one device. */
static bool has_number(const struct jt808_frame *f) {
    return strspn(f->terminal, "0") < strlen(f->terminal);
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct jt808_frame f;
    struct str device = {NULL, 0};
    bool ok = jt808_decode(whole, &f, reterr);
    *ret = (struct decoded){0};
    if (has_number(&f) && !is_from_centre(&f) && arena_str(a, str_of(f.terminal), &device)) ret->sender = device;
    if (!ok || !jt808_check(&f, jt808_body(&f), reterr)) return false;
    if (is_from_centre(&f)) return true; /* what the centre says is no news */
    if (device.len) return jt808_say(&f, jt808_body(&f), device, a, ret, reterr);
    *reterr = (struct wire_error){has_number(&f) ? "out of memory" : "JT/T 808 terminal: it has no number", 0};
    return false;
}

/* ---- answers ---- */

static bool is_understood(const struct jt808_frame *f) {
    static const uint16_t all[] = {JT808_HEARTBEAT, JT808_LOG_OUT, JT808_AUTHENTICATE, JT808_LOCATION, JT808_BATCH};
    for (size_t i = 0; i < COUNT(all); i++)
        if (f->message == all[i]) return !f->parts || jt808_is_kept(f);
    return false;
}

static enum jt808_result result_of(const struct jt808_frame *f, bool ok) {
    struct wire_error ignored;
    if (f->attributes && !jt808_check(f, jt808_body(f), &ignored)) return JT808_UNSUPPORTED; /* encrypted */
    return !ok ? JT808_WRONG : is_understood(f) ? JT808_OK : JT808_UNSUPPORTED;
}

/* The code that a terminal is given proves nothing and is not asked for again: lines hear whoever speaks, and put aside
 * whom nobody knows.  It is the terminal's number. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct jt808_frame f, back;
    struct wire_error ignored;
    char mem[JT808_DIGITS_19 + 8];
    struct buf b;
    (void)now_s;
    if (!jt808_decode(whole, &f, &ignored) || is_from_centre(&f)) return;
    if (f.message == JT808_ANSWER || f.message == JT808_PARAMETERS || f.message == JT808_LOCATION_ANSWER) return;
    back = f;
    back.attributes = back.parts = back.part = 0;
    buf_init(&b, mem, sizeof mem);
    cursor_put_be(&b, f.serial, 2);
    if (f.message == JT808_REGISTER && ok && !f.parts) {
        back.message = JT808_REGISTERED;
        cursor_put_be(&b, JT808_OK, 1);
        buf_cstr(&b, f.terminal);
    } else {
        back.message = JT808_CENTRE_ANSWER;
        cursor_put_be(&b, f.message, 2);
        cursor_put_be(&b, result_of(&f, ok), 1);
    }
    memcpy(back.body, mem, b.len);
    back.body_n = b.len;
    (void)jt808_encode(&back, out);
}

const struct codec jt808_codec = {
    .name = "jt808",
    .standard = "JT/T 808-2011, -2013, -2019",
    .frame_max = JT808_FRAME_MAX,
    .frame = jt808_split,
    .decode = decode,
    .reply = reply,
    .show = jt808_show,
    .make = jt808_make,
    .joining = &jt808_joining,
    .asking = &jt808_asking,
    .silent_after_ms = SILENT_MS,
};
