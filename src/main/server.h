/* The running server: one process, one loop, all faces.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SERVER_H
#define LINLI_MAIN_SERVER_H

#include "main/site.h"

struct server_options {
    const char *data, *db, *bind, *cert, *key, *chunks;
    int port, mqtt_port, lines_port; /* -1: the default, moving on when it is held; 0: a free one */
    bool fresh, replay;              /* replay: play the demo's measurements */
    /* Called once before anything listens, as the system; may be NULL. */
    enum err (*prepare)(struct ctx *ctx, struct site *site, void *arg);
    void *arg;
};
/* Serves until SIGTERM or SIGINT.  Prints "listen …" lines and "ready http://…".  Gives the exit code. */
int server_run(const char *command, const struct server_options *options);

/* The options that serve and demo share; gives 0, or the index of a word that is not understood. */
int server_options_read(int argc, char **argv, struct server_options *ret, bool *empty);

#endif
