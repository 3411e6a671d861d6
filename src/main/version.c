/* The version, once.  SPDX-License-Identifier: Apache-2.0 */
#include "main/version.h"

const char *linli_version(void) {
    return LINLI_VERSION;
}
