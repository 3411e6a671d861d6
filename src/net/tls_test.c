/* TLS with a certificate made here.  SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"
#include "net/http_rows.h"
#include "net/testing.h"
#include "tests/lib/test.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define BIG (3 * 1024 * 1024)

struct fixture {
    struct test_loop tl;
    struct http_server *server;
    int port;
    char cert[512], key[512];
    uint8_t *big;
};

static bool write_pem(const char *path, X509 *cert, EVP_PKEY *key) {
    FILE *file = fopen(path, "w");
    if (!file) return false;
    bool ok = cert ? PEM_write_X509(file, cert) == 1 : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    return !fclose(file) && ok;
}

static bool make_certificate(const char *cert_file, const char *key_file) {
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *cert = X509_new();
    bool ok = key && cert && X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
              X509_gmtime_adj(X509_getm_notBefore(cert), 0) && X509_gmtime_adj(X509_getm_notAfter(cert), 3600) &&
              X509_set_pubkey(cert, key);
    X509_NAME *name = ok ? X509_get_subject_name(cert) : NULL;
    ok = ok && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0) &&
         X509_set_issuer_name(cert, name) && X509_sign(cert, key, EVP_sha256()) && write_pem(cert_file, cert, NULL) &&
         write_pem(key_file, NULL, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

static void handle(void *arg, const struct http_request *req) {
    struct fixture *f = arg;
    bool is_big = str_is(req->path, "/big");
    struct http_answer answer = {.status = req->is_tls ? 200 : 500, .body = req->body};
    if (is_big) answer.body = (struct bytes){f->big, BIG};
    http_respond(req, &answer);
}

static void start(struct t *t, struct fixture *f) {
    *f = (struct fixture){.big = calloc(1, BIG)};
    (void)snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", test_dir(t));
    (void)snprintf(f->key, sizeof(f->key), "%s/key.pem", test_dir(t));
    CHECK(t, make_certificate(f->cert, f->key));
    struct http_options options = {.cert_file = f->cert, .key_file = f->key, .header_ms = 2000};
    CHECK(t, !loop_create(&f->tl.loop));
    CHECK(t, !http_server_open(f->tl.loop, &options, handle, f, &f->server, &t->fault));
    f->port = http_server_port(f->server);
    test_loop_start(&f->tl);
}

static void close_server(void *arg) {
    struct fixture *f = arg;
    http_server_close(f->server);
}

static void stop(struct fixture *f) {
    test_loop_end(&f->tl, close_server, f);
    free(f->big);
}

static SSL *handshake(int fd, SSL_CTX *ctx) {
    SSL *ssl = SSL_new(ctx);
    if (ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1) return ssl;
    SSL_free(ssl);
    return NULL;
}

/* The beginning goes to mem as text, the rest is only counted. */
static size_t read_all(SSL *ssl, char *mem, size_t size) {
    size_t total = 0;
    char piece[16384];
    for (int n; (n = SSL_read(ssl, piece, sizeof(piece))) > 0; total += (size_t)n) {
        size_t room = total < size - 1 ? size - 1 - total : 0, kept = (size_t)n < room ? (size_t)n : room;
        memcpy(mem + (room ? total : 0), piece, kept);
        if (room) mem[total + kept] = 0;
    }
    return total;
}

static void requests_pass_through_each_allowed_version(struct t *t) {
    static const struct {
        int version;
        bool ok;
    } rows[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    struct fixture f;
    char got[4096];
    start(t, &f);
    for (size_t i = 0; i < COUNT(rows); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, rows[i].version);
        SSL_CTX_set_max_proto_version(ctx, rows[i].version);
        int fd = peer_dial(f.port);
        SSL *ssl = handshake(fd, ctx);
        CHECK_SAY(t, (ssl != NULL) == rows[i].ok, "version %x", (unsigned)rows[i].version);
        static const char ask[] =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /big HTTP/1.1\r\nHost: "
            "a\r\nConnection: close\r\n\r\n";
        if (ssl) {
            CHECK(t, SSL_write(ssl, ask, sizeof(ask) - 1) == sizeof(ask) - 1);
            size_t total = read_all(ssl, got, sizeof(got));
            CHECK_SAY(t, total > BIG, "%zu bytes", total);
            CHECK(t, strstr(got, "\r\n\r\nhelloHTTP/1.1 200 OK") != NULL);
            CHECK(t, SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN); /* the end is said, not cut */
        }
        SSL_free(ssl);
        SSL_CTX_free(ctx);
        close(fd);
    }
    stop(&f);
}

static void plain_text_is_refused(struct t *t) {
    struct fixture f;
    char got[4096];
    start(t, &f);
    int fd = peer_dial(f.port);
    peer_send(fd, GET(""));
    CHECK(t, peer_read(fd, got, sizeof(got), NULL) && peer_status(got) == 0);
    close(fd);
    stop(&f);
}

static void bad_certificate_files_are_refused(struct t *t) {
    struct fixture f;
    start(t, &f);
    struct http_server *server;
    struct http_options rows[] = {
        {.cert_file = f.cert},
        {.key_file = f.key},
        {.cert_file = f.key, .key_file = f.key},
        {.cert_file = f.cert, .key_file = f.cert},
        {.cert_file = "/nonexistent", .key_file = f.key},
    };
    struct loop *loop;
    CHECK(t, !loop_create(&loop));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault fault = {0};
        CHECK_SAY(t, http_server_open(loop, &rows[i], handle, &f, &server, &fault) == ERR_INVALID, "row %zu", i);
        CHECK(t, !strcmp(fault.code, "certificate"));
    }
    loop_destroy(loop);
    stop(&f);
}

TESTS(CASE(requests_pass_through_each_allowed_version), CASE(plain_text_is_refused),
      CASE(bad_certificate_files_are_refused))
