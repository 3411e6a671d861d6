/* linli device add|key|list.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "kernel/rows.h"
#include "main/cmd.h"
#include "main/site.h"
#include "platform/places/places.h"
#include "platform/things/things.h"

#include <stdio.h>
#include <string.h>

struct task {
    const char *code, *name, *model, *community, *place, *speaks;
    bool json;
    int64_t community_id;
    struct str community_code, user, password;
};

/* ---- whose ---- */

/* The community said, or the only one, or the only one that has devices. */
static enum err find_community(struct ctx *ctx, struct task *t) {
    struct db_rows rows = {0};
    size_t n = 0, busy = 0;
    bool is_taken = false;
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT c.id, c.code, (SELECT COUNT(*) FROM (SELECT 1 FROM devices d WHERE d.community_id = "
                          "c.id AND d.archived_ms = 0 ORDER BY d.id LIMIT 1) x) FROM communities c ORDER BY c.id LIMIT "
                          "10000",
                          NO_VALS, &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        bool has_devices = db_i64(&rows, 2) > 0, fits = !t->community || str_is(db_text(&rows, 1), t->community);
        if (!fits) continue;
        n++;
        busy += has_devices;
        if (is_taken && !has_devices) continue;
        is_taken = true;
        t->community_id = db_i64(&rows, 0);
        if (!arena_str(ctx->arena, db_text(&rows, 1), &t->community_code)) e = FAIL_MEMORY(ctx);
    }
    db_done(&rows);
    TRY(e);
    if (t->community && !n)
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no community has the code %.60s", t->community);
    if (n == 1 || busy == 1) return OK;
    return FAIL(&ctx->fault, ERR_INVALID, "required",
                n ? "there are several communities: say which by --community CODE"
                  : "there is no community yet: make the estate's place first");
}

static enum err find_place(struct ctx *ctx, const struct task *t, int64_t *ret) {
    bool found;
    *ret = t->community_id;
    if (!t->place) return OK;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM places WHERE community_id = $1 AND (code = $2 OR name = $2) AND archived_ms = 0 "
                   "ORDER BY id LIMIT 1",
                   VALS(V_I64(t->community_id), V_TEXT(str_of(t->place))), ret, &found));
    return found ? OK : FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no place there has that code or name");
}

/* ---- add ---- */

static enum err make(struct ctx *ctx, const struct task *t, int64_t place_id, struct device *d) {
    *d = (struct device){0};
    SET(&devices, d, name, str_of(t->name ? t->name : t->code));
    SET(&devices, d, code, str_of(t->code));
    SET(&devices, d, place_id, place_id);
    if (t->model) SET(&devices, d, model, str_of(t->model));
    return row_create(ctx, &devices, d);
}

/* Whoever adds a device on purpose has adopted it.  One that was heard before anybody added it is taken as it is. */
static enum err add(struct ctx *ctx, void *arg) {
    struct task *t = arg;
    struct device d, adopt = {0};
    bool found;
    int64_t place_id;
    TRY(find_community(ctx, t));
    TRY(find_place(ctx, t, &place_id));
    TRY(device_by_code(ctx, t->community_id, str_of(t->code), &d, &found));
    if (found && d.state != DEVICE_NEW)
        return FAIL(&ctx->fault, ERR_CONFLICT, "not_unique",
                    "there is a device %.64s already; \"linli device key\" gives it a new password", t->code);
    if (!found) TRY(make(ctx, t, place_id, &d));
    SET(&devices, &adopt, name, str_of(t->name ? t->name : t->code));
    SET(&devices, &adopt, place_id, place_id);
    if (t->model) SET(&devices, &adopt, model, str_of(t->model));
    TRY(row_act(ctx, &devices, d.row.id, 0, "adopt", &adopt, adopt.row.has, NULL));
    struct device gateway = {0};
    SET(&devices, &gateway, speaks, str_of(t->speaks));
    if (t->speaks) TRY(row_update(ctx, &devices, d.row.id, 0, &gateway, gateway.row.has, NULL));
    return device_key_make(ctx, d.row.id, &t->user, &t->password);
}

static enum err add_whole(struct ctx *ctx, void *arg) {
    return ctx_write(ctx, add, arg);
}

/* ---- key ---- */

static enum err key(struct ctx *ctx, void *arg) {
    struct task *t = arg;
    struct device d = {0};
    bool found;
    TRY(find_community(ctx, t));
    TRY(device_by_code(ctx, t->community_id, str_of(t->code), &d, &found));
    if (!found || d.state == DEVICE_RETIRED)
        return FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "there is no such device");
    return device_key_make(ctx, d.row.id, &t->user, &t->password);
}

/* ---- list ---- */

static void put_row(const struct db_rows *rows, const struct task *t, struct jw *w) {
    static const char *const names[] = {"device", "community", "state", "model", "name"};
    if (!t->json) {
        printf("%-20.*s %-16.*s %-8.*s %-16.*s %.*s\n", STR_ARG(db_text(rows, 0)), STR_ARG(db_text(rows, 1)),
               STR_ARG(db_text(rows, 2)), STR_ARG(db_text(rows, 3)), STR_ARG(db_text(rows, 4)));
        return;
    }
    jw_open(w, '{');
    for (size_t i = 0; i < COUNT(names); i++) jw_kstr(w, names[i], db_text(rows, i));
    jw_kbool(w, "has_key", db_i64(rows, 5) != 0);
    jw_close(w, '}');
}

