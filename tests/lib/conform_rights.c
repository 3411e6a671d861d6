/* Every role at every place: what it reads, changes and sees, against a plain reading of the grants.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdlib.h>
#include <string.h>

static bool is_under(struct run *u, int64_t scope, bool community_reach) {
    const struct conform_site *s = &u->site;
    if (scope == 0 || scope == s->above) return true;
    if (scope == s->community) return true;
    if (scope == s->place) return true;
    (void)community_reach;
    return false;
}

/* The row stands at site.place and belongs to site.person. */
bool conform_may(struct run *u, const struct who *w, uint32_t verb, uint32_t *ret_clear, uint32_t *ret_reveal) {
    bool yes = false;
    uint32_t clear = 0, reveal = 0;
    for (size_t g = 0; g < u->r->grants_n; g++) {
        const struct grant *grant = &u->r->grants[g];
        bool reaches = false;
        if (!word_in(grant->roles, str_of(w->role)) || !(grant->verbs & verb)) continue;
        if (grant->reach == OWN) {
            for (size_t i = 0; i < u->r->relations_n; i++) {
                const struct relation *rel = &u->r->relations[i];
                size_t at = field_index(u->r, rel->column);
                if (!word_in(grant->by, str_of(rel->name))) continue;
                /* What one makes is one's own where the row says nobody else. */
                if (verb == CREATE && rel->set == OWN_ME)
                    reaches |=
                        at == NO_FIELD ? !strcmp(rel->column, "created_by") : !(u->r->fields[at].flags & REQUIRED);
                if (at == NO_FIELD) continue;
                bool person = u->r->fields[at].to && !strcmp(u->r->fields[at].to, u->c->people) && rel->set == OWN_ME &&
                              (u->r->fields[at].flags & REQUIRED);
                reaches |= person && w->person_id == u->site.person;
            }
        } else if ((u->r->flags & INSTALLATION) && !u->r->place && !u->r->member) {
            reaches = w->place_id == 0 || verb == READ; /* everybody's to read, the installation's to write */
        } else if (grant->reach == PLACE && w->place_id == u->site.place) {
            reaches = u->r->place != NULL;
        } else {
            reaches = is_under(u, w->place_id, grant->reach == COMMUNITY);
        }
        yes |= reaches;
        if (reaches && (grant->verbs & READ)) {
            clear |= grant->clear;
            reveal |= grant->reveal;
        }
    }
    if (ret_clear) *ret_clear = clear;
    if (ret_reveal) *ret_reveal = reveal;
    return yes;
}

void conform_become(struct run *u, const struct who *w) {
    struct membership m = {str_of(w->role), w->place_id};
    int64_t *me = arena_new(u->ctx.arena, int64_t, 1);
    u->ctx.actor = (struct actor){.user_id = w->person_id, .person_id = w->person_id, .language = S("en")};
    *me = w->person_id;
    u->ctx.actor.own[OWN_ME].ids = me;
    u->ctx.actor.own[OWN_ME].n = 1;
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

/* A plain row at site.place: made where a grant says so, else refused without a trace. */
static void try_create(struct run *u, const struct who *w) {
    if (conform_skips(u)) return;
    void *row = calloc(1, u->r->size);
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    conform_become(u, w);
    struct counts before = conform_count(u);
    bool may = conform_may(u, w, CREATE, NULL, NULL);
    enum err e = row_create(&u->ctx, u->r, row);
    /* A module's own rules may refuse more, and before the right is asked; never less. */
    bool own = u->r->prepare || u->r->validate;
    bool ok = may ? e != ERR_DENIED || own : e == ERR_DENIED || (e && own);
    CHECK_SAY(u->t, ok, "%s: %s at %lld creates: %s, expected %s", u->r->name, w->role, (long long)w->place_id,
              err_name(e), may ? "ok" : "denied");
    conform_check_left(u, before, e ? 0 : 1, e ? 0 : 1, "a create by a role");
    free(row);
}

static void try_rights(struct run *u, const struct who *w, int64_t id) {
    if (conform_skips(u)) return;
    uint32_t clear, reveal;
    void *row = calloc(1, u->r->size);
    struct list_page page = {0};
    conform_fresh(u);
    conform_become(u, w);
    bool reads = conform_may(u, w, READ, &clear, &reveal);
    enum err e = row_get(&u->ctx, u->r, id, row);
    CHECK_SAY(u->t, e == (reads ? OK : ERR_NOT_FOUND), "%s: %s at %lld reads: %s, expected %s", u->r->name, w->role,
              (long long)w->place_id, err_name(e), reads ? "ok" : "not_found");
    if (!e) {
        CHECK_SAY(u->t, row_clear_classes(&u->ctx, u->r, row) == clear, "%s: %s sees classes %x, expected %x",
                  u->r->name, w->role, row_clear_classes(&u->ctx, u->r, row), clear);
        check_masks(u, w, row, clear);
    }
    try_reveal(u, w, id, reads, clear | reveal);
    u->ctx.fault = (struct fault){0};
    struct list_query q = {.sort = FILTER_ID, .limit = 1000};
    e = row_list(&u->ctx, u->r, &q, &page);
    bool listed = false;
    for (size_t i = 0; !e && i < page.n; i++)
        listed |= ((struct row *)(void *)((char *)page.rows + i * u->r->size))->id == id;
    CHECK_SAY(u->t, listed == reads, "%s: %s at %lld lists it: %d, expected %d (%s)", u->r->name, w->role,
              (long long)w->place_id, listed, reads, u->ctx.fault.text);
    u->ctx.fault = (struct fault){0};
    e = row_update(&u->ctx, u->r, id, 0, row, 0, NULL); /* changes nothing, so only the right is asked */
    enum err want = !reads ? ERR_NOT_FOUND : conform_may(u, w, UPDATE, NULL, NULL) ? OK : ERR_DENIED;
    CHECK_SAY(u->t, e == want, "%s: %s at %lld updates: %s, expected %s: %s %s", u->r->name, w->role,
              (long long)w->place_id, err_name(e), err_name(want), u->ctx.fault.text, u->ctx.fault.fields[0].field);
    u->ctx.fault = (struct fault){0};
    if (!conform_may(u, w, ARCHIVE, NULL, NULL) || (u->r->flags & NO_ARCHIVE)) {
        e = row_archive(&u->ctx, u->r, id, 0);
        CHECK_SAY(u->t, e == (reads ? ERR_DENIED : ERR_NOT_FOUND), "%s: %s at %lld archives: %s", u->r->name, w->role,
                  (long long)w->place_id, err_name(e));
    }
    free(row);
}

void conform_all_rights(struct run *u, int64_t id) {
    const int64_t at[] = {
        0, u->site.above, u->site.community, u->site.place, u->site.other_community, u->site.other_place};
    struct str rest = str_of(u->c->roles), role;
    while (str_cut(&rest, ' ', &role)) {
        char *name = arena_cstr(&u->keep, role);
        for (size_t i = 0; i < COUNT(at); i++) {
            try_rights(u, &(struct who){name, at[i], u->site.other_person}, id);
            try_create(u, &(struct who){name, at[i], u->site.other_person});
            try_rights(u, &(struct who){name, at[i], u->site.person}, id);
            try_create(u, &(struct who){name, at[i], u->site.person});
        }
    }
}
