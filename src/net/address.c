/* Lists of addresses.  SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>

#define BITS 128

struct range {
    uint8_t first[BITS / 8];
    int bits; /* that count */
};

/* IPv4 stands behind ::ffff:0:0/96. */
static bool read_address(struct str s, uint8_t ret[BITS / 8], int *ret_before) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    if (!s.len || s.len >= sizeof text) return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    *ret_before = 0;
    if (inet_pton(AF_INET6, text, ret) == 1) return true;
    memcpy(ret, mapped, sizeof mapped);
    *ret_before = 8 * (int)sizeof mapped;
    return inet_pton(AF_INET, text, ret + sizeof mapped) == 1;
}

static bool read_range(struct str word, struct range *ret) {
    struct str rest = word, address;
    int before;
    int64_t bits;
    (void)str_cut(&rest, '/', &address);
    if (!read_address(address, ret->first, &before)) return false;
    ret->bits = BITS;
    if (!rest.ptr) return true;
    if (!str_to_i64(rest, &bits) || bits < 0 || bits > BITS - before) return false;
    ret->bits = before + (int)bits;
    return true;
}

bool address_list_is(struct str list) {
    struct str word;
    struct range ignored;
    while (str_word(&list, &word))
        if (!read_range(word, &ignored)) return false;
    return true;
}

static bool is_in(const struct range *r, const uint8_t address[BITS / 8]) {
    size_t whole = (size_t)r->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> r->bits % 8);
    return !memcmp(r->first, address, whole) && (whole == BITS / 8 || !((r->first[whole] ^ address[whole]) & mask));
}

bool address_list_has(struct str list, struct str address) {
    uint8_t one[BITS / 8];
    int ignored;
    struct str word;
    struct range r;
    if (!read_address(address, one, &ignored)) return false;
    while (str_word(&list, &word))
        if (read_range(word, &r) && is_in(&r, one)) return true;
    return false;
}
