/* What requests ask: parameters, tokens, media types.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_ask.h"
#include "tests/lib/test.h"

static void parameters_come_one_by_one(struct t *t) {
    struct str query = S("a=1&&b=x+y%26z&c&=d&a="), name, value;
    static const char *const want[][2] = {{"a", "1"}, {"b", "x y&z"}, {"c", ""}, {"", "d"}, {"a", ""}};
    for (size_t i = 0; i < COUNT(want); i++)
        CHECK_SAY(t,
                  http_query_next(&query, &t->arena, &name, &value) && name.ptr && str_is(name, want[i][0]) &&
                      str_is(value, want[i][1]),
                  "%zu", i);
    CHECK(t, !http_query_next(&query, &t->arena, &name, &value));
    query = (struct str){0};
    CHECK(t, !http_query_next(&query, &t->arena, &name, &value));
    static const char *const broken[] = {"a=%", "a=%4", "%zz=1", "a=%FF", "a=%00"};
    for (size_t i = 0; i < COUNT(broken); i++) {
        query = str_of(broken[i]);
        CHECK_SAY(t, http_query_next(&query, &t->arena, &name, &value) && !name.ptr, "%s", broken[i]);
    }
}

static struct http_request with(const struct http_header *headers, size_t n) {
    return (struct http_request){.method = METHOD_POST, .headers = headers, .headers_n = n};
}

static void a_bearer_goes_before_a_cookie(struct t *t) {
    const struct http_header both[] = {{S("Cookie"), S("x=1; s=cake")}, {S("Authorization"), S("bearer  key ")}};
    struct http_request req = with(both, 2);
    bool is_cookie;
    CHECK(t, str_is(http_token_get(&req, "s", &is_cookie), "key") && !is_cookie);
    req.headers_n = 1;
    CHECK(t, str_is(http_token_get(&req, "s", &is_cookie), "cake") && is_cookie);
    CHECK(t, !http_token_get(&req, "t", &is_cookie).ptr);
    const struct http_header basic[] = {{S("Authorization"), S("Basic YTpi")}};
    req = with(basic, 1);
    CHECK(t, !http_token_get(&req, "s", &is_cookie).ptr && is_cookie);
}

static void json_is_what_says_so(struct t *t) {
    static const struct {
        const char *type;
        bool is_json;
    } rows[] = {{"application/json", true},
                {" Application/JSON ; charset=utf-8", true},
                {"application/jsonx", false},
                {"text/json", false},
                {"", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct http_header header[] = {{S("Content-Type"), str_of(rows[i].type)}};
        struct http_request req = with(header, 1);
        CHECK_SAY(t, http_is_json(&req) == rows[i].is_json, "%s", rows[i].type);
    }
    CHECK(t, !http_is_json(&(struct http_request){0}));
}

static void only_some_methods_change_something(struct t *t) {
    for (int m = 0; m < METHOD__COUNT; m++)
        CHECK_SAY(
            t,
            http_is_write(&(struct http_request){.method = (enum http_method)m}) ==
                (m == METHOD_POST || m == METHOD_PUT || m == METHOD_PATCH || m == METHOD_DELETE || m == METHOD_OTHER),
            "%d", m);
}

TESTS(CASE(parameters_come_one_by_one), CASE(a_bearer_goes_before_a_cookie), CASE(json_is_what_says_so),
      CASE(only_some_methods_change_something))
