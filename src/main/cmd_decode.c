/* linli decode, linli encode: frames of devices as JSON and back, without a server.  SPDX-License-Identifier:
 * Apache-2.0
 */
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "main/cmd.h"
#include "main/unread.h"
#include "protocol/codec.h"
#include "protocol/frame_json.h"

#include <stdio.h>
#include <string.h>

#define INPUT_MAX  ((size_t)4 << 20)
#define OUTPUT_MAX ((size_t)32 << 20)
#define RULE_MAX   300
#define CHINA_S    (8 * 3600) /* answers carry the centre's civil time; the standards with such answers are China's */

/* ---- in and out ---- */

static bool read_input(const char *arg, struct arena *a, struct str *ret) {
    if (arg && strcmp(arg, "-") != 0) {
        *ret = str_of(arg);
        return true;
    }
    char *mem = arena_alloc(a, INPUT_MAX, 1, 1);
    size_t n = mem ? fread(mem, 1, INPUT_MAX, stdin) : 0;
    *ret = (struct str){mem, n};
    return mem && n < INPUT_MAX && !ferror(stdin);
}

static int print(const struct command *c, const struct buf *b, bool ok) {
    struct str text;
    if (buf_done(b, &text) && fwrite(text.ptr, 1, text.len, stdout) == text.len && fputc('\n', stdout) != EOF &&
        !fflush(stdout))
        return ok ? EXIT_FINE : EXIT_PROBLEM;
    fprintf(stderr, "linli %s: the output is too large or cannot be written\n", c->name);
    return EXIT_PROBLEM;
}

static int print_fault(const struct command *c, const struct wire_error *e) {
    char mem[512];
    struct buf b;
    struct jw j;
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    jw_open(&j, '{');
    jw_kbool(&j, "ok", false);
    jw_kcstr(&j, "rule", e->rule);
    jw_ki64(&j, "at", (int64_t)e->at);
    jw_close(&j, '}');
    return print(c, &b, false);
}

static int list(const struct command *c, bool json) {
    char mem[4096];
    struct buf b;
    struct jw j;
    buf_init(&b, mem, sizeof mem);
    jw_init(&j, &b);
    if (json) jw_open(&j, '[');
    for (size_t i = 0; i < codecs_n; i++) {
        if (!json) {
            buf_fmt(&b, "%s%-13s %s", i ? "\n" : "", codecs[i]->name, codecs[i]->standard);
            continue;
        }
        jw_open(&j, '{');
        jw_kcstr(&j, "protocol", codecs[i]->name);
        jw_kcstr(&j, "standard", codecs[i]->standard);
        jw_close(&j, '}');
    }
    if (json) jw_close(&j, ']');
    return print(c, &b, true);
}

