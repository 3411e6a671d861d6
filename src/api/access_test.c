/* Who gets in, where requests go, and what every answer carries.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/api_server.h"

#define IS(t, g, path, want) \
    CHECK_SAY((t), !strcmp(api_at(&(g), (path)), (want)), "%s is %s, not %s", (path), api_at(&(g), (path)), (want))
#define STATUS(t, g, want)                                                                                       \
    CHECK_SAY((t), (g).status == (want), "status %d, not %d: %.*s", (g).status, (want), (int)(g).reply.body.len, \
              (const char *)(g).reply.body.ptr)

static void nobody_gets_in_but_at_the_public_addresses(struct t *t) {
    static const struct {
        const char *method, *target;
        int status;
    } rows[] = {{"GET", "/api/v1/samples", 401},
                {"POST", "/api/v1/samples", 401},
                {"PUT", "/api/v1/samples", 401},
                {"GET", "/api/v1/samples/1", 401},
                {"DELETE", "/api/v1/samples/1", 401},
                {"POST", "/api/v1/samples/1/accept", 401},
                {"GET", "/api/v1/samples/1/history", 401},
                {"GET", "/api/v1/samples/1/files/1", 401},
                {"GET", "/api/v1/nothing", 401},
                {"GET", "/api/nothing", 401},
                {"GET", "/api/v1/describe", 401},
                {"GET", "/api/v1/events", 401},
                {"POST", "/api/v1/files", 401},
                {"POST", "/api/v1/later", 401},
                {"GET", "/metrics", 401},
                {"GET", "/healthz", 200},
                {"GET", "/readyz", 200},
                {"GET", "/api/openapi.json", 200},
                {"HEAD", "/api/openapi.json", 200},
                {"POST", "/api/v1/public/hello", 200}};
    static const char *const tokens[] = {NULL, "wrong", "chief", "chief.x.1.0", "timer.0.1.0"};
    struct api_server s;
    api_server_start(&s, t);
    for (size_t k = 0; k < COUNT(tokens); k++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            bool timer = tokens[k] && !strncmp(tokens[k], "timer", 5);         /* a role nobody has gives no right */
            bool streams = timer && !strcmp(rows[i].target, "/api/v1/events"); /* to somebody, until he leaves */
            struct api_got g = api_ask(&s, tokens[k], streams ? "HEAD" : rows[i].method, rows[i].target, NULL, NULL);
            CHECK_SAY(t, g.status == rows[i].status || (timer && rows[i].status == 401), "%s %s: %d", rows[i].method,
                      rows[i].target, g.status);
            if (g.status == 401) {
                CHECK(t, !strcmp(api_at(&g, "code"), "signed_out") && api_header(&g, "WWW-Authenticate").len);
            }
        }
    api_server_stop(&s);
}

static void a_cookie_writes_only_from_our_own_pages(struct t *t) {
    static const struct {
        const char *method, *headers;
        int status; /* 400: let in, and the empty sample refused */
    } rows[] = {{"GET", NULL, 200},
                {"GET", "Sec-Fetch-Site: cross-site", 200},
                {"POST", NULL, 403},
                {"POST", "Sec-Fetch-Site: same-origin", 400},
                {"POST", "Sec-Fetch-Site: none", 400},
                {"POST", "Sec-Fetch-Site: same-site", 403},
                {"POST", "Sec-Fetch-Site: cross-site", 403},
                {"POST", "Origin: http://127.0.0.1:PORT", 400},
                {"POST", "Origin: https://127.0.0.1:PORT", 400},
                {"POST", "Origin: http://127.0.0.1", 403},
                {"POST", "Origin: http://evil.example", 403},
                {"POST", "Origin: null", 403},
                {"POST", "Sec-Fetch-Site: cross-site\nOrigin: http://127.0.0.1:PORT", 403}};
    struct api_server s;
    api_server_start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char headers[512], port[16];
        struct buf b;
        snprintf(port, sizeof port, "%d", s.port);
        buf_init(&b, headers, sizeof headers);
        buf_fmt(&b, "Cookie: a=b; " API_COOKIE "=%s\n", s.manager);
        for (const char *p = rows[i].headers ? rows[i].headers : ""; *p; p++) {
            if (!strncmp(p, "PORT", 4)) {
                buf_cstr(&b, port);
                p += 3;
            } else {
                buf_char(&b, *p);
            }
        }
        bool write = !strcmp(rows[i].method, "POST");
        struct api_got g = api_ask(&s, NULL, rows[i].method, "/api/v1/samples", headers, write ? "{}" : NULL);
        CHECK_SAY(t, g.status == rows[i].status, "%s: %d, not %d", headers, g.status, rows[i].status);
        if (g.status == 403) IS(t, g, "code", "cross_site");
    }
    struct api_got g = api_ask(&s, s.manager, "POST", "/api/v1/samples", "Sec-Fetch-Site: cross-site", "{}");
    STATUS(t, g, 400); /* a token in a header is no browser's doing */
    g = api_ask(&s, NULL, "POST", "/api/v1/public/hello", "Sec-Fetch-Site: cross-site", NULL);
    STATUS(t, g, 403);
    api_server_stop(&s);
}

