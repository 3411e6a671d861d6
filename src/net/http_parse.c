/* Owns the order of a request's bytes: head, body, next.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION_BYTES_MAX 1024 /* of all chunks of one body */
#define FIRST_SIZE          1024

static int refuse(struct http_parse *p, int status) {
    if (!p->status) p->status = status;
    return -1;
}

static int on_headers_complete(llhttp_t *ll) {
    ll->upgrade = 0; /* we speak no other protocol: the request is an ordinary one */
    return 0;
}

static int on_header_field(llhttp_t *ll, const char *at, size_t len) {
    struct http_parse *p = ll->data;
    (void)at, (void)len;
    /* Trailers could smuggle what the head's checks would refuse; nobody here needs them. */
    return p->phase == PHASE_BODY ? refuse(p, 400) : 0;
}

static int on_extension(llhttp_t *ll, const char *at, size_t len) {
    struct http_parse *p = ll->data;
    for (size_t i = 0; i < len; i++)
        if (at[i] == '\n' || at[i] == '\r' || !at[i]) return refuse(p, 400);
    p->extension_bytes += len + 1;
    return p->extension_bytes > EXTENSION_BYTES_MAX ? refuse(p, 400) : 0;
}

static int on_chunk_header(llhttp_t *ll) {
    struct http_parse *p = ll->data;
    if (p->message.body_cap - p->message.body_len < ll->content_length) return refuse(p, 413);
    return 0;
}

static int on_body(llhttp_t *ll, const char *at, size_t len) {
    struct http_parse *p = ll->data;
    struct http_message *m = &p->message;
    if (len > m->body_cap - m->body_len) return refuse(p, 413);
    if (m->body_len + len > m->body_size) {
        size_t size = m->body_size ? m->body_size * 2 : FIRST_SIZE;
        while (size < m->body_len + len) size *= 2;
        if (size > m->body_cap) size = m->body_cap;
        uint8_t *body = realloc(m->body, size);
        if (!body) return refuse(p, 503);
        m->body = body;
        m->body_size = size;
    }
    memcpy(m->body + m->body_len, at, len);
    m->body_len += len;
    return 0;
}

static int on_message_complete(llhttp_t *ll) {
    struct http_parse *p = ll->data;
    p->is_complete = true;
    return HPE_PAUSED; /* what follows is the next message's */
}

