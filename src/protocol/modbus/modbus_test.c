/* Vectors of Modbus frames, RTU and TCP, what is refused, what is found in a stream.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "protocol/modbus/modbus.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rtu[] = {
    {.name = "B01 write a register",
     .hex = "01 06 00 00 00 01 48 0A",
     .json = "{\"unit\":1,\"function\":\"write_register\",\"address\":0,\"value\":1}"},
    {.name = "B02 read an input register",
     .hex = "01 04 00 00 00 01 31 CA",
     .json = "\"function\":\"read_input\",\"from\":\"master\",\"address\":0,\"count\":1"},
    {.name = "B03 its answer", .hex = "01 04 02 00 01 78 F0", .json = "\"from\":\"device\",\"registers\":[1]"},
    {.name = "B04 read ten holding registers",
     .hex = "01 03 00 00 00 0A C5 CD",
     .json = "\"function\":\"read_holding\",\"from\":\"master\",\"address\":0,\"count\":10"},
    {.name = "B05 an illegal address",
     .hex = "01 83 02 C0 F1",
     .json = "\"function\":\"read_holding\",\"from\":\"device\",\"exception\":\"illegal_address\""},
    {.name = "B06 a coil on",
     .hex = "01 05 00 00 FF 00 8C 3A",
     .json = "{\"unit\":1,\"function\":\"write_coil\",\"address\":0,\"on\":true}"},
    {.name = "read 37 coils", .hex = "11 01 00 13 00 25 0E 84", .json = "\"address\":19,\"count\":37"},
    {.name = "37 coils",
     .hex = "11 01 05 CD 6B B2 0E 1B 45 E6",
     .json = "\"bits\":\"1011001111010110010011010111000011011000\""},
    {.name = "read 22 inputs", .hex = "11 02 00 C4 00 16 BA A9", .json = "\"address\":196,\"count\":22"},
    {.name = "22 inputs, as long as a question",
     .hex = "11 02 03 AC DB 35 20 18",
     .json = "\"from\":\"device\",\"bits\":\"001101011101101110101100\""},
    {.name = "read three registers", .hex = "11 03 00 6B 00 03 76 87", .json = "\"address\":107,\"count\":3"},
    {.name = "three registers", .hex = "11 03 06 02 2B 00 00 00 64 C8 BA", .json = "\"registers\":[555,0,100]"},
    {.name = "one whose data hold the end of a question",
     .hex = "11 04 00 08 00 01 B2 98",
     .json = "\"from\":\"master\",\"address\":8,\"count\":1"},
    {.name = "write ten coils",
     .hex = "11 0F 00 13 00 0A 02 CD 01 BF 0B",
     .json =
         "\"function\":\"write_coils\",\"from\":\"master\",\"address\":19,\"count\":10,\"bits\":\"1011001110000000\""},
    {.name = "ten coils are written",
     .hex = "11 0F 00 13 00 0A 26 99",
     .json = "\"from\":\"device\",\"address\":19,\"count\":10"},
    {.name = "write two registers",
     .hex = "11 10 00 01 00 02 04 00 0A 01 02 C6 F0",
     .json = "\"function\":\"write_registers\",\"from\":\"master\",\"address\":1,\"count\":2,\"registers\":[10,258]"},
    {.name = "two registers are written",
     .hex = "11 10 00 01 00 02 12 98",
     .json = "\"from\":\"device\",\"address\":1,\"count\":2"},
    {.name = "mask a register",
     .hex = "11 16 00 04 00 F2 00 25 66 E2",
     .json = "\"function\":\"mask_register\",\"address\":4,\"and\":242,\"or\":37"},
    {.name = "read six, write three",
     .hex = "11 17 00 03 00 06 00 0E 00 03 06 00 FF 00 FF 00 FF 4B 54",
     .json = "\"function\":\"read_write\",\"from\":\"master\",\"address\":3,\"count\":6,\"write_address\":14,"
             "\"registers\":[255,"
             "255,255]"},
    {.name = "six are read",
     .hex = "11 17 0C 00 FE 0A CD 00 01 00 03 00 0D 00 FF 0D 75",
     .json = "\"from\":\"device\",\"registers\":[254,2765,1,3,13,255]"},
    {.name = "who are you?",
     .hex = "11 2B 0E 01 00 B1 B4",
     .json = "\"function\":\"identify\",\"from\":\"master\",\"code\":1,\"object\":0"},
    {.name = "that is said",
     .hex = "11 2B 0E 01 01 00 00 03 00 05 4C 69 6E 6C 69 01 02 58 31 02 04 76 31 2E 30 EB 45",
     .json = "\"from\":\"device\",\"code\":1,\"conformity\":1,\"more\":false,\"next\":0,\"objects\":[{\"object\":0,"
             "\"value\":\"Linli\"},{\"object\":1,\"value\":\"X1\"},{\"object\":2,\"value\":\"v1.0\"}]"},
    {.name = "of which more follows",
     .hex = "11 2B 0E 04 83 FF 02 01 01 02 FF FE 9E FB",
     .json = "\"more\":true,\"next\":2,\"objects\":[{\"object\":1,\"value_hex\":\"FFFE\"}]"},
    {.name = "a gateway whose device is silent",
     .hex = "F7 83 0B E0 C5",
     .json = "{\"unit\":247,\"function\":\"read_holding\",\"from\":\"device\",\"exception\":\"gateway_no_answer\"}"},
    {.name = "identification is no function there",
     .hex = "11 AB 01 9F 35",
     .json = "\"function\":\"identify\",\"from\":\"device\",\"exception\":\"illegal_function\""},
    {.name = "an exception without a name", .hex = "11 84 07 03 07", .json = "\"exception\":7"},
    {.name = "all of them", .hex = "00 06 00 01 00 03 99 DA", .json = "{\"unit\":0,"},
    {.name = "a wrong CRC", .hex = "01 04 02 00 01 78 F1", .rule = "Modbus serial 2.5.1.2", .at = 5},
    {.name = "too short", .hex = "01 83 C0 F1", .rule = "Modbus serial 2.5.1: a frame", .at = 0},
    {.name = "no such unit", .hex = "F8 03 00 00 00 01 90 63", .rule = "Modbus serial 2.2", .at = 0},
    {.name = "no such function", .hex = "11 07 00 00 B4 D9", .rule = "Modbus 6: this function", .at = 1},
    {.name = "no register", .hex = "11 03 00 6B 00 00 36 86", .rule = "Modbus 6.3: 1 to 125", .at = 4},
    {.name = "126 registers", .hex = "11 03 00 6B 00 7E B6 A6", .rule = "Modbus 6.3: 1 to 125", .at = 4},
    {.name = "2001 coils", .hex = "11 01 00 13 07 D1 0D 33", .rule = "Modbus 6.1: 1 to 2000", .at = 4},
    {.name = "half on", .hex = "11 05 00 01 FF 01 1E AA", .rule = "Modbus 6.5: a coil", .at = 4},
    {.name = "a register and a half", .hex = "11 03 03 02 2B 00 F8 2E", .rule = "Modbus 6.3: 1 to 125", .at = 2},
    {.name = "one register too few",
     .hex = "11 10 00 01 00 02 02 00 0A EA 02",
     .rule = "Modbus 6.12: 1 to 123",
     .at = 6},
    {.name = "one byte of coils too few",
     .hex = "11 0F 00 13 00 0A 01 CD 1A 0F",
     .rule = "Modbus 6.11: 1 to 1968",
     .at = 6},
    {.name = "two of three written",
     .hex = "11 17 00 03 00 06 00 0E 00 03 04 00 FF 00 FF 62 B0",
     .rule = "Modbus 6.17: 1 to 125",
     .at = 8},
    {.name = "no length that is right", .hex = "11 04 00 08 00 01 00 18 75", .rule = "Modbus 6.4: the length", .at = 7},
    {.name = "no exception", .hex = "11 83 00 40 F5", .rule = "Modbus 7: there is no exception 00", .at = 2},
    {.name = "another MEI type", .hex = "11 2B 0D 01 00 41 B4", .rule = "Modbus 6.19", .at = 2},
    {.name = "no such code", .hex = "11 2B 0E 05 00 B3 74", .rule = "Modbus 6.21: a code", .at = 3},
    {.name = "perhaps more follows",
     .hex = "11 2B 0E 01 01 7F 00 00 17 03",
     .rule = "Modbus 6.21: that more follows",
     .at = 5},
};

static const struct vector tcp[] = {
    {.name = "B07 read ten holding registers",
     .hex = "00 01 00 00 00 06 01 03 00 00 00 0A",
     .json =
         "{\"transaction\":1,\"unit\":1,\"function\":\"read_holding\",\"from\":\"master\",\"address\":0,\"count\":10}"},
    {.name = "two registers",
     .hex = "15 01 00 00 00 07 FF 03 04 00 06 00 05",
     .json = "\"unit\":255,\"function\":\"read_holding\",\"from\":\"device\",\"registers\":[6,5]"},
    {.name = "an exception", .hex = "00 02 00 00 00 03 01 81 0B", .json = "\"exception\":\"gateway_no_answer\""},
    {.name = "a coil off",
     .hex = "FF FF 00 00 00 06 00 05 00 AC 00 00",
     .json = "{\"transaction\":65535,\"unit\":0,\"function\":\"write_coil\",\"address\":172,\"on\":false}"},
    {.name = "write a register", .hex = "01 05 00 00 00 06 01 06 00 00 00 00", .json = "\"value\":0"},
    {.name = "zeros",
     .hex = "01 05 00 00 00 0F 01 03 0C 00 00 00 00 00 00 00 00 00 00 00 00",
     .json = "\"registers\":[0,0,0,0,0,0]"},
    {.name = "another protocol",
     .hex = "00 01 00 01 00 06 01 03 00 00 00 0A",
     .rule = "Modbus TCP 3.1.3: the protocol",
     .at = 2},
    {.name = "too long", .hex = "00 01 00 00 00 07 01 03 00 00 00 0A", .rule = "Modbus TCP 3.1.3: the length", .at = 4},
    {.name = "no function", .hex = "00 01 00 00 00 02 01 03", .rule = "Modbus TCP 3.1.3: a length is", .at = 4},
    {.name = "255 bytes", .hex = "00 01 00 00 00 FF 01 03", .rule = "Modbus TCP 3.1.3: a length is", .at = 4},
    {.name = "cut off", .hex = "00 01 00 00 00", .rule = "Modbus TCP 3.1.3: a length is", .at = 4},
    {.name = "no coil", .hex = "00 01 00 00 00 06 01 01 00 00 00 00", .rule = "Modbus 6.1: 1 to 2000", .at = 10},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &modbus_rtu_codec, rtu, COUNT(rtu));
    vectors_check(t, &modbus_codec, tcp, COUNT(tcp));
}

/* What comes over a line in pieces: whole frames as hex, "-N" bytes that are none, "?" where more is waited for. */
static struct str pieces(struct t *t, const struct codec *codec, struct bytes in) {
    struct buf b;
    struct str text = S("");
    buf_init_arena(&b, &t->arena, 4000);
    while (in.len) {
        size_t len = 0;
        enum frame what = codec->frame(in, &len);
        if (what == FRAME_SHORT) {
            buf_char(&b, '?');
            break;
        }
        CHECK(t, len && len <= in.len);
        if (what == FRAME_SKIP)
            buf_fmt(&b, "-%zu ", len);
        else
            buf_hex(&b, (struct bytes){in.ptr, len});
        if (what == FRAME_WHOLE) buf_char(&b, ' ');
        in = (struct bytes){in.ptr + len, in.len - len};
    }
    if (b.len) CHECK(t, buf_done(&b, &text));
    return text;
}

