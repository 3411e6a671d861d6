/* Numbered events to many: each client is told, in order and once, what comes after the number it names.  Those who are
 * up to date share one reader; one that is behind catches up at its own pace, so that it costs no more memory than a
 * page.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_SSE_HUB_H
#define LINLI_NET_SSE_HUB_H

#include "net/http.h"

struct sse_hub;
struct sse_client { /* within the owner's own, zero before sse_hub_begin */
    struct sse_client *next, *next_in_run;
    struct sse_hub *hub;
    struct http_stream *http; /* NULL once closed */
    int64_t last;             /* it was told everything up to this number */
    int64_t check_ms;         /* on the loop's clock: when it is checked; a run may set 0: at once */
    struct str text;          /* what a run has for it */
    bool is_over;             /* so found a check: its stream ends */
};

/* One run at a time, on a worker, over clients that nobody else touches until it is done. */
struct sse_run {
    struct sse_client *clients; /* by next_in_run; each was told everything up to `after`, or more */
    int64_t after, read_to;     /* read_to begins as `after` */
    bool more;                  /* there are events behind read_to */
};
struct sse_hub_options {
    struct loop *loop;
    size_t clients_max;
    int64_t check_ms; /* how often each client is checked */
    /* Reads a page of what comes after run->after, and says how far; gives each client its text (fewer bytes than a
     * stream may queue, kept until `told`) and its new `last`.  A client left as it is is served again, behind the
     * others.  False: not all of it could be done; what is left is tried again at the next second. */
    bool (*read)(void *arg, struct sse_run *run);
    /* May the clients listen on?  False: it could not be found out; asked again soon. */
    bool (*check)(void *arg, struct sse_run *run);
    void (*told)(void *arg);                       /* loop thread, after each run: its texts are not needed any more */
    void (*gone)(void *arg, struct sse_client *c); /* loop thread: closed, and no run looks at it */
    void *arg;
};
NODISCARD enum err sse_hub_create(const struct sse_hub_options *options, struct sse_hub **ret);
void sse_hub_wake(
    struct sse_hub *hub); /* there are new events; any thread.  Without it they are seen within a second */

/* Loop thread, instead of http_respond: begins the stream of a client, after the Last-Event-ID of the request or, where
 * it names none, after `newest`, the last number given.  An id that was never given becomes `last` -1: older than
 * anything.  Of a HEAD it sends the headers and ends.  False: too many clients, or the hub is closed; nothing was
 * sent. */
NODISCARD bool sse_hub_begin(struct sse_hub *hub, struct sse_client *c, const struct http_request *req,
                             const struct http_header *headers, size_t headers_n, int64_t newest);
size_t sse_hub_clients(const struct sse_hub *hub); /* any thread */

void sse_hub_close(struct sse_hub *hub);         /* ends the streams and begins no run; loop thread */
bool sse_hub_is_busy(const struct sse_hub *hub); /* a stream or a run is not over yet; loop thread */
void sse_hub_destroy(struct sse_hub *hub);       /* when it is busy no more; NULL is fine */

#endif
