/* The conformance test of the kernel's promise.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool conform_skips(struct run *u) {
    u->rows++;
    return u->c->sampled && test_random(u->t) % 10 != 0;
}

void conform_fresh(struct run *u) {
    arena_reset(&u->t->arena);
    u->ctx.arena = &u->t->arena;
    u->ctx.actor = actor_system();
    ctx_begin(&u->ctx);
    u->since = u->t->world.new_id(u->t->world.self);
}

static int64_t number(struct run *u, const char *sql, const struct db_val *args, size_t args_n) {
    int64_t n = 0;
    bool found;
    struct fault f = {0};
    enum err e = db_one_i64(u->db, &f, sql, args, args_n, &n, &found);
    CHECK_SAY(u->t, !e, "%s: %s: %s", u->r->name, sql, f.text);
    return n;
}

/* ---- counting what a change leaves ---- */

/* Of the resource, since this row of the test began: by id, for the index by resource holds all that went before. */
static int64_t number_since(struct run *u, const char *table) {
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %s WHERE id > $1 AND resource || '' = $2", table);
    return number(u, sql, VALS(V_I64(u->since), V_TEXT(str_of(u->r->name))));
}

struct counts conform_count(struct run *u) {
    struct buf b;
    char sql[1024];
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, u->r->select ? "SELECT COUNT(*) FROM (%s) AS x" : "SELECT COUNT(*) FROM %s",
            u->r->select ? u->r->select : u->r->name);
    return (struct counts){number_since(u, "audit"), number_since(u, "events"), number(u, sql, NO_VALS)};
}

void conform_check_left(struct run *u, struct counts before, int64_t changes, int64_t rows, const char *what) {
    struct counts now = conform_count(u);
    CHECK_SAY(u->t, now.audit == before.audit + changes && now.events == before.events + changes,
              "%s: %s leaves %lld audit rows and %lld events, not %lld each", u->r->name, what,
              (long long)(now.audit - before.audit), (long long)(now.events - before.events), (long long)changes);
    CHECK_SAY(u->t, now.rows == before.rows + rows, "%s: %s adds %lld rows, not %lld", u->r->name, what,
              (long long)(now.rows - before.rows), (long long)rows);
}

/* ---- the modules' own rules ---- */

#define RULES_MOST 64 /* bits of u->met */

bool conform_rule_says(struct run *u, const char *on, struct str codes) {
    char name[96];
    struct str code;
    snprintf(name, sizeof name, "%s.%s", u->r->name, on);
    for (size_t i = 0; i < u->c->rules_n; i++) {
        bool says = i < RULES_MOST && codes.len && !strcmp(u->c->rules[i].on, name);
        for (struct str rest = codes; says && str_word(&rest, &code);) says = word_in(u->c->rules[i].says, code);
        if (!says) continue;
        u->met |= UINT64_C(1) << i;
        return true;
    }
    return false;
}

bool conform_refused(struct run *u, const char *on) {
    const struct fault *f = &u->ctx.fault;
    char codes[1024];
    struct buf b;
    buf_init(&b, codes, sizeof codes);
    for (size_t i = 0; i < f->fields_n; i++) buf_fmt(&b, "%s.%s ", f->fields[i].field, f->fields[i].code);
    if (!f->fields_n) buf_cstr(&b, f->code);
    return f->kind && conform_rule_says(u, on, (struct str){codes, b.len});
}

void conform_check_rules(struct run *u) {
    CHECK(u->t, u->c->rules_n <= RULES_MOST);
    for (size_t i = 0; i < u->c->rules_n && !u->c->sampled; i++) {
        struct str on = str_of(u->c->rules[i].on), name;
        CHECK_SAY(u->t, str_cut(&on, '.', &name) && kernel_resource(u->k, name), "%s: no such resource",
                  u->c->rules[i].on);
        if (!str_is(name, u->r->name)) continue;
        CHECK_SAY(u->t, u->met >> i & 1, "%s: the rule that is named here never refused anything", u->c->rules[i].on);
    }
}

