/* Owns the texts of a request: names, percent-decoding, queries, what headers mean.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/utf8.h"
#include "net/http.h"

#include <string.h>
#include <strings.h>

const char *http_method_name(enum http_method method) {
    static const char *const names[METHOD__COUNT] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""};
    return names[method];
}

struct str http_header_get(const struct http_request *req, const char *name) {
    struct str want = str_of(name);
    for (size_t i = 0; i < req->headers_n; i++) {
        struct str have = req->headers[i].name;
        if (have.len == want.len && !strncasecmp(have.ptr, name, have.len)) return req->headers[i].value;
    }
    return (struct str){0};
}

struct str http_cookie_get(const struct http_request *req, const char *name) {
    struct str rest = http_header_get(req, "cookie"), part;
    while (str_cut(&rest, ';', &part)) {
        struct str key, value = str_trim(part);
        if (str_cut(&value, '=', &key) && value.ptr && str_is(str_trim(key), name)) return str_trim(value);
    }
    return (struct str){NULL, 0};
}

bool http_tag_is_known(const struct http_request *req, struct str tag) {
    struct str rest = http_header_get(req, "if-none-match"), part;
    while (str_cut(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, S("W/"))) part = str_from(part, 2);
        if (str_is(part, "*") || str_eq(part, tag)) return true;
    }
    return false;
}

bool http_if_match(const struct http_request *req, int64_t *ret) {
    struct str tag = str_trim(http_header_get(req, "if-match"));
    *ret = 0;
    if (!tag.ptr || str_is(tag, "*")) return true;
    return tag.len > 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"' &&
           str_to_i64((struct str){tag.ptr + 1, tag.len - 2}, ret) && *ret > 0;
}

bool http_is_same_origin(const struct http_request *req, bool when_unknown) {
    static const char *const schemes[] = {"http://", "https://"};
    struct str site = http_header_get(req, "sec-fetch-site"), origin = http_header_get(req, "origin");
    if (site.ptr) return str_is(site, "same-origin") || str_is(site, "none");
    if (!origin.ptr) return when_unknown;
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (str_starts(origin, str_of(schemes[i])))
            return str_eq(str_from(origin, strlen(schemes[i])), http_header_get(req, "host"));
    return false;
}

static bool all_of(struct str s, const char *set) {
    for (size_t i = 0; i < s.len; i++)
        if (!s.ptr[i] || !strchr(set, s.ptr[i])) return false;
    return true;
}

struct str http_trace_get(const struct http_request *req) {
    struct str parent = http_header_get(req, "traceparent"), id = http_header_get(req, "x-request-id");
    if (parent.len >= 55 && parent.ptr[2] == '-' && parent.ptr[35] == '-') {
        struct str trace = {parent.ptr + 3, 32};
        if (all_of(trace, "0123456789abcdef") && !all_of(trace, "0")) return trace;
    }
    bool sane =
        id.len >= 8 && id.len <= 64 && all_of(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return sane ? id : (struct str){NULL, 0};
}

void http_disposition(struct buf *b, const char *how, struct str file_name) {
    buf_fmt(b, "%s; filename*=UTF-8''", how);
    for (size_t i = 0; i < file_name.len; i++) {
        unsigned char c = (unsigned char)file_name.ptr[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-')
            buf_char(b, (char)c);
        else
            buf_fmt(b, "%%%02X", c);
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool http_decode(struct str text, bool plus, struct buf *b) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        buf_char(b, c);
    }
    struct str done;
    return buf_done(b, &done) && utf8_is_valid(done);
}

bool http_query_get(struct str query, const char *name, struct arena *arena, struct str *ret) {
    *ret = (struct str){0};
    struct str part;
    while (str_cut(&query, '&', &part)) {
        struct str key;
        struct str value = part;
        if (!str_cut(&value, '=', &key) || !str_is(key, name)) continue;
        struct buf b;
        buf_init_arena(&b, arena, value.len + 1);
        *ret = S("");
        return http_decode(value, true, &b) && buf_done(&b, ret);
    }
    return false;
}

/* ---- patterns of addresses ---- */

bool http_pattern_is_sound(const char *pattern, size_t args_max) {
    size_t args = 0;
    if (!pattern || pattern[0] != '/' || strlen(pattern) > 100) return false;
    for (const char *p = pattern; *p; p++) {
        if (*p != '{') continue;
        const char *end = strchr(p, '}');
        if (p[-1] != '/' || !end || (end[1] && end[1] != '/') || ++args > args_max) return false;
    }
    return true;
}

bool http_pattern_matches(const char *pattern, struct str path, struct str *ret_args, size_t args_max) {
    struct str rest = str_of(pattern), part, have;
    size_t n = 0;
    while (str_cut(&rest, '/', &part)) {
        bool is_arg = part.len && part.ptr[0] == '{';
        if (!str_cut(&path, '/', &have)) return false;
        if (is_arg ? !have.len || n == args_max : !str_eq(part, have)) return false;
        if (is_arg) ret_args[n++] = have;
    }
    return !path.ptr;
}
