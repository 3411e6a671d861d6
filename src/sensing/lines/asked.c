/* What is known of devices that are asked: who has which address, what their models call what they say, what they said
 * under their own names.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "sensing/lines/line_internal.h"

#include <string.h>

#define STRANGERS_MAX 1000 /* in the book of the line, so that they leave room for its own */

struct line_device *asked_at(const struct line_plan *p, struct str address) {
    for (size_t i = 0; p && i < p->devices_n; i++)
        if (str_eq(p->devices[i].address, address)) return &p->devices[i];
    return NULL;
}

void asked_note(const struct line *l, const struct line_plan *p, struct str address, enum heard_how how,
                const char *text) {
    const struct line_device *d = asked_at(p, address);
    if (d) heard_note(l->o.heard, d->code, how, str_of(text), line_now_ms(l));
    if (d && how == HEARD_SILENT) figures_missed(l->o.figures);
}

void asked_ended(const struct line *l, const struct line_plan *p, struct str address, enum poll_end end,
                 const char *why) {
    static const enum heard_how how[] = {[POLL_ANSWERED] = HEARD_FRAME,
                                         [POLL_REFUSED] = HEARD_REFUSED,
                                         [POLL_SILENT] = HEARD_SILENT,
                                         [POLL_GARBLED] = HEARD_GARBLED};
    if (end != POLL_LOST) asked_note(l, p, address, how[end], end == POLL_REFUSED ? why : "");
}

bool asked_is_of_plan(const struct line_plan *p, const struct poll_order *o) {
    const struct line_device *d = asked_at(p, o->q.address);
    return d && d->id == o->whose;
}

bool asked_is_of_none(void *arg, const struct poll_order *o) {
    (void)arg;
    (void)o;
    return false;
}

void asked_silent(const struct line *l, const struct line_plan *p, struct str address, bool is_silent) {
    struct line_device *d = asked_at(p, address);
    if (!d || d->is_silent == is_silent) return;
    d->is_silent = is_silent;
    if (l->o.silent) l->o.silent(l->o.arg, d->id, is_silent);
}

struct str asked_code(const struct line *l, struct str address, char mem[ASKED_CODE_SIZE]) {
    size_t n = address.len + 1;
    if (!l->o.codec->is_local || n >= ASKED_CODE_SIZE) return address;
    utf8_copy(mem, ASKED_CODE_SIZE - n, str_of(l->name));
    for (char *c = mem; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("/+#:", *c))
            *c = '-'; /* no code has them; what is before a colon would be a gateway */
    size_t at = strlen(mem);
    mem[at] = '-';
    memcpy(mem + at + 1, address.ptr, address.len);
    return (struct str){mem, at + n};
}

/* By a code of its own, or a stranger. */
void asked_found(struct line *l, const struct line_plan *p, struct str address, const char *from,
                 const struct feed_about *about) {
    const struct line_device *known = asked_at(p, address);
    struct heard_device ignored;
    char mem[ASKED_CODE_SIZE], at[ASKED_CODE_SIZE];
    struct str code = known ? known->code : asked_code(l, address, mem);
    struct feed_about says = about ? *about : (struct feed_about){"", "", "", NULL};
    utf8_copy(at, sizeof at, address);
    if (l->o.codec->is_local) says.address = at;
    if (!known) feed_found(l->o.feed, l->o.community_id, code, l->name, about || says.address ? &says : NULL);
    if (!known && !heard_get(l->o.heard, code, &ignored) && l->strangers++ >= STRANGERS_MAX) return;
    heard_note(l->o.heard, code, HEARD_FRAME, str_of(from), line_now_ms(l));
}

/* What the model calls an item for which the protocol has no name.  A device's values stand together. */
static void name(const struct line_plan *p, const struct line_device *d, struct reading *r) {
    size_t device = (size_t)(d - p->devices), low = 0, high = p->values_n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (p->values[mid].device < device)
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = low; i < p->values_n && p->values[i].device == device; i++) {
        const struct line_value *v = &p->values[i];
        if (!str_eq(v->item, r->metric)) continue;
        r->metric = v->metric;
        if (!r->unit.len) r->unit = v->unit;
        return;
    }
}

/* Whose that is: his who was asked, else his who has the address that it names, else a stranger's. */
static bool own(const struct line *l, struct arena *a, const struct line_plan *p, const struct line_device **d,
                struct str *device) {
    char mem[ASKED_CODE_SIZE];
    if (!*d) *d = asked_at(p, *device);
    *device = *d ? (*d)->code : device->len ? asked_code(l, *device, mem) : *device;
    return keep(a, device);
}

bool asked_copy(const struct line *l, struct arena *a, const struct line_plan *p, const struct line_device *asked,
                const struct decoded *from, struct decoded *ret) {
    struct reading *readings = arena_new(a, struct reading, from->readings_n + 1);
    struct device_event *events = arena_new(a, struct device_event, from->events_n + 1);
    const struct line_device *d = asked;
    struct str sender = from->sender;
    bool ok = readings && events && own(l, a, p, &d, &sender);
    for (size_t i = 0; ok && i < from->readings_n; i++) {
        readings[i] = from->readings[i];
        d = asked;
        ok = own(l, a, p, &d, &readings[i].device);
        if (d) name(p, d, &readings[i]);
        ok = ok && keep(a, &readings[i].metric) && keep(a, &readings[i].unit);
    }
    for (size_t i = 0; ok && i < from->events_n; i++) {
        events[i] = from->events[i];
        d = asked;
        ok = own(l, a, p, &d, &events[i].device) && keep(a, &events[i].code) && keep(a, &events[i].text) &&
             keep(a, &events[i].part);
    }
    *ret = (struct decoded){sender, readings, from->readings_n, events, from->events_n, .clock_s = from->clock_s};
    return ok;
}
