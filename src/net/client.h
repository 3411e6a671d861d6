/* Small HTTP/1.1 client for tests and benches: plain TCP, keep-alive, one request at a time a connection.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_CLIENT_H
#define LINLI_NET_CLIENT_H

#include "net/http.h"

struct client_reply {
    int status; /* 0: no answer (refused, reset, bad framing, too large, timed out) */
    const struct http_header *headers;
    size_t headers_n;
    struct bytes body;
};
struct str client_header(const struct client_reply *reply, const char *name); /* absent if none */

struct client_ask {
    const char *method, *target;
    const struct http_header *headers; /* beside Host and Content-Length */
    size_t headers_n;
    struct bytes body;
};

/* ---- on a loop; loop thread only ---- */
struct client;
struct client_options {
    const char *host; /* numeric address ["127.0.0.1"] */
    int port;
    int64_t timeout_ms; /* of one request, its connecting included [10 s] */
    size_t body_max;    /* of an answer [16 MiB] */
    /* May be NULL: gets each piece of a 2xx body instead of the reply (SSE); then timeout_ms ends with the headers. */
    void (*on_piece)(void *arg, struct bytes piece);
    void *arg;
};
NODISCARD enum err client_create(struct loop *loop, const struct client_options *options, struct client **ret);
/* Called once, on the loop; the reply lives during the call.  May ask again from within. */
typedef void client_done(void *arg, const struct client_reply *reply);
/* Connects where needed, sends, calls done.  Copies ask.  ERR_BUSY: a request is under way. */
NODISCARD enum err client_send(struct client *client, const struct client_ask *ask, client_done *done, void *arg);
bool client_is_busy(const struct client *client);
void client_destroy(struct client *client); /* a request under way is dropped without done; NULL is fine */

/* ---- blocking ---- */
/* Opens a connection, asks, waits; everything of ret lives in the arena.  ERR_UNAVAILABLE: no complete answer within
 * timeout_ms; ERR_LIMIT: arena. */
NODISCARD enum err client_call(const char *host, int port, const struct client_ask *ask, int64_t timeout_ms,
                               struct arena *arena, struct client_reply *ret);

#endif
