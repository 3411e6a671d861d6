/* JSON read in place: what is refused and where, what is found.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/members.h"
#include "tests/lib/test.h"

#include <string.h>

static void a_text_is_json_or_the_byte_says_why_not(struct t *t) {
    static const struct {
        const char *text;
        bool ok;
        size_t at;
    } all[] = {
        {"{\"a\":[1,-0.5e+3,true,false,null,\"\\u7ca4\\ud83d\\ude97\\n\",{},[]]}", true, 0},
        {" 1 ", true, 0},
        {"", false, 0},
        {"{", false, 1},
        {"{\"a\"}", false, 4},
        {"{\"a\":}", false, 5},
        {"{\"a\":1,}", false, 7},
        {"{,}", false, 1},
        {"[1,]", false, 3},
        {"[1 2]", false, 3},
        {"[1}", false, 2},
        {"01", false, 1},
        {"1.", false, 2},
        {"1e", false, 2},
        {"-", false, 1},
        {"tru", false, 0},
        {"\"a", false, 2},
        {"\"\\x\"", false, 2},
        {"\"\\u0000\"", false, 7},
        {"\"\\ud83d\"", false, 7},
        {"\"\\ude97\"", false, 7},
        {"\"\n\"", false, 1},
        {"1 1", false, 2},
        {"\xe7\xb2", false, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        size_t at = 0;
        bool ok = members_check((struct bytes){(const uint8_t *)all[i].text, strlen(all[i].text)}, &at);
        CHECK_SAY(t, ok == all[i].ok && (ok || at == all[i].at), "%s: %zu", all[i].text, at);
    }
}

static void depth_has_a_bound(struct t *t) {
    for (int depth = MEMBERS_DEPTH_MAX - 1; depth <= MEMBERS_DEPTH_MAX + 1; depth++) {
        char text[2 * MEMBERS_DEPTH_MAX + 4];
        size_t at;
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        CHECK(t, members_check((struct bytes){(const uint8_t *)text, 2 * (size_t)depth}, &at) ==
                     (depth <= MEMBERS_DEPTH_MAX));
    }
}

static void members_are_found_by_their_path(struct t *t) {
    struct str json =
        S("{\"x\":{\"a\":\"}\\\"\"},\"a\":{\"b\":{\"c\":\"\\u7ca4B\\n1\"}},\"n\":-12 ,\"f\":1.5,\"e\":\"\",\"z\":null,"
          "\"n\":3}");
    int64_t n = 7;
    CHECK(t, str_is(member_text(json, "a.b.c", &t->arena), "粤B\n1") &&
                 str_is(member_at(json, "a.b"), "{\"c\":\"\\u7ca4B\\n1\"}"));
    CHECK(t, str_is(member_text(json, "x.a", &t->arena), "}\"") && str_is(member_text(json, "e", &t->arena), ""));
    CHECK(t, member_i64(json, "n", &n) && n == -12); /* the first of two */
    CHECK(t, !member_i64(json, "f", &n) && !member_i64(json, "e", &n) && !member_i64(json, "q", &n) && n == -12);
    CHECK(t, !member_at(json, "z").ptr && !member_at(json, "n.a").ptr && !member_at(json, "a.c").ptr);
    CHECK(t, !member_text(json, "n", &t->arena).ptr && str_eq(member_at(json, ""), json));
}

TESTS(CASE(a_text_is_json_or_the_byte_says_why_not), CASE(depth_has_a_bound), CASE(members_are_found_by_their_path))
