/* Devices as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/things/things.h"

#include "kernel/rows.h"
#include "protocol/home/home.h"

#include <string.h>

#define FORMER_MAX 200

static const char *check_code(struct str s) {
    return str_is_code(s) ? NULL : "bad_code";
}

static const char *check_speaks(struct str s) {
    struct home_speaks ignored;
    return home_speaks_read(s, &ignored);
}

static const struct field device_fields[] = {
    {STATE(struct device, state)},
    {TEXT(struct device, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {TEXT(struct device, code), .min = 1, .max = 64, .flags = REQUIRED | FIXED | UNIQUE | FREED | SEARCH | COLUMN,
     .check = check_code},
    {TEXT(struct device, former_code), .max = FORMER_MAX, .flags = SYSTEM},
    {TEXT(struct device, model), .max = 40, .flags = COLUMN | SEARCH},
    {REF(struct device, place_id, "places"), .flags = COLUMN},
    {TIME(struct device, last_ms), .flags = SYSTEM},
    {REF(struct device, line_id, "lines"), .flags = COLUMN | INDEXED},
    {TEXT(struct device, address), .max = 40, .flags = SEARCH | INDEXED},
    {CHOICE(struct device, way, "in out")},
    {TEXT(struct device, password), .max = 40, .flags = SYSTEM, .class = SECRET},
    {TEXT(struct device, speaks), .max = 200, .check = check_speaks},
    {JSON(struct device, attributes), .max = 4000, .flags = SYSTEM},
    {FLAG(struct device, alarmed), .flags = SYSTEM},
};
static const char *const device_states[] = {
    [DEVICE_NEW] = "new",         [DEVICE_NORMAL] = "normal",   [DEVICE_ALARM] = "alarm",
    [DEVICE_OFFLINE] = "offline", [DEVICE_RETIRED] = "retired",
};
static enum err alarmed(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&devices, (struct device *)row, alarmed, true);
    return OK;
}
static enum err calmed(struct ctx *ctx, void *row) {
    (void)ctx;
    SET(&devices, (struct device *)row, alarmed, false);
    return OK;
}
/* Back with the alarm that it had, unless that is over. */
static enum err heard(struct ctx *ctx, void *row) {
    struct device *d = row;
    (void)ctx;
    if (d->alarmed) d->state = DEVICE_ALARM;
    return OK;
}

/* Who was put aside under the code is this device: it spoke before it was known. */
static enum err absorb(struct ctx *ctx, int64_t community_id, struct str code) {
    struct actor actor = ctx->actor;
    int64_t id;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM devices WHERE community_id = $1 AND code = $2 AND state = 'new' AND archived_ms = 0",
                   VALS(V_I64(community_id), V_TEXT(code)), &id, &found));
    if (!found) return OK;
    ctx->actor = actor_system();
    enum err e = row_archive(ctx, &devices, id, 0);
    ctx->actor = actor;
    return e;
}

/* ---- back to those who wait for adoption ---- */

