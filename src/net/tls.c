/* Owns OpenSSL: contexts, connections over memory BIOs.  SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_server {
    SSL_CTX *ctx;
};
struct tls {
    SSL *ssl; /* owns both BIOs */
    BIO *in, *out;
};

static int choose_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *in,
                       unsigned in_len, void *arg) {
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl, (void)arg;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

enum err tls_server_open(const char *cert_file, const char *key_file, struct tls_server **ret, struct fault *fault) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) return FAIL(fault, ERR_INTERNAL, "tls", "TLS could not be set up");
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle connection gives its 34 KiB back */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        SSL_CTX_free(ctx);
        return FAIL(fault, ERR_INVALID, "certificate", "the TLS certificate and key cannot be read or do not match");
    }
    struct tls_server *server = malloc(sizeof(*server));
    if (!server) {
        SSL_CTX_free(ctx);
        return FAIL(fault, ERR_INTERNAL, "memory", "out of memory");
    }
    server->ctx = ctx;
    *ret = server;
    return OK;
}

void tls_server_close(struct tls_server *server) {
    if (!server) return;
    SSL_CTX_free(server->ctx);
    free(server);
}

struct tls *tls_create(struct tls_server *server) {
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls) return NULL;
    tls->ssl = SSL_new(server->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    BIO_set_mem_eof_return(tls->in, -1);
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_destroy(struct tls *tls) {
    if (!tls) return;
    SSL_free(tls->ssl);
    free(tls);
}

bool tls_feed(struct tls *tls, struct bytes cipher) {
    return BIO_write(tls->in, cipher.ptr, (int)cipher.len) == (int)cipher.len;
}

int tls_read(struct tls *tls, void *mem, int size) {
    ERR_clear_error();
    int n = SSL_read(tls->ssl, mem, size);
    if (n > 0) return n;
    int why = SSL_get_error(tls->ssl, n);
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return 0;
    return why == SSL_ERROR_ZERO_RETURN ? -2 : -1;
}

bool tls_write(struct tls *tls, struct bytes plain) {
    ERR_clear_error();
    size_t written = 0; /* a memory BIO takes all */
    bool ok = !plain.len || (SSL_write_ex(tls->ssl, plain.ptr, plain.len, &written) == 1 && written == plain.len);
    ERR_clear_error();
    return ok;
}

struct bytes tls_out(struct tls *tls) {
    char *ptr = NULL;
    long len = BIO_get_mem_data(tls->out, &ptr);
    return (struct bytes){(const uint8_t *)ptr, len > 0 ? (size_t)len : 0};
}

void tls_out_done(struct tls *tls) {
    (void)BIO_reset(tls->out);
}

void tls_bye(struct tls *tls) {
    if (SSL_is_init_finished(tls->ssl)) (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}
