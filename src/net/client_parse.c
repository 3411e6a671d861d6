/* Owns the client's reading of answers and writing of requests.  SPDX-License-Identifier: Apache-2.0 */
#include "net/client_parse.h"

#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_SIZE 4096

static int fail(struct client_parse *p) {
    p->is_failed = true;
    return -1;
}

/* Spans of one name or value may come in pieces: `*_complete` ends each. */
static int on_text(llhttp_t *ll, const char *at, size_t len) {
    struct client_parse *p = ll->data;
    buf_add(&p->text, at, len);
    return p->text.overflow ? fail(p) : 0;
}

static int on_text_end(llhttp_t *ll) {
    struct client_parse *p = ll->data;
    if (p->texts_n + 1 >= COUNT(p->text_at) || p->has_headers) return fail(p);
    buf_char(&p->text, 0);
    p->text_at[++p->texts_n] = p->text.len;
    return p->text.overflow ? fail(p) : 0;
}

static struct str text(const struct client_parse *p, size_t index) {
    return (struct str){p->text.ptr + p->text_at[index], p->text_at[index + 1] - p->text_at[index] - 1};
}

static int on_headers_complete(llhttp_t *ll) {
    struct client_parse *p = ll->data;
    p->reply.status = ll->status_code;
    p->reply.headers = p->headers;
    p->reply.headers_n = p->texts_n / 2;
    for (size_t i = 0; i < p->reply.headers_n; i++)
        p->headers[i] = (struct http_header){text(p, 2 * i), text(p, 2 * i + 1)};
    p->has_headers = ll->status_code >= 200;
    return p->is_head ? 1 : 0; /* 1: no body follows, whatever its length says */
}

static int on_body(llhttp_t *ll, const char *at, size_t len) {
    struct client_parse *p = ll->data;
    if (p->on_piece && p->reply.status / 100 == 2) {
        p->on_piece(p->arg, (struct bytes){(const uint8_t *)at, len});
        return 0;
    }
    if (len > p->body_max - p->body_len) return fail(p);
    if (p->body_len + len > p->body_size) {
        size_t size = p->body_size ? p->body_size * 2 : FIRST_SIZE;
        while (size < p->body_len + len) size *= 2;
        char *body = realloc(p->body, size);
        if (!body) return fail(p);
        p->body = body;
        p->body_size = size;
    }
    memcpy(p->body + p->body_len, at, len);
    p->body_len += len;
    return 0;
}

static int on_message_complete(llhttp_t *ll) {
    struct client_parse *p = ll->data;
    if (ll->status_code < 200) { /* 100 Continue: the answer follows */
        p->texts_n = p->text.len = 0;
        return 0;
    }
    p->is_complete = true;
    p->keep_alive = llhttp_should_keep_alive(ll) != 0;
    p->reply.body = (struct bytes){(const uint8_t *)p->body, p->body_len};
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_text,
    .on_header_field_complete = on_text_end,
    .on_header_value = on_text,
    .on_header_value_complete = on_text_end,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct client_parse *client_parse_create(bool is_head, size_t body_max) {
    struct client_parse *p = calloc(1, sizeof(*p));
    char *mem = malloc(CLIENT_HEAD_BYTES);
    if (!p || !mem) {
        free(p);
        free(mem);
        return NULL;
    }
    buf_init(&p->text, mem, CLIENT_HEAD_BYTES);
    p->is_head = is_head;
    p->body_max = body_max;
    llhttp_init(&p->llhttp, HTTP_RESPONSE, &settings);
    p->llhttp.data = p;
    return p;
}

void client_parse_destroy(struct client_parse *p) {
    if (!p) return;
    free(p->text.ptr);
    free(p->body);
    free(p);
}

enum client_parse_event client_parse_feed(struct client_parse *p, struct bytes bytes) {
    if (p->is_complete || p->is_failed) return CLIENT_BAD;
    const char *from = (const char *)bytes.ptr;
    llhttp_errno_t e = llhttp_execute(&p->llhttp, from, bytes.len);
    if (e == HPE_OK) return CLIENT_MORE;
    if (e != HPE_PAUSED || !p->is_complete) return CLIENT_BAD;
    if (llhttp_get_error_pos(&p->llhttp) != from + bytes.len) p->keep_alive = false; /* says more than it was asked */
    return CLIENT_DONE;
}

enum client_parse_event client_parse_end(struct client_parse *p) {
    if (p->is_failed || !p->has_headers) return CLIENT_BAD;
    (void)llhttp_finish(&p->llhttp);
    p->keep_alive = false;
    return p->is_complete ? CLIENT_DONE : CLIENT_BAD;
}

char *client_request(const char *host, int port, const struct client_ask *ask, size_t *ret_len) {
    if (!http_headers_fit(ask->headers, ask->headers_n)) return NULL;
    size_t size = http_head_size(ask->headers, ask->headers_n) + strlen(ask->method) + strlen(ask->target) +
                  strlen(host) + ask->body.len;
    char *mem = malloc(size);
    if (!mem) return NULL;
    struct buf b;
    buf_init(&b, mem, size);
    bool is_v6 = strchr(host, ':') != NULL;
    buf_fmt(&b, "%s %s HTTP/1.1\r\nHost: %s%s%s:%d\r\n", ask->method, ask->target, is_v6 ? "[" : "", host,
            is_v6 ? "]" : "", port);
    for (size_t i = 0; i < ask->headers_n; i++) {
        buf_str(&b, ask->headers[i].name);
        buf_cstr(&b, ": ");
        buf_str(&b, ask->headers[i].value);
        buf_cstr(&b, "\r\n");
    }
    bool has_body = ask->body.len || (strcmp(ask->method, "GET") != 0 && strcmp(ask->method, "HEAD") != 0);
    if (has_body) buf_fmt(&b, "Content-Length: %zu\r\n", ask->body.len);
    buf_cstr(&b, "\r\n");
    buf_add(&b, ask->body.ptr, ask->body.len);
    *ret_len = b.len;
    return mem;
}

struct str client_header(const struct client_reply *reply, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < reply->headers_n; i++) {
        struct str have = reply->headers[i].name;
        if (have.len == len && !strncasecmp(have.ptr, name, len)) return reply->headers[i].value;
    }
    return (struct str){0};
}
