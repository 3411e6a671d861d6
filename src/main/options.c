/* Reading of command lines.  SPDX-License-Identifier: Apache-2.0 */
#include "main/cmd.h"

#include <stdio.h>
#include <string.h>

static bool take(const struct option *o, const char *arg, char **next, int *ret_used) {
    size_t n = strlen(o->name);
    if (strncmp(arg, "--", 2) || strncmp(arg + 2, o->name, n)) return false;
    const char *rest = arg + 2 + n;
    *ret_used = 1;
    if (o->flag && !*rest) {
        *o->flag = true;
        return true;
    }
    if (!o->value) return false;
    if (*rest == '=') {
        *o->value = rest + 1;
        return true;
    }
    if (*rest || !next) return false;
    *o->value = *next;
    *ret_used = 2;
    return true;
}

int options_read(int argc, char **argv, const struct option *options, size_t n, const char **ret_rest,
                 size_t *ret_rest_n, size_t rest_max) {
    size_t rest = 0;
    for (int i = 1; i < argc;) {
        int used = 0;
        for (size_t o = 0; o < n && !used; o++)
            if (!take(&options[o], argv[i], i + 1 < argc ? &argv[i + 1] : NULL, &used)) used = 0;
        if (!used && strncmp(argv[i], "--", 2) && rest < rest_max) {
            ret_rest[rest++] = argv[i];
            used = 1;
        }
        if (!used) return i;
        i += used;
    }
    if (ret_rest_n) *ret_rest_n = rest;
    return 0;
}

int usage_error(const struct command *c, const char *fmt, ...) {
    va_list args;
    fprintf(stderr, "linli %s: ", c->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry: linli %s --help\n", c->name);
    return EXIT_USAGE;
}
