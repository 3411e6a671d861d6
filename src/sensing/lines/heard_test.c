/* How devices do, of more than there is room for.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/heard.h"

#include "tests/lib/test.h"

/* Whoever makes up names takes the place of names that were made up. */
static void who_says_more_keeps_its_place(struct t *t) {
    struct heard *h = heard_create();
    struct heard_device d;
    char name[32];
    CHECK(t, h);
    for (int i = 0; i < 3; i++) heard_frame(h, S("watch"), S("10.0.0.1"), 1, 1000 + i);
    for (int i = 0; i < HEARD_MAX + 100; i++) {
        snprintf(name, sizeof name, "N%05d", i);
        heard_frame(h, str_of(name), S("10.0.0.2"), 2, 2000 + i);
    }
    CHECK(t, heard_get(h, S("watch"), &d) && d.frames == 3);
    CHECK(t, heard_get(h, S("N10099"), &d));
    size_t kept = 0;
    for (int i = 0; i < HEARD_MAX + 100; i++) {
        snprintf(name, sizeof name, "N%05d", i);
        kept += heard_knows(h, str_of(name));
    }
    CHECK_SAY(t, kept == HEARD_MAX - 1, "%zu", kept);
    for (int i = 0; i < 3; i++) heard_frame(h, S("second"), i % 2 ? S("10.0.0.3") : S("10.0.0.4"), 0, 20000 + i);
    CHECK(t, heard_get(h, S("second"), &d) && d.swaps == 2 && d.swap_ms == 20002);
    heard_destroy(h);
}

TESTS(CASE(who_says_more_keeps_its_place))
