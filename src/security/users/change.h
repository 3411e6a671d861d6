/* Passwords over HTTP.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SECURITY_USERS_CHANGE_H
#define LINLI_SECURITY_USERS_CHANGE_H

#include "api/api.h"

extern const struct api_route change_routes[2];

#endif
