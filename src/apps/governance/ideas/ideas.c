/* Idea box: each idea gets a reply within the set days, or it is shown as late.  SPDX-License-Identifier: Apache-2.0 */
#include "apps/governance/ideas/ideas.h"

#include "kernel/setting.h"

struct idea {
    struct row row;
    int64_t author_id, place_id, reply_due_ms, replied_ms;
    struct str title, text, topic, reply, outcome;
    struct ids photos;
    bool late;
    int32_t state;
};

static const struct field fields[] = {
    {STATE(struct idea, state)},
    {TEXT(struct idea, title), .min = 2, .max = 80, .flags = REQUIRED | SEARCH | COLUMN},
    {CHOICE(struct idea, topic, "safety environment service culture traffic other"), .flags = REQUIRED | COLUMN},
    {TEXT(struct idea, text), .max = 2000, .flags = REQUIRED | SEARCH},
    {REF(struct idea, place_id, "places")},
    {FILES(struct idea, photos), .max = 6},
    {REF(struct idea, author_id, "people"), .flags = REQUIRED | FIXED | COLUMN},
    {TIME(struct idea, reply_due_ms), .flags = SYSTEM | COLUMN | INDEXED, .group = "answer"},
    {FLAG(struct idea, late), .flags = SYSTEM | COLUMN, .group = "answer"},
    {TEXT(struct idea, reply), .min = 2, .max = 2000, .flags = SYSTEM, .group = "answer"},
    {TIME(struct idea, replied_ms), .flags = SYSTEM, .group = "answer"},
    {TEXT(struct idea, outcome), .max = 1000, .flags = SYSTEM, .group = "answer"},
};

static const struct resource ideas;

static enum err replied(struct ctx *ctx, void *row) {
    SET(&ideas, (struct idea *)row, replied_ms, ctx->now_ms);
    return OK;
}

static enum err overdue(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&ideas, (struct idea *)row, late, true);
    return OK;
}

enum { SENT, ANSWERED, ADOPTED, DONE, DECLINED };
static const char *const states[] = {
    [SENT] = "sent", [ANSWERED] = "answered", [ADOPTED] = "adopted", [DONE] = "done", [DECLINED] = "declined"};

static const struct step steps[] = {
    {SENT, "answer", ANSWERED, "manager committee street", .takes = "reply", .need = "reply", .effect = replied},
    {SENT, "adopt", ADOPTED, "manager committee street", .takes = "reply", .need = "reply", .effect = replied},
    {ANSWERED, "adopt", ADOPTED, "manager committee street"},
    {SENT, "decline", DECLINED, "manager committee street", .takes = "reply", .need = "reply", .effect = replied},
    {ADOPTED, "finish", DONE, "manager committee street", .takes = "outcome", .need = "outcome"},
    {SENT, "remind", SENT, "timer", .effect = overdue},
};
static const struct due dues[] = {{"remind", "reply_due_ms", 0}};

static const struct relation relations[] = {{"author", "author_id", OWN_ME}};
static const struct grant grants[] = {
    {"resident owner elder", CREATE | READ | UPDATE, OWN, .by = "author"},
    {"resident owner elder", READ, COMMUNITY},
    {"manager committee street", CREATE | READ | ARCHIVE, COMMUNITY},
    {"admin", READ, PLACE},
};
static const struct view views[] = {{"waiting", "state=sent", "reply_due_ms"}, {"late", "late=true", "reply_due_ms"}};

static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct idea *i = row;
    const struct idea *was = before;
    int64_t days;
    if (was && was->state != SENT) /* a reply answers what was written, not what is written later */
        return FAIL(&ctx->fault, ERR_CONFLICT, "wrong_state", "the idea was answered; write another");
    if (before) return OK;
    /* Who names nobody else, as one does who empties the paper box, writes in his own name. */
    if (!row_has(&ideas, i, "author_id") && ctx->actor.person_id) SET(&ideas, i, author_id, ctx->actor.person_id);
    TRY(setting_i64(ctx, i->row.community_id, "ideas.reply_days", &days));
    SET(&ideas, i, reply_due_ms, zone_add_days_ms(kernel_zone(ctx, i->row.community_id), ctx->now_ms, days));
    return OK;
}

static const struct resource ideas = {
    .name = "ideas",
    .group = "governance",
    .icon = "idea",
    .size = sizeof(struct idea),
    .label = "title",
    .tones = "warn info info ok off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(dues, dues),
    ROWS(relations, relations),
    ROWS(grants, grants),
    ROWS(views, views),
    .prepare = prepare,
};
static const struct resource *const resources[] = {&ideas};
static const struct setting settings[] = {{"ideas.reply_days", FIELD_INT, "7", "d", 1, 90}};

const struct module ideas_module = {
    .name = "ideas",
    .part = "governance",
    ROWS(resources, resources),
    ROWS(settings, settings),
    .roles = "resident owner elder manager committee street admin",
};
