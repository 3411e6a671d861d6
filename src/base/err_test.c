/* Tests of error kinds and faults.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

static void every_kind_has_a_name_a_status_and_says_whether_to_retry(struct t *t) {
    static const struct {
        enum err kind;
        const char *name;
        int http;
        bool retry;
    } rows[] = {
        {OK, "ok", 200, false},
        {ERR_INVALID, "invalid", 400, false},
        {ERR_UNAUTHENTICATED, "unauthenticated", 401, false},
        {ERR_DENIED, "denied", 403, false},
        {ERR_NOT_FOUND, "not_found", 404, false},
        {ERR_CONFLICT, "conflict", 409, false},
        {ERR_STALE, "stale", 412, false},
        {ERR_LIMIT, "limit", 413, false},
        {ERR_TOO_MANY, "too_many", 429, true},
        {ERR_BUSY, "busy", 503, true},
        {ERR_UNAVAILABLE, "unavailable", 503, true},
        {ERR_CORRUPT, "corrupt", 500, false},
        {ERR_INTERNAL, "internal", 500, false},
    };
    CHECK(t, COUNT(rows) == ERR__COUNT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_SAY(t, !strcmp(err_name(rows[i].kind), rows[i].name), "%s", rows[i].name);
        CHECK_SAY(t, err_http(rows[i].kind) == rows[i].http, "%s", rows[i].name);
        CHECK_SAY(t, err_retry(rows[i].kind) == rows[i].retry, "%s", rows[i].name);
    }
}

static void the_first_report_wins(struct t *t) {
    struct fault f = {0};
    CHECK(t, FAIL(&f, ERR_CONFLICT, "wrong_state", "the pass is %s", "over") == ERR_CONFLICT);
    CHECK(t, FAIL(&f, ERR_INTERNAL, "later", "something else") == ERR_INTERNAL);
    CHECK(t, f.kind == ERR_CONFLICT && !strcmp(f.code, "wrong_state") && !strcmp(f.text, "the pass is over"));
    CHECK(t, f.line > 0 && strstr(f.file, "err_test.c"));
}

static void nobody_listening_is_allowed(struct t *t) {
    CHECK(t, FAIL(NULL, ERR_BUSY, "busy", "try again") == ERR_BUSY);
}

static void long_words_are_cut_and_still_end(struct t *t) {
    struct fault f = {0};
    char longest[600];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    CHECK(t, FAIL(&f, ERR_INVALID, longest, "%s", longest) == ERR_INVALID);
    CHECK(t, strlen(f.code) == sizeof f.code - 1 && strlen(f.text) == sizeof f.text - 1);
}

static void field_errors_gather_up_to_their_limit(struct t *t) {
    struct fault f = {0};
    char name[16];
    for (int i = 0; i < FAULT_FIELDS_MAX + 2; i++) {
        snprintf(name, sizeof name, "field%d", i);
        CHECK(t, FAIL_FIELD(&f, name, "too_long", i) == ERR_INVALID);
    }
    CHECK(t, f.kind == ERR_INVALID && f.fields_n == FAULT_FIELDS_MAX);
    CHECK(t, !strcmp(f.fields[FAULT_FIELDS_MAX - 1].field, "field15") && f.fields[FAULT_FIELDS_MAX - 1].limit == 15);
    CHECK(t, !strcmp(f.fields[0].code, "too_long") && !strcmp(f.code, "bad_field"));
}

static void a_field_error_does_not_cover_another_cause(struct t *t) {
    struct fault f = {0};
    CHECK(t, FAIL(&f, ERR_DENIED, "denied", "no") == ERR_DENIED);
    CHECK(t, FAIL_FIELD(&f, "name", "required", 0) == ERR_DENIED);
    CHECK(t, f.kind == ERR_DENIED && f.fields_n == 0);
}

TESTS(CASE(every_kind_has_a_name_a_status_and_says_whether_to_retry), CASE(the_first_report_wins),
      CASE(nobody_listening_is_allowed), CASE(long_words_are_cut_and_still_end),
      CASE(field_errors_gather_up_to_their_limit), CASE(a_field_error_does_not_cover_another_cause))
