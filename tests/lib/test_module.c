/* The kernel's own test module.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test_module.h"

#include <string.h>

#define CHIEF_ALL (CREATE | READ | UPDATE | ARCHIVE)

/* ---- areas: the closure is kept by `after`, as a module of places would ---- */

static const struct field area_fields[] = {
    {TEXT(struct area, name), .min = 1, .max = 40, .flags = REQUIRED | COLUMN | SEARCH},
    {REF(struct area, parent_id, "areas"), .flags = FIXED | COLUMN},
    {FLAG(struct area, own_records), .flags = FIXED},
};
static const struct grant area_grants[] = {
    {"chief", CHIEF_ALL, COMMUNITY},
    {"manager worker resident viewer", READ, PLACE},
};

#define ABOVE_MAX 16

static enum err area_after(struct ctx *ctx, void *row, const void *before) {
    struct area *a = row;
    int64_t above[ABOVE_MAX];
    size_t n = 0;
    if (before) return OK;
    if (a->own_records) TRY(community_put(ctx, a->row.id, a->name, a->name, S("Asia/Shanghai")));
    if (a->parent_id) {
        struct db_rows rows = {0};
        enum err e = db_query(ctx->db, &ctx->fault,
                              "SELECT ancestor FROM place_closure WHERE hierarchy = $1 AND descendant = $2 "
                              "ORDER BY depth LIMIT 16",
                              VALS(V_TEXT(S("estate")), V_I64(a->parent_id)), &rows);
        for (bool more = true; !e && n < ABOVE_MAX;) {
            e = db_next(&rows, &ctx->fault, &more);
            if (e || !more) break;
            above[n++] = db_i64(&rows, 0);
        }
        db_done(&rows);
        TRY(e);
    }
    return closure_put(ctx, S("estate"), a->row.id, above, n);
}

const struct resource test_areas = {
    .name = "areas",
    .group = "estate",
    .icon = "place",
    .size = sizeof(struct area),
    .label = "name",
    .place = "id",
    .flags = INSTALLATION,
    ROWS(fields, area_fields),
    ROWS(grants, area_grants),
    .after = area_after,
};

/* ---- folk and where they stay ---- */

static const struct field folk_fields[] = {
    {TEXT(struct folk, name), .min = 1, .max = 40, .flags = REQUIRED | COLUMN | SEARCH, .class = IDENTITY},
    {TEXT(struct folk, phone), .min = 3, .max = 20, .flags = SEARCH, .class = CONTACT},
    {TEXT(struct folk, passport), .min = 5, .max = 20, .flags = SEARCH | EXACT, .class = IDENTITY},
};
static const struct relation folk_relations[] = {{"self", "id", OWN_ME}};
static const struct grant folk_grants[] = {
    {"chief", CHIEF_ALL, COMMUNITY, .clear = IDENTITY | CONTACT},
    {"manager", READ, PLACE, .clear = IDENTITY, .reveal = CONTACT},
    {"worker", READ, PLACE},
    {"resident", READ | UPDATE, OWN, .by = "self", .clear = IDENTITY | CONTACT},
};
const struct resource test_folk = {
    .name = "folk",
    .group = "people",
    .icon = "person",
    .size = sizeof(struct folk),
    .label = "name",
    .member = "stays.folk_id",
    .flags = INSTALLATION,
    ROWS(fields, folk_fields),
    ROWS(relations, folk_relations),
    ROWS(grants, folk_grants),
};

static const struct field stay_fields[] = {
    {REF(struct stay, folk_id, "folk"), .flags = REQUIRED | INDEXED | COLUMN},
    {REF(struct stay, place_id, "areas"), .flags = REQUIRED | COLUMN},
    {DATE(struct stay, valid_from)},
    {DATE(struct stay, valid_until)},
};
static const struct grant stay_grants[] = {{"chief", CHIEF_ALL, COMMUNITY}, {"manager", READ, PLACE}};
const struct resource test_stays = {
    .name = "stays",
    .size = sizeof(struct stay),
    .place = "place_id",
    ROWS(fields, stay_fields),
    ROWS(grants, stay_grants),
};

