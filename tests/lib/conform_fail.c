/* Each statement and each allocation failed in turn.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- each allocation and each statement failed in turn ---- */

#define FAILURES_MOST 4000

enum doing { CREATING, UPDATING, ACTING, ARCHIVING, RESTORING, REVEALING, GETTING, LISTING, DOING__COUNT };
static const char *const doings[] = {"create", "update", "act", "archive", "restore", "reveal", "get", "list"};

/* The first field that a client may change, at its largest; 0: there is none. */
static uint64_t change_of(struct run *u, void *patch) {
    uint64_t may = fields_patchable(u->r);
    memset(patch, 0, u->r->size);
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        bool own = u->r->dated && word_in("valid_from valid_until", str_of(f->name));
        if (own || !(may >> i & 1) || f->to || f->kind == FIELD_FILE || !conform_set(u, f, patch, LARGEST)) continue;
        conform_complete(u, u->r, patch, f->name);
        return ((struct row *)patch)->has = UINT64_C(1) << i;
    }
    return 0;
}

/* One deed, prepared; done with the n-th statement or allocation failing. */
struct deed {
    enum doing doing;
    const struct step *step; /* ACTING */
    int64_t id, version;
    void *row;       /* what goes in, or what is to come out */
    uint64_t fields; /* changed, or revealed */
    struct who who;  /* reads; changes are the system's */
};

static const char *name_of(const struct deed *d) {
    return d->step ? d->step->name : doings[d->doing];
}

/* Of the row as it is stored. */
static int64_t version_of(struct run *u, int64_t id) {
    struct buf b;
    char sql[100];
    struct fault f = {0};
    int64_t version = 0;
    bool found;
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, "SELECT version FROM %s WHERE id = $1", u->r->name);
    enum err e = db_one_i64(u->db, &f, sql, VALS(V_I64(id)), &version, &found);
    CHECK_SAY(u->t, !e && found, "%s: %s", u->r->name, f.text);
    return version;
}

static bool changes(enum doing doing) {
    return doing < REVEALING;
}

/* Somebody who reads the subject and is shown some class on request, if anybody is. */
static bool find_reader(struct run *u, bool reveals, struct who *ret, uint32_t *ret_classes) {
    struct str rest = str_of(u->c->roles), role;
    while (str_cut(&rest, ' ', &role)) {
        const int64_t people[] = {u->site.other_person, conform_owner(u)};
        char *name = arena_cstr(&u->keep, role);
        for (size_t i = 0; i < COUNT(people); i++) {
            uint32_t clear, reveal;
            *ret = (struct who){name, u->site.community, people[i], 0};
            if (!conform_may(u, ret, READ, &u->subject, &clear, &reveal)) continue;
            *ret_classes = clear | reveal;
            if (!reveals || reveal) return true;
        }
    }
    return false;
}

static uint64_t fields_of_classes(const struct resource *r, uint32_t classes) {
    uint64_t bits = 0;
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].class & classes & ~(uint32_t)SECRET) bits |= UINT64_C(1) << i;
    return bits;
}

/* The row, or the change, that this deed is about; false: there is nothing like that to do here. */
static bool prepare(struct run *u, struct deed *d) {
    uint32_t classes = 0;
    conform_fresh(u);
    memset(d->row, 0, u->r->size);
    if (d->doing == CREATING)
        conform_base_row(u, u->r, d->row);
    else if (changes(d->doing) || !d->id) /* what is only read stays as it is */
        d->id = d->doing == REVEALING ? conform_full_row(u) : conform_own_row(u);
    if (d->step && d->step->from >= 0) conform_force_state(u, d->id, d->step->from);
    if (d->step) d->fields = conform_step_input(u, d->step, d->row);
    if (d->doing == RESTORING) CHECK(u->t, !row_archive(&u->ctx, u->r, d->id, 0));
    if (d->doing == UPDATING && !(d->fields = change_of(u, d->row))) return false;
    if (changes(d->doing)) {
        d->version = d->doing == CREATING ? 0 : version_of(u, d->id);
        return true;
    }
    if (!find_reader(u, d->doing == REVEALING, &d->who, &classes)) return false;
    d->fields = fields_of_classes(u->r, classes);
    conform_become(u, &d->who);
    return d->doing != REVEALING || d->fields;
}

