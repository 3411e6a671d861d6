/* What happened in the demo estate before today: demo/story, told by the people themselves, each at his time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel/outbox.h"
#include "kernel/row_json.h"
#include "kernel/rows.h"
#include "main/assets.h"
#include "main/demo/demo.h"
#include "platform/cases/cases.h"
#include "platform/notices/notices.h"
#include "platform/parties/parties.h"

#include <stdio.h>
#include <string.h>

#define STORY        "demo/story/story.json"
#define NAMES_MAX    400
#define DAY_MS       INT64_C(86400000)
#define MINUTE_MS    INT64_C(60000)
#define EVENTS_MOST  200
#define NOTICES_MOST 500
#define UNSEEN_MS    (INT64_C(8) * 3600 * 1000) /* notices of the last hours are still to be read */

struct named {
    struct str name;
    int64_t id;
    const struct resource *r; /* NULL: a person */
    struct actor actor;       /* a person's, once he has done something */
};
struct telling {
    struct ctx *ctx;
    const struct demo_estate *e;
    int64_t now_ms, midnight_ms;
    struct named *names;
    size_t names_n;
};

static enum err wrong(struct telling *t, const char *what, struct str name) {
    return FAIL(&t->ctx->fault, ERR_CORRUPT, "demo", STORY ": %s " STR_FMT, what, STR_ARG(name));
}

static struct named *find(struct telling *t, struct str name) {
    for (size_t i = 0; i < t->names_n; i++)
        if (str_eq(t->names[i].name, name)) return &t->names[i];
    return NULL;
}

static enum err add(struct telling *t, struct str name, int64_t id, const struct resource *r) {
    struct named *n = &t->names[t->names_n];
    if (t->names_n == NAMES_MAX) return wrong(t, "too many names at", name);
    if (!arena_str(t->ctx->arena, name, &n->name)) return FAIL_MEMORY(t->ctx);
    n->id = id;
    n->r = r;
    t->names_n++;
    return OK;
}

/* ---- times and references ---- */

static bool read_time(const struct telling *t, struct str s, int64_t *ret) {
    struct str rest = str_from(s, 1), day, hour;
    int64_t d, h, m;
    if (str_starts(s, S("m")) && str_to_i64(rest, &m)) {
        *ret = t->now_ms + m * MINUTE_MS;
        return true;
    }
    if (!str_starts(s, S("d")) || !str_cut(&rest, ' ', &day) || !str_cut(&rest, ':', &hour)) return false;
    if (!str_to_i64(day, &d) || !str_to_i64(hour, &h) || !str_to_i64(rest, &m)) return false;
    *ret = t->midnight_ms + d * DAY_MS + (h * 60 + m) * MINUTE_MS;
    return true;
}

static enum err look_up(struct telling *t, const char *sql, struct str name, int64_t *ret) {
    bool found;
    TRY(db_one_i64(t->ctx->db, &t->ctx->fault, sql, VALS(V_I64(t->e->estate), V_TEXT(name)), ret, &found));
    return found ? OK : wrong(t, "nothing is called", name);
}

static enum err read_reference(struct telling *t, struct str s, const struct named *me, json_t **ret) {
    int64_t id = 0, at;
    char text[24];
    struct named *n;
    if (read_time(t, s, &at)) {
        *ret = json_integer(at);
        return *ret ? OK : FAIL_MEMORY(t->ctx);
    }
    if (str_is(s, "me")) {
        id = me->id;
    } else if (str_starts(s, S("place "))) {
        TRY(look_up(t, "SELECT id FROM places WHERE (community_id = $1 OR id = $1) AND name = $2 LIMIT 1",
                    str_from(s, 6), &id));
    } else if (str_starts(s, S("device "))) {
        TRY(look_up(t, "SELECT id FROM devices WHERE community_id = $1 AND code = $2 AND archived_ms = 0 LIMIT 1",
                    str_from(s, 7), &id));
    } else if ((n = find(t, str_starts(s, S("person ")) ? str_from(s, 7) : s))) {
        id = n->id;
    } else {
        return wrong(t, "nothing is called", s);
    }
    snprintf(text, sizeof text, "%lld", (long long)id);
    *ret = json_string(text);
    return *ret ? OK : FAIL_MEMORY(t->ctx);
}

/* The row of an entry with its references resolved, as fields of r. */
static enum err read_row(struct telling *t, const struct resource *r, json_t *entry, const struct named *me, void *row,
                         uint64_t *ret_fields) {
    json_t *object = json_object_get(entry, "row"), *value;
    const char *key;
    void *next;
    enum err e = OK;
    *ret_fields = 0;
    if (!object) return OK;
    json_object_foreach_safe(object, next, key, value) {
        struct str s = json_text(value);
        json_t *real = NULL;
        if (!str_starts(s, S("@"))) continue;
        e = read_reference(t, str_from(s, 1), me, &real);
        if (!e && json_object_set_new(object, key, real)) e = FAIL_MEMORY(t->ctx);
        if (e) return e;
    }
    return row_read_json(t->ctx, r, object, UINT64_MAX, row, ret_fields);
}

/* ---- who ---- */

