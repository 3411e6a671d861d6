/* linli user add|passwd|list.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "kernel/rows.h"
#include "main/cmd.h"
#include "main/site.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "security/users/users.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    const char *login, *role, *place, *name, *password;
    char made[24]; /* a password of ours */
    bool json;
};

static enum err place_named(struct ctx *ctx, const char *code, int64_t *ret) {
    bool found;
    TRY(db_one_i64(ctx->db, &ctx->fault,
                   "SELECT id FROM places WHERE (code = $1 OR name = $1) AND archived_ms = 0 ORDER BY id LIMIT 1",
                   VALS(V_TEXT(str_of(code))), ret, &found));
    return found ? OK : FAIL(&ctx->fault, ERR_NOT_FOUND, "not_found", "no place has that code or name");
}

static enum err add(struct ctx *ctx, void *arg) {
    struct task *j = arg;
    struct person p = {0};
    struct membership_row m = {0};
    int64_t place = 0, user;
    SET(&people, &p, name, str_of(j->name ? j->name : j->login));
    TRY(row_create(ctx, &people, &p));
    TRY(user_put(ctx, str_of(j->login), str_of(j->password), p.row.id, &user));
    SET(&memberships, &m, person_id, p.row.id);
    SET(&memberships, &m, role, str_of(j->role));
    SET(&memberships, &m, valid_from, ctx->now_ms / 86400000 - 1);
    if (j->place) {
        TRY(place_named(ctx, j->place, &place));
        SET(&memberships, &m, place_id, place);
    }
    return row_create(ctx, &memberships, &m);
}

static enum err add_whole(struct ctx *ctx, void *arg) {
    return ctx_write(ctx, add, arg);
}

static enum err passwd(struct ctx *ctx, void *arg) {
    struct task *j = arg;
    return user_set_password(ctx, str_of(j->login), str_of(j->password));
}

static enum err list(struct ctx *ctx, void *arg) {
    struct task *j = arg;
    struct db_rows rows = {0};
    struct jw w;
    struct buf b;
    struct str text;
    buf_init_arena(&b, ctx->arena, (size_t)4 << 20);
    jw_init(&w, &b);
    jw_open(&w, '[');
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT login, state, person_id FROM users ORDER BY login LIMIT 10000",
                          NO_VALS, &rows);
    for (bool more = true; !e;) {
        e = db_next(&rows, &ctx->fault, &more);
        if (e || !more) break;
        if (!j->json) {
            printf("%-20.*s %.*s\n", STR_ARG(db_text(&rows, 0)), STR_ARG(db_text(&rows, 1)));
            continue;
        }
        jw_open(&w, '{');
        jw_kstr(&w, "user", db_text(&rows, 0));
        jw_kstr(&w, "state", db_text(&rows, 1));
        jw_kid(&w, "person_id", db_i64(&rows, 2));
        jw_close(&w, '}');
    }
    db_done(&rows);
    jw_close(&w, ']');
    if (!e && j->json && buf_done(&b, &text)) printf(STR_FMT "\n", STR_ARG(text));
    return e;
}

/* Twelve characters that cannot be mistaken for one another: about 58 bits. */
static void make_password(struct task *j) {
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    for (size_t i = 0; i < 12; i++) j->made[i] = letters[randombytes_uniform(sizeof letters - 1)];
    j->password = j->made;
}

static int run(int argc, char **argv) {
    const char *data = NULL, *db = NULL, *rest[3] = {0};
    size_t rest_n = 0;
    struct task j = {.role = "manager"};
    const struct option options[] = {{"data", &data, NULL},   {"db", &db, NULL},
                                     {"role", &j.role, NULL}, {"place", &j.place, NULL},
                                     {"name", &j.name, NULL}, {"password", &j.password, NULL},
                                     {"json", NULL, &j.json}};
    int bad = options_read(argc, argv, options, COUNT(options), rest, &rest_n, COUNT(rest));
    if (bad) return usage_error(&cmd_user, "%s is not understood", argv[bad]);
    enum err (*fn)(struct ctx *, void *) = !rest_n                      ? NULL
                                           : !strcmp(rest[0], "add")    ? add_whole
                                           : !strcmp(rest[0], "passwd") ? passwd
                                           : !strcmp(rest[0], "list")   ? list
                                                                        : NULL;
    if (!fn || (fn != list && rest_n != 2)) return usage_error(&cmd_user, "say add NAME, passwd NAME or list");
    j.login = rest[1];
    if (!j.password) j.password = getenv("LINLI_PASSWORD");
    if (!j.password && fn != list) make_password(&j);
    struct site site;
    struct fault f = {0};
    enum err e = site_open(&site, &(struct site_options){.data = data, .db = db, .must_exist = fn != add_whole}, &f);
    if (!e) e = site_do(&site, fn, &j, &f);
    site_close(&site);
    if (e) {
        site_say("user", &f);
        return EXIT_PROBLEM;
    }
    if (fn != list && j.made[0]) printf("%s password: %s\n", j.login, j.made);
    return EXIT_FINE;
}

const struct command cmd_user = {
    .name = "user",
    .summary = "adds, lists users; sets passwords",
    .usage = "linli user add NAME [--role manager] [--place CODE] [--name \"full name\"] [--password P]\n"
             "linli user passwd NAME [--password P]\n"
             "linli user list [--json]\n\n"
             "Without --password (or LINLI_PASSWORD) one is made and printed.  Without --place the role holds for the "
             "whole\n"
             "installation.  Also while the server runs.  --data DIR or --db URL say which installation.\n",
    .run = run,
};
