/* Who may stay.  SPDX-License-Identifier: Apache-2.0 */
#include "net/guests.h"

#include <string.h>

void guests_join(struct guests *guests, struct wire *wire) {
    wire->next = guests->newest;
    wire->prev = NULL;
    if (wire->next) wire->next->prev = wire;
    guests->newest = wire;
    guests->n++;
}

static bool is_of(const struct wire *wire, const char *peer) {
    return !strcmp(wire->peer, peer);
}

void guests_leave(struct guests *guests, struct wire *wire) {
    if (wire->prev)
        wire->prev->next = wire->next;
    else
        guests->newest = wire->next;
    if (wire->next) wire->next->prev = wire->prev;
    guests->n--;
    if (!wire->is_refused && is_of(wire, guests->lead)) guests->lead[0] = 0;
}

/* Boyer and Moore 1981. */
static void find_lead(struct guests *guests) {
    const struct wire *most = guests->newest;
    size_t lead = 0, n = 0;
    for (const struct wire *w = most; w; w = w->next) {
        if (!lead) most = w;
        if (is_of(w, most->peer))
            lead++;
        else
            lead--;
    }
    for (const struct wire *w = guests->newest; w; w = w->next) n += is_of(w, most->peer);
    memcpy(guests->lead, n * 2 > guests->n ? most->peer : "", n * 2 > guests->n ? sizeof guests->lead : 1);
}

struct wire *guests_too_many(struct guests *guests, struct wire *newcomer) {
    if (guests->n <= guests->max) return NULL;
    if (!guests->lead[0]) find_lead(guests);
    if (!guests->lead[0] || is_of(newcomer, guests->lead)) return newcomer;
    for (struct wire *w = guests->newest; w; w = w->next)
        if (is_of(w, guests->lead) && !w->is_closing) return w;
    return newcomer;
}
