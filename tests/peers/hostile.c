/* A device that means harm, from 127.0.0.2, for hostile.sh: hostile WHAT ADDRESS PORT [N], a frame on its input.  It
 * says "ready" once it has begun, and goes on until it is ended.  WHAT, on N connections, each made anew when it was
 * closed:
 * - garbage: bytes of chance as fast as they are taken;
 * - lengths: the frame, which promises more than ever comes, then bytes of chance;
 * - trickle: the frame, a byte a second;
 * - crowd: nothing is said.  SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 4096
#define EACH_MAX  12000
#define ROUND_MS  50 /* so often who was thrown out comes again: it harms, but leaves the machine to others */
#define CALLS_MAX 250

struct end {
    size_t sent; /* of the frame */
    time_t last;
};
static uint8_t frame[FRAME_MAX];
static size_t frame_n;
static struct sockaddr_in there;
static struct pollfd fds[EACH_MAX];
static struct end ends[EACH_MAX];
static uint64_t chance = 88172645463325252u; /* xorshift64, Marsaglia 2003 */

static int call(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0) return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on); /* or ports are used up soon */
    if (!bind(fd, (struct sockaddr *)&here, sizeof here) &&
        (!connect(fd, (struct sockaddr *)&there, sizeof there) || errno == EINPROGRESS))
        return fd;
    (void)close(fd);
    return -1;
}

static void rubbish(uint8_t *to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        to[i] = (uint8_t)chance;
    }
}

static bool put(int fd, const void *bytes, size_t n) {
    return send(fd, bytes, n, MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
}

static bool is_due(struct end *e, time_t now) {
    if (e->sent == frame_n || e->last == now) return false;
    e->last = now;
    return true;
}

/* False: it was thrown out. */
static bool harm(const char *what, int fd, struct end *e, short events) {
    uint8_t bytes[4096];
    if (events & (POLLERR | POLLHUP | POLLNVAL)) return false;
    if (events & POLLIN && recv(fd, bytes, sizeof bytes, 0) <= 0) return false;
    if (!(events & POLLOUT)) return true;
    if (!strcmp(what, "crowd")) return true;
    if (!strcmp(what, "trickle")) return !is_due(e, time(NULL)) || put(fd, &frame[e->sent++], 1);
    if (!strcmp(what, "lengths") && !e->sent) {
        e->sent = frame_n;
        return put(fd, frame, frame_n);
    }
    rubbish(bytes, sizeof bytes);
    return put(fd, bytes, sizeof bytes);
}

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) return 2;
    size_t n = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    const char *what = argv[1];
    bool is_idle = !strcmp(what, "crowd") || !strcmp(what, "trickle");
    struct rlimit files;
    there = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    if (n > EACH_MAX || inet_pton(AF_INET, argv[2], &there.sin_addr) != 1) return 2;
    if (getrlimit(RLIMIT_NOFILE, &files)) return 1;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (ssize_t got; (got = read(0, frame + frame_n, sizeof frame - frame_n)) > 0;) frame_n += (size_t)got;
    for (size_t i = 0; i < n; i++) fds[i] = (struct pollfd){-1, 0, 0};
    for (bool is_first = true;; is_first = false) {
        for (size_t i = 0, calls = 0; i < n && (is_first || calls < CALLS_MAX); i++) {
            if (fds[i].fd >= 0) continue;
            calls++;
            fds[i].fd = call();
            ends[i] = (struct end){0, 0};
            if (fds[i].fd < 0 && is_first && errno != EMFILE) return 1;
        }
        if (is_first) {
            puts("ready");
            (void)fflush(stdout);
        }
        for (size_t i = 0; i < n; i++) fds[i].events = strcmp(what, "crowd") ? POLLIN | POLLOUT : POLLIN;
        if (is_idle) (void)usleep(ROUND_MS * 1000);
        if (poll(fds, n, ROUND_MS) < 0) return 1;
        bool is_out = false;
        for (size_t i = 0; i < n; i++) {
            if (fds[i].fd < 0 || !fds[i].revents || harm(what, fds[i].fd, &ends[i], fds[i].revents)) continue;
            (void)close(fds[i].fd);
            fds[i].fd = -1;
            is_out = true;
        }
        if (is_out && !is_idle) (void)usleep(ROUND_MS * 1000);
    }
}
