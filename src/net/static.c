/* Owns the answers for files in memory.  SPDX-License-Identifier: Apache-2.0 */
#include "net/static.h"

#include "net/problem.h"

#include <string.h>
#include <strings.h>

const char static_csp[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src "
    "'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default vue";

#define H(n, v)               \
    {                         \
        {n, sizeof(n) - 1}, { \
            v, sizeof(v) - 1  \
        }                     \
    }
const struct http_header static_security[STATIC_SECURITY_HEADERS] = {
    {{"Content-Security-Policy", sizeof("Content-Security-Policy") - 1}, {static_csp, sizeof(static_csp) - 1}},
    H("X-Content-Type-Options", "nosniff"),
    H("Referrer-Policy", "no-referrer"),
    H("Cross-Origin-Opener-Policy", "same-origin"),
};

static const struct {
    const char *end, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".geojson", "application/geo+json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".txt", "text/plain; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".pdf", "application/pdf"},
    {".wasm", "application/wasm"},
};

static bool ends_with(struct str s, const char *end) {
    size_t n = strlen(end);
    return s.len >= n && !memcmp(s.ptr + s.len - n, end, n);
}

struct str static_type(struct str path) {
    for (size_t i = 0; i < COUNT(types); i++)
        if (ends_with(path, types[i].end)) return str_of(types[i].type);
    return S("application/octet-stream");
}

static bool is_hash_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* As Vite names what it builds: NAME-HASHHASH.ext, eight of A-Z a-z 0-9 _ -.  A plain word of eight letters does not
 * count: the hash must hold a digit or an upper-case letter, and html is never meant. */
static bool is_hashed(struct str path) {
    for (size_t i = 0; i + 9 < path.len; i++) {
        if (path.ptr[i] != '-' || path.ptr[i + 9] != '.') continue;
        size_t fit = 0, telling = 0;
        for (size_t k = i + 1; k < i + 9; k++) {
            char c = path.ptr[k];
            fit += is_hash_char(c);
            telling += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        }
        if (fit == 8 && telling && !ends_with(path, ".html")) return true;
    }
    return false;
}

/* q=0, q=0.0, … forbids a coding; any other weight allows it. */
static bool is_zero_weight(struct str params) {
    struct str part;
    while (str_cut(&params, ';', &part)) {
        part = str_trim(part);
        if (part.len < 3 || (part.ptr[0] != 'q' && part.ptr[0] != 'Q') || part.ptr[1] != '=') continue;
        bool is_zero = true;
        for (size_t i = 2; i < part.len; i++) is_zero = is_zero && (part.ptr[i] == '0' || part.ptr[i] == '.');
        return is_zero;
    }
    return false;
}

static bool accepts(struct str accept, const char *coding) {
    struct str part, name;
    bool by_star = false;
    while (str_cut(&accept, ',', &part)) {
        struct str params = part;
        if (!str_cut(&params, ';', &name)) continue;
        name = str_trim(name);
        bool allowed = !is_zero_weight(params);
        if (name.len == strlen(coding) && !strncasecmp(name.ptr, coding, name.len)) return allowed;
        if (str_is(name, "*")) by_star = allowed;
    }
    return by_star;
}

struct choice {
    struct static_file file;
    const char *coding; /* NULL: as it is */
    bool varies;        /* there are codings to choose from */
};

static bool find_coded(struct str path, const char *end, static_find *find, void *arg, struct static_file *ret) {
    char name[512];
    struct buf b;
    struct str coded;
    buf_init(&b, name, sizeof(name));
    buf_str(&b, path);
    buf_cstr(&b, end);
    return buf_done(&b, &coded) && find(arg, coded, ret);
}

static bool choose(const struct http_request *req, struct str path, static_find *find, void *arg, struct choice *ret) {
    static const struct { const char *coding, *end; } codings[] = {{"br", ".br"}, {"gzip", ".gz"}};
    struct choice plain = {0};
    if (!find(arg, path, &plain.file)) return false;
    *ret = plain;
    struct str accept = http_header_get(req, "accept-encoding");
    for (size_t i = COUNT(codings); i-- > 0;) { /* the better one last, so that it wins */
        struct static_file file;
        if (!find_coded(path, codings[i].end, find, arg, &file)) continue;
        bool varies = true;
        if (accepts(accept, codings[i].coding)) *ret = (struct choice){file, codings[i].coding, varies};
        ret->varies = varies;
    }
    return true;
}

static void refuse_method(const struct http_request *req) {
    static const struct fault wrong = {
        .kind = ERR_NOT_FOUND, .code = "wrong_method", .text = "a page is asked for by GET or HEAD"};
    char mem[512], wait[24];
    struct buf b;
    struct http_header headers[PROBLEM_HEADERS + 1 + STATIC_SECURITY_HEADERS];
    size_t n = problem_headers(&wrong, S("GET, HEAD"), wait, headers);
    headers[n++] = (struct http_header)H("Content-Type", PROBLEM_TYPE);
    memcpy(headers + n, static_security, sizeof static_security);
    n += STATIC_SECURITY_HEADERS;
    buf_init(&b, mem, sizeof mem);
    struct str text = problem_text(&b, &wrong, http_trace_get(req));
    http_respond(req, &(struct http_answer){.status = problem_status(&wrong),
                                            .headers = headers,
                                            .headers_n = n,
                                            .body = {(const uint8_t *)text.ptr, text.len}});
}

static void answer(const struct http_request *req, struct str path, const struct choice *c) {
    char mem[96];
    struct buf b;
    struct str etag = S("");
    buf_init(&b, mem, sizeof(mem));
    /* The coding is part of the tag: another coding is another representation. */
    buf_fmt(&b, "\"%s%s%s\"", c->file.tag, c->coding ? "-" : "", c->coding ? c->coding : "");
    bool has_etag = buf_done(&b, &etag);
    struct http_header headers[STATIC_SECURITY_HEADERS + 5];
    size_t n = STATIC_SECURITY_HEADERS;
    memcpy(headers, static_security, sizeof(static_security));
    struct str caching = is_hashed(path) ? S("public, max-age=31536000, immutable") : S("no-cache");
    headers[n++] = (struct http_header){S("Cache-Control"), caching};
    if (has_etag) headers[n++] = (struct http_header){S("ETag"), etag};
    if (c->varies) headers[n++] = (struct http_header){S("Vary"), S("Accept-Encoding")};
    bool is_304 = has_etag && http_tag_is_known(req, etag);
    if (!is_304) headers[n++] = (struct http_header){S("Content-Type"), static_type(path)};
    if (!is_304 && c->coding) headers[n++] = (struct http_header){S("Content-Encoding"), str_of(c->coding)};
    http_respond(req, &(struct http_answer){.status = is_304 ? 304 : 200,
                                            .headers = headers,
                                            .headers_n = n,
                                            .body = is_304 ? (struct bytes){0} : c->file.bytes,
                                            .body_is_static = true});
}

bool static_respond(const struct http_request *req, struct str path, static_find *find, void *arg) {
    struct choice c;
    if (!choose(req, path, find, arg, &c)) return false;
    if (req->method == METHOD_GET || req->method == METHOD_HEAD)
        answer(req, path, &c);
    else
        refuse_method(req);
    return true;
}