/* ---- rates: dated rows ---- */

static const struct field rate_fields[] = {
    {REF(struct rate, area_id, "areas"), .flags = REQUIRED | FIXED | COLUMN},
    {MONEY(struct rate, price), .flags = REQUIRED | COLUMN, .min = 0, .max = 100000},
    {DATE(struct rate, valid_from), .flags = REQUIRED | COLUMN},
    {DATE(struct rate, valid_until), .flags = COLUMN},
};
static const struct grant rate_grants[] = {
    {"chief manager", CHIEF_ALL, PLACE},
    {"viewer", READ, PLACE},
};
const struct resource test_rates = {
    .name = "rates",
    .group = "commerce",
    .icon = "price",
    .size = sizeof(struct rate),
    .place = "area_id",
    .dated = "area_id",
    ROWS(fields, rate_fields),
    ROWS(grants, rate_grants),
};

/* ---- samples: everything ---- */

static const char *check_code(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') && !(text.ptr[i] >= '0' && text.ptr[i] <= '9'))
            return "bad_code";
    return NULL;
}

static const struct field part_fields[] = {
    {TEXT(struct sample_part, name), .min = 1, .max = 20, .flags = REQUIRED},
    {INT(struct sample_part, amount), .min = 1, .max = 99, .flags = REQUIRED},
    {MONEY(struct sample_part, price)},
    {DECIMAL(struct sample_part, weight, 2), .min = 0, .max = 10000, .unit = "kg"},
    {CHOICE(struct sample_part, size, "small large")},
    {DATE(struct sample_part, made_on)},
    {TIME(struct sample_part, checked_ms)},
    {REF(struct sample_part, folk_id, "folk")},
    {FLAG(struct sample_part, spare)},
};
static const struct line_type part_type = {sizeof(struct sample_part), part_fields, COUNT(part_fields)};

static const struct field sample_fields[] = {
    {TEXT(struct sample, title), .min = 2, .max = 60, .flags = REQUIRED | COLUMN | SEARCH, .group = "what"},
    {TEXT(struct sample, note), .max = 500, .flags = SEARCH, .group = "what"},
    {TEXT(struct sample, code), .min = 2, .max = 8, .flags = UNIQUE | FIXED, .check = check_code, .group = "what"},
    {CHOICE(struct sample, size, "small medium large"), .flags = COLUMN, .group = "what"},
    {REF(struct sample, area_id, "areas"), .flags = REQUIRED | COLUMN},
    {REF(struct sample, owner_id, "folk"), .flags = FIXED | INDEXED},
    {REF(struct sample, worker_id, "folk"), .flags = SYSTEM | COLUMN},
    {REFS(struct sample, helpers, "folk"), .max = 3},
    {INT(struct sample, amount), .min = -5, .max = 1000, .flags = INDEXED | COLUMN},
    {DECIMAL(struct sample, weight, 3), .min = 0, .max = 100000, .unit = "kg"},
    {MONEY(struct sample, price), .min = 0, .max = 100000000},
    {FLAG(struct sample, urgent), .flags = COLUMN},
    {TIME(struct sample, due_ms), .flags = COLUMN},
    {DATE(struct sample, day)},
    {GEO(struct sample, spot)},
    {FILES(struct sample, photos), .max = 4},
    {JSON(struct sample, extra), .max = 400},
    {LINES(struct sample, parts, &part_type), .max = 5},
    {TEXT(struct sample, phone), .min = 3, .max = 20, .class = CONTACT, .flags = SEARCH, .group = "who"},
    {TEXT(struct sample, card), .min = 4, .max = 18, .class = IDENTITY, .group = "who"},
    {TEXT(struct sample, illness), .max = 100, .class = HEALTH, .group = "who"},
    {INT(struct sample, balance), .class = MONETARY, .group = "who"},
    {TEXT(struct sample, token), .max = 64, .class = SECRET, .flags = SYSTEM},
    {TEXT(struct sample, reason), .max = 100, .flags = SYSTEM},
    {TIME(struct sample, done_ms), .flags = SYSTEM},
    {STATE(struct sample, state)},
};

