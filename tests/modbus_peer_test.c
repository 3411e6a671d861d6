/* Our Modbus against libmodbus, over a socket and over a pseudo terminal: our questions to its server, its master's to
 * our devices, every function both know.  SPDX-License-Identifier: Apache-2.0 */
#include "main/simulate/slave.h"
#include "protocol/modbus/modbus.h"
#include "tests/lib/test.h"

#include <modbus.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNIT      17
#define WAIT_MS   5000
#define REGISTERS 200
#define BITS      2100

struct site {
    struct t *t;
    enum modbus_wire wire;
    const struct codec *codec;
    modbus_t *theirs;
    modbus_mapping_t *map;
    int fd; /* our end */
    uint8_t serial;
    pthread_t thread;
};

static bool connect_both(struct site *s, struct t *t, enum modbus_wire wire) {
    char path[64];
    int pair[2];
    *s = (struct site){.t = t, .wire = wire, .codec = wire == MODBUS_TCP ? &modbus_codec : &modbus_rtu_codec};
    if (wire == MODBUS_TCP) {
        s->theirs = modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
        if (!s->theirs || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return false;
        s->fd = pair[0];
        modbus_set_socket(s->theirs, pair[1]);
    } else {
        if (openpty(&pair[0], &pair[1], path, NULL, NULL)) return false;
        s->theirs = modbus_new_rtu(path, 19200, 'E', 8, 1);
        s->fd = pair[0];
        if (!s->theirs || modbus_connect(s->theirs)) return false;
        close(pair[1]);
    }
    return !modbus_set_slave(s->theirs, UNIT);
}

/* ---- their server ---- */

static void *serve(void *arg) {
    struct site *s = arg;
    uint8_t question[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        int n = modbus_receive(s->theirs, question);
        if (n < 0) return NULL; /* our end is closed */
        if (n > 0) (void)modbus_reply(s->theirs, question, n, s->map);
    }
}

static void start_server(struct site *s, struct t *t, enum modbus_wire wire) {
    bool ok = connect_both(s, t, wire);
    s->map = modbus_mapping_new(BITS, BITS, REGISTERS, REGISTERS);
    CHECK(t, ok && s->map && !pthread_create(&s->thread, NULL, serve, s));
}

static void stop_server(struct site *s) {
    close(s->fd);
    pthread_join(s->thread, NULL);
    modbus_close(s->theirs);
    modbus_free(s->theirs);
    modbus_mapping_free(s->map);
}

/* The first whole frame that comes, in the test's arena. */
static struct bytes hear(struct site *s) {
    uint8_t *in = arena_alloc(&s->t->arena, MODBUS_TCP_MAX, 1, 1);
    for (size_t n = 0; n < MODBUS_TCP_MAX;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        ssize_t got = poll(&p, 1, WAIT_MS) == 1 ? read(s->fd, in + n, MODBUS_TCP_MAX - n) : 0;
        size_t len = 0;
        if (got <= 0) break;
        n += (size_t)got;
        if (s->codec->frame((struct bytes){in, n}, &len) == FRAME_WHOLE) return (struct bytes){in, len};
    }
    return (struct bytes){NULL, 0};
}

static void say(struct site *s, const struct buf *b) {
    CHECK(s->t, !b->overflow && write(s->fd, b->ptr, b->len) == (ssize_t)b->len);
}

/* "" or why it was refused; its readings as text. */
static const char *asked(struct site *s, const char *item, const char *value, struct str *ret_said) {
    const struct asking *a = s->codec->asking;
    const struct question q = {.address = S("17"), .item = str_of(item), .value = str_of(value), .serial = ++s->serial};
    const char *why = "";
    struct buf out, data, said;
    struct decoded d = {0};
    struct wire_error e;
    *ret_said = S("");
    buf_init_arena(&out, &s->t->arena, MODBUS_TCP_MAX + 1);
    buf_init_arena(&data, &s->t->arena, MODBUS_TCP_MAX + 1);
    buf_init_arena(&said, &s->t->arena, 100000);
    if (!a->ask(&q, &out)) return "cannot be asked";
    say(s, &out);
    struct bytes whole = hear(s);
    if (!whole.len) return "no answer";
    switch (a->answers(&q, whole, &data, &why)) {
    case ANSWER_OTHER: return "another answer";
    case ANSWER_PART:
    case ANSWER_MORE:
    case ANSWER_ANEW: return "a part";
    case ANSWER_REFUSED: return why;
    case ANSWER_WHOLE: break;
    }
    if (!a->read(&q, (struct bytes){(const uint8_t *)data.ptr, data.len}, &s->t->arena, &d, &e)) return e.rule;
    for (size_t i = 0; i < d.readings_n; i++) buf_fmt(&said, "%s%.7g", i ? " " : "", d.readings[i].value);
    if (said.len) CHECK(s->t, buf_done(&said, ret_said));
    return "";
}

static void fill(struct t *t, modbus_mapping_t *m) {
    static const uint16_t words[] = {0x00d9, 0x8000, 0xfffe, 0x1234, 0x435c, 0x199a,
                                     0x0000, 0xbfc0, 0x4842, 0x7b14, 0x5f70, 0x8930};
    static const uint8_t bits[] = {1, 0, 1, 1, 0, 0, 1, 0, 1, 1};
    for (int i = 0; i < REGISTERS; i++) m->tab_registers[i] = m->tab_input_registers[i] = (uint16_t)i;
    for (size_t i = 0; i < COUNT(words); i++) m->tab_registers[i] = m->tab_input_registers[i] = words[i];
    const uint16_t *floats = m->tab_registers + 4;
    CHECK(t, modbus_get_float_abcd(floats) == 220.1f && modbus_get_float_cdab(floats + 2) == -1.5f);
    CHECK(t, modbus_get_float_badc(floats + 4) == 50.02f && modbus_get_float_dcba(floats + 6) == 1e-9f);
    memcpy(m->tab_bits, bits, sizeof bits);
    memcpy(m->tab_input_bits + 100, bits, sizeof bits);
    m->tab_bits[1999] = m->tab_input_bits[2099] = 1;
}

static void reads_from(struct t *t, enum modbus_wire wire) {
    static const struct {
        const char *item, *said, *why;
    } all[] = {
        {"holding:0:*0.1", "21.7", ""},
        {"holding:1:s16 holding:2:s16 holding:3:bcd16", "-32768 -2 1234", ""},
        {"holding:4:f32 holding:6:f32:cdab holding:8:f32:badc holding:10:f32:dcba", "220.1 -1.5 50.02 1e-09", ""},
        {"holding:0:u32 holding:0:u32:cdab", "1.425408e+07 2.147484e+09", ""},
        {"input:3:bit2 input:3:bit3 input:199", "0 0 199", NULL}, /* too far apart for one */
        {"input:3:bit2 input:3:bit3", "1 0", ""},
        {"input:199", "199", ""},
        {"input:75 input:90 input:105 input:120 input:135 input:150 input:165 input:180 input:195 input:199",
         "75 90 105 120 135 150 165 180 195 199", ""}, /* 125 registers */
        {"coil:0 coil:1 coil:2 coil:3 coil:8 coil:9 coil:10", "1 0 1 1 1 1 0", ""},
        {"coil:1999", "1", ""},
        {"coil:0 coil:256 coil:512 coil:768 coil:1024 coil:1280 coil:1536 coil:1792 coil:1999", "1 0 0 0 0 0 0 0 1",
         ""}, /* 2000 bits */
        {"discrete:100 discrete:101 discrete:109 discrete:2099", "1 0 1", NULL},
        {"discrete:100 discrete:101 discrete:109", "1 0 1", ""},
        {"discrete:2099", "1", ""},
        {"holding:200", "", "illegal_address"},
        {"input:199:u32", "", "illegal_address"},
        {"coil:2100", "", "illegal_address"},
        {"", "", ""}, /* who is there */
    };
    struct site s;
    start_server(&s, t, wire);
    fill(t, s.map);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct str said;
        const char *why = asked(&s, all[i].item, NULL, &said);
        if (!all[i].why) {
            CHECK_SAY(t, !strcmp(why, "cannot be asked"), "%s: %s", all[i].item, why);
            continue;
        }
        CHECK_SAY(t, !strcmp(why, all[i].why) && str_is(said, all[i].said), "%s: " STR_FMT " %s", all[i].item,
                  STR_ARG(said), why);
    }
    stop_server(&s);
}