/* ---- fields ---- */

struct str conform_told(struct run *u, const struct field *f, const void *row, bool mask) {
    struct buf b;
    struct jw j;
    struct str text = {NULL, 0};
    buf_init_arena(&b, &u->t->arena, 1 << 20);
    jw_init(&j, &b);
    field_write_json(&j, u->r, f, row, mask);
    CHECK(u->t, buf_done(&b, &text));
    return text;
}

bool conform_lists(struct run *u, int64_t id) {
    struct list_query q = {.sort = FILTER_ID, .limit = 2, .filters_n = 1};
    struct list_page page = {0};
    q.filters[0] = (struct filter){FILTER_ID, FILTER_IN, &V_I64(id), 1};
    u->ctx.fault = (struct fault){0};
    return !row_list(&u->ctx, u->r, &q, &page) && page.n == 1 && ((const struct row *)page.rows)->id == id;
}

/* A value of a line that breaks its field's bounds is refused by the line and the field. */
static void try_line(struct run *u, size_t i, size_t inner, enum size size) {
    const struct field *f = &u->r->fields[i], *in = &f->lines->fields[inner];
    char name[96];
    void *row = conform_row(u->r);
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    struct lines lines = conform_lines(u, f, f->min > 1 ? f->min : 1, SMALLEST);
    if (conform_set(u, in, lines.rows, size)) {
        *(struct lines *)(void *)((char *)row + f->at) = lines;
        *(uint64_t *)lines.rows |= UINT64_C(1) << inner;
        ((struct row *)row)->has |= UINT64_C(1) << i;
        struct counts before = conform_count(u);
        snprintf(name, sizeof name, "%.24s.0.%s", f->name, in->name);
        enum err e = row_create(&u->ctx, u->r, row);
        CHECK_SAY(u->t, e == ERR_INVALID && !strncmp(u->ctx.fault.fields[0].field, name, 46),
                  "%s.%s must be refused by name, got %s %s", u->r->name, name, err_name(e),
                  u->ctx.fault.fields[0].field);
        conform_check_left(u, before, 0, 0, name);
        u->rows++;
    }
    free(row);
}

static void try_field(struct run *u, size_t i, enum size size) {
    static const char *const names[] = {"smallest", "largest", "too small", "too large"};
    const struct field *f = &u->r->fields[i];
    void *row = conform_row(u->r);
    bool good = size <= LARGEST;
    char on[96];
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    bool kernels = u->r->dated && word_in("valid_from valid_until", str_of(f->name)); /* its own test looks at these */
    if (kernels || (f->flags & SYSTEM) || !conform_set(u, f, row, size)) {
        free(row);
        return;
    }
    ((struct row *)row)->has |= UINT64_C(1) << i;
    if (good) conform_complete(u, u->r, row, f->name);
    u->rows++;
    struct counts before = conform_count(u);
    enum err e = row_create(&u->ctx, u->r, row);
    snprintf(on, sizeof on, "%s.%s", f->name, names[size]);
    if (good) {
        CHECK_SAY(u->t, !e || conform_refused(u, on), "%s.%s: %s: %s.%s", u->r->name, on, u->ctx.fault.text,
                  u->ctx.fault.fields[0].field, u->ctx.fault.fields[0].code);
    } else {
        bool named = false;
        for (size_t n = 0; n < u->ctx.fault.fields_n; n++) named |= !strcmp(u->ctx.fault.fields[n].field, f->name);
        CHECK_SAY(u->t, e == ERR_INVALID && named, "%s.%s must be refused by name, got %s %s", u->r->name, on,
                  err_name(e), u->ctx.fault.fields[0].field);
    }
    conform_check_left(u, before, e ? 0 : 1, e ? 0 : 1, names[size]);
    if (!e) { /* what was stored reads back the same */
        void *back = conform_row(u->r);
        e = row_get(&u->ctx, u->r, ((struct row *)row)->id, back);
        struct str was = conform_told(u, f, row, false), is = conform_told(u, f, back, false);
        CHECK_SAY(u->t, !e && str_eq(was, is), "%s.%s comes back as " STR_FMT ", was " STR_FMT, u->r->name, f->name,
                  STR_ARG(is), STR_ARG(was));
        free(back);
    }
    free(row);
}

