/* Tables from tables: DDL for both stores, fresh installs and upgrades.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"
#include "kernel/setting.h"

#include <string.h>

#define DDL_MAX (4u * 1024 * 1024)

bool is_stored_sealed(const struct field *f) {
    return f->class != ORDINARY;
}

static const char *column_type(const struct field *f) {
    if (is_stored_sealed(f)) return "{B}";
    enum field_shape shape = field_kinds[f->kind].shape;
    return shape == SHAPE_TEXT || shape == SHAPE_STATE || shape == SHAPE_IDS ? "{T}" : "{I}";
}

static void put_table(struct buf *b, const struct known *kn) {
    const struct resource *r = kn->r;
    for (size_t i = 0; i < SYSTEM_FIELDS; i++)
        buf_fmt(b, i ? ", %s {I} NOT NULL" : "CREATE TABLE %s (id {I} NOT NULL PRIMARY KEY",
                i ? system_fields[i].name : r->name);
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind != FIELD_LINES) buf_fmt(b, ", %s %s", r->fields[i].name, column_type(&r->fields[i]));
    buf_cstr(b, "){S};\n");
    buf_fmt(b, "CREATE INDEX %s_by_community ON %s (community_id, archived_ms, id);\n", r->name, r->name);
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if (f->flags & UNIQUE)
            buf_fmt(b, "CREATE UNIQUE INDEX %s_of_%s ON %s (community_id, %s)%s;\n", r->name, f->name, r->name, f->name,
                    f->flags & FREED ? " WHERE archived_ms = 0" : "");
        else if ((f->flags & INDEXED) || (f->kind == FIELD_REF && i == kn->place))
            buf_fmt(b, "CREATE INDEX %s_by_%s ON %s (%s, archived_ms, id);\n", r->name, f->name, r->name, f->name);
    }
    for (size_t i = 0; i < r->relations_n; i++) {
        size_t at = field_index(r, r->relations[i].column);
        if (at == NO_FIELD || at == kn->place || (r->fields[at].flags & (INDEXED | UNIQUE))) continue;
        buf_fmt(b, "CREATE INDEX %s_rel_%s ON %s (%s, id);\n", r->name, r->relations[i].name, r->name,
                r->fields[at].name);
    }
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if (f->kind != FIELD_LINES) continue;
        buf_fmt(b, "CREATE TABLE %s_%s (row_id {I} NOT NULL, pos {I} NOT NULL", r->name, f->name);
        for (size_t j = 0; j < f->lines->fields_n; j++)
            buf_fmt(b, ", %s %s", f->lines->fields[j].name, column_type(&f->lines->fields[j]));
        buf_cstr(b, ", PRIMARY KEY (row_id, pos)){S};\n");
    }
}

/* ---- install ---- */

struct install {
    const struct kernel *k;
    struct db *db;
    const struct world *world;
    struct fault *f;
    struct arena *arena;
};

static enum err note_upgrade(struct install *in, const char *module, int64_t number) {
    return db_exec(in->db, in->f, "INSERT INTO upgrades (module, number, at_ms) VALUES ($1, $2, $3)",
                   VALS(V_TEXT(str_of(module)), V_I64(number), V_I64(in->world->utc_ms(in->world->self))), NULL);
}

/* Tables of the module's resources and its own. */
static enum err module_tables(struct install *in, const struct module *module) {
    struct buf ddl;
    buf_init_arena(&ddl, in->arena, DDL_MAX);
    for (size_t i = 0; i < module->resources_n; i++)
        if (!module->resources[i]->select) put_table(&ddl, known_of(in->k, module->resources[i]));
    if (module->ddl) buf_cstr(&ddl, module->ddl);
    if (ddl.overflow) return FAIL(in->f, ERR_LIMIT, "schema", "the schema of %s is too large", module->name);
    if (ddl.len) TRY(db_script(in->db, in->f, ddl.ptr));
    TRY(note_upgrade(in, module->name, 0));
    for (size_t i = 0; i < module->upgrades_n; i++) TRY(note_upgrade(in, module->name, module->upgrades[i].number));
    return OK;
}

