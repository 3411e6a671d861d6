/* What a request asks, and as whom.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_ask.h"

#include <strings.h>

bool http_is_write(const struct http_request *req) {
    return req->method != METHOD_GET && req->method != METHOD_HEAD && req->method != METHOD_OPTIONS;
}

bool http_is_json(const struct http_request *req) {
    struct str type = http_header_get(req, "content-type"), media;
    if (!str_cut(&type, ';', &media)) return false;
    media = str_trim(media);
    return media.len == 16 && !strncasecmp(media.ptr, "application/json", 16);
}

struct str http_token_get(const struct http_request *req, const char *cookie, bool *ret_is_cookie) {
    struct str a = http_header_get(req, "authorization");
    *ret_is_cookie = a.len <= 7 || strncasecmp(a.ptr, "Bearer ", 7);
    return *ret_is_cookie ? http_cookie_get(req, cookie) : str_trim(str_from(a, 7));
}

static bool decode(struct str raw, struct arena *arena, struct str *ret) {
    struct buf b;
    buf_init_arena(&b, arena, raw.len + 1);
    return http_decode(raw, true, &b) && buf_done(&b, ret);
}

bool http_query_next(struct str *query, struct arena *arena, struct str *ret_name, struct str *ret_value) {
    struct str part, name;
    do {
        if (!str_cut(query, '&', &part)) return false;
    } while (!part.len);
    (void)str_cut(&part, '=', &name);
    if (!decode(name, arena, ret_name) || !decode(part, arena, ret_value)) *ret_name = (struct str){0};
    return true;
}