static void try_absent(struct run *u, size_t i) {
    const struct field *f = &u->r->fields[i];
    if (!(f->flags & REQUIRED) || (f->flags & SYSTEM)) return;
    void *row = conform_row(u->r);
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    ((struct row *)row)->has &= ~(UINT64_C(1) << i);
    u->rows++;
    enum err e = row_create(&u->ctx, u->r, row);
    bool named = false;
    for (size_t n = 0; n < u->ctx.fault.fields_n; n++)
        named |= !strcmp(u->ctx.fault.fields[n].field, f->name) && !strcmp(u->ctx.fault.fields[n].code, "required");
    CHECK_SAY(u->t, e == ERR_INVALID && named, "%s without %s must be refused by name", u->r->name, f->name);
    free(row);
}

/* ---- steps ---- */

static const struct field *state_field(const struct resource *r) {
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_STATE) return &r->fields[i];
    return NULL;
}

void conform_force_state(struct run *u, int64_t id, int32_t state) {
    struct buf b;
    char sql[200];
    struct fault f = {0};
    const struct field *field = state_field(u->r);
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, "UPDATE %s SET %s = $1 WHERE id = $2", u->r->name, field->name);
    enum err e = db_exec(u->db, &f, sql, VALS(V_TEXT(str_of(u->r->states[state])), V_I64(id)), NULL);
    CHECK_SAY(u->t, !e, "%s", f.text);
}

uint64_t conform_step_input(struct run *u, const struct step *s, void *row) {
    uint64_t bits = 0;
    for (size_t i = 0; i < u->r->fields_n; i++)
        if (word_in(s->need, str_of(u->r->fields[i].name)) && conform_set(u, &u->r->fields[i], row, LARGEST))
            bits |= UINT64_C(1) << i;
    ((struct row *)row)->has = bits;
    return bits;
}

static void try_step(struct run *u, int32_t state, size_t step, const struct who *w, bool his) {
    const struct step *s = &u->r->steps[step];
    bool named_here = false, role_here = false;
    if (conform_skips(u)) return;
    int64_t id = conform_own_row(u);
    if (his) conform_give_all(u);
    if (state >= 0) conform_force_state(u, id, state);
    void *input = conform_row(u->r), *after = conform_row(u->r);
    for (size_t i = 0; i < u->r->steps_n;
         i++) /* of arrows of one name, the one that leaves from here says what it needs */
        if (!strcmp(u->r->steps[i].name, s->name) && u->r->steps[i].from == state) s = &u->r->steps[i];
    uint64_t fields = conform_step_input(u, s, input);
    for (size_t i = 0; i < u->r->steps_n; i++) {
        if (strcmp(u->r->steps[i].name, s->name) || (u->r->steps[i].from != ANY_STATE && u->r->steps[i].from != state))
            continue;
        named_here = true;
        bool reads = false;
        for (size_t g = 0; w && g < u->r->grants_n; g++)
            reads |= word_in(u->r->grants[g].roles, str_of(w->role)) && (u->r->grants[g].verbs & READ);
        role_here |= !w || (reads && word_in(u->r->steps[i].roles, str_of(w->role)));
    }
    if (w) conform_become(u, w);
    bool sees = !w || conform_reads(u, w);
    struct counts before = conform_count(u);
    enum err e = row_act(&u->ctx, u->r, id, 0, s->name, fields ? input : NULL, fields, after);
    enum err want = !sees ? ERR_NOT_FOUND : !named_here ? ERR_CONFLICT : !role_here ? ERR_DENIED : OK;
    bool refused = want == OK && e && conform_refused(u, s->name);
    CHECK_SAY(u->t, e == want || refused, "%s.%s from %s as %s: %s, expected %s: %s %s %s %s", u->r->name, s->name,
              state < 0 ? "any" : u->r->states[state], w ? w->role : "system", err_name(e), err_name(want),
              u->ctx.fault.code, u->ctx.fault.text, u->ctx.fault.fields[0].field, u->ctx.fault.fields[0].code);
    conform_check_left(u, before, e ? 0 : 1, 0, s->name);
    free(input);
    free(after);
}

