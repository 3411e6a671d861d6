/* Over HTTP: repeated idempotency keys for every resource that somebody may create, what is read-only, exports and
 * histories.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/api_server.h"
#include "tests/lib/conform_internal.h"

#include "kernel/row_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The body that makes a row, by somebody at `place_id`; who reaches everything says which community is meant. */
static const char *body_of(struct run *u, bool says_community) {
    void *row = calloc(1, u->r->size);
    struct buf b;
    struct jw j;
    struct str text = {"", 0};
    conform_fresh(u);
    conform_base_row(u, u->r, row);
    buf_init_arena(&b, &u->keep, 1 << 20);
    jw_init(&j, &b);
    jw_open(&j, '{');
    row_write_json(&j, u->r, row, fields_creatable(u->r) & ((struct row *)row)->has, ~UINT32_C(0));
    if (says_community) jw_put(&j, "'community_id':$", JV(J_ID(u->site.community)));
    jw_close(&j, '}');
    CHECK(u->t, buf_done(&b, &text));
    free(row);
    return text.ptr;
}

/* True: this role made a row, and the same key did not make another. */
static bool try_key(struct run *u, struct api_server *s, const char *role, int64_t place_id, int64_t person_id) {
    char target[80], key[64], token[96];
    snprintf(token, sizeof token, "%s.%lld.%lld.%lld", role, (long long)place_id, (long long)person_id,
             (long long)u->site.place);
    snprintf(target, sizeof target, "/api/v1/%s", u->r->name);
    snprintf(key, sizeof key, "Idempotency-Key: key-%lld", (long long)u->serial);
    const char *body = body_of(u, !place_id && !(u->r->flags & INSTALLATION)), *other = body_of(u, false);
    struct counts before = conform_count(u);
    struct api_got first = api_ask(s, token, "POST", target, key, body);
    if (first.status != 201) {
        snprintf(u->why, sizeof u->why, "%d %.40s %.40s.%.40s", first.status, api_at(&first, "code"),
                 api_at(&first, "errors.0.field"), api_at(&first, "errors.0.code"));
        return false;
    }
    struct api_got again = api_ask(s, token, "POST", target, key, body);
    struct bytes x = first.reply.body, y = again.reply.body;
    CHECK_SAY(u->t, again.status == 201 && x.len == y.len && !memcmp(x.ptr, y.ptr, x.len),
              "%s: a repeated key answers %d %.*s", u->r->name, again.status, (int)y.len, (const char *)y.ptr);
    CHECK_SAY(u->t, str_is(api_header(&again, "Idempotency-Replayed"), "true"), "%s: not said to be a repeat",
              u->r->name);
    struct counts now = conform_count(u);
    CHECK_SAY(u->t, now.rows == before.rows + 1 && now.audit == before.audit + 1 && now.events == before.events + 1,
              "%s: a repeated key leaves %lld rows, %lld audit rows, %lld events", u->r->name,
              (long long)(now.rows - before.rows), (long long)(now.audit - before.audit),
              (long long)(now.events - before.events));
    struct api_got clash = api_ask(s, token, "POST", target, key, other);
    CHECK_SAY(u->t, strcmp(body, other) == 0 || (clash.status == 409 && api_holds(&clash, "idempotency_mismatch")),
              "%s: the key with another body answers %d", u->r->name, clash.status);
    CHECK(u->t, conform_count(u).rows == now.rows);
    u->rows += 4;
    return true;
}

static void try_resource(struct run *u, struct api_server *s) {
    bool may = false, made = false;
    for (size_t g = 0; g < u->r->grants_n && !made; g++) {
        struct str rest = str_of(u->r->grants[g].roles), role;
        if (!(u->r->grants[g].verbs & CREATE)) continue;
        may = true;
        while (!made && str_word(&rest, &role)) {
            const char *name = arena_cstr(&u->keep, role);
            const int64_t places[] = {u->site.community, u->site.place, 0};
            for (size_t i = 0; i < COUNT(places) && !made; i++)
                made = try_key(u, s, name, places[i], u->site.person) ||
                       try_key(u, s, name, places[i], u->site.other_person); /* nobody's own business */
        }
    }
    CHECK_SAY(u->t, made || !may, "%s: nobody who may create it could, over HTTP: the last one %s", u->r->name, u->why);
}

