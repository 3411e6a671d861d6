/* What a request asks, and as whom: beside its lines (net/http.h), what they mean to whoever answers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_HTTP_ASK_H
#define LINLI_NET_HTTP_ASK_H

#include "net/http.h"

bool http_is_write(const struct http_request *req); /* may it change something? */
bool http_is_json(const struct http_request *req);  /* is the body application/json, with any parameters? */
/* The Bearer token, else the cookie of that name; absent if neither. */
struct str http_token_get(const struct http_request *req, const char *cookie, bool *ret_is_cookie);
/* Cuts the next parameter off the query, decoded into the arena; one without '=' has an empty value.  False: no more. A
 * broken escape, NUL, invalid UTF-8 or no memory gives an absent name. */
bool http_query_next(struct str *query, struct arena *arena, struct str *ret_name, struct str *ret_value);

#endif
