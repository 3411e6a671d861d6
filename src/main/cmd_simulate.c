/* linli simulate: devices of the field, played against any server.  SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "main/cmd.h"
#include "main/simulate/simulate.h"
#include "main/simulate/slave.h"
#include "protocol/bacnet/bacnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREDENTIALS_BYTES ((size_t)1 << 20)

static const struct sim_protocol *const protocols[] = {
    &sim_bacnet,        &sim_chirpstack, &sim_ctwing, &sim_door,  &sim_esphome,    &sim_gb26875, &sim_hj212,
    &sim_homeassistant, &sim_itsapi,     &sim_jt808,  &sim_lift,  &sim_mqtt,       &sim_onenet,  &sim_sparkplug,
    &sim_tasmota,       &sim_ttn,        &sim_vz,     &sim_watch, &sim_zigbee2mqtt};

struct asked {
    const char *to, *count, *rate, *devices, *seed, *faults, *first, *text, *user, *password, *topic, *credentials,
        *metrics, *key, *secret, *plates, *cards, *forms;
    bool json;
    char why[SIM_WHY_MAX];
    struct sim_options o;
    struct sim_credential keys[SIM_DEVICES_MAX];
    struct sim_metric values[SIM_METRICS_MAX];
    struct arena arena;
};

/* ---- reading what is asked ---- */

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *ret) {
    return !text || (str_to_i64(str_of(text), ret) && *ret >= min && *ret <= max);
}

/* Each is one of the protocol's. */
static bool read_forms(struct asked *a, const char *possible) {
    struct str rest = str_of(a->forms), word, all, one;
    a->o.forms = a->forms;
    while (str_cut(&rest, ',', &word)) {
        bool is_there = false;
        for (all = str_of(possible); !is_there && str_cut(&all, ',', &one);) is_there = str_eq(one, word);
        if (!is_there) return false;
    }
    return true;
}

static bool read_metrics(struct asked *a) { /* name:low:high,… */
    struct str rest = str_of(a->metrics ? a->metrics : "temperature:18:26,humidity:40:60"), one, low, high;
    while (str_cut(&rest, ',', &one)) {
        struct sim_metric *m = &a->values[a->o.metrics_n];
        if (a->o.metrics_n == SIM_METRICS_MAX || !str_cut(&one, ':', &m->name) || !m->name.len) return false;
        if (!str_cut(&one, ':', &low) || !str_cut(&one, ':', &high)) return false;
        if (!str_to_f64(low, &m->low) || !str_to_f64(high, &m->high) || m->high < m->low) return false;
        a->o.metrics_n++;
    }
    a->o.metrics = a->values;
    return a->o.metrics_n > 0;
}

static bool keep(struct asked *a, const json_t *v, const char *key, struct str *ret) {
    struct str s = json_text(json_object_get(v, key));
    return s.len && arena_str(&a->arena, s, ret);
}

/* One line of what `linli device add --json` prints. */
static bool read_key(struct asked *a, struct str line, struct sim_credential *ret) {
    json_t *v = NULL;
    struct fault f = {0};
    struct str device, community;
    struct buf b;
    if (json_read(line, &v, &f)) return false;
    bool ok = keep(a, v, "username", &ret->user) && keep(a, v, "password", &ret->password) &&
              keep(a, v, "device", &device) && keep(a, v, "community", &community);
    json_decref(v);
    if (!ok) return false;
    buf_init_arena(&b, &a->arena, 512);
    buf_fmt(&b, "linli/" STR_FMT "/" STR_FMT "/telemetry", STR_ARG(community), STR_ARG(device));
    return buf_done(&b, &ret->topic);
}