/* What it was to be told is not told to whoever it is taken for next. */
static enum err fail_commands(struct ctx *ctx, int64_t device_id) {
    struct device_command said = {0};
    struct db_rows rows = {0};
    int64_t *ids = NULL;
    size_t n = 0, cap = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT id FROM commands WHERE device_id = $1 AND archived_ms = 0 AND state IN ('asked', "
                          "'queued') ORDER BY id",
                          VALS(V_I64(device_id)), &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        ids = arena_grow(ctx->arena, ids, n, &cap, sizeof *ids);
        if (ids)
            ids[n++] = db_i64(&rows, 0);
        else
            e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    SET(&commands, &said, answer, S("the device waits for adoption again"));
    for (size_t i = 0; !e && i < n; i++) e = row_act(ctx, &commands, ids[i], 0, "fail", &said, said.row.has, NULL);
    return e;
}

/* Name, model and place stay: whoever adopts it again finds them filled in.  Its alarms end with its rules
 * (platform/rules). */
static enum err unadopted(struct ctx *ctx, void *row) {
    struct device *d = row;
    struct actor actor = ctx->actor;
    SET(&devices, d, alarmed, false);
    ctx->actor = actor_system();
    enum err e = fail_commands(ctx, d->row.id);
    ctx->actor = actor;
    return e;
}

/* The readings follow by it (sensing/feed), at once or after a cut; then it is gone.  Codes have no blanks. */
static enum err recoded(struct ctx *ctx, void *row) {
    struct device *d = row, before = {0};
    struct buf b;
    struct str all;
    TRY(row_get(ctx, &devices, d->row.id, &before));
    if (str_eq(before.code, d->code)) return FAIL_FIELD(&ctx->fault, "code", "unchanged", 0);
    if (before.former_code.len + before.code.len >= FORMER_MAX)
        return FAIL(&ctx->fault, ERR_BUSY, "busy", "its readings still follow the change before; try again soon");
    buf_init_arena(&b, ctx->arena, FORMER_MAX + 1);
    buf_fmt(&b, STR_FMT "%s" STR_FMT, STR_ARG(before.former_code), before.former_code.len ? " " : "",
            STR_ARG(before.code));
    if (!buf_done(&b, &all)) return FAIL_MEMORY(ctx);
    SET(&devices, d, former_code, all);
    return absorb(ctx, before.row.community_id, d->code);
}

static const struct step device_steps[] = {
    {DEVICE_NEW, "adopt", DEVICE_NORMAL, "manager admin", .takes = "name model place_id address",
     .need = "name place_id"},
    {DEVICE_NORMAL, "alarm", DEVICE_ALARM, "timer", .effect = alarmed},
    {DEVICE_ALARM, "calm", DEVICE_NORMAL, "timer", .effect = calmed},
    {DEVICE_OFFLINE, "alarm", DEVICE_OFFLINE, "timer", .effect = alarmed},
    {DEVICE_OFFLINE, "calm", DEVICE_OFFLINE, "timer", .effect = calmed},
    {DEVICE_NORMAL, "lose", DEVICE_OFFLINE, "timer"},
    {DEVICE_ALARM, "lose", DEVICE_OFFLINE, "timer"},
    {DEVICE_OFFLINE, "hear", DEVICE_NORMAL, "timer", .effect = heard},
    {DEVICE_NORMAL, "recode", DEVICE_NORMAL, "manager admin", .takes = "code", .need = "code", .effect = recoded},
    {DEVICE_ALARM, "recode", DEVICE_ALARM, "manager admin", .takes = "code", .need = "code", .effect = recoded},
    {DEVICE_OFFLINE, "recode", DEVICE_OFFLINE, "manager admin", .takes = "code", .need = "code", .effect = recoded},
    {DEVICE_NORMAL, "unadopt", DEVICE_NEW, "manager admin", .danger = true, .effect = unadopted},
    {DEVICE_ALARM, "unadopt", DEVICE_NEW, "manager admin", .danger = true, .effect = unadopted},
    {DEVICE_OFFLINE, "unadopt", DEVICE_NEW, "manager admin", .danger = true, .effect = unadopted},
    {DEVICE_NORMAL, "retire", DEVICE_RETIRED, "manager admin", .danger = true},
    {DEVICE_OFFLINE, "retire", DEVICE_RETIRED, "manager admin", .danger = true},
    {DEVICE_NEW, "retire", DEVICE_RETIRED, "manager admin", .danger = true},
    {DEVICE_RETIRED, "reinstate", DEVICE_NORMAL, "manager admin"},
    {ANY_STATE, "set_password", ANY_STATE, "manager admin", .takes = "password"},
};
static const struct grant device_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher guard repairer street committee", READ, COMMUNITY},
    {"grid", READ, PLACE},
    {"carer doctor", READ, COMMUNITY, .clear = HEALTH | CONTACT}, /* how somebody is and where: theirs alone */
};
static const struct view device_views[] = {{"offline", "state=offline", "name"},
                                           {"alarm", "state=alarm", "name"},
                                           {"new", "state=new", "-created_ms", .waits = true}};

bool device_is_in_use(const struct device *d) {
    return !d->row.archived_ms && d->state != DEVICE_NEW && d->state != DEVICE_RETIRED;
}

/* ---- whose address it is ---- */

static struct str address_of(const struct device *d) {
    return d->address.len ? d->address : d->code;
}

static bool comes_there(const struct device *d, const struct device *before) {
    bool was_there = before && device_is_in_use(before);
    return row_has(&devices, d, "line_id") && !d->row.archived_ms && d->state != DEVICE_RETIRED &&
           (!was_there || before->line_id != d->line_id || !str_eq(address_of(before), address_of(d)));
}

/* Of two under one address of a line neither would know what is meant for it.  Who is put aside may stand beside one
 * that people made: they see both, and adopt one. */
