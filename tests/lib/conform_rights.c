/* Every role at every place: what it reads, changes and sees, against a plain reading of the grants.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_people(const struct run *u) {
    return !strcmp(u->r->name, u->c->people);
}

int64_t conform_owner(const struct run *u) {
    return is_people(u) ? u->subject.id : u->site.person;
}

/* Does what is held there reach what stands where the row does?  0: it is held for the installation. */
static bool is_held_over(const struct run *u, const struct subject *s, int64_t scope) {
    return !scope || scope == u->site.above || scope == s->community || scope == s->place;
}

/* Is the row his by that relation? */
static bool is_related(const struct run *u, const struct who *w, size_t relation, uint32_t verb,
                       const struct subject *s) {
    const struct relation *rel = &u->r->relations[relation];
    int64_t whose = s->whose[relation];
    /* What one makes is one's own where the row says nobody else, and is made where one belongs. */
    if (verb == CREATE && !(u->r->flags & INSTALLATION) && !is_held_over(u, s, w->place_id)) return false;
    if (verb == CREATE && !whose) return rel->set == OWN_ME && strcmp(rel->column, "id");
    return whose && whose == (rel->set == OWN_ME ? w->person_id : w->unit_id);
}

static bool grant_reaches(const struct run *u, const struct who *w, const struct grant *grant, uint32_t verb,
                          const struct subject *s) {
    const struct resource *r = u->r;
    bool reaches = false, is_place = r->place && !strcmp(r->place, "id");
    if (grant->reach == OWN) {
        for (size_t i = 0; i < r->relations_n; i++)
            if (word_in(grant->by, str_of(r->relations[i].name))) reaches |= is_related(u, w, i, verb, s);
        return reaches;
    }
    /* Everybody's to read, the installation's to write. */
    if ((r->flags & INSTALLATION) && !r->place && !r->member) return !w->place_id || verb == READ;
    /* Who is being made belongs nowhere yet, and a place in the making is under nothing: its community must do. */
    if (r->member && verb == CREATE) return true;
    if (is_place && verb == CREATE && w->place_id &&
        ((r->flags & INSTALLATION) || (grant->reach == PLACE && w->place_id == s->place)))
        return false;
    if (grant->reach == PLACE && w->place_id == s->place) return r->place || r->member;
    return is_held_over(u, s, w->place_id);
}

/* The row stands at its place, or under it. */
bool conform_may(struct run *u, const struct who *w, uint32_t verb, const struct subject *s, uint32_t *ret_clear,
                 uint32_t *ret_reveal) {
    bool yes = false;
    uint32_t clear = 0, reveal = 0;
    for (size_t g = 0; g < u->r->grants_n; g++) {
        const struct grant *grant = &u->r->grants[g];
        if (!word_in(grant->roles, str_of(w->role)) || !(grant->verbs & verb)) continue;
        if (!grant_reaches(u, w, grant, verb, s)) continue;
        yes = true;
        if (grant->verbs & READ) {
            clear |= grant->clear;
            reveal |= grant->reveal;
        }
    }
    if (ret_clear) *ret_clear = clear;
    if (ret_reveal) *ret_reveal = reveal;
    return yes;
}

bool conform_reads(struct run *u, const struct who *w) {
    return conform_may(u, w, READ, &u->subject, NULL, NULL);
}

void conform_become(struct run *u, const struct who *w) {
    struct membership m = {str_of(w->role), w->place_id};
    int64_t *me = arena_new(u->ctx.arena, int64_t, 2);
    u->ctx.actor = (struct actor){.user_id = w->person_id, .person_id = w->person_id, .language = S("en")};
    me[0] = w->person_id;
    me[1] = w->unit_id;
    u->ctx.actor.own[OWN_ME].ids = me;
    u->ctx.actor.own[OWN_ME].n = 1;
    u->ctx.actor.own[OWN_UNITS].ids = me + 1;
    u->ctx.actor.own[OWN_UNITS].n = w->unit_id != 0;
    u->ctx.fault = (struct fault){0};
    u->ctx.rights_cache = NULL;
    CHECK(u->t, !actor_scopes(&u->ctx, &m, 1));
}

