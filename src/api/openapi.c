/* The OpenAPI 3.1 document, derived from the tables.  SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi_internal.h"

#include "kernel/row_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ID_PARAMETER "{\"$ref\":\"#/components/parameters/id\"}"

static void raw(struct jw *j, const char *key, const char *json) {
    jw_key(j, key);
    jw_raw(j, str_of(json));
}

static void PRINTF(3, 4) put_fmt(struct jw *j, const char *key, const char *fmt, ...) {
    char mem[256];
    struct buf b;
    struct str text;
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    jw_kstr(j, key, buf_done(&b, &text) ? text : S(""));
}

static void PRINTF(2, 3) key_fmt(struct jw *j, const char *fmt, ...) {
    char mem[256];
    struct buf b;
    va_list args;
    buf_init(&b, mem, sizeof mem);
    va_start(args, fmt);
    buf_vfmt(&b, fmt, args);
    va_end(args);
    jw_key_str(j, (struct str){mem, b.len});
}

/* ---- one operation ---- */

struct operation {
    const char *method, *id_suffix, *about;
    const char *parameters; /* JSON array, or NULL */
    const char *body;       /* schema name behind "RESOURCE", or of its own ("Reveal") */
    const char *status, *answer;
};

static void put_schema_ref(struct jw *j, const char *resource, const char *name) {
    jw_open(j, '{');
    if (name[0] == '_')
        put_fmt(j, "$ref", "#/components/schemas/%s%s", resource, name);
    else
        put_fmt(j, "$ref", "#/components/schemas/%s", name);
    jw_close(j, '}');
}

static void put_content(struct jw *j, const char *resource, const char *schema) {
    jw_key(j, "content");
    jw_open(j, '{');
    jw_key(j, "application/json");
    jw_open(j, '{');
    jw_key(j, "schema");
    put_schema_ref(j, resource, schema);
    jw_close(j, '}');
    jw_close(j, '}');
}

static void put_operation(struct jw *j, const struct resource *r, const struct operation *o) {
    jw_key(j, o->method);
    jw_open(j, '{');
    put_fmt(j, "operationId", "%s_%s", r->name, o->id_suffix);
    jw_kcstr(j, "summary", o->about);
    jw_key(j, "tags");
    jw_open(j, '[');
    jw_cstr(j, r->name);
    jw_close(j, ']');
    if (o->parameters) raw(j, "parameters", o->parameters);
    if (o->body) {
        jw_key(j, "requestBody");
        jw_open(j, '{');
        put_content(j, r->name, o->body);
        jw_close(j, '}');
    }
    jw_key(j, "responses");
    jw_open(j, '{');
    jw_key(j, o->status);
    jw_open(j, '{');
    jw_kcstr(j, "description", o->about);
    if (o->answer) put_content(j, r->name, o->answer);
    jw_close(j, '}');
    raw(j, "default", "{\"$ref\":\"#/components/responses/problem\"}");
    jw_close(j, '}');
    jw_close(j, '}');
}

/* ---- the paths of one resource ---- */

#define WRITE_PARAMETERS \
    "{\"$ref\":\"#/components/parameters/if_match\"},{\"$ref\":\"#/components/parameters/idempotency_key\"}"
#define LIST_PARAMETERS                                                                              \
    "[{\"$ref\":\"#/components/parameters/limit\"},{\"$ref\":\"#/components/parameters/cursor\"},"   \
    "{\"$ref\":\"#/components/parameters/q\"},{\"$ref\":\"#/components/parameters/sort\"},"          \
    "{\"$ref\":\"#/components/parameters/filter\"},{\"$ref\":\"#/components/parameters/archived\"}," \
    "{\"$ref\":\"#/components/parameters/format\"}]"

