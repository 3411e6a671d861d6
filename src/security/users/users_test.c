/* Users over HTTP: passwords set and changed, sessions that end, the administrator who must stay.
 * SPDX-License-Identifier: Apache-2.0 */
#include "security/users/users.h"

#include "kernel/rows.h"
#include "platform/parties/parties.h"
#include "tests/lib/api_server.h"

#include <stdlib.h>

struct site {
    struct api_server s;
    char chief[80], chief_path[64], user[64]; /* token | path of his row | of a user made over HTTP */
};

static struct api_got ask(struct site *u, const char *token, const char *method, const char *target, const char *body) {
    return api_ask(&u->s, token, method, target, NULL, body);
}

static int log_in(struct site *u, const char *user, const char *password, char ret_token[80]) {
    char body[128];
    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    struct api_got g = ask(u, NULL, "POST", "/api/v1/login", body);
    if (ret_token) snprintf(ret_token, 80, "%s", api_at(&g, "token"));
    return g.status;
}

static struct api_got at(struct site *u, const char *token, const char *row, const char *step, const char *body) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", row, step);
    return ask(u, token, "POST", path, body);
}

/* The first administrator, and a resident's user that he makes. */
static void start(struct site *u, struct t *t) {
    char body[160];
    api_server_start_all(&u->s, t);
    CHECK(t, ask(u, NULL, "POST", "/api/v1/public/first", "{\"user\":\"chief\",\"password\":\"first horse\"}").status ==
                 204);
    CHECK(t, log_in(u, "chief", "first horse", u->chief) == 200);
    struct api_got g = ask(u, u->chief, "GET", "/api/v1/users", NULL);
    snprintf(u->chief_path, sizeof u->chief_path, "/api/v1/users/%s", api_at(&g, "items.0.id"));
    g = ask(u, u->chief, "POST", "/api/v1/people", "{\"name\":\"Anna\"}");
    snprintf(body, sizeof body, "{\"login\":\"anna\",\"person_id\":\"%s\"}", api_at(&g, "id"));
    g = ask(u, u->chief, "POST", "/api/v1/users", body);
    CHECK_SAY(t, g.status == 201, "%d", g.status);
    snprintf(u->user, sizeof u->user, "/api/v1/users/%s", api_at(&g, "id"));
}

static void a_user_made_over_http_logs_in_once_he_has_a_password(struct t *t) {
    struct site u;
    char token[80];
    start(&u, t);
    CHECK(t, log_in(&u, "anna", "brown horse", NULL) == 401);
    struct api_got g = at(&u, u.chief, u.user, "set_password", "{\"password\":\"brown horse\"}");
    CHECK_SAY(t, g.status == 200 && !strcmp(api_at(&g, "login"), "anna"), "%d", g.status);
    CHECK(t, !api_holds(&g, "\"password\"") && !api_holds(&g, "argon2"));
    CHECK(t, log_in(&u, "anna", "brown horse", token) == 200);
    CHECK(t, ask(&u, token, "GET", "/api/v1/me", NULL).status == 200);
    at(&u, u.chief, u.user, "set_password", "{\"password\":\"white horse\"}");
    CHECK(t, ask(&u, token, "GET", "/api/v1/me", NULL).status == 401);
    CHECK(t, log_in(&u, "anna", "brown horse", NULL) == 401);
    CHECK(t, log_in(&u, "anna", "white horse", NULL) == 200);
    api_server_stop(&u.s);
}

static void only_an_administrator_sets_a_password_and_only_a_fit_one(struct t *t) {
    static const struct {
        const char *body;
        int status;
        const char *code;
    } rows[] = {
        {"{\"password\":\"1234567\"}", 400, "too_short"},  {"{\"password\":12345678}", 400, "bad_type"},
        {"{\"password\":\"\"}", 400, "required"},          {"{}", 400, "required"},
        {"{\"hash\":\"12345678\"}", 400, "unknown_field"}, {"[]", 400, ""},
    };
    struct site u;
    char token[80];
    start(&u, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct api_got g = at(&u, u.chief, u.user, "set_password", rows[i].body);
        CHECK_SAY(t, g.status == rows[i].status && !strcmp(api_at(&g, "errors.0.code"), rows[i].code), "%s: %d %s",
                  rows[i].body, g.status, api_at(&g, "errors.0.code"));
    }
    CHECK(t, at(&u, u.chief, u.user, "set_password", "{\"password\":\"brown horse\"}").status == 200);
    CHECK(t, log_in(&u, "anna", "brown horse", token) == 200);
    CHECK(t, at(&u, token, u.user, "set_password", "{\"password\":\"white horse\"}").status == 404); /* no role yet */
    CHECK(t, at(&u, token, u.chief_path, "set_password", "{\"password\":\"white horse\"}").status == 404);
    CHECK(t, at(&u, NULL, u.user, "set_password", "{\"password\":\"white horse\"}").status == 401);
    CHECK(t, at(&u, u.chief, "/api/v1/users/1", "set_password", "{\"password\":\"white horse\"}").status == 404);
    api_server_stop(&u.s);
}