static const char *const sample_states[] = {
    [SAMPLE_NEW] = "new",   [SAMPLE_ACCEPTED] = "accepted", [SAMPLE_WORKING] = "working",
    [SAMPLE_DONE] = "done", [SAMPLE_DROPPED] = "dropped",
};

static enum err not_heavy(struct ctx *ctx, const void *row) {
    const struct sample *s = row;
    if (s->weight > 50000) return FAIL(&ctx->fault, ERR_CONFLICT, "too_heavy", "nobody can carry this");
    return OK;
}

extern const struct resource test_samples;

static enum err note_done(struct ctx *ctx, void *row) {
    struct sample *s = row;
    SET(&test_samples, s, done_ms, ctx->now_ms);
    return OK;
}

static const struct step sample_steps[] = {
    {SAMPLE_NEW, "accept", SAMPLE_ACCEPTED, "chief manager", .takes = "worker_id note", .need = "worker_id"},
    {SAMPLE_ACCEPTED, "start", SAMPLE_WORKING, "worker", .guard = not_heavy},
    {SAMPLE_WORKING, "finish", SAMPLE_DONE, "worker manager", .takes = "note price", .effect = note_done},
    {SAMPLE_NEW, "drop", SAMPLE_DROPPED, "manager resident", .takes = "reason", .need = "reason", .danger = true},
    {SAMPLE_ACCEPTED, "drop", SAMPLE_DROPPED, "manager", .takes = "reason", .need = "reason", .danger = true},
    {SAMPLE_NEW, "expire", SAMPLE_DROPPED, "timer"},
    {SAMPLE_ACCEPTED, "nag", SAMPLE_ACCEPTED, "timer"}, /* stays where it is */
    {SAMPLE_WORKING, "nag", SAMPLE_WORKING, "timer", .guard = not_heavy},
    {ANY_STATE, "remark", ANY_STATE, "manager worker resident", .takes = "note"},
};
static const struct relation sample_relations[] = {
    {"owner", "owner_id", OWN_ME},
    {"worker", "worker_id", OWN_ME},
    {"unit", "area_id", OWN_UNITS},
};
static const struct grant sample_grants[] = {
    {"chief", CHIEF_ALL, COMMUNITY, .clear = IDENTITY | CONTACT | MONETARY, .reveal = HEALTH},
    {"manager", CHIEF_ALL, PLACE, .clear = CONTACT, .reveal = IDENTITY | MONETARY},
    {"worker", READ, PLACE},
    {"worker", READ | UPDATE, OWN, .by = "worker", .clear = CONTACT},
    {"resident", CREATE | READ | UPDATE, OWN, .by = "owner", .clear = IDENTITY | CONTACT | HEALTH | MONETARY},
    {"resident", READ, OWN, .by = "unit"},
    {"viewer", READ, COMMUNITY},
};
static const struct due sample_dues[] = {{"expire", "due_ms", 60000}, {"nag", "due_ms", 0, "done_ms"}};
static const struct view sample_views[] = {
    {"waiting", "state=new,accepted", "-created_ms"},
    {"urgent", "urgent=true&size=large", "due_ms"},
};

