/* Vectors of BACnet datagrams, what is refused, values and their units and worth, events, what is answered.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "B08 who is there",
     .hex = "81 0B 00 0C 01 20 FF FF 00 FF 10 08",
     .json = "\"function\":\"broadcast\",\"to\":{\"net\":65535,\"mac_hex\":\"\"},\"hops\":255,\"kind\":\"unconfirmed\","
             "\"service\":\"who_is\"}"},
    {.name = "B09 who is there of 1000 to 1999",
     .hex = "81 0B 00 12 01 20 FF FF 00 FF 10 08 0A 03 E8 1A 07 CF",
     .json = "\"service\":\"who_is\",\"low\":1000,\"high\":1999"},
    {.name = "B10 I am 1234",
     .hex = "81 0B 00 19 01 20 FF FF 00 FF 10 00 C4 02 00 04 D2 22 05 C4 91 03 22 01 04",
     .json = "\"device\":\"device_1234\",\"max_apdu\":1476,\"segmentation\":\"none\",\"vendor\":260"},
    {.name = "B11 read a value",
     .hex = "81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55",
     .json = "\"expects\":true,\"kind\":\"confirmed\",\"limits\":5,\"invoke\":1,\"service\":\"read_property\","
             "\"object\":\"ai_1\",\"property\":\"present_value\""},
    {.name = "B12 it is 21.5",
     .hex = "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 3F",
     .json = "\"values\":[{\"real\":21.5}]",
     .said = "ai_1=21.5 ",
     .device = ""},
    {.name = "B13 tell me changes",
     .hex = "81 0A 00 16 01 04 00 05 02 05 09 12 1C 00 C0 00 07 29 00 3A 01 2C",
     .json = "\"process\":18,\"object\":\"bi_7\",\"confirmed\":false,\"remaining_s\":300"},
    {.name = "L01 read a lift's mode",
     .hex = "81 0A 00 12 01 04 00 05 01 0C 0C 0E C0 00 01 1A 01 C8",
     .json = "\"object\":\"lift_1\",\"property\":\"car_mode\""},
    {.name = "L02 inspection",
     .hex = "81 0A 00 15 01 00 30 01 0C 0C 0E C0 00 01 1A 01 C8 3E 91 08 3F",
     .json = "\"values\":[{\"enumerated\":8}]",
     .said = "service_mode=2 ",
     .device = "lift_1"},
    {.name = "L03 at floor 12",
     .hex = "81 0A 00 15 01 00 30 02 0C 0C 0E C0 00 01 1A 01 CA 3E 21 0C 3F",
     .said = "floor=12 "},
    {.name = "L04 lost its position",
     .hex = "81 0A 00 15 01 00 30 03 0C 0C 0E C0 00 01 1A 01 CF 3E 91 0E 3F",
     .said = "!position_lost "},
    {.name = "several values, their unit and worth, and an error",
     .hex =
         "81 0A 00 44 01 00 30 09 0E 0C 00 00 00 01 1E 29 55 4E 44 41 AC 00 00 4F 29 75 4E 91 3E 4F 29 6F 4E 82 04 00 "
         "4F 1F 0C 00 00 00 02 1E 29 55 5E 91 02 91 20 5F 1F 0C 02 00 04 D2 1E 29 4C 39 00 4E 21 0C 4F 1F",
     .json =
         "{\"object\":\"ai_2\",\"property\":\"present_value\",\"error_class\":\"property\",\"error_code\":\"unknown_"
         "property\"},{\"object\":\"device_1234\",\"property\":\"object_list\",\"index\":0,\"values\":[{\"unsigned\":"
         "12}]}",
     .said = "ai_1=21.5 Cel device_1234_object_list_0=12 "},
    {.name = "a change",
     .hex =
         "81 0A 00 26 01 00 10 02 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 04 10 "
         "2F 4F",
     .json = "{\"property\":\"status_flags\",\"values\":[{\"bits\":\"0001\"}]}",
     .said = "bi_7=1 ",
     .device = "1234"},
    {.name = "too hot",
     .hex =
         "81 0A 00 57 01 04 00 05 07 02 09 01 1C 02 00 04 D2 2C 00 00 00 01 3E 2E A4 7E 0B 15 06 B4 0A 1E 00 00 2F 3F "
         "49 0A 59 64 69 05 7D 0D 00 E6 B0 B4 E7 AE B1 E8 BF 87 E7 83 AD 89 00 99 01 A9 00 B9 03 CE 5E 0C 42 C8 00 00 "
         "1A 04 80 3C 3F 80 00 00 3C 42 B4 00 00 5F CF",
     .json =
         "\"event_type\":\"out_of_range\",\"text\":\"水箱过热\",\"notify_type\":\"alarm\",\"ack_required\":true,\"from_"
         "state\":\"normal\",\"to_state\":\"high_limit\"",
     .said = "!high_limit ",
     .device = "1234"},
    {.name = "as it was, said to all",
     .hex =
         "81 0B 00 36 01 20 FF FF 00 FF 10 03 09 01 1C 02 00 04 D2 2C 00 00 00 01 3E 19 07 3F 49 0A 59 64 69 05 89 00 "
         "99 00 A9 03 B9 00 CE 5E 0C 42 A0 00 00 1A 04 00 5F CF",
     .said = "-normal ",
     .device = "1234"},
    {.name = "somebody acknowledged it",
     .hex =
         "81 0A 00 29 01 04 00 05 08 02 09 01 1C 02 00 04 D2 2C 00 00 00 01 3E 19 08 3F 49 0A 59 64 69 05 89 02 B9 03",
     .rule = "BACnet J.2: the length",
     .at = 2},
    {.name = "write at a priority",
     .hex = "81 0A 00 1A 01 04 00 05 01 0F 0C 00 40 00 03 19 55 3E 44 41 AC 00 00 3F 49 08",
     .json = "\"object\":\"ao_3\",\"property\":\"present_value\",\"values\":[{\"real\":21.5}],\"priority\":8"},
    {.name = "give it up again",
     .hex = "81 0A 00 16 01 04 00 05 01 0F 0C 00 40 00 03 19 55 3E 00 3F 49 08",
     .json = "\"values\":[{\"null\":true}],\"priority\":8"},
    {.name = "written", .hex = "81 0A 00 09 01 00 20 09 0F", .json = "\"kind\":\"simple_ack\",\"invoke\":9"},
    {.name = "no such object",
     .hex = "81 0A 00 0D 01 00 50 09 0C 91 01 91 1F",
     .json = "\"kind\":\"error\",\"invoke\":9,\"service\":\"read_property\",\"error_class\":\"object\",\"error_code\":"
             "\"unknown_object\""},
    {.name = "rejected",
     .hex = "81 0A 00 09 01 00 60 09 09",
     .json = "\"kind\":\"reject\",\"invoke\":9,\"reason\":\"rejected_unrecognized_service\""},
    {.name = "aborted",
     .hex = "81 0A 00 09 01 00 71 09 04",
     .json = "\"kind\":\"abort\",\"flags\":1,\"invoke\":9,\"reason\":\"aborted_segmentation_not_supported\""},
    {.name = "a segment",
     .hex = "81 0A 00 13 01 00 3C 09 00 04 0E 0C 00 00 00 01 1E 29 55",
     .json =
         "\"flags\":12,\"invoke\":9,\"sequence\":0,\"window\":4,\"service\":\"read_property_multiple\",\"data_hex\":"},
    {.name = "a segment taken",
     .hex = "81 0A 00 0A 01 00 40 09 03 10",
     .json = "\"kind\":\"segment_ack\",\"invoke\":9,\"sequence\":3,\"window\":16"},
    {.name = "who has it",
     .hex = "81 0B 00 11 01 20 FF FF 00 FF 10 07 3C 00 41 48 55",
     .json = "\"service\":\"who_has\",\"name\":\"AHU\""},
    {.name = "I have",
     .hex = "81 0B 00 1B 01 20 FF FF 00 FF 10 01 C4 02 00 04 D2 C4 00 00 00 01 74 00 41 48 55",
     .json = "\"device\":\"device_1234\",\"object\":\"ai_1\",\"name\":\"AHU\""},
    {.name = "the time",
     .hex = "81 0B 00 16 01 20 FF FF 00 FF 10 06 A4 7E 0B 15 06 B4 0A 1E 00 00",
     .json = "\"service\":\"time\",\"date_hex\":\"7E0B1506\",\"clock_hex\":\"0A1E0000\""},
    {.name = "passed on by another, from another network",
     .hex = "81 04 00 1E C0 00 02 07 BA C0 01 08 00 05 01 0C 10 00 C4 02 00 04 D2 22 01 E0 91 03 21 07",
     .json =
         "\"function\":\"forwarded\",\"origin_hex\":\"C0000207BAC0\",\"from\":{\"net\":5,\"mac_hex\":\"0C\"},\"kind\":"
         "\"unconfirmed\",\"service\":\"i_am\""},
    {.name = "a router's word",
     .hex = "81 0B 00 09 01 80 01 00 05",
     .json = "\"network\":true,\"data_hex\":\"010005\""},
    {.name = "as a foreign device",
     .hex = "81 05 00 06 01 2C",
     .json = "{\"function\":\"register\",\"data_hex\":\"012C\"}"},
    {.name = "a service that is not of the few here",
     .hex = "81 0A 00 0D 01 04 00 05 01 06 C4 02 80",
     .json = "\"service\":6,\"data_hex\":\"C40280\""},
    {.name = "a number with a zero in front",
     .hex = "81 0A 00 15 01 00 30 02 0C 0C 00 C0 00 01 19 55 3E 22 00 0C 3F",
     .json = "\"values\":[{\"tag_hex\":\"22000C\"}]}",
     .said = "bi_1=12 "},
    {.name = "no number at all",
     .hex = "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 7F C0 00 00 3F",
     .json = "\"values\":[{\"tag_hex\":\"447FC00000\"}]"},
    {.name = "nothing, from below",
     .hex = "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 80 00 00 00 3F",
     .json = "\"values\":[{\"tag_hex\":\"4480000000\"}]",
     .said = "ai_1=-0 "},
    {.name = "a service's number in more bytes than it needs",
     .hex = "81 0B 00 13 01 20 FF FF 00 FF 10 08 0B 00 03 E8 1A 07 CF",
     .json = "\"low\":1000,\"high\":1999,\"data_hex\":\"0B0003E81A07CF\""},

    {.name = "nothing", .hex = "", .rule = "BACnet J.2: it begins", .at = 0},
    {.name = "not 81", .hex = "82 0B 00 0C 01 20 FF FF 00 FF 10 08", .rule = "BACnet J.2: it begins", .at = 0},
    {.name = "longer than it says",
     .hex = "81 0B 00 0B 01 20 FF FF 00 FF 10 08",
     .rule = "BACnet J.2: the length",
     .at = 2},
    {.name = "shorter than it says",
     .hex = "81 0B 00 0C 01 20 FF FF 00 FF 10",
     .rule = "BACnet J.2: the length",
     .at = 2},
    {.name = "a head alone", .hex = "81 0B 00", .rule = "BACnet J.2: the length", .at = 3},
    {.name = "a function that is none", .hex = "81 0C 00 04", .rule = "BACnet J.2: the function is none", .at = 1},
    {.name = "a result of one byte", .hex = "81 00 00 05 00", .rule = "BACnet J.2: the function has two", .at = 4},
    {.name = "an origin cut", .hex = "81 04 00 08 C0 00 02 07", .rule = "BACnet J.2.5", .at = 4},
    {.name = "version 2", .hex = "81 0A 00 08 02 00 10 08", .rule = "BACnet 6.2.1", .at = 4},
    {.name = "a reserved bit", .hex = "81 0A 00 08 01 40 10 08", .rule = "BACnet 6.2.2: bits 6 and 4", .at = 5},
    {.name = "network 0", .hex = "81 0A 00 0C 01 20 00 00 00 FF 10 08", .rule = "BACnet 6.2.2: no such", .at = 6},
    {.name = "from everybody", .hex = "81 0A 00 0B 01 08 00 05 00 10 08", .rule = "BACnet 6.2.2: no such", .at = 6},
    {.name = "an address of eight bytes",
     .hex = "81 0A 00 13 01 20 00 05 08 01 02 03 04 05 06 07 08 FF 10",
     .rule = "BACnet 6.2.2: an address has at most",
     .at = 8},
    {.name = "an address cut", .hex = "81 0A 00 0A 01 20 00 05 06 01", .rule = "BACnet 6.2.2: the address", .at = 6},
    {.name = "no hop count", .hex = "81 0A 00 09 01 20 FF FF 00", .rule = "BACnet 6.2.2: the NPDU ends", .at = 9},
    {.name = "no APDU", .hex = "81 0A 00 06 01 00", .rule = "BACnet 20.1.1", .at = 6},
    {.name = "PDU 8", .hex = "81 0A 00 08 01 00 80 08", .rule = "BACnet 20.1.1", .at = 6},
    {.name = "a flag that there is not", .hex = "81 0A 00 08 01 00 11 08", .rule = "BACnet 20.1.3", .at = 6},
    {.name = "a request cut", .hex = "81 0A 00 09 01 04 00 05 01", .rule = "BACnet 20.1.2", .at = 9},
    {.name = "a reject with more", .hex = "81 0A 00 0A 01 00 60 09 09 00", .rule = "BACnet 20.1.8", .at = 9},
    {.name = "one limit", .hex = "81 0B 00 0F 01 20 FF FF 00 FF 10 08 0A 03 E8", .rule = "BACnet 16.10", .at = 15},
    {.name = "no vendor",
     .hex = "81 0B 00 16 01 20 FF FF 00 FF 10 00 C4 02 00 04 D2 22 05 C4 91 03",
     .rule = "BACnet 16.10: device",
     .at = 22},
    {.name = "a value without its end",
     .hex = "81 0A 00 16 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00",
     .rule = "BACnet 15.5",
     .at = 22},
    {.name = "a value that ends as another",
     .hex = "81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 4F",
     .rule = "BACnet 15.5",
     .at = 23},
    {.name = "a length beyond the end",
     .hex = "81 0A 00 12 01 04 00 05 01 0C 0C 00 00 00 01 1D FE 55",
     .rule = "BACnet 15.5",
     .at = 15},
    {.name = "no property", .hex = "81 0A 00 0F 01 04 00 05 01 0C 0C 00 00 00 01", .rule = "BACnet 15.5", .at = 15},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &bacnet_codec, rows, COUNT(rows));
}

static struct decoded decoded_of(struct t *t, const char *hex) {
    struct decoded d = {0};
    struct wire_error e = {"", 0};
    CHECK_SAY(t, bacnet_codec.decode(vector_bytes(t, hex), &t->arena, &d, &e), "%s: %s", hex, e.rule);
    return d;
}

static void who_speaks_is_its_device(struct t *t) {
    CHECK(t, str_is(decoded_of(t, rows[2].hex).sender, "1234"));
    CHECK(t, !decoded_of(t, rows[0].hex).sender.len && !decoded_of(t, rows[4].hex).sender.len);
}

static void a_value_is_suspect_when_its_flags_say_so(struct t *t) {
    static const struct {
        const char *flags;
        enum quality quality;
    } all[] = {{"00", QUALITY_GOOD},
               {"80", QUALITY_GOOD} /* in alarm: right, and too high */,
               {"40", QUALITY_SUSPECT},
               {"20", QUALITY_SUSPECT},
               {"10", QUALITY_SUSPECT}};
    for (size_t i = 0; i < COUNT(all); i++) {
        char hex[256];
        struct buf b;
        buf_init(&b, hex, sizeof hex);
        buf_fmt(&b,
                "81 0A 00 26 01 00 10 02 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 "
                "04 %s 2F 4F",
                all[i].flags);
        struct decoded d = decoded_of(t, hex);
        CHECK_SAY(t, d.readings_n == 1 && d.readings[0].quality == all[i].quality, "%s", all[i].flags);
    }
}

