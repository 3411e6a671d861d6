/* Fuzzes the HTTP request parser in splits that the first byte chooses: whatever comes, the invariants of an accepted
 * request hold, and the splits do not matter.  SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "net/http_parse.h"

#include <stdlib.h>
#include <string.h>

#define BODY_CAP     512
#define MESSAGES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_parse_limits limits = {4096, 20, 1024};

static void must(bool ok) {
    if (!ok) abort();
}

static bool is_clean(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || !s.ptr[i]) return false;
    return true;
}

static bool has_dots(struct str path) {
    struct str part;
    while (str_cut(&path, '/', &part))
        if (str_is(part, "..")) return true;
    return false;
}

static void check_message(const struct http_message *m) {
    const struct http_request *r = &m->request;
    must((unsigned)r->method < METHOD__COUNT);
    must(r->target.len > 0 && r->target.len <= limits.target_bytes && is_clean(r->target));
    must(str_is(r->path, "*") || str_starts(r->path, S("/")));
    must(utf8_is_valid(r->path) && !has_dots(r->path));
    must(r->headers_n <= limits.headers_max);
    size_t hosts = 0;
    for (size_t i = 0; i < r->headers_n; i++) {
        must(r->headers[i].name.len > 0 && is_clean(r->headers[i].name) && is_clean(r->headers[i].value));
        hosts += r->headers[i].name.len == 4 && !strncmp(r->headers[i].name.ptr, "Host", 4);
    }
    must(hosts <= 1 && (m->is_v10 || http_header_get(r, "host").len > 0));
    must(r->body.len <= BODY_CAP);
    must(!m->is_chunked || m->content_length < 0);
    must(m->is_chunked || r->body.len == (m->content_length > 0 ? (size_t)m->content_length : 0));
}

/* How a stream ended and what was in it, to compare splits. */
struct outcome {
    size_t messages, body_bytes;
    int status;
    uint64_t paths;
};

static void take(struct http_parse *p, struct outcome *o) {
    struct http_message m;
    http_parse_take(p, &m);
    check_message(&m);
    o->messages++;
    o->body_bytes += m.body_len;
    o->paths = o->paths * 31 + str_hash(m.request.path);
    http_message_finish(&m);
}

static bool feed(struct http_parse *p, struct bytes input, struct outcome *o) {
    for (;;) {
        size_t before = input.len;
        enum http_parse_event event = http_parse_feed(p, &input);
        must(input.len <= before);
        switch (event) {
        case PARSE_MORE: must(!input.len); return true;
        case PARSE_HEADERS: http_parse_body_cap(p, BODY_CAP); break;
        case PARSE_DONE: take(p, o); break;
        case PARSE_BAD:
            must(p->status >= 400 && p->status <= 505);
            must(http_parse_feed(p, &input) == PARSE_BAD);
            o->status = p->status;
            return false;
        }
        if (o->messages >= MESSAGES_MAX) return false;
    }
}

static struct outcome run(const uint8_t *data, size_t size, uint32_t seed) {
    struct outcome o = {0};
    struct http_parse p;
    http_parse_init(&p, &limits);
    for (size_t at = 0; at < size;) {
        seed = seed * 1664525 + 1013904223; /* Numerical Recipes' generator: any will do */
        size_t n = 1 + (seed >> 16) % (seed & 0x8000 ? 7 : 300);
        if (n > size - at) n = size - at;
        uint8_t *piece = malloc(n); /* exact, so that reading past it is seen */
        must(piece != NULL);
        memcpy(piece, data + at, n);
        bool goes_on = feed(&p, (struct bytes){piece, n}, &o);
        free(piece);
        if (!goes_on) break;
        at += n;
    }
    http_parse_finish(&p);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    struct outcome a = run(data + 1, size - 1, data[0]), b = run(data + 1, size - 1, data[0] + 1000u);
    must(a.messages == b.messages && a.body_bytes == b.body_bytes && a.status == b.status && a.paths == b.paths);
    return 0;
}
