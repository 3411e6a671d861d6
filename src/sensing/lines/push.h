/* What is pushed over HTTP: one request's way from its body to the answer.  Its routes are among those of lines_with().
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_PUSH_H
#define LINLI_SENSING_LINES_PUSH_H

#include "protocol/codec.h"

#define PUSHES_MAX         64 /* not yet answered; more are refused as busy */
#define PUSHES_OF_LINE     16 /* of them of one line */
#define PUSH_BAD_SIGNATURE "the signature is wrong"
#define PUSH_NO_SECRET     "the line has no secret to check it with"
#define PUSH_TOO_OFTEN     "a line is pushed to at most 100 times a second"
#define PUSHES_A_SECOND    100 /* of one line; more are answered 429, so that who floods one line harms no other */
#define PUSHES_AT_ONCE     200

/* Decodes a body if it is fit to be looked at: not longer than its codec takes, signed with the secret where the codec
 * has signatures.  PUSH_UNSIGNED: refused without looking.  *reterr: the rule. */
enum push_judged { PUSH_GOOD, PUSH_TOO_LONG, PUSH_UNSIGNED, PUSH_BAD, PUSH_FOREIGN, PUSH_STRANGER /* never by this */ };
enum push_judged push_judge(const struct codec *codec, struct bytes body, struct str secret, struct arena *a,
                            struct decoded *ret, struct wire_error *reterr);

#endif