static int unknown(const struct command *c, const char *name) {
    fprintf(stderr, "linli %s: %s is no protocol; there are", c->name, name);
    for (size_t i = 0; i < codecs_n; i++) fprintf(stderr, " %s", codecs[i]->name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

/* ---- decode ---- */

/* Civil time of the place, which the frame does not name: without an offset.  UTC where the wire has it. */
static void put_at(struct jw *j, int64_t at_s, int64_t at_ms) {
    char mem[40];
    struct buf b;
    if (!at_s && !at_ms) return;
    buf_init(&b, mem, sizeof mem);
    civil_put_time(&b, NULL, at_ms ? at_ms : at_s * 1000);
    jw_kstr(j, "at", (struct str){mem, at_ms ? b.len : 19});
}

static void put_reading(struct jw *j, const struct reading *r) {
    jw_open(j, '{');
    jw_kstr(j, "device", r->device);
    jw_kstr(j, "key", r->metric);
    jw_key(j, "value");
    jw_f64(j, r->value);
    jw_kstr(j, "unit", r->unit);
    put_at(j, r->at_s, r->at_ms);
    jw_kcstr(j, "quality", r->quality == QUALITY_GOOD ? "good" : "suspect");
    jw_close(j, '}');
}

static void put_event(struct jw *j, const struct device_event *e) {
    jw_open(j, '{');
    jw_kstr(j, "device", e->device);
    jw_kstr(j, "code", e->code);
    if (e->text.len) jw_kstr(j, "text", e->text);
    put_at(j, e->at_s, e->at_ms);
    if (e->part.len) jw_kstr(j, "part", e->part);
    jw_kbool(j, "set", e->is_set);
    jw_kbool(j, "level", e->is_level);
    jw_kbool(j, "kept", e->is_kept);
    jw_close(j, '}');
}

static void put_passing(struct jw *j, const struct passing *p) {
    static const char *const kinds[] = {"plate", "card", "code", "face", "keys"};
    jw_open(j, '{');
    jw_kstr(j, "device", p->device);
    jw_kcstr(j, "kind", kinds[p->kind]);
    jw_kstr(j, "value", p->value);
    if (p->serial.len) jw_kstr(j, "serial", p->serial);
    if (p->way.len) jw_kstr(j, "way", p->way);
    put_at(j, p->at_s, p->at_ms);
    if (p->sure_pct) jw_ki64(j, "sure_pct", p->sure_pct);
    jw_kbool(j, "late", p->is_late);
    jw_close(j, '}');
}

static void put_reply(struct jw *j, const struct codec *codec, struct bytes whole, struct arena *a) {
    struct world world = world_real(0);
    struct buf reply, hex;
    struct str text;
    buf_init_arena(&reply, a, 4096);
    buf_init_arena(&hex, a, 8192);
    if (codec->let)
        codec->let(true, S("given"), &reply);
    else
        codec->reply(whole, true, world.utc_ms(world.self) / 1000 + CHINA_S, &reply);
    if (!reply.len) return;
    if (codec->carrier == CARRIER_BODY) {
        frame_put_bytes(j, a, "reply", (struct bytes){(const uint8_t *)reply.ptr, reply.len});
        return;
    }
    buf_hex(&hex, (struct bytes){(const uint8_t *)reply.ptr, reply.len});
    if (buf_done(&hex, &text)) jw_kstr(j, "reply", text);
}

static bool put_frame(struct jw *j, const struct codec *codec, struct bytes whole, struct arena *a,
                      struct wire_error *e) {
    struct decoded d = {0};
    if (codec->decode && !codec->decode(whole, a, &d, e)) return false;
    jw_open(j, '{');
    jw_kcstr(j, "protocol", codec->name);
    jw_kbool(j, "ok", true);
    jw_key(j, "frame");
    if (!codec->show)
        jw_null(j);
    else if (!codec->show(whole, a, j, e))
        return false;
    jw_key(j, "readings");
    jw_open(j, '[');
    for (size_t i = 0; i < d.readings_n; i++) put_reading(j, &d.readings[i]);
    jw_close(j, ']');
    jw_key(j, "events");
    jw_open(j, '[');
    for (size_t i = 0; i < d.events_n; i++) put_event(j, &d.events[i]);
    jw_close(j, ']');
    if (d.passings_n) {
        jw_key(j, "passings");
        jw_open(j, '[');
        for (size_t i = 0; i < d.passings_n; i++) put_passing(j, &d.passings[i]);
        jw_close(j, ']');
    }
    if (codec->reply || codec->let) put_reply(j, codec, whole, a);
    jw_close(j, '}');
    return true;
}

static bool put_whole(const struct codec *codec, struct bytes whole, struct arena *a, struct buf *ret,
                      struct wire_error *e) {
    struct jw j;
    buf_init_arena(ret, a, OUTPUT_MAX);
    jw_init(&j, ret);
    return put_frame(&j, codec, whole, a, e);
}

/* The console shows bytes of any line as hex.  No text of a line's protocol is hex pairs; bits of a card are. */
static int decode(const struct codec *codec, const char *arg, struct arena *a) {
    struct str text;
    struct bytes whole;
    struct wire_error e = {"", 0};
    struct buf b;
    if (!read_input(arg, a, &text)) return usage_error(&cmd_decode, "the input cannot be read, or is over 4 MiB");
    whole = (struct bytes){(const uint8_t *)text.ptr, text.len};
    if (!codec->is_text && !frame_unhex(a, text, &whole))
        return print_fault(&cmd_decode, &(struct wire_error){"this is no hex: pairs of 0-9 a-f, blanks between", 0});
    bool ok = put_whole(codec, whole, a, &b, &e);
    bool may_be_hex = codec->is_text && (codec->frame || codec_is_pushed(codec));
    if (!ok && may_be_hex && frame_unhex(a, text, &whole)) ok = put_whole(codec, whole, a, &b, &e);
    return ok ? print(&cmd_decode, &b, true) : print_fault(&cmd_decode, &e);
}

/* ---- encode ---- */

/* What decode printed is understood, too. */
static const json_t *frame_in_of(const json_t *o) {
    const json_t *frame = json_object_get(o, "frame");
    return json_object_get(o, "protocol") && json_is_object(frame) ? frame : o;
}

/* What somebody wrote in vain he is told: it is misspelt, or of another protocol. */
static bool reads_all(const struct codec *codec, const json_t *frame, struct bytes made, struct arena *a,
                      struct wire_error *e) {
    struct buf b;
    struct str name, rule;
    if (!unread_find(codec, frame, made, a, &name)) return true;
    buf_init_arena(&b, a, RULE_MAX);
    buf_fmt(&b, STR_FMT ": means nothing in such a frame", STR_ARG(name));
    *e = (struct wire_error){buf_done(&b, &rule) ? rule.ptr : "out of memory", 0};
    return false;
}

static int encode(const struct codec *codec, const char *arg, bool json, struct arena *a) {
    struct str text;
    struct fault f = {0};
    struct wire_error e = {"", 0};
    struct buf wire, out;
    struct jw j;
    json_t *o = NULL;
    if (!codec->make) return usage_error(&cmd_encode, "%s has no way back", codec->name);
    if (!read_input(arg, a, &text)) return usage_error(&cmd_encode, "the input cannot be read, or is over 4 MiB");
    if (json_read(str_trim(text), &o, &f)) return print_fault(&cmd_encode, &(struct wire_error){f.text, 0});
    buf_init_arena(&wire, a, codec->frame_max < INPUT_MAX ? codec->frame_max + 1 : INPUT_MAX);
    bool ok = codec->make(frame_in_of(o), a, &wire, &e);
    struct bytes bytes = {(const uint8_t *)wire.ptr, wire.len};
    if (ok && wire.overflow) e = (struct wire_error){"the frame is longer than its protocol has room for", 0};
    ok = ok && !wire.overflow && reads_all(codec, frame_in_of(o), bytes, a, &e);
    json_decref(o);
    if (!ok) return print_fault(&cmd_encode, &e);
    buf_init_arena(&out, a, OUTPUT_MAX);
    jw_init(&j, &out);
    if (!json && codec->is_text) {
        buf_add(&out, bytes.ptr, bytes.len);
    } else if (!json) {
        buf_hex(&out, bytes);
    } else {
        jw_open(&j, '{');
        jw_kcstr(&j, "protocol", codec->name);
        jw_kbool(&j, "ok", true);
        frame_put_hex(&j, a, "frame", bytes);
        jw_close(&j, '}');
    }
    return print(&cmd_encode, &out, true);
}

/* ---- the commands ---- */

static int run(const struct command *c, int argc, char **argv) {
    const char *rest[2] = {NULL, NULL};
    size_t n = 0;
    bool json = false, wants_list = false;
    struct arena arena;
    const struct option options[] = {{"json", NULL, &json}, {"list", NULL, &wants_list}};
    int bad = options_read(argc, argv, options, COUNT(options), rest, &n, 2);
    if (bad) return usage_error(c, "%s is not understood", argv[bad]);
    if (wants_list) return n ? usage_error(c, "--list stands alone") : list(c, json);
    if (!n) return usage_error(c, "which protocol?  --list names them");
    const struct codec *codec = codec_find(str_of(rest[0]));
    if (!codec) return unknown(c, rest[0]);
    arena_init(&arena, INPUT_MAX * 2 + OUTPUT_MAX * 3);
    int code = c == &cmd_decode ? decode(codec, rest[1], &arena) : encode(codec, rest[1], json, &arena);
    arena_finish(&arena);
    return code;
}

static int run_decode(int argc, char **argv) {
    return run(&cmd_decode, argc, argv);
}
static int run_encode(int argc, char **argv) {
    return run(&cmd_encode, argc, argv);
}

const struct command cmd_decode = {
    .name = "decode",
    .summary = "says what a frame of a device means",
    .usage =
        "linli decode PROTOCOL [HEX | -]\n"
        "linli decode --list\n\n"
        "  Hex with or without blanks, or text for protocols that are text, whose bytes may be hex, too, as a line's\n"
        "  page shows them; - or nothing reads it from the input.\n"
        "  Prints JSON: the frame, readings, events, and the answer that the device expects.  A bad frame prints\n"
        "  the rule that it breaks and the byte, and exits 1.\n",
    .run = run_decode,
};
const struct command cmd_encode = {
    .name = "encode",
    .summary = "makes a frame from JSON",
    .usage = "linli encode PROTOCOL [JSON | -] [--json]\n"
             "linli encode --list\n\n"
             "  The JSON is a frame as decode shows it.  Prints hex (text for protocols that are text); --json prints\n"
             "  an object around it.  What cannot be made, or means nothing there, is\n"
             "  named, and it exits 1.\n",
    .run = run_encode,
};
