/* Places and the closure of today that rights stand on.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/places/places.h"

#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "platform/places/shape.h"

#define DEPTH_MAX   16
#define SUBTREE_MAX 20000

static const char *check_code(struct str s) { /* stands in topics, where the place keeps records */
    return str_is_code(s) ? NULL : "bad_code";
}

static const struct field place_fields[] = {
    {TEXT(struct place, name), .max = 60, .flags = REQUIRED | SEARCH | COLUMN},
    {CHOICE(struct place, kind,
            "city street community estate grid building unit floor room area public equipment gate parking green road"),
     .flags = REQUIRED | COLUMN | INDEXED},
    {TEXT(struct place, code), .min = 1, .max = 32, .flags = SEARCH | COLUMN | UNIQUE, .check = check_code},
    {REF(struct place, parent_id, "places"), .flags = FIXED | COLUMN},
    {REF(struct place, admin_parent_id, "places"), .flags = FIXED},
    {TEXT(struct place, address), .max = 120, .flags = SEARCH},
    {FLAG(struct place, keeps_records), .flags = FIXED, .group = "records"},
    {TEXT(struct place, zone), .max = 40, .group = "records"},
    {GEO(struct place, at), .group = "map"},
    {JSON(struct place, shape), .max = 20000, .check = shape_check, .group = "map"},
    {TEXT(struct place, shape_source), .max = 200, .group = "map"},
};

static const struct grant place_grants[] = {
    {"admin street", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager", CREATE | READ | UPDATE | ARCHIVE, COMMUNITY},
    {"dispatcher guard repairer grid cashier carer doctor committee owner resident elder partner", READ, COMMUNITY},
    {"grid", READ, PLACE},
};
static const struct view place_views[] = {{"buildings", "kind=building", "name"}, {"units", "kind=unit", "name"}};

/* A place that keeps its own records is its own tenant; any other is its parent's. */
static enum err prepare_place(struct ctx *ctx, void *row, const void *before) {
    struct place *p = row;
    if (row_has(&places, p, "keeps_records") && p->keeps_records) {
        p->row.community_id = p->row.id;
        if (!row_has(&places, p, "zone")) SET(&places, p, zone, S("Asia/Shanghai"));
        return OK;
    }
    bool has_parent = row_has(&places, p, "parent_id");
    if (!before && (has_parent || row_has(&places, p, "admin_parent_id")))
        return place_community(ctx, has_parent ? p->parent_id : p->admin_parent_id, &p->row.community_id);
    return OK;
}

/* ---- parents ---- */

struct place_parent {
    struct row row;
    int64_t place_id, parent_id, valid_from, valid_until;
    struct str hierarchy;
};
static const struct field parent_fields[] = {
    {REF(struct place_parent, place_id, "places"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {CHOICE(struct place_parent, hierarchy, "property administrative"), .flags = REQUIRED | FIXED | COLUMN},
    {REF(struct place_parent, parent_id, "places"), .flags = REQUIRED | FIXED | COLUMN | INDEXED},
    {DATE(struct place_parent, valid_from), .flags = REQUIRED | FIXED | COLUMN},
    {DATE(struct place_parent, valid_until), .flags = COLUMN},
};
static const struct grant parent_grants[] = {
    {"admin street", CREATE | READ | UPDATE | ARCHIVE, PLACE},
    {"manager", CREATE | READ | UPDATE, COMMUNITY},
};
static const struct resource place_parents;

#define PROPERTY       S("property")
#define ADMINISTRATIVE S("administrative")

static enum err parent_of(struct ctx *ctx, struct str hierarchy, int64_t id, int64_t day, int64_t *ret,
                          bool *ret_found) {
    return db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT parent_id FROM place_parents WHERE place_id = $1 AND hierarchy = $2 AND archived_ms = 0 AND "
        "valid_from <= $3 AND (valid_until IS NULL OR valid_until > $3) ORDER BY id LIMIT 1",
        VALS(V_I64(id), V_TEXT(hierarchy), V_I64(day)), ret, ret_found);
}

/* Who stands above `id` today, nearest first.  What has no administrative parent of its own lies where the place it is
 * part of lies: the flats of a grid's building are the grid's.  None where no link of the hierarchy is met.  A ring or
 * a chain deeper than DEPTH_MAX is refused. */
static enum err ancestors_of(struct ctx *ctx, struct str hierarchy, int64_t id, int64_t day, int64_t *ret,
                             size_t *ret_n) {
    bool is_met = str_eq(hierarchy, PROPERTY);
    size_t n = 0;
    for (int64_t at = id;;) {
        int64_t parent = 0;
        bool found;
        TRY(parent_of(ctx, hierarchy, at, day, &parent, &found));
        is_met |= found;
        if (!found && !str_eq(hierarchy, PROPERTY)) TRY(parent_of(ctx, PROPERTY, at, day, &parent, &found));
        if (!found) break;
        if (n == DEPTH_MAX - 1 || parent == id) return FAIL_FIELD(&ctx->fault, "parent_id", "ring", DEPTH_MAX - 1);
        ret[n++] = at = parent;
    }
    *ret_n = is_met ? n : 0;
    return OK;
}

static enum err close_one(struct ctx *ctx, int64_t id, int64_t day) {
    int64_t above[DEPTH_MAX], one;
    size_t n = 0;
    bool was_closed;
    TRY(ancestors_of(ctx, PROPERTY, id, day, above, &n));
    TRY(closure_put(ctx, PROPERTY, id, above, n));
    TRY(ancestors_of(ctx, ADMINISTRATIVE, id, day, above, &n));
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT depth FROM place_closure WHERE descendant = $1 AND hierarchy = 'administrative' LIMIT 1",
                   VALS(V_I64(id)), &one, &was_closed));
    return n || was_closed ? closure_put(ctx, ADMINISTRATIVE, id, above, n) : OK;
}

