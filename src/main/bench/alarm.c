/* linli bench alarm.  SPDX-License-Identifier: Apache-2.0 */
#include "main/bench/bench.h"
static enum err run(const struct bench_options *options, struct figures *ret, struct fault *f) {
    (void)options;
    (void)ret;
    return FAIL(f, ERR_INTERNAL, "todo", "not yet");
}
const struct bench bench_alarm = {"alarm", "x", run};
