/* Owns the strict reading of a request's head (RFC 9112): whatever could be read in two ways is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/http_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i])) return false;
    return s.len > 0;
}

static bool is_nocase(struct str s, const char *word) {
    return s.len == strlen(word) && !strncasecmp(s.ptr, word, s.len);
}

static struct str take_line(struct str *rest) {
    struct str line = {rest->ptr, 0};
    while (line.len + 1 < rest->len && !(rest->ptr[line.len] == '\r' && rest->ptr[line.len + 1] == '\n')) line.len++;
    *rest = str_from(*rest, line.len + 2);
    return line;
}

static int read_method(struct str word, enum http_method *ret) {
    if (!is_token(word)) return 400;
    for (size_t i = 0; i < METHOD__COUNT; i++)
        if (str_is(word, http_method_name((enum http_method)i))) {
            *ret = (enum http_method)i;
            return 0;
        }
    *ret = METHOD_OTHER;
    return word_in("CONNECT PRI", word) ? 501 : 0; /* a tunnel, and how HTTP/2 begins */
}

static int read_version(struct str word, bool *ret_is_v10) {
    if (str_is(word, "HTTP/1.1") || str_is(word, "HTTP/1.0")) {
        *ret_is_v10 = word.ptr[7] == '0';
        return 0;
    }
    bool is_other = word.len == 8 && str_starts(word, S("HTTP/")) && word.ptr[5] >= '1' && word.ptr[5] <= '9' &&
                    word.ptr[6] == '.' && word.ptr[7] >= '0' && word.ptr[7] <= '9';
    return is_other ? 505 : 400;
}

static bool has_dots(struct str path) {
    struct str part;
    while (str_cut(&path, '/', &part))
        if (str_is(part, "..")) return true;
    return false;
}

/* RFC 9110, 7.2: nothing that belongs to another part of a URL. */
static bool is_host(struct str value) {
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~' || strchr("/@,?#\\\"<>", value.ptr[i])) return false;
    return value.len > 0;
}

/* A slash in disguise is part of a name to some readers and ends it for others. */
static bool has_escaped_slash(struct str path) {
    for (size_t i = 0; i + 2 < path.len; i++)
        if (path.ptr[i] == '%' && path.ptr[i + 1] == '2' && (path.ptr[i + 2] | 32) == 'f') return true;
    return false;
}

/* http://host/path, as a proxy is asked (RFC 9112, 3.2.2): the host here counts instead of the Host header's. */
static bool take_authority(struct str *target, struct str *ret) {
    static const char *const schemes[] = {"http://", "https://"};
    struct str rest = {0};
    for (size_t i = 0; i < COUNT(schemes) && !rest.ptr; i++)
        if (target->len >= strlen(schemes[i]) && !strncasecmp(target->ptr, schemes[i], strlen(schemes[i])))
            rest = str_from(*target, strlen(schemes[i]));
    size_t n = 0;
    while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?') n++;
    *ret = (struct str){rest.ptr, n};
    *target = str_from(rest, n);
    return rest.ptr && is_host(*ret);
}

static int read_target(struct http_message *m, struct str target, const struct http_parse_limits *limits) {
    struct http_request *req = &m->request;
    if (target.len > limits->target_bytes) return 414;
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] > '~' || target.ptr[i] == '#') return 400;
    req->target = target;
    bool is_star = str_is(target, "*") && req->method == METHOD_OPTIONS;
    if (!is_star && !str_starts(target, S("/")) && !take_authority(&target, &m->authority)) return 400;
    const char *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    struct str path = {target.ptr, mark ? (size_t)(mark - target.ptr) : target.len};
    req->query = mark ? str_from(target, path.len + 1) : (struct str){0};
    if (!path.len) path = S("/");
    if (has_escaped_slash(path)) return 400;
    m->path = malloc(path.len + 1);
    if (!m->path) return 503;
    struct buf b;
    buf_init(&b, m->path, path.len + 1);
    if (!http_decode(path, false, &b) || !buf_done(&b, &req->path) || has_dots(req->path)) return 400;
    return 0;
}

static int read_request_line(struct http_message *m, struct str line, const struct http_parse_limits *limits) {
    struct str method, target;
    struct str rest = line;
    if (!str_cut(&rest, ' ', &method) || !str_cut(&rest, ' ', &target) || !rest.ptr) return 400;
    int status = read_method(method, &m->request.method);
    if (!status) status = read_version(rest, &m->is_v10);
    return status ? status : read_target(m, target, limits);
}

static int read_header(struct str line, struct http_header *ret) {
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon) return 400;
    struct str name = {line.ptr, (size_t)(colon - line.ptr)};
    if (!is_token(name)) return 400; /* blank before the colon, folded line, empty name */
    struct str value = str_from(line, name.len + 1);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return 400;
    }
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t')) value = str_from(value, 1);
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t')) value.len--;
    *ret = (struct http_header){name, value};
    return 0;
}

static bool is_length(struct str value, int64_t *ret) {
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9') return false; /* signs and lists too */
    return value.len > 0 && str_to_i64(value, ret);
}

static bool has_word(struct str list, const char *word) {
    struct str part;
    while (str_cut(&list, ',', &part))
        if (is_nocase(str_trim(part), word)) return true;
    return false;
}

/* What frames the message, and what may be there once only. */
static int read_framing(struct http_message *m) {
    size_t hosts = 0, lengths = 0, codings = 0, expects = 0;
    m->content_length = -1;
    m->keep_alive = !m->is_v10 || has_word(http_header_get(&m->request, "connection"), "keep-alive");
    for (size_t i = 0; i < m->request.headers_n; i++) {
        struct http_header *h = &m->headers[i];
        bool ok = true;
        if (is_nocase(h->name, "host")) {
            ok = !hosts++ && is_host(h->value);
            if (m->authority.ptr) h->value = m->authority;
        }
        if (is_nocase(h->name, "content-length")) ok = !lengths++ && is_length(h->value, &m->content_length);
        if (is_nocase(h->name, "transfer-encoding")) ok = !codings++ && is_nocase(h->value, "chunked");
        if (is_nocase(h->name, "connection")) m->keep_alive = m->keep_alive && !has_word(h->value, "close");
        if (!ok) return 400;
        if (is_nocase(h->name, "expect") && (expects++ || !is_nocase(h->value, "100-continue"))) return 417;
    }
    if (!hosts && !m->is_v10) return 400;
    if (codings && (lengths || m->is_v10)) return 400;
    m->is_chunked = codings > 0;
    m->expects_continue = expects && !m->is_v10;
    return 0;
}

int http_head_read(struct http_message *m, size_t head_len, const struct http_parse_limits *limits) {
    struct str rest = {m->head, head_len - 2}; /* without the empty line */
    int status = read_request_line(m, take_line(&rest), limits);
    if (status) return status;
    size_t lines = 0;
    for (size_t i = 0; i < rest.len; i++) lines += rest.ptr[i] == '\n';
    if (lines > limits->headers_max) return 431;
    m->headers = calloc(lines + 1, sizeof(*m->headers));
    if (!m->headers) return 503;
    m->request.headers = m->headers;
    for (; m->request.headers_n < lines; m->request.headers_n++) {
        status = read_header(take_line(&rest), &m->headers[m->request.headers_n]);
        if (status) return status;
    }
    return read_framing(m);
}
