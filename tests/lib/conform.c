/* The conformance test of the kernel's promise.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/file.h"
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
}

static int64_t number(struct run *u, const char *sql) {
    int64_t n = 0;
    bool found;
    struct fault f = {0};
    enum err e = db_one_i64(u->db, &f, sql, NO_VALS, &n, &found);
    CHECK_SAY(u->t, !e, "%s: %s: %s", u->r->name, sql, f.text);
    return n;
}

/* ---- values ---- */

static struct str text_of(struct run *u, int64_t length, bool unique) {
    char *text = arena_alloc(&u->keep, (size_t)length + 1, 1, 1);
    memset(text, 'A', (size_t)length);
    if (unique && length >= 1) {
        int64_t n = u->serial++;
        for (int64_t i = length; i-- > 0 && i >= length - 6; n /= 26) text[i] = (char)('A' + n % 26);
    }
    return (struct str){text, (size_t)length};
}

static struct str id_number(void) {
    return S("110105194912310021");
}

/* Text that passes the field's own check: tried shapes of what checks ask for. */
static struct str checked_text(struct run *u, const struct field *f, int64_t length) {
    char *lower = arena_cstr(&u->keep, text_of(u, length, f->flags & UNIQUE));
    for (char *p = lower; *p; p++) *p = (char)(*p + 32);
    struct str tries[] = {str_of(lower),
                          text_of(u, length, f->flags & UNIQUE),
                          id_number(),
                          S("13800000000"),
                          S("https://example.org/"),
                          S("127.0.0.1"),
                          S("{\"coordinates\":[1,2],\"type\":\"Point\"}")};
    for (size_t i = 0; f->check && i < COUNT(tries); i++)
        if (!f->check(tries[i]) && (int64_t)tries[i].len <= f->max && (int64_t)tries[i].len >= f->min) return tries[i];
    return tries[1];
}

static int64_t ref_of(struct run *u, const struct field *f, const struct resource *owner, const char *name);
static bool set_value(struct run *u, const struct resource *r, const struct field *f, void *row, enum size size);

/* A JSON text of so many characters. */
static struct str json_of(struct run *u, int64_t length) {
    char *text = arena_cstr(&u->keep, text_of(u, length, false));
    text[0] = text[length - 1] = '"';
    return (struct str){text, (size_t)length};
}

static int64_t file_of(struct run *u) {
    struct file_info info;
    struct str bytes = text_of(u, 12, true);
    enum err e = file_put(&u->ctx, (struct bytes){(const uint8_t *)bytes.ptr, bytes.len}, S("a.txt"), &info);
    CHECK_SAY(u->t, !e, "a file: %s", u->ctx.fault.text);
    return e ? 0 : info.id;
}