static const llhttp_settings_t settings = {
    .on_headers_complete = on_headers_complete,
    .on_header_field = on_header_field,
    .on_chunk_extension_name = on_extension,
    .on_chunk_extension_value = on_extension,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void http_message_finish(struct http_message *m) {
    free(m->head);
    free(m->path);
    free(m->headers);
    free(m->body);
    *m = (struct http_message){0};
}

void http_parse_init(struct http_parse *p, const struct http_parse_limits *limits) {
    *p = (struct http_parse){.limits = limits};
}

void http_parse_finish(struct http_parse *p) {
    http_message_finish(&p->message);
}

static enum http_parse_event bad(struct http_parse *p, int status) {
    (void)refuse(p, status);
    p->phase = PHASE_BAD;
    return PARSE_BAD;
}

static bool keep_head(struct http_parse *p, const uint8_t *ptr, size_t len) {
    if (p->head_len + len > p->head_size) {
        size_t size = p->head_size ? p->head_size : FIRST_SIZE;
        while (size < p->head_len + len) size *= 2;
        char *head = realloc(p->message.head, size);
        if (!head) return false;
        p->message.head = head;
        p->head_size = size;
    }
    memcpy(p->message.head + p->head_len, ptr, len);
    p->head_len += len;
    return true;
}

/* Line ends are CR LF and nothing else, NUL is nowhere, and the first byte begins a method: said at the byte, so that
 * garbage is answered at once and not at the deadline. */
static bool is_fit(const struct http_parse *p, size_t at, char c) {
    if (!c || (p->last == '\r' && c != '\n') || (c == '\n' && p->last != '\r')) return false;
    return at || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int head_overflow(const struct http_parse *p) {
    return p->has_line ? 431 : 414;
}

/* Length of the head that ends within input, or 0; *ret_status where it cannot be one. */
static size_t scan_head(struct http_parse *p, struct bytes input, int *ret_status) {
    for (size_t i = 0; i < input.len; i++) {
        size_t at = p->head_len + i;
        char c = (char)input.ptr[i];
        if (!is_fit(p, at, c))
            *ret_status = 400;
        else if (at >= p->limits->header_bytes)
            *ret_status = head_overflow(p);
        else if (!p->has_line && at > p->limits->target_bytes + 32) /* method, version */
            *ret_status = 414;
        if (*ret_status) return 0;
        bool is_end = c == '\n' && p->before == '\n'; /* LF CR LF */
        if (c == '\n') p->has_line = true;
        if (is_end) return i + 1;
        p->before = p->last;
        p->last = c;
    }
    return 0;
}

/* llhttp knows some methods only, and reads some of them in its own way; which one it is has been read. */
static llhttp_errno_t execute_head(struct http_parse *p) {
    const char *head = p->message.head, *rest = memchr(head, ' ', p->head_len);
    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    if (p->message.request.method != METHOD_OTHER || !rest) return llhttp_execute(&p->llhttp, head, p->head_len);
    llhttp_errno_t e = llhttp_execute(&p->llhttp, "POST", 4);
    return e == HPE_OK ? llhttp_execute(&p->llhttp, rest, p->head_len - (size_t)(rest - head)) : e;
}

static enum http_parse_event end_head(struct http_parse *p) {
    int status = http_head_read(&p->message, p->head_len, p->limits);
    if (status) return bad(p, status);
    llhttp_errno_t e = execute_head(p);
    bool has_body = p->message.is_chunked || p->message.content_length > 0;
    if (e != (has_body ? HPE_OK : HPE_PAUSED) || p->is_complete == has_body) return bad(p, 400);
    p->phase = PHASE_BODY;
    return PARSE_HEADERS;
}

static enum http_parse_event feed_head(struct http_parse *p, struct bytes *input) {
    if (!input->len) return PARSE_MORE;
    p->phase = PHASE_HEAD;
    int status = 0;
    size_t end = scan_head(p, *input, &status);
    if (status) return bad(p, status);
    size_t used = end ? end : input->len;
    if (!keep_head(p, input->ptr, used)) return bad(p, 503);
    *input = (struct bytes){input->ptr + used, input->len - used};
    return end ? end_head(p) : PARSE_MORE;
}

static enum http_parse_event feed_body(struct http_parse *p, struct bytes *input) {
    if (p->status) return bad(p, p->status);
    if (!p->is_complete && input->len) {
        const char *from = (const char *)input->ptr;
        llhttp_errno_t e = llhttp_execute(&p->llhttp, from, input->len);
        if (e != HPE_OK && !(e == HPE_PAUSED && p->is_complete)) return bad(p, 400);
        size_t used = e == HPE_OK ? input->len : (size_t)(llhttp_get_error_pos(&p->llhttp) - from);
        assert(used <= input->len);
        bool is_crlf = used && from[used - 1] == '\n' && (used > 1 ? from[used - 2] : p->last) == '\r';
        /* llhttp would take a bare LF after the last chunk. */
        if (p->is_complete && p->message.is_chunked && !is_crlf) return bad(p, 400);
        if (used) p->last = from[used - 1];
        *input = (struct bytes){input->ptr + used, input->len - used};
    }
    if (!p->is_complete) return PARSE_MORE;
    p->message.request.body = (struct bytes){p->message.body, p->message.body_len};
    p->phase = PHASE_DONE;
    return PARSE_DONE;
}

enum http_parse_event http_parse_feed(struct http_parse *p, struct bytes *input) {
    switch (p->phase) {
    case PHASE_IDLE:
    case PHASE_HEAD: return feed_head(p, input);
    case PHASE_BODY: return feed_body(p, input);
    case PHASE_DONE: return PARSE_DONE;
    case PHASE_BAD: break;
    }
    return PARSE_BAD;
}

void http_parse_body_cap(struct http_parse *p, size_t cap) {
    p->message.body_cap = cap;
    if (p->message.content_length > 0 && (uint64_t)p->message.content_length > cap) (void)refuse(p, 413);
}

void http_parse_take(struct http_parse *p, struct http_message *ret) {
    assert(p->phase == PHASE_DONE);
    *ret = p->message;
    http_parse_init(p, p->limits);
}
