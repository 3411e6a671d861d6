/* What the api tells about itself: describe, OpenAPI, types, the reference; and CSV.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "net/testing.h"
#include "tests/lib/api_server.h"

#include <ctype.h>

#define IS(t, g, path, want) \
    CHECK_SAY((t), !strcmp(api_at(&(g), (path)), (want)), "%s is %s, not %s", (path), api_at(&(g), (path)), (want))

static json_t *named(const json_t *list, const char *name) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (!strcmp(json_string_value(json_object_get(item, "name")), name)) return item;
    return NULL;
}

static bool looks(struct t *t, const json_t *at, const char *want) {
    json_t *expected = json_loads(want, JSON_DECODE_ANY, NULL);
    char *found = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    bool same = expected && json_equal(at, expected);
    CHECK_SAY(t, same, "%s is not %s", found ? found : "nothing", want);
    free(found);
    json_decref(expected);
    return same;
}

static void describe_has_its_shape(struct t *t) {
    static const struct {
        const char *field, *want;
    } fields[] = {
        {"title", "{\"name\":\"title\",\"type\":\"text\",\"title\":{\"zh\":\"标题\",\"en\":\"Title\"},\"help\":{\"zh\":"
                  "\"两个字以上\",\"en\":\"Two letters or more\"},\"required\":true,\"readonly\":false,\"fixed\":false,"
                  "\"unique\":false,\"min\":2,\"max\":60,\"class\":null,\"mask\":false,\"unit\":null,\"scale\":null,"
                  "\"list\":{\"default\":true,\"sort\":true,\"filter\":true},\"form\":{\"group\":\"what\",\"span\":1,"
                  "\"when\":null}}"},
        {"weight", "{\"name\":\"weight\",\"type\":\"decimal\",\"title\":{\"zh\":\"重量\",\"en\":\"Weight\"},\"help\":{"
                   "\"zh\":\"\",\"en\":\"\"},\"required\":false,\"readonly\":false,\"fixed\":false,\"unique\":false,"
                   "\"min\":0.0,\"max\":100.0,\"class\":null,\"mask\":false,\"unit\":\"kg\",\"scale\":3,\"list\":{"
                   "\"default\":false,\"sort\":true,\"filter\":true},\"form\":{\"group\":\"main\",\"span\":1,\"when\":"
                   "null}}"},
        {"card", "{\"name\":\"card\",\"type\":\"text\",\"title\":{\"zh\":\"证件\",\"en\":\"Card\"},\"help\":{\"zh\":"
                 "\"\",\"en\":\"\"},\"required\":false,\"readonly\":false,\"fixed\":false,\"unique\":false,\"min\":4,"
                 "\"max\":18,\"class\":\"identity\",\"mask\":true,\"unit\":null,\"scale\":null,\"list\":{\"default\":"
                 "false,\"sort\":false,\"filter\":false},\"form\":{\"group\":\"who\",\"span\":1,\"when\":null}}"},
    };
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/describe", NULL, NULL);
    CHECK(t, g.status == 200);
    const json_t *samples = named(json_object_get(g.json, "resources"), "samples");
    const json_t *list = json_object_get(samples, "fields");
    for (size_t i = 0; i < COUNT(fields); i++) {
        json_t *found = named(list, fields[i].field), *expected = json_loads(fields[i].want, 0, NULL);
        const char *key;
        json_t *value;
        CHECK(t, json_object_size(found) == json_object_size(expected));
        json_object_foreach(expected, key, value) {
            const json_t *have = json_object_get(found, key);
            bool same = json_is_number(value) && json_is_number(have)
                            ? json_number_value(value) == json_number_value(have)
                            : json_equal(value, have);
            CHECK_SAY(t, same, "%s.%s", fields[i].field, key);
        }
        json_decref(expected);
    }
    CHECK(t, !named(list, "token"));
    looks(t, json_object_get(named(list, "area_id"), "ref"), "{\"resource\":\"areas\",\"label\":\"name\"}");
    looks(t, json_array_get(json_object_get(named(list, "size"), "options"), 0),
          "{\"v\":\"small\",\"t\":{\"zh\":\"小\",\"en\":\"Small\"},\"tone\":null}");
    CHECK(t, named(json_object_get(named(list, "parts"), "fields"), "made_on") != NULL);
    looks(t, json_object_get(samples, "rights"), "[\"create\",\"read\",\"search\",\"update\",\"archive\",\"reveal\"]");
    const json_t *state = json_object_get(samples, "state");
    looks(t, json_array_get(json_object_get(state, "values"), 0),
          "{\"v\":\"new\",\"t\":{\"zh\":\"新建\",\"en\":\"New\"},\"tone\":\"warn\"}");
    looks(t, named(json_object_get(state, "actions"), "drop"),
          "{\"name\":\"drop\",\"title\":{\"zh\":\"放弃\",\"en\":\"Drop\"},\"from\":[\"new\",\"accepted\"],\"to\":"
          "\"dropped\",\"danger\":true,\"takes\":[\"reason\"],\"need\":[\"reason\"]}");
    looks(t, json_object_get(named(json_object_get(state, "actions"), "remark"), "to"), "null");
    CHECK(t, !named(json_object_get(state, "actions"), "expire") && !named(json_object_get(state, "actions"), "start"));
    looks(t, json_object_get(json_object_get(state, "steps"), "expire"), "{\"zh\":\"过期\",\"en\":\"Expire\"}");
    looks(t, json_array_get(json_object_get(samples, "views"), 1),
          "{\"name\":\"urgent\",\"title\":{\"zh\":\"紧急\",\"en\":\"Urgent\"},\"filter\":{\"urgent\":\"true\",\"size\":"
          "\"large\"},\"sort\":\"due_ms\"}");
    looks(t, json_array_get(json_object_get(samples, "form_groups"), 0),
          "{\"name\":\"what\",\"title\":{\"zh\":\"内容\",\"en\":\"What\"}}");
    IS(t, g, "me.roles", "[\"manager\"]");
    IS(t, g, "me.user", "manager");
    IS(t, g, "me.language", "en");
    CHECK(t, json_array_size(json_object_get(g.json, "communities")) == 1);
    IS(t, g, "communities.0.code", "north");
    IS(t, g, "communities.0.zone", "Asia/Shanghai");
    CHECK(t, json_object_size(json_object_get(g.json, "tones")) == 5);
    CHECK(t, named(json_object_get(g.json, "groups"), "work") && named(json_object_get(g.json, "groups"), "commerce"));
    struct api_got viewer = api_ask(&s, s.viewer, "GET", "/api/v1/describe", NULL, NULL);
    samples = named(json_object_get(viewer.json, "resources"), "samples");
    looks(t, json_object_get(samples, "rights"), "[\"read\",\"search\"]");
    looks(t, json_object_get(json_object_get(samples, "state"), "actions"), "[]");
    CHECK(t, json_object_get(json_object_get(json_object_get(samples, "state"), "steps"), "drop") != NULL);
    CHECK(t, !named(json_object_get(viewer.json, "resources"), "folk"));
    CHECK(t, json_is_true(json_object_get(named(json_object_get(samples, "fields"), "phone"), "mask")));
    char tag[96];
    snprintf(tag, sizeof tag, "If-None-Match: %.*s", (int)api_header(&g, "ETag").len, api_header(&g, "ETag").ptr);
    struct api_got again = api_ask(&s, s.manager, "GET", "/api/v1/describe", tag, NULL);
    CHECK(t, again.status == 304 && !again.reply.body.len);
    again = api_ask(&s, s.viewer, "GET", "/api/v1/describe", tag, NULL);
    CHECK(t, again.status == 200);
    api_server_stop(&s);
}

/* ---- OpenAPI ---- */

