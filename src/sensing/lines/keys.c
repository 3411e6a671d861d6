/* Codes that are typed.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/keys.h"

#include <string.h>

bool keys_press(struct keys *k, struct str pressed, int64_t now_ms, char ret[PASSING_CODE_MAX + 1]) {
    bool is_code = false;
    if (now_ms - k->at_ms > KEYS_WITHIN) k->n = 0;
    k->at_ms = now_ms;
    for (size_t i = 0; i < pressed.len; i++) {
        char key = pressed.ptr[i];
        if (key >= '0' && key <= '9') {
            if (k->n < PASSING_CODE_MAX) k->typed[k->n] = key;
            if (k->n <= PASSING_CODE_MAX) k->n++;
            continue;
        }
        if (key == '#' && k->n >= PASSING_CODE_MIN && k->n <= PASSING_CODE_MAX) {
            memcpy(ret, k->typed, k->n);
            ret[k->n] = 0;
            is_code = true;
        }
        k->n = 0;
    }
    if (!k->n) memset(k->typed, 0, sizeof k->typed); /* nobody's business any more */
    return is_code;
}
