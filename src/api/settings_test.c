/* Settings and words of a community over HTTP, on both stores.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/setting.h"
#include "tests/lib/api_server.h"

#include <stdio.h>

#define IS(t, g, path, want) \
    CHECK_SAY((t), !strcmp(api_at(&(g), (path)), (want)), "%s is %s, not %s", (path), api_at(&(g), (path)), (want))
#define STATUS(t, g, want) check_status((t), (g), (want), __LINE__)

static void check_status(struct t *t, struct api_got g, int want, int line) {
    CHECK_SAY(t, g.status == want, "line %d: status %d, not %d: %.*s", line, g.status, want, (int)g.reply.body.len,
              (const char *)g.reply.body.ptr);
}

struct ask {
    int64_t community_id, limit;
    char greeting[64];
};

static enum err read_settings(struct ctx *ctx, void *arg) {
    struct ask *a = arg;
    struct str text;
    TRY(setting_i64(ctx, a->community_id, "samples.limit", &a->limit));
    TRY(setting_text(ctx, a->community_id, "samples.greeting", &text));
    snprintf(a->greeting, sizeof a->greeting, STR_FMT, STR_ARG(text));
    return OK;
}

static enum err put_for_all(struct ctx *ctx, void *arg) {
    (void)arg;
    return setting_put(ctx, 0, "samples.greeting", S("to all"));
}

/* The address of the caller's own row of a setting. */
static const char *row_of(struct api_server *s, const char *token, const char *name, struct t *t) {
    char target[96], *path = arena_new(&t->arena, char, 96);
    snprintf(target, sizeof target, "/api/v1/settings?f.name=%s", name);
    struct api_got g = api_ask(s, token, "GET", target, NULL, NULL);
    STATUS(t, g, 200);
    IS(t, g, "total", "1");
    snprintf(path, 96, "/api/v1/settings/%s", api_at(&g, "items.0.id"));
    return path;
}

