/* The running server.  SPDX-License-Identifier: Apache-2.0 */
#include "main/server.h"

#include "api/api.h"
#include "main/assets.h"
#include "main/cmd.h"
#include "main/demo/replay.h"
#include "main/modules.h"
#include "main/version.h"
#include "net/static.h"
#include "platform/telemetry/telemetry_http.h"
#include "sensing/feed/feed.h"
#include "sensing/lines/figures.h"
#include "sensing/lines/lines.h"
#include "sensing/mqtt/listener.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_DEFAULT 8080
#define MQTT_DEFAULT 1883 /* IANA: mqtt */
#define CONNECTIONS  6    /* to the store: libuv's four workers, and two for delivery and engines */

struct server {
    struct site site;
    struct site_chunks chunks;
    struct loop *loop;
    struct http_server *http;
    struct api *api;
    struct feed *feed;
    struct telemetry_http *readings;
    struct figures_book *posts; /* of requests with readings */
    struct line_set *lines;
    struct mqtt_listener *mqtt;
    struct api_with with[MODULES_WITH];
    struct replay *replay;
    char readings_dir[640];
};

/* ---- pages ---- */

static bool find_asset(void *arg, struct str path, struct static_file *ret) {
    static const char root[] = "web/dist/";
    (void)arg;
    for (size_t i = 0; i < assets_n; i++) {
        const char *name = assets[i].path;
        if (strncmp(name, root, sizeof root - 1) || !str_is(path, name + sizeof root - 1)) continue;
        *ret = (struct static_file){name + sizeof root - 1,
                                    assets[i].tag,
                                    {(const uint8_t *)assets[i].begin, (size_t)(assets[i].end - assets[i].begin)}};
        return true;
    }
    return false;
}

static void not_found(const struct http_request *req) {
    static const char text[] = "There is no such page.\n";
    struct http_header headers[STATIC_SECURITY_HEADERS + 1] = {{S("Content-Type"), S("text/plain; charset=utf-8")}};
    memcpy(headers + 1, static_security, sizeof static_security);
    http_respond(req, &(struct http_answer){.status = 404,
                                            .headers = headers,
                                            .headers_n = COUNT(headers),
                                            .body = {(const uint8_t *)text, sizeof text - 1},
                                            .body_is_static = true});
}

/* The console is one page: every address without a file's ending is its own to draw. */
static void handle(void *arg, const struct http_request *req) {
    struct server *s = arg;
    if (api_owns(s->api, req->path)) {
        api_handle(s->api, req);
        return;
    }
    struct str path = str_from(req->path, 1);
    if (static_respond(req, path, find_asset, NULL)) return;
    const char *dot = path.len ? memchr(path.ptr, '.', path.len) : NULL;
    if (dot || !static_respond(req, S("index.html"), find_asset, NULL)) not_found(req);
}

static size_t body_cap(void *arg, const struct http_request *req) {
    return api_body_cap(((struct server *)arg)->api, req);
}

/* ---- life ---- */

static void stop(void *arg) {
    loop_stop(((struct server *)arg)->loop);
}

struct preparing {
    struct site *site;
    const struct server_options *options;
};
static enum err prepare(struct ctx *ctx, void *arg) {
    struct preparing *p = arg;
    return p->options->prepare(ctx, p->site, p->options->arg);
}

/* The community whose devices the demo replays: the one with most of them, else the first that is no street. */
static enum err replayed_community(struct ctx *ctx, void *arg) {
    bool found;
    return db_one_i64(
        ctx->db, &ctx->fault,
        "SELECT c.id FROM communities c LEFT JOIN devices d ON d.community_id = c.id GROUP BY c.id ORDER BY "
        "COUNT(d.id) DESC, c.id DESC LIMIT 1",
        NO_VALS, arg, &found);
}

