/* Writes the tables of base/gb18030 at build time, from what the C library knows of GB 18030: no table is kept in the
 * tree.  SPDX-License-Identifier: Apache-2.0 */
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FOUR_BMP 39420 /* four-byte codes 81308130..8431A439, those of the basic plane */

/* 0: the bytes are no character of the basic plane. */
static unsigned code_of(iconv_t cd, const uint8_t *bytes, size_t n) {
    char in[4], out[8];
    char *from = in, *to = out;
    size_t left = n, room = sizeof out;
    for (size_t i = 0; i < n; i++) in[i] = (char)bytes[i];
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &to, &room) != 0 || left || room != sizeof out - 4) return 0;
    unsigned v = 0;
    for (int i = 0; i < 4; i++) v = v << 8 | (uint8_t)out[i];
    return v <= 0xffff ? v : 0;
}

#define PAIRS (126 * 190)
static unsigned pairs[PAIRS];

static int by_code(const void *a, const void *b) {
    unsigned x = pairs[*(const unsigned *)a], y = pairs[*(const unsigned *)b];
    return (x > y) - (x < y);
}

/* The codes of the pairs, and the pairs in the order of their codes. */
static void put_pairs(iconv_t cd) {
    static unsigned order[PAIRS];
    unsigned n = 0, known = 0;
    for (unsigned lead = 0x81; lead <= 0xfe; lead++)
        for (unsigned trail = 0x40; trail <= 0xfe; trail++)
            if (trail != 0x7f) pairs[n++] = code_of(cd, (uint8_t[]){(uint8_t)lead, (uint8_t)trail}, 2);
    printf("const uint16_t gb18030_pairs[126 * 190] = {");
    for (unsigned i = 0; i < PAIRS; i++) {
        printf("%s%u,", i % 16 ? " " : "\n    ", pairs[i]);
        if (pairs[i]) order[known++] = i;
    }
    qsort(order, known, sizeof order[0], by_code);
    printf("\n};\nconst uint16_t gb18030_order[] = {");
    for (unsigned i = 0; i < known; i++) printf("%s%u,", i % 16 ? " " : "\n    ", order[i]);
    printf("\n};\nconst size_t gb18030_order_n = %u;\n", known);
}

static void put_ranges(iconv_t cd) {
    unsigned from = 0, code = 0, len = 0, n = 0;
    printf("const struct gb18030_range gb18030_ranges[] = {\n");
    for (unsigned i = 0; i <= FOUR_BMP; i++) {
        uint8_t b[4] = {(uint8_t)(0x81 + i / 12600), (uint8_t)(0x30 + i / 1260 % 10), (uint8_t)(0x81 + i / 10 % 126),
                        (uint8_t)(0x30 + i % 10)};
        unsigned v = i < FOUR_BMP ? code_of(cd, b, 4) : 0;
        if (len && v == code + len) {
            len++;
            continue;
        }
        if (len) {
            printf("    {%u, %u, %u},\n", from, code, len);
            n++;
        }
        from = i, code = v, len = v ? 1 : 0;
    }
    printf("};\nconst size_t gb18030_ranges_n = %u;\n", n);
}

int main(void) {
    iconv_t cd = iconv_open("UCS-4BE", "GB18030");
    if ((intptr_t)cd == -1) {
        fprintf(stderr, "the C library does not know GB 18030\n");
        return 1;
    }
    printf("/* Made by tools/gb18030_table.c. */\n#include \"base/gb18030_internal.h\"\n\n");
    put_pairs(cd);
    put_ranges(cd);
    iconv_close(cd);
    return fflush(stdout) ? 1 : 0;
}
