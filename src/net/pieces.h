/* Long answers in pieces: a worker makes one, the loop sends it, and only then the next is made, so that a slow reader
 * costs neither memory nor a worker.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_PIECES_H
#define LINLI_NET_PIECES_H

#include "net/http.h"

struct http_pieces {
    struct str first; /* made already */
    bool more;        /* there is one behind it */
    /* On a worker; *ret stays until the next call.  False: it was the last. */
    bool (*next)(void *arg, struct str *ret);
    void (*done)(void *arg); /* loop thread, once, never from within http_pieces_begin: all is sent, or the peer left */
    void *arg;
    struct str cut; /* told where no worker is free for the next piece, as the status has long gone out */
};
/* Loop thread, instead of http_respond; the answer's body is not used.  ERR_INTERNAL: no memory, and nothing was sent.
 */
NODISCARD enum err http_pieces_begin(struct loop *loop, const struct http_request *req,
                                     const struct http_answer *answer, const struct http_pieces *pieces);

#endif
