/* Tests of the arena: its cap, its countdown to failure, its alignment and reuse.  SPDX-License-Identifier: Apache-2.0
 */
#include "tests/lib/test.h"

#include <string.h>

static void cap_is_reached_exactly_and_never_passed(struct t *t) {
    struct arena a;
    arena_init(&a, 100);
    CHECK(t, arena_alloc(&a, 99, 1, 1));
    CHECK(t, !arena_alloc(&a, 2, 1, 1));
    CHECK(t, arena_alloc(&a, 1, 1, 1));
    CHECK(t, !arena_alloc(&a, 1, 1, 1));
    CHECK(t, arena_alloc(&a, 0, 1, 1));
    CHECK(t, a.used == 100);
    arena_finish(&a);
}

static void reset_gives_the_whole_cap_back(struct t *t) {
    struct arena a;
    arena_init(&a, 1u << 20);
    for (int round = 0; round < 5; round++) {
        CHECK(t, arena_alloc(&a, 1u << 19, 1, 1));
        CHECK(t, arena_alloc(&a, 1u << 19, 1, 1));
        CHECK(t, !arena_alloc(&a, 1, 1, 1));
        arena_reset(&a);
        CHECK(t, a.used == 0);
    }
    arena_finish(&a);
}

static void countdown_fails_the_nth_allocation_only(struct t *t) {
    struct arena a;
    arena_init(&a, 4096);
    a.fail_in = 3;
    CHECK(t, arena_alloc(&a, 1, 1, 1));
    CHECK(t, arena_alloc(&a, 1, 1, 1));
    CHECK(t, !arena_alloc(&a, 1, 1, 1));
    CHECK(t, arena_alloc(&a, 1, 1, 1));
    arena_finish(&a);
}

static void product_that_overflows_is_refused(struct t *t) {
    struct arena a;
    arena_init(&a, SIZE_MAX);
    CHECK(t, !arena_alloc(&a, SIZE_MAX / 2 + 1, 2, 1));
    CHECK(t, !arena_alloc(&a, SIZE_MAX, SIZE_MAX, 8));
    CHECK(t, !arena_cstr(&a, (struct str){"", SIZE_MAX}));
    arena_finish(&a);
}

static void memory_is_zeroed_aligned_and_apart(struct t *t) {
    struct arena a;
    arena_init(&a, 1u << 20);
    unsigned char *last_end = NULL;
    for (size_t i = 1; i < 2000; i++) {
        size_t align = (size_t)1 << (i % 5), n = i % 97 + 1;
        unsigned char *p = arena_alloc(&a, n, 1, align);
        CHECK(t, p && (uintptr_t)p % align == 0);
        for (size_t k = 0; k < n; k++) CHECK(t, p[k] == 0);
        CHECK(t, p >= last_end || p + n <= last_end);
        memset(p, 0xff, n);
        last_end = p + n;
        if (i % 500 == 0) arena_reset(&a); /* reused memory is dirty: it must come back zeroed */
    }
    arena_finish(&a);
}

static void one_object_may_be_larger_than_a_block(struct t *t) {
    struct arena a;
    arena_init(&a, 8u << 20);
    char *small = arena_alloc(&a, 10, 1, 1), *large = arena_alloc(&a, 3u << 20, 1, 1);
    CHECK(t, small && large);
    large[(3u << 20) - 1] = 'x';
    small[9] = 'y';
    arena_reset(&a);
    CHECK(t, a.blocks == NULL); /* a block of that size is not kept for the next unit of work */
    arena_finish(&a);
}

static void copies_end_with_nul_and_absent_stays_absent(struct t *t) {
    struct arena a;
    struct str copy = S("before");
    arena_init(&a, 64);
    CHECK(t, !strcmp(arena_cstr(&a, S("漏水")), "漏水"));
    CHECK(t, arena_str(&a, (struct str){NULL, 0}, &copy) && !copy.ptr);
    CHECK(t, arena_str(&a, S(""), &copy) && copy.ptr && copy.len == 0);
    copy = S("before");
    a.fail_in = 1;
    CHECK(t, !arena_str(&a, S("x"), &copy) && str_is(copy, "before"));
    arena_finish(&a);
    arena_finish(&a); /* twice is fine */
}

static void a_list_grows_and_keeps_what_it_held(struct t *t) {
    struct arena a;
    int64_t *list = NULL;
    size_t cap = 0;
    bool kept = true;
    arena_init(&a, 100000);
    for (size_t n = 0; n < 1000; n++) {
        list = arena_grow(&a, list, n, &cap, sizeof *list);
        CHECK(t, list && cap > n);
        if (!list) break;
        list[n] = (int64_t)n;
    }
    for (size_t n = 0; list && n < 1000; n++) kept &= list[n] == (int64_t)n;
    CHECK(t, kept);
    arena_finish(&a);
    arena_init(&a, 64);
    cap = 0;
    CHECK(t, !arena_grow(&a, NULL, 0, &cap, 1000) && !cap);
    arena_finish(&a);
}

TESTS(CASE(a_list_grows_and_keeps_what_it_held), CASE(cap_is_reached_exactly_and_never_passed),
      CASE(reset_gives_the_whole_cap_back), CASE(countdown_fails_the_nth_allocation_only),
      CASE(product_that_overflows_is_refused), CASE(memory_is_zeroed_aligned_and_apart),
      CASE(one_object_may_be_larger_than_a_block), CASE(copies_end_with_nul_and_absent_stays_absent))