static void their_server_is_read(struct t *t) {
    reads_from(t, MODBUS_TCP);
    reads_from(t, MODBUS_RTU);
}

static void writes_to(struct t *t, enum modbus_wire wire) {
    static const struct {
        const char *item, *value, *why;
        int at, words[2]; /* what stands in their registers then, or one bit */
        bool is_bit;
    } all[] = {
        {"coil:5", "on", "", 5, {1}, true},
        {"coil:5", "0", "", 5, {0}, true},
        {"coil:6:many", "1", "", 6, {1}, true},
        {"holding:20", "65535", "", 20, {65535}, false},
        {"holding:21:many", "7", "", 21, {7}, false},
        {"holding:22:s16:*0.1", "-4.2", "", 22, {65494}, false},
        {"holding:23:u32:cdab", "74565", "", 23, {0x2345, 1}, false},
        {"holding:25:f32", "220.1", "", 25, {0x435c, 0x199a}, false},
        {"holding:27:bit3", "1", "", 27, {27 | 8}, false},
        {"holding:27:bit0", "off", "", 27, {26}, false},
        {"holding:200", "1", "illegal_address", 0, {0}, false},
        {"coil:2100", "1", "illegal_address", 0, {0}, false},
    };
    struct site s;
    start_server(&s, t, wire);
    fill(t, s.map);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct str said;
        const char *why = asked(&s, all[i].item, all[i].value, &said);
        CHECK_SAY(t, !strcmp(why, all[i].why) && !said.len, "%s: %s", all[i].item, why);
        if (all[i].why[0]) continue;
        bool is = all[i].is_bit ? s.map->tab_bits[all[i].at] == all[i].words[0]
                                : s.map->tab_registers[all[i].at] == all[i].words[0] &&
                                      (!all[i].words[1] || s.map->tab_registers[all[i].at + 1] == all[i].words[1]);
        CHECK_SAY(t, is, "%s: stands otherwise", all[i].item);
    }
    stop_server(&s);
}