/* Over a SELECT: who reads it is refused each change by name, and nothing is left. */
static void try_read_only(struct run *u, struct api_server *s) {
    static const struct {
        const char *method, *below, *body, *code; /* below NULL: of the resource, not of the row */
        int status;
    } asks[] = {
        {"GET", "", NULL, "", 200},
        {"POST", NULL, "{}", "not_allowed", 403},
        {"PATCH", "", "{}", "not_allowed", 403},
        {"DELETE", "", NULL, "not_allowed", 403},
        {"POST", "/restore", NULL, "not_allowed", 403},
        {"POST", "/approve", "{}", "not_found", 404},
    };
    struct str rest = str_of(u->r->grants[0].roles), role;
    char token[96], target[128], row[64];
    CHECK(u->t, str_word(&rest, &role));
    conform_fresh(u);
    long long id = conform_ref_row(u, u->r->name);
    snprintf(token, sizeof token, "%.*s.%lld.%lld.0", (int)role.len, role.ptr, (long long)u->site.community,
             (long long)u->site.person);
    struct counts before = conform_count(u);
    for (size_t i = 0; i < COUNT(asks); i++) {
        snprintf(row, sizeof row, "/%lld%s", id, asks[i].below ? asks[i].below : "");
        snprintf(target, sizeof target, "/api/v1/%s%s", u->r->name, asks[i].below ? row : "");
        struct api_got got = api_ask(s, token, asks[i].method, target, NULL, asks[i].body);
        CHECK_SAY(u->t,
                  got.status == asks[i].status && (!asks[i].code[0] || !strcmp(api_at(&got, "code"), asks[i].code)),
                  "%s %s answers %d %s", asks[i].method, target, got.status, api_at(&got, "code"));
        u->rows++;
    }
    conform_check_left(u, before, 0, 0, "what was refused over HTTP");
}

/* ---- exports and histories ---- */

#define FIELDS_MOST 64

/* What protected fields held: at their largest, then as in a base row; absent where they held nothing. */
struct held {
    struct str values[FIELDS_MOST][2];
};

static void note_held(struct run *u, struct held *h, size_t turn) {
    void *row = conform_row(u->r);
    CHECK(u->t, !row_get(&u->ctx, u->r, u->subject.id, row));
    for (size_t i = 0; i < u->r->fields_n; i++) {
        const struct field *f = &u->r->fields[i];
        if (f->class == ORDINARY || f->class == SECRET || !(((const struct row *)row)->has >> i & 1)) continue;
        h->values[i][turn] = str_of(arena_cstr(&u->keep, conform_told(u, f, row, false)));
    }
    free(row);
}

/* A row whose protected fields were said, said otherwise and revealed; his by every relation that rows may be without.
 */
static void live(struct run *u, struct held *ret) {
    uint64_t protected = 0;
    void *row = conform_row(u->r);
    *ret = (struct held){0};
    conform_full_row(u);
    note_held(u, ret, 0);
    conform_base_row(u, u->r, row);
    for (size_t i = 0; i < u->r->fields_n; i++)
        if (u->r->fields[i].class & ~(uint32_t)SECRET) protected |= UINT64_C(1) << i;
    if (protected) {
        enum err e = row_update(&u->ctx, u->r, u->subject.id, 0, row, protected, NULL);
        note_held(u, ret, 1);
        u->ctx.reason = S("to see");
        if (!e) e = row_reveal(&u->ctx, u->r, u->subject.id, protected, row);
        u->ctx.reason = (struct str){NULL, 0};
        CHECK_SAY(u->t, !e, "%s: a life: %s", u->r->name, u->ctx.fault.text);
    }
    conform_give_all(u);
    free(row);
}

static bool was_held(const struct held *h, size_t field, const json_t *v) {
    bool was = false;
    for (size_t i = 0; i < COUNT(h->values[field]); i++) {
        json_t *plain = h->values[field][i].ptr ? json_loads(h->values[field][i].ptr, JSON_DECODE_ANY, NULL) : NULL;
        was |= plain && json_equal(plain, v);
        json_decref(plain);
    }
    return was;
}

/* What was and what became of each protected field: plainly where a grant says so, else nothing that tells it. */
static void check_changes(struct run *u, const struct who *w, const struct held *h, const json_t *items,
                          uint32_t clear) {
    static const char *const ends[] = {"from", "to"};
    uint64_t told = 0; /* fields of which something that was is there */
    size_t i, k;
    json_t *item, *change;
    json_array_foreach(items, i, item) json_array_foreach(json_object_get(item, "changes"), k, change) {
        size_t at = field_index(u->r, json_string_value(json_object_get(change, "field")));
        const struct field *f = &u->r->fields[at];
        if (f->class == ORDINARY) continue;
        CHECK_SAY(u->t, f->class != SECRET, "%s.%s stands in the history", u->r->name, f->name);
        for (size_t end = 0; end < COUNT(ends); end++) {
            const json_t *v = json_object_get(change, ends[end]);
            if (!v || json_is_null(v)) continue;
            bool shown = f->class & clear;
            CHECK_SAY(u->t, was_held(h, at, v) == shown, "%s.%s in the history as %s at %lld is %s", u->r->name,
                      f->name, w->role, (long long)w->place_id, shown ? "not shown" : "shown");
            if (!end) told |= UINT64_C(1) << at;
            u->rows++;
        }
    }
    for (i = 0; i < u->r->fields_n; i++)
        CHECK_SAY(u->t, !h->values[i][0].ptr || told >> i & 1, "%s.%s: the history as %s says nothing of what it was",
                  u->r->name, u->r->fields[i].name, w->role);
}