static enum err sample_prepare(struct ctx *ctx, void *row, const void *before) {
    static const char digits[] = "0123456789abcdef";
    struct sample *s = row;
    uint8_t random[8];
    if (before) return OK;
    char *text = arena_new(ctx->arena, char, sizeof random * 2);
    if (!text) return FAIL_MEMORY(ctx);
    ctx->world->random(ctx->world->self, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        text[2 * i] = digits[random[i] >> 4];
        text[2 * i + 1] = digits[random[i] & 15];
    }
    SET(&test_samples, s, token, (struct str){text, sizeof random * 2});
    return OK;
}

static enum err sample_validate(struct ctx *ctx, const void *row) {
    const struct sample *s = row;
    if (row_has(&test_samples, row, "due_ms") && s->due_ms < s->row.created_ms)
        return FAIL_FIELD(&ctx->fault, "due_ms", "not_after", 0);
    return OK;
}

const struct resource test_samples = {
    .name = "samples",
    .group = "work",
    .icon = "sample",
    .size = sizeof(struct sample),
    .label = "title",
    .place = "area_id",
    .tones = "warn info info ok off",
    ROWS(fields, sample_fields),
    ROWS(states, sample_states),
    ROWS(steps, sample_steps),
    ROWS(relations, sample_relations),
    ROWS(grants, sample_grants),
    ROWS(dues, sample_dues),
    ROWS(views, sample_views),
    .prepare = sample_prepare,
    .validate = sample_validate,
};

/* ---- read-only over a SELECT ---- */

static const struct field open_fields[] = {
    {TEXT(struct open_sample, title), .max = 60, .flags = COLUMN | SYSTEM},
    {REF(struct open_sample, area_id, "areas"), .flags = COLUMN | SYSTEM},
    {REF(struct open_sample, owner_id, "folk"), .flags = SYSTEM},
    {TEXT(struct open_sample, phone), .max = 20, .flags = SYSTEM, .class = CONTACT},
};
static const struct relation open_relations[] = {{"owner", "owner_id", OWN_ME}, {"unit", "area_id", OWN_UNITS}};
static const struct grant open_grants[] = {
    {"chief", READ, PLACE, .clear = CONTACT}, {"manager", READ, PLACE, .reveal = CONTACT},
    {"worker viewer", READ, PLACE},           {"resident", READ, OWN, .by = "owner", .clear = CONTACT},
    {"resident", READ, OWN, .by = "unit"},
};
const struct resource test_open_samples = {
    .name = "open_samples",
    .group = "work",
    .icon = "sample",
    .size = sizeof(struct open_sample),
    .label = "title",
    .place = "area_id",
    .select = "SELECT id, community_id, version, created_ms, created_by, updated_ms, archived_ms, title, area_id, "
              "owner_id, phone FROM samples WHERE state IN ('new', 'accepted', 'working')",
    ROWS(fields, open_fields),
    ROWS(relations, open_relations),
    ROWS(grants, open_grants),
};

static const struct resource *const resources[] = {&test_areas, &test_folk,    &test_stays,
                                                   &test_rates, &test_samples, &test_open_samples};
static const struct setting settings[] = {
    {"samples.limit", FIELD_INT, "10", NULL, 1, 100},
    {"samples.greeting", FIELD_TEXT, "hello", NULL, 0, 40},
    {"samples.notice", FIELD_TEXT, "", NULL, 0, 1000}, /* as long as any */
};

const struct module test_module = {
    .name = "test",
    .part = "platform",
    ROWS(resources, resources),
    ROWS(settings, settings),
    .roles = "chief manager worker resident viewer",
};

/* ---- the estate ---- */

static enum err area_make(struct ctx *ctx, struct str name, int64_t parent_id, bool own_records, int64_t *ret) {
    struct area a = {0};
    SET(&test_areas, &a, name, name);
    if (parent_id) SET(&test_areas, &a, parent_id, parent_id);
    SET(&test_areas, &a, own_records, own_records);
    TRY(row_create(ctx, &test_areas, &a));
    *ret = a.row.id;
    return OK;
}

