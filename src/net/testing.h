/* For this folder's tests: a loop on a thread of its own, and a peer of bare sockets that blocks with a limit.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_TESTING_H
#define LINLI_NET_TESTING_H

#include "net/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_WAIT_MS \
    60000 /* far over what any answer takes, under sanitizers on a busy machine too: reaching it is a failure */

struct test_loop {
    struct loop *loop;
    pthread_t thread;
};

static inline void *test_loop_main(void *arg) {
    loop_run(arg);
    return NULL;
}

static inline void test_loop_start(struct test_loop *tl) {
    if (pthread_create(&tl->thread, NULL, test_loop_main, tl->loop)) abort();
}

/* Runs fn on the loop, then stops it and frees it. */
static inline void test_loop_end(struct test_loop *tl, loop_fn *fn, void *arg) {
    if (fn && loop_post(tl->loop, fn, arg)) abort();
    loop_stop(tl->loop);
    pthread_join(tl->thread, NULL);
    loop_destroy(tl->loop);
}

/* Runs fn on the loop and waits for it. */
struct test_sync {
    loop_fn *fn;
    void *arg;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool is_done;
};
static inline void test_sync_run(void *arg) {
    struct test_sync *sync = arg;
    sync->fn(sync->arg);
    pthread_mutex_lock(&sync->mutex);
    sync->is_done = true;
    pthread_cond_signal(&sync->cond);
    pthread_mutex_unlock(&sync->mutex);
}
static inline void test_on_loop(struct loop *loop, loop_fn *fn, void *arg) {
    struct test_sync sync = {fn, arg, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    if (loop_post(loop, test_sync_run, &sync)) abort();
    pthread_mutex_lock(&sync.mutex);
    while (!sync.is_done) pthread_cond_wait(&sync.cond, &sync.mutex);
    pthread_mutex_unlock(&sync.mutex);
}

static inline int peer_dial(int port) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) abort();
    return fd;
}

/* A listener on a free port of loopback. */
static inline int peer_listen(int *ret_port) {
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof(addr);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 4) ||
        getsockname(fd, (struct sockaddr *)&addr, &len))
        abort();
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

static inline void peer_send(int fd, struct str bytes) {
    while (bytes.len) { /* the server may have closed already: its answer is what counts */
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes = str_from(bytes, (size_t)n);
    }
}

/* Reads until the end (true), or until `until` has been seen (NULL: only the end) or nothing came in time (false). */
static inline bool peer_read(int fd, char *mem, size_t size, const char *until) {
    size_t len = 0;
    mem[0] = 0;
    while (len + 1 < size) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, PEER_WAIT_MS) != 1) return false;
        ssize_t n = recv(fd, mem + len, until ? 1 : size - 1 - len, 0);
        if (n <= 0) return true;
        len += (size_t)n;
        mem[len] = 0;
        if (until && strstr(mem, until)) return false;
    }
    return false;
}

static inline int peer_status(const char *text) {
    return strncmp(text, "HTTP/1.1 ", 9) ? 0 : (int)strtol(text + 9, NULL, 10);
}

#endif
