/* Is it alive, is it ready, and how much does it do: for whoever watches an installation.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LINLI_OPS_HEALTH_H
#define LINLI_OPS_HEALTH_H

#include "api/api.h"

/* /healthz, /readyz and /metrics (Prometheus), of the store, the api and whatever runs beside it (api_options.with). */
extern const struct api_with health_with;

#endif
