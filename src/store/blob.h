/* Bytes kept under their hash: whole and durable, or not there at all.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_STORE_BLOB_H
#define LINLI_STORE_BLOB_H

#include "store/io.h"

struct blobs {
    const struct io *io;
    const char *dir; /* NULL: there are none */
};
#define BLOB_HASH 65 /* SHA-256 in lower-case hex, and its end */

/* Same bytes, same place: kept once.  ERR_UNAVAILABLE: disk_full or store_unavailable, and then nothing of it stays. */
NODISCARD enum err blob_put(const struct blobs *b, struct bytes bytes, char ret_hash[BLOB_HASH], struct fault *f);
/* The `size` bytes that were put.  ERR_CORRUPT when they are others now; ERR_UNAVAILABLE when they cannot be read. */
NODISCARD enum err blob_get(const struct blobs *b, const char *hash, uint8_t *ret, size_t size, struct fault *f);
/* The media type, as the bytes themselves tell: JPEG, PNG, WebP, PDF, text; else application/octet-stream. */
struct str blob_type(struct bytes bytes);

#endif