static enum err folk_make(struct ctx *ctx, struct str name, struct str phone, int64_t place_id, int64_t *ret) {
    struct folk f = {0};
    struct stay s = {0};
    SET(&test_folk, &f, name, name);
    SET(&test_folk, &f, phone, phone);
    TRY(row_create(ctx, &test_folk, &f));
    SET(&test_stays, &s, folk_id, f.row.id);
    SET(&test_stays, &s, place_id, place_id);
    TRY(row_create(ctx, &test_stays, &s));
    *ret = f.row.id;
    return OK;
}

static enum err estate_make(struct ctx *ctx, void *arg) {
    struct test_estate *e = arg;
    TRY(area_make(ctx, S("town"), 0, false, &e->town));
    TRY(area_make(ctx, S("north"), e->town, true, &e->north));
    TRY(area_make(ctx, S("house"), e->north, false, &e->house));
    TRY(area_make(ctx, S("flat"), e->house, false, &e->flat));
    TRY(area_make(ctx, S("other_house"), e->north, false, &e->other_house));
    TRY(area_make(ctx, S("south"), e->town, true, &e->south));
    TRY(area_make(ctx, S("south_house"), e->south, false, &e->south_house));
    TRY(folk_make(ctx, S("安娜"), S("13812345678"), e->flat, &e->anna));
    TRY(folk_make(ctx, S("Ben"), S("13987654321"), e->flat, &e->ben));
    return folk_make(ctx, S("Carl"), S("13711112222"), e->south_house, &e->carl);
}

enum err test_estate_make(struct ctx *ctx, struct test_estate *ret) {
    struct actor actor = ctx->actor;
    struct test_estate made = {0};
    ctx->actor = actor_system();
    enum err e = ctx_write(ctx, estate_make, &made);
    ctx->actor = actor;
    if (!e) *ret = made;
    return e;
}

enum err test_actor(struct ctx *ctx, const char *role, int64_t place_id, int64_t person_id, int64_t unit_id) {
    struct membership m = {str_of(role), place_id};
    int64_t *own = arena_new(ctx->arena, int64_t, 2);
    if (!own) return FAIL_MEMORY(ctx);
    own[0] = person_id;
    own[1] = unit_id;
    ctx->actor = (struct actor){.user_id = person_id, .person_id = person_id, .name = m.role, .language = S("en")};
    ctx->actor.own[OWN_ME].ids = &own[0];
    ctx->actor.own[OWN_ME].n = person_id != 0;
    ctx->actor.own[OWN_UNITS].ids = &own[1];
    ctx->actor.own[OWN_UNITS].n = unit_id != 0;
    ctx->rights_cache = NULL;
    return actor_scopes(ctx, &m, 1);
}

/* ---- words: key TAB zh TAB en ---- */

