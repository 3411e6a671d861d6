/* Forms of number plates, what is refused and where, how a text becomes a plate.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/plate/plate.h"
#include "tests/lib/vectors.h"

#include <string.h>

static const struct vector rows[] = {
    {.name = "A12 a car",
     .text = "粤B12345",
     .json = "\"kind\":\"civil\",\"plate\":\"粤B12345\",\"province\":\"粤\",\"letters\":\"B\",\"serial\":\"12345\""},
    {.name = "A12 letters in the serial", .text = "京A8C7D6", .json = "\"kind\":\"civil\""},
    {.name = "A12 a small car of new energy",
     .text = "粤BD12345",
     .json =
         "\"kind\":\"nev_small\",\"plate\":\"粤BD12345\",\"province\":\"粤\",\"letters\":\"B\",\"serial\":\"D12345\","
         "\"energy\":\"electric\""},
    {.name = "A12 another one", .text = "沪AF01234", .json = "\"energy\":\"other\""},
    {.name = "A12 a large one", .text = "粤B12345D", .json = "\"kind\":\"nev_large\""},
    {.name = "A12 a trailer",
     .text = "浙A1234挂",
     .json = "\"kind\":\"suffix\",\"plate\":\"浙A1234挂\",\"province\":\"浙\",\"letters\":\"A\",\"serial\":\"1234\","
             "\"suffix\":\"挂\""},
    {.name = "A12 police", .text = "京A1234警", .json = "\"kind\":\"suffix\""},
    {.name = "A12 Macau", .text = "粤ZJ068澳", .json = "\"kind\":\"hk_macau\""},
    {.name = "a learner", .text = "川A1234学", .json = "\"suffix\":\"学\""},
    {.name = "Hong Kong", .text = "粤ZF123港", .json = "\"suffix\":\"港\""},
    {.name = "armed police",
     .text = "WJ京12345",
     .json = "\"kind\":\"armed_police\",\"plate\":\"WJ京12345\",\"province\":\"京\",\"letters\":\"WJ\",\"serial\":"
             "\"12345\""},
    {.name = "armed police with a letter", .text = "WJ粤1234X", .json = "\"kind\":\"armed_police\""},
    {.name = "military", .text = "KA12345", .json = "\"kind\":\"military\",\"plate\":\"KA12345\",\"letters\":\"KA\""},
    {.name = "aviation", .text = "民航A1234", .json = "\"kind\":\"aviation\""},
    {.name = "an embassy",
     .text = "123456使",
     .json = "\"kind\":\"embassy\",\"plate\":\"123456使\",\"serial\":\"123456\""},
    {.name = "an embassy, before 2017", .text = "使123456", .json = "\"suffix\":\"使\""},
    {.name = "as people write it", .text = " 粤b·123-45 ", .json = "\"plate\":\"粤B12345\""},
    {.name = "full width", .text = "粤Ｂ１２３４５", .json = "\"plate\":\"粤B12345\""},
    {.name = "none", .text = "无牌", .json = "\"kind\":\"none\",\"plate\":\"\""},
    {.name = "none, as cameras say it", .text = "_无_", .json = "\"kind\":\"none\""},
    {.name = "nothing", .text = "", .json = "\"kind\":\"none\""},
    {.name = "no province", .text = "鹿B12345", .rule = "GA 36: a plate begins with one of 31", .at = 0},
    {.name = "the letter I", .text = "粤I12345", .rule = "GA 36: behind the province", .at = 3},
    {.name = "the letter O", .text = "粤B12O45", .rule = "GA 36: a serial", .at = 6},
    {.name = "six characters", .text = "粤B1234", .rule = "GA 36: a plate has seven characters", .at = 8},
    {.name = "one letter too many", .text = "粤BL12345", .rule = "GA 36: a plate has at most eight", .at = 9},
    {.name = "nine characters", .text = "粤BD123456", .rule = "GA 36: a plate has at most eight", .at = 10},
    {.name = "thirteen", .text = "粤BD1234567890", .rule = "GA 36: a plate has at most eight", .at = 14},
    {.name = "a letter where digits are", .text = "粤BD1234A", .rule = "GA 36: a digit", .at = 9},
    {.name = "another end", .text = "粤A1234狗", .rule = "GA 36: ", .at = 8},
    {.name = "no UTF-8", .text = "\xe7\xb2", .rule = "GA 36: this is no plate", .at = 0},
};

static void forms_of_the_sheet(struct t *t) {
    vectors_check(t, &plate_codec, rows, COUNT(rows));
}

static void a_vehicle_carries_several(struct t *t) {
    struct str rest = S("粤ZJ068澳||MX7742| |ZM127|"), one;
    static const char *const want[] = {"粤ZJ068澳", "MX7742", "ZM127"};
    size_t n = 0;
    for (; plate_next(&rest, &one); n++) CHECK(t, n < COUNT(want) && str_is(one, want[n]));
    CHECK(t, n == COUNT(want));
}

static void the_normal_form_is_read_as_itself(struct t *t) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct plate p, again;
        struct wire_error e;
        if (rows[i].rule) continue;
        CHECK(t, plate_read(str_of(rows[i].text), &p, &e) && plate_read(str_of(p.text), &again, &e));
        CHECK_SAY(t, again.kind == p.kind && !strcmp(again.text, p.text), "%s: %s", rows[i].name, again.text);
    }
}

TESTS(CASE(forms_of_the_sheet), CASE(a_vehicle_carries_several), CASE(the_normal_form_is_read_as_itself))
