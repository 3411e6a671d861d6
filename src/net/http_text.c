/* Owns the texts of a request: names, percent-decoding, queries.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "net/http.h"

#include <strings.h>

const char *http_method_name(enum http_method method) {
    static const char *const names[METHOD__COUNT] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
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