static enum err stands_alone(struct ctx *ctx, const struct device *d, const struct device *before) {
    struct db_rows rows = {0};
    if (!comes_there(d, before) || (d->state == DEVICE_NEW && ctx->actor.is_system)) return OK;
    enum err e = db_query(
        ctx->db, &ctx->fault,
        "SELECT name, code FROM devices WHERE address = $1 AND line_id = $2 AND archived_ms = 0 AND state <> 'retired' "
        "AND id <> $3 UNION ALL SELECT name, code FROM devices WHERE community_id = $4 AND code = $1 AND address IS "
        "NULL AND line_id = $2 AND archived_ms = 0 AND state <> 'retired' AND id <> $3 LIMIT 1",
        VALS(V_TEXT(address_of(d)), V_I64(d->line_id), V_I64(d->row.id), V_I64(d->row.community_id)), &rows);
    if (db_more(&rows, &ctx->fault, &e))
        e = FAIL(&ctx->fault, ERR_CONFLICT, "not_unique",
                 "the device " STR_FMT " (" STR_FMT ") has this address on the line already",
                 STR_ARG(db_text(&rows, 0)), STR_ARG(db_text(&rows, 1)));
    db_done(&rows);
    return e;
}

/* ---- of which model it is ---- */

/* Asked of a person, and of what he says now: what was there before goes on, and what devices say of themselves too. */
static enum err model_is_there(struct ctx *ctx, const struct device *d, const struct device *before) {
    int64_t id;
    bool found, is_said = row_has(&devices, d, "model") && d->model.len && !ctx->actor.is_system;
    if (!is_said || (before && str_eq(d->model, before->model))) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault, "SELECT id FROM device_models WHERE code = $1 AND archived_ms = 0",
                   VALS(V_TEXT(d->model)), &id, &found));
    return found ? OK : FAIL_FIELD(&ctx->fault, "model", "bad_ref", 0);
}

static enum err changed(struct ctx *ctx, void *row, const void *before) {
    TRY(model_is_there(ctx, row, before));
    return stands_alone(ctx, row, before);
}

const struct resource devices = {
    .name = "devices",
    .group = "work",
    .icon = "device",
    .size = sizeof(struct device),
    .label = "name",
    .place = "place_id",
    .tones = "warn ok bad off off",
    ROWS(fields, device_fields),
    ROWS(states, device_states),
    ROWS(steps, device_steps),
    ROWS(grants, device_grants),
    ROWS(views, device_views),
    .after = changed,
};

/* ---- finding and putting aside ---- */

enum err device_by_code(struct ctx *ctx, int64_t community_id, struct str code, struct device *ret, bool *ret_found) {
    int64_t id = 0;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM devices WHERE community_id = $1 AND code = $2 AND archived_ms = 0",
                   VALS(V_I64(community_id), V_TEXT(code)), &id, ret_found));
    if (!*ret_found) return OK;
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &devices, id, ret);
    ctx->actor = actor;
    return e;
}

struct aside {
    int64_t community_id, id;
    struct str code, line;
    const struct device_about *about; /* NULL: it says nothing */
};

static enum err find_line(struct ctx *ctx, const struct aside *a, struct device *d) {
    int64_t id;
    bool found = false;
    if (a->line.len)
        TRY(db_one_i64(ctx->db, &ctx->fault,
                       "SELECT id FROM lines WHERE community_id = $1 AND (name = $2 OR kind = $2) AND archived_ms = 0 "
                       "ORDER BY CASE WHEN name = $2 THEN 0 ELSE 1 END, id LIMIT 1",
                       VALS(V_I64(a->community_id), V_TEXT(a->line)), &id, &found));
    if (found) SET(&devices, d, line_id, id);
    return OK;
}

static void set_about(struct device *d, const struct device_about *about) {
    if (about->name.len) SET(&devices, d, name, about->name);
    if (about->attributes.len) SET(&devices, d, attributes, about->attributes);
}

/* While nobody adopted it and it has no other name than its code. */
static enum err introduce(struct ctx *ctx, const struct aside *a) {
    struct device d = {0}, patch = {0};
    bool found;
    if (!a->about || !(a->about->name.len || a->about->attributes.len)) return OK;
    TRY(device_by_code(ctx, a->community_id, a->code, &d, &found));
    if (!found || d.state != DEVICE_NEW || !str_eq(d.name, d.code) || d.attributes.len) return OK;
    set_about(&patch, a->about);
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    uint64_t both = UINT64_C(1) << field_index(&devices, "attributes");
    if (a->about->name.len) both |= UINT64_C(1) << field_index(&devices, "name");
    enum err e = row_update(ctx, &devices, d.row.id, d.row.version, &patch, both, NULL);
    ctx->actor = actor;
    return e;
}

static enum err has_room(struct ctx *ctx, int64_t line_id) {
    int64_t n = 0;
    bool found;
    if (!line_id) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT COUNT(*) FROM devices WHERE line_id = $1 AND archived_ms = 0 AND state = 'new'",
                   VALS(V_I64(line_id)), &n, &found));
    if (n < DEVICES_NEW_OF_LINE) return OK;
    return FAIL(&ctx->fault, ERR_TOO_MANY, "too_many_devices",
                "%d unknown devices of this line wait for adoption; adopt or retire some", DEVICES_NEW_OF_LINE);
}