static bool read_keys(struct asked *a, size_t *ret_n) {
    *ret_n = 0;
    if (!a->credentials) {
        for (size_t i = 0; i < SIM_DEVICES_MAX; i++)
            a->keys[i] = (struct sim_credential){str_of(a->user), str_of(a->password), str_of(a->topic)};
        *ret_n = a->user && a->password && a->topic ? 1 : 0;
        return true;
    }
    char *text = arena_alloc(&a->arena, CREDENTIALS_BYTES, 1, 1);
    FILE *in = text ? fopen(a->credentials, "rb") : NULL;
    if (!in) return false;
    struct str rest = {text, fread(text, 1, CREDENTIALS_BYTES, in)}, line;
    bool ok = rest.len < CREDENTIALS_BYTES && !ferror(in);
    fclose(in);
    while (ok && str_cut(&rest, '\n', &line)) {
        if (!str_trim(line).len) continue;
        ok = *ret_n < SIM_DEVICES_MAX && read_key(a, str_trim(line), &a->keys[*ret_n]);
        *ret_n += ok;
    }
    return ok;
}

/* What is wrong with what was asked; NULL: nothing. */
static const char *read_asked(struct asked *a, const struct sim_protocol *p) {
    int64_t devices = 1, seed = 1;
    size_t keys = 0;
    a->o.count = p->run ? INT64_MAX : 100;
    a->o.rate = a->rate ? 0 : 10;
    a->o.first = 889;
    if (p->run && !a->to) a->to = "127.0.0.1";
    if (!a->to) return "--to ADDRESS[:PORT] is missing";
    if (!sim_address(a->to, p->port, p->run, a->o.host, &a->o.port)) return "--to is no address";
    if (!read_number(a->count, 1, INT64_C(100000000), &a->o.count)) return "--count is no number from 1 to 100000000";
    if (!read_number(a->rate, 0, 1000000, &a->o.rate)) return "--rate is no number from 0 to 1000000";
    if (!read_number(a->devices, 1, SIM_DEVICES_MAX, &devices)) return "--devices is no number from 1 to 2000";
    if (!read_number(a->seed, 0, INT64_MAX, &seed)) return "--seed is no number";
    if (!read_number(a->first, 0, (INT64_C(1) << 47), &a->o.first)) return "--first is no address of a device";
    if (p->run && a->o.first + devices > BACNET_INSTANCE_MAX) return "--first is no number of such a device";
    if (!sim_faults_read(p, a->faults, &a->o.faults, a->why)) return a->why;
    if (!read_forms(a, p->forms)) return "--forms names one that is none of this protocol's";
    if (!read_metrics(a)) return "--metrics is not like temperature:18:26,humidity:40:60";
    if (!read_keys(a, &keys)) return "the file of credentials is not one JSON object a line, as device add prints it";
    if (p->needs_account && !keys) return "--user, --password and --topic, or --credentials FILE are needed";
    bool has_file = p->convention && a->credentials;
    if ((p->needs_account || has_file) && !a->devices) devices = (int64_t)keys;
    if ((p->needs_account || has_file) && devices > (int64_t)keys) return "there are more devices than credentials";
    if (p->needs_key && !a->key) return "--key is missing: the last part of the address that the line's page shows";
    if (p->needs_secret && !a->secret) return "--secret is missing: the line's, with which pushes are signed";
    a->o.key = a->key;
    a->o.secret = a->secret;
    a->o.topic = a->topic;
    a->o.plates = a->plates;
    a->o.cards = a->cards;
    a->o.devices = (size_t)devices;
    a->o.seed = (uint64_t)seed;
    a->o.credentials = a->keys;
    a->o.description = a->text ? a->text : "3号楼2层烟感";
    return NULL;
}

/* ---- telling ---- */

