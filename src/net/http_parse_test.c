/* Strict framing, without sockets: every row in every split.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_parse.h"
#include "net/http_rows.h"
#include "tests/lib/test.h"

#include <stdlib.h>
#include <string.h>

static const struct http_parse_limits limits = {1024, 10, 200};
#define BODY_CAP 64

/* Feeds pieces until the first message is done or refused; 0 done, -1 not complete, else the status. */
static int run(struct str bytes, size_t first, size_t step, struct http_message *ret) {
    struct http_parse p;
    http_parse_init(&p, &limits);
    int result = -1;
    for (size_t at = 0; at < bytes.len && result < 0;) {
        size_t n = at ? step : first;
        if (n > bytes.len - at) n = bytes.len - at;
        /* On the heap in its exact size: reading past a piece is seen. */
        uint8_t *piece = malloc(n);
        memcpy(piece, bytes.ptr + at, n);
        struct bytes input = {piece, n};
        enum http_parse_event event = http_parse_feed(&p, &input);
        if (event == PARSE_HEADERS) {
            http_parse_body_cap(&p, BODY_CAP);
            event = http_parse_feed(&p, &input);
        }
        if (event == PARSE_BAD) result = p.status;
        if (event == PARSE_DONE) result = 0;
        free(piece);
        at += n;
    }
    if (!result && ret) http_parse_take(&p, ret);
    http_parse_finish(&p);
    return result;
}

static void each_row_is_read_the_same_in_every_split(struct t *t) {
    for (size_t i = 0; i < COUNT(http_rows); i++) {
        const struct http_row *row = &http_rows[i];
        for (size_t first = 1; first <= row->bytes.len; first++) {
            int got = run(row->bytes, first, row->bytes.len, NULL);
            CHECK_SAY(t, got == row->status, "%s, split at %zu: %d, not %d", row->why, first, got, row->status);
        }
        int got = run(row->bytes, 1, 1, NULL);
        CHECK_SAY(t, got == row->status, "%s, byte by byte: %d, not %d", row->why, got, row->status);
    }
}

