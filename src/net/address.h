/* Addresses of peers in lists that people write.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_ADDRESS_H
#define LINLI_NET_ADDRESS_H

#include "base/base.h"

/* "192.0.2.7 198.51.100.0/24 2001:db8::/32": numeric addresses and ranges of them (RFC 4632, RFC 4291), blanks between.
 */
bool address_list_is(struct str list);
/* An IPv4 address is the same as its IPv4-mapped form.  False also where one of both is none. */
bool address_list_has(struct str list, struct str address);

#endif