/* Different ones; of places and people there are few, and one is enough to be looked up. */
static struct ids ids_of(struct run *u, const struct field *f, int64_t n, enum size size) {
    bool few = f->to && (!strcmp(f->to, u->c->places) || !strcmp(f->to, u->c->people));
    if (few && n > 2 && size == LARGEST) n = 2;
    int64_t *ids = arena_new(&u->keep, int64_t, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        ids[i] = size == TOO_LARGE       ? 77 + i
                 : f->kind == FIELD_FILE ? file_of(u)
                 : few && i              ? (strcmp(f->to, u->c->places) ? u->site.other_person : u->site.community)
                                         : ref_of(u, f, NULL, f->name);
    return (struct ids){ids, (size_t)n};
}

/* n lines, each with every field: at its smallest, or at its largest. */
static struct lines lines_of(struct run *u, const struct field *f, int64_t n, enum size size) {
    const struct line_type *t = f->lines;
    struct resource as = {.name = f->name, .fields = t->fields, .fields_n = t->fields_n};
    char *rows = arena_alloc(&u->keep, (size_t)n + 1, t->size, _Alignof(max_align_t));
    for (int64_t i = 0; i < n; i++)
        for (size_t k = 0; k < t->fields_n; k++)
            if (set_value(u, &as, &t->fields[k], rows + (size_t)i * t->size, size == LARGEST ? LARGEST : SMALLEST))
                *(uint64_t *)(void *)(rows + (size_t)i * t->size) |= UINT64_C(1) << k;
    return (struct lines){rows, (size_t)n};
}

/* Sets a field to a value of that size; false: the field has no such value. */
static bool set_value(struct run *u, const struct resource *r, const struct field *f, void *row, enum size size) {
    void *at = (char *)row + f->at;
    bool open = !f->min && !f->max;
    int64_t least = open ? -INT64_C(9007199254740992) : f->min, most = open ? INT64_C(9007199254740992) : f->max;
    switch (f->kind) {
    case FIELD_TEXT: {
        int64_t n = size == SMALLEST    ? (f->min                  ? f->min
                                           : (f->flags & REQUIRED) ? 1
                                                                   : 0)
                    : size == LARGEST   ? f->max
                    : size == TOO_LARGE ? f->max + 1
                                        : f->min - 1;
        if (n < 0) return false;
        *(struct str *)at = size == TOO_LARGE || size == TOO_SMALL ? text_of(u, n, false) : checked_text(u, f, n);
        return true;
    }
    case FIELD_JSON:
        if (size == TOO_SMALL) return false;
        *(struct str *)at = size > TOO_SMALL   ? json_of(u, f->max + 1)
                            : f->check         ? checked_text(u, f, 1)
                            : size == SMALLEST ? S("{}")
                                               : json_of(u, f->max);
        return true;
    case FIELD_CHOICE: {
        struct str rest = str_of(f->choices), part = {NULL, 0}, last = {NULL, 0};
        if (size == TOO_LARGE || size == TOO_SMALL) {
            *(struct str *)at = S("no-such-choice");
            return true;
        }
        while (str_cut(&rest, ' ', &part))
            if (part.len && (!last.ptr || size == LARGEST)) last = part;
        *(struct str *)at = last;
        return true;
    }
    case FIELD_INT:
    case FIELD_DECIMAL:
    case FIELD_MONEY:
    case FIELD_TIME:
    case FIELD_DATE:
        *(int64_t *)at = size == SMALLEST ? least : size == LARGEST ? most : size == TOO_LARGE ? most + 1 : least - 1;
        return true;
    case FIELD_FLAG: *(bool *)at = size == LARGEST; return size <= LARGEST;
    case FIELD_GEO:
        *(struct geo *)at = size == SMALLEST  ? (struct geo){-900000000, -1800000000}
                            : size == LARGEST ? (struct geo){900000000, 1800000000}
                                              : (struct geo){900000001, 0};
        return true;
    case FIELD_REF: *(int64_t *)at = size <= LARGEST ? ref_of(u, f, r, f->name) : 77; return true;
    case FIELD_REFS:
    case FIELD_FILE:
    case FIELD_LINES: {
        /* A field that may be empty has one at its smallest, so that there is something to read back. */
        int64_t n = size == SMALLEST    ? (f->min ? f->min : 1)
                    : size == LARGEST   ? f->max
                    : size == TOO_LARGE ? f->max + 1
                                        : f->min - 1;
        if (n < 0) return false;
        if (f->kind == FIELD_LINES)
            *(struct lines *)at = lines_of(u, f, n, size);
        else
            *(struct ids *)at = ids_of(u, f, n, size);
        return true;
    }
    case FIELD_STATE: return false;
    }
    return false;
}

void conform_base_row(struct run *u, const struct resource *r, void *row) {
    int64_t step = 0;
    memset(row, 0, r->size);
    if (!r->place && !(r->flags & INSTALLATION)) ((struct row *)row)->community_id = u->site.community;
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        bool key =
            r->dated && (word_in(r->dated, str_of(f->name)) || word_in("valid_from valid_until", str_of(f->name)));
        bool placing = r->place && !strcmp(r->place, f->name); /* the rights rows expect it at the site's place */
        if (!(f->flags & REQUIRED) && !key && !placing) continue;
        if (f->kind == FIELD_STATE || (f->flags & SYSTEM)) continue;
        if (!set_value(u, r, f, row, SMALLEST)) continue;
        if (f->kind == FIELD_TEXT)
            *(struct str *)(void *)((char *)row + f->at) = checked_text(u, f,
                                                                        f->max < 12   ? f->max
                                                                        : f->min > 12 ? f->min
                                                                                      : 12);
        if (f->kind == FIELD_TIME) *(int64_t *)(void *)((char *)row + f->at) = u->ctx.now_ms + 3600000 * ++step;
        /* Dated rows: days long past, one a row, so that they meet neither each other nor what is in force. */
        if (f->kind == FIELD_DATE)
            *(int64_t *)(void *)((char *)row + f->at) =
                u->ctx.now_ms / 86400000 - 5000 - 2 * u->serial + !strcmp(f->name, "valid_until");
        ((struct row *)row)->has |= UINT64_C(1) << i;
    }
    u->serial++;
    if (u->c->complete) u->c->complete(r, row);
}