/* The place and everything that stood under it, in either hierarchy. */
static enum err close_under(struct ctx *ctx, int64_t id, int64_t day) {
    struct db_rows rows = {0};
    int64_t most = 0;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT COUNT(DISTINCT descendant) FROM place_closure WHERE ancestor = $1 AND depth > 0",
                   VALS(V_I64(id)), &most, &found));
    if (most > SUBTREE_MAX)
        return FAIL(&ctx->fault, ERR_LIMIT, "too_large", "more than %d places stand under it", SUBTREE_MAX);
    int64_t *ids = arena_new(ctx->arena, int64_t, (size_t)most + 1);
    size_t n = 0;
    if (!ids) return FAIL_MEMORY(ctx);
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT DISTINCT descendant FROM place_closure WHERE ancestor = $1 AND depth > 0 ORDER BY "
                          "descendant LIMIT 20000",
                          VALS(V_I64(id)), &rows);
    while (n < (size_t)most && db_more(&rows, &ctx->fault, &e)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    TRY(e);
    TRY(close_one(ctx, id, day));
    for (size_t i = 0; i < n; i++) TRY(close_one(ctx, ids[i], day));
    return OK;
}

/* Where it stands now ends the day the new link begins: a boundary is redrawn by one row. */
static enum err end_before(struct ctx *ctx, const struct place_parent *p) {
    struct place_parent end = {0};
    int64_t id;
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM place_parents WHERE place_id = $1 AND hierarchy = $2 AND archived_ms = 0 AND "
                   "valid_from < $3 AND valid_until IS NULL",
                   VALS(V_I64(p->place_id), V_TEXT(p->hierarchy), V_I64(p->valid_from)), &id, &found));
    if (!found) return OK;
    SET(&place_parents, &end, valid_until, p->valid_from);
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e =
        row_update(ctx, &place_parents, id, 0, &end, UINT64_C(1) << field_index(&place_parents, "valid_until"), NULL);
    ctx->actor = actor;
    return e;
}

static enum err prepare_parent(struct ctx *ctx, void *row, const void *before) {
    struct place_parent *p = row;
    if (before || !row_has(&place_parents, p, "place_id")) return OK;
    TRY(place_community(ctx, p->place_id, &p->row.community_id));
    bool whole = row_has(&place_parents, p, "hierarchy") && row_has(&place_parents, p, "valid_from");
    return whole ? end_before(ctx, p) : OK;
}

static enum err parent_changed(struct ctx *ctx, void *row, const void *before) {
    (void)before;
    struct place_parent *p = row;
    return close_under(ctx, p->place_id, kernel_day(ctx, p->row.community_id));
}

static const struct resource place_parents = {
    .name = "place_parents",
    .size = sizeof(struct place_parent),
    .dated = "place_id hierarchy",
    .place = "place_id",
    ROWS(fields, parent_fields),
    ROWS(grants, parent_grants),
    .prepare = prepare_parent,
    .after = parent_changed,
};

static enum err put_parent(struct ctx *ctx, const struct place *p, struct str hierarchy, int64_t parent_id) {
    struct place_parent link = {.row.community_id = p->row.community_id};
    int64_t above[DEPTH_MAX] = {parent_id};
    size_t n = 0;
    /* Its closure first: the link's own row belongs to the community that the place is in. */
    TRY(ancestors_of(ctx, hierarchy, parent_id, kernel_day(ctx, p->row.community_id), above + 1, &n));
    TRY(closure_put(ctx, hierarchy, p->row.id, above, n + 1));
    SET(&place_parents, &link, place_id, p->row.id);
    SET(&place_parents, &link, hierarchy, hierarchy);
    SET(&place_parents, &link, parent_id, parent_id);
    SET(&place_parents, &link, valid_from, kernel_day(ctx, p->row.community_id));
    struct actor actor = ctx->actor;
    ctx->actor = actor_system();
    enum err e = row_create(ctx, &place_parents, &link);
    ctx->actor = actor;
    return e;
}

