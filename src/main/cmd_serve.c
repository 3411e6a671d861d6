/* linli serve.  SPDX-License-Identifier: Apache-2.0 */
#include "main/cmd.h"
#include "main/server.h"

static int run(int argc, char **argv) {
    struct server_options o = {0};
    bool empty = false;
    int bad = server_options_read(argc, argv, &o, &empty);
    if (bad) return usage_error(&cmd_serve, "%s is not understood", argv[bad]);
    return server_run("serve", &o);
}

const struct command cmd_serve = {
    .name = "serve",
    .summary = "serves an installation; an empty one asks for its first administrator",
    .usage = "linli serve [options]\n\n"
             "  --port N     HTTP port [8080, or the next free one]; 0 takes a free one\n"
             "  --mqtt N     port of the MQTT listener [1883, or the next free one]; 0 takes a free one\n"
             "  --data DIR   data folder [data]\n"
             "  --db URL     records elsewhere: postgres://…\n"
             "  --chunks=store   sealed readings in that PostgreSQL, too [files, or where they are already]\n"
             "  --bind ADDR  address to listen on [127.0.0.1]\n"
             "  --lines N    port of the first TCP line, the rest follow; 0 takes free ones [as the lines say]\n"
             "  --cert FILE --key FILE   TLS\n"
             "  --fresh      forget the data of this folder first\n",
    .run = run,
};