struct walk {
    struct t *t;
    json_t *document;
    size_t refs;
};

static json_t *resolve(json_t *document, const char *ref) {
    struct str rest = str_of(ref), part;
    json_t *at = document;
    if (!str_cut(&rest, '/', &part) || !str_is(part, "#")) return NULL;
    while (at && str_cut(&rest, '/', &part)) {
        char key[128];
        snprintf(key, sizeof key, "%.*s", (int)part.len, part.ptr);
        at = json_object_get(at, key);
    }
    return at;
}

static void walk_refs(struct walk *w, json_t *at) {
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_array(at)) json_array_foreach(at, i, value) walk_refs(w, value);
    if (!json_is_object(at)) return;
    json_object_foreach(at, key, value) {
        if (!strcmp(key, "$ref")) {
            w->refs++;
            CHECK_SAY(w->t, json_is_string(value) && resolve(w->document, json_string_value(value)), "%s leads nowhere",
                      json_string_value(value));
        } else {
            walk_refs(w, value);
        }
    }
}

static bool is_type(const json_t *v) {
    static const char *const types[] = {"string", "integer", "number", "boolean", "object", "array", "null"};
    for (size_t i = 0; i < COUNT(types); i++)
        if (json_is_string(v) && !strcmp(json_string_value(v), types[i])) return true;
    return false;
}

