/* The OpenAPI 3.1 document, derived from the tables.  SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include "kernel/row_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- templates: JSON with ' for ", $R for the resource's name, $X for the step's ---- */

static void expand(struct buf *b, const char *text, const char *r, const char *x) {
    for (const char *p = text; *p; p++) {
        bool name = p[0] == '$' && (p[1] == 'R' || p[1] == 'X');
        if (name)
            buf_cstr(b, *++p == 'R' ? r : x);
        else
            buf_char(b, *p == '\'' ? '"' : *p);
    }
}

static void put(struct jw *j, const char *key, const char *json, const char *r, const char *x) {
    char mem[256];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    expand(&b, key, r, x);
    jw_key_str(j, (struct str){mem, b.len});
    if (!json) return;
    jw_raw(j, S(""));
    expand(j->out, json, r, x);
}

#define SCHEMA(name)    "{'$ref':'#/components/schemas/" name "'}"
#define PARAMETER(name) "{'$ref':'#/components/parameters/" name "'}"
#define CONTENT(schema) "'content':{'application/json':{'schema':" SCHEMA(schema) "}}"
#define BODY(schema)    "'requestBody':{" CONTENT(schema) "},"
#define ANSWER(schema)  "," CONTENT(schema)
#define PROBLEM         "'default':{'$ref':'#/components/responses/problem'}"
#define OPERATION(id, about, parameters, body, status, answer)                                           \
    "{'operationId':'$R_" id "','summary':'" about "','tags':['$R'],'parameters':[" parameters "]," body \
    "'responses':{'" status "':{'description':'" about "'" answer "}," PROBLEM "}}"
#define KEY   PARAMETER("idempotency_key")
#define WRITE PARAMETER("id") "," PARAMETER("if_match") "," KEY
#define LIST                                                                                                \
    PARAMETER("limit")                                                                                      \
    "," PARAMETER("cursor") "," PARAMETER("q") "," PARAMETER("sort") "," PARAMETER("filter") "," PARAMETER( \
        "archived") "," PARAMETER("format")

/* ---- the paths of one resource ---- */

enum lacks { READ_ONLY = 1 << 0, KEPT = 1 << 1, FILELESS = 1 << 2 }; /* what a resource may be */

static const struct operation {
    const char *path, *method, *json;
    unsigned unless;
} operations[] = {
    {"/api/v1/$R", "get", OPERATION("list", "A page of rows", LIST, "", "200", ANSWER("$R_page")), 0},
    {"/api/v1/$R", "post", OPERATION("create", "Create a row", KEY, BODY("$R_create"), "201", ANSWER("$R_row")),
     READ_ONLY},
    {"/api/v1/$R/{id}", "get", OPERATION("get", "One row", PARAMETER("id"), "", "200", ANSWER("$R_row")), 0},
    {"/api/v1/$R/{id}", "patch",
     OPERATION("update", "Change some fields", WRITE, BODY("$R_patch"), "200", ANSWER("$R_row")), READ_ONLY},
    {"/api/v1/$R/{id}", "delete", OPERATION("archive", "Archive", WRITE, "", "204", ""), READ_ONLY | KEPT},
    {"/api/v1/$R/{id}/history", "get",
     OPERATION("history", "What happened to it", PARAMETER("id"), "", "200", ANSWER("History")), 0},
    {"/api/v1/$R/{id}/restore", "post", OPERATION("restore", "Bring back", WRITE, "", "200", ANSWER("$R_row")),
     READ_ONLY | KEPT},
    {"/api/v1/$R/{id}/reveal", "post",
     OPERATION("reveal", "Clear values, with a reason, logged", PARAMETER("id"), BODY("Reveal"), "200",
               ANSWER("$R_reveal")),
     READ_ONLY},
    {"/api/v1/$R/{id}/files/{file_id}", "get",
     OPERATION("file", "The bytes of a file", PARAMETER("id") "," PARAMETER("file_id"), "", "200",
               ",'content':{'application/octet-stream':{}}"),
     FILELESS},
};
static const char step_json[] =
    "{'post':" OPERATION("step_$X", "Step $X", WRITE, BODY("$R_step_$X"), "200", ANSWER("$R_row")) "}";

static unsigned lacks_of(const struct resource *r) {
    unsigned bits = FILELESS | (r->select ? READ_ONLY : 0) | (r->flags & NO_ARCHIVE ? KEPT : 0);
    for (size_t i = 0; i < r->fields_n; i++)
        if (r->fields[i].kind == FIELD_FILE) bits &= ~(unsigned)FILELESS;
    return bits;
}