static void a_person_changes_his_own_password_and_stays_logged_in_here_only(struct t *t) {
    struct site u;
    char here[80], there[80];
    start(&u, t);
    at(&u, u.chief, u.user, "set_password", "{\"password\":\"brown horse\"}");
    log_in(&u, "anna", "brown horse", here);
    log_in(&u, "anna", "brown horse", there);
    struct api_got g = ask(&u, here, "POST", "/api/v1/me/password", "{\"old\":\"grey horse\",\"new\":\"white horse\"}");
    CHECK_SAY(t, g.status == 400 && !strcmp(api_at(&g, "errors.0.code"), "wrong_password"), "%d", g.status);
    g = ask(&u, here, "POST", "/api/v1/me/password", "{\"old\":\"brown horse\",\"new\":\"short\"}");
    CHECK(t, g.status == 400 && !strcmp(api_at(&g, "errors.0.field"), "new"));
    g = ask(&u, here, "POST", "/api/v1/me/password", "{\"old\":\"brown horse\",\"new\":\"white horse\"}");
    CHECK_SAY(t, g.status == 204, "%d %s", g.status, api_at(&g, "detail"));
    CHECK(t, ask(&u, here, "GET", "/api/v1/me", NULL).status == 200);
    CHECK(t, ask(&u, there, "GET", "/api/v1/me", NULL).status == 401);
    CHECK(t, log_in(&u, "anna", "brown horse", NULL) == 401);
    CHECK(t, log_in(&u, "anna", "white horse", NULL) == 200);
    api_server_stop(&u.s);
}

static void guesses_at_the_old_password_lock_as_those_at_log_in_do(struct t *t) {
    static const char guess[] = "{\"old\":\"grey horse\",\"new\":\"white horse\"}";
    struct site u;
    start(&u, t);
    for (int i = 0; i < 4; i++) CHECK(t, ask(&u, u.chief, "POST", "/api/v1/me/password", guess).status == 400);
    CHECK(t, ask(&u, u.chief, "POST", "/api/v1/me/password", guess).status == 429);
    CHECK(t, log_in(&u, "chief", "first horse", NULL) == 429);
    api_server_stop(&u.s);
}

/* The text's first letter stands in it once only. */
static bool file_says(struct t *t, const char *path, const char *text) {
    FILE *in = fopen(path, "rb");
    size_t at = 0;
    CHECK_SAY(t, in, "%s", path);
    for (int c; in && text[at] && (c = getc(in)) != EOF;) at = c == text[at] ? at + 1 : c == text[0];
    if (in) fclose(in);
    return !text[at];
}

static void a_password_is_kept_nowhere_but_as_its_hash(struct t *t) {
    static const char key[] = "Idempotency-Key: once-and-again";
    char path[96], all[4096];
    struct site u;
    start(&u, t);
    snprintf(path, sizeof path, "%s/set_password", u.user);
    CHECK(t, api_ask(&u.s, u.chief, "POST", path, key, "{\"password\":\"unmistakable\"}").status == 200);
    CHECK(t, api_ask(&u.s, u.chief, "POST", "/api/v1/me/password", key,
                     "{\"old\":\"first horse\",\"new\":\"unmistakable\"}")
                     .status == 204);
    struct db *db;
    struct db_rows rows = {0};
    struct fault f = {0};
    int64_t kept = -1;
    bool found;
    CHECK(t, !db_pool_take(u.s.pool, &db, &f));
    CHECK(t, !db_one_i64(db, &f, "SELECT COUNT(*) FROM idempotency", NO_VALS, &kept, &found) && !kept);
    CHECK(t, !db_query(db, &f, "SELECT after FROM audit ORDER BY id LIMIT 1000", NO_VALS, &rows));
    for (enum err e = OK; db_more(&rows, &f, &e);) {
        struct bytes after = db_blob(&rows, 0);
        snprintf(all, sizeof all, "%.*s", after.len ? (int)after.len - 1 : 0,
                 after.len ? (const char *)after.ptr + 1 : "");
        CHECK_SAY(t, !strstr(all, "argon2"), "%s", all);
    }
    db_done(&rows);
    db_pool_give(u.s.pool, db);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%.80s/linli.db%s", u.s.dir, i ? "-wal" : "");
        CHECK(t, !file_says(t, path, "unmistakable"));
    }
    api_server_stop(&u.s);
}