static void check_schema(struct walk *w, const char *name, json_t *schema) {
    json_t *type = json_object_get(schema, "type"), *value, *items = json_object_get(schema, "items");
    json_t *properties = json_object_get(schema, "properties");
    const char *key;
    size_t i;
    CHECK_SAY(w->t, json_is_object(schema), "%s", name);
    if (json_is_array(type)) json_array_foreach(type, i, value) CHECK_SAY(w->t, is_type(value), "%s", name);
    if (type && !json_is_array(type)) CHECK_SAY(w->t, is_type(type), "%s", name);
    if (items) check_schema(w, name, items);
    json_object_foreach(properties, key, value) check_schema(w, key, value);
    json_array_foreach(json_object_get(schema, "required"), i, value)
        CHECK_SAY(w->t, json_object_get(properties, json_string_value(value)), "%s requires the unknown %s", name,
                  json_string_value(value));
    json_t *values = json_object_get(schema, "enum");
    if (values) CHECK_SAY(w->t, json_array_size(values) > 0, "%s", name);
}

static void check_operation(struct walk *w, const char *path, json_t *operation, json_t *ids) {
    const char *id = json_string_value(json_object_get(operation, "operationId"));
    json_t *parameter, *responses = json_object_get(operation, "responses"), *response;
    const char *status;
    size_t i, declared = 0, wanted = 0;
    CHECK_SAY(w->t, id && !json_object_get(ids, id), "%s: %s", path, id);
    if (id) json_object_set_new(ids, id, json_true());
    for (const char *p = path; *p; p++) wanted += *p == '{';
    json_array_foreach(json_object_get(operation, "parameters"), i, parameter) {
        const char *ref = json_string_value(json_object_get(parameter, "$ref"));
        if (ref) parameter = resolve(w->document, ref);
        const char *name = json_string_value(json_object_get(parameter, "name")),
                   *in = json_string_value(json_object_get(parameter, "in"));
        CHECK_SAY(w->t, name && in && json_object_get(parameter, "schema"), "%s", path);
        if (!in || strcmp(in, "path")) continue;
        char placeholder[96];
        snprintf(placeholder, sizeof placeholder, "{%s}", name);
        declared += strstr(path, placeholder) != NULL;
        CHECK_SAY(w->t, json_is_true(json_object_get(parameter, "required")), "%s", path);
    }
    CHECK_SAY(w->t, declared == wanted, "%s: %zu of %zu path parameters", path, declared, wanted);
    CHECK_SAY(w->t, json_object_size(responses) > 0, "%s", path);
    json_object_foreach(responses, status, response) {
        bool known = !strcmp(status, "default") || (strlen(status) == 3 && status[0] >= '1' && status[0] <= '5');
        const char *ref = json_string_value(json_object_get(response, "$ref"));
        if (ref) response = resolve(w->document, ref);
        CHECK_SAY(w->t, known && json_is_string(json_object_get(response, "description")), "%s %s", path, status);
    }
}

