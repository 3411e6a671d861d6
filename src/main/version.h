/* The version, once.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_VERSION_H
#define LINLI_MAIN_VERSION_H

const char *linli_version(void);

#endif
