/* What the files of passes share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_PASSES_PASSES_INTERNAL_H
#define LINLI_PLATFORM_PASSES_PASSES_INTERNAL_H

#include "platform/passes/passes.h"

#define PASS_WORDS       "given unknown elsewhere early over hours unsure late paused nowhere" /* by enum pass_why */
#define PASS_KINDS       "plate card code face" /* by enum passing_kind */
#define PASS_SURE        "passes.sure_pct"
#define PASS_LATE_AFTER  "passes.late_s"
#define PASS_WRONG_CODES "passes.wrong_codes"
#define PASS_PAUSE       "passes.pause_min"
#define PASS_KEPT        "passes.kept_days"

/* kept.c: a job; passages that are older than their community keeps them are gone. */
NODISCARD enum err passages_erase_old(struct ctx *ctx);

#endif
