/* Sessions: log-in, log-out, me.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SECURITY_USERS_SESSION_H
#define LINLI_SECURITY_USERS_SESSION_H

#include "api/api.h"

extern const char session_ddl[];
extern const struct api_authenticator session_authenticators[1];
extern const struct api_route session_routes[3];

NODISCARD enum err session_end_all(struct ctx *ctx, int64_t user_id);
NODISCARD enum err session_end_others(struct ctx *ctx, int64_t user_id, struct str token);
/* Is it the user's password?  Wrong ones count and lock as at log-in: ERR_TOO_MANY. */
NODISCARD enum err session_prove(struct ctx *ctx, const struct api_call *call, struct str login, struct str password,
                                 bool *ret_ok);
NODISCARD enum err session_prune(struct ctx *ctx);

#endif