/* What the actor gets of each protected field: plainly where a grant says so, else nothing that tells it. */
static void check_masks(struct run *u, const struct who *w, const void *row, uint32_t clear) {
    struct buf b;
    struct jw j;
    struct str text = {NULL, 0};
    json_t *object = NULL;
    buf_init_arena(&b, &u->t->arena, 1 << 20);
    jw_init(&j, &b);
    jw_open(&j, '{');
    row_write_json(&j, u->r, row, ~UINT64_C(0), row_clear_classes(&u->ctx, u->r, row));
    jw_close(&j, '}');
    CHECK(u->t, buf_done(&b, &text) && !json_read(text, &object, NULL));
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        const json_t *v = json_object_get(object, f->name);
        if (f->class == ORDINARY || !(((const struct row *)row)->has >> i & 1)) continue;
        json_t *plain = json_loads(arena_cstr(&u->t->arena, conform_told(u, f, row, false)), JSON_DECODE_ANY, NULL);
        bool shown = f->class != SECRET && (f->class & clear);
        bool ok = f->class == SECRET ? !v
                  : shown            ? json_equal(v, plain)
                                     : v && !json_is_null(v) && !json_equal(v, plain);
        CHECK_SAY(u->t, ok, "%s.%s as %s at %lld is %s", u->r->name, f->name, w->role, (long long)w->place_id,
                  shown ? "not shown" : "shown");
        json_decref(plain);
        u->rows++;
    }
    json_decref(object);
}

/* A reveal asks for the class, and is told in the audit. */
static void try_reveal(struct run *u, const struct who *w, int64_t id, bool reads, uint32_t may_see) {
    void *row = calloc(1, u->r->size);
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        if (f->class == ORDINARY) continue;
        struct counts before = conform_count(u);
        u->ctx.fault = (struct fault){0};
        u->ctx.reason = S("to see");
        enum err e = row_reveal(&u->ctx, u->r, id, UINT64_C(1) << i, row);
        bool may = f->class != SECRET && (f->class & may_see);
        enum err want = !reads ? ERR_NOT_FOUND : may ? OK : ERR_DENIED;
        CHECK_SAY(u->t, e == want, "%s.%s revealed to %s at %lld: %s, expected %s", u->r->name, f->name, w->role,
                  (long long)w->place_id, err_name(e), err_name(want));
        struct counts now = conform_count(u);
        CHECK_SAY(u->t, now.audit == before.audit + !e && now.events == before.events, "%s.%s: a reveal leaves %lld",
                  u->r->name, f->name, (long long)(now.audit - before.audit));
        u->rows++;
    }
    u->ctx.reason = (struct str){NULL, 0};
    u->ctx.fault = (struct fault){0};
    free(row);
}

/* Rules may bind somebody where the row is about himself: "create_own". */
static const char *about(const struct run *u, const struct who *w, const char *verb, char on[32]) {
    snprintf(on, 32, w->person_id == conform_owner(u) ? "%s_own" : "%s", verb);
    return on;
}

/* The references of the row to what the actor cannot read: each is a bad_ref.  False: there is none. */
static bool blind_refs(struct run *u, const void *row, struct buf *ret) {
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        if (f->kind != FIELD_REF || (f->flags & SYSTEM) || !(((const struct row *)row)->has >> i & 1)) continue;
        const struct resource *to = kernel_resource(u->k, str_of(f->to));
        void *target = conform_row(to);
        struct fault kept = u->ctx.fault;
        enum err e = row_get(&u->ctx, to, *(const int64_t *)(const void *)((const char *)row + f->at), target);
        if (e) buf_fmt(ret, "%s.bad_ref ", f->name);
        u->ctx.fault = kept;
        free(target);
    }
    return ret->len > 0;
}

/* What the fault says of its fields: "until_ms.not_after ". */
static struct str told_of(struct buf *b, const struct fault *f) {
    for (size_t i = 0; i < f->fields_n; i++) buf_fmt(b, "%s.%s ", f->fields[i].field, f->fields[i].code);
    return (struct str){b->ptr, b->len};
}

#define NO_RELATION SIZE_MAX

/* A plain row at site.place, or one that names site.person by an open relation: made where a grant says so and he sees
 * what it names, else refused without a trace. */
