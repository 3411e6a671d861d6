/* Partner activities: published after a review, attendance recorded.  SPDX-License-Identifier: Apache-2.0 */
#include "apps/services/activities/activities.h"

#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "platform/parties/parties.h"

struct activity {
    struct row row;
    int64_t partner_id, place_id, from_ms, until_ms, seats;
    struct str title, kind, text, reason;
    struct ids photos;
    int32_t state;
};

static const struct field fields[] = {
    {STATE(struct activity, state)},
    {TEXT(struct activity, title), .min = 2, .max = 80, .flags = REQUIRED | SEARCH | COLUMN},
    {CHOICE(struct activity, kind, "class advice clinic repair culture sport"), .flags = REQUIRED | COLUMN},
    {REF(struct activity, place_id, "places"), .flags = REQUIRED | COLUMN},
    {TIME(struct activity, from_ms), .flags = REQUIRED | COLUMN | INDEXED},
    {TIME(struct activity, until_ms), .flags = REQUIRED},
    {INT(struct activity, seats), .min = 1, .max = 5000, .flags = REQUIRED | COLUMN},
    {TEXT(struct activity, text), .max = 2000, .flags = SEARCH},
    {FILES(struct activity, photos), .max = 6},
    {REF(struct activity, partner_id, "people"), .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct activity, reason), .max = 400, .flags = SYSTEM},
};
enum { DRAFT, REVIEW, PUBLISHED, HELD, REFUSED, CANCELLED };
static const char *const states[] = {[DRAFT] = "draft", [REVIEW] = "review",   [PUBLISHED] = "published",
                                     [HELD] = "held",   [REFUSED] = "refused", [CANCELLED] = "cancelled"};
static const struct step steps[] = {
    {DRAFT, "submit", REVIEW, "partner manager"},
    {REVIEW, "publish", PUBLISHED, "manager street"},
    {REVIEW, "refuse", REFUSED, "manager street", .takes = "reason", .need = "reason", .danger = true},
    {REFUSED, "revise", DRAFT, "partner manager"},
    {PUBLISHED, "cancel", CANCELLED, "partner manager", .takes = "reason", .need = "reason", .danger = true},
    {PUBLISHED, "hold", HELD, "timer"},
};
static const struct due dues[] = {{"hold", "until_ms", 0}};
static const struct relation relations[] = {{"partner", "partner_id", OWN_ME}};
static const struct grant grants[] = {
    {"partner", CREATE | READ | UPDATE, OWN, .by = "partner"},
    {"manager street", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher guard grid committee carer doctor cashier repairer", READ, COMMUNITY},
    {"admin", READ, PLACE},
};
static const struct view views[] = {{"review", "state=review", "from_ms"}, {"published", "state=published", "from_ms"}};

/* What was handed in stays as it is reviewed, and what is published as it was: only reviewers correct it. */
static enum err reviewed(struct ctx *ctx, void *row, const void *before) {
    const struct activity *was = before;
    if (!was || was->state == DRAFT || party_is(ctx, "manager street", ((struct row *)row)->community_id)) return OK;
    return FAIL(&ctx->fault, ERR_CONFLICT, "wrong_state",
                "what is in review, or was reviewed, is changed by reviewers");
}

static enum err validate(struct ctx *ctx, const void *row) {
    const struct activity *a = row;
    return a->until_ms > a->from_ms ? OK : FAIL_FIELD(&ctx->fault, "until_ms", "not_after", 0);
}

static const struct resource activities = {
    .name = "activities",
    .group = "services",
    .icon = "activity",
    .size = sizeof(struct activity),
    .label = "title",
    .place = "place_id",
    .tones = "off warn ok off bad off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(dues, dues),
    ROWS(relations, relations),
    ROWS(grants, grants),
    ROWS(views, views),
    .prepare = reviewed,
    .validate = validate,
};

/* What residents see: published and held ones only, drawn from the same rows. */
struct published {
    struct row row;
    int64_t place_id, from_ms, until_ms, seats;
    struct str title, kind, text;
};
static const struct field published_fields[] = {
    {TEXT(struct published, title), .max = 80, .flags = SYSTEM | COLUMN},
    {CHOICE(struct published, kind, "class advice clinic repair culture sport"), .flags = SYSTEM | COLUMN},
    {REF(struct published, place_id, "places"), .flags = SYSTEM | COLUMN},
    {TIME(struct published, from_ms), .flags = SYSTEM | COLUMN},
    {TIME(struct published, until_ms), .flags = SYSTEM},
    {INT(struct published, seats), .min = 1, .max = 5000, .flags = SYSTEM | COLUMN},
    {TEXT(struct published, text), .max = 2000, .flags = SYSTEM},
};
static const struct grant published_grants[] = {{"resident owner elder partner manager street", READ, COMMUNITY}};
static const struct resource open_activities = {
    .name = "open_activities",
    .group = "services",
    .icon = "activity",
    .size = sizeof(struct published),
    .label = "title",
    .place = "place_id",
    .select = "SELECT id, community_id, version, created_ms, created_by, updated_ms, archived_ms, title, kind, "
              "place_id, from_ms, "
              "until_ms, seats, text FROM activities WHERE state IN ('published', 'held') AND archived_ms = 0",
    ROWS(fields, published_fields),
    ROWS(grants, published_grants),
};

/* ---- attendance ---- */

struct attendance {
    struct row row;
    int64_t activity_id, partner_id, person_id, came_ms;
    int32_t state;
};
enum { ENROLLED, CAME, ABSENT };
static const char *const attendance_states[] = {[ENROLLED] = "enrolled", [CAME] = "came", [ABSENT] = "absent"};
static const struct field attendance_fields[] = {
    {STATE(struct attendance, state)},
    {REF(struct attendance, activity_id, "open_activities"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {REF(struct attendance, person_id, "people"), .flags = REQUIRED | FIXED | COLUMN},
    {TIME(struct attendance, came_ms), .flags = SYSTEM | COLUMN},
    {REF(struct attendance, partner_id, "people"), .flags = REQUIRED | SYSTEM | INDEXED}, /* of the activity */
};
static const struct resource attendances;

static enum err came(struct ctx *ctx, void *row) {
    SET(&attendances, (struct attendance *)row, came_ms, ctx->now_ms);
    return OK;
}

static const struct step attendance_steps[] = {
    {ENROLLED, "attend", CAME, "partner manager street", .effect = came},
    {ENROLLED, "miss", ABSENT, "partner manager street"},
};
static const struct relation attendance_relations[] = {{"self", "person_id", OWN_ME},
                                                       {"partner", "partner_id", OWN_ME}};
static const struct grant attendance_grants[] = {
    {"resident owner elder", CREATE | READ | ARCHIVE, OWN, .by = "self"},
    {"partner", READ, OWN, .by = "partner"},
    {"manager street", CREATE | READ | ARCHIVE, COMMUNITY},
};

static enum err find_open(struct ctx *ctx, int64_t id, struct published *ret) {
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &open_activities, id, ret);
    ctx->actor = actor;
    if (e != ERR_NOT_FOUND) return e;
    ctx->fault = (struct fault){0};
    return FAIL_FIELD(&ctx->fault, "activity_id", "bad_ref", 0);
}

static enum err belongs(struct ctx *ctx, void *row, const void *before) {
    struct attendance *a = row;
    struct published act = {0};
    if (before || !row_has(&attendances, a, "activity_id")) return OK;
    TRY(find_open(ctx, a->activity_id, &act));
    a->row.community_id = act.row.community_id;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT partner_id FROM activities WHERE id = $1", VALS(V_I64(a->activity_id)),
                   &a->partner_id, &found));
    row_set(&attendances, &a->row, "partner_id");
    return OK;
}

