/* Codes that come in pieces.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/keys.h"

#include "tests/lib/test.h"

#include <string.h>

static void a_code_is_what_was_pressed_up_to_the_hash(struct t *t) {
    static const struct {
        const char *pieces, *codes; /* blank-separated; a code for each piece that ends one, else "-" */
    } rows[] = {
        {"1234#", "1234"},
        {"1 2 3 4 #", "- - - - 1234"},
        {"12 345678 9#", "- - 123456789"},
        {"1 23456#", "- 123456"}, /* not 23456 */
        {"123#", "-"},
        {"# 1234#", "- 1234"},
        {"12*1234#", "1234"},
        {"12 *1234#", "- 1234"},
        {"1234567890123456#", "1234567890123456"},
        {"12345678901234567#", "-"},
        {"12345678901234567 # 1234#", "- - 1234"},
        {"12345678901234567*1234#", "1234"},
        {"1234#5678#", "5678"},
        {"1234#56 78#", "1234 5678"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keys k = {.n = 0};
        struct str pieces = str_of(rows[i].pieces), codes = str_of(rows[i].codes), piece, want;
        while (str_word(&pieces, &piece) && str_word(&codes, &want)) {
            char code[PASSING_CODE_MAX + 1] = "-";
            (void)keys_press(&k, piece, 1000, code);
            CHECK_SAY(t, str_is(want, code), "%s: %s", rows[i].pieces, code);
        }
    }
}

static void whoever_waits_too_long_begins_anew(struct t *t) {
    static const struct {
        int64_t pause_ms;
        const char *code;
    } rows[] = {{KEYS_WITHIN - 1, "123456"}, {KEYS_WITHIN, "123456"}, {KEYS_WITHIN + 1, "3456"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keys k = {.n = 0};
        char code[PASSING_CODE_MAX + 1] = "";
        CHECK(t, !keys_press(&k, S("12"), 50, code));
        CHECK(t, keys_press(&k, S("3456#"), 50 + rows[i].pause_ms, code) && !strcmp(code, rows[i].code));
    }
}

TESTS(CASE(a_code_is_what_was_pressed_up_to_the_hash), CASE(whoever_waits_too_long_begins_anew))