static enum err open_feed(struct server *s, const struct server_options *o, struct fault *f) {
    snprintf(s->readings_dir, sizeof s->readings_dir, "%s/" SITE_READINGS, s->site.dir);
    TRY(site_chunks_open(&s->site, &(struct site_chunks_options){o->chunks, true, o->fresh}, &s->chunks, f));
    TRY(feed_open(&(struct feed_options){.kernel = s->site.kernel,
                                         .pool = s->site.pool,
                                         .loop = s->loop,
                                         .world = &s->site.world,
                                         .io = &s->site.io,
                                         .chunk_io = &s->chunks.io,
                                         .log = &s->site.log,
                                         .dir = s->readings_dir},
                  &s->feed, f));
    return lines_open(&(struct lines_options){.kernel = s->site.kernel,
                                              .pool = s->site.pool,
                                              .loop = s->loop,
                                              .world = &s->site.world,
                                              .log = &s->site.log,
                                              .feed = s->feed,
                                              .bind = o->bind,
                                              .first_port = o->lines_port},
                      &s->lines, f);
}

static void find_fire(void *arg, const char *kind, const char *address, int port, int64_t community_id) {
    int *ret = arg;
    (void)address;
    (void)community_id;
    if (!*ret && !strcmp(kind, "gb26875")) *ret = port;
}

/* The demo's devices come to the listeners from outside, as any would. */
static enum err open_replay(struct server *s, const struct server_options *o, struct fault *f) {
    struct replay_options r = {
        .site = &s->site, .loop = s->loop, .feed = s->feed, .address = o->bind, .mqtt_port = mqtt_port(s->mqtt)};
    TRY(site_do(&s->site, replayed_community, &r.community_id, f));
    lines_each(s->lines, find_fire, &r.lines_port);
    return replay_start(&r, &s->replay, f);
}

/* Lines that are not TCP lines of their own are served by those who are open already. */
static void tell_lines(struct server *s, const struct server_options *o) {
    const char *bind = o->bind ? o->bind : "127.0.0.1";
    struct lines_server http = {.kind = "http", .figures = s->posts};
    struct lines_server mqtt = {
        .kind = "mqtt", .figures = mqtt_line_figures(s->mqtt), .tell = mqtt_tell, .arg = s->mqtt};
    snprintf(http.address, sizeof http.address, "%.45s:%d", bind, http_server_port(s->http));
    snprintf(mqtt.address, sizeof mqtt.address, "%.45s:%d", bind, mqtt_port(s->mqtt));
    lines_served(s->lines, &http);
    lines_served(s->lines, &mqtt);
}

static void told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    struct server *s = arg;
    if (s->lines) lines_told(s->lines, command_id, is_done, answer);
}

static enum err open_mqtt(struct server *s, const struct server_options *o, struct fault *f) {
    return mqtt_open(s->loop,
                     &(struct mqtt_options){.bind = o->bind,
                                            .port = o->mqtt_port < 0 ? MQTT_DEFAULT : o->mqtt_port,
                                            .try_next = o->mqtt_port < 0,
                                            .kernel = s->site.kernel,
                                            .pool = s->site.pool,
                                            .world = &s->site.world,
                                            .feed = s->feed,
                                            .told = told,
                                            .told_arg = s},
                     &s->mqtt, f);
}

static enum err open_all(struct server *s, const struct server_options *o, struct fault *f) {
    TRY(site_open(&s->site, &(struct site_options){o->data, o->db, true, CONNECTIONS, o->fresh}, f));
    if (o->prepare) TRY(site_do(&s->site, prepare, &(struct preparing){&s->site, o}, f));
    enum err e = loop_create(&s->loop);
    if (e) return FAIL(f, e, "loop", "the event loop does not start");
    TRY(open_feed(s, o, f));
    TRY(open_mqtt(s, o, f));
    if (o->replay) TRY(open_replay(s, o, f));
    s->readings = telemetry_http_create(feed_telemetry(s->feed));
    s->posts = line_posts_create();
    if (!s->readings || !s->posts) return FAIL(f, ERR_INTERNAL, "memory", "out of memory");
    telemetry_http_tell(s->readings, line_post, s->posts);
    modules_with(&(struct running){s->readings, s->lines, s->mqtt, s->feed}, s->with);
    TRY(api_create(&(struct api_options){.kernel = s->site.kernel,
                                         .pool = s->site.pool,
                                         .loop = s->loop,
                                         .world = &s->site.world,
                                         .log = &s->site.log,
                                         .version = linli_version(),
                                         .with = s->with,
                                         .with_n = COUNT(s->with)},
                   &s->api, f));
    s->site.wake_arg = s->api;
    s->site.wake = api_wake;
    TRY(http_server_open(s->loop,
                         &(struct http_options){.bind = o->bind,
                                                .port = o->port < 0 ? PORT_DEFAULT : o->port,
                                                .try_next = o->port < 0,
                                                .cert_file = o->cert,
                                                .key_file = o->key,
                                                .world = &s->site.world,
                                                .body_cap = body_cap},
                         handle, s, &s->http, f));
    tell_lines(s, o);
    e = loop_on_stop_signal(s->loop, stop, s);
    if (!e) e = api_start(s->api);
    return e ? FAIL(f, e, "loop", "the server does not start") : OK;
}