static void *new_row(const struct resource *r) {
    return calloc(1, r->size);
}

/* A row of another resource, made as the system. */
static int64_t make_row(struct run *u, const struct resource *r) {
    void *row = new_row(r);
    struct ctx kept = u->ctx;
    u->ctx.actor = actor_system();
    u->ctx.fault = (struct fault){0};
    conform_base_row(u, r, row);
    enum err e = row_create(&u->ctx, r, row);
    CHECK_SAY(u->t, !e, "%s: a row for a reference: %s %s", r->name, u->ctx.fault.text, u->ctx.fault.fields[0].code);
    int64_t id = ((struct row *)row)->id;
    u->ctx = kept;
    free(row);
    return id;
}

static int64_t ref_of(struct run *u, const struct field *f, const struct resource *owner, const char *name) {
    (void)owner;
    (void)name;
    if (!strcmp(f->to, u->c->places)) return u->site.place;
    if (!strcmp(f->to, u->c->people)) return u->site.person;
    const struct resource *target = kernel_resource(u->k, str_of(f->to));
    if (!target->select) return make_row(u, target);
    struct ctx kept = u->ctx;
    u->ctx.actor = actor_system();
    u->ctx.fault = (struct fault){0};
    int64_t id = u->c->make_ref ? u->c->make_ref(&u->ctx, &u->site, f->to) : 0;
    CHECK_SAY(u->t, id > 0, "%s: no row for a reference: %s", f->to, u->ctx.fault.text);
    u->ctx = kept;
    return id;
}

/* ---- counting what a change leaves ---- */

struct counts conform_count(struct run *u) {
    struct buf b;
    char sql[128];
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, "SELECT COUNT(*) FROM %s", u->r->name);
    char audit[160], events[160];
    buf_init(&b, audit, sizeof audit);
    buf_fmt(&b, "SELECT COUNT(*) FROM audit WHERE resource = '%s'", u->r->name);
    buf_init(&b, events, sizeof events);
    buf_fmt(&b, "SELECT COUNT(*) FROM events WHERE resource = '%s'", u->r->name);
    return (struct counts){number(u, audit), number(u, events), number(u, sql)};
}

