/* Vehicles before cameras.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/alpr.h"

#include "protocol/plate/plate.h"

#define PLATES_MAX 4 /* of a vehicle: of the mainland, of Hong Kong, of Macau */
#define NAME_MAX   64

bool alpr_is_device(struct str name) {
    return name.len && name.len <= NAME_MAX && str_is_code(name);
}

static bool is_plate(struct str text, struct plate *ret) {
    struct wire_error ignored;
    return plate_read(text, ret, &ignored) && ret->kind != PLATE_NONE;
}

bool alpr_has_plate(struct str plates) {
    struct plate p;
    struct str one;
    for (size_t n = 0; n < PLATES_MAX && plate_next(&plates, &one); n++)
        if (is_plate(one, &p)) return true;
    return false;
}

static bool add_plate(const struct sighting *s, struct str text, struct arena *a, struct passing *all, size_t *n) {
    struct plate p;
    if (!is_plate(text, &p)) return true;
    struct passing *x = &all[*n];
    *x = (struct passing){.device = s->device,
                          .kind = PASSING_PLATE,
                          .serial = s->serial,
                          .at_s = s->at_s,
                          .at_ms = s->at_ms,
                          .is_late = s->is_late};
    if (s->sure_pct >= 0) x->sure_pct = s->sure_pct < 1 ? 1 : s->sure_pct > 100 ? 100 : (int32_t)s->sure_pct;
    ++*n;
    return arena_str(a, str_of(p.text), &x->value);
}

bool alpr_say(const struct sighting *s, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct passing *passings = arena_new(a, struct passing, PLATES_MAX);
    struct device_event *event = arena_new(a, struct device_event, 1);
    struct reading *sure = arena_new(a, struct reading, 1);
    struct str rest = s->plate, one;
    size_t n = 0;
    bool ok = passings && event && sure;
    for (size_t i = 0; ok && i < PLATES_MAX && plate_next(&rest, &one); i++) ok = add_plate(s, one, a, passings, &n);
    if (!ok) {
        *reterr = (struct wire_error){"out of memory", 0};
        return false;
    }
    *event = (struct device_event){.device = s->device,
                                   .code = n ? S("plate_seen") : S("plate_unread"),
                                   .at_s = s->at_s,
                                   .at_ms = s->at_ms,
                                   .is_set = true};
    *sure = (struct reading){.device = s->device,
                             .metric = S("confidence"),
                             .unit = S("%"),
                             .value = (double)s->sure_pct,
                             .at_s = s->at_s,
                             .at_ms = s->at_ms};
    *ret = (struct decoded){.sender = s->device,
                            .readings = sure,
                            .readings_n = n && s->sure_pct >= 0,
                            .events = event,
                            .events_n = 1,
                            .passings = passings,
                            .passings_n = n};
    return true;
}