/* Does this role read rows that are his by a relation which a base row leaves open? */
static bool reads_his(const struct run *u, struct str role) {
    for (size_t g = 0; g < u->r->grants_n; g++) {
        const struct grant *grant = &u->r->grants[g];
        if (!word_in(grant->roles, role) || !(grant->verbs & READ) || grant->reach != OWN) continue;
        for (size_t i = 0; i < u->r->relations_n; i++)
            if (conform_is_open(u, i) && word_in(grant->by, str_of(u->r->relations[i].name))) return true;
    }
    return false;
}

static void all_steps(struct run *u) {
    for (int32_t state = u->r->states_n ? 0 : ANY_STATE; state < (int32_t)u->r->states_n; state++)
        for (size_t step = 0; step < u->r->steps_n; step++) {
            try_step(u, state, step, NULL, false);
            struct str rest = str_of(u->c->roles), role;
            while (str_cut(&rest, ' ', &role)) {
                struct who w = {arena_cstr(&u->keep, role), u->site.community, u->site.person, 0};
                try_step(u, state, step, &w, false);
                if (reads_his(u, role)) try_step(u, state, step, &w, true);
            }
        }
}

/* A step without what it needs names each such field. */
static void all_needs(struct run *u) {
    for (size_t i = 0; i < u->r->steps_n; i++) {
        const struct step *s = &u->r->steps[i];
        struct str rest = str_of(s->need), part;
        if (!s->need) continue;
        int64_t id = conform_own_row(u);
        if (s->from >= 0) conform_force_state(u, id, s->from);
        struct counts before = conform_count(u);
        enum err e = row_act(&u->ctx, u->r, id, 0, s->name, NULL, 0, NULL);
        while (str_word(&rest, &part)) {
            bool named = false;
            for (size_t n = 0; n < u->ctx.fault.fields_n; n++)
                named |= str_is(part, u->ctx.fault.fields[n].field) && !strcmp(u->ctx.fault.fields[n].code, "required");
            CHECK_SAY(u->t, e == ERR_INVALID && named, "%s.%s without " STR_FMT ": %s", u->r->name, s->name,
                      STR_ARG(part), err_name(e));
        }
        conform_check_left(u, before, 0, 0, s->name);
        u->rows++;
    }
}

/* ---- versions, archive ---- */

static void check_stale(struct run *u, const char *what, enum err e, struct counts before, int64_t changes) {
    CHECK_SAY(u->t, e == ERR_STALE, "%s: %s of a stale version: %s", u->r->name, what, err_name(e));
    u->ctx.fault = (struct fault){0};
    conform_check_left(u, before, changes, 0, what);
    u->rows++;
}

/* Each step of a version that the row does not have. */
static void stale_steps(struct run *u) {
    for (size_t i = 0; i < u->r->steps_n; i++) {
        const struct step *s = &u->r->steps[i];
        int64_t id = conform_own_row(u);
        void *row = conform_row(u->r), *input = conform_row(u->r);
        CHECK(u->t, !row_get(&u->ctx, u->r, id, row));
        if (s->from >= 0) conform_force_state(u, id, s->from);
        int64_t version = ((struct row *)row)->version;
        uint64_t fields = conform_step_input(u, s, input);
        struct counts before = conform_count(u);
        check_stale(u, s->name, row_act(&u->ctx, u->r, id, version + 1, s->name, input, fields, NULL), before, 0);
        free(row);
        free(input);
    }
}

