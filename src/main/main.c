/* linli COMMAND: finds the command and runs it.  SPDX-License-Identifier: Apache-2.0 */
#include "main/cmd.h"
#include "main/version.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &cmd_demo,     &cmd_serve,  &cmd_user,   &cmd_device,   &cmd_check, &cmd_ingest,
    &cmd_describe, &cmd_decode, &cmd_encode, &cmd_simulate, &cmd_bench,
};

static void overview(FILE *out) {
    fprintf(out, "linli %s: one program that runs a neighbourhood\n\nlinli COMMAND [options]\n\n", linli_version());
    for (size_t i = 0; i < COUNT(commands); i++) fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\nlinli COMMAND --help says more.  Exit: 0 fine, 1 found a problem, 2 wrong usage.\n");
}

/* Letters that two words share at the same place: enough to guess what was meant. */
static size_t likeness(const char *a, const char *b) {
    size_t n = 0;
    for (size_t i = 0; a[i] && b[i]; i++) n += a[i] == b[i];
    return n;
}

static int unknown(const char *name) {
    const struct command *best = commands[0];
    for (size_t i = 1; i < COUNT(commands); i++)
        if (likeness(name, commands[i]->name) > likeness(name, best->name)) best = commands[i];
    fprintf(stderr, "linli: there is no command %s", name);
    if (likeness(name, best->name) >= 2) fprintf(stderr, "; did you mean %s?", best->name);
    fprintf(stderr, "\nTry: linli help\n");
    return EXIT_USAGE;
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strcmp(name, commands[i]->name)) return commands[i];
    return NULL;
}

static int help(const struct command *c) {
    printf("linli %s: %s\n\n%s", c->name, c->summary, c->usage);
    return EXIT_FINE;
}

int main(int argc, char **argv) {
    if (sodium_init() < 0) {
        fprintf(stderr, "linli: the cryptographic library does not start\n");
        return EXIT_PROBLEM;
    }
    if (argc < 2) {
        overview(stderr);
        return EXIT_USAGE;
    }
    bool wants_help = !strcmp(argv[1], "help");
    if (!strcmp(argv[1], "--help") || (wants_help && argc == 2)) {
        overview(stdout);
        return EXIT_FINE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("linli %s\n", linli_version());
        return EXIT_FINE;
    }
    const char *name = argv[wants_help ? 2 : 1];
    const struct command *c = find(name);
    if (!c) return unknown(name);
    for (int i = 2; i < argc; i++) wants_help |= !strcmp(argv[i], "--help");
    return wants_help ? help(c) : c->run(argc - 1, argv + 1);
}
