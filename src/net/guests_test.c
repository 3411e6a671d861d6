/* Who may stay where there are too many.  SPDX-License-Identifier: Apache-2.0 */
#include "net/guests.h"
#include "tests/lib/test.h"

#include <string.h>

#define WIRES 64
struct room {
    struct guests guests;
    struct wire wires[WIRES];
    size_t n;
};

/* As a listener does: who is out leaves later. */
static struct wire *comes(struct room *r, const char *peer) {
    struct wire *w = &r->wires[r->n++];
    memcpy(w->peer, peer, strlen(peer) + 1);
    guests_join(&r->guests, w);
    struct wire *out = guests_too_many(&r->guests, w);
    if (out) out->is_closing = true;
    if (out == w) w->is_refused = true;
    if (out) guests_leave(&r->guests, out);
    return out;
}

static void while_there_is_room_all_stay(struct t *t) {
    struct room r = {.guests.max = 3};
    for (int i = 0; i < 3; i++) CHECK(t, !comes(&r, "10.0.0.1"));
    CHECK(t, comes(&r, "10.0.0.1") == &r.wires[3] && r.guests.n == 3);
    guests_leave(&r.guests, &r.wires[1]); /* from the middle */
    CHECK(t, !comes(&r, "10.0.0.1") && r.guests.n == 3);
}

static void who_takes_all_gives_way_to_others_alone(struct t *t) {
    struct room r = {.guests.max = 8};
    CHECK(t, !comes(&r, "10.0.0.3") && !comes(&r, "10.0.0.4"));
    for (int i = 0; i < 6; i++) CHECK(t, !comes(&r, "10.0.0.66"));
    struct wire *last = &r.wires[7];
    CHECK(t, comes(&r, "10.0.0.66") == &r.wires[8]); /* himself */
    CHECK(t, comes(&r, "10.0.0.5") == last);         /* his newest */
    CHECK(t, comes(&r, "10.0.0.66") == &r.wires[10]);
    CHECK(t, comes(&r, "10.0.0.6") == last - 1);
    CHECK(t, comes(&r, "10.0.0.7") == &r.wires[12]); /* he has half of them now, no more */
    CHECK(t, comes(&r, "10.0.0.66") == &r.wires[13]);
}

static void another_may_take_the_lead(struct t *t) {
    struct room r = {.guests.max = 4};
    for (int i = 0; i < 4; i++) CHECK(t, !comes(&r, "10.0.0.66"));
    CHECK(t, comes(&r, "10.0.0.66") == &r.wires[4]);
    for (size_t i = 0; i < 4; i++) guests_leave(&r.guests, &r.wires[i]);
    for (int i = 0; i < 4; i++) CHECK(t, !comes(&r, "10.0.0.77"));
    CHECK(t, comes(&r, "10.0.0.66") == &r.wires[8]);
    CHECK(t, comes(&r, "10.0.0.77") == &r.wires[10]);
}

TESTS(CASE(while_there_is_room_all_stay), CASE(who_takes_all_gives_way_to_others_alone),
      CASE(another_may_take_the_lead))
