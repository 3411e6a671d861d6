/* Lists of addresses.  SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"
#include "tests/lib/test.h"

static void what_is_written_is_a_list_of_addresses_or_none(struct t *t) {
    static const struct {
        const char *list;
        bool ok;
    } all[] = {{"", true},
               {"192.0.2.7", true},
               {"  192.0.2.7   2001:db8::1 ", true},
               {"192.0.2.0/24 2001:db8::/32 0.0.0.0/0 ::/0", true},
               {"192.0.2.7/32", true},
               {"192.0.2.7/33", false},
               {"2001:db8::/129", false},
               {"192.0.2.7/", false},
               {"192.0.2.7/-1", false},
               {"192.0.2", false},
               {"192.0.2.256", false},
               {"/24", false},
               {"example.org", false},
               {"192.0.2.7,192.0.2.8", false},
               {"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0001", false}};
    for (size_t i = 0; i < COUNT(all); i++)
        CHECK_SAY(t, address_list_is(str_of(all[i].list)) == all[i].ok, "%s", all[i].list);
}

static void an_address_is_on_a_list_or_not(struct t *t) {
    static const struct {
        const char *list, *address;
        bool is;
    } all[] = {{"192.0.2.7", "192.0.2.7", true},
               {"192.0.2.7", "192.0.2.8", false},
               {"", "192.0.2.7", false},
               {"192.0.2.0/24", "192.0.2.255", true},
               {"192.0.2.0/24", "192.0.3.0", false},
               {"192.0.2.4/30", "192.0.2.7", true},
               {"192.0.2.4/30", "192.0.2.8", false},
               {"192.0.2.5/31 10.0.0.1", "10.0.0.1", true},
               {"0.0.0.0/0", "203.0.113.9", true},
               {"0.0.0.0/0", "2001:db8::1", false},
               {"::/0", "203.0.113.9", true},
               {"192.0.2.0/24", "::ffff:192.0.2.9", true},
               {"::ffff:192.0.2.0/120", "192.0.2.9", true},
               {"2001:db8::/33", "2001:db8:7fff::1", true},
               {"2001:db8::/33", "2001:db8:8000::1", false},
               {"2001:db8::1", "2001:db8::1", true},
               {"192.0.2.0/24", "none", false},
               {"192.0.2.0/24", "", false}};
    for (size_t i = 0; i < COUNT(all); i++)
        CHECK_SAY(t, address_list_has(str_of(all[i].list), str_of(all[i].address)) == all[i].is, "row %zu", i);
}

TESTS(CASE(what_is_written_is_a_list_of_addresses_or_none), CASE(an_address_is_on_a_list_or_not))