static void frames_are_found_by_what_they_say(struct t *t) {
    static const struct {
        const struct codec *codec;
        const char *hex, *found, *why;
    } all[] = {
        {&modbus_rtu_codec, "01 03 00 00 00 0A C5 CD 01 83 02 C0 F1", "01030000000AC5CD 018302C0F1 ",
         "question, answer"},
        {&modbus_rtu_codec, "01 03 02 00 01", "?", "an answer is waited for"},
        {&modbus_rtu_codec, "01 03 02 00 01 00 00", "?", "it may be a question still"},
        {&modbus_rtu_codec, "01 03 02 00 01 00 00 00", "-1 ?", "neither"},
        {&modbus_rtu_codec, "FF FE 01 04 02 00 01 78 F0", "-2 010402000178F0 ", "no unit"},
        {&modbus_rtu_codec, "01 03 FA 01 04 02 00 01 78 F0", "-3 010402000178F0 ", "inside of what would be long"},
        {&modbus_rtu_codec, "01 2B 0E 01 01 00 00 02 00 F0", "?", "objects may be long"},
        {&modbus_rtu_codec, "01 2B 0E 01 01 00 00 02 00 F8 01 04 02 00 01 78 F0", "-2 -1 -3 -4 010402000178F0 ",
         "but not all of them"},
        {&modbus_rtu_codec, "6C 6F 67 69 6E 01 04 02 00 01 78 F0", "-4 -1 010402000178F0 ", "a gateway's registration"},
        {&modbus_codec, "00 01 00 00 00 03 01 83 02 00 02 00 00 00 06 01 03 00 00 00 01",
         "000100000003018302 000200000006010300000001 ", "one behind the other"},
        {&modbus_codec, "00 01 00 00 00 06 01 03 00 00 00 00", "-7 ?", "no register"},
        {&modbus_codec, "00 01 00 00 00 05 01 03 02 00 00 01 00 00 00 05 01 03 02 00 07", "-10 0001000000050103020007 ",
         "a byte was lost"},
        {&modbus_codec, "00 01 00 00 00", "?", "the head"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct str got = pieces(t, all[i].codec, vector_bytes(t, all[i].hex));
        CHECK_SAY(t, str_is(got, all[i].found), "%s: " STR_FMT, all[i].why, STR_ARG(got));
    }
}

static void frames_are_made_from_what_they_need(struct t *t) {
    static const struct {
        const char *json, *hex, *rule;
    } all[] = {
        {"{\"unit\":1,\"function\":\"read_holding\",\"count\":10}", "01 03 00 00 00 0A C5 CD", NULL},
        {"{\"unit\":1,\"function\":\"read_input\"}", "01 04 00 00 00 01 31 CA", NULL},
        {"{\"unit\":1,\"function\":\"write_coil\",\"on\":true}", "01 05 00 00 FF 00 8C 3A", NULL},
        {"{\"unit\":17,\"function\":\"write_coils\",\"address\":19,\"bits\":\"1011001110\"}",
         "11 0F 00 13 00 0A 02 CD 01 BF 0B", NULL},
        {"{\"unit\":17,\"function\":\"write_registers\",\"address\":1,\"registers\":[10,258]}",
         "11 10 00 01 00 02 04 00 0A 01 02 C6 F0", NULL},
        {"{\"unit\":1,\"function\":\"read_holding\",\"exception\":2}", "01 83 02 C0 F1", NULL},
        {"{\"unit\":17,\"item\":\"holding:107 holding:109\"}", "11 03 00 6B 00 03 76 87", NULL},
        {"{\"unit\":1,\"item\":\"coil:0\",\"value\":\"on\"}", "01 05 00 00 FF 00 8C 3A", NULL},
        {"{\"unit\":1,\"item\":\"input:0\",\"value\":\"1\"}", NULL, "item: cannot"},
        {"{\"item\":\"input:0\"}", NULL, "unit: is missing"},
        {"{\"function\":\"read_input\"}", NULL, "unit: is missing"},
        {"{\"unit\":248,\"function\":\"read_input\"}", NULL, "unit: is no whole"},
        {"{\"unit\":1}", NULL, "function: is missing"},
        {"{\"unit\":1,\"function\":\"read\"}", NULL, "function: is none"},
        {"{\"unit\":1,\"function\":\"read_input\",\"count\":126}", NULL, "read_input: Modbus 6.4"},
        {"{\"unit\":1,\"function\":\"read_input\",\"from\":\"me\"}", NULL, "from: "},
        {"{\"unit\":1,\"function\":\"read_input\",\"exception\":\"bad\"}", NULL, "exception: is none"},
        {"{\"unit\":1,\"function\":\"read_input\",\"from\":\"device\",\"registers\":[65536]}", NULL, "registers: are"},
        {"{\"unit\":1,\"function\":\"write_registers\",\"registers\":5}", NULL, "registers: is no list"},
        {"{\"unit\":1,\"function\":\"write_coils\",\"bits\":\"012\"}", NULL, "bits: are"},
        {"{\"unit\":1,\"function\":\"identify\",\"code\":5}", NULL, "code: "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, 512);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = modbus_rtu_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (!ok || !all[i].hex) continue;
        struct bytes want = vector_bytes(t, all[i].hex);
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr, want.ptr, want.len), "%s: made otherwise", all[i].json);
    }
}

TESTS(CASE(frames_are_made_from_what_they_need), CASE(vectors_of_the_sheet), CASE(frames_are_found_by_what_they_say))