static void tell(const struct asked *a, const struct sim_protocol *p, const struct sim_figures *f) {
    char mem[1024];
    struct buf b;
    struct jw j;
    buf_init(&b, mem, sizeof mem);
    if (a->json) {
        jw_init(&j, &b);
        jw_open(&j, '{');
        jw_kcstr(&j, "protocol", p->name);
        const struct {
            const char *key;
            int64_t value;
        } rows[] = {{"devices", (int64_t)a->o.devices}, {"connections", f->connections}, {"sent", f->sent},
                    {"confirmed", f->confirmed},        {"denied", f->denied},           {"repeated", f->repeated},
                    {"unanswered", f->unanswered},      {"took_ms", f->took_ms}};
        for (size_t i = 0; i < COUNT(rows); i++) jw_ki64(&j, rows[i].key, rows[i].value);
        if (p->run) jw_ki64(&j, "asked", f->asked);
        const struct {
            const char *key;
            int64_t us;
        } times[] = {{"p50_ms", f->p50_us}, {"p99_ms", f->p99_us}, {"max_ms", f->max_us}};
        for (size_t i = 0; i < COUNT(times); i++) {
            jw_key(&j, times[i].key);
            jw_f64(&j, (double)times[i].us / 1000);
        }
        jw_key(&j, "faults");
        jw_open(&j, '{');
        for (int i = 0; i < SIM_FAULTS; i++)
            if (a->o.faults >> i & 1) jw_ki64(&j, sim_fault_names[i], f->faults[i]);
        jw_close(&j, '}');
        jw_close(&j, '}');
    } else if (p->run) {
        buf_fmt(&b, "%s: %lld asked, %lld sent", p->name, (long long)f->asked, (long long)f->sent);
    } else {
        buf_fmt(&b, "%s: %lld sent, %lld confirmed, %lld unanswered", p->name, (long long)f->sent,
                (long long)f->confirmed, (long long)f->unanswered);
        buf_fmt(&b, "; %lld denied, %lld said again", (long long)f->denied, (long long)f->repeated);
        buf_fmt(&b, "; answered in %.1f ms (half), %.1f ms (99 of 100), %.1f ms (worst)", (double)f->p50_us / 1000,
                (double)f->p99_us / 1000, (double)f->max_us / 1000);
    }
    for (int i = 0; !a->json && i < SIM_FAULTS; i++)
        if (f->faults[i]) buf_fmt(&b, "; %s %lld", sim_fault_names[i], (long long)f->faults[i]);
    printf("%s\n", mem);
}

static int simulate(struct asked *a, const struct sim_protocol *p) {
    struct world world = world_real(0);
    struct sim_figures figures = {0};
    struct fault f = {0};
    const char *wrong = read_asked(a, p);
    if (wrong) return usage_error(&cmd_simulate, "%s", wrong);
    a->o.world = &world;
    enum err e = p->run ? p->run(&a->o, &figures, &f) : sim_run(p, &a->o, &figures, &f);
    if (e) fprintf(stderr, "linli simulate: %s\n", f.text);
    tell(a, p, &figures);
    return e || figures.unanswered || figures.confirmed < figures.sent ? EXIT_PROBLEM : EXIT_FINE;
}

static int run(int argc, char **argv) {
    const char *name = NULL;
    size_t n = 0;
    if (argc > 1 && slave_find(argv[1])) return slave_command(&cmd_simulate, argc, argv);
    struct asked *a = calloc(1, sizeof *a);
    if (!a) return EXIT_PROBLEM;
    const struct option options[] = {{"to", &a->to, NULL},
                                     {"at", &a->to, NULL},
                                     {"count", &a->count, NULL},
                                     {"rate", &a->rate, NULL},
                                     {"devices", &a->devices, NULL},
                                     {"seed", &a->seed, NULL},
                                     {"faults", &a->faults, NULL},
                                     {"first", &a->first, NULL},
                                     {"text", &a->text, NULL},
                                     {"user", &a->user, NULL},
                                     {"password", &a->password, NULL},
                                     {"topic", &a->topic, NULL},
                                     {"credentials", &a->credentials, NULL},
                                     {"metrics", &a->metrics, NULL},
                                     {"key", &a->key, NULL},
                                     {"secret", &a->secret, NULL},
                                     {"plates", &a->plates, NULL},
                                     {"cards", &a->cards, NULL},
                                     {"forms", &a->forms, NULL},
                                     {"json", NULL, &a->json}};
    int bad = options_read(argc, argv, options, COUNT(options), &name, &n, 1), code = EXIT_USAGE;
    const struct sim_protocol *p = NULL;
    for (size_t i = 0; n && i < COUNT(protocols); i++)
        if (!strcmp(name, protocols[i]->name)) p = protocols[i];
    if (p && p->with_account && (a->user || a->credentials)) p = p->with_account;
    arena_init(&a->arena, 2 * CREDENTIALS_BYTES);
    if (bad)
        code = usage_error(&cmd_simulate, "%s is not understood", argv[bad]);
    else if (!p)
        code = usage_error(&cmd_simulate,
                           "which devices?  bacnet, chirpstack, ctwing, door, esphome, gb26875, hj212, homeassistant, "
                           "itsapi, jt808, lift, mqtt, onenet, sparkplug, tasmota, ttn, vz, watch or zigbee2mqtt; "
                           "cjt188, dlt645, modbus, modbus_rtu or osdp");
    else
        code = simulate(a, p);
    arena_finish(&a->arena);
    free(a);
    return code;
}

