/* Rows over a real socket.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/api_server.h"

#define IS(t, g, path, want) \
    CHECK_SAY((t), !strcmp(api_at(&(g), (path)), (want)), "%s is %s, not %s", (path), api_at(&(g), (path)), (want))
#define STATUS(t, g, want)                                                                                       \
    CHECK_SAY((t), (g).status == (want), "status %d, not %d: %.*s", (g).status, (want), (int)(g).reply.body.len, \
              (const char *)(g).reply.body.ptr)

static const char *path_of(const char *a, const char *b) {
    static char paths[8][256];
    static size_t turn;
    char *p = paths[turn++ % 8];
    snprintf(p, sizeof paths[0], "%s%s", a, b);
    return p;
}

static const char *number(int64_t v) {
    static char texts[8][32];
    static size_t turn;
    char *p = texts[turn++ % 8];
    snprintf(p, sizeof texts[0], "%lld", (long long)v);
    return p;
}

/* A sample in the flat, Anna's. */
static struct api_got make(struct api_server *s, const char *token, const char *more) {
    char body[2048];
    snprintf(body, sizeof body, "{\"title\":\"Leak\",\"area_id\":\"%lld\",\"owner_id\":\"%lld\"%s%s}",
             (long long)s->estate.flat, (long long)s->estate.anna, *more ? "," : "", more);
    return api_ask(s, token, "POST", "/api/v1/samples", NULL, body);
}