static void the_last_administrator_can_not_be_closed(struct t *t) {
    struct site u;
    char body[160], second[64];
    start(&u, t);
    struct api_got g = at(&u, u.chief, u.chief_path, "close", NULL);
    CHECK_SAY(t, g.status == 409 && !strcmp(api_at(&g, "code"), "last_admin"), "%d %s", g.status, api_at(&g, "code"));
    g = ask(&u, u.chief, "POST", "/api/v1/people", "{\"name\":\"Ben\"}");
    snprintf(second, sizeof second, "%s", api_at(&g, "id"));
    snprintf(body, sizeof body, "{\"person_id\":\"%s\",\"role\":\"admin\",\"valid_from\":\"2020-01-01\"}", second);
    CHECK(t, ask(&u, u.chief, "POST", "/api/v1/memberships", body).status == 201);
    CHECK(t, at(&u, u.chief, u.chief_path, "close", NULL).status == 409); /* he has no user yet */
    snprintf(body, sizeof body, "{\"login\":\"ben\",\"person_id\":\"%s\"}", second);
    g = ask(&u, u.chief, "POST", "/api/v1/users", body);
    snprintf(second, sizeof second, "/api/v1/users/%s", api_at(&g, "id"));
    CHECK(t, at(&u, u.chief, u.chief_path, "close", NULL).status == 409); /* nor can he log in */
    CHECK(t, at(&u, u.chief, second, "set_password", "{\"password\":\"brown horse\"}").status == 200);
    CHECK(t, at(&u, u.chief, u.user, "close", NULL).status == 200); /* nobody's administrator */
    g = at(&u, u.chief, u.chief_path, "close", NULL);
    CHECK_SAY(t, g.status == 200, "%d %s", g.status, api_at(&g, "code"));
    CHECK(t, ask(&u, u.chief, "GET", "/api/v1/me", NULL).status == 401);
    api_server_stop(&u.s);
}

