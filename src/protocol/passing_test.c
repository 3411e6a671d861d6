/* What people show at doors, in the form in which devices say it.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/passing.h"
#include "tests/lib/test.h"

#include <string.h>

#define TEN "0123456789"

static void values_have_one_form(struct t *t) {
    static const struct {
        enum passing_kind kind;
        const char *text, *value; /* NULL: it is none */
    } rows[] = {
        {PASSING_PLATE, "粤b·12345", "粤B12345"},
        {PASSING_PLATE, "粤B1234", NULL},
        {PASSING_PLATE, "无牌", NULL},
        {PASSING_CARD, "0008065495", "8065495"},
        {PASSING_CARD, "123,04567", "8065495"},
        {PASSING_CARD, "37:bd88eb80a8", "37:BD88EB80A8"},
        {PASSING_CARD, "037:BD88EB80AF", "37:BD88EB80A8"}, /* bits that are none of them */
        {PASSING_CARD, "26:bd88eb80", "8065495"},          /* as a reader tells it */
        {PASSING_CARD, "34:891A2B3C40", "305419896"},
        {PASSING_CARD, "26:BD88EB00", NULL}, /* no reader says so: parity */
        {PASSING_CARD, "37:BD88EB80", NULL},
        {PASSING_CARD, "37:BD88EB80A8A8", NULL},
        {PASSING_CARD, "37:BD88EB80Ag", NULL},
        {PASSING_CARD, "0:", NULL},
        {PASSING_CARD, "-1:A8", NULL},
        {PASSING_CARD, "257:" TEN TEN TEN TEN TEN TEN "012345", NULL},
        {PASSING_CARD, "256:" TEN TEN TEN TEN TEN TEN "0123", NULL}, /* no row has room for it */
        {PASSING_CARD, "240:" TEN TEN TEN TEN TEN TEN, "240:" TEN TEN TEN TEN TEN TEN},
        {PASSING_CARD, "xyz:", NULL},
        {PASSING_CARD, ":", NULL},
        {PASSING_CARD, "blue one", NULL},
        {PASSING_CARD, "4294967296", NULL},
        {PASSING_CODE, "1234", "1234"},
        {PASSING_CODE, "0123456789012345", "0123456789012345"},
        {PASSING_CODE, "123", NULL},
        {PASSING_CODE, "01234567890123456", NULL},
        {PASSING_CODE, "12ab", NULL},
        {PASSING_FACE, "u-1", "u-1"},
        {PASSING_FACE, "u 1 /", NULL},
        {PASSING_FACE, TEN TEN TEN TEN TEN TEN "0123", TEN TEN TEN TEN TEN TEN "0123"},
        {PASSING_FACE, TEN TEN TEN TEN TEN TEN "01234", NULL},
        {PASSING_FACE, "", NULL},
        {PASSING_KEYS, "1234", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char value[PASSING_VALUE_SIZE] = "";
        bool ok = passing_read(rows[i].kind, str_of(rows[i].text), value);
        CHECK_SAY(t, ok == !!rows[i].value && (!ok || !strcmp(value, rows[i].value)), "%s: %s", rows[i].text, value);
    }
}

TESTS(CASE(values_have_one_form))
