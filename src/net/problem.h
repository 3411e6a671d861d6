/* What went wrong, as HTTP tells it: problem+json (RFC 9457), and the trace by which the log knows it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_PROBLEM_H
#define LINLI_NET_PROBLEM_H

#include "base/err.h"
#include "net/http.h"

#define PROBLEM_TYPE    "application/problem+json"
#define PROBLEM_HEADERS 2

int problem_status(const struct fault *f);
/* The body, written into `b`; something shorter where that is too small. */
struct str problem_text(struct buf *b, const struct fault *f, struct str trace);
/* What its status asks for: WWW-Authenticate, Allow (the methods there are, if known), Retry-After (written into
 * `wait`). Gives how many. */
size_t problem_headers(const struct fault *f, struct str allow, char wait[24], struct http_header ret[PROBLEM_HEADERS]);
/* The trace of a request: the caller's own, or a new one. */
void problem_trace(const struct http_request *req, const struct world *world, char ret[65]);

#endif