static void their_server_is_written_to(struct t *t) {
    writes_to(t, MODBUS_TCP);
    writes_to(t, MODBUS_RTU);
}

/* Frames that no item asks for. */
static void frames_to(struct t *t, enum modbus_wire wire) {
    static const uint8_t words[] = {0, 5, 0, 6, 0, 7}, bits[] = {0x35, 0x01};
    const struct {
        struct modbus_frame ours, theirs;
    } all[] = {
        {{.function = MODBUS_WRITE_COILS, .address = 30, .count = 10, .data = {bits, 2}},
         {.function = MODBUS_WRITE_COILS, .address = 30, .count = 10}},
        {{.function = MODBUS_WRITE_REGISTERS, .address = 40, .count = 3, .data = {words, 6}},
         {.function = MODBUS_WRITE_REGISTERS, .address = 40, .count = 3}},
        {{.function = MODBUS_READ_COILS, .address = 30, .count = 10},
         {.function = MODBUS_READ_COILS, .data = {bits, 2}}},
        {{.function = MODBUS_READ_WRITE,
          .address = 40,
          .count = 3,
          .write_address = 41,
          .write_count = 1,
          .data = {words, 2}},
         {.function = MODBUS_READ_WRITE, .data = {(const uint8_t *)"\0\5\0\5\0\7", 6}}},
        {{.function = MODBUS_READ_HOLDING, .address = 199, .count = 2},
         {.function = MODBUS_READ_HOLDING, .exception = MODBUS_ILLEGAL_ADDRESS}},
    };
    struct site s;
    start_server(&s, t, wire);
    for (size_t i = 0; i < COUNT(all); i++) {
        struct modbus_frame ours = all[i].ours, f = {0};
        const struct modbus_frame *want = &all[i].theirs;
        struct wire_error e = {NULL, 0};
        struct buf out;
        ours.unit = UNIT;
        ours.from = MODBUS_MASTER;
        ours.transaction = (uint16_t)(0xfff0 + i);
        buf_init_arena(&out, &t->arena, MODBUS_TCP_MAX + 1);
        CHECK(t, modbus_encode(wire, &ours, &out));
        say(&s, &out);
        bool ok = modbus_decode(wire, MODBUS_DEVICE, hear(&s), &f, &e);
        CHECK_SAY(t, ok, "row %zu: %s", i, e.rule ? e.rule : "");
        CHECK_SAY(t,
                  f.unit == UNIT && f.function == want->function && f.exception == want->exception &&
                      f.transaction == (wire == MODBUS_TCP ? ours.transaction : 0) && f.address == want->address &&
                      f.count == want->count && f.data.len == want->data.len &&
                      (!f.data.len || !memcmp(f.data.ptr, want->data.ptr, f.data.len)),
                  "row %zu: answered otherwise", i);
    }
    stop_server(&s);
}

