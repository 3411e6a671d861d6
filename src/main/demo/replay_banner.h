/* What the first page says of the replay: kept true while it runs, when it stands still, and after it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_REPLAY_BANNER_H
#define LINLI_MAIN_DEMO_REPLAY_BANNER_H

#include "main/site.h"

enum replay_state { REPLAY_UNTOLD, REPLAY_RUNS, REPLAY_STANDS, REPLAY_OVER };
NODISCARD enum err replay_banner_put(struct site *site, enum replay_state state, struct fault *f);

#endif
