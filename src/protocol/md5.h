/* MD5 (RFC 1321), which platforms still sign with; no digest to trust anew.  Our own: libsodium has none, and OpenSSL's
 * allocates and may be set up to refuse it.  Pure.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_MD5_H
#define LINLI_PROTOCOL_MD5_H

#include "base/base.h"

#define MD5_BYTES 16

struct md5 {
    uint32_t state[4];
    uint64_t len;
    uint8_t block[64];
};
void md5_init(struct md5 *m);
void md5_add(struct md5 *m, struct bytes bytes);
void md5_end(struct md5 *m, uint8_t ret[MD5_BYTES]);

#endif