static void their_server_understands_our_frames(struct t *t) {
    frames_to(t, MODBUS_TCP);
    frames_to(t, MODBUS_RTU);
}

/* ---- their master ---- */

static void *be_devices(void *arg) {
    struct site *s = arg;
    const struct slave_protocol *p = s->wire == MODBUS_TCP ? &slave_modbus : &slave_modbus_rtu;
    struct slave_device device;
    struct slave_line line = {&device, 1};
    struct bytes question;
    slave_devices(&device, 1, UNIT, 1);
    while ((question = hear(s)).len) {
        char mem[MODBUS_TCP_MAX + 1];
        struct buf out;
        buf_init(&out, mem, sizeof mem);
        if (p->hear(&line, question, INT64_C(1790000000000), &out) != SLAVE_NOT_OURS) say(s, &out);
    }
    return NULL;
}

static void master_of(struct t *t, enum modbus_wire wire) {
    struct site s;
    static const uint8_t bits[] = {1, 0, 1, 1, 0, 1, 0, 0, 1};
    static const uint16_t words[] = {1, 65535, 3};
    uint8_t got_bits[16] = {0};
    uint16_t got[125] = {0};
    CHECK(t, connect_both(&s, t, wire) && !pthread_create(&s.thread, NULL, be_devices, &s));
    modbus_t *m = s.theirs;
    modbus_set_response_timeout(m, WAIT_MS / 1000, 0);
    CHECK(t, modbus_write_bits(m, 4, 9, bits) == 9 && modbus_write_bit(m, 3, 1) == 1);
    CHECK(t, modbus_read_bits(m, 3, 10, got_bits) == 10 && got_bits[0] == 1 && !memcmp(got_bits + 1, bits, 9));
    CHECK(t, modbus_read_input_bits(m, 4, 9, got_bits) == 9 && !memcmp(got_bits, bits, 9));
    CHECK(t, modbus_write_registers(m, 10, 3, words) == 3 && modbus_write_register(m, 13, 4660) == 1);
    CHECK(t, modbus_read_registers(m, 10, 4, got) == 4 && !memcmp(got, words, 6) && got[3] == 4660);
    CHECK(t, modbus_mask_write_register(m, 13, 0xfff0, 0x0005) == 1);
    CHECK(t, modbus_write_and_read_registers(m, 10, 1, (const uint16_t[]){7}, 10, 4, got) == 4 && got[0] == 7 &&
                 got[3] == 0x1235);
    CHECK(t, modbus_read_input_registers(m, 0, 8, got) == 8 && got[0] > 2100 && got[0] < 2300);
    CHECK(t, modbus_get_float_abcd(got + 2) > 1400 && modbus_get_float_abcd(got + 2) < 1600);
    CHECK(t, modbus_read_registers(m, 0, 100, got) == 100);
    CHECK(t, modbus_read_registers(m, 60, 125, got) == -1 && errno == EMBXILADD);
    CHECK(t, modbus_write_register(m, 100, 1) == -1 && errno == EMBXILADD);
    CHECK(t, modbus_read_bits(m, 16, 1, got_bits) == -1 && errno == EMBXILADD);
    modbus_close(m);
    modbus_free(m);
    pthread_join(s.thread, NULL);
    close(s.fd);
}

static void their_master_reads_and_writes_our_devices(struct t *t) {
    master_of(t, MODBUS_TCP);
    master_of(t, MODBUS_RTU);
}

TESTS(CASE(their_server_is_read), CASE(their_server_is_written_to), CASE(their_server_understands_our_frames),
      CASE(their_master_reads_and_writes_our_devices))