/* As it is written, and the same four bytes again. */
static void a_real_number_is_as_people_write_it(struct t *t) {
    static const struct {
        uint32_t bits;
        double value;
    } all[] = {{0x41aa6666, 21.3},       {0x41ac0000, 21.5},         {0xbdcccccd, -0.1},
               {0x3eaaaaab, 0.33333334}, {0x4b7fffff, 16777215},     {0, 0},
               {0x00000001, 1.4013e-45}, {0x7f7fffff, 3.4028235e38}, {0x4b800001, 16777218},
               {0x3f800001, 1.0000001}};
    for (size_t i = 0; i < COUNT(all); i++) {
        uint8_t wire[5] = {0x44, (uint8_t)(all[i].bits >> 24), (uint8_t)(all[i].bits >> 16),
                           (uint8_t)(all[i].bits >> 8), (uint8_t)all[i].bits};
        char mem[8];
        struct bytes rest = {wire, sizeof wire};
        struct bacnet_value v;
        struct buf b;
        buf_init(&b, mem, sizeof mem);
        CHECK(t, bacnet_next_value(&rest, &v) && !rest.len);
        CHECK_SAY(t, v.number == all[i].value, "%08x: %.17g", (unsigned)all[i].bits, v.number);
        bacnet_put_value(&v, &b);
        CHECK(t, b.len == sizeof wire && !memcmp(mem, wire, sizeof wire));
    }
}

