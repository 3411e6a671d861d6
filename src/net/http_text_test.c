/* Patterns of addresses, and versions in If-Match.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"
#include "tests/lib/test.h"

static void a_pattern_is_sound_where_each_part_is_whole(struct t *t) {
    static const char *const good[] = {"/", "/a/b", "/a/{b}", "/{a}/{b}/c"};
    static const char *const bad[] = {NULL, "", "a", "/a{b}", "/{a}b", "/{a", "/{a}/{b}/{c}"};
    for (size_t i = 0; i < COUNT(good); i++) CHECK_SAY(t, http_pattern_is_sound(good[i], 2), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_SAY(t, !http_pattern_is_sound(bad[i], 2), "%s", bad[i] ? bad[i] : "none");
}

static void a_pattern_takes_whole_segments_and_no_more(struct t *t) {
    struct str args[2] = {{0}};
    CHECK(t, http_pattern_matches("/a/{x}/b/{y}", S("/a/1/b/zwei"), args, 2) && str_is(args[0], "1") &&
                 str_is(args[1], "zwei"));
    static const char *const paths[] = {"/a", "/a/", "/a//b", "/a/1", "/a/1/b/", "/a/1/b/2", "/a/1/c", "*", "/b/1/b"};
    for (size_t i = 0; i < COUNT(paths); i++)
        CHECK_SAY(t, !http_pattern_matches("/a/{x}/b", str_of(paths[i]), args, 2), "%s", paths[i]);
    CHECK(t, !http_pattern_matches("/{a}/{b}", S("/1/2"), args, 1));
}

static void if_match_is_the_number_of_a_version_or_none(struct t *t) {
    static const struct {
        const char *value;
        bool ok;
        int64_t version;
    } rows[] = {{"\"7\"", true, 7},  {" \"12\" ", true, 12},    {"W/\"12\"", false, 0},
                {"*", true, 0},      {"7", false, 0},           {"\"\"", false, 0},
                {"\"0\"", false, 0}, {"\"1\",\"2\"", false, 0}, {"\"x\"", false, 0}};
    int64_t version = -1;
    CHECK(t, http_if_match(&(struct http_request){0}, &version) && version == 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct http_header header = {S("If-Match"), str_of(rows[i].value)};
        bool ok = http_if_match(&(struct http_request){.headers = &header, .headers_n = 1}, &version);
        CHECK_SAY(t, ok == rows[i].ok && (!ok || version == rows[i].version), "%s", rows[i].value);
    }
}

TESTS(CASE(a_pattern_is_sound_where_each_part_is_whole), CASE(a_pattern_takes_whole_segments_and_no_more),
      CASE(if_match_is_the_number_of_a_version_or_none))
