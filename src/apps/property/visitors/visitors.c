/* Visitors: a resident invites, the gate lets in and out.  Flow and rights are the tables below.
 * SPDX-License-Identifier: Apache-2.0 */
#include "apps/property/visitors/visitors.h"

#include "platform/parties/parties.h"

struct visit {
    struct row row;
    int64_t place_id, host_id;
    struct str name, phone, plate, purpose, transport, reason;
    int64_t from_ms, until_ms, entered_ms, left_ms;
    int32_t state;
};

static const char *check_plate(struct str plate) { /* capitals, no blanks */
    for (size_t i = 0; i < plate.len; i++)
        if (plate.ptr[i] == ' ' || (plate.ptr[i] >= 'a' && plate.ptr[i] <= 'z')) return "bad_plate";
    return NULL;
}

static const struct field fields[] = {
    {STATE(struct visit, state)},
    {TEXT(struct visit, name), .max = 64, .flags = REQUIRED | SEARCH | COLUMN, .class = IDENTITY},
    {CHOICE(struct visit, purpose, "family housework repair delivery decoration viewing other"),
     .flags = REQUIRED | COLUMN},
    {REF(struct visit, place_id, "places"), .flags = FIXED | COLUMN},
    {TIME(struct visit, from_ms), .flags = REQUIRED | COLUMN | INDEXED},
    {TIME(struct visit, until_ms), .flags = REQUIRED},
    {CHOICE(struct visit, transport, "walk bicycle car van truck"), .flags = COLUMN},
    {REF(struct visit, host_id, "people"), .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct visit, phone), .max = 20, .flags = SEARCH, .class = CONTACT, .group = "identity"},
    {TEXT(struct visit, plate), .min = 7, .max = 8, .flags = SEARCH, .class = CONTACT, .check = check_plate,
     .group = "identity"},
    {TEXT(struct visit, reason), .max = 200, .flags = SYSTEM},
    {TIME(struct visit, entered_ms), .flags = SYSTEM},
    {TIME(struct visit, left_ms), .flags = SYSTEM},
};

static const struct resource visits;

static enum err in_window(struct ctx *ctx, const void *row) {
    const struct visit *v = row;
    if (ctx->now_ms >= v->from_ms && ctx->now_ms < v->until_ms) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "not_now", "the pass is not valid now");
}

static enum err entered(struct ctx *ctx, void *row) {
    SET(&visits, (struct visit *)row, entered_ms, ctx->now_ms);
    return OK;
}

static enum err gone(struct ctx *ctx, void *row) {
    SET(&visits, (struct visit *)row, left_ms, ctx->now_ms);
    return OK;
}

enum { ASKED, APPROVED, INSIDE, GONE, REFUSED, EXPIRED };
static const char *const states[] = {"asked", "approved", "inside", "gone", "refused", "expired"};

#define DECIDE "resident owner elder manager guard"
static const struct step steps[] = {
    {ASKED, "approve", APPROVED, DECIDE},
    {ASKED, "refuse", REFUSED, DECIDE, .takes = "reason", .need = "reason", .danger = true},
    {APPROVED, "refuse", REFUSED, DECIDE, .takes = "reason", .need = "reason", .danger = true},
    {APPROVED, "enter", INSIDE, "guard manager", .guard = in_window, .effect = entered},
    {INSIDE, "leave", GONE, "guard manager", .effect = gone},
    {ASKED, "expire", EXPIRED, "timer"},
    {APPROVED, "expire", EXPIRED, "timer"},
};
static const struct due dues[] = {{"expire", "until_ms", 0}};

static const struct relation relations[] = {{"host", "host_id", OWN_ME}};
static const struct grant grants[] = {
    {"resident owner elder", CREATE | READ | UPDATE, OWN, .by = "host", .clear = IDENTITY | CONTACT},
    {"guard", CREATE | READ, COMMUNITY, .clear = IDENTITY, .reveal = CONTACT},
    {"manager dispatcher", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY, .reveal = IDENTITY | CONTACT},
    {"admin", READ, PLACE},
};

static const struct view views[] = {
    {"waiting", "state=asked", "from_ms", .waits = true},
    {"inside", "state=inside", "-entered_ms"},
    {"expected", "state=approved", "from_ms"},
};

/* What was approved is what comes in, and one invites to one's own unit; the desk and the gate do for others. */
static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct visit *v = row;
    bool is_staff = party_is(ctx, "guard manager dispatcher", v->row.community_id), may = before || is_staff;
    if (before && ((const struct visit *)before)->state != ASKED && !is_staff)
        return FAIL(&ctx->fault, ERR_CONFLICT, "wrong_state", "the visit was decided on; refuse it and ask anew");
    if (!v->place_id && ctx->actor.own[OWN_UNITS].n == 1) SET(&visits, v, place_id, ctx->actor.own[OWN_UNITS].ids[0]);
    for (size_t i = 0; i < ctx->actor.own[OWN_UNITS].n; i++) may |= ctx->actor.own[OWN_UNITS].ids[i] == v->place_id;
    if (v->place_id && may) return OK;
    return FAIL_FIELD(&ctx->fault, "place_id", v->place_id ? "bad_ref" : "required", 0);
}

static enum err validate(struct ctx *ctx, const void *row) {
    const struct visit *v = row;
    int64_t latest_ms = v->from_ms + INT64_C(31) * 86400000;
    if (v->until_ms <= v->from_ms) return FAIL_FIELD(&ctx->fault, "until_ms", "not_after", 0);
    return v->until_ms <= latest_ms ? OK : FAIL_FIELD(&ctx->fault, "until_ms", "too_large", latest_ms);
}

static const struct resource visits = {
    .name = "visits",
    .group = "estate",
    .icon = "visit",
    .size = sizeof(struct visit),
    .label = "name",
    .place = "place_id",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(dues, dues),
    ROWS(relations, relations),
    ROWS(grants, grants),
    ROWS(views, views),
    .tones = "warn info info ok off off",
    .prepare = prepare,
    .validate = validate,
};
static const struct resource *const resources[] = {&visits};

const struct module visitors_module = {
    .name = "visitors",
    .part = "property",
    ROWS(resources, resources),
    .roles = "resident owner guard manager dispatcher admin",
};