static void an_event_says_where_and_when(struct t *t) {
    struct decoded d = decoded_of(t, rows[12].hex);
    CHECK(t, d.events_n == 1 && str_is(d.events[0].part, "ai_1") && str_is(d.events[0].text, "水箱过热"));
    CHECK(t, d.events[0].at_s == INT64_C(1795257000) && d.events[0].is_set && d.events[0].is_level);
    d = decoded_of(t, rows[13].hex); /* a sequence number is no time; what held of the point is over */
    CHECK(t, d.events_n == 1 && !d.events[0].at_s && !d.events[0].is_set && d.events[0].is_level);
    d = decoded_of(t,
                   "81 0A 00 24 01 04 00 05 08 02 09 01 1C 02 00 04 D2 2C 00 00 00 01 3E 19 08 3F 49 0A 59 64 69 05 89 "
                   "02 B9 03"); /* that somebody acknowledged it changes nothing */
    CHECK(t, !d.events_n && str_is(d.sender, "1234"));
}

static void answers_are_given_to_those_who_wait(struct t *t) {
    static const struct {
        const char *hex, *answer;
        bool ok;
    } all[] = {
        {"81 0A 00 29 01 04 00 05 2A 01 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 "
         "04 00 "
         "2F 4F",
         "", true}, /* its length is wrong: it is no frame */
        {"81 0A 00 28 01 04 00 05 2A 01 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 "
         "04 00 "
         "2F 4F",
         "810A00090100202A01", true},
        {"81 0A 00 28 01 04 00 05 2A 01 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 "
         "04 00 "
         "2F 5F",
         "810A00090100602A04", false}, /* a tag that is none */
        {"81 0A 00 26 01 00 10 02 09 12 1C 02 00 04 D2 2C 00 C0 00 07 3A 01 22 4E 09 55 2E 91 01 2F 09 6F 2E 82 04 10 "
         "2F 4F",
         "", true}, /* unconfirmed */
        {"81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55", "810A00090100600109", true},
        {"81 0B 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55", "", true}, /* said to all */
        {"81 0A 00 15 01 0C 00 05 01 0C 00 05 01 0C 0C 00 00 00 01 19 55", "810A000E012000050 10CFF600109", true},
        {"81 0A 00 13 01 00 3C 09 00 04 0E 0C 00 00 00 01 1E 29 55", "810A00090100700904", true},
        {"81 0A 00 13 01 04 0C 05 09 00 04 0F 0C 00 00 00 01 19 55", "810A00090100710904", true},
        {"81 0A 00 17 01 00 30 01 0C 0C 00 00 00 01 19 55 3E 44 41 AC 00 00 3F", "", true},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct buf b;
        buf_init_arena(&b, &t->arena, 64);
        bacnet_codec.reply(vector_bytes(t, all[i].hex), all[i].ok, 0, &b);
        struct bytes want = vector_bytes(t, all[i].answer);
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr ? b.ptr : "", want.ptr, want.len), "%zu: answered otherwise",
                  i);
    }
}