/* A seat for each, once, while it lasts: asked of who enrols and of who comes back. */
static enum err seat(struct ctx *ctx, void *row, const void *before) {
    const struct attendance *a = row, *was = before;
    int64_t taken = 0, mine = 0, seats = 0;
    bool found, is_new = !was || was->row.archived_ms;
    if (a->row.archived_ms || !is_new) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT seats FROM activities WHERE id = $1 AND state = 'published'",
                   VALS(V_I64(a->activity_id)), &seats, &found));
    if (!found) return FAIL(&ctx->fault, ERR_CONFLICT, "not_now", "it was held, or will not be");
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT COUNT(*) FROM attendances WHERE activity_id = $1 AND archived_ms = 0",
                   VALS(V_I64(a->activity_id)), &taken, &found));
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT COUNT(*) FROM attendances WHERE activity_id = $1 AND person_id = $2 AND archived_ms = 0",
                   VALS(V_I64(a->activity_id), V_I64(a->person_id)), &mine, &found));
    if (mine > 1) return FAIL(&ctx->fault, ERR_CONFLICT, "not_unique", "there is a seat for this person already");
    return taken <= seats ? OK : FAIL(&ctx->fault, ERR_CONFLICT, "full", "every seat is taken");
}

static const struct resource attendances = {
    .name = "attendances",
    .group = "services",
    .icon = "badge",
    .size = sizeof(struct attendance),
    .tones = "info ok off",
    ROWS(fields, attendance_fields),
    ROWS(states, attendance_states),
    ROWS(steps, attendance_steps),
    ROWS(relations, attendance_relations),
    ROWS(grants, attendance_grants),
    .prepare = belongs,
    .after = seat,
};

static const struct resource *const resources[] = {&activities, &open_activities, &attendances};
const struct module activities_module = {
    .name = "activities",
    .part = "services",
    ROWS(resources, resources),
    .roles = "partner manager street dispatcher guard grid committee carer doctor cashier repairer resident owner "
             "elder admin",
};
