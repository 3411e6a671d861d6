/* Cases as rows: three clocks from the report, who has it, what comes next.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/cases/cases.h"

#include "kernel/rows.h"
#include "platform/cases/today.h"
#include "platform/cases/workers.h"
#include "platform/parties/parties.h"
#include "platform/rules/alarms.h"

#include <string.h>

/* ---- types: limits as data ---- */

static const struct field type_fields[] = {
    {TEXT(struct case_type, code), .min = 1, .max = 40, .flags = REQUIRED | FIXED | UNIQUE | COLUMN},
    {TEXT(struct case_type, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {CHOICE(struct case_type, priority, "urgent high normal"), .flags = REQUIRED | COLUMN},
    {INT(struct case_type, accept_s), .min = 60, .max = 86400 * 60, .flags = REQUIRED | COLUMN, .unit = "s"},
    {INT(struct case_type, onsite_s), .min = 60, .max = 86400 * 60, .flags = REQUIRED | COLUMN, .unit = "s"},
    {INT(struct case_type, close_s), .min = 60, .max = 86400 * 366, .flags = REQUIRED | COLUMN, .unit = "s"},
};
static const struct grant type_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager dispatcher guard repairer street committee grid owner resident elder cashier carer doctor", READ,
     COMMUNITY},
};
const struct resource case_types = {
    .name = "case_types",
    .group = "operations",
    .icon = "type",
    .size = sizeof(struct case_type),
    .label = "name",
    .flags = INSTALLATION,
    ROWS(fields, type_fields),
    ROWS(grants, type_grants),
};

/* ---- cases ---- */

static const struct field fields[] = {
    {STATE(struct case_row, state)},
    {TEXT(struct case_row, number), .max = 24, .flags = SYSTEM | UNIQUE | SEARCH | COLUMN},
    {TEXT(struct case_row, title), .min = 2, .max = 120, .flags = REQUIRED | SEARCH | COLUMN},
    {TEXT(struct case_row, type), .min = 1, .max = 40, .flags = REQUIRED | FIXED | COLUMN},
    {CHOICE(struct case_row, priority, "urgent high normal"), .flags = COLUMN},
    {REF(struct case_row, place_id, "places"), .flags = COLUMN},
    {TEXT(struct case_row, text), .max = 2000, .flags = SEARCH},
    {FILES(struct case_row, photos), .max = 20},
    {REF(struct case_row, assignee_id, "people"), .flags = SYSTEM | COLUMN | INDEXED},
    {REF(struct case_row, onsite_by_id, "people"), .flags = SYSTEM},
    {REF(struct case_row, done_by_id, "people"), .flags = SYSTEM},
    {TIME(struct case_row, reported_ms), .flags = SYSTEM | COLUMN},
    {TIME(struct case_row, accept_due_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, onsite_due_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, close_due_ms), .flags = SYSTEM | COLUMN | INDEXED, .group = "clocks"},
    {TIME(struct case_row, accepted_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, onsite_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, done_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, verified_ms), .flags = SYSTEM, .group = "clocks"},
    {TIME(struct case_row, closed_ms), .flags = SYSTEM, .group = "clocks"},
    {CHOICE(struct case_row, late, "accept onsite close"), .flags = SYSTEM | COLUMN, .group = "clocks"},
    {CHOICE(struct case_row, source, "resident staff alarm patrol"), .flags = SYSTEM, .group = "origin"},
    {REF(struct case_row, device_id, "devices"), .flags = SYSTEM, .group = "origin"},
    {REF(struct case_row, alarm_id, "alarms"), .flags = SYSTEM | INDEXED, .group = "origin"},
    {REF(struct case_row, reporter_id, "people"), .flags = SYSTEM, .group = "origin"},
    {TEXT(struct case_row, result), .max = 1000, .flags = SYSTEM},
    {TEXT(struct case_row, note), .max = 1000, .flags = SYSTEM},
    {TEXT(struct case_row, reason), .max = 400, .flags = SYSTEM},
};

static const char *const states[] = {
    [CASE_NEW] = "new",   [CASE_ACCEPTED] = "accepted", [CASE_ASSIGNED] = "assigned", [CASE_ONSITE] = "onsite",
    [CASE_DONE] = "done", [CASE_VERIFIED] = "verified", [CASE_CLOSED] = "closed",     [CASE_CANCELLED] = "cancelled",
};