static void request_is_taken_apart(struct t *t) {
    struct http_message m = {0};
    int got = run(S("POST /a%20b/%E9%82%BB?x=1&y=a%2Bb+c HTTP/1.1\r\nHost: h:80\r\nX-One:  v \r\nTransfer-Encoding: "
                    "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
                  7, 5, &m);
    const struct http_request *r = &m.request;
    CHECK(t, got == 0);
    CHECK(t, r->method == METHOD_POST);
    CHECK(t, str_is(r->path, "/a b/\xE9\x82\xBB"));
    CHECK(t, str_is(r->query, "x=1&y=a%2Bb+c"));
    CHECK(t, str_is(http_header_get(r, "x-ONE"), "v"));
    CHECK(t, !http_header_get(r, "x-two").ptr);
    CHECK(t, r->body.len == 5 && !memcmp(r->body.ptr, "hello", 5));
    struct str value;
    CHECK(t, http_query_get(r->query, "y", &t->arena, &value) && str_is(value, "a+b c"));
    CHECK(t, !http_query_get(r->query, "z", &t->arena, &value) && !value.ptr);
    CHECK(t, !http_query_get(S("q=%FF"), "q", &t->arena, &value) && value.ptr);
    http_message_finish(&m);
}

static void the_host_of_an_absolute_target_counts(struct t *t) {
    static const struct {
        struct str bytes;
        const char *path, *query, *host;
    } rows[] = {
        {S("GET http://b:80/c/d?e=f HTTP/1.1\r\nHost: a\r\n\r\n"), "/c/d", "e=f", "b:80"},
        {S("GET https://b?e HTTP/1.1\r\nHost: a\r\n\r\n"), "/", "e", "b"},
        {S("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"), "/", "", "b"},
        {S("GET /c HTTP/1.1\r\nHost: a\r\n\r\n"), "/c", "", "a"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_message m = {0};
        CHECK(t, run(rows[i].bytes, 3, 7, &m) == 0);
        CHECK_SAY(t,
                  str_is(m.request.path, rows[i].path) && str_is(m.request.query, rows[i].query) &&
                      str_is(http_header_get(&m.request, "host"), rows[i].host),
                  "row %zu: " STR_FMT, i, STR_ARG(m.request.path));
        http_message_finish(&m);
    }
}

static void keep_alive_follows_version_and_connection(struct t *t) {
    static const struct {
        struct str bytes;
        bool keep_alive;
    } rows[] = {
        {S("GET /" H11 "\r\n"), true},
        {S("GET /" H11 "Connection: close\r\n\r\n"), false},
        {S("GET /" H11 "Connection: x, Close\r\n\r\n"), false},
        {S("GET /" H11 "Connection: keep-alive\r\nConnection: close\r\n\r\n"), false},
        {S("GET / HTTP/1.0\r\n\r\n"), false},
        {S("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_message m = {0};
        CHECK(t, run(rows[i].bytes, 1, 99, &m) == 0);
        CHECK_SAY(t, m.keep_alive == rows[i].keep_alive, "row %zu", i);
        http_message_finish(&m);
    }
}

/* HEAD, then `n` times `c`, then TAIL. */
static int run_long(struct t *t, const char *head, size_t n, char c, const char *tail) {
    struct buf b;
    struct str bytes = {0};
    buf_init_arena(&b, &t->arena, 65536);
    buf_cstr(&b, head);
    for (size_t i = 0; i < n; i++) buf_char(&b, c);
    buf_cstr(&b, tail);
    CHECK(t, buf_done(&b, &bytes));
    return run(bytes, 50, 50, NULL);
}

static void limits_hold_below_at_and_above(struct t *t) {
    static const char end[] = " HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(t, run_long(t, "GET /", 198, 'a', end) == 0);
    CHECK(t, run_long(t, "GET /", 199, 'a', end) == 0);
    CHECK(t, run_long(t, "GET /", 200, 'a', end) == 414);
    CHECK(t, run_long(t, "GET /", 5000, 'a', end) == 414);
    /* 24 bytes of request line and Host, 3 of "X: ", 4 of line ends */
    static const char line[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    size_t rest = 1024 - (sizeof(line) - 1) - 4;
    CHECK(t, run_long(t, line, rest - 1, 'a', "\r\n\r\n") == 0);
    CHECK(t, run_long(t, line, rest, 'a', "\r\n\r\n") == 0);
    CHECK(t, run_long(t, line, rest + 1, 'a', "\r\n\r\n") == 431);
    CHECK(t, run_long(t, line, 20000, 'a', "") == 431);
#define X3 "X: a\r\nX: a\r\nX: a\r\n"
    CHECK(t, run(GET(X3 X3 X3), 9, 9, NULL) == 0);
    CHECK(t, run(GET(X3 X3 X3 "X: a\r\n"), 9, 9, NULL) == 431);
}

static void body_is_capped_by_length_and_by_chunks(struct t *t) {
    static const char by_length[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    CHECK(t, run_long(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n", 64, 'b', "") == 0);
    CHECK(t, run_long(t, by_length, 0, 'b', "65\r\n\r\n") == 413);
    CHECK(t, run_long(t, by_length, 0, 'b', "9000000000000000000\r\n\r\n") == 413);
    static const char chunked[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n"
                                  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n";
    struct buf b;
    struct str head = {0};
    buf_init_arena(&b, &t->arena, 1024);
    buf_fmt(&b, "%s20\r\n", chunked);
    CHECK(t, buf_done(&b, &head));
    CHECK(t, run_long(t, head.ptr, 32, 'b', "\r\n0\r\n\r\n") == 0);
    buf_init_arena(&b, &t->arena, 1024);
    buf_fmt(&b, "%s21\r\n", chunked);
    CHECK(t, buf_done(&b, &head));
    CHECK(t, run_long(t, head.ptr, 33, 'b', "\r\n0\r\n\r\n") == 413);
    CHECK(t, run_long(t, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", 900, 'e',
                      "\r\nb\r\n0\r\n\r\n") == 0);
    CHECK(t, run_long(t, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", 1200, 'e',
                      "\r\nb\r\n0\r\n\r\n") == 400);
}

TESTS(CASE(each_row_is_read_the_same_in_every_split), CASE(request_is_taken_apart),
      CASE(the_host_of_an_absolute_target_counts), CASE(keep_alive_follows_version_and_connection),
      CASE(limits_hold_below_at_and_above), CASE(body_is_capped_by_length_and_by_chunks))
