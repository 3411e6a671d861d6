/* The demo's fire panel over its TCP line.  SPDX-License-Identifier: Apache-2.0 */
#include "main/demo/play_panel.h"

#include "base/gb18030.h"
#include "net/tcp.h"
#include "protocol/gb26875/gb26875.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_MAX 256

struct play_panel {
    struct play_panel_options o;
    char address[64];
    struct tcp_conn *conn;
    bool is_open, is_closing, is_owed; /* a report waits for its confirmation */
    uint16_t serial;
    int tries;
    int64_t until_ms;
    uint8_t in[IN_MAX];
    size_t in_n;
};

/* Type 2, one object: system state of components; a smoke detector on fire; text of 31 bytes; the time (8.2.1.2). */
static void report(struct play_panel *p) {
    uint8_t object[48] = {2, 1, 1, 1, 40, 0x0a, 0, 2, 0, 2, 0};
    char mem[128];
    struct buf b;
    struct gb26875_time t = gb26875_time_of(p->o.world->utc_ms(p->o.world->self) / 1000 + p->o.clock_ahead_s);
    buf_init(&b, (char *)object + 11, 31);
    (void)!gb18030_from_utf8(S("16号楼9层烟感"), &b); /* as panels write it */
    memcpy(object + 42, &(uint8_t[]){t.second, t.minute, t.hour, t.day, t.month, t.year}, 6);
    buf_init(&b, mem, sizeof mem);
    gb26875_encode(&(struct gb26875_frame){.serial = p->serial,
                                           .version = {1, 1},
                                           .time = t,
                                           .source = PLAY_PANEL_ADDRESS,
                                           .destination = 1,
                                           .command = GB26875_SEND,
                                           .data = {object, sizeof object}},
                   &b);
    p->tries++;
    p->until_ms = loop_now_ms(p->o.loop) + PLAY_PANEL_WAIT_MS;
    if (tcp_write(p->conn, (struct bytes){(const uint8_t *)b.ptr, b.len})) p->tries = PLAY_PANEL_TRIES; /* it closes */
}

static void on_open(void *arg, struct tcp_conn *conn) {
    struct play_panel *p = arg;
    (void)conn;
    p->is_open = true;
    p->tries = 0;
    if (p->is_owed) report(p);
}

static void answered(struct play_panel *p, const struct gb26875_frame *f) {
    const struct str no_trace = {NULL, 0};
    if (!p->is_owed || f->serial != p->serial) return;
    if (f->command != GB26875_CONFIRM) return; /* a refusal: once more when the time is over */
    p->is_owed = false;
    LOG(p->o.log, LOG_INFO, no_trace, "the demo's fire panel was confirmed", LOG_NUM("tries", p->tries));
}

static void on_bytes(void *arg, struct tcp_conn *conn, struct bytes bytes) {
    struct play_panel *p = arg;
    struct gb26875_frame f;
    struct wire_error wrong;
    size_t at = 0, len = 0;
    if (bytes.len > IN_MAX - p->in_n) {
        tcp_close(conn);
        return;
    }
    memcpy(p->in + p->in_n, bytes.ptr, bytes.len);
    p->in_n += bytes.len;
    while (at < p->in_n) {
        struct bytes rest = {p->in + at, p->in_n - at};
        enum frame what = gb26875_codec.frame(rest, &len);
        if (what == FRAME_SHORT) break;
        if (what == FRAME_WHOLE && gb26875_decode((struct bytes){rest.ptr, len}, &f, &wrong)) answered(p, &f);
        at += len ? len : 1;
    }
    memmove(p->in, p->in + at, p->in_n - at);
    p->in_n -= at;
}

static void on_close(void *arg, struct tcp_conn *conn, enum err why) {
    struct play_panel *p = arg;
    (void)conn;
    (void)why;
    p->conn = NULL;
    p->is_open = false;
    p->in_n = 0;
    p->until_ms = loop_now_ms(p->o.loop) + PLAY_PANEL_WAIT_MS;
}

static void come(struct play_panel *p) {
    struct fault ignored = {0};
    const struct tcp_options to = {.bind = p->address, .port = p->o.port};
    const struct tcp_calls calls = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close, .arg = p};
    if (tcp_connect(p->o.loop, &to, &calls, &p->conn, &ignored))
        p->until_ms = loop_now_ms(p->o.loop) + PLAY_PANEL_WAIT_MS;
}

void play_panel_tick(struct play_panel *p) {
    bool is_due = loop_now_ms(p->o.loop) >= p->until_ms;
    if (p->is_closing || !is_due) return;
    if (!p->conn) {
        come(p);
    } else if (p->is_open && p->is_owed) {
        if (p->tries < PLAY_PANEL_TRIES)
            report(p);
        else
            tcp_drop(p->conn);
    }
}

void play_panel_fire(struct play_panel *p) {
    if (p->is_owed || p->is_closing) return;
    p->is_owed = true;
    p->serial++;
    p->tries = 0;
    if (p->is_open) report(p);
}

struct play_panel *play_panel_create(const struct play_panel_options *options) {
    struct play_panel *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->o = *options;
    snprintf(p->address, sizeof p->address, "%s", options->address);
    return p;
}

void play_panel_close(struct play_panel *p) {
    if (!p) return;
    p->is_closing = true;
    if (p->conn) tcp_close(p->conn);
}

void play_panel_free(struct play_panel *p) {
    free(p);
}