#define STAFF CASE_DESK " " CASE_WORKERS " cashier carer doctor street committee admin"

/* ---- who works on it ---- */

/* The desk acts for whoever has the case; the others only on their own. */
static enum err is_mine(struct ctx *ctx, const void *row) {
    const struct case_row *c = row;
    if (party_is(ctx, CASE_DESK, c->row.community_id)) return OK;
    if (!row_has(&cases, c, "assignee_id"))
        return FAIL(&ctx->fault, ERR_CONFLICT, "not_assigned", "nobody has this case yet; accept it first");
    if (c->assignee_id == ctx->actor.person_id) return OK;
    return FAIL(&ctx->fault, ERR_DENIED, "not_yours", "somebody else has this case");
}

static enum err may_note(struct ctx *ctx, const void *row) {
    const struct case_row *c = row;
    bool reported = row_has(&cases, c, "reporter_id") && c->reporter_id == ctx->actor.person_id;
    return reported ? OK : is_mine(ctx, row);
}

/* In whose name it happens; absent where the desk acts on a case that nobody has. */
static int64_t worker(struct ctx *ctx, const struct case_row *c) {
    return row_has(&cases, c, "assignee_id") ? c->assignee_id : ctx->actor.person_id;
}

/* Each step stamps its clock the first time it is reached. */
#define STAMP(c, field)                                                          \
    do {                                                                         \
        if (!row_has(&cases, (c), #field)) SET(&cases, (c), field, ctx->now_ms); \
    } while (0)

/* Who accepts and is not of the desk takes the case himself. */
static enum err accepted(struct ctx *ctx, void *row) {
    struct case_row *c = row;
    STAMP(c, accepted_ms);
    if (!party_is(ctx, CASE_DESK, c->row.community_id)) SET(&cases, c, assignee_id, ctx->actor.person_id);
    return OK;
}

/* Who dispatches has accepted. */
static enum err assigned(struct ctx *ctx, void *row) {
    struct case_row *c = row;
    bool works;
    TRY(case_worker(ctx, c, c->assignee_id, CASE_WORKERS " " CASE_DESK, &works));
    if (!works) return FAIL_FIELD(&ctx->fault, "assignee_id", "bad_assignee", 0);
    STAMP(c, accepted_ms);
    return OK;
}

static enum err arrived(struct ctx *ctx, void *row) {
    struct case_row *c = row;
    int64_t who = worker(ctx, c);
    STAMP(c, onsite_ms);
    if (who) SET(&cases, c, onsite_by_id, who);
    return OK;
}

static enum err finished(struct ctx *ctx, void *row) {
    struct case_row *c = row;
    int64_t who = worker(ctx, c);
    STAMP(c, done_ms);
    if (who) SET(&cases, c, done_by_id, who);
    return OK;
}

static enum err verified(struct ctx *ctx, void *row) {
    STAMP((struct case_row *)row, verified_ms);
    return OK;
}

static enum err closed(struct ctx *ctx, void *row) {
    STAMP((struct case_row *)row, closed_ms);
    return OK;
}
#undef STAMP

/* ---- what is late ---- */

static enum err late_accept(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&cases, (struct case_row *)row, late, S("accept"));
    return OK;
}
static enum err late_onsite(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&cases, (struct case_row *)row, late, S("onsite"));
    return OK;
}
static enum err late_close(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&cases, (struct case_row *)row, late, S("close"));
    return OK;
}

