/* People belong to the installation; memberships bring them into communities.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/parties/parties.h"

#include "kernel/rows.h"

#define MEMBERSHIPS_MAX 200

static const char *check_phone(struct str s) {
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            digits++;
        else if (s.ptr[i] != '+' && s.ptr[i] != '-' && s.ptr[i] != ' ')
            return "bad_phone";
    }
    return digits >= 7 ? NULL : "bad_phone";
}

/* GB 11643-1999: 17 digits and a check character by ISO 7064 MOD 11-2. */
static const char *check_id_number(struct str s) {
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    if (s.len != 18) return "bad_id_number";
    for (size_t i = 0; i < 17; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return "bad_id_number";
        sum += (s.ptr[i] - '0') * weights[i];
    }
    return s.ptr[17] == "10X98765432"[sum % 11] ? NULL : "bad_id_number";
}

static const struct field person_fields[] = {
    {TEXT(struct person, name), .max = 40, .flags = REQUIRED | SEARCH | COLUMN, .class = IDENTITY},
    {TEXT(struct person, phone), .max = 20, .flags = SEARCH | COLUMN, .class = CONTACT, .check = check_phone},
    {TEXT(struct person, id_number), .max = 18, .flags = SEARCH | EXACT, .class = IDENTITY, .check = check_id_number},
    {CHOICE(struct person, language, "zh en")},
};
static const struct relation person_relations[] = {{"self", "id", OWN_ME}};
static const struct grant person_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE, .reveal = IDENTITY | CONTACT},
    {"street manager", CREATE | READ | UPDATE, COMMUNITY, .reveal = IDENTITY | CONTACT},
    {"dispatcher guard grid carer doctor", READ, COMMUNITY, .reveal = CONTACT},
    {"owner resident elder repairer guard grid dispatcher manager cashier carer doctor committee street", READ | UPDATE,
     OWN, .by = "self", .clear = IDENTITY | CONTACT},
};

const struct resource people = {
    .name = "people",
    .group = "people",
    .icon = "person",
    .size = sizeof(struct person),
    .label = "name",
    .member = "memberships.person_id",
    .flags = INSTALLATION,
    ROWS(fields, person_fields),
    ROWS(relations, person_relations),
    ROWS(grants, person_grants),
};

static const struct field membership_fields[] = {
    {REF(struct membership_row, person_id, "people"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {CHOICE(struct membership_row, role, PARTY_ROLES), .flags = REQUIRED | FIXED | COLUMN},
    {REF(struct membership_row, place_id, "places"), .flags = FIXED | COLUMN},
    {DATE(struct membership_row, valid_from), .flags = REQUIRED | FIXED | COLUMN},
    {DATE(struct membership_row, valid_until), .flags = COLUMN},
};
static const struct relation membership_relations[] = {{"self", "person_id", OWN_ME}};
static const struct grant membership_grants[] = {
    {"admin", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager street", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher grid", READ, COMMUNITY},
    {"owner resident elder", READ, OWN, .by = "self"},
};

/* Nobody hands out more than he has: administrators are made by administrators. */
static enum err prepare_membership(struct ctx *ctx, void *row, const void *before) {
    const struct membership_row *m = row;
    if (before || ctx->actor.is_system) return OK;
    bool everywhere = !row_has(&memberships, m, "place_id");
    bool is_admin = ctx->actor.roles & kernel_role(ctx->kernel, S("admin"));
    bool street = str_is(m->role, "street") && !(ctx->actor.roles & kernel_role(ctx->kernel, S("street")));
    if (!is_admin && (everywhere || str_is(m->role, "admin") || street))
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "only an administrator gives this role");
    return OK;
}

static enum err validate_membership(struct ctx *ctx, const void *row) {
    const struct membership_row *m = row;
    if (row_has(&memberships, m, "valid_until") && m->valid_until <= m->valid_from)
        return FAIL_FIELD(&ctx->fault, "valid_until", "not_after", 0);
    return OK;
}

const struct resource memberships = {
    .name = "memberships",
    .group = "people",
    .icon = "badge",
    .size = sizeof(struct membership_row),
    .place = "place_id",
    .flags = ROOT_ROWS,
    ROWS(fields, membership_fields),
    ROWS(relations, membership_relations),
    ROWS(grants, membership_grants),
    .prepare = prepare_membership,
    .validate = validate_membership,
};

/* Memberships in force today, each by the day of its own community. */
static enum err in_force(struct ctx *ctx, int64_t person_id, struct membership *ret, size_t *ret_n) {
    struct {
        int64_t place_id, community_id, from, until;
        struct str role;
    } *all = arena_alloc(ctx->arena, MEMBERSHIPS_MAX, sizeof *all, _Alignof(max_align_t));
    struct db_rows rows = {0};
    size_t n = 0;
    if (!all) return FAIL_MEMORY(ctx);
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT place_id, community_id, valid_from, valid_until, role FROM memberships WHERE "
                          "person_id = $1 AND archived_ms = 0 ORDER BY id DESC LIMIT 200",
                          VALS(V_I64(person_id)), &rows);
    while (n < MEMBERSHIPS_MAX && db_more(&rows, &ctx->fault, &e)) {
        int64_t *const into[] = {&all[n].place_id, &all[n].community_id, &all[n].from, &all[n].until};
        for (size_t i = 0; i < COUNT(into); i++) *into[i] = db_i64(&rows, i);
        if (!arena_str(ctx->arena, db_text(&rows, COUNT(into)), &all[n++].role)) e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    TRY(e);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t today = kernel_day(ctx, all[i].community_id);
        if (all[i].from <= today && (!all[i].until || today < all[i].until))
            ret[(*ret_n)++] = (struct membership){all[i].role, all[i].place_id};
    }
    return OK;
}

enum err party_actor(struct ctx *ctx, int64_t user_id, int64_t person_id) {
    struct membership *all = arena_new(ctx->arena, struct membership, MEMBERSHIPS_MAX);
    int64_t *units = arena_new(ctx->arena, int64_t, MEMBERSHIPS_MAX), *me = arena_new(ctx->arena, int64_t, 1);
    size_t n = 0, units_n = 0;
    struct actor a = {.user_id = user_id, .person_id = person_id, .language = S("zh")};
    if (!all || !units || !me) return FAIL_MEMORY(ctx);
    TRY(in_force(ctx, person_id, all, &n));
    for (size_t i = 0; i < n; i++)
        if (word_in("owner resident elder", all[i].role)) units[units_n++] = all[i].place_id;
    struct person p = {0};
    ctx->actor = actor_system();
    TRY(row_get(ctx, &people, person_id, &p));
    *me = person_id;
    a.name = p.name;
    if (row_has(&people, &p, "language")) a.language = p.language;
    a.own[OWN_ME].ids = me;
    a.own[OWN_ME].n = 1;
    a.own[OWN_UNITS].ids = units;
    a.own[OWN_UNITS].n = units_n;
    ctx->actor = a;
    return actor_scopes(ctx, all, n);
}

static const struct resource *const resources[] = {&people, &memberships};
const struct module parties_module = {
    .name = "parties", .part = "platform", ROWS(resources, resources), .roles = PARTY_ROLES};