static enum err do_it(struct run *u, const struct deed *d) {
    struct list_query q = {.sort = FILTER_ID, .limit = 3};
    struct list_page page = {0};
    switch (d->doing) {
    case CREATING: return row_create(&u->ctx, u->r, d->row);
    case UPDATING: return row_update(&u->ctx, u->r, d->id, 0, d->row, d->fields, NULL);
    case ACTING: return row_act(&u->ctx, u->r, d->id, 0, d->step->name, d->row, d->fields, NULL);
    case ARCHIVING: return row_archive(&u->ctx, u->r, d->id, 0);
    case RESTORING: return row_restore(&u->ctx, u->r, d->id, 0, NULL);
    case REVEALING: u->ctx.reason = S("to see"); return row_reveal(&u->ctx, u->r, d->id, d->fields, d->row);
    case GETTING: return row_get(&u->ctx, u->r, d->id, d->row);
    case LISTING:
        TRY(row_list(&u->ctx, u->r, &q, &page));
        if (page.n) memcpy(d->row, page.rows, u->r->size); /* newest first: the subject */
        return OK;
    case DOING__COUNT: break;
    }
    return ERR_INTERNAL;
}

/* All of it is done, with its trail, or nothing is; and what failed shows nothing. */
static void check_done(struct run *u, const struct deed *d, enum err e, struct counts before, const char *what) {
    struct counts now = conform_count(u);
    const struct row *h = d->row;
    const char *bytes = d->row;
    bool blank = true;
    if (changes(d->doing)) {
        conform_check_left(u, before, !e, !e && d->doing == CREATING, what);
        CHECK_SAY(u->t, d->doing == CREATING || version_of(u, d->id) == d->version + !e,
                  "%s: %s with %s is %s, and the row is another", u->r->name, name_of(d), what, err_name(e));
        return;
    }
    for (size_t i = 0; i < u->r->size; i++) blank &= !bytes[i];
    bool shown = h->id == d->id && h->version > 0;
    bool told = d->doing == REVEALING && !e;
    CHECK_SAY(u->t, e ? blank : shown, "%s: a %s with %s is %s and shows %s", u->r->name, doings[d->doing], what,
              err_name(e), blank ? "nothing" : "something");
    CHECK_SAY(u->t, now.audit == before.audit + told && now.events == before.events && now.rows == before.rows,
              "%s: a %s with %s is %s and leaves %lld audit rows", u->r->name, doings[d->doing], what, err_name(e),
              (long long)(now.audit - before.audit));
}

static void fail_each(struct run *u, enum doing doing, const struct step *step, bool statements) {
    struct deed d = {.doing = doing, .step = step, .row = conform_row(u->r)};
    for (int64_t n = 1; n < FAILURES_MOST; n++) {
        if (u->c->sampled && n > 3 && test_random(u->t) % 10) {
            if (n > 400) break; /* an unfailed one ends the sampled walk now and then */
            continue;
        }
        if (!prepare(u, &d)) break;
        struct counts before = conform_count(u);
        int64_t ran = db_statements(u->db);
        u->rows++;
        if (statements)
            db_fail_in(u->db, n);
        else
            u->ctx.arena->fail_in = n;
        enum err e = do_it(u, &d);
        bool reached = statements ? db_statements(u->db) - ran >= n : !u->ctx.arena->fail_in;
        db_fail_in(u->db, 0);
        u->ctx.arena->fail_in = 0;
        u->ctx.reason = (struct str){NULL, 0};
        CHECK_SAY(u->t, !e || reached || conform_refused(u, name_of(&d)), "%s: an unfailed %s: %s %s", u->r->name,
                  name_of(&d), u->ctx.fault.text, u->ctx.fault.fields[0].code);
        u->ctx.fault = (struct fault){0};
        check_done(u, &d, e, before, statements ? "a failed statement" : "a failed allocation");
        if (!reached) break;
        CHECK_SAY(u->t, n + 1 < FAILURES_MOST, "%s: %s never ends failing", u->r->name, name_of(&d));
    }
    free(d.row);
}

static void fail_both(struct run *u, enum doing doing, const struct step *step) {
    fail_each(u, doing, step, true);
    fail_each(u, doing, step, false);
}

void conform_all_failures(struct run *u) {
    for (enum doing d = CREATING; d < DOING__COUNT; d++) {
        if (d == ACTING || (u->r->select && changes(d))) continue;
        if ((d == ARCHIVING || d == RESTORING) && (u->r->flags & NO_ARCHIVE)) continue;
        fail_both(u, d, NULL);
    }
    for (size_t i = 0; i < u->r->steps_n; i++)
        if (!u->c->sampled || test_random(u->t) % 4 == 0) fail_both(u, ACTING, &u->r->steps[i]);
}