static enum err become(struct telling *t, struct named *who) {
    if (!who) {
        t->ctx->actor = actor_system();
        return OK;
    }
    if (!who->actor.person_id) {
        TRY(party_actor(t->ctx, 0, who->id));
        who->actor = t->ctx->actor;
    }
    t->ctx->actor = who->actor;
    return OK;
}

static enum err put_household(struct telling *t, const json_t *h) {
    struct ctx *ctx = t->ctx;
    struct person p = {0};
    struct membership_row m = {0};
    int64_t place = 0;
    struct str name = json_text(json_array_get(h, 0));
    SET(&people, &p, name, name);
    SET(&people, &p, phone, json_text(json_array_get(h, 3)));
    TRY(row_create(ctx, &people, &p));
    TRY(look_up(t, "SELECT id FROM places WHERE (community_id = $1 OR id = $1) AND name = $2 LIMIT 1",
                json_text(json_array_get(h, 2)), &place));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, json_text(json_array_get(h, 1)));
    SET(&memberships, &m, place_id, place);
    SET(&memberships, &m, valid_from, ctx->now_ms / DAY_MS - 400);
    TRY(row_create(ctx, &memberships, &m));
    return add(t, name, p.row.id, NULL);
}

/* ---- what ---- */

static enum err do_entry(struct telling *t, json_t *entry, const struct resource **ret_r) {
    struct ctx *ctx = t->ctx;
    struct str by = json_text(json_object_get(entry, "by")), put = json_text(json_object_get(entry, "put"));
    struct str on = json_text(json_object_get(entry, "on"));
    struct named *who = find(t, by), *thing = on.len ? find(t, on) : NULL;
    const struct resource *r = put.len ? kernel_resource(ctx->kernel, put) : thing ? thing->r : NULL;
    uint64_t fields;
    if (!r || (!who && !str_is(by, "system"))) return wrong(t, "a hole at", on.len ? on : by);
    if (!read_time(t, json_text(json_object_get(entry, "at")), &ctx->now_ms)) return wrong(t, "no time at", by);
    void *row = arena_alloc(ctx->arena, 1, r->size, _Alignof(max_align_t));
    if (!row) return FAIL_MEMORY(ctx);
    *ret_r = r;
    TRY(read_row(t, r, entry, who, row, &fields));
    TRY(become(t, who));
    if (thing)
        return row_act(ctx, r, thing->id, 0, json_string_value(json_object_get(entry, "step")), row, fields, NULL);
    ((struct row *)row)->community_id = t->e->estate;
    TRY(row_create(ctx, r, row));
    return add(t, json_text(json_object_get(entry, "as")), ((struct row *)row)->id, r);
}

/* Events of cases at their own time, so that notices are as old as what they tell of. */
static enum err deliver(struct telling *t) {
    size_t done = 0;
    t->ctx->actor = actor_system();
    do TRY(events_deliver(t->ctx, EVENTS_MOST, &done));
    while (done);
    return OK;
}

static enum err see_notices(struct telling *t) {
    struct ctx *ctx = t->ctx;
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = NOTICES_MOST};
    struct list_page page;
    ctx->actor = actor_system();
    TRY(row_list(ctx, &notices, &q, &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct notice *n = (const struct notice *)page.rows + i;
        if (n->row.created_ms > t->now_ms - UNSEEN_MS) continue;
        ctx->now_ms = n->row.created_ms + 5 * MINUTE_MS;
        TRY(row_act(ctx, &notices, n->row.id, 0, "see", NULL, 0, NULL));
    }
    return OK;
}

static enum err tell(struct telling *t, json_t *story) {
    json_t *households = json_object_get(story, "households"), *entries = json_object_get(story, "story");
    for (size_t i = 0; i < json_array_size(households); i++) TRY(put_household(t, json_array_get(households, i)));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const struct resource *r = NULL;
        TRY(do_entry(t, json_array_get(entries, i), &r));
        if (r == &cases) TRY(deliver(t));
    }
    return see_notices(t);
}

enum err demo_story(struct ctx *ctx, const struct demo_estate *e) {
    struct telling t = {.ctx = ctx, .e = e, .now_ms = ctx->now_ms};
    struct str text = {NULL, 0};
    json_t *story = NULL;
    t.midnight_ms = zone_day_start_ms(kernel_zone(ctx, e->estate), ctx->now_ms);
    t.names = arena_new(ctx->arena, struct named, NAMES_MAX);
    if (!t.names) return FAIL_MEMORY(ctx);
    for (size_t i = 0; i < DEMO_ACCOUNTS; i++) {
        TRY(add(&t, e->accounts[i].login, e->accounts[i].person_id, NULL));
        TRY(add(&t, e->accounts[i].name, e->accounts[i].person_id, NULL));
    }
    for (size_t i = 0; i < assets_n; i++)
        if (!strcmp(assets[i].path, STORY))
            text = (struct str){assets[i].begin, (size_t)(assets[i].end - assets[i].begin)};
    TRY(json_read(text, &story, &ctx->fault));
    enum err err = tell(&t, story);
    json_decref(story);
    ctx->now_ms = t.now_ms;
    ctx->actor = actor_system();
    return err;
}
