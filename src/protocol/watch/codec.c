/* Watches behind the narrow waist: readings, alarms, and the answers that they repeat themselves for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/watch/watch_internal.h"

#include "base/civil.h"

#include <string.h>

#define CHINA_H   8
#define SILENT_MS INT64_C(660000) /* two periods of being alive, five minutes each, and a minute */

bool watch_read(const struct watch_frame *f, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct watch_said s = {.device = f->id, .quality = f->is_miscounted ? QUALITY_SUSPECT : QUALITY_GOOD};
    s.readings = arena_new(a, struct reading, WATCH_READINGS_MAX);
    s.events = arena_new(a, struct device_event, WATCH_EVENTS_MAX);
    if (!s.readings || !s.events) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    if (!(f->maker.ptr ? watch_say(f, &s, reterr) : watch_say_iw(f, &s, reterr))) return false;
    *ret = (struct decoded){s.device, s.readings, s.readings_n, s.events, s.events_n};
    return true;
}

/* Frames of IW name nobody but at the log-in: their readings and events are of the device that logged in. */
static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct watch_frame f;
    *ret = (struct decoded){0};
    if (!watch_decode(whole, &f, reterr)) return false;
    if (watch_read(&f, a, ret, reterr)) return true;
    ret->sender = f.id;
    reterr->at = (size_t)((const uint8_t *)f.content.ptr - whole.ptr);
    return false;
}

/* ---- answers ---- */

static const struct {
    const char *command, *answer; /* NULL: the command itself */
} owed[] = {
    {"LK", NULL},    {"TKQ", NULL},   {"TKQ2", NULL},   {"TK", "TK,1"}, {"heart", NULL},  {"PULSE", NULL},
    {"BLOOD", NULL}, {"bphrt", NULL}, {"oxygen", NULL}, {"TEMP", NULL}, {"btemp2", NULL}, {"INIT", "INIT,1"},
};

static struct str answer_to(const struct watch_frame *f) {
    if (str_starts(f->command, S("AL"))) return S("AL"); /* of whatever network: AL_LTE … */
    if (str_is(f->command, "JXTK")) return S("JXTKR,1");
    if (str_is(f->command, "TK") && f->fields.len < 2) return (struct str){NULL, 0}; /* answers our voice */
    for (size_t i = 0; i < COUNT(owed); i++)
        if (watch_is(f->command, owed[i].command)) return owed[i].answer ? str_of(owed[i].answer) : f->command;
    return (struct str){NULL, 0};
}

static void put_time(struct buf *b, int64_t s) {
    int32_t y, m, d;
    civil_from_day(s / 86400, &y, &m, &d);
    buf_fmt(b, "%04d%02d%02d%02d%02d%02d", (int)y, (int)m, (int)d, (int)(s / 3600 % 24), (int)(s / 60 % 60),
            (int)(s % 60));
}

/* The log-in is answered with UTC and the zone in hours.  Which zone the line has is not known here: with China's the
 * watch shows the line's time wherever it is, and in China UTC is right as well. */
static void reply_iw(const struct watch_frame *f, int64_t now_s, struct buf *out) {
    static const char *const answered[] = {"AP00", "AP01", "AP02", "AP03", "AP07", "AP10",
                                           "AP49", "AP50", "AP97", "APHT", "APHP"};
    size_t i = 0;
    while (i < COUNT(answered) && !str_is(f->command, answered[i])) i++;
    if (i == COUNT(answered)) return; /* answers a command: BP of the same number would be one again */
    buf_fmt(out, "IWB" STR_FMT, STR_ARG(str_from(f->command, 1)));
    if (!i) {
        buf_char(out, ',');
        put_time(out, now_s > CHINA_H * 3600 ? now_s - CHINA_H * 3600 : 0);
        buf_fmt(out, ",%d", CHINA_H);
    }
    buf_char(out, '#');
}

/* What was wrong gets none: an alarm comes again by itself. */
static void reply(struct bytes whole, bool ok, int64_t now_s, struct buf *out) {
    struct watch_frame f;
    struct wire_error ignored;
    if (!ok || !watch_decode(whole, &f, &ignored)) return;
    if (!f.maker.ptr) {
        reply_iw(&f, now_s, out);
        return;
    }
    struct watch_frame back = {.maker = f.maker, .id = f.id, .serial = f.serial, .content = answer_to(&f)};
    if (back.content.ptr) watch_encode(&back, out);
    back.content = S("CR");
    if (watch_needs_help(&f)) watch_encode(&back, out);
}

const struct codec watch_codec = {
    .name = "watch",
    .standard = "makers' papers (3G SG CS ZJ …, IW)",
    .frame_max = WATCH_FRAME_MAX,
    .frame = watch_split,
    .follow = watch_follow,
    .decode = decode,
    .reply = reply,
    .show = watch_show,
    .make = watch_make,
    .asking = &watch_asking,
    .silent_after_ms = SILENT_MS,
    .is_text = true,
};