static const struct step steps[] = {
    {CASE_NEW, "accept", CASE_ACCEPTED, CASE_DESK " " CASE_WORKERS, .takes = "priority", .effect = accepted},
    {CASE_NEW, "assign", CASE_ASSIGNED, CASE_DESK, .takes = "assignee_id priority", .need = "assignee_id",
     .effect = assigned},
    {CASE_ACCEPTED, "assign", CASE_ASSIGNED, CASE_DESK, .takes = "assignee_id priority", .need = "assignee_id",
     .effect = assigned},
    {CASE_ASSIGNED, "assign", CASE_ASSIGNED, CASE_DESK, .takes = "assignee_id priority", .need = "assignee_id",
     .effect = assigned},
    {CASE_ASSIGNED, "arrive", CASE_ONSITE, CASE_WORKERS " " CASE_DESK, .takes = "note photos", .guard = is_mine,
     .effect = arrived},
    {CASE_ACCEPTED, "arrive", CASE_ONSITE, CASE_WORKERS " " CASE_DESK, .takes = "note photos", .guard = is_mine,
     .effect = arrived},
    {CASE_ONSITE, "finish", CASE_DONE, CASE_WORKERS " " CASE_DESK, .takes = "result photos", .need = "result",
     .guard = is_mine, .effect = finished},
    {CASE_DONE, "verify", CASE_VERIFIED, CASE_DESK " resident owner elder", .takes = "note", .effect = verified},
    {CASE_DONE, "reject", CASE_ACCEPTED, CASE_DESK " resident owner elder", .takes = "reason", .need = "reason"},
    {CASE_VERIFIED, "close", CASE_CLOSED, CASE_DESK, .effect = closed},
    {CASE_NEW, "cancel", CASE_CANCELLED, CASE_DESK " resident owner elder", .takes = "reason", .need = "reason",
     .danger = true},
    {CASE_ACCEPTED, "cancel", CASE_CANCELLED, CASE_DESK, .takes = "reason", .need = "reason", .danger = true},
    {ANY_STATE, "note", ANY_STATE, CASE_DESK " " CASE_WORKERS " resident owner elder", .takes = "note photos",
     .need = "note", .guard = may_note},
    {CASE_NEW, "late_accept", CASE_NEW, "timer", .effect = late_accept},
    {CASE_ACCEPTED, "late_onsite", CASE_ACCEPTED, "timer", .effect = late_onsite},
    {CASE_ASSIGNED, "late_onsite", CASE_ASSIGNED, "timer", .effect = late_onsite},
    {CASE_ACCEPTED, "late_close", CASE_ACCEPTED, "timer", .effect = late_close},
    {CASE_ASSIGNED, "late_close", CASE_ASSIGNED, "timer", .effect = late_close},
    {CASE_ONSITE, "late_close", CASE_ONSITE, "timer", .effect = late_close},
    {CASE_DONE, "late_close", CASE_DONE, "timer", .effect = late_close},
};
static const struct due dues[] = {
    {"late_accept", "accept_due_ms", 0, "accepted_ms"},
    {"late_onsite", "onsite_due_ms", 0, "onsite_ms"},
    {"late_close", "close_due_ms", 0, "closed_ms"},
};

static const struct relation relations[] = {{"reporter", "reporter_id", OWN_ME}, {"assignee", "assignee_id", OWN_ME}};
static const struct grant grants[] = {
    {"admin", CREATE | READ, PLACE},
    {CASE_DESK, CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"guard repairer street committee", CREATE | READ, COMMUNITY},
    {"grid", CREATE | READ, PLACE},
    {"cashier carer doctor", CREATE, COMMUNITY},
    {"cashier carer doctor", READ, OWN, .by = "reporter"},
    {"resident owner elder", CREATE | READ, OWN, .by = "reporter"},
};
static const struct view views[] = {
    {"open", "state=new,accepted,assigned,onsite,done", "close_due_ms"},
    {"new", "state=new", "close_due_ms"},
    {"done", "state=done", "close_due_ms"},
    {"late", "late=accept,onsite,close&state=new,accepted,assigned,onsite,done", "close_due_ms"},
};

/* GD-1124-0031: the local day of the report and a number that runs by day and community. */
static enum err give_number(struct ctx *ctx, struct case_row *c) {
    struct civil day = zone_civil(kernel_zone(ctx, c->row.community_id), ctx->now_ms);
    struct buf b;
    char name[80];
    int64_t n = 0;
    bool found;
    buf_init(&b, name, sizeof name);
    buf_fmt(&b, "cases.%lld.%04d%02d%02d", (long long)c->row.community_id, day.year, day.month, day.day);
    TRY(db_one_i64(
        ctx->db, &ctx->fault,
        "INSERT INTO counters (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 "
        "RETURNING value",
        VALS(V_TEXT(((struct str){name, b.len}))), &n, &found));
    buf_init_arena(&b, ctx->arena, 40);
    buf_fmt(&b, "GD-%02d%02d%02d-%04lld", day.year % 100, day.month, day.day, (long long)n);
    struct str number;
    if (!buf_done(&b, &number)) return FAIL_MEMORY(ctx);
    SET(&cases, c, number, number);
    return OK;
}

