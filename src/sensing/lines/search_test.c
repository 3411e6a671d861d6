/* Searches over a bus of meters: alone, many whose answers mix, some that do not say who they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/search.h"

#include "protocol/meter.h"
#include "tests/lib/test.h"

#include <string.h>

#define METERS 40

struct bus {
    struct t *t;
    struct search search;
    const char *addresses[METERS]; /* who hangs on it */
    size_t n;
    size_t old_n; /* the first of them are of 1997 */
    bool ignores_13, is_short_unknown, refuses /* what is not the address */;
    char found[METERS][FIND_ADDRESS_MAX + 1];
    size_t found_n;
};

static void found(void *arg, struct str address) {
    struct bus *b = arg;
    CHECK(b->t, b->found_n < METERS);
    snprintf(b->found[b->found_n++], sizeof b->found[0], STR_FMT, STR_ARG(address));
}

static bool has_found(const struct bus *b, const char *address) {
    for (size_t i = 0; i < b->found_n; i++)
        if (!strcmp(b->found[i], address)) return true;
    return false;
}

static bool is_of_1997(const struct bus *b, const char *address) {
    for (size_t i = 0; i < b->old_n; i++)
        if (b->addresses[i] == address) return true;
    return false;
}

static bool answers(const struct bus *b, const struct question *q, const char *address) {
    bool is_for_all = str_is(q->address, "AAAAAAAAAAAA"), is_97 = q->item.len == 4;
    bool is_old = is_of_1997(b, address);
    if (!q->item.len && (b->ignores_13 || is_old)) return false;
    if (q->item.len && is_97 != is_old) return false;
    if (b->is_short_unknown && !is_for_all && memchr(q->address.ptr, 'A', q->address.len)) return false;
    return meter_is_asked(q->address, address);
}

/* Two that answer at once are heard as noise. */
static enum poll_end ask(struct bus *b, const struct question *q) {
    const char *who = NULL;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (answers(b, q, b->addresses[i])) {
            who = b->addresses[i];
            n++;
        }
    if (!n) return POLL_SILENT;
    if (n > 1) return POLL_GARBLED;
    if (b->refuses && q->item.len) return POLL_REFUSED;
    search_met(&b->search, &(struct decoded){.sender = str_of(who)});
    return POLL_ANSWERED;
}

/* Questions that it took. */
static size_t look(struct bus *b) {
    struct question q;
    size_t n = 0;
    search_begin(&b->search, codec_find(S("dlt645"))->asking, found, b);
    CHECK(b->t, search_goes_on(&b->search) && b->search.of == 3);
    while (n < 10000 && search_next(&b->search, &q)) {
        n++;
        CHECK(b->t, b->search.asked < b->search.of);
        search_ended(&b->search, ask(b, &q));
    }
    CHECK(b->t, !search_goes_on(&b->search) && b->search.asked == n && b->search.of == n);
    return n;
}

static void whoever_is_alone_is_found_at_once(struct t *t) {
    for (int kind = 0; kind < 4; kind++) {
        struct bus b = {.t = t, .addresses = {"202107072529"}, .n = kind < 3};
        b.ignores_13 = kind == 1;
        b.old_n = kind == 2;
        CHECK(t, look(&b) == 3 && b.found_n == (kind < 3) && !b.search.mixed);
        if (kind < 3) CHECK(t, has_found(&b, "202107072529"));
    }
}

static void many_are_found_one_by_one(struct t *t) {
    static const char *const addresses[] = {"202107072501", "202107072502", "202107072503",
                                            "202107079903", "202107089903", "000000000099"};
    static const size_t takes[] = {1 + 300 + 1, 2 + 300 + 1, 3 + 300, 1 + 100 + 1 + 200};
    for (int kind = 0; kind < 4; kind++) {
        struct bus b = {.t = t, .n = COUNT(addresses)};
        b.ignores_13 = kind == 1;
        b.old_n = kind == 2 ? COUNT(addresses) : kind == 3 ? 4 : 0;
        memcpy(b.addresses, addresses, sizeof addresses);
        size_t n = look(&b);
        CHECK_SAY(t, n == takes[kind], "%d: %zu questions", kind, n); /* three end with 03, two of them with 9903 */
        CHECK(t, b.found_n == COUNT(addresses) && !b.search.mixed);
        for (size_t i = 0; i < COUNT(addresses); i++) CHECK_SAY(t, has_found(&b, addresses[i]), "%s", addresses[i]);
    }
}