/* Each name once, and none that only the clock takes. */
static bool is_told(const struct resource *r, size_t step) {
    for (size_t i = 0; i < step; i++)
        if (!strcmp(r->steps[i].name, r->steps[step].name)) return false;
    return strcmp(r->steps[step].roles, "timer") != 0;
}

static void put_paths(struct jw *j, const struct resource *r) {
    unsigned lacks = lacks_of(r);
    const char *open = NULL;
    for (size_t i = 0; i < COUNT(operations); i++) {
        const struct operation *o = &operations[i];
        if (o->unless & lacks) continue;
        if (!open || strcmp(open, o->path)) {
            if (open) jw_close(j, '}');
            put(j, o->path, NULL, r->name, "");
            jw_open(j, '{');
            open = o->path;
        }
        put(j, o->method, o->json, r->name, "");
    }
    jw_close(j, '}');
    for (size_t i = 0; i < r->steps_n; i++)
        if (is_told(r, i)) put(j, "/api/v1/$R/{id}/$X", step_json, r->name, r->steps[i].name);
}

/* ---- the routes made by hand ---- */

static void put_route(struct jw *j, const struct api_route *route) {
    char method[16], id[160];
    struct buf b[2];
    struct str rest = str_of(route->pattern), part;
    buf_init(&b[0], method, sizeof method);
    buf_init(&b[1], id, sizeof id);
    for (const char *p = route->method; *p; p++) buf_char(&b[0], (char)tolower((unsigned char)*p));
    buf_cstr(&b[1], method);
    for (const char *p = route->pattern; *p; p++) buf_char(&b[1], isalnum((unsigned char)*p) ? *p : '_');
    jw_key(j, method);
    jw_put(j, "{'operationId':$,'summary':$", JV(J_CSTR(id), J_CSTR(route->about ? route->about : route->pattern)));
    if (route->flags & API_PUBLIC) jw_put(j, "'security':[]", NO_JV);
    jw_put(j, "'parameters':[", NO_JV);
    while (str_cut(&rest, '/', &part))
        if (part.len >= 3 && part.ptr[0] == '{')
            jw_put(j, "{'name':$,'in':'path','required':true,'schema':{'type':'string'}}",
                   JV(J_STR(((struct str){part.ptr + 1, part.len - 2}))));
    jw_put(j, "],'responses':{'2XX':{'description':'Done'}," PROBLEM "}}", NO_JV);
}

/* A route that stands in for a resource's step is told of as that. */
static bool is_step(const struct kernel *k, const struct api_route *route) {
    struct str rest = str_of(route->pattern), part, parts[6];
    size_t n = 0;
    while (n < COUNT(parts) && str_cut(&rest, '/', &part)) parts[n++] = part; /* "" api v1 resource {id} step */
    const struct resource *r = n == COUNT(parts) && !rest.ptr ? kernel_resource(k, parts[3]) : NULL;
    for (size_t i = 0; r && i < r->steps_n; i++)
        if (str_is(parts[5], r->steps[i].name)) return true;
    return false;
}

static void put_routes(struct jw *j, const struct kernel *k, const struct bound_route *all, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool told = is_step(k, all[i].route);
        for (size_t m = 0; m < i; m++) told |= !strcmp(all[m].route->pattern, all[i].route->pattern);
        if (told) continue;
        jw_key(j, all[i].route->pattern);
        jw_open(j, '{');
        for (size_t m = i; m < n; m++)
            if (!strcmp(all[m].route->pattern, all[i].route->pattern)) put_route(j, all[m].route);
        jw_close(j, '}');
    }
}

/* ---- components ---- */

static void put_schemas(struct jw *j, const struct resource *r) {
    uint64_t required = 0, revealed = 0;
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if ((f->flags & REQUIRED) && !(f->flags & SYSTEM)) required |= UINT64_C(1) << i;
        if (f->class != ORDINARY && f->class != SECRET) revealed |= UINT64_C(1) << i;
    }
    put(j, "$R_row", NULL, r->name, "");
    schema_row(j, r);
    put(j, "$R_page",
        "{'type':'object','properties':{'items':{'type':'array','items':" SCHEMA(
            "$R_row") "},"
                      "'next':{'type':['string','null']},'total':{'type':['integer','null']}},'required':['items','"
                      "next','total']}",
        r->name, "");
    if (r->select) return;
    put(j, "$R_create", NULL, r->name, "");
    schema_object(j, r,
                  &(struct schema){.fields = fields_creatable(r), .required = required, .in = true, .community = true});
    put(j, "$R_patch", NULL, r->name, "");
    schema_object(j, r, &(struct schema){.fields = fields_patchable(r), .in = true, .null = true});
    put(j, "$R_reveal", NULL, r->name, "");
    schema_object(j, r, &(struct schema){.fields = revealed, .in = true, .null = true});
    for (size_t i = 0; i < r->steps_n; i++) {
        const char *step = r->steps[i].name;
        if (!is_told(r, i)) continue;
        put(j, "$R_step_$X", NULL, r->name, step);
        schema_object(j, r,
                      &(struct schema){.fields = fields_of_step(r, step, false),
                                       .required = fields_of_step(r, step, true),
                                       .in = true,
                                       .null = true});
    }
}

