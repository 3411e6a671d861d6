/* MD5 against the suite of RFC 1321, A.5.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/md5.h"

#include "tests/lib/test.h"

#include <string.h>

static bool is_digest(struct t *t, const uint8_t got[MD5_BYTES], const char *want) {
    struct buf b;
    struct str hex;
    buf_init_arena(&b, &t->arena, 2 * MD5_BYTES + 1);
    buf_hex(&b, (struct bytes){got, MD5_BYTES});
    return buf_done(&b, &hex) && str_is(hex, want);
}

static void the_suite_of_the_rfc(struct t *t) {
    static const struct {
        const char *text, *digest;
    } rows[] = {{"", "D41D8CD98F00B204E9800998ECF8427E"},
                {"a", "0CC175B9C0F1B6A831C399E269772661"},
                {"abc", "900150983CD24FB0D6963F7D28E17F72"},
                {"message digest", "F96B697D7CB7938D525A2F31AAF161D0"},
                {"abcdefghijklmnopqrstuvwxyz", "C3FCD3D76192E4007DFB496CCA67E13B"},
                {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "D174AB98D277D9F5A5611C2C9F419D9F"},
                {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                 "57EDF4A22BE3C955AC49DA2E2107B67A"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes all = {(const uint8_t *)rows[i].text, strlen(rows[i].text)};
        uint8_t got[MD5_BYTES];
        for (size_t cut = 0; cut <= all.len; cut++) { /* in two pieces, too */
            struct md5 m;
            md5_init(&m);
            md5_add(&m, (struct bytes){all.ptr, cut});
            md5_add(&m, (struct bytes){all.ptr + cut, all.len - cut});
            md5_end(&m, got);
            CHECK_SAY(t, is_digest(t, got, rows[i].digest), "%s in two at %zu", rows[i].text, cut);
        }
    }
}

/* Where the length still fits into the last block, and where it needs one of its own. */
static void lengths_around_a_block(struct t *t) {
    static const struct {
        size_t n;
        const char *digest;
    } rows[] = {{55, "EF1772B6DFF9A122358552954AD0DF65"}, {56, "3B0C8AC703F828B04C6C197006D17218"},
                {57, "652B906D60AF96844EBD21B674F35E93"}, {63, "B06521F39153D618550606BE297466D5"},
                {64, "014842D480B571495A4A0363793F7367"}, {65, "C743A45E0D2E6A95CB859ADAE0248435"}};
    char text[65];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct md5 m;
        uint8_t got[MD5_BYTES];
        md5_init(&m);
        md5_add(&m, (struct bytes){(const uint8_t *)text, rows[i].n});
        md5_end(&m, got);
        CHECK_SAY(t, is_digest(t, got, rows[i].digest), "%zu bytes", rows[i].n);
    }
}

TESTS(CASE(the_suite_of_the_rfc), CASE(lengths_around_a_block))
