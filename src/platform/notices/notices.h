/* Notices in the app: who should know, and whether he has seen it.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_NOTICES_NOTICES_H
#define LINLI_PLATFORM_NOTICES_NOTICES_H

#include "kernel/kernel.h"

struct notice {
    struct row row;
    struct str title, text;
    int64_t person_id, about_id, seen_ms;
    int32_t state;
};
extern const struct resource notices;
extern const struct module notices_module;

#endif