static void a_setting_is_seen_changed_and_reset(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    const char *limit = row_of(&s, s.manager, "samples.limit", t),
               *greeting = row_of(&s, s.manager, "samples.greeting", t);
    struct api_got g = api_ask(&s, s.manager, "GET", limit, NULL, NULL);
    static const struct {
        const char *path, *want;
    } fresh[] = {
        {"name", "samples.limit"}, {"value", "null"},  {"standard", "10"},          {"kind", "int"},
        {"smallest", "1"},         {"largest", "100"}, {"_actions", "[\"reset\"]"}, {"_rights", "[\"update\"]"}};
    for (size_t i = 0; i < COUNT(fresh); i++) IS(t, g, fresh[i].path, fresh[i].want);
    static const struct {
        const char *body;
        int status;
        const char *field, *code;
    } rows[] = {
        {"{\"value\":\"100\"}", 200, NULL, NULL},
        {"{\"value\":\"101\"}", 400, "value", "too_large"},
        {"{\"value\":\"0\"}", 400, "value", "too_small"},
        {"{\"value\":\"ten\"}", 400, "value", "bad_type"},
        {"{\"value\":7}", 400, "value", "bad_type"},
        {"{\"standard\":\"7\"}", 400, "standard", "read_only"},
        {"{\"name\":\"samples.greeting\"}", 400, "name", "fixed"},
        {"{\"value\":\"25\"}", 200, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        g = api_ask(&s, s.manager, "PATCH", limit, NULL, rows[i].body);
        STATUS(t, g, rows[i].status);
        if (rows[i].field) IS(t, g, "errors.0.field", rows[i].field);
        if (rows[i].code) IS(t, g, "errors.0.code", rows[i].code);
    }
    g = api_ask(&s, s.manager, "PATCH", greeting, NULL,
                "{\"value\":\"12345678901234567890123456789012345678901\"}"); /* 41 */
    STATUS(t, g, 400);
    IS(t, g, "errors.0.code", "too_long");
    struct ask north = {.community_id = s.estate.north}, south = {.community_id = s.estate.south};
    api_as_system(&s, read_settings, &north);
    api_as_system(&s, read_settings, &south);
    CHECK(t, north.limit == 25 && south.limit == 10 && !strcmp(north.greeting, "hello"));
    api_as_system(&s, put_for_all, NULL); /* the installation's value holds where a community says nothing */
    STATUS(t, api_ask(&s, s.manager, "PATCH", greeting, NULL, "{\"value\":\"ours\"}"), 200);
    api_as_system(&s, read_settings, &north);
    api_as_system(&s, read_settings, &south);
    CHECK(t, !strcmp(north.greeting, "ours") && !strcmp(south.greeting, "to all"));
    char reset[128], history[128];
    snprintf(reset, sizeof reset, "%s/reset", limit);
    snprintf(history, sizeof history, "%s/history", limit);
    g = api_ask(&s, s.manager, "POST", reset, NULL, NULL);
    STATUS(t, g, 200);
    IS(t, g, "value", "null");
    api_as_system(&s, read_settings, &north);
    CHECK(t, north.limit == 10);
    g = api_ask(&s, s.manager, "GET", history, NULL, NULL);
    IS(t, g, "items.0.step", "reset");
    IS(t, g, "items.0.changes.0.from", "25");
    IS(t, g, "items.1.changes.0.from", "100");
    /* Nobody makes or removes one, and who has no role for it sees none. */
    STATUS(t, api_ask(&s, s.manager, "POST", "/api/v1/settings", NULL, "{\"name\":\"samples.limit\"}"), 403);
    STATUS(t, api_ask(&s, s.manager, "DELETE", limit, NULL, NULL), 403);
    STATUS(t, api_ask(&s, s.viewer, "GET", "/api/v1/settings", NULL, NULL), 403);
    STATUS(t, api_ask(&s, s.viewer, "PATCH", limit, NULL, "{\"value\":\"1\"}"), 404);
    api_server_stop(&s);
}

/* What describe calls the samples to this caller, and its tag. */
static const char *title(struct api_server *s, const char *token, const char *target, struct str *ret_tag) {
    struct api_got g = api_ask(s, token, "GET", target, NULL, NULL);
    size_t i;
    json_t *r;
    *ret_tag = api_header(&g, "ETag");
    json_array_foreach(json_object_get(g.json, "resources"), i, r) {
        if (!strcmp(json_string_value(json_object_get(r, "name")), "samples"))
            return json_string_value(json_object_get(json_object_get(r, "title"), "zh"));
    }
    return "";
}

static void a_community_has_its_own_words(struct t *t) {
    struct api_server s;
    struct str before, after;
    char south[96], one[96], restore[128];
    api_server_start(&s, t);
    snprintf(south, sizeof south, "manager.%lld.%lld.0", (long long)s.estate.south, (long long)s.estate.ben);
    CHECK(t, !strcmp(title(&s, s.manager, "/api/v1/describe", &before), "样品"));
    struct api_got g = api_ask(&s, s.manager, "POST", "/api/v1/words", NULL, "{\"key\":\"samples\",\"zh\":\"样本\"}");
    STATUS(t, g, 201);
    snprintf(one, sizeof one, "/api/v1/words/%s", api_at(&g, "id"));
    snprintf(restore, sizeof restore, "%s/restore", one);
    CHECK(t, !strcmp(title(&s, s.manager, "/api/v1/describe", &after), "样本"));
    CHECK(t, before.len && after.len && !str_eq(before, after));
    /* What it does not say, the catalogue says; another community keeps the usual words. */
    g = api_ask(&s, s.manager, "GET", "/api/v1/describe", NULL, NULL);
    CHECK(t, api_holds(&g, "{\"zh\":\"样本\",\"en\":\"Samples\"}"));
    CHECK(t, !strcmp(title(&s, south, "/api/v1/describe", &after), "样品"));
    /* Who reaches several asks for one by its code; for one he does not reach, he is refused. */
    CHECK(t, !strcmp(title(&s, s.chief, "/api/v1/describe", &after), "样品"));
    CHECK(t, !strcmp(title(&s, s.chief, "/api/v1/describe?community=north", &after), "样本"));
    g = api_ask(&s, south, "GET", "/api/v1/describe?community=north", NULL, NULL);
    STATUS(t, g, 400);
    IS(t, g, "errors.0.field", "community");
    g = api_ask(&s, s.manager, "POST", "/api/v1/words", NULL, "{\"key\":\"samples.no_such\",\"zh\":\"x\"}");
    STATUS(t, g, 400);
    IS(t, g, "errors.0.code", "unknown_word");
    STATUS(t, api_ask(&s, s.manager, "POST", "/api/v1/words", NULL, "{\"key\":\"samples\",\"zh\":\"x\"}"), 409);
    STATUS(t, api_ask(&s, s.worker, "POST", "/api/v1/words", NULL, "{\"key\":\"samples.title\",\"zh\":\"x\"}"), 403);
    STATUS(t, api_ask(&s, south, "GET", one, NULL, NULL), 404);
    /* The heads of an export speak them, too. */
    STATUS(t,
           api_ask(&s, s.manager, "POST", "/api/v1/words", NULL,
                   "{\"key\":\"samples.title\",\"zh\":\"名目\",\"en\":\"Heading\"}"),
           201);
    g = api_ask(&s, s.manager, "GET", "/api/v1/samples?format=csv", NULL, NULL);
    CHECK(t, api_holds(&g, "名目") || api_holds(&g, "Heading"));
    STATUS(t, api_ask(&s, s.manager, "DELETE", one, NULL, NULL), 204);
    CHECK(t, !strcmp(title(&s, s.manager, "/api/v1/describe", &after), "样品"));
    STATUS(t, api_ask(&s, s.manager, "POST", restore, NULL, NULL), 200);
    CHECK(t, !strcmp(title(&s, s.manager, "/api/v1/describe", &after), "样本"));
    api_server_stop(&s);
}

static void all_of_it_on_postgresql(struct t *t) {
    api_on_postgres(t, a_setting_is_seen_changed_and_reset);
    api_on_postgres(t, a_community_has_its_own_words);
}

TESTS(CASE(a_setting_is_seen_changed_and_reset), CASE(a_community_has_its_own_words), CASE(all_of_it_on_postgresql))
