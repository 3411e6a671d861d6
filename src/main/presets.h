/* What an installation knows before anybody told it anything: device models and kinds of cases, from the files in
 * presets/.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_PRESETS_H
#define LINLI_MAIN_PRESETS_H

#include "kernel/kernel.h"

/* Makes a row for each object of presets/RESOURCE/FILE.json whose code no row has had so far; what people changed or
 * archived stays as it is.  As the system, one transaction.  ERR_INVALID names the file and the code. */
NODISCARD enum err presets_load(struct ctx *ctx, void *unused);

#endif