const struct command cmd_simulate = {
    .name = "simulate",
    .summary = "plays devices of the field against any server",
    .usage =
        "linli simulate door|gb26875|hj212|jt808|mqtt|watch --to ADDRESS[:PORT] [options]\n"
        "linli simulate chirpstack|ctwing|door|itsapi|lift|onenet|ttn|vz --to ADDRESS[:PORT] --key KEY [options]\n"
        "linli simulate esphome|homeassistant|sparkplug|tasmota|zigbee2mqtt --to ADDRESS[:PORT] [options]\n"
        "linli simulate cjt188|dlt645|modbus|modbus_rtu|osdp --to ADDRESS:PORT|--listen PORT|--serial PATH "
        "[options]\n"
        "linli simulate bacnet [--at ADDRESS[:PORT]] [options]\n\n"
        "  --count N      messages of all devices together [100]\n"
        "  --rate R       messages a second; 0: as fast as they are answered [10]\n"
        "  --devices N    devices, a connection each [1; with --credentials as many as the file has]\n"
        "  --seed S       chance; the same seed says the same things [1]\n"
        "  --faults LIST  what goes wrong, a message each in turn: noise,split,merge,badsum,lost,replay,storm\n"
        "                 (over MQTT, and what is pushed: split,merge,replay,storm; onenet badsum, too); all the\n"
        "                 time: drift, clocks walk away and instruments do; of gb26875 absent: no guard answers\n"
        "  --json         the summary as JSON\n\n"
        "  bacnet:  controllers of a building and their lift, to be found, read, written and watched at --at\n"
        "           [127.0.0.1:47808], until they are stopped, or --count questions came; --rate points change\n"
        "           a second;  --first N   number of the first device [889];  --faults lost,replay,noise, badsum (a\n"
        "           wrong length): every other datagram, storm: forty points change at once, drift: of instruments\n"
        "  gb26875: --first N   address of the first panel [889];  --text WORDS  what its detector is called\n"
        "  hj212:   --first N   number of the first station [889]\n"
        "  jt808:   --first N   number of the first terminal [889];  --forms LIST   years of the standard, which\n"
        "           terminals speak in turn [2013,2019,2011]; of a long batch --faults lost keeps a part back\n"
        "  watch:   --first N   number of the first watch [889];  --forms LIST   makers, in turn [ZJ,3G,IW,SG,CS]\n"
        "  mqtt:    --user U --password P --topic T, or --credentials FILE (a line of JSON a device, as\n"
        "           `linli device add --json` prints it);  --metrics name:low:high,…\n"
        "  chirpstack, ctwing, door, itsapi, lift, onenet, ttn, vz: pushed over HTTP\n"
        "           (door over MQTT, too: --user, --password and --topic, or --credentials, for --key)\n"
        "           --key K   of the address that the line's page shows;  --first N   number of the first [889]\n"
        "           --cards LIST   that are held to a door;  --plates LIST   that come to an itsapi or vz\n"
        "           --secret S   of the line: what onenet signs with\n"
        "  esphome, homeassistant, sparkplug, tasmota, zigbee2mqtt: at a broker, or at ours as a gateway that\n"
        "           speaks so; they do what they are told;  --user U --password P, or --credentials FILE;\n"
        "           --topic T   base, prefix or group, where it is another [zigbee2mqtt, homeassistant, linli];\n"
        "           --first N   number of the first node or gateway, linli-889\n\n"
        "A message waits for its answer, at most 10 s, and is said at most three times.  Exit 1: some were not "
        "answered.\n\n" SLAVE_USAGE,
    .run = run,
};