static void the_openapi_document_is_sound(struct t *t) {
    static const char *const needed[] = {"/api/v1/samples",
                                         "/api/v1/samples/{id}",
                                         "/api/v1/samples/{id}/accept",
                                         "/api/v1/samples/{id}/reveal",
                                         "/api/v1/samples/{id}/files/{file_id}",
                                         "/api/v1/samples/-/count",
                                         "/api/v1/echo/{a}/{b}",
                                         "/api/v1/describe",
                                         "/api/v1/events",
                                         "/api/v1/files",
                                         "/healthz"};
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = api_ask(&s, NULL, "GET", "/api/openapi.json", NULL, NULL);
    CHECK(t, g.status == 200 && g.json);
    struct walk w = {t, g.json, 0};
    IS(t, g, "openapi", "3.1.0");
    CHECK(t, *api_at(&g, "info.title") && *api_at(&g, "info.version"));
    json_t *paths = json_object_get(g.json, "paths"), *item, *operation, *ids = json_object();
    const char *path, *method, *name;
    json_object_foreach(paths, path, item) {
        CHECK_SAY(t, path[0] == '/', "%s", path);
        json_object_foreach(item, method, operation) {
            CHECK_SAY(t, word_in("get post put patch delete head options", str_of(method)), "%s", method);
            check_operation(&w, path, operation, ids);
        }
    }
    for (size_t i = 0; i < COUNT(needed); i++) CHECK_SAY(t, json_object_get(paths, needed[i]), "no %s", needed[i]);
    CHECK(t, !json_object_get(paths, "/api/v1/samples/{id}/expire"));
    CHECK(t, !json_object_get(json_object_get(paths, "/api/v1/open_samples"), "post"));
    json_t *schemas = json_object_get(json_object_get(g.json, "components"), "schemas"), *schema;
    json_object_foreach(schemas, name, schema) {
        for (const char *p = name; *p; p++) CHECK_SAY(t, isalnum((unsigned char)*p) || strchr("._-", *p), "%s", name);
        check_schema(&w, name, schema);
    }
    walk_refs(&w, g.json);
    CHECK(t, w.refs > 100);
    /* What the schema of a row says is what a row holds. */
    char body[96];
    snprintf(body, sizeof body, "{\"title\":\"Leak\",\"area_id\":\"%lld\"}", (long long)s.estate.flat);
    struct api_got row = api_ask(&s, s.chief, "POST", "/api/v1/samples", NULL, body);
    json_t *properties = json_object_get(json_object_get(schemas, "samples_row"), "properties"), *value;
    json_object_foreach(row.json, name, value) CHECK_SAY(t, json_object_get(properties, name), "%s", name);
    CHECK(t, json_object_size(properties) == json_object_size(row.json));
    json_decref(ids);
    api_server_stop(&s);
}

/* ---- CSV ---- */

