/* TLS 1.2+ over memory: bytes of the wire in, plain bytes out, and back.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_NET_TLS_H
#define LINLI_NET_TLS_H

#include "base/base.h"
#include "base/err.h"

struct tls_server; /* certificate and key */
struct tls;        /* one connection */

NODISCARD enum err tls_server_open(const char *cert_file, const char *key_file, struct tls_server **ret,
                                   struct fault *fault);
void tls_server_close(struct tls_server *server);
struct tls *tls_create(struct tls_server *server); /* NULL: out of memory */
void tls_destroy(struct tls *tls);

/* Puts bytes of the peer in; the queue inside is bounded by what one read delivers, because tls_read is called until
 * it gives nothing. */
NODISCARD bool tls_feed(struct tls *tls, struct bytes cipher);
/* Plain bytes: > 0 count, 0 none now, -1 broken, -2 the peer said goodbye. */
int tls_read(struct tls *tls, void *mem, int size);
NODISCARD bool tls_write(struct tls *tls, struct bytes plain); /* after the handshake; whole or broken */
struct bytes tls_out(struct tls *tls);                         /* bytes for the peer; valid until tls_out_done */
void tls_out_done(struct tls *tls);
void tls_bye(struct tls *tls);

#endif
