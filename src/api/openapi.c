/* The OpenAPI 3.1 document, derived from the tables.  SPDX-License-Identifier: Apache-2.0 */
#include "api/describe_internal.h"

#include "kernel/row_json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA(name) "{'$ref':'#/components/schemas/" name "'}"
#define PROBLEM      "'default':{'$ref':'#/components/responses/problem'}"

/* Whose addresses are told: a resource's and, where they name one, a step's; or (NULL) those made by hand. */
struct told {
    struct jw *j;
    const struct resource *r;
    const char *step;
    char text[256];
};

/* The text with the names of resource and step in their places, until the next; `own` ones begin with the resource's.
 */
static struct str named(struct told *t, bool own, struct str rest) {
    struct buf b;
    buf_init(&b, t->text, sizeof t->text);
    if (own) buf_fmt(&b, "%s_", t->r->name);
    while (t->r && rest.len) {
        bool is_resource = str_starts(rest, S("{resource}")), is_step = str_starts(rest, S("{step}"));
        if (is_resource || is_step)
            buf_cstr(&b, is_resource ? t->r->name : t->step);
        else
            buf_char(&b, *rest.ptr);
        rest = str_from(rest, is_resource ? 10 : is_step ? 6 : 1);
    }
    buf_str(&b, rest);
    return (struct str){t->text, b.len};
}

/* ---- the operations of a resource ---- */

/* Each name once, and none that only the clock takes. */
static bool step_is_told(const struct resource *r, size_t step) {
    for (size_t i = 0; i < step; i++)
        if (!strcmp(r->steps[i].name, r->steps[step].name)) return false;
    return strcmp(r->steps[step].roles, "timer") != 0;
}

static void put_ref(struct told *t, const char *kind, bool own, struct str name) {
    char ref[sizeof t->text + 32];
    struct str whole = named(t, own, name);
    snprintf(ref, sizeof ref, "#/components/%s/" STR_FMT, kind, STR_ARG(whole));
    jw_put(t->j, "{'$ref':$}", JV(J_CSTR(ref)));
}

/* A schema of the resource, or, with a capital, one that all share. */
static void put_content(struct told *t, const char *schema) {
    jw_put(t->j, "'content':{'application/json':{'schema':", NO_JV);
    put_ref(t, "schemas", !isupper((unsigned char)*schema), str_of(schema));
    jw_put(t->j, "}}", NO_JV);
}

static void put_operation(struct told *t, const struct rest_route *o) {
    struct jw *j = t->j;
    struct str rest = str_of(o->operation.takes), word;
    jw_put(j, "{'operationId':$", JV(J_STR(named(t, true, str_of(o->operation.id)))));
    jw_put(j, "'summary':$,'tags':[$],'parameters':[",
           JV(J_STR(named(t, false, str_of(o->route.about))), J_CSTR(t->r->name)));
    while (str_word(&rest, &word)) put_ref(t, "parameters", false, word);
    jw_close(j, ']');
    if (o->operation.body) {
        jw_put(j, "'requestBody':{", NO_JV);
        put_content(t, o->operation.body);
        jw_close(j, '}');
    }
    jw_put(j, "'responses':{", NO_JV);
    jw_key(j, o->operation.status);
    jw_put(j, "{'description':$", JV(J_STR(named(t, false, str_of(o->route.about)))));
    if (o->operation.gives) put_content(t, o->operation.gives);
    if (o->names == REST_FILE) jw_put(j, "'content':{'application/octet-stream':{}}", NO_JV);
    jw_put(j, "}," PROBLEM "}}", NO_JV);
}

/* ---- the routes made by hand ---- */

static void put_route(struct jw *j, const struct api_route *route, struct str method) {
    char id[160];
    struct buf b;
    struct str rest = str_of(route->pattern), part;
    buf_init(&b, id, sizeof id);
    buf_str(&b, method);
    for (const char *p = route->pattern; *p; p++) buf_char(&b, isalnum((unsigned char)*p) ? *p : '_');
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
    struct str args[3];
    const struct resource *r = NULL;
    if (http_pattern_matches("/api/v1/{resource}/{id}/{step}", str_of(route->pattern), args, COUNT(args)))
        r = kernel_resource(k, args[0]);
    return r && step_named(r, args[2]);
}

/* ---- addresses with their methods ---- */

static bool is_told(const struct api *api, const struct told *t, const struct bound_route *b) {
    const struct resource *r = t->r;
    bool holds_files = false;
    if (!r != !b->rest) return false;
    if (!r) return !is_step(api->o.kernel, b->route);
    for (size_t i = 0; i < r->fields_n; i++) holds_files |= r->fields[i].kind == FIELD_FILE;
    return !(r->select && strcmp(b->route->method, "GET")) &&
           !(b->rest->operation.archives && (r->flags & NO_ARCHIVE)) && (b->rest->names != REST_FILE || holds_files);
}