static void csv_is_fit_for_a_spreadsheet(struct t *t) {
    static const struct {
        const char *note, *want; /* as JSON text; as the cell stands in the file */
    } rows[] = {{"plain", ",plain,"},
                {"a,b", ",\"a,b\","},
                {"say \\\"hi\\\"", ",\"say \"\"hi\"\"\","},
                {"two\\nlines", ",\"two\nlines\","},
                {"=1+1", ",'=1+1,"},
                {"+86138", ",'+86138,"},
                {"-5", ",'-5,"},
                {"@SUM(A1)", ",'@SUM(A1),"},
                {"\\tx", ",'\tx,"},
                {"=a,b", ",\"'=a,b\","},
                {"漏水", ",漏水,"}};
    struct api_server s;
    api_server_start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[400];
        snprintf(body, sizeof body,
                 "{\"title\":\"Leak\",\"area_id\":\"%lld\",\"owner_id\":\"%lld\",\"note\":\"%s\",\"price\":12345,"
                 "\"amount\":-5,"
                 "\"card\":\"110101199001011234\",\"size\":\"large\",\"due_ms\":1800000000000}",
                 (long long)s.estate.flat, (long long)s.estate.anna, rows[i].note);
        struct api_got made = api_ask(&s, s.anna, "POST", "/api/v1/samples", NULL, body);
        CHECK_SAY(t, made.status == 201, "%.*s", (int)made.reply.body.len, (const char *)made.reply.body.ptr);
    }
    struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/samples?format=csv&sort=created_ms", NULL, NULL);
    CHECK(t, g.status == 200 && str_is(api_header(&g, "Content-Type"), "text/csv; charset=utf-8"));
    CHECK(t, str_is(api_header(&g, "Content-Disposition"), "attachment; filename=\"samples.csv\""));
    CHECK_SAY(t, api_holds(&g, "\xef\xbb\xbfid,Title,Note,Code,Size,Area,Owner,"), "%.200s",
              (const char *)g.reply.body.ptr);
    for (size_t i = 0; i < COUNT(rows); i++) CHECK_SAY(t, api_holds(&g, rows[i].want), "%s", rows[i].want);
    CHECK(t, !api_holds(&g, "110101199001011234") && api_holds(&g, ",1**,"));
    CHECK(t, api_holds(&g, ",Large,flat,安娜,") && api_holds(&g, ",123.45,") && api_holds(&g, ",-5,"));
    CHECK(t, api_holds(&g, ",2027-01-15T08:00:00.000Z,") || api_holds(&g, ",2027-01-15T08:00:00.000+00:00,"));
    g = api_ask(&s, s.manager, "GET", "/api/v1/samples?format=csv&f.note.gte=%E6%BC%8F", NULL, NULL);
    size_t lines = 0;
    for (size_t i = 0; i < g.reply.body.len; i++) lines += g.reply.body.ptr[i] == '\n';
    CHECK_SAY(t, lines == 2, "%zu", lines);
    g = api_ask(&s, s.manager, "GET", "/api/v1/samples?format=csv&sort=phone", NULL, NULL);
    CHECK(t, g.status == 400);
    g = api_ask(&s, s.manager, "HEAD", "/api/v1/samples?format=csv", NULL, NULL);
    CHECK(t, g.status == 200 && !g.reply.body.len && !api_header(&g, "Content-Length").ptr);
    g = api_ask(&s, s.manager, "HEAD", "/api/v1/samples", NULL, NULL);
    CHECK(t, g.status == 200 && api_header(&g, "Content-Length").len && !str_is(api_header(&g, "Content-Length"), "0"));
    api_server_stop(&s);
}

static enum err many_stays(struct ctx *ctx, void *arg) {
    const struct test_estate *e = arg;
    return db_exec(ctx->db, &ctx->fault,
                   "INSERT INTO stays (id, community_id, version, created_ms, created_by, updated_ms, archived_ms, "
                   "folk_id, place_id) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
                   "SELECT i, $2, 1, 1790000000000, 0, 1790000000000, 0, $3, $4 FROM n",
                   VALS(V_I64(100001), V_I64(e->north), V_I64(e->anna), V_I64(e->flat)), NULL);
}

#define LONG_EXPORT ((size_t)32 << 20)

static void a_long_export_says_where_it_was_cut(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    api_as_system(&s, many_stays, &s.estate);
    static const char last[] = "# cut here: an export holds at most 100000 rows\r\n";
    char ask[256], *got = malloc(LONG_EXPORT);
    if (!got) abort();
    /* A peer of its own, of HTTP/1.0: it waits for each piece, however long all of them take, and ends with the last.
     */
    snprintf(ask, sizeof ask, "GET /api/v1/stays?format=csv HTTP/1.0\r\nAuthorization: Bearer %s\r\n\r\n", s.manager);
    int fd = peer_dial(http_server_port(s.http));
    peer_send(fd, str_of(ask));
    CHECK(t, peer_read(fd, got, LONG_EXPORT, NULL));
    close(fd);
    const char *body = strstr(got, "\r\n\r\n");
    size_t lines = 0, len = body ? strlen(body += 4) : 0;
    for (size_t i = 0; i < len; i++) lines += body[i] == '\n';
    CHECK_SAY(t, peer_status(got) == 200 && lines == 100002, "%d, %zu lines", peer_status(got), lines);
    CHECK(t, len > sizeof last && !strcmp(body + len - (sizeof last - 1), last));
    free(got);
    api_server_stop(&s);
}

/* ---- for people and programs ---- */

static void all_of_it_on_postgresql(struct t *t) {
    api_on_postgres(t, describe_has_its_shape);
    api_on_postgres(t, csv_is_fit_for_a_spreadsheet);
}

TESTS(CASE(describe_has_its_shape), CASE(the_openapi_document_is_sound), CASE(csv_is_fit_for_a_spreadsheet),
      CASE(a_long_export_says_where_it_was_cut), CASE(all_of_it_on_postgresql))
