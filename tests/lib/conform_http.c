/* Over HTTP: repeated idempotency keys for every resource that somebody may create, and what is read-only.
 * SPDX-License-Identifier: Apache-2.0 */
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
    }
    db_pool_give(s.pool, u.db);
    api_server_stop(&s);
    arena_finish(&u.keep);
    free(all);
    return u.rows;
}
