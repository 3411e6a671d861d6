/* One HTTP answer out of a byte stream, for the client.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_CLIENT_PARSE_H
#define LINLI_NET_CLIENT_PARSE_H

#include "net/client.h"

#include <llhttp.h>

#define CLIENT_HEADERS_MAX 128
#define CLIENT_HEAD_BYTES  65536

enum client_parse_event { CLIENT_MORE, CLIENT_DONE, CLIENT_BAD };

struct client_parse {
    llhttp_t llhttp;
    bool is_head, is_complete, is_failed, keep_alive, has_headers;
    struct buf text;                        /* names and values in turn, each NUL-terminated */
    size_t text_at[CLIENT_HEADERS_MAX * 2]; /* where each begins */
    size_t texts_n;
    struct http_header headers[CLIENT_HEADERS_MAX];
    struct client_reply reply; /* when done; lives until the finish */
    char *body;
    size_t body_len, body_size, body_max;
    void (*on_piece)(void *arg, struct bytes piece);
    void *arg;
};
/* NULL: no memory.  On the heap, because it outlives the client while its owner looks at the reply. */
struct client_parse *client_parse_create(bool is_head, size_t body_max);
void client_parse_destroy(struct client_parse *p);
enum client_parse_event client_parse_feed(struct client_parse *p, struct bytes bytes);
enum client_parse_event client_parse_end(struct client_parse *p); /* the peer closed */

/* The bytes of a request; caller frees; NULL: no memory, or a header that is not one line. */
char *client_request(const char *host, int port, const struct client_ask *ask, size_t *ret_len);

#endif