const char test_words[] = "areas\t地点\tAreas\n"
                          "areas.name\t名称\tName\n"
                          "areas.parent_id\t上级\tWithin\n"
                          "areas.own_records\t独立账册\tOwn records\n"
                          "areas.group.main\t基本\tMain\n"
                          "folk\t人员\tFolk\n"
                          "folk.name\t姓名\tName\n"
                          "folk.phone\t电话\tPhone\n"
                          "folk.group.main\t基本\tMain\n"
                          "stays\t居住\tStays\n"
                          "stays.folk_id\t人\tWho\n"
                          "stays.place_id\t地点\tWhere\n"
                          "stays.group.main\t基本\tMain\n"
                          "rates\t价格\tRates\n"
                          "rates.area_id\t地点\tArea\n"
                          "rates.price\t价格\tPrice\n"
                          "rates.valid_from\t自\tFrom\n"
                          "folk.passport\t证件\tPassport\n"
                          "stays.valid_from\t自\tFrom\n"
                          "stays.valid_until\t至\tUntil\n"
                          "rates.valid_until\t至\tUntil\n"
                          "rates.group.main\t基本\tMain\n"
                          "open_samples\t未完样品\tOpen samples\n"
                          "open_samples.title\t标题\tTitle\n"
                          "open_samples.area_id\t地点\tArea\n"
                          "open_samples.owner_id\t业主\tOwner\n"
                          "open_samples.phone\t电话\tPhone\n"
                          "open_samples.group.main\t基本\tMain\n"
                          "samples\t样品\tSamples\n"
                          "samples.title\t标题\tTitle\n"
                          "samples.note\t备注\tNote\n"
                          "samples.code\t编码\tCode\n"
                          "samples.size\t大小\tSize\n"
                          "samples.area_id\t地点\tArea\n"
                          "samples.owner_id\t主人\tOwner\n"
                          "samples.worker_id\t工人\tWorker\n"
                          "samples.helpers\t帮手\tHelpers\n"
                          "samples.amount\t数量\tAmount\n"
                          "samples.weight\t重量\tWeight\n"
                          "samples.price\t价格\tPrice\n"
                          "samples.urgent\t紧急\tUrgent\n"
                          "samples.due_ms\t期限\tDue\n"
                          "samples.day\t日期\tDay\n"
                          "samples.spot\t位置\tSpot\n"
                          "samples.photos\t照片\tPhotos\n"
                          "samples.extra\t其他\tExtra\n"
                          "samples.parts\t部件\tParts\n"
                          "samples.phone\t电话\tPhone\n"
                          "samples.card\t证件\tCard\n"
                          "samples.illness\t病情\tIllness\n"
                          "samples.balance\t余额\tBalance\n"
                          "samples.token\t令牌\tToken\n"
                          "samples.reason\t原因\tReason\n"
                          "samples.done_ms\t完成时间\tDone at\n"
                          "samples.state\t状态\tState\n"
                          "samples.group.main\t基本\tMain\n"
                          "samples.help\t什么都有的样品\tA sample of everything\n"
                          "samples.title.help\t两个字以上\tTwo letters or more\n"
                          "samples.size.small\t小\tSmall\n"
                          "samples.size.medium\t中\tMedium\n"
                          "samples.size.large\t大\tLarge\n"
                          "samples.state.new\t新建\tNew\n"
                          "samples.state.accepted\t已受理\tAccepted\n"
                          "samples.state.working\t处理中\tWorking\n"
                          "samples.state.done\t已完成\tDone\n"
                          "samples.state.dropped\t已放弃\tDropped\n"
                          "samples.step.accept\t受理\tAccept\n"
                          "samples.step.start\t开始\tStart\n"
                          "samples.step.finish\t完成\tFinish\n"
                          "samples.step.drop\t放弃\tDrop\n"
                          "samples.step.expire\t过期\tExpire\n"
                          "samples.step.nag\t催办\tNag\n"
                          "samples.step.remark\t备注\tRemark\n"
                          "samples.group.what\t内容\tWhat\n"
                          "samples.group.who\t人\tWho\n"
                          "samples.view.waiting\t待处理\tWaiting\n"
                          "samples.view.urgent\t紧急\tUrgent\n"
                          "samples.parts.name\t名称\tName\n"
                          "samples.parts.amount\t数量\tAmount\n"
                          "samples.parts.price\t价格\tPrice\n"
                          "samples.parts.weight\t重量\tWeight\n"
                          "samples.parts.size\t大小\tSize\n"
                          "samples.parts.made_on\t生产日期\tMade on\n"
                          "samples.parts.checked_ms\t检查时间\tChecked at\n"
                          "samples.parts.folk_id\t人\tWho\n"
                          "samples.parts.spare\t备用\tSpare\n"
                          "samples.parts.size.small\t小\tSmall\n"
                          "samples.parts.size.large\t大\tLarge\n"
                          "group.work\t工作\tWork\n"
                          "group.estate\t小区\tEstate\n"
                          "group.people\t人员\tPeople\n"
                          "group.commerce\t经营\tCommerce\n";