static void frames_are_made_from_what_they_need(struct t *t) {
    static const struct {
        const char *json, *hex, *rule;
    } all[] = {
        {"{\"kind\":\"unconfirmed\",\"service\":\"who_is\"}", "81 0B 00 0C 01 20 FF FF 00 FF 10 08", NULL},
        {"{\"service\":\"read_property\",\"invoke\":1,\"object\":\"ai_1\",\"property\":\"present_value\"}",
         "81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55", NULL},
        {"{\"address\":\"1234\",\"item\":\"ai_1\"}", "81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 55", NULL},
        {"{\"address\":\"1234\",\"item\":\"ao_3@8\",\"value\":\"21.5\"}",
         "81 0A 00 1A 01 04 00 05 01 0F 0C 00 40 00 03 19 55 3E 44 41 AC 00 00 3F 49 08", NULL},
        {"{\"address\":\"1234\",\"item\":\"ao_3@17\",\"value\":\"21.5\"}", NULL, "item: cannot"},
        {"{\"service\":\"read_property\",\"object\":\"ai\",\"property\":85}", NULL, "object: is no object"},
        {"{\"service\":\"read_property\",\"object\":\"ai_1\"}", NULL, "service: lacks"},
        {"{\"service\":\"read_property\",\"object\":\"ai_1\",\"property\":\"colour\"}", NULL, "property: "},
        {"{\"service\":\"fly\"}", NULL, "service: is neither"},
        {"{}", NULL, "service: is missing"},
        {"{\"kind\":\"unconfirmed\",\"flags\":1,\"service\":\"who_is\"}", NULL, "service: lacks"},
        {"{\"function\":\"carrier_pigeon\",\"service\":\"who_is\"}", NULL, "function: "},
        {"{\"kind\":\"unconfirmed\",\"service\":\"time\",\"date_hex\":\"7E0B15\"}", NULL, "date: has four bytes"},
        {"{\"service\":\"write_property\",\"object\":\"av_1\",\"property\":85,\"values\":[{\"real\":\"warm\"}]}", NULL,
         "values: holds"},
        {"{\"service\":\"write_property\",\"object\":\"av_1\",\"property\":85,\"values\":[{\"bits\":\"012\"}]}", NULL,
         "values: holds"},
        {"{\"to\":{\"net\":5,\"mac_hex\":\"0102030405060708\"},\"service\":\"read_property\"}", NULL, "mac: "},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, BACNET_FRAME_MAX + 1);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = bacnet_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (!ok || !all[i].hex) continue;
        struct bytes want = vector_bytes(t, all[i].hex);
        CHECK_SAY(t, b.len == want.len && !memcmp(b.ptr, want.ptr, want.len), "%s: made otherwise", all[i].json);
    }
}