static void try_history(struct run *u, struct api_server *s, const char *token, const struct who *w,
                        const struct held *h) {
    char target[128];
    uint32_t clear;
    bool reads = conform_may(u, w, READ, &u->subject, &clear, NULL);
    snprintf(target, sizeof target, "/api/v1/%s/%lld/history", u->r->name, (long long)u->subject.id);
    struct api_got got = api_ask(s, token, "GET", target, NULL, NULL);
    CHECK_SAY(u->t, got.status == (reads ? 200 : 404), "GET %s as %s at %lld: %d", target, w->role,
              (long long)w->place_id, got.status);
    if (got.status == 200) check_changes(u, w, h, json_object_get(got.json, "items"), clear);
    u->rows++;
}

/* A sorted export of the subject and the other row. */
static void try_export(struct run *u, struct api_server *s, const char *token, const struct who *w) {
    const struct subject *two[] = {&u->subject, &u->other};
    const struct field *sort = conform_sort_field(u);
    char target[200], start[32];
    size_t want = 1, lines = 0;
    bool reads = false;
    for (size_t g = 0; g < u->r->grants_n; g++)
        reads |= (u->r->grants[g].verbs & READ) && word_in(u->r->grants[g].roles, str_of(w->role));
    snprintf(target, sizeof target, "/api/v1/%s?format=csv&f.id=%lld,%lld%s%s", u->r->name, (long long)two[0]->id,
             (long long)two[1]->id, sort ? "&sort=" : "", sort ? sort->name : "");
    struct api_got got = api_ask(s, token, "GET", target, NULL, NULL);
    CHECK_SAY(u->t, got.status == (reads ? 200 : 403), "GET %s as %s: %d", target, w->role, got.status);
    for (size_t i = 0; got.status == 200 && i < COUNT(two); i++) {
        bool may = conform_may(u, w, READ, two[i], NULL, NULL);
        snprintf(start, sizeof start, "\r\n%lld,", (long long)two[i]->id);
        CHECK_SAY(u->t, api_holds(&got, start) == may, "%s: the export as %s at %lld %s a row", u->r->name, w->role,
                  (long long)w->place_id, may ? "lacks" : "holds");
        want += may;
    }
    for (size_t i = 0; i < got.reply.body.len; i++) lines += got.reply.body.ptr[i] == '\n';
    CHECK_SAY(u->t, got.status != 200 || lines == want, "%s: the export as %s at %lld has %zu lines, expected %zu",
              u->r->name, w->role, (long long)w->place_id, lines, want);
    u->rows++;
}

static void try_told(struct run *u, struct api_server *s) {
    struct str rest = str_of(u->c->roles), role;
    struct held held = {0};
    conform_row_elsewhere(u);
    u->other = u->subject;
    if (u->r->select)
        conform_own_row(u);
    else
        live(u, &held);
    const int64_t at[] = {0, u->site.community, u->site.place, u->site.other_community};
    const int64_t people[] = {u->site.other_person, conform_owner(u)}, units[] = {0, u->site.place};
    while (str_cut(&rest, ' ', &role))
        for (size_t i = 0; i < COUNT(at) * COUNT(people); i++) {
            struct who w = {arena_cstr(&u->keep, role), at[i / 2], people[i % 2], units[i % 2]};
            char token[120];
            size_t kept = s->kept_n;
            conform_fresh(u);
            snprintf(token, sizeof token, "%s.%lld.%lld.%lld", w.role, (long long)w.place_id, (long long)w.person_id,
                     (long long)w.unit_id);
            try_export(u, s, token, &w);
            if (!u->r->select) try_history(u, s, token, &w, &held);
            while (s->kept_n > kept) json_decref(s->kept[--s->kept_n]);
        }
}

static enum err make_site(struct ctx *ctx, void *arg) {
    struct run *u = arg;
    return u->c->make(ctx, &u->site);
}

size_t conform_keys(struct t *t, const struct conform *c) {
    struct run u = {.t = t, .c = c};
    struct api_server s;
    const struct module **all = calloc(c->modules_n + 1, sizeof *all);
    memcpy(all, c->modules, c->modules_n * sizeof *all);
    all[c->modules_n] = &api_test_module;
    arena_init(&u.keep, (size_t)64 << 20);
    api_server_open(&s, t, &(struct api_world){all, c->modules_n + 1, make_site, &u, c->words, c->words_n});
    u.k = s.kernel;
    u.ctx = (struct ctx){.kernel = u.k, .world = &t->world};
    if (db_pool_take(s.pool, &u.db, &t->fault)) abort();
    u.ctx.db = u.db;
    for (size_t i = 0; i < kernel_resources(u.k); i++) {
        u.r = kernel_resource_at(u.k, i);
        if (u.r->select)
            try_read_only(&u, &s);
        else
            try_resource(&u, &s);
        try_told(&u, &s);
    }
    db_pool_give(s.pool, u.db);
    api_server_stop(&s);
    arena_finish(&u.keep);
    free(all);
    return u.rows;
}
