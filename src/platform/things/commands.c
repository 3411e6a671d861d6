/* Commands as rows: what devices are told, by whom, why, and what became of it.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "kernel/setting.h"
#include "platform/things/things.h"
#include "protocol/codec.h"

const struct setting command_settings[1] = {{"commands.two_people", FIELD_FLAG, "false", NULL, 0, 0}};

static const struct field fields[] = {
    {STATE(struct device_command, state)},
    {REF(struct device_command, device_id, "devices"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {TEXT(struct device_command, command), .min = 1, .max = 40, .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct device_command, value), .min = 1, .max = 80, .flags = FIXED | COLUMN},
    {TEXT(struct device_command, reason), .min = 2, .max = 200, .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct device_command, item), .max = 60, .flags = SYSTEM},
    {TEXT(struct device_command, told), .max = 80, .flags = SYSTEM},
    {FLAG(struct device_command, dangerous), .flags = SYSTEM},
    {REF(struct device_command, passage_id, "passages"), .flags = SYSTEM | INDEXED},
    {TIME(struct device_command, until_ms), .flags = FIXED},
    {REF(struct device_command, confirmed_by, "people"), .flags = SYSTEM},
    {TIME(struct device_command, confirmed_ms), .flags = SYSTEM},
    {TIME(struct device_command, sent_ms), .flags = SYSTEM},
    {TIME(struct device_command, ended_ms), .flags = SYSTEM},
    {TEXT(struct device_command, answer), .max = 200, .flags = SYSTEM | COLUMN},
};
static const char *const states[] = {
    [COMMAND_ASKED] = "asked",         [COMMAND_QUEUED] = "queued", [COMMAND_SENT] = "sent",
    [COMMAND_DONE] = "done",           [COMMAND_FAILED] = "failed", [COMMAND_EXPIRED] = "expired",
    [COMMAND_WITHDRAWN] = "withdrawn",
};

/* ---- what it is: completed from the device's model ---- */

static enum err look_up(struct ctx *ctx, const struct device_command *c, struct device *ret_device,
                        struct model_command *ret, bool *ret_found) {
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &devices, c->device_id, ret_device);
    ctx->actor = actor;
    *ret_found = false;
    if (!e) return device_command(ctx, ret_device, c->command, ret, ret_found);
    if (e != ERR_NOT_FOUND) return e;
    ctx->fault = (struct fault){0};
    return OK; /* the field itself is refused */
}

/* What its line speaks tells what moves: a model by hand, or another one that the device was given, may not know. */
static enum err does_move(struct ctx *ctx, const struct device_command *c, const struct device *d,
                          const struct model_command *m, bool *ret) {
    struct actor actor = ctx->actor;
    struct line_row line = {0};
    const struct question q = {
        .address = d->address.len ? d->address : d->code, .item = m->item, .value = m->value.len ? m->value : c->value};
    *ret = false;
    if (!d->line_id) return OK;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &line_rows, d->line_id, &line);
    ctx->actor = actor;
    if (e) return e;
    const struct codec *spoken = codec_find(line.kind);
    *ret = spoken && spoken->asking && spoken->asking->moves && spoken->asking->moves(&q);
    return OK;
}

/* ---- why, in the audit: what was said with the command, unless this step had words of its own ---- */

static void give_reason(struct ctx *ctx, const struct device_command *c) {
    if (!ctx->reason.len) ctx->reason = c->reason;
}

/* Behind its audit row: what else the unit does has other reasons. */
static enum err take_reason(struct ctx *ctx, void *row, const void *before) {
    (void)before;
    if (ctx->reason.ptr == ((struct device_command *)row)->reason.ptr) ctx->reason = (struct str){NULL, 0};
    return OK;
}

static enum err prepare(struct ctx *ctx, void *row, const void *before) {
    struct device_command *c = row;
    struct device d = {0};
    struct model_command m = {0};
    bool found, moves = false;
    if (before) return OK;
    give_reason(ctx, c);
    TRY(look_up(ctx, c, &d, &m, &found));
    struct str told = m.value.len ? m.value : c->value;
    if (m.item.len) SET(&commands, c, item, m.item);
    if (told.len) SET(&commands, c, told, told);
    if (found) TRY(does_move(ctx, c, &d, &m, &moves));
    if (!row_has(&commands, c, "until_ms")) SET(&commands, c, until_ms, ctx->now_ms + COMMAND_PATIENCE_MS);
    SET(&commands, c, dangerous, (m.dangerous || moves) && !c->passage_id);
    c->state = c->dangerous ? COMMAND_ASKED : COMMAND_QUEUED;
    return OK;
}

