/* Tests are rows.  A test program lists its cases with TESTS(...); output is TAP, and the last line sums up.
 * Options: --only PART (cases whose name holds PART), --seed N.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_TEST_H
#define LINLI_TESTS_LIB_TEST_H

#include "base/base.h"
#include "base/clock.h"
#include "base/err.h"

struct t {
    const char *name;
    int failed;
    uint64_t seed;        /* printed when a case fails */
    struct world_sim sim; /* time stands still unless told; a fresh one each case */
    struct world world;
    struct arena arena; /* 64 MiB cap, reset after each case */
    struct fault fault;
};
struct test {
    const char *name;
    void (*run)(struct t *t);
};

int test_main(int argc, char **argv, const struct test *tests, size_t n);
void test_check(struct t *t, bool ok, const char *file, int line, const char *what, ...) PRINTF(5, 6);
/* Folder of this test run's own, removed afterwards.  Lives until the program ends. */
const char *test_dir(struct t *t);
uint64_t test_random(struct t *t); /* from the seed */

#define CHECK(t, cond) test_check((t), (cond), __FILE__, __LINE__, "%s", #cond)
/* As CHECK, with words that show the row or the values. */
#define CHECK_SAY(t, cond, ...) test_check((t), (cond), __FILE__, __LINE__, __VA_ARGS__)
#define CASE(fn) \
    { #fn, fn }
#define TESTS(...)                                      \
    int main(int argc, char **argv) {                   \
        static const struct test all[] = {__VA_ARGS__}; \
        return test_main(argc, argv, all, COUNT(all));  \
    }

#endif