void conform_check_left(struct run *u, struct counts before, int64_t changes, int64_t rows, const char *what) {
    struct counts now = conform_count(u);
    CHECK_SAY(u->t, now.audit == before.audit + changes && now.events == before.events + changes,
              "%s: %s leaves %lld audit rows and %lld events, not %lld each", u->r->name, what,
              (long long)(now.audit - before.audit), (long long)(now.events - before.events), (long long)changes);
    CHECK_SAY(u->t, now.rows == before.rows + rows, "%s: %s adds %lld rows, not %lld", u->r->name, what,
              (long long)(now.rows - before.rows), (long long)rows);
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

/* A value of a line that breaks its field's bounds is refused by the line and the field. */
static void try_line(struct run *u, size_t i, size_t inner, enum size size) {
    const struct field *f = &u->r->fields[i], *in = &f->lines->fields[inner];
    struct resource as = {.name = f->name, .fields = f->lines->fields, .fields_n = f->lines->fields_n};
    char name[96];
    void *row = new_row(u->r);
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    struct lines lines = lines_of(u, f, f->min > 1 ? f->min : 1, SMALLEST);
    if (set_value(u, &as, in, lines.rows, size)) {
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
    void *row = new_row(u->r);
    bool good = size <= LARGEST;
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    bool kernels = u->r->dated && word_in("valid_from valid_until", str_of(f->name)); /* its own test looks at these */
    if (kernels || (f->flags & SYSTEM) || !set_value(u, u->r, f, row, size)) {
        free(row);
        return;
    }
    ((struct row *)row)->has |= UINT64_C(1) << i;
    u->rows++;
    struct counts before = conform_count(u);
    enum err e = row_create(&u->ctx, u->r, row);
    bool own_rule =
        false; /* a rule across fields may refuse a value that its field allows; it must name a field then */
    for (size_t n = 0; n < u->ctx.fault.fields_n; n++) own_rule |= u->ctx.fault.fields[n].field[0] != 0;
    if (good) {
        CHECK_SAY(u->t, !e || (own_rule && (u->r->validate || u->r->dated || u->r->prepare)), "%s.%s at its %s: %s %s",
                  u->r->name, f->name, names[size], u->ctx.fault.text, u->ctx.fault.fields[0].code);
    } else {
        bool named = false;
        for (size_t n = 0; n < u->ctx.fault.fields_n; n++) named |= !strcmp(u->ctx.fault.fields[n].field, f->name);
        CHECK_SAY(u->t, e == ERR_INVALID && named, "%s.%s %s must be refused by name, got %s %s", u->r->name, f->name,
                  names[size], err_name(e), u->ctx.fault.fields[0].field);
    }
    conform_check_left(u, before, e ? 0 : 1, e ? 0 : 1, names[size]);
    if (!e) { /* what was stored reads back the same */
        void *back = new_row(u->r);
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
    void *row = new_row(u->r);
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

static void force_state(struct run *u, int64_t id, int32_t state) {
    struct buf b;
    char sql[200];
    struct fault f = {0};
    const struct field *field = state_field(u->r);
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, "UPDATE %s SET %s = $1 WHERE id = $2", u->r->name, field->name);
    enum err e = db_exec(u->db, &f, sql, VALS(V_TEXT(str_of(u->r->states[state])), V_I64(id)), NULL);
    CHECK_SAY(u->t, !e, "%s", f.text);
}

/* What the step takes and needs. */
static uint64_t step_input(struct run *u, const struct step *s, void *row) {
    uint64_t bits = 0;
    for (size_t i = 0; i < u->r->fields_n; i++)
        if (word_in(s->need, str_of(u->r->fields[i].name)) && set_value(u, u->r, &u->r->fields[i], row, LARGEST))
            bits |= UINT64_C(1) << i;
    ((struct row *)row)->has = bits;
    return bits;
}

static int64_t make_own(struct run *u) {
    conform_fresh(u);
    return make_row(u, u->r);
}

static void try_step(struct run *u, int32_t state, size_t step, const struct who *w) {
    const struct step *s = &u->r->steps[step];
    bool named_here = false, role_here = false;
    if (conform_skips(u)) return;
    int64_t id = make_own(u);
    force_state(u, id, state);
    void *input = new_row(u->r), *after = new_row(u->r);
    for (size_t i = 0; i < u->r->steps_n;
         i++) /* of arrows of one name, the one that leaves from here says what it needs */
        if (!strcmp(u->r->steps[i].name, s->name) && u->r->steps[i].from == state) s = &u->r->steps[i];
    uint64_t fields = step_input(u, s, input);
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
    bool sees = !w || conform_may(u, w, READ, NULL, NULL);
    struct counts before = conform_count(u);
    enum err e = row_act(&u->ctx, u->r, id, 0, s->name, fields ? input : NULL, fields, after);
    enum err want = !sees ? ERR_NOT_FOUND : !named_here ? ERR_CONFLICT : !role_here ? ERR_DENIED : OK;
    /* A guard or a rule of the module may still refuse; then nothing is left behind. */
    bool refused = want == OK && (s->guard || s->effect || u->r->validate) && (e == ERR_CONFLICT || e == ERR_INVALID) &&
                   strcmp(u->ctx.fault.code, "wrong_state");
    CHECK_SAY(u->t, e == want || refused, "%s.%s from %s as %s: %s, expected %s: %s %s", u->r->name, s->name,
              u->r->states[state], w ? w->role : "system", err_name(e), err_name(want), u->ctx.fault.text,
              u->ctx.fault.fields[0].field);
    conform_check_left(u, before, e ? 0 : 1, 0, s->name);
    free(input);
    free(after);
}

static void all_steps(struct run *u) {
    for (int32_t state = 0; state < (int32_t)u->r->states_n; state++)
        for (size_t step = 0; step < u->r->steps_n; step++) {
            try_step(u, state, step, NULL);
            struct str rest = str_of(u->c->roles), role;
            while (str_cut(&rest, ' ', &role))
                try_step(u, state, step, &(struct who){arena_cstr(&u->keep, role), u->site.community, u->site.person});
        }
}

/* A step without what it needs names the field. */
static void all_needs(struct run *u) {
    for (size_t i = 0; i < u->r->steps_n; i++) {
        const struct step *s = &u->r->steps[i];
        struct str rest = str_of(s->need), part;
        if (!s->need || !str_cut(&rest, ' ', &part)) continue;
        int64_t id = make_own(u);
        if (s->from >= 0) force_state(u, id, s->from);
        enum err e = row_act(&u->ctx, u->r, id, 0, s->name, NULL, 0, NULL);
        CHECK_SAY(u->t, e == ERR_INVALID || s->guard, "%s.%s without its input: %s", u->r->name, s->name, err_name(e));
        u->rows++;
    }
}

/* A row with something in every protected field that a rule of its module does not forbid. */
static int64_t make_full(struct run *u) {
    int64_t id = make_own(u);
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        void *patch = new_row(u->r);
        if (f->class != ORDINARY && f->class != SECRET && set_value(u, u->r, f, patch, LARGEST)) {
            ((struct row *)patch)->has = UINT64_C(1) << i;
            enum err e = row_update(&u->ctx, u->r, id, 0, patch, UINT64_C(1) << i, NULL);
            CHECK_SAY(u->t, !e || u->r->validate || u->r->prepare, "%s.%s: %s", u->r->name, f->name, u->ctx.fault.text);
            u->ctx.fault = (struct fault){0};
        }
        free(patch);
    }
    return id;
}

/* ---- versions, archive ---- */

static void life(struct run *u) {
    int64_t id = make_own(u);
    void *row = new_row(u->r);
    struct counts before = conform_count(u);
    u->rows += 4;
    CHECK(u->t, !row_get(&u->ctx, u->r, id, row));
    int64_t version = ((struct row *)row)->version;
    enum err e = row_update(&u->ctx, u->r, id, version + 1, row, 0, NULL);
    CHECK_SAY(u->t, e == ERR_STALE, "%s: a stale version: %s", u->r->name, err_name(e));
    u->ctx.fault = (struct fault){0};
    conform_check_left(u, before, 0, 0, "a stale update");
    if (!(u->r->flags & NO_ARCHIVE)) {
        e = row_archive(&u->ctx, u->r, id, version);
        CHECK_SAY(u->t, !e, "%s: archive: %s", u->r->name, u->ctx.fault.text);
        conform_check_left(u, before, 1, 0, "archive");
        u->ctx.fault = (struct fault){0};
        struct list_query q = {.sort = FILTER_ID, .limit = 1000};
        struct list_page page = {0};
        e = row_list(&u->ctx, u->r, &q, &page);
        bool listed = false;
        for (size_t i = 0; !e && i < page.n; i++)
            listed |= ((struct row *)(void *)((char *)page.rows + i * u->r->size))->id == id;
        CHECK_SAY(u->t, !e && !listed, "%s: an archived row is listed", u->r->name);
        e = row_restore(&u->ctx, u->r, id, 0, NULL);
        CHECK_SAY(u->t, !e, "%s: restore: %s", u->r->name, u->ctx.fault.text);
        conform_check_left(u, before, 2, 0, "archive and restore");
    }
    free(row);
}

/* ---- each allocation and each statement failed in turn ---- */

#define FAILURES_MOST 4000

enum doing { CREATING, UPDATING, ACTING, ARCHIVING, RESTORING, DOING__COUNT };
static const char *const doings[] = {"create", "update", "act", "archive", "restore"};

/* The first step that needs nothing and that no rule of the module's own goes with; NULL: there is none. */
static const struct step *plain_step(const struct resource *r) {
    for (size_t i = 0; i < r->steps_n; i++)
        if (!r->steps[i].need && !r->steps[i].guard && !r->after) return &r->steps[i];
    return NULL;
}

/* The first field that a client may change, at its largest; 0: there is none. */
static uint64_t change_of(struct run *u, void *patch) {
    uint64_t may = fields_patchable(u->r);
    memset(patch, 0, u->r->size);
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        bool own = u->r->dated && word_in("valid_from valid_until", str_of(f->name));
        if (own || !(may >> i & 1) || f->to || f->kind == FIELD_FILE || !set_value(u, u->r, f, patch, LARGEST))
            continue;
        return ((struct row *)patch)->has = UINT64_C(1) << i;
    }
    return 0;
}

static enum err do_it(struct run *u, enum doing doing, int64_t id, void *row, uint64_t fields) {
    switch (doing) {
    case CREATING: return row_create(&u->ctx, u->r, row);
    case UPDATING: return row_update(&u->ctx, u->r, id, 0, row, fields, NULL);
    case ACTING: return row_act(&u->ctx, u->r, id, 0, plain_step(u->r)->name, NULL, 0, NULL);
    case ARCHIVING: return row_archive(&u->ctx, u->r, id, 0);
    case RESTORING: return row_restore(&u->ctx, u->r, id, 0, NULL);
    case DOING__COUNT: break;
    }
    return ERR_INTERNAL;
}

/* The n-th statement, or allocation, fails: all of it is done, with its trail, or nothing is. */
static void fail_each(struct run *u, enum doing doing, bool statements) {
    void *row = new_row(u->r);
    bool own_rules = u->r->validate || u->r->prepare || u->r->after;
    for (int64_t n = 1; n < FAILURES_MOST; n++) {
        int64_t id = 0;
        uint64_t fields = 0;
        if (u->c->sampled && n > 3 && test_random(u->t) % 10) {
            if (n > 400) break; /* an unfailed one ends the sampled walk now and then */
            continue;
        }
        conform_fresh(u);
        if (doing == CREATING)
            conform_base_row(u, u->r, row);
        else
            id = make_row(u, u->r);
        if (doing == ACTING && plain_step(u->r)->from >= 0) force_state(u, id, plain_step(u->r)->from);
        if (doing == RESTORING) CHECK(u->t, !row_archive(&u->ctx, u->r, id, 0));
        if (doing == UPDATING && !(fields = change_of(u, row))) break;
        struct counts before = conform_count(u);
        int64_t ran = db_statements(u->db);
        u->rows++;
        if (statements)
            db_fail_in(u->db, n);
        else
            u->ctx.arena->fail_in = n;
        enum err e = do_it(u, doing, id, row, fields);
        bool reached = statements ? db_statements(u->db) - ran >= n : !u->ctx.arena->fail_in;
        bool refused =
            e && !reached && (doing == UPDATING || doing == ACTING) && own_rules; /* by a rule of the module */
        db_fail_in(u->db, 0);
        u->ctx.arena->fail_in = 0;
        u->ctx.fault = (struct fault){0};
        conform_check_left(u, before, !e, !e && doing == CREATING,
                           statements ? "a failed statement" : "a failed allocation");
        if (refused || (!e && !reached)) break;
        CHECK_SAY(u->t, n + 1 < FAILURES_MOST, "%s: %s never ends failing", u->r->name, doings[doing]);
    }
    free(row);
}

/* ---- all of it ---- */

static void run_resource(struct run *u) {
    if (u->r->select || !strcmp(u->r->name, u->c->places) || !strcmp(u->r->name, u->c->people)) return;
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct line_type *lines = u->r->fields[i].lines;
        for (enum size s = SMALLEST; s <= TOO_LARGE; s++) try_field(u, i, s);
        for (size_t n = 0; lines && n < lines->fields_n; n++)
            for (enum size s = TOO_SMALL; s <= TOO_LARGE; s++) try_line(u, i, n, s);
        try_absent(u, i);
    }
    conform_all_rights(u, make_full(u));
    if (u->r->states_n) all_steps(u);
    all_needs(u);
    life(u);
    for (enum doing d = CREATING; d < DOING__COUNT; d++) {
        if ((d == ARCHIVING || d == RESTORING) && (u->r->flags & NO_ARCHIVE)) continue;
        if (d == ACTING && !plain_step(u->r)) continue;
        fail_each(u, d, true);
        fail_each(u, d, false);
    }
}

size_t conform_module(struct t *t, const struct conform *c, const struct module *m, const char *url) {
    struct run u = {.t = t, .c = c};
    struct io_sim *disk = io_sim_create(t->seed);
    struct io io = io_sim_io(disk);
    struct kernel_options options = {.modules = c->modules, .modules_n = c->modules_n, .io = &io, .files_dir = "files"};
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
        for (size_t i = 0; !e && i < m->resources_n; i++) {
            u.r = kernel_resource(u.k, str_of(m->resources[i]->name)); /* some are completed at start */
            run_resource(&u);
        }
    }
    db_close(u.db);
    kernel_destroy(u.k);
    io_sim_destroy(disk);
    arena_finish(&u.keep);
    return u.rows;
}
