/* The kernel's own test module: a resource with every kind of field, states, steps, grants, relations and dues, and the
 * resources it refers to.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_TEST_MODULE_H
#define LINLI_TESTS_LIB_TEST_MODULE_H

#include "kernel/kernel.h"
#include "kernel/rows.h"

/* Places in one hierarchy; one with own_records is a community. */
struct area {
    struct row row;
    struct str name;
    int64_t parent_id;
    bool own_records;
};
/* People: belong to the installation, placed by their stays. */
struct folk {
    struct row row;
    struct str name, phone, passport;
};
struct stay {
    struct row row;
    int64_t folk_id, place_id, valid_from, valid_until;
};
/* Dated rows: one price an area and day. */
struct rate {
    struct row row;
    int64_t area_id, price, valid_from, valid_until;
};
struct sample_part {
    uint64_t has;
    struct str name, size;
    int64_t amount, price, weight, made_on, checked_ms, folk_id;
    bool spare;
};
struct sample { /* every kind of field there is */
    struct row row;
    int64_t area_id, owner_id, worker_id, amount, balance, weight, price, due_ms, done_ms, day;
    struct ids helpers, photos;
    struct str title, note, code, phone, card, illness, token, size, extra, reason;
    bool urgent;
    int32_t state;
    struct geo spot;
    struct lines parts;
};
struct open_sample { /* read-only over a SELECT */
    struct row row;
    int64_t area_id, owner_id;
    struct str title, phone;
};

enum sample_state { SAMPLE_NEW, SAMPLE_ACCEPTED, SAMPLE_WORKING, SAMPLE_DONE, SAMPLE_DROPPED };

extern const struct module test_module; /* roles: chief manager worker resident viewer */
extern const struct resource test_areas, test_folk, test_stays, test_rates, test_samples, test_open_samples;
extern const char test_words[]; /* the module's catalogue */

/* A small estate: town > north (community) > house > flat, other_house; town > south (community) > south_house.
 * Anna and Ben live in the flat, Carl in south_house. */
struct test_estate {
    int64_t town, north, house, flat, other_house, south, south_house;
    int64_t anna, ben, carl;
};
/* As the system; leaves the actor as it was. */
NODISCARD enum err test_estate_make(struct ctx *ctx, struct test_estate *ret);
/* Makes ctx->actor somebody with one role at one place (0: the installation) who owns himself and `unit_id` (0: no
 * unit).  Memory is the ctx's arena. */
NODISCARD enum err test_actor(struct ctx *ctx, const char *role, int64_t place_id, int64_t person_id, int64_t unit_id);

#endif
