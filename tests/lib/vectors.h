/* Vectors of a protocol's sheet against its codec: split, decoded, shown, made again the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_VECTORS_H
#define LINLI_TESTS_LIB_VECTORS_H

#include "protocol/codec.h"
#include "tests/lib/test.h"

struct vector {
    const char *name, *hex, *text; /* one of the two: the bytes */
    const char *rule;              /* of one that is refused: how the rule begins; NULL: it is right */
    size_t at;                     /* and the byte */
    const char *json;              /* what is part of the frame as JSON; NULL: nothing is asked of it */
    /* Readings "metric=value unit" and events "!code" or "-code" (over), each with a blank behind it. */
    const char *said;
    const char *device;
    const char *passes; /* "card 8065495 ": kind and value of who wants through, each with a blank behind it */
};
/* Each that is right is found in a stream, where its carrier is one: whole, in pieces, behind and before other bytes;
 * it decodes the same twice, and make() gives the same bytes for what show() wrote.  Each that is wrong is refused and
 * is no frame of a stream. */
void vectors_check(struct t *t, const struct codec *codec, const struct vector *rows, size_t n);
/* Bytes of a row; in the test's arena. */
struct bytes vector_bytes(struct t *t, const char *hex);
struct bytes vector_bytes_of(const char *text);

#endif
