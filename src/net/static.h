/* Answers for files that live in memory: coding by Accept-Encoding, ETag, caching, security headers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_STATIC_H
#define LINLI_NET_STATIC_H

#include "net/http.h"

struct static_file {
    const char *path;   /* "apps/console/index.html"; "x.js.br" and "x.js.gz" are codings of "x.js" */
    const char *tag;    /* changes with the bytes; letters and digits */
    struct bytes bytes; /* lives as long as the server */
};
/* Finds by path, which is not NUL-terminated; false: none.  The caller maps its own table. */
typedef bool static_find(void *arg, struct str path, struct static_file *ret);

/* Answers the request with the file `path` (as the finder knows it; the caller turns the request's path into it).
 * False: no such file, nothing was answered.  True: 200, 304, or 405 where the method is neither GET nor HEAD. */
NODISCARD bool static_respond(const struct http_request *req, struct str path, static_find *find, void *arg);

/* The content security policy of our pages; also what dynamic answers carry: nosniff, no-referrer, same-origin. */
extern const char static_csp[];
#define STATIC_SECURITY_HEADERS 4
extern const struct http_header static_security[STATIC_SECURITY_HEADERS]; /* CSP first */
struct str static_type(struct str path); /* content type by the name's end; application/octet-stream if unknown */

#endif
