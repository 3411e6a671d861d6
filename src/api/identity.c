/* Who asks: tokens, and proof that a browser's write comes from our own pages.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

#include <string.h>
#include <strings.h>

const struct point authenticators = {"authenticators", sizeof(struct api_authenticator)};

static struct str cookie_of(struct str header, const char *name) {
    struct str part;
    while (str_cut(&header, ';', &part)) {
        struct str key, value = str_trim(part);
        if (str_cut(&value, '=', &key) && value.ptr && str_is(str_trim(key), name)) return str_trim(value);
    }
    return (struct str){NULL, 0};
}

struct str token_of(const struct http_request *req, bool *ret_is_cookie) {
    struct str a = http_header_get(req, "authorization");
    *ret_is_cookie = false;
    if (a.len > 7 && !strncasecmp(a.ptr, "Bearer ", 7)) return str_trim(str_from(a, 7));
    *ret_is_cookie = true;
    return cookie_of(http_header_get(req, "cookie"), API_COOKIE);
}

/* Browsers say where a request comes from (Fetch Metadata; Origin).  A page of ours has its origin's host equal to
 * ours.
 */
bool is_same_origin(const struct http_request *req, bool when_unknown) {
    struct str site = http_header_get(req, "sec-fetch-site"), origin = http_header_get(req, "origin");
    if (site.ptr) return str_is(site, "same-origin") || str_is(site, "none");
    if (!origin.ptr) return when_unknown;
    const char *schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (str_starts(origin, str_of(schemes[i])))
            return str_eq(str_from(origin, strlen(schemes[i])), http_header_get(req, "host"));
    return false;
}

bool is_same_tag(const struct http_request *req, struct str tag) {
    struct str rest = http_header_get(req, "if-none-match"), part;
    while (str_cut(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, S("W/"))) part = str_from(part, 2);
        if (str_is(part, "*")) return true;
        if (part.len == tag.len + 2 && str_eq((struct str){part.ptr + 1, tag.len}, tag)) return true;
    }
    return false;
}

struct ask {
    struct ctx *ctx;
    struct str token;
    struct api_identity *ret;
};

static enum err ask_one(void *arg, const void *row) {
    const struct api_authenticator *a = row;
    struct ask *ask = arg;
    return ask->ret->is_known ? OK : a->identify(ask->ctx, ask->token, ask->ret);
}

enum err unit_fill_actor(struct ctx *ctx, struct str token, struct api_identity *ret) {
    struct ask ask = {ctx, token, ret};
    *ret = (struct api_identity){0};
    if (!token.len || token.len > 512) return OK;
    TRY(kernel_each(ctx->kernel, &authenticators, ask_one, &ask));
    if (!ret->is_known) ctx->actor = (struct actor){0};
    return OK;
}
