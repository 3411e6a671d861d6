/* Which devices of a line that speak by themselves are there: silent for too long, heard again, and what must follow of
 * one by what it was told.  All of it is of the device, whatever connection it has, and goes on in the next plan.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/line_internal.h"

static int64_t now_us(const struct line *l) {
    return l->o.world->mono_us(l->o.world->self);
}

/* False: there is no room for all that follows from it, and nothing was taken. */
static bool say(const struct line *l, struct str device, const char *code, bool is_set) {
    const struct rules_event event = {
        .device = device, .code = str_of(code), .at_ms = line_now_ms(l), .is_set = is_set};
    return !feed_events(l->o.feed, l->o.community_id, &event, 1);
}

/* ---- plans ---- */

/* Under its former password until it has shown the other, so that it can be told over its own line. */
static void take_former(const struct line *l, struct line_plan *p, struct line_device *d,
                        const struct line_device *before) {
    struct str former = before->former;
    if (!l->o.codec->asking || !l->o.codec->asking->rekey) return;
    if (!former.len && !str_eq(before->password, d->password)) former = before->password;
    if (!d->password.len || str_eq(former, d->password) || !keep(&p->arena, &former)) return;
    d->former = former;
}

/* Both are in order of ids.  What the row says of one that was here before is older than what is known. */
static void go_on(const struct line *l, const struct line_plan *before, struct line_plan *p) {
    size_t k = 0;
    for (size_t i = 0; i < p->devices_n; i++) {
        struct line_device *d = &p->devices[i];
        while (before && k < before->devices_n && before->devices[k].id < d->id) k++;
        const struct line_device *was =
            before && k < before->devices_n && before->devices[k].id == d->id ? &before->devices[k] : NULL;
        d->heard_us = was && was->was_heard ? was->heard_us : now_us(l); /* nobody listened before */
        if (!was) continue;
        d->was_heard |= was->was_heard;
        d->is_silent = was->is_silent;
        d->awaited = was->awaited;
        take_former(l, p, d, was);
    }
}

void presence_plan(struct line *l, struct line_plan *plan) {
    go_on(l, l->plan, plan);
    line_plan_free(l->plan);
    l->plan = plan;
}

/* ---- what is heard ---- */

static void hear(const struct line *l, struct str device) {
    struct line_device *d = asked_at(l->plan, device);
    if (!d) return;
    d->was_heard = true;
    d->heard_us = now_us(l);
    if (d->is_silent) d->is_silent = !say(l, d->code, RULES_OFFLINE, false);
}

static void hear_event(const struct line *l, const struct device_event *e) {
    const struct asking *asking = l->o.codec->asking;
    struct line_device *d = asking && asking->follows ? asked_at(l->plan, e->device) : NULL;
    if (!d || !d->awaited.event || !e->is_set || !str_is(e->code, d->awaited.event)) return;
    (void)!say(l, d->code, d->awaited.otherwise, false);
    d->awaited.event = NULL;
}

void presence_hear(const struct line *l, struct str speaker, const struct decoded *d) {
    struct str last = speaker;
    if (last.len) hear(l, last);
    for (size_t i = 0; i < d->readings_n; i++) {
        if (!str_eq(d->readings[i].device, last)) hear(l, d->readings[i].device);
        last = d->readings[i].device;
    }
    for (size_t i = 0; i < d->events_n; i++) {
        if (!str_eq(d->events[i].device, last)) hear(l, d->events[i].device);
        last = d->events[i].device;
        hear_event(l, &d->events[i]);
    }
}

void presence_await(const struct line *l, const struct question *q) {
    const struct asking *asking = l->o.codec->asking;
    struct line_device *d = asked_at(l->plan, q->address);
    int64_t within_ms;
    const char *otherwise, *event = asking->follows ? asking->follows(q, &within_ms, &otherwise) : NULL;
    if (event && d) d->awaited = (struct line_awaited){event, otherwise, now_us(l) + within_ms * 1000};
}

void presence_rekeyed(const struct line *l, struct str device) {
    struct line_device *d = asked_at(l->plan, device);
    if (d) d->former = (struct str){NULL, 0};
}

/* ---- what time brings ---- */

void presence_tick(const struct line *l) {
    int64_t now = now_us(l);
    struct line_plan *p = l->plan;
    for (size_t i = 0; p && i < p->devices_n; i++) {
        struct line_device *d = &p->devices[i];
        struct line_awaited *a = &d->awaited;
        if (a->event && a->until_us && now >= a->until_us && say(l, d->code, a->otherwise, true)) a->until_us = 0;
        if (d->is_silent || !d->was_heard || !p->silent_ms || now - d->heard_us < p->silent_ms * 1000) continue;
        d->is_silent = say(l, d->code, RULES_OFFLINE, true);
    }
}