/* Far under the time after which every log-in is asked again. */
static void an_event_stream_ends_with_its_log_in(struct t *t) {
    static const char *const last_piece = "\r\n0\r\n\r\n";
    struct site u;
    char text[8192], line[256], token[80];
    start(&u, t);
    log_in(&u, "chief", "first horse", token);
    int fd = peer_dial(u.s.port);
    snprintf(line, sizeof line, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    peer_send(fd, str_of(line));
    (void)peer_read(fd, text, sizeof text, "\n:\n\n");
    CHECK(t, peer_status(text) == 200);
    CHECK(t, ask(&u, token, "POST", "/api/v1/logout", NULL).status == 204);
    (void)peer_read(fd, text, sizeof text, last_piece);
    CHECK_SAY(t, strstr(text, last_piece), "%s", text);
    CHECK(t, ask(&u, u.chief, "GET", "/api/v1/me", NULL).status == 200); /* the other session goes on */
    close(fd);
    api_server_stop(&u.s);
}

static void listen_to(struct site *u, const char *token, int *ret_fd, char text[8192]) {
    char line[256];
    *ret_fd = peer_dial(u->s.port);
    snprintf(line, sizeof line, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    peer_send(*ret_fd, str_of(line));
    (void)peer_read(*ret_fd, text, 8192, "\n:\n\n");
    CHECK(u->s.t, peer_status(text) == 200);
}

static void id_of(struct t *t, const struct api_got *g, const char *path, char ret[96]) {
    CHECK_SAY(t, g->status == 201, "%.*s", (int)g->reply.body.len, (const char *)g->reply.body.ptr);
    snprintf(ret, 96, "%s%s", path, api_at(g, "id"));
}

/* Far under the time after which every log-in is asked again. */
static void a_role_taken_away_is_told_no_more(struct t *t) {
    struct site u;
    char text[8192], chief_text[8192], body[512], token[80], person[96], place[96], membership[96];
    int fd, chief_fd;
    start(&u, t);
    struct api_got g = ask(&u, u.chief, "POST", "/api/v1/places",
                           "{\"name\":\"Yard\",\"kind\":\"estate\",\"code\":\"yard\",\"keeps_records\":true}");
    id_of(t, &g, "", place);
    g = ask(&u, u.chief, "GET", u.user, NULL);
    snprintf(person, sizeof person, "%s", api_at(&g, "person_id"));
    snprintf(body, sizeof body,
             "{\"person_id\":\"%s\",\"role\":\"guard\",\"place_id\":\"%s\",\"valid_from\":\"2020-01-01\"}", person,
             place);
    g = ask(&u, u.chief, "POST", "/api/v1/memberships", body);
    id_of(t, &g, "/api/v1/memberships/", membership);
    CHECK(t, at(&u, u.chief, u.user, "set_password", "{\"password\":\"brown horse\"}").status == 200);
    CHECK(t, log_in(&u, "anna", "brown horse", token) == 200);
    listen_to(&u, token, &fd, text);
    listen_to(&u, u.chief, &chief_fd, chief_text);
    snprintf(body, sizeof body, "/api/v1/places/%s", place);
    CHECK(t, ask(&u, u.chief, "PATCH", body, "{\"name\":\"North yard\"}").status == 200);
    (void)peer_read(fd, text, sizeof text, "event: places.update");
    CHECK_SAY(t, strstr(text, "event: places.update"), "%s", text);
    (void)peer_read(chief_fd, chief_text, sizeof chief_text, "event: places.update");
    CHECK(t, ask(&u, u.chief, "DELETE", membership, NULL).status == 204);
    CHECK(t, ask(&u, token, "GET", body, NULL).status == 404);
    CHECK(t, ask(&u, u.chief, "PATCH", body, "{\"name\":\"South yard\"}").status == 200);
    (void)peer_read(chief_fd, chief_text, sizeof chief_text, "event: places.update");
    CHECK_SAY(t, strstr(chief_text, "event: places.update"), "%s", chief_text);
    CHECK(t, ask(&u, token, "POST", "/api/v1/logout", NULL).status == 204);
    (void)peer_read(fd, text, sizeof text, "\r\n0\r\n\r\n");
    CHECK_SAY(t, strstr(text, "\r\n0\r\n\r\n") && !strstr(text, "places.update"), "%s", text);
    close(fd);
    close(chief_fd);
    api_server_stop(&u.s);
}

static void describe_offers_the_password_where_it_is_set_and_shows_it_nowhere(struct t *t) {
    struct site u;
    start(&u, t);
    struct api_got g = ask(&u, u.chief, "GET", "/api/v1/describe", NULL);
    CHECK(t, api_holds(&g, "\"name\":\"password\",\"type\":\"text\"") && api_holds(&g, "\"class\":\"secret\""));
    CHECK(t, api_holds(&g, "\"name\":\"set_password\""));
    g = ask(&u, u.chief, "GET", u.user, NULL);
    CHECK(t, api_holds(&g, "\"set_password\"") && !api_holds(&g, "\"password\""));
    g = ask(&u, NULL, "GET", "/api/openapi.json", NULL);
    const json_t *paths = json_object_get(g.json, "paths");
    const json_t *set = json_object_get(paths, "/api/v1/users/{id}/set_password");
    CHECK(t, json_object_size(set) == 1 && json_object_get(json_object_get(set, "post"), "requestBody"));
    api_server_stop(&u.s);
}

static void the_same_on_postgresql(struct t *t) {
    api_on_postgres(t, a_person_changes_his_own_password_and_stays_logged_in_here_only);
    api_on_postgres(t, the_last_administrator_can_not_be_closed);
    api_on_postgres(t, an_event_stream_ends_with_its_log_in);
    api_on_postgres(t, a_role_taken_away_is_told_no_more);
}

TESTS(CASE(a_user_made_over_http_logs_in_once_he_has_a_password),
      CASE(only_an_administrator_sets_a_password_and_only_a_fit_one),
      CASE(a_person_changes_his_own_password_and_stays_logged_in_here_only),
      CASE(guesses_at_the_old_password_lock_as_those_at_log_in_do), CASE(a_password_is_kept_nowhere_but_as_its_hash),
      CASE(the_last_administrator_can_not_be_closed), CASE(an_event_stream_ends_with_its_log_in),
      CASE(a_role_taken_away_is_told_no_more), CASE(describe_offers_the_password_where_it_is_set_and_shows_it_nowhere),
      CASE(the_same_on_postgresql))
