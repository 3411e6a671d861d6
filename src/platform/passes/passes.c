/* Passes and passages as rows.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/passes/passes.h"

#include "platform/passes/passes_internal.h"
#include "protocol/passing.h"

#define DEVICE_MAX 64

/* ---- passes ---- */

/* Days of the week, each once, in their order: 1 is Monday. */
static const char *check_weekdays(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '1' || s.ptr[i] > '7' || (i && s.ptr[i] <= s.ptr[i - 1])) return "bad_weekdays";
    return NULL;
}

static const struct field pass_fields[] = {
    {CHOICE(struct pass, kind, PASS_KINDS), .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct pass, value), .min = 1, .max = PASSING_VALUE_MAX, .flags = REQUIRED | SEARCH | EXACT | COLUMN,
     .class = IDENTITY},
    {TEXT(struct pass, holder), .max = 40, .flags = SEARCH | COLUMN, .class = IDENTITY},
    {REF(struct pass, person_id, "people"), .flags = INDEXED},
    {REF(struct pass, place_id, "places"), .flags = REQUIRED | COLUMN},
    {TIME(struct pass, from_ms), .flags = COLUMN},
    {TIME(struct pass, until_ms), .flags = COLUMN},
    {TEXT(struct pass, weekdays), .min = 1, .max = 7, .check = check_weekdays, .group = "hours"},
    {INT(struct pass, from_hour), .min = 0, .max = 23, .unit = "h", .group = "hours"},
    {INT(struct pass, until_hour), .min = 1, .max = 24, .unit = "h", .group = "hours"},
    {TEXT(struct pass, note), .max = 200},
};
static const struct grant pass_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE, .clear = IDENTITY},
    {"manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY, .clear = IDENTITY},
    {"guard dispatcher", READ, COMMUNITY, .reveal = IDENTITY},
};
static const struct view pass_views[] = {{"plates", "kind=plate", "until_ms"}, {"cards", "kind=card", "until_ms"}};

/* Written in whatever form, kept in the one that readers and cameras say. */
static enum err normal_value(struct ctx *ctx, const struct pass *p, struct str *ret) {
    static const struct {
        const char *kind;
        enum passing_kind as;
        const char *wrong;
    } kinds[] = {{"plate", PASSING_PLATE, "not_a_plate"},
                 {"card", PASSING_CARD, "not_a_card"},
                 {"code", PASSING_CODE, "not_a_code"},
                 {"face", PASSING_FACE, "bad_code"}};
    char normal[PASSING_VALUE_SIZE];
    size_t k = 0;
    while (k < COUNT(kinds) && !str_is(p->kind, kinds[k].kind)) k++;
    if (k == COUNT(kinds)) return OK; /* the field itself is refused */
    if (!passing_read(kinds[k].as, p->value, normal)) return FAIL_FIELD(&ctx->fault, "value", kinds[k].wrong, 0);
    if (!arena_str(ctx->arena, str_of(normal), ret)) return FAIL_MEMORY(ctx);
    return OK;
}

static enum err prepare_pass(struct ctx *ctx, void *row, const void *before) {
    struct pass *p = row;
    (void)before;
    if (!p->value.len) return OK; /* the field itself is refused */
    struct str value = p->value;
    TRY(normal_value(ctx, p, &value));
    p->value = value;
    return OK;
}

static enum err validate_pass(struct ctx *ctx, const void *row) {
    const struct pass *p = row;
    bool has_from = row_has(&passes, p, "from_ms"), has_until = row_has(&passes, p, "until_ms");
    if (has_from && has_until && p->until_ms <= p->from_ms) return FAIL_FIELD(&ctx->fault, "until_ms", "not_after", 0);
    if (row_has(&passes, p, "from_hour") && row_has(&passes, p, "until_hour") && p->from_hour == p->until_hour)
        return FAIL_FIELD(&ctx->fault, "until_hour", "same_hour", 0);
    return OK;
}

const struct resource passes = {
    .name = "passes",
    .group = "estate",
    .icon = "key",
    .size = sizeof(struct pass),
    .label = "value",
    .place = "place_id",
    ROWS(fields, pass_fields),
    ROWS(grants, pass_grants),
    ROWS(views, pass_views),
    .prepare = prepare_pass,
    .validate = validate_pass,
};

/* ---- passages: the gate's own, nobody writes them ---- */

static const struct field passage_fields[] = {
    {TEXT(struct passage, device), .max = DEVICE_MAX, .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {REF(struct passage, device_id, "devices"), .flags = FIXED},
    {REF(struct passage, place_id, "places"), .flags = FIXED | COLUMN},
    {CHOICE(struct passage, kind, PASS_KINDS), .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct passage, value), .min = 1, .max = PASSING_VALUE_MAX,
     .flags = REQUIRED | FIXED | SEARCH | EXACT | COLUMN, .class = IDENTITY},
    {REF(struct passage, pass_id, "passes"), .flags = FIXED | INDEXED},
    {CHOICE(struct passage, direction, "in out"), .flags = FIXED | COLUMN},
    {FLAG(struct passage, granted), .flags = REQUIRED | FIXED | COLUMN},
    {CHOICE(struct passage, why, PASS_WORDS), .flags = REQUIRED | FIXED | COLUMN},
    {TIME(struct passage, at_ms), .flags = REQUIRED | FIXED | COLUMN},
    {TEXT(struct passage, serial), .max = 60, .flags = FIXED | INDEXED},
};
static const struct grant passage_grants[] = {
    {"admin", READ, PLACE, .reveal = IDENTITY},
    {"manager guard dispatcher", READ, COMMUNITY, .reveal = IDENTITY},
};
static const struct view passage_views[] = {{"refused", "granted=false", "-created_ms"}};

const struct resource passages = {
    .name = "passages",
    .group = "estate",
    .icon = "visit",
    .size = sizeof(struct passage),
    .label = "device",
    .place = "place_id",
    .flags = NO_ARCHIVE,
    ROWS(fields, passage_fields),
    ROWS(grants, passage_grants),
    ROWS(views, passage_views),
};

static const struct resource *const resources[] = {&passes, &passages};
static const struct setting settings[] = {
    {PASS_SURE, FIELD_INT, "75", "%", 0, 100},
    {PASS_LATE_AFTER, FIELD_INT, "300", "s", 0, 86400}, /* 0: whenever it was read */
    {PASS_WRONG_CODES, FIELD_INT, "5", NULL, 0, 100},   /* 0: no limit */
    {PASS_PAUSE, FIELD_INT, "10", "min", 1, 1440},
    /* Where somebody goes and when is his own affair: half a year is enough for a theft that is noticed late. */
    {PASS_KEPT, FIELD_INT, "180", "d", 1, 3660},
};
static const struct job jobs[] = {{"passes.erase_old", INT64_C(3600000), passages_erase_old}};

const struct module passes_module = {
    .name = "passes",
    .part = "platform",
    ROWS(resources, resources),
    ROWS(settings, settings),
    ROWS(jobs, jobs),
    .roles = "admin manager guard dispatcher",
};
