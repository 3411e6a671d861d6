/* Base64 by libsodium, whose helpers neither allocate nor keep anything.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/base64.h"

#include <sodium.h>

bool base64_read(struct str text, struct buf *out) {
    size_t pads = 0, n = text.len / 4 * 3, got;
    while (pads < 2 && pads < text.len && text.ptr[text.len - 1 - pads] == '=') pads++;
    if (!text.len) return true;
    if (text.len % 4) return false;
    char *mem = buf_take(out, n - pads);
    if (!mem) return false;
    if (!sodium_base642bin((uint8_t *)mem, n - pads, text.ptr, text.len, NULL, &got, NULL,
                           sodium_base64_VARIANT_ORIGINAL))
        return true; /* padded, it has as many bytes as were taken */
    out->len -= n - pads;
    return false;
}

void base64_put(struct buf *out, struct bytes bytes) {
    char four[5];
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        buf_cstr(out, sodium_bin2base64(four, sizeof four, bytes.ptr + i, n, sodium_base64_VARIANT_ORIGINAL));
    }
}