/* A place that is put away takes nothing along: what stands under it goes first, and comes back after it. */
static enum err check_archive(struct ctx *ctx, const struct place *p) {
    static const char under[] =
        "SELECT p.id FROM place_closure c JOIN places p ON p.id = c.descendant WHERE c.ancestor "
        "= $1 AND c.depth > 0 AND p.archived_ms = 0 LIMIT 1";
    static const char over[] = "SELECT p.id FROM place_closure c JOIN places p ON p.id = c.ancestor WHERE c.descendant "
                               "= $1 AND c.depth > 0 AND p.archived_ms <> 0 LIMIT 1";
    int64_t id;
    bool found, away = p->row.archived_ms != 0;
    TRY(db_one_i64(ctx->db, &ctx->fault, away ? under : over, VALS(V_I64(p->row.id)), &id, &found));
    if (!found) return OK;
    if (away) return FAIL(&ctx->fault, ERR_CONFLICT, "has_places", "places stand under it; archive those first");
    return FAIL(&ctx->fault, ERR_CONFLICT, "under_archived", "it stands under an archived place; restore that first");
}

static enum err place_changed(struct ctx *ctx, void *row, const void *before) {
    struct place *p = row;
    const struct place *was = before;
    char id[24]; /* where nobody gave it a code */
    struct buf b;
    buf_init(&b, id, sizeof id);
    buf_i64(&b, p->row.id);
    if (was && !was->row.archived_ms != !p->row.archived_ms) TRY(check_archive(ctx, p));
    if (row_has(&places, p, "keeps_records") && p->keeps_records)
        TRY(community_put(ctx, p->row.id, row_has(&places, p, "code") ? p->code : (struct str){b.ptr, b.len}, p->name,
                          p->zone));
    if (before) return OK;
    bool up = row_has(&places, p, "parent_id"), admin = row_has(&places, p, "admin_parent_id");
    TRY(closure_put(ctx, PROPERTY, p->row.id, NULL, 0));
    if (up) TRY(put_parent(ctx, p, PROPERTY, p->parent_id));
    if (admin) TRY(put_parent(ctx, p, ADMINISTRATIVE, p->admin_parent_id));
    return OK;
}

static enum err validate_place(struct ctx *ctx, const void *row) {
    const struct place *p = row;
    if (!p->row.community_id) return FAIL_FIELD(&ctx->fault, "parent_id", "required", 0);
    return OK;
}

const struct resource places = {
    .name = "places",
    .group = "estate",
    .icon = "place",
    .size = sizeof(struct place),
    .label = "name",
    .place = "id",
    ROWS(fields, place_fields),
    ROWS(grants, place_grants),
    ROWS(views, place_views),
    .prepare = prepare_place,
    .validate = validate_place,
    .after = place_changed,
};

/* Boundaries change by the calendar: each night what is in force that day is closed anew, a page a transaction. */
#define PAGE 256
struct closing {
    int64_t after_id, last_id; /* where the page before ended, and this one */
    bool more;
};

static enum err close_page(struct ctx *ctx, void *arg) {
    struct closing *c = arg;
    int64_t day = ctx->now_ms / 86400000, ids[PAGE]; /* each zone's own day is within one of it */
    struct db_rows rows = {0};
    size_t n = 0;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT DISTINCT place_id FROM place_parents WHERE archived_ms = 0 AND place_id > $3 AND "
                          "(valid_from BETWEEN $1 AND $2 OR valid_until BETWEEN $1 AND $2) ORDER BY place_id LIMIT $4",
                          VALS(V_I64(day - 1), V_I64(day + 1), V_I64(c->after_id), V_I64(PAGE)), &rows);
    while (n < PAGE && db_more(&rows, &ctx->fault, &e)) ids[n++] = db_i64(&rows, 0);
    db_done(&rows);
    for (size_t i = 0; !e && i < n; i++) {
        int64_t community = 0;
        e = place_community(ctx, ids[i], &community);
        if (!e) e = close_under(ctx, ids[i], kernel_day(ctx, community));
    }
    c->more = n == PAGE;
    c->last_id = n ? ids[n - 1] : 0;
    return e;
}

static enum err close_job(struct ctx *ctx) {
    struct closing c = {.more = true};
    for (; c.more; c.after_id = c.last_id) TRY(ctx_write(ctx, close_page, &c)); /* ends: ids rise */
    return OK;
}

static const struct resource *const resources[] = {&places, &place_parents};
static const struct job jobs[] = {{"places.close_today", INT64_C(3600000), close_job}};

const struct module places_module = {
    .name = "places",
    .part = "platform",
    ROWS(resources, resources),
    ROWS(jobs, jobs),
    .roles = "admin street manager dispatcher guard repairer grid cashier carer doctor committee owner resident elder "
             "partner",
};