static enum err put_aside(struct ctx *ctx, void *arg) {
    struct aside *a = arg;
    struct device d = {.row.community_id = a->community_id};
    bool found;
    int64_t n = 0;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM devices WHERE community_id = $1 AND code = $2 AND archived_ms = 0",
                   VALS(V_I64(a->community_id), V_TEXT(a->code)), &a->id, &found));
    if (found) return introduce(ctx, a);
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT COUNT(*) FROM devices WHERE community_id = $1 AND state = 'new' AND archived_ms = 0",
                   VALS(V_I64(a->community_id)), &n, &found));
    if (n >= DEVICES_NEW_MAX)
        return FAIL(&ctx->fault, ERR_TOO_MANY, "too_many_devices",
                    "%d unknown devices wait for adoption; adopt or retire some", DEVICES_NEW_MAX);
    TRY(find_line(ctx, a, &d));
    TRY(has_room(ctx, d.line_id));
    SET(&devices, &d, name, a->code);
    SET(&devices, &d, code, a->code);
    SET(&devices, &d, last_ms, ctx->now_ms);
    if (a->about) set_about(&d, a->about);
    if (a->about && a->about->address.len) SET(&devices, &d, address, a->about->address);
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_create(ctx, &devices, &d);
    ctx->actor = actor;
    a->id = d.row.id;
    return e;
}

enum err device_put_aside(struct ctx *ctx, int64_t community_id, struct str code, struct str line,
                          const struct device_about *about, int64_t *ret_id) {
    struct aside a = {community_id, 0, code, line, about};
    TRY(ctx_write(ctx, put_aside, &a));
    *ret_id = a.id;
    return OK;
}

enum err device_heard(struct ctx *ctx, int64_t community_id, struct str code, int64_t at_ms) {
    return db_exec(ctx->db, &ctx->fault,
                   "UPDATE devices SET last_ms = $3 WHERE community_id = $1 AND code = $2 AND archived_ms = 0 AND "
                   "(last_ms IS NULL OR last_ms < $3)",
                   VALS(V_I64(community_id), V_TEXT(code), V_I64(at_ms)), NULL);
}

enum err device_step(struct ctx *ctx, int64_t id, const char *step) {
    struct device d = {0};
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_get(ctx, &devices, id, &d);
    bool waits = false;
    for (size_t i = 0; i < devices.steps_n; i++)
        waits |= !strcmp(devices.steps[i].name, step) && devices.steps[i].from == d.state;
    if (!e && waits) e = row_act(ctx, &devices, id, 0, step, NULL, 0, NULL);
    ctx->actor = actor;
    return e;
}

static const struct resource *const resources[] = {&device_models, &reading_classes, &line_rows, &devices, &commands};
static const struct subscription listens[] = {
    {"reading_classes.*", things_changed},     {"device_models.*", things_changed},
    {"devices.create", things_device_changed}, {"devices.adopt", things_device_changed},
    {"devices.recode", things_device_changed}, {"devices.update", things_device_changed},
    {"devices.unadopt", things_device_changed}};
extern const char device_keys_ddl[];
const char device_keys_ddl[] =
    "CREATE TABLE device_keys (username {T} NOT NULL PRIMARY KEY, device_id {I} NOT NULL, salt {B} NOT NULL, "
    "hash {B} NOT NULL){S};\n"
    "CREATE INDEX device_keys_of ON device_keys (device_id);\n"
    "CREATE INDEX devices_codes ON devices (community_id, code);\n"; /* archived ones, too */

static const struct upgrade upgrades[] = {
    {1, "CREATE INDEX devices_by_address ON devices (address, archived_ms, id);", NULL, NULL, NULL},
    {2, "ALTER TABLE lines ADD COLUMN senders {T};\nALTER TABLE device_models_commands ADD COLUMN alone {I};", NULL,
     NULL, NULL},
    {3,
     "DROP INDEX devices_of_code;\n"
     "CREATE UNIQUE INDEX devices_of_code ON devices (community_id, code) WHERE archived_ms = 0;\n"
     "CREATE INDEX devices_codes ON devices (community_id, code);",
     NULL, NULL, NULL},
    {4, "ALTER TABLE commands ADD COLUMN item {T};\nALTER TABLE commands ADD COLUMN told {T};", NULL, NULL, NULL}};

const struct module things_module = {
    .name = "things",
    .part = "platform",
    .ddl = device_keys_ddl,
    ROWS(resources, resources),
    ROWS(listens, listens),
    ROWS(upgrades, upgrades),
    ROWS(settings, command_settings),
    .roles = "admin manager dispatcher guard repairer street committee grid carer doctor",
};
