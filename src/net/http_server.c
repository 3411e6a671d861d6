/* Owns the HTTP listener, its defaults and the list of its connections.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http_internal.h"

#include <stdlib.h>

static void fill_defaults(struct http_options *o) {
    if (!o->header_bytes) o->header_bytes = 16 * 1024;
    if (!o->headers_max) o->headers_max = 100;
    if (!o->target_bytes) o->target_bytes = 8 * 1024;
    if (!o->body_bytes) o->body_bytes = 1024 * 1024;
    if (!o->connections_max) o->connections_max = 4096;
    if (!o->stream_queue) o->stream_queue = 256 * 1024;
    if (!o->header_ms) o->header_ms = 10000;
    if (!o->body_window_ms) o->body_window_ms = 10000;
    if (!o->body_window_bytes) o->body_window_bytes = 4096;
    if (!o->idle_ms) o->idle_ms = 60000;
    if (!o->write_ms) o->write_ms = 30000;
}

static void server_free(struct http_server *server) {
    if (!server->is_closed || server->guests.n) return;
    tls_server_close(server->tls);
    free(server);
}

void http_server_drop(struct http_server *server, struct http_conn *conn) {
    guests_leave(&server->guests, &conn->wire);
    server_free(server);
}

static void on_connection(void *owner, uv_stream_t *from) {
    http_conn_accept(owner, from);
}

static enum err open_all(struct http_server *server, const struct http_options *options, struct fault *fault) {
    if (!options->cert_file != !options->key_file)
        return FAIL(fault, ERR_INVALID, "certificate", "TLS needs both a certificate and a key");
    if (options->cert_file) TRY(tls_server_open(options->cert_file, options->key_file, &server->tls, fault));
    return wire_listen(server->loop, options->bind, options->port, options->try_next, on_connection, server,
                       &server->listener, fault);
}

enum err http_server_open(struct loop *loop, const struct http_options *options, http_handler *handler, void *arg,
                          struct http_server **ret, struct fault *fault) {
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server) return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    *server = (struct http_server){.loop = loop, .options = *options, .handler = handler, .arg = arg};
    fill_defaults(&server->options);
    server->guests.max = server->options.connections_max;
    server->limits = (struct http_parse_limits){server->options.header_bytes, server->options.headers_max,
                                                server->options.target_bytes};
    enum err e = open_all(server, options, fault);
    if (e) {
        server->is_closed = true;
        server_free(server);
        return e;
    }
    server->options.bind = server->options.cert_file = server->options.key_file = NULL; /* not kept */
    server->port = wire_listener_port(server->listener);
    *ret = server;
    return OK;
}

int http_server_port(const struct http_server *server) {
    return server->port;
}

size_t http_server_connections(const struct http_server *server) {
    return server->guests.n;
}

void http_server_close(struct http_server *server) {
    if (!server || server->is_closed) return;
    server->is_closed = true;
    wire_unlisten(server->listener);
    for (struct wire *w = server->guests.newest; w; w = w->next) http_conn_close((struct http_conn *)w);
    server_free(server);
}
