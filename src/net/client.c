/* Owns the client on a loop.  SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"

#include "net/client_parse.h"
#include "net/loop_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A connection; outlives the client until libuv has closed it. */
struct link {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct client *client; /* NULL: dropped */
    bool is_connected;
};
struct client {
    struct loop *loop;
    struct client_options options;
    char host[46];
    struct loop_timer *timer;
    struct link *link;
    struct client_parse *parse; /* set: a request is under way */
    char *request;              /* until it is handed to the socket */
    size_t request_len;
    client_done *done;
    void *arg;
};
struct sent {
    uv_write_t write;
    char *bytes;
};

static void link_gone(uv_handle_t *handle) {
    free(handle->data);
}

static void drop_link(struct client *client) {
    if (!client->link) return;
    client->link->client = NULL;
    uv_close((uv_handle_t *)&client->link->tcp, link_gone);
    client->link = NULL;
}

/* Touches the client no more after done: it may have been destroyed, or ask again. */
static void finish(struct client *client, bool is_answered) {
    static const struct client_reply nothing;
    struct client_parse *parse = client->parse;
    if (!parse) { /* an idle connection ended */
        drop_link(client);
        return;
    }
    client->parse = NULL;
    free(client->request);
    client->request = NULL;
    loop_timer_stop(client->timer);
    if (!is_answered || !parse->keep_alive) drop_link(client);
    client->done(client->arg, is_answered ? &parse->reply : &nothing);
    client_parse_destroy(parse);
}

static void on_timeout(void *arg) {
    finish(arg, false);
}

static void on_alloc(uv_handle_t *handle, size_t want, uv_buf_t *ret) {
    struct link *link = handle->data;
    (void)want;
    *ret = link->client ? uv_buf_init(link->client->loop->read, LOOP_READ_SIZE) : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct link *link = stream->data;
    struct client *client = link->client;
    if (!client || n == 0) return;
    if (!client->parse) {
        drop_link(client);
        return;
    }
    enum client_parse_event event =
        n < 0 ? (n == UV_EOF ? client_parse_end(client->parse) : CLIENT_BAD)
              : client_parse_feed(client->parse, (struct bytes){(const uint8_t *)buf->base, (size_t)n});
    if (event != CLIENT_MORE)
        finish(client, event == CLIENT_DONE);
    else if (client->options.on_piece && client->parse->has_headers)
        loop_timer_stop(client->timer);
}

static void on_sent(uv_write_t *write, int status) {
    struct sent *sent = (struct sent *)write;
    struct link *link = write->handle->data;
    free(sent->bytes);
    free(sent);
    if (status && link->client) finish(link->client, false);
}

static void send_now(struct client *client) {
    struct sent *sent = malloc(sizeof(*sent));
    if (!sent) {
        finish(client, false);
        return;
    }
    sent->bytes = client->request;
    uv_buf_t buf = uv_buf_init(client->request, (unsigned)client->request_len);
    if (uv_write(&sent->write, (uv_stream_t *)&client->link->tcp, &buf, 1, on_sent)) {
        free(sent);
        finish(client, false);
        return;
    }
    client->request = NULL; /* on_sent's now */
}

static void on_connected(uv_connect_t *connect, int status) {
    struct link *link = connect->handle->data;
    if (!link->client) return;
    if (status) {
        finish(link->client, false);
        return;
    }
    link->is_connected = true;
    uv_tcp_nodelay(&link->tcp, 1);
    uv_read_start((uv_stream_t *)&link->tcp, on_alloc, on_read);
    send_now(link->client);
}

static enum err dial(struct client *client) {
    struct sockaddr_storage addr;
    if (uv_ip4_addr(client->host, client->options.port, (struct sockaddr_in *)&addr) &&
        uv_ip6_addr(client->host, client->options.port, (struct sockaddr_in6 *)&addr))
        return ERR_INVALID;
    struct link *link = calloc(1, sizeof(*link));
    if (!link) return ERR_INTERNAL;
    uv_tcp_init(&client->loop->uv, &link->tcp);
    link->tcp.data = link;
    link->client = client;
    client->link = link;
    if (!uv_tcp_connect(&link->connect, &link->tcp, (const struct sockaddr *)&addr, on_connected)) return OK;
    drop_link(client);
    return ERR_UNAVAILABLE;
}

enum err client_create(struct loop *loop, const struct client_options *options, struct client **ret) {
    struct client *client = calloc(1, sizeof(*client));
    if (!client) return ERR_INTERNAL;
    *client = (struct client){.loop = loop, .options = *options};
    const char *host = options->host ? options->host : "127.0.0.1";
    (void)snprintf(client->host, sizeof(client->host), "%s", host);
    client->options.host = client->host;
    if (!client->options.timeout_ms) client->options.timeout_ms = 10000;
    if (!client->options.body_max) client->options.body_max = 16 * 1024 * 1024;
    enum err e = loop_timer_create(loop, on_timeout, client, &client->timer);
    if (e) {
        free(client);
        return e;
    }
    *ret = client;
    return OK;
}

enum err client_send(struct client *client, const struct client_ask *ask, client_done *done, void *arg) {
    if (client->parse) return ERR_BUSY;
    client->request = client_request(client->host, client->options.port, ask, &client->request_len);
    client->parse = client_parse_create(!strcmp(ask->method, "HEAD"), client->options.body_max);
    enum err e = client->request && client->parse ? OK : ERR_INTERNAL;
    if (!e && !client->link) e = dial(client);
    if (e) {
        client_parse_destroy(client->parse);
        client->parse = NULL;
        free(client->request);
        client->request = NULL;
        return e;
    }
    client->parse->on_piece = client->options.on_piece;
    client->parse->arg = client->options.arg;
    client->done = done;
    client->arg = arg;
    loop_timer_start(client->timer, client->options.timeout_ms, 0);
    if (client->link->is_connected) send_now(client);
    return OK;
}

bool client_is_busy(const struct client *client) {
    return client->parse != NULL;
}

void client_destroy(struct client *client) {
    if (!client) return;
    drop_link(client);
    client_parse_destroy(client->parse);
    free(client->request);
    loop_timer_destroy(client->timer);
    free(client);
}