static void every_answer_has_its_trace_and_its_safety(struct t *t) {
    static const struct {
        const char *headers, *trace; /* NULL: a new one */
    } rows[] = {
        {"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"X-Request-Id: from.gateway-7", "from.gateway-7"},
        {"X-Request-Id: short", NULL},
        {"X-Request-Id: has a blank in it", NULL},
        {"X-Request-Id: <script>alert(1)</script>", NULL},
        {"traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01", NULL},
        {"traceparent: nonsense", NULL},
        {NULL, NULL}};
    struct api_server s;
    api_server_start(&s, t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/samples", rows[i].headers, NULL);
        struct str trace = api_header(&g, "X-Request-Id");
        CHECK_SAY(t, rows[i].trace ? str_is(trace, rows[i].trace) : trace.len == 32, STR_FMT, STR_ARG(trace));
        CHECK(t, str_is(api_header(&g, "Cache-Control"), "no-store"));
        CHECK(t, str_is(api_header(&g, "X-Content-Type-Options"), "nosniff"));
        CHECK(t, str_starts(api_header(&g, "Content-Security-Policy"), S("default-src 'none'")));
    }
    api_server_stop(&s);
}

static void routes_made_by_hand_are_found(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = api_ask(&s, s.manager, "GET", "/api/v1/echo/one/%E4%BA%8C", NULL, NULL);
    IS(t, g, "a", "one");
    IS(t, g, "b", "二");
    IS(t, g, "user", "manager");
    static const struct {
        const char *method, *target;
        int status;
    } rows[] = {{"GET", "/api/v1/echo/one", 404},           {"GET", "/api/v1/echo/one/two/three", 404},
                {"GET", "/api/v1/echo//two", 404},          {"POST", "/api/v1/echo/a/b", 405},
                {"POST", "/api/v1/samples/-/count", 200},   {"GET", "/api/v1/samples/-/count", 405},
                {"POST", "/api/v1/samples/-/nothing", 404}, {"POST", "/api/v1/folk/-/count", 404}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool post = !strcmp(rows[i].method, "POST");
        g = api_ask(&s, s.manager, rows[i].method, rows[i].target, NULL, post ? "{}" : NULL);
        CHECK_SAY(t, g.status == rows[i].status, "%s %s: %d", rows[i].method, rows[i].target, g.status);
    }
    api_server_stop(&s);
}

static void an_answer_may_come_later(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    for (int i = 0; i < 50; i++) {
        struct api_got g = api_ask(&s, s.manager, "POST", "/api/v1/later", NULL, NULL);
        STATUS(t, g, 204);
    }
    struct api_got g = api_ask(&s, s.manager, "POST", "/api/v1/later?how=now", NULL, NULL);
    STATUS(t, g, 204);
    g = api_ask(&s, s.manager, "POST", "/api/v1/later?how=fault", NULL, NULL);
    STATUS(t, g, 429);
    CHECK(t, str_is(api_header(&g, "Retry-After"), "7"));
    api_server_stop(&s);
}

static void health_and_figures(struct t *t) {
    struct api_server s;
    api_server_start(&s, t);
    struct api_got g = api_ask(&s, NULL, "GET", "/readyz", NULL, NULL);
    IS(t, g, "ready", "true");
    IS(t, g, "checks.0.name", "store");
    IS(t, g, "checks.1.name", "test");
    for (int i = 0; i < 3; i++) g = api_ask(&s, s.manager, "GET", "/api/v1/nothing", NULL, NULL);
    g = api_ask(&s, s.viewer, "GET", "/metrics", NULL, NULL);
    STATUS(t, g, 200);
    CHECK(t, api_holds(&g, "linli_http_requests_total{status=\"4xx\"} 3\n"));
    CHECK(t, api_holds(&g, "linli_http_requests_total{status=\"2xx\"} 1\n"));
    CHECK(t, api_holds(&g, "linli_http_seconds_count 4\n"));
    CHECK(t, api_holds(&g, "linli_http_under_way 1\n"));
    CHECK(t, api_holds(&g, "test_figure 7\n"));
    api_server_stop(&s);
}

static enum err unused(struct ctx *ctx, const struct api_call *call, struct api_answer *ret) {
    (void)call;
    (void)ret;
    return ctx->fault.kind;
}

static void bad_routes_are_refused_at_the_start(struct t *t) {
    static const struct api_route rows[][2] = {
        {{"GET", "api/v1/x", 0, 0, unused, NULL}},
        {{"GET", "/api/v1/x{id}", 0, 0, unused, NULL}},
        {{"GET", "/api/v1/{a}/{b}/{c}/{d}/{e}", 0, 0, unused, NULL}},
        {{"FETCH", "/api/v1/x", 0, 0, unused, NULL}},
        {{"GET", "/api/v1/x", 0, 0, NULL, NULL}},
        {{"GET", "/api/v1/x", API_NO_STORE, 0, unused, NULL}},
        {{"GET", "/api/v1/x", 0, 0, unused, NULL}, {"GET", "/api/v1/x", 0, 0, unused, NULL}},
        {{"GET", "/api/v1/describe", 0, 0, unused, NULL}}};
    struct kernel *k = NULL;
    const struct module *modules[] = {&test_module};
    CHECK(t, !kernel_create(&(struct kernel_options){.modules = modules, .modules_n = 1}, &k, &t->fault));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = {0};
        struct buf b;
        struct api_with with[] = {{.routes = rows[i], .routes_n = rows[i][1].method ? 2 : 1}, api_own};
        buf_init_arena(&b, &t->arena, 1 << 20);
        CHECK_SAY(t, describe_openapi(k, "0", with, COUNT(with), &b, &f) == ERR_INTERNAL && f.text[0], "row %zu", i);
    }
    kernel_destroy(k);
}

TESTS(CASE(nobody_gets_in_but_at_the_public_addresses), CASE(a_cookie_writes_only_from_our_own_pages),
      CASE(every_answer_has_its_trace_and_its_safety), CASE(routes_made_by_hand_are_found),
      CASE(an_answer_may_come_later), CASE(health_and_figures), CASE(bad_routes_are_refused_at_the_start))