static enum err as_system(struct install *in, enum err (*fn)(struct ctx *ctx)) {
    struct ctx ctx = {.kernel = in->k, .db = in->db, .arena = in->arena, .world = in->world, .actor = actor_system()};
    ctx_begin(&ctx);
    enum err e = fn(&ctx);
    if (e) *in->f = ctx.fault;
    return e;
}

static enum err run_upgrade(struct install *in, const struct module *module, const struct upgrade *up) {
    const char *texts[] = {up->sql, db_kind(in->db) == DB_SQLITE ? up->sqlite : up->postgres};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i]) TRY(db_script(in->db, in->f, texts[i]));
    if (up->run) TRY(as_system(in, up->run));
    return note_upgrade(in, module->name, up->number);
}

/* A module that is new to this store gets its tables; one that is known gets the steps it lacks. */
static enum err upgrade_module(struct install *in, const struct module *module) {
    int64_t have = -1;
    bool known;
    TRY(db_one_i64(in->db, in->f, "SELECT MAX(number) FROM upgrades WHERE module = $1",
                   VALS(V_TEXT(str_of(module->name))), &have, &known));
    int64_t newest = module->upgrades_n ? module->upgrades[module->upgrades_n - 1].number : 0;
    if (known && have > newest)
        return FAIL(in->f, ERR_CONFLICT, "store_newer", "the store was written by a newer program (%s %lld)",
                    module->name, (long long)have);
    if (!known) return module_tables(in, module);
    for (size_t i = 0; i < module->upgrades_n; i++)
        if (module->upgrades[i].number > have) TRY(run_upgrade(in, module, &module->upgrades[i]));
    return OK;
}

/* Every column the tables name must be there: else a step is missing, and it is better not to start. */
static enum err compare(struct install *in, const struct known *kn) {
    struct buf have;
    buf_init_arena(&have, in->arena, 65536);
    TRY(db_columns(in->db, in->f, kn->r->name, &have));
    struct str text = {have.ptr, have.len}, line;
    uint64_t found = 0;
    while (str_cut(&text, '\n', &line)) {
        struct str name = {NULL, 0};
        size_t i = str_word(&line, &name) ? field_index_str(kn->r, name) : NO_FIELD;
        if (i != NO_FIELD) found |= UINT64_C(1) << i;
    }
    for (size_t i = 0; i < kn->r->fields_n; i++)
        if (bit_has(kn->stored, i) && !bit_has(found, i))
            return FAIL(in->f, ERR_CONFLICT, "store_differs",
                        "the store has no column %s.%s and there is no upgrade step for it; start with an empty store",
                        kn->r->name, kn->r->fields[i].name);
    return OK;
}

/* A search only reads: it finds its key made. */
static enum err put_own(struct ctx *ctx) {
    uint8_t key[32];
    TRY(installation_key(ctx, "search", key));
    return settings_sync(ctx);
}

static enum err install(void *arg) {
    struct install *in = arg;
    struct buf have;
    buf_init_arena(&have, in->arena, 65536);
    TRY(db_columns(in->db, in->f, "upgrades", &have));
    if (!have.len) {
        TRY(db_script(in->db, in->f, kernel_tables));
        for (size_t m = 0; m < in->k->options.modules_n; m++) TRY(module_tables(in, in->k->options.modules[m]));
        return as_system(in, put_own);
    }
    for (size_t m = 0; m < in->k->options.modules_n; m++) TRY(upgrade_module(in, in->k->options.modules[m]));
    for (size_t i = 0; i < in->k->known_n; i++)
        if (!in->k->known[i].r->select) TRY(compare(in, &in->k->known[i]));
    return as_system(in, put_own);
}

enum err kernel_install(const struct kernel *k, struct db *db, const struct world *world, struct fault *f) {
    struct arena arena;
    arena_init(&arena, (size_t)4 * DDL_MAX);
    struct install in = {k, db, world, f, &arena};
    enum err e = db_tx(db, f, DB_WRITE, &(struct db_unit){.fn = install, .arg = &in});
    arena_finish(&arena);
    return e;
}
