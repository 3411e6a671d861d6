/* Whose a token is.  SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

const struct point authenticators = {"authenticators", sizeof(struct api_authenticator)};

struct ask {
    struct ctx *ctx;
    struct str token;
    struct api_identity *ret;
};

static enum err ask_one(void *arg, const void *row) {
    const struct api_authenticator *a = row;
    struct ask *ask = arg;
    return ask->ret->is_known ? OK : a->identify(ask->ctx, ask->token, ask->ret);
}

enum err api_identify(struct ctx *ctx, struct str token, struct api_identity *ret) {
    struct ask ask = {ctx, token, ret};
    *ret = (struct api_identity){0};
    if (!token.len || token.len > 512) return OK;
    TRY(kernel_each(ctx->kernel, &authenticators, ask_one, &ask));
    if (!ret->is_known) ctx->actor = (struct actor){0};
    return OK;
}