/* The longest that there is, and one byte more. */
static void a_frame_fits_or_is_not_made(struct t *t) {
    static const uint8_t zeros[BACNET_APDU_MAX + 1];
    struct bacnet_frame f = bacnet_request(0, 1, &(struct bacnet_address){.net = 5, .mac_n = 7});
    struct bacnet_frame back;
    struct wire_error e;
    struct buf b;
    f.function = BACNET_FORWARDED;
    f.from = (struct bacnet_address){.net = 6, .mac_n = 7};
    f.data = (struct bytes){zeros, BACNET_APDU_MAX - 4};
    buf_init_arena(&b, &t->arena, BACNET_FRAME_MAX + 1);
    CHECK(t, bacnet_encode(&f, &b) && !b.overflow && b.len == BACNET_FRAME_MAX);
    CHECK(t, bacnet_decode((struct bytes){(const uint8_t *)b.ptr, b.len}, &back, &e) && back.data.len == f.data.len);
    b.len = 0;
    f.data.len++;
    CHECK(t, !bacnet_encode(&f, &b) && !b.len);
}

TESTS(CASE(vectors_of_the_sheet), CASE(who_speaks_is_its_device), CASE(a_value_is_suspect_when_its_flags_say_so),
      CASE(a_real_number_is_as_people_write_it), CASE(an_event_says_where_and_when),
      CASE(answers_are_given_to_those_who_wait), CASE(frames_are_made_from_what_they_need),
      CASE(a_frame_fits_or_is_not_made))
