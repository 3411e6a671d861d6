/* Codes that are typed: a reader says what was pressed since it was asked last, so one comes in pieces.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_KEYS_H
#define LINLI_SENSING_LINES_KEYS_H

#include "protocol/codec.h"

#define KEYS_WITHIN 10000 /* ms between two reports: after that somebody else begins */

struct keys { /* zero: nothing is typed */
    char typed[PASSING_CODE_MAX + 1];
    size_t n; /* over PASSING_CODE_MAX: too many, until it ends */
    int64_t at_ms;
};
/* What is pressed next: digits, * which begins anew, # which ends.  True: a code ended in it, the last one is in `ret`.
 * now_ms: of a clock that never goes back. */
bool keys_press(struct keys *k, struct str pressed, int64_t now_ms, char ret[PASSING_CODE_MAX + 1]);

#endif
