/* Notices listen to events, so nobody above must call them.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/notices/notices.h"

#include "kernel/rows.h"
#include "platform/cases/cases.h"

#include <string.h>

#define DESK_MAX 50 /* people on duty who are told of one thing */

enum { SENT, SEEN };
static const char *const states[] = {[SENT] = "sent", [SEEN] = "seen"};

static const struct field fields[] = {
    {STATE(struct notice, state)},
    {TEXT(struct notice, title), .max = 120, .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct notice, text), .max = 1000, .flags = FIXED | COLUMN},
    {REF(struct notice, person_id, "people"), .flags = REQUIRED | FIXED | INDEXED},
    {REF(struct notice, about_id, "cases"), .flags = SYSTEM},
    {TIME(struct notice, seen_ms), .flags = SYSTEM},
};

static enum err seen(struct ctx *ctx, void *row) {
    SET(&notices, (struct notice *)row, seen_ms, ctx->now_ms);
    return OK;
}

#define EVERYONE \
    "admin street manager dispatcher guard repairer grid cashier carer doctor committee owner resident elder"
static const struct step steps[] = {{SENT, "see", SEEN, EVERYONE, .effect = seen}};
static const struct relation relations[] = {{"mine", "person_id", OWN_ME}};
static const struct grant grants[] = {
    {EVERYONE, READ, OWN, .by = "mine"},
    {"manager", CREATE, COMMUNITY},
};
static const struct view views[] = {{"new", "state=sent", "-created_ms", .waits = true}};

const struct resource notices = {
    .name = "notices",
    .group = "work",
    .icon = "notice",
    .size = sizeof(struct notice),
    .label = "title",
    .flags = NO_ARCHIVE,
    .tones = "info off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(relations, relations),
    ROWS(grants, grants),
    ROWS(views, views),
};

/* ---- who is told what ---- */

static enum err tell(struct ctx *ctx, const struct case_row *c, int64_t person_id, const char *key) {
    struct notice n = {.row.community_id = c->row.community_id};
    struct str text;
    text = word_fmt(ctx, S("zh"), "notices.about.%s", key);
    SET(&notices, &n, title, c->title);
    if (text.len) SET(&notices, &n, text, text);
    SET(&notices, &n, person_id, person_id);
    SET(&notices, &n, about_id, c->row.id);
    return row_create(ctx, &notices, &n);
}

/* Everybody with one of the desk's roles in the community today. */
static enum err tell_desk(struct ctx *ctx, const struct case_row *c, const char *key) {
    struct db_rows rows = {0};
    int64_t people_ids[DESK_MAX], day = kernel_day(ctx, c->row.community_id);
    size_t n = 0;
    enum err e = db_query(
        ctx->db, &ctx->fault,
        "SELECT DISTINCT person_id FROM memberships WHERE community_id = $1 AND role IN ('dispatcher', 'manager') AND "
        "archived_ms = 0 AND valid_from <= $2 AND (valid_until IS NULL OR valid_until > $2) ORDER BY person_id LIMIT "
        "50",
        VALS(V_I64(c->row.community_id), V_I64(day)), &rows);
    for (bool more = true; !e && n < DESK_MAX;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        people_ids[n++] = db_i64(&rows, 0);
    }
    db_done(&rows);
    for (size_t i = 0; !e && i < n; i++) e = tell(ctx, c, people_ids[i], key);
    return e;
}

static enum err on_case(struct ctx *ctx, const struct event *e) {
    struct case_row c = {0};
    TRY(row_get(ctx, &cases, e->row_id, &c));
    if (c.row.archived_ms) return OK; /* put aside before anybody was told */
    struct str change = str_from(e->topic, strlen("cases."));
    if (str_is(change, "create") || str_starts(change, S("late_"))) {
        char *key = arena_cstr(ctx->arena, change);
        return key ? tell_desk(ctx, &c, key) : FAIL_MEMORY(ctx);
    }
    if (str_is(change, "assign") && row_has(&cases, &c, "assignee_id")) return tell(ctx, &c, c.assignee_id, "assign");
    if (str_is(change, "finish")) {
        if (row_has(&cases, &c, "reporter_id")) TRY(tell(ctx, &c, c.reporter_id, "finish"));
        return tell_desk(ctx, &c, "finish");
    }
    return OK;
}

static const struct resource *const resources[] = {&notices};
static const struct subscription listens[] = {{"cases.*", on_case}};
const struct module notices_module = {
    .name = "notices", .part = "platform", ROWS(resources, resources), ROWS(listens, listens), .roles = EVERYONE};
