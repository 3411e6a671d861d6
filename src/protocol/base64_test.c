/* Base64 as fields of JSON have it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/base64.h"

#include "tests/lib/test.h"

#include <string.h>

static void the_suite_of_the_rfc_both_ways(struct t *t) { /* RFC 4648, 10 */
    static const struct {
        const char *bytes, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[16];
        struct buf b;
        size_t n = strlen(rows[i].bytes);
        buf_init(&b, mem, sizeof mem);
        base64_put(&b, (struct bytes){(const uint8_t *)rows[i].bytes, n});
        CHECK_SAY(t, b.len == strlen(rows[i].text) && !memcmp(mem, rows[i].text, b.len), "%s", rows[i].text);
        buf_init(&b, mem, sizeof mem);
        buf_char(&b, '>');
        bool ok = base64_read(str_of(rows[i].text), &b);
        CHECK_SAY(t, ok && b.len == n + 1 && !memcmp(mem + 1, rows[i].bytes, n), "%s", rows[i].text);
    }
}

static void what_is_none_is_refused(struct t *t) {
    static const char *const rows[] = {"Z", "Zg", "Zg=", "Zg===", "Zm9v\n", "Zm 9v", "-_8=", "Zh==" /* bits left */};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char mem[16];
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        CHECK_SAY(t, !base64_read(str_of(rows[i]), &b), "%s is taken", rows[i]);
    }
}

static void what_does_not_fit_is_refused(struct t *t) {
    for (size_t cap = 4; cap <= 6; cap++) { /* a byte more than the text, which ends with 0 */
        char mem[6];
        struct buf b;
        buf_init(&b, mem, cap);
        CHECK_SAY(t, base64_read(S("Zm9vYg=="), &b) == (cap > 4), "%zu bytes", cap);
    }
}

TESTS(CASE(the_suite_of_the_rfc_both_ways), CASE(what_is_none_is_refused), CASE(what_does_not_fit_is_refused))