/* clang-format off */
#define QUERY(name, schema) "'" name "':{'name':'" name "','in':'query','schema':" schema "}"
static const char rest_of_components[] =
    "'parameters':{'id':{'name':'id','in':'path','required':true,'schema':" SCHEMA("Id") "},"
    "'file_id':{'name':'file_id','in':'path','required':true,'schema':" SCHEMA("Id") "},"
    QUERY("limit", "{'type':'integer','minimum':1,'maximum':1000,'default':50}") ","
    QUERY("cursor", "{'type':'string'}") "," QUERY("q", "{'type':'string'}") ","
    QUERY("sort", "{'type':'string','description':'a field, descending with - before it'}") ","
    QUERY("archived", "{'type':'boolean'}") "," QUERY("format", "{'enum':['json','csv']}") ","
    "'filter':{'name':'f','in':'query','description':'f.FIELD=a,b; f.FIELD.gte .gt .lte .lt; f.FIELD=null','style':'form',"
    "'explode':true,'schema':{'type':'object','additionalProperties':{'type':'string'}}},"
    "'if_match':{'name':'If-Match','in':'header','schema':{'type':'string'}},"
    "'idempotency_key':{'name':'Idempotency-Key','in':'header','schema':{'type':'string','maxLength':128}}},"
    "'responses':{'problem':{'description':'What went wrong (RFC 9457)','content':{'application/problem+json':{'schema':"
    SCHEMA("Problem") "}}}},'securitySchemes':{'bearer':{'type':'http','scheme':'bearer'},"
    "'cookie':{'type':'apiKey','in':'cookie','name':'" API_COOKIE "'}}";

#define A_TEXT  "{'type':'string'}"
#define MAYBE "{'type':['string','null']}"
static const char shared_schemas[] =
    "'Id':{'type':'string','pattern':'^[0-9]{1,19}$'},"
    "'File':{'type':'object','properties':{'id':" SCHEMA("Id") ",'name':" A_TEXT ",'type':" A_TEXT ",'size_bytes':{'type':"
    "'integer'},'at_ms':{'type':'integer'}},'required':['id','name','type','size_bytes']},"
    "'Problem':{'type':'object','properties':{'type':" A_TEXT ",'title':" A_TEXT ",'status':{'type':'integer'},'code':" A_TEXT ","
    "'detail':" A_TEXT ",'errors':{'type':'array','items':{'type':'object','properties':{'field':" A_TEXT ",'code':" A_TEXT ","
    "'args':{'type':'object'}},'required':['field','code','args']}},'trace':" A_TEXT "},"
    "'required':['type','title','status','code','errors']},"
    "'History':{'type':'object','properties':{'items':{'type':'array','items':{'type':'object','properties':{'id':"
    SCHEMA("Id") ",'at_ms':{'type':'integer'},'actor':{'type':'object'},'verb':" A_TEXT ",'step':" MAYBE ","
    "'changes':{'type':'array','items':{'type':'object'}},'reason':" MAYBE "}}},'next':" MAYBE "},'required':['items','next']},"
    "'Reveal':{'type':'object','properties':{'fields':{'type':'array','items':" A_TEXT "},'reason':{'type':'string',"
    "'minLength':2}},'required':['fields','reason'],'additionalProperties':false}";
/* clang-format on */

static void put_document(struct jw *j, const struct api *api) {
    const struct kernel *k = api->o.kernel;
    jw_put(j,
           "{'openapi':'3.1.0','info':{'title':'Linli','version':$,'license':{'name':'Apache-2.0','identifier':"
           "'Apache-2.0'}},'servers':[{'url':'/'}],'security':[{'bearer':[]},{'cookie':[]}],'paths':{",
           JV(J_CSTR(api->o.version)));
    for (size_t i = 0; i < kernel_resources(k); i++) put_paths(j, kernel_resource_at(k, i));
    put_routes(j, k, api->routes, api->routes_n);
    jw_put(j, "},'components':{'schemas':{", NO_JV);
    jw_put(j, shared_schemas, NO_JV);
    for (size_t i = 0; i < kernel_resources(k); i++) put_schemas(j, kernel_resource_at(k, i));
    jw_close(j, '}');
    jw_put(j, rest_of_components, NO_JV);
    jw_put(j, "}}", NO_JV);
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
