/* HTTP/1.1 server: complete requests in, answers or streams out.  Framing is strict: whatever two parsers could read in
 * two ways is refused and the connection closed.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_HTTP_H
#define LINLI_NET_HTTP_H

#include "base/clock.h"
#include "net/loop.h"

enum http_method { /* CONNECT, which asks for no path, is answered 501 */
                   METHOD_GET,
                   METHOD_HEAD,
                   METHOD_POST,
                   METHOD_PUT,
                   METHOD_PATCH,
                   METHOD_DELETE,
                   METHOD_OPTIONS,
                   METHOD_OTHER, /* TRACE, PROPFIND, "get": known to no path, so that whoever answers says 405 */
                   METHOD__COUNT
};
const char *http_method_name(enum http_method method); /* "GET"; METHOD_OTHER: "" */

struct http_header {
    struct str name, value;
};

/* Complete and checked.  All slices live until the request is answered. */
struct http_request {
    enum http_method method;
    struct str target; /* as sent */
    struct str path;   /* percent-decoded, valid UTF-8 without NUL and `..` segments; starts with '/', or is "*" */
    struct str query;  /* raw, after '?'; absent without one; http_query_get decodes */
    const struct http_header *headers;
    size_t headers_n;
    struct bytes body;
    struct str peer; /* address text without port: "127.0.0.1", "::1" */
    bool is_loopback, is_tls;
    const _Atomic int64_t *left_us; /* the server's: see http_peer_left; NULL in one made by hand */
};
/* Has the peer left for good: is the connection gone, or has the peer ended its side a second ago and sent nothing
 * since?  Long work asks now and then, from any thread, until the request is answered. */
bool http_peer_left(const struct http_request *req, const struct world *world);
/* First header of that name, any case; absent if none. */
struct str http_header_get(const struct http_request *req, const char *name);
/* Value of the cookie of that name; absent if none. */
struct str http_cookie_get(const struct http_request *req, const char *name);
/* Does If-None-Match name the tag (with its quotes), or any?  Weak comparison (RFC 9110, 13.1.2). */
bool http_tag_is_known(const struct http_request *req, struct str tag);
/* If-Match as the number of a version, 0 without one.  False: it names none; nor does a weak tag (RFC 9110, 13.1.1). */
NODISCARD bool http_if_match(const struct http_request *req, int64_t *ret);
/* Does the request come from a page of this host?  Browsers say so (Fetch Metadata, else Origin); who says nothing gets
 * `when_unknown`. */
bool http_is_same_origin(const struct http_request *req, bool when_unknown);
/* The caller's own correlation id where it is sane: the trace of W3C traceparent, else X-Request-Id.  Absent if none.
 */
struct str http_trace_get(const struct http_request *req);
/* "inline" or "attachment" with the file's name for Content-Disposition (RFC 6266, RFC 8187). */
void http_disposition(struct buf *b, const char *how, struct str file_name);
/* "/things/{id}/parts/{part}": a {…} stands for one segment that is not empty. */
bool http_pattern_is_sound(const char *pattern, size_t args_max);
bool http_pattern_matches(const char *pattern, struct str path, struct str *ret_args, size_t args_max);
/* First query parameter of that name, '+' and %XX decoded into the arena.  False: not there (ret absent), or broken
 * escape, NUL, invalid UTF-8 or no memory (ret {"",0}: present but bad). */
bool http_query_get(struct str query, const char *name, struct arena *arena, struct str *ret);
/* Decodes %XX (and '+' to a blank if `plus`) into b.  False: broken escape, NUL or invalid UTF-8. */
NODISCARD bool http_decode(struct str text, bool plus, struct buf *b);

