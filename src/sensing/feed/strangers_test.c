/* Who waits, in what order, and who is remembered.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/feed/strangers.h"

#include "tests/lib/test.h"

#include <stdio.h>
#include <string.h>

static bool hear(struct strangers *s, int64_t community_id, int number, int64_t now_ms) {
    char code[16];
    snprintf(code, sizeof code, "d%d", number);
    return strangers_hear(s, community_id, str_of(code), "line", NULL, now_ms);
}

static void they_wait_once_and_in_order(struct t *t) {
    struct strangers *s = strangers_create();
    struct stranger first[3];
    CHECK(t, hear(s, 1, 0, 0) && hear(s, 1, 1, 0) && hear(s, 2, 0, 0));
    CHECK(t, !hear(s, 1, 0, 0) && !hear(s, 2, 0, 0));
    CHECK(t, strangers_first(s, first, 2) == 2 && !strcmp(first[0].code, "d0") && !strcmp(first[1].code, "d1"));
    CHECK(t, !strcmp(first[0].line, "line"));
    CHECK(t, !hear(s, 1, 0, 0)); /* looked at, not settled */
    strangers_settle(s, 1, 0);
    CHECK(t, strangers_first(s, first, 3) == 2 && !strcmp(first[0].code, "d1") && first[1].community_id == 2);
    CHECK(t, strangers_came(s) == 3 && strangers_settled(s) == 1);
    strangers_settle(s, 2, 0);
    CHECK(t, strangers_first(s, first, 3) == 0 && strangers_settled(s) == 3);
    strangers_destroy(s);
}

static void no_more_wait_than_there_is_room_for(struct t *t) {
    struct strangers *s = strangers_create();
    for (int i = 0; i < STRANGERS_MAX; i++) CHECK(t, hear(s, 1, i, 0));
    CHECK(t, !hear(s, 1, STRANGERS_MAX, 0) && strangers_came(s) == STRANGERS_MAX);
    strangers_settle(s, 1, 0);
    CHECK(t, hear(s, 1, STRANGERS_MAX, 0) && !hear(s, 1, STRANGERS_MAX + 1, 0));
    strangers_destroy(s);
}

static void one_settled_is_new_again_after_a_while(struct t *t) {
    static const struct {
        int64_t after_ms;
        bool is_new;
    } rows[] = {{0, false}, {STRANGERS_KEPT_MS - 1, false}, {STRANGERS_KEPT_MS, true}, {STRANGERS_KEPT_MS + 1, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct strangers *s = strangers_create();
        CHECK(t, hear(s, 1, 7, 1000));
        strangers_settle(s, 1, 1000);
        CHECK_SAY(t, hear(s, 1, 7, 1000 + rows[i].after_ms) == rows[i].is_new, "%lld", (long long)rows[i].after_ms);
        CHECK(t, hear(s, 2, 7, 1000)); /* of another community: another device */
        strangers_destroy(s);
    }
}

static void a_flood_is_forgotten_first_where_there_is_no_room(struct t *t) {
    struct strangers *s = strangers_create();
    int again = 0;
    for (int i = 0; i < 20 * STRANGERS_LATELY; i++) {
        CHECK(t, hear(s, 1, i, i));
        strangers_settle(s, 1, i);
        CHECK(t, !hear(s, 1, i, i)); /* the newest is known whatever came before */
    }
    for (int i = 0; i < 20 * STRANGERS_LATELY && strangers_came(s) - strangers_settled(s) < STRANGERS_MAX; i++)
        again += hear(s, 1, i, 20 * STRANGERS_LATELY);
    CHECK_SAY(t, again == STRANGERS_MAX, "%d", again); /* the first ones are forgotten */
    strangers_destroy(s);
}

static void a_code_of_full_length_is_kept_whole(struct t *t) {
    struct strangers *s = strangers_create();
    struct stranger first;
    char code[TELEMETRY_DEVICE_MAX];
    memset(code, 'x', sizeof code);
    CHECK(t, strangers_hear(s, 1, (struct str){code, sizeof code}, NULL, NULL, 0));
    CHECK(t, !strangers_hear(s, 1, (struct str){code, sizeof code}, NULL, NULL, 0));
    CHECK(t, strangers_first(s, &first, 1) == 1 && strlen(first.code) == sizeof code && !first.line[0]);
    strangers_settle(s, 1, 0);
    CHECK(t, !strangers_hear(s, 1, (struct str){code, sizeof code}, NULL, NULL, 1));
    strangers_destroy(s);
}

TESTS(CASE(they_wait_once_and_in_order), CASE(no_more_wait_than_there_is_room_for),
      CASE(one_settled_is_new_again_after_a_while), CASE(a_flood_is_forgotten_first_where_there_is_no_room),
      CASE(a_code_of_full_length_is_kept_whole))
