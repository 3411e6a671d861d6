/* Commands of the one program: a table each.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_CMD_H
#define LINLI_MAIN_CMD_H

#include "base/base.h"

enum { EXIT_FINE = 0, EXIT_PROBLEM = 1, EXIT_USAGE = 2 };

struct command {
    const char *name, *summary;
    const char *usage;                 /* whole text of --help behind "linli NAME" */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};
extern const struct command cmd_serve, cmd_demo, cmd_user, cmd_device, cmd_check, cmd_describe, cmd_decode, cmd_encode,
    cmd_ingest, cmd_simulate, cmd_bench;

/* Options as "--name value", "--name=value" or a bare "--flag"; everything else is positional.  Gives the index of the
 * first argument that is not understood, or 0. */
struct option {
    const char *name;   /* without dashes */
    const char **value; /* for options with one */
    bool *flag;         /* for those without */
};
int options_read(int argc, char **argv, const struct option *options, size_t n, const char **ret_rest,
                 size_t *ret_rest_n, size_t rest_max);
int usage_error(const struct command *c, const char *fmt, ...) PRINTF(2, 3); /* says it, gives EXIT_USAGE */

#endif
