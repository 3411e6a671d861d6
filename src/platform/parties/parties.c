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
    {"admin owner resident elder repairer guard grid dispatcher manager cashier carer doctor committee street partner",
     READ | UPDATE, OWN, .by = "self", .clear = IDENTITY | CONTACT},
};

/* Somebody else must be left to administer the installation. */
static enum err others_administer(struct ctx *ctx, int64_t person_id) {
    int64_t id, today = kernel_day(ctx, 0);
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT m.id FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.role = 'admin' AND "
                   "m.place_id IS NULL AND m.person_id <> $1 AND m.archived_ms = 0 AND p.archived_ms = 0 AND "
                   "m.valid_from <= $2 AND (m.valid_until IS NULL OR m.valid_until > $2) LIMIT 1",
                   VALS(V_I64(person_id), V_I64(today)), &id, &found));
    return found ? OK : FAIL(&ctx->fault, ERR_CONFLICT, "last_admin", "nobody else could administer the installation");
}

static enum err person_changed(struct ctx *ctx, void *row, const void *before) {
    const struct person *p = row, *was = before;
    int64_t id;
    bool administers;
    if (!was || was->row.archived_ms || !p->row.archived_ms) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM memberships WHERE person_id = $1 AND role = 'admin' AND place_id IS NULL AND "
                   "archived_ms = 0 LIMIT 1",
                   VALS(V_I64(p->row.id)), &id, &administers));
    return administers ? others_administer(ctx, p->row.id) : OK;
}

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
    .after = person_changed,
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

static enum err validate_membership(struct ctx *ctx, const void *row) {
    const struct membership_row *m = row;
    if (row_has(&memberships, m, "valid_until") && m->valid_until <= m->valid_from)
        return FAIL_FIELD(&ctx->fault, "valid_until", "not_after", 0);
    return OK;
}

/* ---- who gives which role ---- */

/* A role is given, changed and ended by whoever appoints to it: the property company its staff, the street its own and
 * those who watch over the company, the administrator anybody. */
static const struct {
    const char *role, *givers;
} appointments[] = {
    {"admin", "admin"},
    {"street", "admin"},
    {"manager", "admin street"},
    {"committee", "admin street"},
    {"grid", "admin street"},
    {"carer", "admin street"},
    {"doctor", "admin street"},
    {"dispatcher", "admin manager"},
    {"guard", "admin manager"},
    {"repairer", "admin manager"},
    {"cashier", "admin manager"},
    {"device", "admin manager"},
    {"ingest", "admin manager"},
    {"partner", "admin street manager"},
    {"owner", "admin street manager"},
    {"resident", "admin street manager"},
    {"elder", "admin street manager"},
};

bool party_is(const struct ctx *ctx, const char *roles, int64_t community_id) {
    return actor_reaches(&ctx->actor, community_id, kernel_roles(ctx->kernel, roles));
}

static enum err may_appoint(struct ctx *ctx, const struct membership_row *m, bool ends) {
    const char *givers = "";
    if (ctx->actor.is_system) return OK;
    if (m->person_id == ctx->actor.person_id && !ends)
        return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "nobody gives himself a role");
    for (size_t i = 0; i < COUNT(appointments); i++)
        if (str_is(m->role, appointments[i].role)) givers = appointments[i].givers;
    if (party_is(ctx, row_has(&memberships, m, "place_id") ? givers : "admin", m->row.community_id)) return OK;
    return FAIL(&ctx->fault, ERR_DENIED, "not_allowed", "who may give this role: " STR_FMT ": %s", STR_ARG(m->role),
                givers);
}

static enum err membership_changed(struct ctx *ctx, void *row, const void *before) {
    const struct membership_row *m = row;
    bool archived = m->row.archived_ms != 0, bounded = row_has(&memberships, m, "valid_until");
    bool ends = archived || (bounded && m->valid_until <= kernel_day(ctx, 0));
    bool is_root = str_is(m->role, "admin") && !row_has(&memberships, m, "place_id");
    if (before && is_root && (archived || bounded)) TRY(others_administer(ctx, m->person_id));
    return may_appoint(ctx, m, before && ends);
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
    .validate = validate_membership,
    .after = membership_changed,
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

enum err party_holds(struct ctx *ctx, int64_t person_id, const char *roles, int64_t community_id, int64_t place_id,
                     bool *ret) {
    struct membership *all = arena_new(ctx->arena, struct membership, MEMBERSHIPS_MAX);
    size_t n = 0;
    if (!all) return FAIL_MEMORY(ctx);
    TRY(in_force(ctx, person_id, all, &n));
    *ret = false;
    for (size_t i = 0; i < n && !*ret; i++) {
        int64_t one, community = 0;
        if (!word_in(roles, all[i].role)) continue;
        if (!all[i].place_id) *ret = true;
        if (!*ret && !str_is(all[i].role, "grid")) TRY(place_community(ctx, all[i].place_id, &community));
        if (community && community == community_id) *ret = true;
        if (!*ret)
            TRY(db_one_i64(ctx->db, &ctx->fault,
                           "SELECT 1 FROM place_closure WHERE ancestor = $1 AND descendant = $2 LIMIT 1",
                           VALS(V_I64(all[i].place_id), V_I64(place_id ? place_id : community_id)), &one, ret));
    }
    return OK;
}

static const struct resource *const resources[] = {&people, &memberships};
const struct module parties_module = {
    .name = "parties", .part = "platform", ROWS(resources, resources), .roles = PARTY_ROLES};
