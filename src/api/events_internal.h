/* What the loop's and the worker's halves of the event stream share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_API_EVENTS_INTERNAL_H
#define LINLI_API_EVENTS_INTERNAL_H

#include "api/api_internal.h"

#define TOPICS_MAX 16

struct client {
    struct client *next, *job_next;
    struct hub *hub;
    struct http_stream *http; /* NULL once closed; freed when no job looks at it */
    struct arena arena;       /* actor, token, topics */
    struct actor actor;
    struct str token, topics[TOPICS_MAX];
    size_t topics_n;
    int64_t last, checked_ms;
    /* what the running job found out */
    bool is_gone, is_doubted; /* logged out | perhaps logged out: to be asked at once */
    int64_t job_last;
    struct buf out;
    struct arena new_arena;
    struct actor new_actor;
    bool has_new;
};

struct hub {
    struct api *api;
    struct client *clients;
    _Atomic size_t n; /* read by the figures, too */
    bool is_working, is_woken, is_closed;
    atomic_bool is_posted;
    struct loop_task wake;
    struct loop_timer *timer;
    int64_t head; /* number up to which the caught-up clients have been served */
    int64_t beat_ms, recheck_ms;
    /* the job: over clients that are not freed while it runs */
    struct client *job;
    bool checks, more;
    int64_t from, read_to;
    bool reset;
    struct arena arena;
};

/* On a worker: what the hub's job asks for, over the clients of hub->job. */
void hub_work(void *hub);

#endif