static enum err find_type(struct ctx *ctx, struct str code, struct case_type *ret) {
    int64_t id = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM case_types WHERE code = $1 AND archived_ms = 0",
                   VALS(V_TEXT(code)), &id, &found));
    if (!found) return FAIL_FIELD(&ctx->fault, "type", "bad_choice", 0);
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &case_types, id, ret);
    ctx->actor = actor;
    return e;
}

static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct case_row *c = row;
    struct case_type type = {0};
    if (before || !row_has(&cases, c, "type")) return OK;
    TRY(find_type(ctx, c->type, &type));
    if (!row_has(&cases, c, "priority")) SET(&cases, c, priority, type.priority);
    if (!row_has(&cases, c, "source")) {
        bool staff = ctx->actor.roles & kernel_roles(ctx->kernel, STAFF);
        SET(&cases, c, source, staff ? S("staff") : S("resident"));
    }
    if (!row_has(&cases, c, "reporter_id") && ctx->actor.person_id) SET(&cases, c, reporter_id, ctx->actor.person_id);
    if (!row_has(&cases, c, "reported_ms")) SET(&cases, c, reported_ms, ctx->now_ms);
    SET(&cases, c, accept_due_ms, c->reported_ms + type.accept_s * 1000);
    SET(&cases, c, onsite_due_ms, c->reported_ms + type.onsite_s * 1000);
    SET(&cases, c, close_due_ms, c->reported_ms + type.close_s * 1000);
    return give_number(ctx, c);
}

const struct resource cases = {
    .name = "cases",
    .group = "work",
    .icon = "case",
    .size = sizeof(struct case_row),
    .label = "title",
    .place = "place_id",
    .tones = "warn info info info ok ok off off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(dues, dues),
    ROWS(relations, relations),
    ROWS(grants, grants),
    ROWS(views, views),
    .prepare = prepare,
};

/* ---- an alarm opens exactly one case ---- */

static enum err on_alarm(struct ctx *ctx, const struct event *e) {
    struct alarm a = {0};
    struct case_row c = {0};
    int64_t one;
    bool found;
    TRY(row_get(ctx, &alarms, e->row_id, &a));
    if (!row_has(&alarms, &a, "case_type")) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM cases WHERE alarm_id = $1 LIMIT 1", VALS(V_I64(e->row_id)),
                   &one, &found));
    if (found) return OK;
    c.row.community_id = a.row.community_id;
    SET(&cases, &c, title, a.title);
    SET(&cases, &c, type, a.case_type);
    SET(&cases, &c, source, S("alarm"));
    SET(&cases, &c, alarm_id, e->row_id);
    SET(&cases, &c, reported_ms, a.row.created_ms);
    SET(&cases, &c, priority,
        str_is(a.severity, "bad")    ? S("urgent")
        : str_is(a.severity, "warn") ? S("high")
                                     : S("normal"));
    if (row_has(&alarms, &a, "device_id")) SET(&cases, &c, device_id, a.device_id);
    if (row_has(&alarms, &a, "place_id")) SET(&cases, &c, place_id, a.place_id);
    if (row_has(&alarms, &a, "detail")) SET(&cases, &c, text, a.detail);
    return row_create(ctx, &cases, &c);
}

static const struct resource *const resources[] = {&case_types, &cases};
static const struct subscription listens[] = {{"alarms.create", on_alarm}};
static const struct contribution contributes[] = {CONTRIBUTE(routes, today_routes), CONTRIBUTE(routes, worker_routes)};

static const struct setting settings[] = {
    {"today.banner_zh", FIELD_TEXT, "", NULL, 0, 1000}, /* a line on top of the first page; empty: none */
    {"today.banner_en", FIELD_TEXT, "", NULL, 0, 1000},
};

const struct module cases_module = {
    .name = "cases",
    .part = "platform",
    ROWS(resources, resources),
    ROWS(listens, listens),
    ROWS(contributes, contributes),
    ROWS(settings, settings),
    .roles = "admin manager dispatcher guard repairer grid cashier carer doctor street committee resident owner elder",
};
