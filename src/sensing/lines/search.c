/* Who is there, on a bus.  Where several answer at once, those are asked whose addresses end alike, two digits more
 * each time.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/search.h"

#include "base/utf8.h"

#include <string.h>

static size_t count_own(const struct asking *asking) {
    struct question q;
    size_t n = 0;
    while (asking->find(n, &q)) n++;
    return n;
}

static size_t count_narrower(const struct asking *asking, const struct question *from) {
    char mem[FIND_ADDRESS_MAX + 1];
    struct question q;
    size_t n = 0;
    while (asking->narrow && asking->narrow(from, n, mem, &q)) n++;
    return n;
}

void search_begin(struct search *s, const struct asking *asking, void (*found)(void *arg, struct str address),
                  void *arg) {
    *s = (struct search){.asking = asking, .found = found, .arg = arg, .depth = 1};
    s->of = s->levels[0].n = count_own(asking);
}

/* ---- who is there ---- */

static void tell(struct search *s, struct str address) {
    size_t known = s->found_n < SEARCH_KNOWN_MAX ? s->found_n : SEARCH_KNOWN_MAX;
    for (size_t i = 0; i < known; i++)
        if (str_is(address, s->known[i])) return;
    if (s->found_n < SEARCH_KNOWN_MAX) utf8_copy(s->known[s->found_n], sizeof s->known[0], address);
    s->found_n++;
    s->found(s->arg, address);
}

/* Of the codec's own questions, from 0. */
static size_t nth(const struct search *s) {
    return s->levels[0].next - 1;
}

static uint32_t all_decoys(const struct search *s) {
    return (UINT32_C(1) << s->asking->find_decoys) - 1;
}

static bool is_decoy(const struct search *s) {
    return nth(s) >= 1 && nth(s) <= s->asking->find_decoys;
}

static bool answers_to_any(const struct search *s) {
    return s->asking->find_decoys && s->is_first_here && s->decoys_here == all_decoys(s);
}

/* Whoever is asked for has been understood, or counted. */
static void settle(struct search *s) {
    for (size_t i = 0; i < s->depth; i++) s->levels[i].is_met = true;
}

/* Nobody is told of a decoy before it is known whether all of them are there. */
void search_met(struct search *s, const struct decoded *d) {
    if (!d->sender.len) return;
    s->is_met = true;
    settle(s);
    if (!nth(s)) s->is_first_here = true;
    if (is_decoy(s))
        s->decoys_here |= UINT32_C(1) << (nth(s) - 1);
    else if (!answers_to_any(s))
        tell(s, d->sender);
}

static void tell_decoys(struct search *s) {
    struct question q;
    for (size_t i = 0; !answers_to_any(s) && i < s->asking->find_decoys; i++)
        if (s->decoys_here >> i & 1 && s->asking->find(i + 1, &q)) tell(s, q.address);
}

/* ---- the order of questions ---- */

static void narrow(struct search *s, size_t n) {
    struct search_level *l = &s->levels[s->depth++];
    *l = (struct search_level){.n = n};
    utf8_copy(l->address, sizeof l->address, s->q.address);
    utf8_copy(l->item, sizeof l->item, s->q.item);
    s->of += n;
}

static void leave(struct search *s) {
    bool is_of_nobody = s->depth > 1 && !s->levels[s->depth - 1].is_met;
    s->depth--;
    s->mixed += is_of_nobody;
    if (is_of_nobody) settle(s);
}

/* What all who are there were asked one by one is not asked of everybody again. */
static bool is_for_nothing(const struct search *s) {
    return s->depth == 1 && s->told_apart[0] && str_is(s->q.item, s->told_apart);
}

static void put_next(struct search *s) {
    struct search_level *l = &s->levels[s->depth - 1];
    const struct question from = {.address = str_of(l->address), .item = str_of(l->item)};
    if (s->depth == 1) {
        (void)s->asking->find(l->next++, &s->q);
        return;
    }
    (void)s->asking->narrow(&from, l->next++, s->address, &s->q);
    utf8_copy(s->told_apart, sizeof s->told_apart, s->q.item);
}

bool search_next(struct search *s, struct question *ret) {
    while (s->depth) {
        if (s->levels[s->depth - 1].next == s->levels[s->depth - 1].n) {
            leave(s);
            continue;
        }
        put_next(s);
        s->is_met = false;
        *ret = s->q;
        if (!is_for_nothing(s)) return true;
        s->of--;
    }
    return false;
}

/* Who refuses is there, and has not said who he is, unless he alone was asked.  Of the codec's own questions one may be
 * no question to some: they were found by another. */
static bool is_unclear(const struct search *s, enum poll_end end) {
    if (end == POLL_REFUSED) return s->asking->narrow && (s->depth > 1 || !s->found_n);
    return end == POLL_GARBLED;
}

void search_ended(struct search *s, enum poll_end end) {
    if (end == POLL_LOST) {
        s->depth = 0;
        return;
    }
    s->asked++;
    s->refused += end == POLL_REFUSED && !s->asking->narrow;
    if (nth(s) == s->asking->find_decoys && s->asking->find_decoys) tell_decoys(s);
    if (!is_unclear(s, end)) return;
    size_t n = s->depth < SEARCH_LEVELS ? count_narrower(s->asking, &s->q) : 0;
    if (n) {
        narrow(s, n);
        return;
    }
    if (end == POLL_REFUSED)
        tell(s, s->q.address);
    else
        s->mixed += !s->is_met;
    settle(s);
}