/* Content-Length, Date, Connection (and Transfer-Encoding of streams) are the server's own: not among the headers. */
struct http_answer {
    int status; /* 200 .. 599 */
    const struct http_header *headers;
    size_t headers_n;
    struct bytes body;   /* of HEAD: its length is told, its bytes are not sent */
    bool body_is_static; /* the body outlives the server, so it is not copied */
    bool is_stream_head; /* HEAD of what GET answers by a stream: no length is told (RFC 9110, 8.6) */
    bool close;          /* close the connection after it */
};
/* Answers once, from any thread; copies all of the answer (but a static body).  The request is gone after the call.  A
 * peer that left makes it a no-op.  A header with CR, LF or NUL, or no memory, turns the answer into a bare 500.  The
 * loop must still exist. */
void http_respond(const struct http_request *req, const struct http_answer *answer);

/* ---- streams: SSE, exports; loop thread only ---- */
struct http_stream;
struct http_stream_calls {
    void (*on_drain)(void *arg);               /* may be NULL: all that was written has gone to the kernel */
    void (*on_close)(void *arg, enum err why); /* exactly once, never from within a call of the owner; afterwards the
                                    stream is gone.  OK: ended by us and sent; ERR_LIMIT: too far behind;
                                    ERR_UNAVAILABLE: peer left, stalled, or server closed */
    void *arg;
};
/* Answers with a body of unknown length instead of http_respond (chunked; until close for HTTP/1.0).  The request and
 * its slices live until on_close.  Never NULL: where the peer has left, writes give ERR_UNAVAILABLE and on_close
 * follows. */
struct http_stream *http_stream_begin(const struct http_request *req, int status, const struct http_header *headers,
                                      size_t headers_n, const struct http_stream_calls *calls);
/* Copies.  ERR_LIMIT: more than stream_queue bytes would be waiting: the stream closes.  ERR_UNAVAILABLE: already
 * closing.  Nothing is half sent: a piece is queued whole or not at all. */
NODISCARD enum err http_stream_write(struct http_stream *stream, struct bytes bytes);
size_t http_stream_pending(const struct http_stream *stream); /* bytes not yet taken by the kernel */
void http_stream_end(struct http_stream *stream);             /* sends what waits, then on_close(OK) */

/* ---- server ---- */
typedef void http_handler(void *arg, const struct http_request *req); /* loop thread; answers now or later, once */

/* Zero = the default in brackets. */
struct http_options {
    const char *bind;                 /* numeric address ["127.0.0.1"] */
    int port;                         /* 0: a free one */
    bool try_next;                    /* port held: try the next, up to 100 further */
    const char *cert_file, *key_file; /* PEM chain and key: TLS 1.2 and later only */
    const struct world *world;        /* for Date; keeps */
    size_t header_bytes;              /* request line and headers [16 KiB]: else 431 */
    size_t headers_max;               /* [100]: else 431 */
    size_t target_bytes;              /* [8 KiB]: else 414 */
    size_t body_bytes;                /* [1 MiB]: else 413 */
    /* May be NULL; decides instead of body_bytes once the headers are complete (request without body). */
    size_t (*body_cap)(void *arg, const struct http_request *req);
    size_t connections_max;   /* [4096]; who stays where there are more: net/guests.h */
    size_t stream_queue;      /* [256 KiB] */
    int64_t header_ms;        /* first byte (or TLS accept) to complete headers [10 s]: else 408 */
    int64_t body_window_ms;   /* within each window ... [10 s] */
    size_t body_window_bytes; /* ... at least so many bytes of the body, or its end [4 KiB]: else 408 */
    int64_t idle_ms;          /* between requests [60 s] */
    int64_t write_ms;         /* without any progress in sending [30 s] */
};
struct http_server;
/* Listens.  Keeps nothing of options but world and the callback.  ERR_BUSY: port held; ERR_INVALID: address,
 * certificate or key; ERR_INTERNAL. */
NODISCARD enum err http_server_open(struct loop *loop, const struct http_options *options, http_handler *handler,
                                    void *arg, struct http_server **ret, struct fault *fault);
int http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* Closes the listener and all connections.  Requests not yet answered stay valid until answered.  NULL is fine. */
void http_server_close(struct http_server *server);

#endif
