/* Owns answers of known length: their text, and their way from any thread to the connection.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "net/http_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS        86400000
#define LEFT_US       INT64_C(1000000)
#define HEAD_OVERHEAD 256 /* status line, Date, Content-Length, Connection */

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(int status) {
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "Other";
}

static bool is_line(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || !s.ptr[i]) return false;
    return true;
}

bool http_headers_fit(const struct http_header *headers, size_t headers_n) {
    for (size_t i = 0; i < headers_n; i++)
        if (!headers[i].name.len || !is_line(headers[i].name) || !is_line(headers[i].value)) return false;
    return true;
}

size_t http_head_size(const struct http_header *headers, size_t headers_n) {
    size_t size = HEAD_OVERHEAD;
    for (size_t i = 0; i < headers_n; i++) size += headers[i].name.len + headers[i].value.len + 4;
    return size;
}

/* RFC 9110, 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT */
static void put_date(struct buf *b, int64_t utc_ms) {
    static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t day = utc_ms / DAY_MS - (utc_ms % DAY_MS < 0);
    int32_t second = (int32_t)((utc_ms - day * DAY_MS) / 1000);
    int32_t year, month, of_month;
    civil_from_day(day, &year, &month, &of_month);
    buf_fmt(b, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[civil_weekday(day) - 1], of_month,
            months[month - 1], year, second / 3600, second / 60 % 60, second % 60);
}

void http_put_head(struct buf *b, const struct http_exchange *x, int status, const struct http_header *headers,
                   size_t headers_n) {
    buf_fmt(b, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    if (x->world) put_date(b, x->world->utc_ms(x->world->self));
    for (size_t i = 0; i < headers_n; i++) {
        buf_str(b, headers[i].name);
        buf_cstr(b, ": ");
        buf_str(b, headers[i].value);
        buf_cstr(b, "\r\n");
    }
    if (!x->keep_alive)
        buf_cstr(b, "Connection: close\r\n");
    else if (x->message.is_v10)
        buf_cstr(b, "Connection: keep-alive\r\n");
}

bool http_peer_left(const struct http_request *req, const struct world *world) {
    int64_t left_us = req->left_us ? atomic_load(req->left_us) : 0;
    return left_us && (left_us < 0 || world->mono_us(world->self) - left_us >= LEFT_US);
}

void http_exchange_free(struct http_exchange *x) {
    http_message_finish(&x->message);
    free(x->out);
    free(x);
}

/* On the loop thread: the answer's bytes are ready. */
static void deliver(void *arg) {
    struct http_exchange *x = arg;
    struct http_conn *conn = x->conn;
    bool keep_alive = x->keep_alive;
    if (conn) {
        conn->exchange = NULL;
        if (x->out)
            http_conn_send(conn, (struct bytes){(const uint8_t *)x->out, x->out_len});
        else
            http_conn_close(conn); /* not even memory for a 500 */
        if (x->out_static.len) http_conn_send(conn, x->out_static);
    }
    http_exchange_free(x);
    if (conn) http_conn_next(conn, keep_alive);
}

static void build(struct http_exchange *x, const struct http_answer *answer) {
    bool has_length = answer->status != 204 && answer->status != 304;
    bool has_body = has_length && x->message.request.method != METHOD_HEAD;
    size_t copied = has_body && !answer->body_is_static ? answer->body.len : 0;
    size_t head_size = http_head_size(answer->headers, answer->headers_n);
    x->out = malloc(head_size + copied);
    if (!x->out) return;
    struct buf b;
    buf_init(&b, x->out, head_size);
    http_put_head(&b, x, answer->status, answer->headers, answer->headers_n);
    if (has_length && !answer->is_stream_head) buf_fmt(&b, "Content-Length: %zu\r\n", answer->body.len);
    buf_cstr(&b, "\r\n");
    assert(!b.overflow);
    if (copied) memcpy(x->out + b.len, answer->body.ptr, copied);
    x->out_len = b.len + copied;
    if (has_body && answer->body_is_static) x->out_static = answer->body;
}

void http_respond(const struct http_request *req, const struct http_answer *answer) {
    static const struct http_answer broken = {.status = 500, .close = true};
    struct http_exchange *x = (struct http_exchange *)(uintptr_t)req; /* ours: the handler only borrowed it */
    assert(!x->is_answered && !x->is_stream);
    assert(answer->status >= 200 && answer->status <= 599);
    x->is_answered = true;
    if (!http_headers_fit(answer->headers, answer->headers_n)) answer = &broken;
    if (answer->close) x->keep_alive = false;
    build(x, answer);
    if (!x->out) build(x, &broken);
    if (loop_is_here(x->loop)) {
        deliver(x);
        return;
    }
    x->task = (struct loop_task){.fn = deliver, .arg = x};
    loop_post_task(x->loop, &x->task);
}
