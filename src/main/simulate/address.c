/* Owns where simulated devices go: addresses as people write them.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/simulate.h"

#include <netdb.h>
#include <string.h>

bool sim_address(const char *text, int port, bool may_be_any, char ret_host[46], int *ret_port) {
    char host[256];
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    struct str s = str_of(text), name = s;
    const char *colon = s.len ? strrchr(text, ':') : NULL, *bracket = strrchr(text, ']');
    int64_t n = port;
    if (colon && (bracket ? colon > bracket : strchr(text, ':') == colon)) {
        if (!str_to_i64(str_of(colon + 1), &n) || n < !may_be_any || n > 65535) return false;
        name.len = (size_t)(colon - text);
    }
    if (bracket && name.len >= 2) name = (struct str){name.ptr + 1, name.len - 2};
    if (!name.len || name.len >= sizeof host) return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = 0;
    if (getaddrinfo(host, NULL, &hints, &found)) return false;
    bool ok = !getnameinfo(found->ai_addr, found->ai_addrlen, ret_host, 46, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    *ret_port = (int)n;
    return ok;
}