static enum err validate(struct ctx *ctx, const void *row) {
    const struct device_command *c = row;
    struct device d = {0};
    struct model_command m = {0};
    bool found;
    if (c->confirmed_ms || c->sent_ms || c->ended_ms) return OK; /* what it was made from may be gone since */
    TRY(look_up(ctx, c, &d, &m, &found));
    if (d.row.community_id != c->row.community_id) return FAIL_FIELD(&ctx->fault, "device_id", "bad_ref", 0);
    if (!device_is_in_use(&d)) return FAIL_FIELD(&ctx->fault, "device_id", "not_in_use", 0);
    if (!found) return FAIL_FIELD(&ctx->fault, "command", "no_such_command", 0);
    bool is_asked_for = !m.value.len && !m.alone;
    if (!is_asked_for && c->value.len) return FAIL_FIELD(&ctx->fault, "value", "not_taken", 0);
    if (is_asked_for && !c->value.len) return FAIL_FIELD(&ctx->fault, "value", "required", 0);
    if (c->until_ms <= c->row.created_ms) return FAIL_FIELD(&ctx->fault, "until_ms", "in_the_past", 0);
    if (c->until_ms - COMMAND_UNTIL_MAX_MS > c->row.created_ms)
        return FAIL_FIELD(&ctx->fault, "until_ms", "too_far", 7);
    return OK;
}

/* ---- steps ---- */

/* The device may have been retired since.  A setting asks for four eyes: who wants it is not who confirms it. */
static enum err may_confirm(struct ctx *ctx, const void *row) {
    const struct device_command *c = row;
    struct device d = {0};
    struct model_command m = {0};
    bool found;
    int64_t two;
    TRY(look_up(ctx, c, &d, &m, &found));
    if (!device_is_in_use(&d))
        return FAIL(&ctx->fault, ERR_CONFLICT, "not_in_use", "the device is not in use any more");
    TRY(setting_i64(ctx, c->row.community_id, "commands.two_people", &two));
    if (two && c->row.created_by == ctx->actor.person_id)
        return FAIL(&ctx->fault, ERR_CONFLICT, "second_person", "somebody else must confirm it");
    return OK;
}

static enum err confirmed(struct ctx *ctx, void *row) {
    struct device_command *c = row;
    give_reason(ctx, c);
    SET(&commands, c, confirmed_ms, ctx->now_ms);
    if (ctx->actor.person_id) SET(&commands, c, confirmed_by, ctx->actor.person_id);
    return OK;
}

static enum err sent(struct ctx *ctx, void *row) {
    struct device_command *c = row;
    SET(&commands, c, sent_ms, ctx->now_ms);
    return OK;
}

static enum err ended(struct ctx *ctx, void *row) {
    struct device_command *c = row;
    SET(&commands, c, ended_ms, ctx->now_ms);
    return OK;
}

static const struct step steps[] = {
    {COMMAND_ASKED, "confirm", COMMAND_QUEUED, "manager admin", .danger = true, .guard = may_confirm,
     .effect = confirmed},
    {COMMAND_ASKED, "withdraw", COMMAND_WITHDRAWN, "manager admin dispatcher", .effect = ended},
    {COMMAND_QUEUED, "withdraw", COMMAND_WITHDRAWN, "manager admin dispatcher", .effect = ended},
    {COMMAND_QUEUED, "send", COMMAND_SENT, "timer", .effect = sent},
    {COMMAND_SENT, "finish", COMMAND_DONE, "timer", .takes = "answer", .effect = ended},
    {COMMAND_SENT, "fail", COMMAND_FAILED, "timer", .takes = "answer", .need = "answer", .effect = ended},
    {COMMAND_QUEUED, "fail", COMMAND_FAILED, "timer", .takes = "answer", .need = "answer", .effect = ended},
    {COMMAND_ASKED, "fail", COMMAND_FAILED, "timer", .takes = "answer", .need = "answer", .effect = ended},
    {COMMAND_ASKED, "expire", COMMAND_EXPIRED, "timer", .effect = ended},
    {COMMAND_QUEUED, "expire", COMMAND_EXPIRED, "timer", .effect = ended},
    {COMMAND_SENT, "expire", COMMAND_EXPIRED, "timer", .effect = ended},
};
static const struct due dues[] = {{"expire", "until_ms", 0, NULL}};
static const struct grant grants[] = {
    {"admin", CREATE | READ, PLACE},
    {"manager dispatcher", CREATE | READ, COMMUNITY},
    {"guard repairer", READ, COMMUNITY},
};
static const struct view views[] = {{"asked", "state=asked", "-created_ms", .waits = true},
                                    {"underway", "state=queued,sent", "-created_ms"},
                                    {"failed", "state=failed,expired", "-created_ms"}};

const struct resource commands = {
    .name = "commands",
    .group = "operations",
    .icon = "device",
    .size = sizeof(struct device_command),
    .label = "command",
    .flags = NO_ARCHIVE,
    .tones = "warn info info ok bad bad off",
    ROWS(fields, fields),
    ROWS(states, states),
    ROWS(steps, steps),
    ROWS(dues, dues),
    ROWS(grants, grants),
    ROWS(views, views),
    .prepare = prepare,
    .validate = validate,
    .after = take_reason,
};
