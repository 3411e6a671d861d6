/* linli simulate, where the devices are asked: options in, figures out.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/cmd.h"
#include "main/simulate/simulate.h"
#include "main/simulate/slave.h"

#include <stdio.h>
#include <string.h>

struct asked {
    const char *to, *listen, *serial, *baud, *greeting, *count, *devices, *first, *seed, *faults, *cards, *forms;
    bool json;
    char why[SIM_WHY_MAX];
    struct slave_options o;
};

const struct slave_protocol *slave_find(const char *name) {
    static const struct slave_protocol *const all[] = {&slave_cjt188, &slave_dlt645, &slave_modbus, &slave_modbus_rtu,
                                                       &slave_osdp};
    for (size_t i = 0; i < COUNT(all); i++)
        if (!strcmp(name, all[i]->name)) return all[i];
    return NULL;
}

/* ---- reading what is asked ---- */

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *ret) {
    return !text || (str_to_i64(str_of(text), ret) && *ret >= min && *ret <= max);
}

static const char *read_reach(struct asked *a, int baud) {
    struct slave_options *o = &a->o;
    int64_t port = 0, rate = baud;
    o->reach = a->serial ? SLAVE_SERIAL : a->listen ? SLAVE_LISTEN : SLAVE_DIAL;
    if (!!a->to + !!a->listen + !!a->serial != 1) return "one of --to, --listen and --serial is needed";
    if (!read_number(a->listen, 0, 65535, &port)) return "--listen is no port";
    if (!read_number(a->baud, 1200, 115200, &rate)) return "--baud is no rate of a serial port";
    o->port = (int)port;
    o->baud = (int)rate;
    o->serial = a->serial;
    o->greeting = a->greeting;
    if (a->to && (!sim_address(a->to, 0, false, o->host, &o->port) || !o->port)) return "--to is no ADDRESS:PORT";
    return NULL;
}

static bool are_editions(const char *forms) {
    for (;; forms += 5) {
        bool is_one = !strncmp(forms, "1997", 4) || !strncmp(forms, "2007", 4);
        if (!is_one || (forms[4] && forms[4] != ',')) return false;
        if (!forms[4]) return true;
    }
}

/* What is wrong with what was asked; NULL: nothing. */
static const char *read_asked(struct asked *a, const struct slave_protocol *p) {
    struct slave_options *o = &a->o;
    int64_t devices = 1, seed = 1;
    o->first = p->first;
    const char *wrong = read_reach(a, p->baud);
    if (wrong) return wrong;
    if (!read_number(a->count, 1, INT64_C(100000000), &o->count)) return "--count is no number from 1 to 100000000";
    if (!read_number(a->devices, 1, SLAVE_DEVICES_MAX, &devices)) return "--devices is no number from 1 to 2000";
    if (!read_number(a->seed, 0, INT64_MAX, &seed)) return "--seed is no number";
    if (!read_number(a->first, 1, p->last, &o->first) || o->first + devices - 1 > p->last)
        return "--first and --devices are no addresses of this protocol";
    if (!slave_faults_read(p, a->faults, &o->faults, a->why)) return a->why;
    if (a->cards && p != &slave_osdp) return "--cards are held to readers only";
    if (a->forms && (p != &slave_dlt645 || !are_editions(a->forms)))
        return "--forms is a list of 1997 and 2007, of dlt645 only";
    o->cards = a->cards;
    o->forms = a->forms;
    o->devices = (size_t)devices;
    o->seed = (uint64_t)seed;
    return NULL;
}

/* ---- telling ---- */

static void tell(const struct asked *a, const struct slave_protocol *p, const struct slave_figures *f) {
    char mem[1024];
    struct buf b;
    struct jw j;
    const struct {
        const char *key;
        int64_t value;
    } rows[] = {{"devices", (int64_t)a->o.devices},
                {"connections", f->connections},
                {"heard", f->heard},
                {"answered", f->answered},
                {"refused", f->refused},
                {"ignored", f->ignored},
                {"took_ms", f->took_ms}};
    buf_init(&b, mem, sizeof mem);
    if (a->json) {
        jw_init(&j, &b);
        jw_put(&j, "{'protocol':$", JV(J_CSTR(p->name)));
        for (size_t i = 0; i < COUNT(rows); i++) jw_ki64(&j, rows[i].key, rows[i].value);
        jw_put(&j, "'faults':{", NO_JV);
        for (int i = 0; i < SLAVE_FAULTS; i++)
            if (a->o.faults >> i & 1) jw_ki64(&j, slave_fault_names[i], f->faults[i]);
        jw_put(&j, "}}", NO_JV);
    } else {
        buf_fmt(&b, "%s:", p->name);
        for (size_t i = 0; i < COUNT(rows); i++)
            buf_fmt(&b, "%s %s %lld", i ? "," : "", rows[i].key, (long long)rows[i].value);
        for (int i = 0; i < SLAVE_FAULTS; i++)
            if (f->faults[i]) buf_fmt(&b, "; %s %lld", slave_fault_names[i], (long long)f->faults[i]);
    }
    printf("%s\n", mem);
}

static void listens(int port) {
    printf("listen 127.0.0.1:%d\n", port);
    (void)fflush(stdout);
}

int slave_command(const struct command *c, int argc, char **argv) {
    struct asked a = {.o.listens = listens};
    struct world world = world_real(0);
    struct slave_figures figures = {0};
    struct fault f = {0};
    const char *name = NULL;
    size_t n = 0;
    const struct option options[] = {
        {"to", &a.to, NULL},           {"listen", &a.listen, NULL},     {"serial", &a.serial, NULL},
        {"baud", &a.baud, NULL},       {"greeting", &a.greeting, NULL}, {"count", &a.count, NULL},
        {"devices", &a.devices, NULL}, {"first", &a.first, NULL},       {"seed", &a.seed, NULL},
        {"faults", &a.faults, NULL},   {"cards", &a.cards, NULL},       {"forms", &a.forms, NULL},
        {"json", NULL, &a.json}};
    int bad = options_read(argc, argv, options, COUNT(options), &name, &n, 1);
    const struct slave_protocol *p = n ? slave_find(name) : NULL;
    if (bad || !p) return usage_error(c, "%s is not understood", argv[bad ? bad : 1]);
    const char *wrong = read_asked(&a, p);
    if (wrong) return usage_error(c, "%s", wrong);
    a.o.world = &world;
    enum err e = slave_run(p, &a.o, &figures, &f);
    if (e) fprintf(stderr, "linli simulate: %s\n", f.text);
    tell(&a, p, &figures);
    return e ? EXIT_PROBLEM : EXIT_FINE;
}
