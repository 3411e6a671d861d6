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
/* Loop thread, after http_server_close, before the api is destroyed and the store closed: ends the live tails. */
void telemetry_http_stop(struct telemetry_http *h);
void telemetry_http_destroy(struct telemetry_http *h);

/* A request with readings, for whoever shows what comes in.  Slices live for the call. */
struct telemetry_post {
    enum telemetry_post_outcome {
        POST_TAKEN,
        POST_REFUSED,
        POST_NOT_STORED /* good, but no store for it now */
    } outcome;
    int64_t at_ms, community_id; /* 0: of none that it may write to */
    struct str peer, user;
    struct str rule; /* what was broken; empty: nothing */
    struct str part; /* the line or item that broke it, else the whole body */
    size_t number;   /* of that line or item, from 1; 0: the whole */
    size_t bytes;    /* of the body; 0 for POST_NOT_STORED, which was told as taken before, or is told again */
};
/* Before the first request.  fn is called by workers and the store's writer. */
void telemetry_http_tell(struct telemetry_http *h, void (*fn)(void *arg, const struct telemetry_post *post), void *arg);
struct api_with telemetry_http_with(struct telemetry_http *h);

#endif