static void try_create(struct run *u, const struct who *w, size_t relation) {
    if (conform_skips(u)) return;
    void *row = conform_row(u->r);
    char blind_mem[512], told_mem[512];
    struct buf blind, told;
    char on[32];
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    if (relation != NO_RELATION) {
        size_t at = field_index(u->r, u->r->relations[relation].column);
        *(int64_t *)(void *)((char *)row + u->r->fields[at].at) = u->site.person;
        ((struct row *)row)->has |= UINT64_C(1) << at;
    }
    struct subject made = {.community = u->site.community, .place = u->site.place};
    conform_whose(u, row, &made);
    conform_become(u, w);
    buf_init(&blind, blind_mem, sizeof blind_mem);
    buf_init(&told, told_mem, sizeof told_mem);
    struct counts before = conform_count(u);
    bool may = conform_may(u, w, CREATE, &made, NULL, NULL), sees = !blind_refs(u, row, &blind);
    enum err e = row_create(&u->ctx, u->r, row);
    enum err want = !may ? ERR_DENIED : sees ? OK : ERR_INVALID;
    struct str said = told_of(&told, &u->ctx.fault);
    bool as_expected = e == want && (want != ERR_INVALID || str_eq(said, (struct str){blind_mem, blind.len}));
    /* A module's own rules may refuse more, and before the right is asked; never less. */
    CHECK_SAY(u->t, as_expected || (e && conform_refused(u, about(u, w, "create", on))),
              "%s: %s at %lld creates: %s %s %s, expected %s", u->r->name, w->role, (long long)w->place_id, err_name(e),
              u->ctx.fault.code, told_mem, err_name(want));
    conform_check_left(u, before, e ? 0 : 1, e ? 0 : 1, "a create by a role");
    free(row);
}

static void check_try(struct run *u, const struct who *w, const char *verb, enum err e, enum err want) {
    char on[32];
    CHECK_SAY(u->t, e == want || (e && want == OK && conform_refused(u, about(u, w, verb, on))),
              "%s: %s at %lld may %s: %s, expected %s: %s %s %s", u->r->name, w->role, (long long)w->place_id, verb,
              err_name(e), err_name(want), u->ctx.fault.code, u->ctx.fault.text, u->ctx.fault.fields[0].field);
    u->ctx.fault = (struct fault){0};
}

/* Read, listed, masked and revealed as the grants say. */
static void try_reading(struct run *u, const struct who *w, int64_t id) {
    uint32_t clear, reveal;
    void *row = conform_row(u->r);
    bool reads = conform_may(u, w, READ, &u->subject, &clear, &reveal);
    enum err e = row_get(&u->ctx, u->r, id, row);
    CHECK_SAY(u->t, e == (reads ? OK : ERR_NOT_FOUND), "%s: %s at %lld reads: %s, expected %s", u->r->name, w->role,
              (long long)w->place_id, err_name(e), reads ? "ok" : "not_found");
    if (!e) {
        CHECK_SAY(u->t, row_clear_classes(&u->ctx, u->r, row) == clear, "%s: %s sees classes %x, expected %x",
                  u->r->name, w->role, row_clear_classes(&u->ctx, u->r, row), clear);
        check_masks(u, w, row, clear);
    }
    try_reveal(u, w, id, reads, clear | reveal);
    bool listed = conform_lists(u, id);
    CHECK_SAY(u->t, listed == reads, "%s: %s at %lld lists it: %d, expected %d (%s)", u->r->name, w->role,
              (long long)w->place_id, listed, reads, u->ctx.fault.text);
    u->ctx.fault = (struct fault){0};
    conform_check_lists(u, w);
    free(row);
}