static void life(struct run *u) {
    int64_t id = conform_own_row(u);
    void *row = conform_row(u->r);
    struct counts before = conform_count(u);
    u->rows += 3;
    CHECK(u->t, !row_get(&u->ctx, u->r, id, row));
    int64_t version = ((struct row *)row)->version;
    check_stale(u, "an update", row_update(&u->ctx, u->r, id, version + 1, row, 0, NULL), before, 0);
    if (!(u->r->flags & NO_ARCHIVE)) {
        check_stale(u, "an archive", row_archive(&u->ctx, u->r, id, version + 1), before, 0);
        enum err e = row_archive(&u->ctx, u->r, id, version);
        CHECK_SAY(u->t, !e, "%s: archive: %s", u->r->name, u->ctx.fault.text);
        conform_check_left(u, before, 1, 0, "archive");
        u->ctx.fault = (struct fault){0};
        CHECK_SAY(u->t, !conform_lists(u, id) && !u->ctx.fault.kind, "%s: an archived row is listed", u->r->name);
        check_stale(u, "a restore", row_restore(&u->ctx, u->r, id, version, NULL), before, 1);
        e = row_restore(&u->ctx, u->r, id, version + 1, NULL);
        CHECK_SAY(u->t, !e, "%s: restore: %s", u->r->name, u->ctx.fault.text);
        conform_check_left(u, before, 2, 0, "archive and restore");
        check_stale(u, "an archive", row_archive(&u->ctx, u->r, id, version), before, 2);
    }
    free(row);
}

/* ---- all of it ---- */

static void run_resource(struct run *u) {
    for (size_t i = 0; i < u->r->fields_n && !u->r->select; i++) {
        const struct line_type *lines = u->r->fields[i].lines;
        for (enum size s = SMALLEST; s <= TOO_LARGE; s++) try_field(u, i, s);
        for (size_t n = 0; lines && n < lines->fields_n; n++)
            for (enum size s = TOO_SMALL; s <= TOO_LARGE; s++) try_line(u, i, n, s);
        try_absent(u, i);
    }
    conform_all_rights(u);
    all_steps(u);
    all_needs(u);
    stale_steps(u);
    if (!u->r->select) life(u);
    conform_all_failures(u);
    conform_check_rules(u);
}

size_t conform_module(struct t *t, const struct conform *c, const struct module *m, const char *url) {
    struct run u = {.t = t, .c = c};
    struct io_sim *disk = io_sim_create(t->seed);
    struct io io = io_sim_io(disk);
    struct kernel_options options = {.modules = c->modules,
                                     .modules_n = c->modules_n,
                                     .words = c->words,
                                     .words_n = c->words_n,
                                     .io = &io,
                                     .files_dir = "files"};
    struct db_options store = {.url = url};
    arena_init(&u.keep, (size_t)256 << 20);
    u.r = m->resources[0];
    bool ready = !kernel_create(&options, &u.k, &t->fault) && !db_open(&store, &u.db, &t->fault) &&
                 !kernel_install(u.k, u.db, &t->world, &t->fault);
    CHECK_SAY(t, ready, "%s %s", m->name, t->fault.text);
    if (ready) {
        u.ctx = (struct ctx){.kernel = u.k, .db = u.db, .world = &t->world};
        conform_fresh(&u);
        enum err e = c->make(&u.ctx, &u.site);
        CHECK_SAY(t, !e, "the site: %s %s %s", u.ctx.fault.text, u.ctx.fault.fields[0].field,
                  u.ctx.fault.fields[0].code);
        /* Places last: what changes where the site's place stands is dear once thousands of rows stand under it. */
        for (size_t i = 0; !e && i < 2 * m->resources_n; i++) {
            const char *name = m->resources[i % m->resources_n]->name;
            u.r = kernel_resource(u.k, str_of(name)); /* some are completed at start */
            if (!strcmp(name, c->places) == (i >= m->resources_n)) run_resource(&u);
        }
    }
    db_close(u.db);
    kernel_destroy(u.k);
    io_sim_destroy(disk);
    arena_finish(&u.keep);
    return u.rows;
}