static void put_row_paths(struct jw *j, const struct resource *r) {
    static const struct operation get = {"get", "get", "One row", "[" ID_PARAMETER "]", NULL, "200", "_row"};
    static const struct operation patch = {
        "patch", "update", "Change some fields", "[" ID_PARAMETER "," WRITE_PARAMETERS "]", "_patch", "200", "_row"};
    static const struct operation archive = {"delete", "archive", "Archive", "[" ID_PARAMETER "," WRITE_PARAMETERS "]",
                                             NULL,     "204",     NULL};
    static const struct operation restore = {"post", "restore", "Bring back", "[" ID_PARAMETER "," WRITE_PARAMETERS "]",
                                             NULL,   "200",     "_row"};
    static const struct operation reveal = {
        "post", "reveal", "Clear values, with a reason, logged", "[" ID_PARAMETER "]", "Reveal", "200", "_reveal"};
    static const struct operation history = {"get", "history", "What happened to it", "[" ID_PARAMETER "]", NULL,
                                             "200", "History"};
    key_fmt(j, "/api/v1/%s/{id}", r->name);
    jw_open(j, '{');
    put_operation(j, r, &get);
    if (!r->select) put_operation(j, r, &patch);
    if (!r->select && !(r->flags & NO_ARCHIVE)) put_operation(j, r, &archive);
    jw_close(j, '}');
    key_fmt(j, "/api/v1/%s/{id}/history", r->name);
    jw_open(j, '{');
    put_operation(j, r, &history);
    jw_close(j, '}');
    if (r->select) return;
    if (!(r->flags & NO_ARCHIVE)) {
        key_fmt(j, "/api/v1/%s/{id}/restore", r->name);
        jw_open(j, '{');
        put_operation(j, r, &restore);
        jw_close(j, '}');
    }
    key_fmt(j, "/api/v1/%s/{id}/reveal", r->name);
    jw_open(j, '{');
    put_operation(j, r, &reveal);
    jw_close(j, '}');
}

static bool first_of_name(const struct resource *r, size_t step) {
    for (size_t i = 0; i < step; i++)
        if (!strcmp(r->steps[i].name, r->steps[step].name)) return false;
    return strcmp(r->steps[step].roles, "timer") != 0;
}

static bool has_files(const struct resource *r) {
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_FILE) return true;
    return false;
}

static void put_step_paths(struct jw *j, const struct resource *r) {
    for (size_t i = 0; i < r->steps_n; i++) {
        if (!first_of_name(r, i)) continue;
        char suffix[64], body[64];
        struct buf b[2];
        buf_init(&b[0], suffix, sizeof suffix);
        buf_fmt(&b[0], "step_%s", r->steps[i].name);
        buf_init(&b[1], body, sizeof body);
        buf_fmt(&b[1], "_step_%s", r->steps[i].name);
        struct operation o = {"post", suffix, r->steps[i].name, "[" ID_PARAMETER "," WRITE_PARAMETERS "]", body,
                              "200",  "_row"};
        key_fmt(j, "/api/v1/%s/{id}/%s", r->name, r->steps[i].name);
        jw_open(j, '{');
        put_operation(j, r, &o);
        jw_close(j, '}');
    }
    if (!has_files(r)) return;
    key_fmt(j, "/api/v1/%s/{id}/files/{file_id}", r->name);
    jw_open(j, '{');
    jw_key(j, "get");
    jw_open(j, '{');
    put_fmt(j, "operationId", "%s_file", r->name);
    raw(j, "parameters", "[" ID_PARAMETER ",{\"$ref\":\"#/components/parameters/file_id\"}]");
    raw(j, "responses",
        "{\"200\":{\"description\":\"The bytes\",\"content\":{\"application/octet-stream\":{}}},"
        "\"default\":{\"$ref\":\"#/components/responses/problem\"}}");
    jw_close(j, '}');
    jw_close(j, '}');
}

static void put_paths(struct jw *j, const struct resource *r) {
    static const struct operation list = {"get", "list", "A page of rows", LIST_PARAMETERS, NULL, "200", "_page"};
    static const struct operation create = {
        "post",    "create", "Create a row", "[{\"$ref\":\"#/components/parameters/idempotency_key\"}]",
        "_create", "201",    "_row"};
    key_fmt(j, "/api/v1/%s", r->name);
    jw_open(j, '{');
    put_operation(j, r, &list);
    if (!r->select) put_operation(j, r, &create);
    jw_close(j, '}');
    put_row_paths(j, r);
    put_step_paths(j, r);
}

/* ---- the routes made by hand ---- */

