/* Files inside the binary: words catalogues, web pages, demo data.  Listed by cmake/embed.cmake.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_ASSETS_H
#define LINLI_MAIN_ASSETS_H

#include "base/base.h"

struct asset {
    const char *path; /* from the root of the source tree: "web/dist/index.html.br" */
    const char *tag;  /* first 16 hex digits of its SHA-256 */
    const char *begin, *end;
};
extern const struct asset assets[];
extern const size_t assets_n;

#endif