static enum err list(struct ctx *ctx, void *arg) {
    const struct task *t = arg;
    struct db_rows rows = {0};
    struct jw w;
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, (size_t)16 << 20);
    jw_init(&w, &b);
    jw_open(&w, '[');
    enum err e = db_query(ctx->db, &ctx->fault,
                          "SELECT d.code, c.code, d.state, d.model, d.name, (SELECT COUNT(*) FROM device_keys k WHERE "
                          "k.device_id = d.id) FROM devices d JOIN communities c ON c.id = d.community_id WHERE "
                          "d.archived_ms = 0 AND (CAST($1 AS TEXT) IS NULL OR c.code = $1) ORDER BY c.code, d.code "
                          "LIMIT 100000",
                          VALS(V_TEXT(str_of(t->community))), &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        put_row(&rows, t, &w);
    }
    db_done(&rows);
    jw_close(&w, ']');
    if (!e && t->json && buf_done(&b, &text)) printf(STR_FMT "\n", STR_ARG(text));
    return e;
}

/* ---- the command ---- */

static enum err print_key(struct ctx *ctx, void *arg) {
    const struct task *t = arg;
    struct jw w;
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, 4096);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_kcstr(&w, "device", t->code);
    jw_kstr(&w, "community", t->community_code);
    jw_kstr(&w, "username", t->user);
    jw_kstr(&w, "password", t->password);
    jw_close(&w, '}');
    if (!buf_done(&b, &text)) return FAIL_MEMORY(ctx);
    printf(STR_FMT "\n", STR_ARG(text));
    return OK;
}

/* A word of no model is allowed, rules may name it before the model is there; who mistyped it is told. */
static enum err look_at_model(struct ctx *ctx, const struct task *t) {
    struct db_rows rows = {0};
    struct buf b;
    struct str all;
    bool known = false;
    buf_init_arena(&b, ctx->arena, 4096);
    enum err e =
        db_query(ctx->db, &ctx->fault, "SELECT code FROM device_models WHERE archived_ms = 0 ORDER BY code LIMIT 1000",
                 NO_VALS, &rows);
    while (db_more(&rows, &ctx->fault, &e)) {
        known |= str_is(db_text(&rows, 0), t->model);
        buf_fmt(&b, "%s" STR_FMT, b.len ? ", " : "", STR_ARG(db_text(&rows, 0)));
    }
    db_done(&rows);
    TRY(e);
    if (known) return OK;
    if (!buf_done(&b, &all)) all = S("too many to list");
    if (!all.len) all = S("none yet");
    fprintf(stderr, "linli device: no model is called %s: only rules that name it will hold; there are: " STR_FMT "\n",
            t->model, STR_ARG(all));
    return OK;
}

static enum err add_and_print(struct ctx *ctx, void *arg) {
    const struct task *t = arg;
    if (t->model) TRY(look_at_model(ctx, t));
    TRY(add_whole(ctx, arg));
    return print_key(ctx, arg);
}

static enum err key_and_print(struct ctx *ctx, void *arg) {
    TRY(key(ctx, arg));
    return print_key(ctx, arg);
}

static int run(int argc, char **argv) {
    const char *data = NULL, *db = NULL, *rest[3] = {0};
    size_t rest_n = 0;
    struct task t = {0};
    const struct option options[] = {{"data", &data, NULL},       {"db", &db, NULL},
                                     {"model", &t.model, NULL},   {"community", &t.community, NULL},
                                     {"name", &t.name, NULL},     {"place", &t.place, NULL},
                                     {"speaks", &t.speaks, NULL}, {"json", NULL, &t.json}};
    static const struct {
        const char *verb;
        size_t words;
        enum err (*fn)(struct ctx *ctx, void *arg);
    } verbs[] = {{"add", 2, add_and_print}, {"key", 2, key_and_print}, {"list", 1, list}};
    enum err (*fn)(struct ctx *, void *) = NULL;
    int bad = options_read(argc, argv, options, COUNT(options), rest, &rest_n, COUNT(rest));
    if (bad) return usage_error(&cmd_device, "%s is not understood", argv[bad]);
    for (size_t i = 0; rest_n && i < COUNT(verbs); i++)
        if (!strcmp(rest[0], verbs[i].verb) && rest_n == verbs[i].words) fn = verbs[i].fn;
    if (!fn) return usage_error(&cmd_device, "say add NAME, key NAME or list");
    t.code = rest[1];
    struct site site;
    struct fault f = {0};
    enum err e = site_open(&site, &(struct site_options){.data = data, .db = db, .must_exist = true}, &f);
    if (!e) e = site_do(&site, fn, &t, &f);
    site_close(&site);
    if (e) site_say("device", &f);
    return e ? EXIT_PROBLEM : EXIT_FINE;
}

const struct command cmd_device = {
    .name = "device",
    .summary = "adds, lists devices; gives them MQTT passwords",
    .usage =
        "linli device add NAME [--model M] [--community CODE] [--place CODE] [--name \"full name\"]\n"
        "                      [--speaks \"zigbee2mqtt tasmota ...\"] [--json]\n"
        "linli device key NAME [--community CODE] [--json]\n"
        "linli device list [--community CODE] [--json]\n\n"
        "NAME is the device's code, as it stands in its topics: no blanks, no / + #.  add adopts it, so rules of its\n"
        "model apply at once; --speaks makes it a gateway, which tells of others, too (docs/mqtt.md).  It prints its\n"
        "MQTT credentials as {\"device\",\"community\",\"username\",\"password\"};\n"
        "key makes a new password, the old one ends.  The password is kept nowhere else.  Without --community: the\n"
        "only one, or the only one that has devices; without --place: the community's own place.  Also while the\n"
        "server runs.  --data DIR or --db URL say which installation.\n",
    .run = run,
};
