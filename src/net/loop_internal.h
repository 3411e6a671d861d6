/* What the other files of this folder see of a loop.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_LOOP_INTERNAL_H
#define LINLI_NET_LOOP_INTERNAL_H

#include "net/loop.h"

#include <uv.h>

#define LOOP_READ_SIZE 65536

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_signal_t signals[2];
    uv_thread_t thread;
    pthread_mutex_t mutex; /* guards the queue */
    struct loop_task *first, *last;
    size_t posted; /* allocated tasks in the queue */
    size_t works;  /* under way; loop thread */
    _Atomic bool stopping;
    bool has_signals;
    loop_fn *on_signal;
    void *signal_arg;
    char read[LOOP_READ_SIZE]; /* libuv hands each read over before the next: one buffer serves all connections */
};

#endif