static void put_route(struct jw *j, const struct api_route *route) {
    char method[16], id[160];
    struct buf b;
    struct str rest = str_of(route->pattern), part;
    size_t n = 0;
    for (; route->method[n] && n < sizeof method - 1; n++) method[n] = (char)tolower((unsigned char)route->method[n]);
    method[n] = 0;
    buf_init(&b, id, sizeof id);
    buf_cstr(&b, method);
    for (const char *p = route->pattern; *p; p++) buf_char(&b, isalnum((unsigned char)*p) ? *p : '_');
    jw_key(j, method);
    jw_open(j, '{');
    jw_kstr(j, "operationId", (struct str){id, b.len});
    jw_kcstr(j, "summary", route->about ? route->about : route->pattern);
    if (route->flags & API_PUBLIC) raw(j, "security", "[]");
    jw_key(j, "parameters");
    jw_open(j, '[');
    while (str_cut(&rest, '/', &part)) {
        if (part.len < 3 || part.ptr[0] != '{') continue;
        jw_open(j, '{');
        jw_kstr(j, "name", (struct str){part.ptr + 1, part.len - 2});
        jw_kcstr(j, "in", "path");
        jw_kbool(j, "required", true);
        raw(j, "schema", "{\"type\":\"string\"}");
        jw_close(j, '}');
    }
    jw_close(j, ']');
    raw(j, "responses",
        "{\"2XX\":{\"description\":\"Done\"},\"default\":{\"$ref\":\"#/components/responses/problem\"}}");
    jw_close(j, '}');
}

static void put_routes(struct jw *j, const struct bound_route *all, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool told = false;
        for (size_t k = 0; k < i; k++) told |= !strcmp(all[k].route->pattern, all[i].route->pattern);
        if (told) continue;
        jw_key(j, all[i].route->pattern);
        jw_open(j, '{');
        for (size_t k = i; k < n; k++)
            if (!strcmp(all[k].route->pattern, all[i].route->pattern)) put_route(j, all[k].route);
        jw_close(j, '}');
    }
}

/* ---- components ---- */

static uint64_t fields_of_words(const struct resource *r, size_t step, bool need) {
    uint64_t bits = 0;
    for (size_t i = step; i < r->steps_n; i++)
        for (size_t f = 0; !strcmp(r->steps[i].name, r->steps[step].name) && f < r->fields_n; f++)
            if (word_in(need ? r->steps[i].need : r->steps[i].takes, str_of(r->fields[f].name)))
                bits |= UINT64_C(1) << f;
    return bits;
}

static void put_schemas(struct jw *j, const struct resource *r) {
    uint64_t required = 0;
    for (size_t i = 0; i < r->fields_n; i++)
        if ((r->fields[i].flags & REQUIRED) && !(r->fields[i].flags & SYSTEM)) required |= UINT64_C(1) << i;
    key_fmt(j, "%s_row", r->name);
    schema_row(j, r);
    key_fmt(j, "%s_page", r->name);
    jw_open(j, '{');
    jw_kcstr(j, "type", "object");
    jw_key(j, "properties");
    jw_open(j, '{');
    jw_key(j, "items");
    jw_open(j, '{');
    jw_kcstr(j, "type", "array");
    jw_key(j, "items");
    put_schema_ref(j, r->name, "_row");
    jw_close(j, '}');
    raw(j, "next", "{\"type\":[\"string\",\"null\"]}");
    raw(j, "total", "{\"type\":[\"integer\",\"null\"]}");
    jw_close(j, '}');
    raw(j, "required", "[\"items\",\"next\",\"total\"]");
    jw_close(j, '}');
    if (r->select) return;
    key_fmt(j, "%s_create", r->name);
    schema_input(j, r, fields_creatable(r), required, false);
    key_fmt(j, "%s_patch", r->name);
    schema_input(j, r, fields_patchable(r), 0, true);
    key_fmt(j, "%s_reveal", r->name);
    uint64_t protected_bits = 0;
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].class != ORDINARY && r->fields[i].class != SECRET) protected_bits |= UINT64_C(1) << i;
    schema_input(j, r, protected_bits, 0, true);
    for (size_t i = 0; i < r->steps_n; i++) {
        if (!first_of_name(r, i)) continue;
        key_fmt(j, "%s_step_%s", r->name, r->steps[i].name);
        schema_input(j, r, fields_of_words(r, i, false), fields_of_words(r, i, true), true);
    }
}