static void every_kind_of_value_comes_back(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    char more[1024];
    snprintf(
        more, sizeof more,
        "\"note\":\"漏水\",\"code\":\"AB1\",\"size\":\"large\",\"helpers\":[\"%lld\"],\"amount\":7,\"weight\":1.25,"
        "\"price\":12345,\"urgent\":true,\"due_ms\":1800000000000,\"day\":\"2026-11-24\",\"spot\":{\"lat\":31.5,"
        "\"lon\":121.25},\"extra\":{\"b\":[1,2]},\"parts\":[{\"name\":\"tap\",\"amount\":2,\"price\":50}],"
        "\"phone\":\"13812345678\",\"card\":\"110101\",\"illness\":\"flu\",\"balance\":-5",
        (long long)s.estate.ben);
    struct api_got g = make(&s, s.manager, more);
    STATUS(t, g, 201);
    CHECK(t, str_starts(api_header(&g, "Location"), S("/api/v1/samples/")));
    CHECK(t, str_is(api_header(&g, "ETag"), "\"1\""));
    static const struct {
        const char *path, *want;
    } rows[] = {{"version", "1"},
                {"archived_ms", "null"},
                {"title", "Leak"},
                {"note", "漏水"},
                {"size", "large"},
                {"amount", "7"},
                {"weight", "1.25"},
                {"price", "12345"},
                {"urgent", "true"},
                {"due_ms", "1800000000000"},
                {"day", "2026-11-24"},
                {"extra", "{\"b\":[1,2]}"},
                {"spot", "{\"lat\":31.5,\"lon\":121.25}"},
                {"parts.0.name", "tap"},
                {"parts.0.amount", "2"},
                {"parts.0.weight", "null"},
                {"photos", "[]"},
                {"phone", "13812345678"},
                {"card", "1**"},
                {"illness", "f**"},
                {"balance", "***"},
                {"state", "new"},
                {"worker_id", "null"},
                {"_labels.area_id", "flat"},
                {"_labels.owner_id", "安娜"},
                {"_labels.helpers.0", "Ben"},
                {"_actions", "[\"accept\",\"drop\",\"remark\"]"},
                {"_rights", "[\"update\",\"archive\",\"reveal\"]"},
                {"_masked", "[\"card\",\"illness\",\"balance\"]"},
                {"token", ""},
                {"community_id", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) IS(t, g, rows[i].path, rows[i].want);
    struct api_got again = api_ask(&s, s.manager, "GET", path_of("/api/v1/samples/", api_at(&g, "id")), NULL, NULL);
    CHECK(t, json_equal(g.json, again.json));
    struct api_got anna = api_ask(&s, s.anna, "GET", path_of("/api/v1/samples/", api_at(&g, "id")), NULL, NULL);
    IS(t, anna, "card", "110101");
    IS(t, anna, "illness", "flu");
    IS(t, anna, "_actions", "[\"drop\",\"remark\"]");
    struct api_got list = api_ask(&s, s.manager, "GET", "/api/v1/samples", NULL, NULL);
    STATUS(t, list, 200);
    IS(t, list, "items.0.card", "1**");
    IS(t, list, "items.0.parts", "");
    IS(t, list, "items.0._labels.area_id", "flat");
    IS(t, list, "total", "1");
    IS(t, list, "next", "null");
    api_server_stop(&s);
}

static void every_error_has_its_shape(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got made = make(&s, s.manager, "\"code\":\"TAKEN\"");
    char flat[200], taken[300], deep[400] = "", one[64], missing[64];
    snprintf(flat, sizeof flat, "{\"title\":\"Leak\",\"area_id\":\"%lld\",", (long long)s.estate.flat);
    snprintf(taken, sizeof taken, "%s\"code\":\"TAKEN\"}", flat);
    for (int i = 0; i < 100; i++) deep[i] = '[';
    snprintf(one, sizeof one, "/api/v1/samples/%s", api_at(&made, "id"));
    snprintf(missing, sizeof missing, "/api/v1/samples/%s0", api_at(&made, "id"));
    char accept[96], far[300], history[96], remark[96], none[96], many[96];
    snprintf(accept, sizeof accept, "%s/accept", one);
    snprintf(history, sizeof history, "%s/history", one);
    snprintf(none, sizeof none, "%s/history?limit=0", one);
    snprintf(many, sizeof many, "%s/history?limit=201", one);
    snprintf(remark, sizeof remark, "%s/remark", one);
    snprintf(far, sizeof far, "{\"title\":\"Leak\",\"area_id\":\"%lld\"}", (long long)s.estate.south_house);
    char untitled[128], short_title[128];
    snprintf(untitled, sizeof untitled, "{\"area_id\":\"%s\"}", number(s.estate.flat));
    snprintf(short_title, sizeof short_title, "{\"area_id\":\"%s\",\"title\":\"x\"}", number(s.estate.flat));
    const struct {
        const char *token, *method, *target, *headers, *body;
        int status;
        const char *code, *field, *field_code;
    } rows[] = {
        {s.manager, "POST", "/api/v1/samples", NULL, untitled, 400, "bad_field", "title", "required"},
        {s.manager, "POST", "/api/v1/samples", NULL, short_title, 400, "bad_field", "title", "too_short"},
        {s.manager, "POST", "/api/v1/samples", NULL, "{\"colour\":1}", 400, "bad_field", "colour", "unknown_field"},
        {s.manager, "POST", "/api/v1/samples", NULL, "{\"worker_id\":\"1\"}", 400, "bad_field", "worker_id",
         "read_only"},
        {s.manager, "POST", "/api/v1/samples", NULL, "{\"amount\":\"7\"}", 400, "bad_field", "amount", "bad_type"},
        {s.manager, "POST", "/api/v1/samples", NULL, taken, 409, "not_unique", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", NULL, "[]", 400, "bad_type", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", NULL, "{\"a\":", 400, "bad_json", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", NULL, "{\"title\":\"\xff\"}", 400, "bad_utf8", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", NULL, deep, 400, "json_too_deep", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", "Content-Type: text/plain", "{}", 415, "unsupported_type", NULL, NULL},
        {s.manager, "POST", "/api/v1/samples", NULL, far, 403, "not_allowed", NULL, NULL},
        {s.viewer, "POST", "/api/v1/samples", NULL, "{}", 403, "not_allowed", NULL, NULL},
        {s.manager, "POST", "/api/v1/open_samples", NULL, "{}", 403, "not_allowed", NULL, NULL},
        {s.manager, "PATCH", one, NULL, "{\"code\":\"X1\"}", 400, "bad_field", "code", "fixed"},
        {s.manager, "PATCH", one, NULL, "{\"id\":\"1\"}", 400, "bad_field", "id", "unknown_field"},
        {s.manager, "PATCH", one, "If-Match: \"9\"", "{\"amount\":1}", 412, "stale_version", NULL, NULL},
        {s.manager, "PATCH", one, "If-Match: W/\"1\"", "{\"amount\":1}", 412, "stale_version", NULL, NULL},
        {s.manager, "PATCH", one, "If-Match: gibberish", "{\"amount\":1}", 412, "stale_version", NULL, NULL},
        {s.viewer, "PATCH", one, NULL, "{\"amount\":1}", 403, "not_allowed", NULL, NULL},
        {s.manager, "PATCH", missing, NULL, "{\"amount\":1}", 404, "not_found", NULL, NULL},
        {s.manager, "GET", missing, NULL, NULL, 404, "not_found", NULL, NULL},
        {s.manager, "GET", "/api/v1/samples/none", NULL, NULL, 404, "not_found", NULL, NULL},
        {s.manager, "GET", "/api/v1/nothing", NULL, NULL, 404, "not_found", NULL, NULL},
        {s.manager, "GET", "/api/v2/samples", NULL, NULL, 404, "not_found", NULL, NULL},
        {s.manager, "DELETE", "/api/v1/samples", NULL, NULL, 405, "wrong_method", NULL, NULL},
        {s.manager, "PUT", one, NULL, "{}", 405, "wrong_method", NULL, NULL},
        {s.manager, "GET", accept, NULL, NULL, 405, "wrong_method", NULL, NULL},
        {s.manager, "POST", history, NULL, "{}", 405, "wrong_method", NULL, NULL},
        {s.manager, "GET", none, NULL, NULL, 400, "bad_field", "limit", "too_small"},
        {s.manager, "GET", many, NULL, NULL, 400, "bad_field", "limit", "too_large"},
        {s.manager, "POST", accept, NULL, "{}", 400, "bad_field", "worker_id", "required"},
        {s.manager, "POST", accept, NULL, "{\"amount\":3}", 400, "bad_field", "amount", "unknown_field"},
        {s.manager, "PATCH", one, NULL, "{\"title\":\"a\\u0001a\"}", 400, "bad_field", "title", "bad_text"},
        {s.manager, "PATCH", one, NULL, "{\"title\":\"a\\na\"}", 400, "bad_field", "title", "bad_text"},
        {s.manager, "PATCH", one, NULL, "{\"note\":\"a\\u007fa\"}", 400, "bad_field", "note", "bad_text"},
        {s.anna, "POST", accept, NULL, NULL, 403, "not_allowed", NULL, NULL},
        {s.manager, "POST", remark, "If-Match: \"7\"", NULL, 412, "stale_version", NULL, NULL},
        {s.manager, "GET", "/api/v1/samples?cursor=%21%21", NULL, NULL, 400, "bad_field", "cursor", "bad_cursor"},
        {s.manager, "GET", "/api/v1/samples?limit=0", NULL, NULL, 400, "bad_field", "limit", "too_small"},
        {s.manager, "GET", "/api/v1/samples?limit=1001", NULL, NULL, 400, "bad_field", "limit", "too_large"},
        {s.manager, "GET", "/api/v1/samples?colour=red", NULL, NULL, 400, "bad_field", "colour", "unknown_field"},
        {s.manager, "GET", "/api/v1/samples?sort=phone", NULL, NULL, 400, "bad_field", "sort", "not_sortable"},
        {s.manager, "GET", "/api/v1/samples?f.phone=1", NULL, NULL, 400, "bad_field", "f.phone", "not_filterable"},
        {s.manager, "GET", "/api/v1/samples?f.state=lost", NULL, NULL, 400, "bad_field", "f.state", "bad_choice"},
        {s.manager, "GET", "/api/v1/samples?q=%zz", NULL, NULL, 400, "bad_field", "query", "bad_text"},
        {s.manager, "GET", "/api/v1/samples?archived=maybe", NULL, NULL, 400, "bad_field", "archived", "bad_type"},
        {s.manager, "GET", "/api/v1/samples?as_of=2026-01-01", NULL, NULL, 400, "bad_field", "as_of", "not_filterable"},
        {s.manager, "POST", "/api/v1/samples", "Idempotency-Key: a b", "{}", 400, "bad_field", "Idempotency-Key",
         "bad_text"},
        {s.manager, "GET", "/api/v1/broken", NULL, NULL, 500, "broken", NULL, NULL},
        {s.manager, "PROPFIND", one, NULL, NULL, 405, "wrong_method", NULL, NULL},
        {s.manager, "TRACE", "/api/v1/samples", NULL, NULL, 405, "wrong_method", NULL, NULL},
        {s.manager, "get", "/api/v1/samples", NULL, "{}", 405, "wrong_method", NULL, NULL},
        {s.manager, "FOO", "/api/v1/nothing", NULL, NULL, 404, "not_found", NULL, NULL},
        {NULL, "FOO", one, NULL, NULL, 401, "signed_out", NULL, NULL},
        {s.manager, "GET", "/api/v1/unavailable", NULL, NULL, 503, "store_unavailable", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct api_got g = api_ask(&s, rows[i].token, rows[i].method, rows[i].target, rows[i].headers, rows[i].body);
        CHECK_SAY(t, g.status == rows[i].status && !strcmp(api_at(&g, "code"), rows[i].code), "%s %s %s: %d %.*s",
                  rows[i].method, rows[i].target, rows[i].body ? rows[i].body : "", g.status, (int)g.reply.body.len,
                  (const char *)g.reply.body.ptr);
        CHECK_SAY(t, str_is(api_header(&g, "Content-Type"), "application/problem+json"), "%s", rows[i].target);
        CHECK(t, json_integer_value(json_object_get(g.json, "status")) == rows[i].status &&
                     json_is_array(json_object_get(g.json, "errors")));
        CHECK(t, !strcmp(api_at(&g, "type"), "about:blank") && *api_at(&g, "title") && *api_at(&g, "detail"));
        CHECK(t, str_is(api_header(&g, "X-Request-Id"), api_at(&g, "trace")) && strlen(api_at(&g, "trace")) == 32);
        if (rows[i].field) IS(t, g, "errors.0.field", rows[i].field);
        if (rows[i].field_code) IS(t, g, "errors.0.code", rows[i].field_code);
        CHECK(t, (rows[i].status == 405) == (api_header(&g, "Allow").len > 0));
        CHECK(t, (rows[i].status == 503) == (api_header(&g, "Retry-After").len > 0));
    }
    struct api_got low = api_ask(&s, s.manager, "GET", "/api/v1/samples?limit=1001", NULL, NULL);
    IS(t, low, "errors.0.args.limit", "1000");
    struct api_got allow = api_ask(&s, s.manager, "DELETE", "/api/v1/samples", NULL, NULL);
    CHECK(t, str_is(api_header(&allow, "Allow"), "GET, HEAD, POST"));
    api_server_stop(&s);
}

static void a_body_over_its_cap_is_413(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    size_t n = API_BODY_MAX + 1;
    uint8_t *body = arena_alloc(&t->arena, n, 1, 1);
    memset(body, ' ', n);
    struct api_got g = api_ask_bytes(&s, s.manager, "POST", "/api/v1/samples", "Content-Type: application/json",
                                     (struct bytes){body, n});
    CHECK(t, g.status == 413 && !strcmp(api_at(&g, "code"), "too_large"));
    g = api_ask_bytes(&s, s.manager, "POST", "/api/v1/samples", "Content-Type: application/json",
                      (struct bytes){body, n - 1});
    STATUS(t, g, 400);
    g = api_ask_bytes(&s, s.anna, "POST", "/api/v1/files?name=big.txt", NULL, (struct bytes){body, n});
    STATUS(t, g, 201);
    api_server_stop(&s);
}

static void a_row_goes_its_way(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    char body[128], at[128];
    struct api_got g = make(&s, s.anna, ""), item;
    STATUS(t, g, 201);
    const char *id = api_at(&g, "id");
    snprintf(at, sizeof at, "/api/v1/samples/%s", id);
    g = api_ask(&s, s.manager, "PATCH", at, "If-Match: \"1\"", "{\"amount\":3,\"note\":\"x\"}");
    STATUS(t, g, 200);
    IS(t, g, "version", "2");
    g = api_ask(&s, s.manager, "PATCH", at, "If-Match: \"2\"", "{\"note\":null}");
    IS(t, g, "note", "null");
    snprintf(body, sizeof body, "{\"worker_id\":\"%lld\"}", (long long)s.estate.ben);
    g = api_ask(&s, s.manager, "POST", path_of(at, "/accept"), NULL, body);
    STATUS(t, g, 200);
    IS(t, g, "state", "accepted");
    CHECK(t, str_is(api_header(&g, "ETag"), "\"4\""));
    g = api_ask(&s, s.manager, "POST", path_of(at, "/accept"), NULL, body);
    STATUS(t, g, 409);
    IS(t, g, "code", "wrong_state");
    g = api_ask(&s, s.worker, "POST", path_of(at, "/start"), NULL, NULL);
    STATUS(t, g, 200);
    g = api_ask(&s, s.worker, "POST", path_of(at, "/finish"), NULL, "{\"price\":900}");
    STATUS(t, g, 200);
    IS(t, g, "done_ms", "1790000000000");
    g = api_ask(&s, s.manager, "DELETE", at, NULL, NULL);
    STATUS(t, g, 204);
    CHECK(t, g.reply.body.len == 0);
    g = api_ask(&s, s.manager, "GET", "/api/v1/samples", NULL, NULL);
    IS(t, g, "total", "0");
    g = api_ask(&s, s.manager, "GET", "/api/v1/samples?archived=true", NULL, NULL);
    IS(t, g, "items.0._rights", "[\"restore\"]");
    IS(t, g, "items.0._actions", "[]");
    g = api_ask(&s, s.manager, "PATCH", at, NULL, "{\"amount\":4}");
    IS(t, g, "code", "archived");
    g = api_ask(&s, s.manager, "POST", path_of(at, "/restore"), NULL, NULL);
    IS(t, g, "archived_ms", "null");
    g = api_ask(&s, s.manager, "GET", path_of(at, "/history"), NULL, NULL);
    STATUS(t, g, 200);
    static const char *const verbs[] = {"restore", "archive", "act", "act", "act", "update", "update", "create"};
    for (size_t i = 0; i < COUNT(verbs); i++) {
        char path[32];
        snprintf(path, sizeof path, "items.%zu.verb", i);
        IS(t, g, path, verbs[i]);
    }
    IS(t, g, "items.2.step", "finish");
    IS(t, g, "items.6.changes.0.field", "note");
    item = api_ask(&s, s.manager, "GET", path_of(at, "/history?limit=3"), NULL, NULL);
    CHECK(t, json_array_size(json_object_get(item.json, "items")) == 3);
    char next[200];
    snprintf(next, sizeof next, "%s/history?limit=3&cursor=%s", at, api_at(&item, "next"));
    item = api_ask(&s, s.manager, "GET", next, NULL, NULL);
    CHECK(t, !strcmp(api_at(&item, "items.0.id"), api_at(&g, "items.3.id")));
    api_server_stop(&s);
}

static enum err forget_anna(struct ctx *ctx, void *arg) {
    const struct test_estate *e = arg;
    return db_exec(ctx->db, &ctx->fault, "DELETE FROM folk WHERE id = $1", VALS(V_I64(e->anna)), NULL);
}

/* As the labels of references to the same people, for each who looks. */
static void a_history_names_people_as_far_as_they_may_be_seen(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    char at[96], body[64];
    struct api_got g = make(&s, s.anna, "");
    snprintf(at, sizeof at, "/api/v1/samples/%s", api_at(&g, "id"));
    snprintf(body, sizeof body, "{\"worker_id\":\"%lld\"}", (long long)s.estate.ben);
    g = api_ask(&s, s.manager, "POST", path_of(at, "/accept"), NULL, body);
    STATUS(t, g, 200);
    g = api_ask(&s, s.worker, "POST", path_of(at, "/start"), NULL, NULL);
    STATUS(t, g, 200);
    const struct {
        const char *token, *ben, *anna;
    } rows[] = {{s.chief, "Ben", "安娜"},
                {s.manager, "Ben", "安娜"},
                {s.worker, "B**", "安*"},
                {s.anna, "B**", "安娜"},
                {s.viewer, "B**", "安*"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        g = api_ask(&s, rows[i].token, "GET", at, NULL, NULL);
        IS(t, g, "_labels.worker_id", rows[i].ben);
        IS(t, g, "_labels.owner_id", rows[i].anna);
        g = api_ask(&s, rows[i].token, "GET", path_of(at, "/history"), NULL, NULL);
        IS(t, g, "items.0.actor.name", rows[i].ben);
        IS(t, g, "items.0.actor.id", number(s.estate.ben));
        IS(t, g, "items.0.actor.roles", "[\"worker\"]");
        IS(t, g, "items.2.actor.name", rows[i].anna);
        IS(t, g, "items.2.actor.roles", "[\"resident\"]");
    }
    api_as_system(&s, forget_anna, &s.estate);
    g = api_ask(&s, s.manager, "GET", path_of(at, "/history"), NULL, NULL);
    IS(t, g, "items.2.actor.name", "r**"); /* nobody is left to ask: as it was kept, masked */
    api_server_stop(&s);
}

static void a_reveal_is_reasoned_and_kept(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = make(&s, s.anna, "\"card\":\"110101199001011234\",\"illness\":\"flu\"");
    char at[96], reveal[128];
    snprintf(at, sizeof at, "/api/v1/samples/%s", api_at(&g, "id"));
    snprintf(reveal, sizeof reveal, "%s/reveal", at);
    g = api_ask(&s, s.manager, "POST", reveal, NULL, "{\"fields\":[\"card\"]}");
    STATUS(t, g, 400);
    IS(t, g, "errors.0.field", "reason");
    g = api_ask(&s, s.manager, "POST", reveal, NULL, "{\"fields\":[\"nose\"],\"reason\":\"for the police\"}");
    IS(t, g, "errors.0.code", "bad_choice");
    g = api_ask(&s, s.manager, "POST", reveal, NULL, "{\"fields\":[\"token\"],\"reason\":\"for the police\"}");
    STATUS(t, g, 400);
    g = api_ask(&s, s.manager, "POST", reveal, NULL, "{\"fields\":[\"illness\"],\"reason\":\"for the police\"}");
    STATUS(t, g, 403);
    g = api_ask(&s, s.viewer, "POST", reveal, NULL, "{\"fields\":[\"card\"],\"reason\":\"for the police\"}");
    STATUS(t, g, 403);
    g = api_ask(&s, s.manager, "POST", reveal, NULL, "{\"fields\":[\"card\"],\"reason\":\"for the police\"}");
    STATUS(t, g, 200);
    IS(t, g, "card", "110101199001011234");
    g = api_ask(&s, s.anna, "GET", path_of(at, "/history"), NULL, NULL);
    IS(t, g, "items.0.verb", "reveal");
    IS(t, g, "items.0.reason", "for the police");
    IS(t, g, "items.0.changes.0.field", "card");
    IS(t, g, "items.0.changes.0.to", "null");
    g = api_ask(&s, s.viewer, "GET", path_of(at, "/history"), NULL, NULL);
    CHECK(t, !api_holds(&g, "110101199001011234"));
    CHECK(t, api_holds(&g, "1**"));
    for (int i = 0; i < 2; i++) { /* a key keeps nothing revealed, and each time is logged */
        g = api_ask(&s, s.manager, "POST", reveal, "Idempotency-Key: r1",
                    "{\"fields\":[\"card\"],\"reason\":\"for the police\"}");
        STATUS(t, g, 200);
    }
    g = api_ask(&s, s.anna, "GET", path_of(at, "/history"), NULL, NULL);
    IS(t, g, "items.2.verb", "reveal");
    IS(t, g, "items.3.verb", "create");
    api_server_stop(&s);
}

static void a_repeated_key_gives_the_same_answer(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    char body[160], other[160];
    snprintf(body, sizeof body, "{\"title\":\"Once\",\"area_id\":\"%s\"}", number(s.estate.flat));
    snprintf(other, sizeof other, "{\"title\":\"Twice\",\"area_id\":\"%s\"}", number(s.estate.flat));
    struct api_got a = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k1", body);
    struct api_got b = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k1", body);
    STATUS(t, a, 201);
    STATUS(t, b, 201);
    CHECK(t, a.reply.body.len == b.reply.body.len && !memcmp(a.reply.body.ptr, b.reply.body.ptr, a.reply.body.len));
    CHECK(t, str_eq(api_header(&a, "Location"), api_header(&b, "Location")));
    CHECK(t, str_eq(api_header(&a, "ETag"), api_header(&b, "ETag")));
    CHECK(t, str_is(api_header(&b, "Idempotency-Replayed"), "true"));
    CHECK(t, str_is(api_header(&b, "Content-Type"), "application/json"));
    b = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k1", other);
    STATUS(t, b, 409);
    IS(t, b, "code", "idempotency_mismatch");
    b = api_ask(&s, s.manager, "POST", "/api/v1/rates", "Idempotency-Key: k1", body);
    IS(t, b, "code", "idempotency_mismatch");
    b = api_ask(&s, s.chief, "POST", "/api/v1/samples", "Idempotency-Key: k1", body);
    CHECK_SAY(t, strcmp(api_at(&b, "id"), api_at(&a, "id")), "another actor's key is another key");
    b = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k2", "{}");
    STATUS(t, b, 400);
    b = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k2", body);
    STATUS(t, b, 201);
    char at[96];
    snprintf(at, sizeof at, "/api/v1/samples/%s", api_at(&b, "id"));
    for (int i = 0; i < 2; i++) {
        b = api_ask(&s, s.manager, "DELETE", at, "Idempotency-Key: k3", NULL);
        STATUS(t, b, 204);
    }
    b = api_ask(&s, s.manager, "POST", "/api/v1/samples/-/count", "Idempotency-Key: k4", "{}");
    struct api_got c = api_ask(&s, s.manager, "POST", "/api/v1/samples/-/count", "Idempotency-Key: k4", "{}");
    IS(t, b, "counted", "true");
    CHECK(t, str_is(api_header(&c, "Idempotency-Replayed"), "true"));
    world_sim_advance(&t->sim, INT64_C(24) * 3600 * 1000 + 1);
    b = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Idempotency-Key: k1", body);
    STATUS(t, b, 201);
    CHECK(t, strcmp(api_at(&a, "id"), api_at(&b, "id")));
    api_server_stop(&s);
}

static void lists_filter_sort_search_and_page(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    for (int i = 0; i < 5; i++) {
        char more[160];
        snprintf(more, sizeof more, "\"amount\":%d,\"note\":\"%s\",\"size\":\"%s\"", i, i == 3 ? "厨房漏水" : "灯不亮",
                 i % 2 ? "small" : "large");
        struct api_got g = make(&s, s.manager, more);
        STATUS(t, g, 201);
    }
    static const struct {
        const char *query;
        size_t n;
        const char *first; /* amount of the first */
    } rows[] = {{"", 5, "4"},
                {"?sort=amount", 5, "0"},
                {"?sort=-amount", 5, "4"},
                {"?f.amount=1,2", 2, "2"},
                {"?f.amount.gte=2&f.amount.lt=4", 2, "3"},
                {"?f.size=small", 2, "3"},
                {"?f.price=null", 5, "4"},
                {"?q=%E6%BC%8F%E6%B0%B4", 1, "3"},
                {"?f.amount=1&total=false", 1, "1"},
                {"?limit=2", 2, "4"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char target[128];
        snprintf(target, sizeof target, "/api/v1/samples%s", rows[i].query);
        struct api_got g = api_ask(&s, s.manager, "GET", target, NULL, NULL);
        CHECK_SAY(t, json_array_size(json_object_get(g.json, "items")) == rows[i].n, "%s: %.*s", target,
                  (int)g.reply.body.len, (const char *)g.reply.body.ptr);
        IS(t, g, "items.0.amount", rows[i].first);
    }
    struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/samples?limit=2&sort=amount", NULL, NULL);
    IS(t, g, "total", "5");
    size_t seen = 2;
    for (int page = 0; page < 5 && strcmp(api_at(&g, "next"), "null"); page++) {
        char target[256];
        snprintf(target, sizeof target, "/api/v1/samples?limit=2&sort=amount&cursor=%s", api_at(&g, "next"));
        g = api_ask(&s, s.manager, "GET", target, NULL, NULL);
        IS(t, g, "items.0.amount", number((int64_t)seen));
        seen += json_array_size(json_object_get(g.json, "items"));
    }
    CHECK(t, seen == 5);
    struct api_got wide = api_ask(&s, s.chief, "GET", "/api/v1/samples?limit=1", NULL, NULL);
    IS(t, wide, "items.0.community_id", number(s.estate.north));
    api_server_stop(&s);
}

static void who_reaches_several_communities_names_one(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    char body[200];
    struct api_got g =
        api_ask(&s, s.chief, "POST", "/api/v1/samples", NULL, "{\"title\":\"Leak\",\"community_id\":\"9\"}");
    IS(t, g, "errors.0.field", "community_id");
    IS(t, g, "errors.0.code", "bad_ref");
    snprintf(body, sizeof body, "{\"title\":\"Leak\",\"area_id\":\"%s\",\"community_id\":\"%s\"}",
             number(s.estate.flat), number(s.estate.south));
    g = api_ask(&s, s.chief, "POST", "/api/v1/samples", NULL, body);
    STATUS(t, g, 201);
    IS(t, g, "community_id", number(s.estate.north)); /* the place decides */
    g = api_ask(&s, s.chief, "POST", "/api/v1/folk", NULL, "{\"name\":\"Eve\",\"community_id\":\"9\"}");
    IS(t, g, "errors.0.code", "unknown_field");
    api_server_stop(&s);
}

static void files_go_with_their_row(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 1, 2, 3};
    struct api_got f = api_ask_bytes(&s, s.anna, "POST", "/api/v1/files?name=%E7%85%A7%E7%89%87.png",
                                     "Content-Type: text/html", (struct bytes){png, sizeof png});
    STATUS(t, f, 201);
    IS(t, f, "type", "image/png");
    IS(t, f, "name", "照片.png");
    IS(t, f, "size_bytes", "11");
    char more[128], at[160];
    snprintf(more, sizeof more, "\"photos\":[\"%s\"]", api_at(&f, "id"));
    struct api_got g = make(&s, s.manager, more);
    CHECK_SAY(t, g.status == 400 || g.status == 404, "somebody else's upload: %d", g.status);
    g = make(&s, s.anna, more);
    STATUS(t, g, 201);
    IS(t, g, "photos.0.id", api_at(&f, "id"));
    IS(t, g, "photos.0.name", "照片.png");
    snprintf(at, sizeof at, "/api/v1/samples/%s/files/%s", api_at(&g, "id"), api_at(&f, "id"));
    struct api_got got = api_ask(&s, s.viewer, "GET", at, NULL, NULL);
    STATUS(t, got, 200);
    CHECK(t, got.reply.body.len == sizeof png && !memcmp(got.reply.body.ptr, png, sizeof png));
    CHECK(t, str_is(api_header(&got, "Content-Type"), "image/png"));
    CHECK(t, str_is(api_header(&got, "X-Content-Type-Options"), "nosniff"));
    CHECK(t, str_starts(api_header(&got, "Content-Disposition"), S("inline; filename*=UTF-8''%E7%85%A7")));
    char tag[128];
    snprintf(tag, sizeof tag, "If-None-Match: %.*s", (int)api_header(&got, "ETag").len, api_header(&got, "ETag").ptr);
    got = api_ask(&s, s.viewer, "GET", at, tag, NULL);
    STATUS(t, got, 304);
    char far[64];
    snprintf(far, sizeof far, "viewer.%s.9.0", number(s.estate.south));
    got = api_ask(&s, far, "GET", at, NULL, NULL);
    STATUS(t, got, 404);
    struct api_got other = make(&s, s.anna, "");
    snprintf(at, sizeof at, "/api/v1/samples/%s/files/%s", api_at(&other, "id"), api_at(&f, "id"));
    got = api_ask(&s, s.anna, "GET", at, NULL, NULL);
    STATUS(t, got, 404);
    static const char *const names[] = {"a%2Fb", "a%00b", "%0A", "%FF", ""};
    for (size_t i = 0; i < COUNT(names); i++) {
        char target[64];
        snprintf(target, sizeof target, "/api/v1/files?name=%s", names[i]);
        got = api_ask_bytes(&s, s.anna, "POST", target, NULL, (struct bytes){png, sizeof png});
        STATUS(t, got, 400);
    }
    api_server_stop(&s);
}

static void all_of_it_on_postgresql(struct t *t) {
    api_on_postgres(t, every_kind_of_value_comes_back);
    api_on_postgres(t, every_error_has_its_shape);
    api_on_postgres(t, a_row_goes_its_way);
    api_on_postgres(t, a_reveal_is_reasoned_and_kept);
    api_on_postgres(t, a_repeated_key_gives_the_same_answer);
    api_on_postgres(t, lists_filter_sort_search_and_page);
}

TESTS(CASE(every_kind_of_value_comes_back), CASE(every_error_has_its_shape), CASE(a_body_over_its_cap_is_413),
      CASE(a_row_goes_its_way), CASE(a_history_names_people_as_far_as_they_may_be_seen),
      CASE(a_reveal_is_reasoned_and_kept), CASE(a_repeated_key_gives_the_same_answer),
      CASE(lists_filter_sort_search_and_page), CASE(who_reaches_several_communities_names_one),
      CASE(files_go_with_their_row), CASE(all_of_it_on_postgresql))
