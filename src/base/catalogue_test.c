/* Catalogues of words: what is read, refused and found.  SPDX-License-Identifier: Apache-2.0 */
#include "base/catalogue.h"
#include "tests/lib/test.h"

static void words_are_found_in_both_languages(struct t *t) {
    const struct str texts[] = {S("# a comment\n\na\t甲\tA\n"), S("b.c\t乙\tB\r\n")};
    struct catalogue *c = NULL;
    CHECK(t, !catalogue_load(&t->arena, texts, COUNT(texts), &c, &t->fault));
    CHECK(t, str_is(catalogue_find(c, S("a"), S("zh")), "甲") && str_is(catalogue_find(c, S("b.c"), S("en")), "B"));
    CHECK(t, !catalogue_find(c, S("b"), S("zh")).ptr && !catalogue_find(NULL, S("a"), S("zh")).ptr);
}

static void a_line_that_is_no_entry_and_a_key_said_twice_are_faults(struct t *t) {
    static const char *const bad[] = {"a\t甲", "a\t甲\tA\tB", "\t甲\tA", "a\t甲\tA\na\t乙\tB"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str text = str_of(bad[i]);
        struct catalogue *c;
        struct fault f = {0};
        CHECK_SAY(t, catalogue_load(&t->arena, &text, 1, &c, &f) == ERR_INTERNAL, "%s", bad[i]);
    }
}

static void of_two_for_a_key_the_last_is_heard(struct t *t) {
    const struct word all[] = {{S("a"), S("甲"), S("A")}, {S("a"), S("乙"), {NULL, 0}}};
    const struct catalogue *c = catalogue_of(&t->arena, all, COUNT(all));
    CHECK(t, c && str_is(catalogue_find(c, S("a"), S("zh")), "乙") && !catalogue_find(c, S("a"), S("en")).ptr);
}

TESTS(CASE(words_are_found_in_both_languages), CASE(a_line_that_is_no_entry_and_a_key_said_twice_are_faults),
      CASE(of_two_for_a_key_the_last_is_heard))
