/* Fuzzes Cayenne LPP: what is taken has finite values, the first of the first channel; a byte less of it is none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/lorawan/cayenne.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cayenne_value v[CAYENNE_VALUES_MAX];
    size_t n = 0;
    if (!cayenne_read((struct bytes){data, size}, v, &n)) return 0;
    must(n && n <= CAYENNE_VALUES_MAX && 5 * n <= 3 * size /* three of a colour in five bytes */);
    for (size_t i = 0; i < n; i++) must(isfinite(v[i].value) && v[i].name && v[i].unit);
    must(v[0].channel == data[0]);
    must(!cayenne_read((struct bytes){data, size - 1}, v, &n));
    return 0;
}
