/* Vectors of Wiegand bits, parities, numbers of cards as people type them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/wiegand/wiegand.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "A09 facility 123, card 4567",
     .text = "10111101100010001110101110",
     .json = "\"bits\":26,\"facility\":123,\"card\":4567,\"number\":\"8065495\",\"data_hex\":\"BD88EB80\""},
    {.name = "A10 facility 1, card 1",
     .text = "10000000100000000000000010",
     .json = "\"facility\":1,\"card\":1,\"number\":\"65537\",\"data_hex\":\"80800080\""},
    {.name = "A11 34 bits",
     .text = "1000100100011010001010110011110001",
     .json = "\"bits\":34,\"card\":305419896,\"number\":\"305419896\",\"data_hex\":\"891A2B3C40\""},
    {.name = "37 bits, kept as they are",
     .text = "1011110110001000111010111000000010101",
     .json = "\"bits\":37,\"number\":\"37:BD88EB80A8\""},
    {.name = "one bit", .text = "1", .json = "\"number\":\"1:80\""},
    {.name = "the first parity", .text = "00111101100010001110101110", .rule = "Wiegand parity: the first", .at = 0},
    {.name = "the second parity", .text = "10111101100010001110101111", .rule = "Wiegand parity: the second", .at = 25},
    {.name = "a bit that is none", .text = "101111011000100x1110101110", .rule = "Wiegand bits", .at = 15},
    {.name = "nothing", .text = "", .rule = "Wiegand length", .at = 0},
};

static void vectors_of_the_sheet(struct t *t) {
    vectors_check(t, &wiegand_codec, rows, COUNT(rows));
}

static void every_bit_that_flips_is_noticed(struct t *t) {
    struct wiegand w, ignored;
    struct wire_error e;
    for (size_t bits = 26; bits <= 34; bits += 8)
        for (size_t i = 0; i < bits; i++) {
            wiegand_make(bits, bits == 26 ? 200 : 0, 54321, &w);
            w.data[i / 8] ^= (uint8_t)(0x80 >> i % 8);
            CHECK_SAY(t, !wiegand_read((struct bytes){w.data, sizeof w.data}, bits, &ignored, &e), "%zu of %zu", i,
                      bits);
        }
}

static void what_is_made_is_read_again(struct t *t) {
    static const uint32_t cards[] = {0, 1, 4567, 65535};
    for (size_t i = 0; i < COUNT(cards); i++) {
        struct wiegand w, again;
        struct wire_error e;
        wiegand_make(26, 255 - (uint32_t)i, cards[i], &w);
        CHECK(t, wiegand_read((struct bytes){w.data, 4}, 26, &again, &e) && again.card == cards[i] &&
                     again.facility == 255 - i && again.is_known);
        wiegand_make(34, 0, UINT32_MAX - cards[i], &w);
        CHECK(t, wiegand_read((struct bytes){w.data, 5}, 34, &again, &e) && again.card == UINT32_MAX - cards[i]);
    }
}

static void a_number_is_one_however_it_is_typed(struct t *t) {
    static const struct {
        const char *typed, *number; /* NULL: it is none */
    } all[] = {
        {"0008065495", "8065495"},
        {"123,04567", "8065495"},
        {"8065495", "8065495"},
        {" 123,4567 ", "8065495"},
        {"305419896", "305419896"},
        {"4294967295", "4294967295"},
        {"4294967296", NULL},
        {"256,1", NULL},
        {"255,65535", "16777215"},
        {"1,65536", NULL},
        {"-1", NULL},
        {"+1", NULL},
        {"", NULL},
        {",", NULL},
        {"1,", NULL},
        {"1,2,3", NULL},
        {"A1", NULL},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        char number[WIEGAND_NUMBER_BYTES] = "";
        bool ok = wiegand_typed(str_of(all[i].typed), number);
        CHECK_SAY(t, ok == !!all[i].number && (!ok || !strcmp(number, all[i].number)), "%s: %s", all[i].typed, number);
    }
}

static void cards_are_made_from_what_they_need(struct t *t) {
    static const struct {
        const char *json, *bits, *rule;
    } all[] = {
        {"{\"facility\":123,\"card\":4567}", "10111101100010001110101110", NULL},
        {"{\"bits\":34,\"card\":305419896}", "1000100100011010001010110011110001", NULL},
        {"{\"facility\":123}", NULL, "card: is missing"},
        {"{\"card\":1}", NULL, "facility: is missing"},
        {"{\"facility\":256,\"card\":1}", NULL, "facility: "},
        {"{\"facility\":1,\"card\":65536}", NULL, "card: "},
        {"{\"bits\":37,\"card\":1}", NULL, "bits: "},
        {"{\"bits\":26,\"data_hex\":\"3D88EB80\"}", NULL, "Wiegand parity"},
        {"{\"bits\":37,\"data_hex\":\"3D88EB80\"}", NULL, "Wiegand length"},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *o = NULL;
        struct buf b;
        struct wire_error e = {"", 0};
        buf_init_arena(&b, &t->arena, 512);
        CHECK(t, !json_read(str_of(all[i].json), &o, &t->fault));
        bool ok = wiegand_codec.make(o, &t->arena, &b, &e);
        json_decref(o);
        CHECK_SAY(t, ok == !all[i].rule && (ok || !strncmp(e.rule, all[i].rule, strlen(all[i].rule))), "%s: %s",
                  all[i].json, e.rule);
        if (ok) CHECK_SAY(t, str_is((struct str){b.ptr, b.len}, all[i].bits), "%s: made otherwise", all[i].json);
    }
}

TESTS(CASE(vectors_of_the_sheet), CASE(every_bit_that_flips_is_noticed), CASE(what_is_made_is_read_again),
      CASE(a_number_is_one_however_it_is_typed), CASE(cards_are_made_from_what_they_need))
