/* The first administrator of an empty installation.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SECURITY_USERS_FIRST_H
#define LINLI_SECURITY_USERS_FIRST_H

#include "api/api.h"

extern const struct api_route first_routes[2];

#endif