/* The address of route `at`, if none before it has the same. */
static void put_path(struct told *t, const struct api *api, size_t at) {
    bool is_open = false;
    for (size_t i = 0; i < api->routes_n; i++) {
        const struct bound_route *b = &api->routes[i];
        char method[16] = "";
        if (strcmp(b->route->pattern, api->routes[at].route->pattern) || !is_told(api, t, b)) continue;
        if (i < at) return;
        if (!is_open) jw_key_str(t->j, named(t, false, str_of(b->route->pattern)));
        if (!is_open) jw_open(t->j, '{');
        is_open = true;
        for (size_t c = 0; b->route->method[c]; c++) method[c] = (char)tolower((unsigned char)b->route->method[c]);
        jw_key(t->j, method);
        if (b->rest)
            put_operation(t, b->rest);
        else
            put_route(t->j, b->route, str_of(method));
    }
    if (is_open) jw_close(t->j, '}');
}

static void put_paths(struct jw *j, const struct api *api, const struct resource *r) {
    struct told t = {.j = j, .r = r};
    for (size_t i = 0; i < api->routes_n; i++) {
        const struct rest_route *rest = api->routes[i].rest;
        bool is_of_step = r && rest && rest->names == REST_STEP;
        for (size_t n = 0; is_of_step && n < r->steps_n; n++) {
            t.step = r->steps[n].name;
            if (step_is_told(r, n)) put_path(&t, api, i);
        }
        if (!is_of_step) put_path(&t, api, i);
    }
}

/* ---- components ---- */

static void put_schema(struct told *t, const char *name, struct schema s) {
    jw_key_str(t->j, named(t, true, str_of(name)));
    schema_object(t->j, t->r, &s);
}

static void put_schemas(struct jw *j, const struct resource *r) {
    struct told t = {.j = j, .r = r};
    uint64_t required = 0, revealed = 0;
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        if ((f->flags & REQUIRED) && !(f->flags & SYSTEM)) required |= UINT64_C(1) << i;
        if (f->class != ORDINARY && f->class != SECRET) revealed |= UINT64_C(1) << i;
    }
    jw_key_str(j, named(&t, true, S("row")));
    schema_row(j, r);
    jw_key_str(j, named(&t, true, S("page")));
    jw_put(j, "{'type':'object','properties':{'items':{'type':'array','items':", NO_JV);
    put_ref(&t, "schemas", true, S("row"));
    jw_put(j,
           "},'next':{'type':['string','null']},'total':{'type':['integer','null']}},'required':['items','next',"
           "'total']}",
           NO_JV);
    if (r->select) return;
    put_schema(&t, "create", (struct schema){fields_creatable(r), required, .in = true, .community = true});
    put_schema(&t, "patch", (struct schema){fields_patchable(r), 0, .in = true, .null = true});
    put_schema(&t, "reveal", (struct schema){revealed, 0, .in = true, .null = true});
    for (size_t i = 0; i < r->steps_n; i++) {
        if (!step_is_told(r, i)) continue;
        t.step = r->steps[i].name;
        uint64_t takes = fields_of_step(r, t.step, false), needs = fields_of_step(r, t.step, true);
        put_schema(&t, "step_{step}", (struct schema){takes, needs, .in = true, .null = true});
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
    SCHEMA("Id") ",'at_ms':{'type':'integer'},'actor':{'type':'object','properties':{'id':" MAYBE ",'name':" MAYBE ","
    "'roles':{'type':'array','items':" A_TEXT "}},'required':['id','name','roles']},'verb':" A_TEXT ",'step':" MAYBE ",'changes':{'type':'array','items':{'type':'object'}},'reason':" MAYBE "}}},'next':" MAYBE "},'required':['items','next']},"
    "'Reveal':{'type':'object','properties':{'fields':{'type':'array','items':" A_TEXT "},'reason':{'type':'string',"
    "'minLength':2}},'required':['fields','reason'],'additionalProperties':false}";
/* clang-format on */

static void put_document(struct jw *j, const struct api *api) {
    const struct kernel *k = api->o.kernel;
    jw_put(j,
           "{'openapi':'3.1.0','info':{'title':'Linli','version':$,'license':{'name':'Apache-2.0','identifier':"
           "'Apache-2.0'}},'servers':[{'url':'/'}],'security':[{'bearer':[]},{'cookie':[]}],'paths':{",
           JV(J_CSTR(api->o.version)));
    for (size_t i = 0; i < kernel_resources(k); i++) put_paths(j, api, kernel_resource_at(k, i));
    put_paths(j, api, NULL);
    jw_put(j, "},'components':{'schemas':{", NO_JV);
    jw_put(j, shared_schemas, NO_JV);
    for (size_t i = 0; i < kernel_resources(k); i++) put_schemas(j, kernel_resource_at(k, i));
    jw_close(j, '}');
    jw_put(j, rest_of_components, NO_JV);
    jw_put(j, "}}", NO_JV);
}

enum err describe_openapi(const struct kernel *k, const char *version, const struct api_with *with, size_t with_n,
                          struct buf *ret, struct fault *f) {
    struct api api = {.o = {.kernel = k, .version = version, .with = with, .with_n = with_n}};
    struct jw j;
    TRY(routes_collect(&api, f));
    jw_init(&j, ret);
    put_document(&j, &api);
    return OK;
}

enum err openapi_handle(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    struct api_text b;
    api_text_open(&b, ctx);
    put_document(&b.j, call->unit->api);
    return api_text_close(&b, ctx, ret);
}
