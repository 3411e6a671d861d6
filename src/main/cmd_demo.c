/* linli demo: an estate with made-up people, served like any other.  SPDX-License-Identifier: Apache-2.0 */
#include "main/cmd.h"
#include "main/demo/demo.h"
#include "main/server.h"

static int run(int argc, char **argv) {
    struct server_options o = {.prepare = demo_prepare, .replay = true};
    bool empty = false;
    int bad = server_options_read(argc, argv, &o, &empty);
    if (bad) return usage_error(&cmd_demo, "%s is not understood", argv[bad]);
    return server_run("demo", &o);
}

const struct command cmd_demo = {
    .name = "demo",
    .summary = "serves a demo estate on http://127.0.0.1:8080",
    .usage = "linli demo [options]\n\n"
             "  --port N     HTTP port [8080, or the next free one]; 0 takes a free one\n"
             "  --data DIR   data folder [data]\n"
             "  --db URL     records elsewhere: postgres://…\n"
             "  --chunks=store   sealed readings in that PostgreSQL, too [files, or where they are already]\n"
             "  --mqtt N     port for devices over MQTT [1883, or the next free one]\n"
             "  --bind ADDR  address to listen on [127.0.0.1]\n"
             "  --lines N    port of the first TCP line, the rest follow; 0 takes free ones [as the lines say]\n"
             "  --cert FILE --key FILE   TLS\n"
             "  --fresh      forget the demo's data first\n\n"
             "At the first start it makes the estate and an account for each role; passwords are printed and kept in\n"
             "DIR/passwords; LINLI_DEMO_PASSWORD sets one for all.  Those of its devices, which replay measurements\n"
             "over MQTT, are in DIR/device-passwords.\n",
    .run = run,
};