/* Two that know both editions are met in each, and one beside whom the line makes a noise is nobody else. */
static void whoever_was_understood_is_not_counted_as_mixed(struct t *t) {
    struct bus b = {.t = t};
    struct question q;
    search_begin(&b.search, codec_find(S("dlt645"))->asking, found, &b);
    while (search_next(&b.search, &q)) {
        bool is_for_all = str_is(q.address, "AAAAAAAAAAAA"), is_one = str_is(q.address, "AAAAAAAAAA07");
        if (is_one) search_met(&b.search, &(struct decoded){.sender = S("000000000007")});
        search_ended(&b.search, is_for_all ? POLL_GARBLED : is_one ? POLL_ANSWERED : POLL_SILENT);
    }
    CHECK(t, b.found_n == 1 && !b.search.mixed);
    search_begin(&b.search, codec_find(S("dlt645"))->asking, found, &b);
    while (search_next(&b.search, &q)) {
        bool is_his = meter_is_asked(q.address, "000000000007");
        if (is_his) search_met(&b.search, &(struct decoded){.sender = S("000000000007")});
        search_ended(&b.search, is_his ? POLL_GARBLED : POLL_SILENT);
    }
    CHECK(t, b.search.found_n == 1 && !b.search.mixed);
}

/* A reader that wants a secure channel is there. */
static void who_refuses_everybodys_question_is_counted(struct t *t) {
    struct bus b = {.t = t};
    struct question q;
    search_begin(&b.search, codec_find(S("osdp"))->asking, found, &b);
    CHECK(t, search_next(&b.search, &q));
    search_ended(&b.search, POLL_REFUSED);
    CHECK(t, !search_next(&b.search, &q) && b.search.refused == 1 && !b.search.mixed && !b.found_n);
}

static void who_cannot_be_told_apart_is_counted(struct t *t) {
    struct bus b = {.t = t, .addresses = {"000000000001", "000000000002"}, .n = 2, .is_short_unknown = true};
    CHECK(t, look(&b) == 102 && !b.found_n && b.search.mixed == 1);
    b = (struct bus){.t = t, .addresses = {"000000000001", "000000000001", "000000000002"}, .n = 3};
    CHECK(t, look(&b) == 602 && b.found_n == 1 && b.search.mixed == 1); /* two of one address */
}

/* Who refuses an energy is known by the address under which he does. */
static void who_refuses_is_found_by_his_address(struct t *t) {
    struct bus b = {.t = t, .addresses = {"000000000001"}, .n = 1, .ignores_13 = true, .refuses = true};
    CHECK(t, look(&b) == 603 && b.found_n == 1 && has_found(&b, "000000000001") && !b.search.mixed);
    b = (struct bus){.t = t, .addresses = {"000000000001"}, .n = 1, .refuses = true}; /* it said who it is before */
    CHECK(t, look(&b) == 3 && b.found_n == 1);
}

static void what_is_lost_ends_it(struct t *t) {
    struct bus b = {.t = t};
    struct question q;
    search_begin(&b.search, codec_find(S("dlt645"))->asking, found, &b);
    CHECK(t, search_next(&b.search, &q));
    search_ended(&b.search, POLL_GARBLED);
    CHECK(t, search_next(&b.search, &q) && b.search.of == 103);
    search_ended(&b.search, POLL_LOST);
    CHECK(t, !search_goes_on(&b.search) && !search_next(&b.search, &q) && b.search.asked == 1 && b.search.of == 103);
}

/* Whoever answers to any unit is the first one alone; of those that do not, each is found. */
static void decoys_tell_who_answers_to_any(struct t *t) {
    for (int kind = 0; kind < 2; kind++) {
        struct bus b = {.t = t};
        struct question q;
        search_begin(&b.search, codec_find(S("modbus"))->asking, found, &b);
        for (size_t n = 0; n < 1000 && search_next(&b.search, &q); n++) {
            bool is_there = kind || str_is(q.address, "1") || str_is(q.address, "247") || str_is(q.address, "12");
            if (is_there) search_met(&b.search, &(struct decoded){.sender = q.address});
            search_ended(&b.search, is_there ? POLL_ANSWERED : POLL_SILENT);
        }
        CHECK_SAY(t, b.found_n == (kind ? 1 : 3) && has_found(&b, "1"), "%zu", b.found_n);
    }
}

TESTS(CASE(whoever_is_alone_is_found_at_once), CASE(many_are_found_one_by_one),
      CASE(who_cannot_be_told_apart_is_counted), CASE(who_refuses_is_found_by_his_address), CASE(what_is_lost_ends_it),
      CASE(decoys_tell_who_answers_to_any), CASE(whoever_was_understood_is_not_counted_as_mixed),
      CASE(who_refuses_everybodys_question_is_counted))