static void try_changing(struct run *u, const struct who *w, int64_t id) {
    void *row = conform_row(u->r);
    struct counts before = conform_count(u);
    bool reads = conform_reads(u, w);
    enum err hidden = reads ? ERR_DENIED : ERR_NOT_FOUND;
    /* Changes nothing, so only the right is asked. */
    check_try(u, w, "update", row_update(&u->ctx, u->r, id, 0, row, 0, NULL),
              reads && conform_may(u, w, UPDATE, &u->subject, NULL, NULL) ? OK : hidden);
    conform_check_left(u, before, 0, 0, "an empty update");
    bool archives = reads && conform_may(u, w, ARCHIVE, &u->subject, NULL, NULL) && !(u->r->flags & NO_ARCHIVE);
    enum err e = row_archive(&u->ctx, u->r, id, 0), restored = e;
    check_try(u, w, "archive", e, archives ? OK : hidden);
    if (!e) {
        restored = row_restore(&u->ctx, u->r, id, 0, NULL);
        check_try(u, w, "restore", restored, OK);
    }
    conform_check_left(u, before, !e + !restored, 0, "archive and restore");
    if (!e && restored) { /* by whom no rule binds, for who tries next */
        u->ctx.actor = actor_system();
        CHECK(u->t, !row_restore(&u->ctx, u->r, id, 0, NULL));
    }
    free(row);
}

/* A resource over a SELECT refuses each change by name, whoever asks, and nothing is left. */
static void try_refusals(struct run *u, bool reads, int64_t id) {
    void *row = conform_row(u->r);
    struct counts before = conform_count(u);
    for (int i = 0; i < 5; i++) {
        static const char *const codes[] = {"not_allowed", "not_allowed", "not_allowed", "not_allowed", "no_such_step"};
        const char *code = i == 4 && !reads ? "not_found" : codes[i];
        enum err e = i == 0   ? row_create(&u->ctx, u->r, row)
                     : i == 1 ? row_update(&u->ctx, u->r, id, 0, row, 0, NULL)
                     : i == 2 ? row_archive(&u->ctx, u->r, id, 0)
                     : i == 3 ? row_restore(&u->ctx, u->r, id, 0, NULL)
                              : row_act(&u->ctx, u->r, id, 0, "approve", NULL, 0, NULL);
        CHECK_SAY(u->t, e == (i < 4 ? ERR_DENIED : ERR_NOT_FOUND) && !strcmp(u->ctx.fault.code, code),
                  "%s: change %d of what is over a SELECT: %s %s", u->r->name, i, err_name(e), u->ctx.fault.code);
        u->ctx.fault = (struct fault){0};
        u->rows++;
    }
    conform_check_left(u, before, 0, 0, "what was refused");
    free(row);
}

static void try_rights(struct run *u, const struct who *w, size_t relation) {
    int64_t id = u->subject.id;
    (void)relation;
    if (conform_skips(u)) return;
    conform_fresh(u);
    conform_become(u, w);
    try_reading(u, w, id);
    if (u->r->select)
        try_refusals(u, conform_reads(u, w), id);
    else
        try_changing(u, w, id);
}

static void each_who(struct run *u, void (*try)(struct run *u, const struct who *w, size_t relation), size_t relation) {
    const int64_t at[] = {
        0, u->site.above, u->site.community, u->site.place, u->site.other_community, u->site.other_place};
    const int64_t people[] = {u->site.other_person, conform_owner(u)}, units[] = {0, u->site.place};
    struct str rest = str_of(u->c->roles), role;
    while (str_cut(&rest, ' ', &role)) {
        char *name = arena_cstr(&u->keep, role);
        for (size_t i = 0; i < COUNT(at) * COUNT(people) * COUNT(units); i++)
            try(u, &(struct who){name, at[i / 4], people[i / 2 % 2], units[i % 2]}, relation);
    }
}

/* Two rows, the newest of all: the subject, and another that others read.  That one stands elsewhere; or, where the
 * subject is somebody's by a relation that rows may be without, it is another's by it. */
static void make_two(struct run *u, size_t relation) {
    if (relation == NO_RELATION) {
        conform_row_elsewhere(u);
    } else {
        conform_own_row(u);
        conform_give(u, relation, u->site.other_person);
    }
    u->other = u->subject;
    conform_full_row(u);
    if (relation != NO_RELATION) conform_give(u, relation, u->site.person);
    conform_lists_open(u);
}

void conform_all_rights(struct run *u) {
    for (size_t i = 0; i <= u->r->relations_n; i++) {
        size_t relation = i ? i - 1 : NO_RELATION;
        if (relation != NO_RELATION && !conform_is_open(u, relation)) continue;
        make_two(u, relation);
        if (u->r->select) try_refusals(u, true, u->subject.id);
        each_who(u, try_rights, relation);
        if (!u->r->select) each_who(u, try_create, relation);
    }
}