static void close_all(struct server *s) {
    if (s->http) http_server_close(s->http);
    replay_stop(s->replay);
    lines_stop(s->lines);
    mqtt_close(s->mqtt);
    s->site.wake = NULL;
    telemetry_http_stop(s->readings);
    api_destroy(s->api);
    telemetry_http_destroy(s->readings);
    feed_stop(s->feed);
    loop_destroy(s->loop);
    lines_free(s->lines);
    mqtt_free(s->mqtt);
    figures_book_destroy(s->posts);
    replay_free(s->replay);
    feed_close(s->feed);
    site_chunks_close(&s->chunks);
    site_close(&s->site);
}

static void print_line(void *arg, const char *kind, const char *address, int port, int64_t community_id) {
    (void)arg;
    (void)port;
    (void)community_id;
    printf("listen %s %s\n", kind, address);
}

int server_run(const char *command, const struct server_options *o) {
    struct server s = {0};
    struct fault f = {0};
    enum err e = open_all(&s, o, &f);
    if (e) {
        site_say(command, &f);
    } else {
        printf("listen mqtt %s:%d\n", o->bind ? o->bind : "127.0.0.1", mqtt_port(s.mqtt));
        lines_each(s.lines, print_line, NULL);
        printf("ready http%s://%s:%d\n", o->cert ? "s" : "", o->bind ? o->bind : "127.0.0.1", http_server_port(s.http));
        fflush(stdout);
        malloc_trim(0); /* what the presets were read with: glibc would keep it for good */
        loop_run(s.loop);
    }
    close_all(&s);
    return e ? EXIT_PROBLEM : EXIT_FINE;
}

/* ---- options ---- */

static bool read_port(const char *text, int *ret) {
    int64_t v;
    if (!text) return true;
    if (!str_to_i64(str_of(text), &v) || v < 0 || v > 65535) return false;
    *ret = (int)v;
    return true;
}

int server_options_read(int argc, char **argv, struct server_options *ret, bool *empty) {
    const char *port = NULL, *mqtt = NULL, *lines = NULL;
    const struct option options[] = {
        {"port", &port, NULL},      {"data", &ret->data, NULL},    {"db", &ret->db, NULL},
        {"bind", &ret->bind, NULL}, {"cert", &ret->cert, NULL},    {"key", &ret->key, NULL},
        {"mqtt", &mqtt, NULL},      {"lines", &lines, NULL},       {"fresh", NULL, &ret->fresh},
        {"empty", NULL, empty},     {"chunks", &ret->chunks, NULL}};
    ret->port = ret->mqtt_port = ret->lines_port = -1;
    int bad = options_read(argc, argv, options, COUNT(options), NULL, NULL, 0);
    if (bad) return bad;
    for (int i = 1; i < argc; i++) /* which word holds the bad number */
        if ((!read_port(port, &ret->port) && argv[i] == port) ||
            (!read_port(mqtt, &ret->mqtt_port) && argv[i] == mqtt) ||
            (!read_port(lines, &ret->lines_port) && argv[i] == lines))
            return i;
    return read_port(port, &ret->port) && read_port(mqtt, &ret->mqtt_port) && read_port(lines, &ret->lines_port) ? 0
                                                                                                                 : 1;
}
