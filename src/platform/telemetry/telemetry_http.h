/* Readings over HTTP: in as line protocol or JSON, out as points, windows and latest values.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_TELEMETRY_TELEMETRY_HTTP_H
#define LINLI_PLATFORM_TELEMETRY_TELEMETRY_HTTP_H

#include "api/api.h"
#include "platform/telemetry/telemetry.h"

/* Roles "device" and "ingest" beside "admin" may write readings; who reads them, the rights on `devices` say. */
extern const struct module telemetry_module;

/* Routes, health and figures bound to a store, for api_options.with.  `t` NULL: for describing only. */
struct telemetry_http;
struct telemetry_http *telemetry_http_create(struct telemetry *t); /* keeps t; NULL: out of memory */
void telemetry_http_destroy(struct telemetry_http *h);
struct api_with telemetry_http_with(struct telemetry_http *h);

#endif