static const char parameters[] =
    "{\"id\":{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"$ref\":\"#/components/schemas/Id\"}},"
    "\"file_id\":{\"name\":\"file_id\",\"in\":\"path\",\"required\":true,\"schema\":{\"$ref\":\"#/components/schemas/"
    "Id\"}},"
    "\"limit\":{\"name\":\"limit\",\"in\":\"query\",\"schema\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
    "\"default\":50}},"
    "\"cursor\":{\"name\":\"cursor\",\"in\":\"query\",\"schema\":{\"type\":\"string\"}},"
    "\"q\":{\"name\":\"q\",\"in\":\"query\",\"schema\":{\"type\":\"string\"}},"
    "\"sort\":{\"name\":\"sort\",\"in\":\"query\",\"description\":\"a field, descending with - before it\",\"schema\":{"
    "\"type\":\"string\"}},"
    "\"filter\":{\"name\":\"f\",\"in\":\"query\",\"description\":\"f.FIELD=a,b; f.FIELD.gte .gt .lte .lt; "
    "f.FIELD=null\",\"style\":\"form\",\"explode\":true,\"schema\":{\"type\":\"object\",\"additionalProperties\":{"
    "\"type\":\"string\"}}},"
    "\"archived\":{\"name\":\"archived\",\"in\":\"query\",\"schema\":{\"type\":\"boolean\"}},"
    "\"format\":{\"name\":\"format\",\"in\":\"query\",\"schema\":{\"enum\":[\"json\",\"csv\"]}},"
    "\"if_match\":{\"name\":\"If-Match\",\"in\":\"header\",\"schema\":{\"type\":\"string\"}},"
    "\"idempotency_key\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"schema\":{\"type\":\"string\",\"maxLength\":"
    "128}}}";

static void put_components(struct jw *j, const struct kernel *k) {
    jw_key(j, "components");
    jw_open(j, '{');
    jw_key(j, "schemas");
    jw_open(j, '{');
    schema_shared(j);
    for (size_t i = 0; i < kernel_resources(k); i++) put_schemas(j, kernel_resource_at(k, i));
    jw_close(j, '}');
    raw(j, "parameters", parameters);
    raw(j, "responses",
        "{\"problem\":{\"description\":\"What went wrong (RFC 9457)\",\"content\":{\"application/problem+json\":{"
        "\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}");
    raw(j, "securitySchemes",
        "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\","
        "\"name\":"
        "\"" API_COOKIE "\"}}");
    jw_close(j, '}');
}

static void put_document(struct jw *j, const struct api *api) {
    const struct kernel *k = api->o.kernel;
    jw_open(j, '{');
    jw_kcstr(j, "openapi", "3.1.0");
    jw_key(j, "info");
    jw_open(j, '{');
    jw_kcstr(j, "title", "Linli");
    jw_kcstr(j, "version", api->o.version);
    raw(j, "license", "{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
    jw_close(j, '}');
    raw(j, "servers", "[{\"url\":\"/\"}]");
    raw(j, "security", "[{\"bearer\":[]},{\"cookie\":[]}]");
    jw_key(j, "paths");
    jw_open(j, '{');
    for (size_t i = 0; i < kernel_resources(k); i++) put_paths(j, kernel_resource_at(k, i));
    put_routes(j, api->routes, api->routes_n);
    jw_close(j, '}');
    put_components(j, k);
    jw_close(j, '}');
}

enum err describe_openapi(const struct kernel *k, const char *version, const struct api_with *with, size_t with_n,
                          struct buf *ret, struct fault *f) {
    struct api *api = calloc(1, sizeof *api);
    struct jw j;
    if (!api) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    api->o = (struct api_options){.kernel = k, .version = version, .with = with, .with_n = with_n};
    enum err e = routes_collect(api, f);
    jw_init(&j, ret);
    if (!e) put_document(&j, api);
    free(api);
    return e;
}

enum err openapi_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct body b;
    body_open(&b, ctx);
    put_document(&b.j, call->arg);
    return body_close(&b, ctx, ret);
}
