/* One request after the other out of a byte stream, without sockets: our own strict reading of the head and llhttp's
 * must both accept it; llhttp reads the body's framing.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_HTTP_PARSE_H
#define LINLI_NET_HTTP_PARSE_H

#include "net/http.h"

#include <llhttp.h>

struct http_parse_limits {
    size_t header_bytes, headers_max, target_bytes;
};

/* Owns what the slices of `request` point to. */
struct http_message {
    struct http_request request; /* without peer and TLS */
    struct str authority;        /* of an absolute target; else absent */
    char *head, *path;
    struct http_header *headers;
    uint8_t *body;
    size_t body_len, body_size, body_cap;
    int64_t content_length; /* -1: none told */
    bool is_chunked, is_v10, keep_alive, expects_continue;
};
void http_message_finish(struct http_message *message);

enum http_parse_event {
    PARSE_MORE,    /* all input used */
    PARSE_HEADERS, /* headers complete: call http_parse_body_cap, then feed the rest (or nothing) */
    PARSE_DONE,    /* message complete: http_parse_take it; the rest of the input is the next one's */
    PARSE_BAD      /* answer `status`, close; nothing more is read */
};
enum http_parse_phase { PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_DONE, PHASE_BAD };

struct http_parse {
    const struct http_parse_limits *limits;
    enum http_parse_phase phase;
    int status;
    struct http_message message;
    size_t head_len, head_size;
    size_t extension_bytes; /* of all chunks */
    bool is_complete, has_line;
    char last, before; /* the bytes before the next one, of the head */
    llhttp_t llhttp;
};

void http_parse_init(struct http_parse *p, const struct http_parse_limits *limits); /* keeps limits */
void http_parse_finish(struct http_parse *p);
enum http_parse_event http_parse_feed(struct http_parse *p, struct bytes *input); /* moves input on */
void http_parse_body_cap(struct http_parse *p, size_t cap);
void http_parse_take(struct http_parse *p, struct http_message *ret); /* caller finishes it; ready for the next */

/* http_head.c: checks the complete head and fills the message.  0, or the status to answer. */
int http_head_read(struct http_message *message, size_t head_len, const struct http_parse_limits *limits);

#endif
