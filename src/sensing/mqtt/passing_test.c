/* Who stands before a door, over MQTT: acknowledged once it is put down, told to the door by a command, kept in no
 * sample.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/mqtt/mqtt_internal.h"
#include "sensing/mqtt/site_test_internal.h"

#define PASSING  "linli/e1/pump/passing"
#define PASSAGES "SELECT COUNT(*) FROM passages"

/* The pump is a door, too. */
static enum err make_a_door(struct ctx *ctx, void *arg) {
    struct site *s = arg;
    static struct model_command told[] = {
        {.has = 0x39, .command = {"open", 4}, .item = {"open", 4}, .value = {"3", 1}, .dangerous = true},
        {.has = 0x19, .command = {"refused", 7}, .item = {"refused", 7}, .value = {"beep", 4}}};
    struct device_model m = {0};
    struct device d = {0};
    struct pass p = {0};
    bool found;
    SET(&device_models, &m, code, S("door"));
    SET(&device_models, &m, name, S("door"));
    SET(&device_models, &m, commands, (struct lines){told, COUNT(told)});
    TRY(row_create(ctx, &device_models, &m));
    TRY(device_by_code(ctx, s->estate, S("pump"), &d, &found));
    struct device patch = {0};
    SET(&devices, &patch, model, S("door"));
    SET(&devices, &patch, place_id, s->estate);
    TRY(row_update(ctx, &devices, d.row.id, 0, &patch, patch.row.has, NULL));
    SET(&passes, &p, kind, S("code"));
    SET(&passes, &p, value, S("135790"));
    SET(&passes, &p, place_id, s->estate);
    return row_create(ctx, &passes, &p);
}

static int64_t told(struct site *s, const char *command) {
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM commands WHERE command = '%s'", command);
    return site_count(s, sql);
}

static void whoever_may_pass_is_let_in_once(struct t *t) {
    struct site s;
    struct peer p;
    site_start(&s, t);
    site_do(&s, make_a_door, &s);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_tell(&p, PASSING, 1, "{\"pin\":\"135790\",\"id\":\"a\",\"way\":\"in\"}") == 0);
    CHECK(t, site_count(&s, PASSAGES " WHERE granted AND direction = 'in' AND serial = 'a'") == 1);
    CHECK(t, told(&s, "open") == 1);
    CHECK(t,
          peer_tell(&p, PASSING, 1, "{\"pin\":\"135790\",\"id\":\"a\",\"way\":\"in\"}") == 0); /* its PUBACK was lost */
    CHECK(t, told(&s, "open") == 1 && site_count(&s, PASSAGES) == 1);
    CHECK(t, peer_tell(&p, PASSING, 2, "{\"pin\":\"246800\",\"id\":\"b\"}") == 0);
    CHECK(t, told(&s, "open") == 1 && told(&s, "refused") == 1);
    CHECK(t, peer_tell(&p, PASSING, 3, "{\"pin\":\"135790\",\"id\":\"c\",\"late\":true,\"at\":1750000000000}") == 0);
    CHECK(t, told(&s, "open") == 1 && site_count(&s, PASSAGES " WHERE why = 'late' AND at_ms = 1750000000000") == 1);
    peer_shut(&p);
    site_stop(&s);
}

static void what_is_wrong_is_told_and_kept_nowhere(struct t *t) {
    struct site s;
    struct peer p, other;
    site_start(&s, t);
    CHECK(t, peer_connect(&p, &s, MQTT_V5, connect_of(&s.pump, "c")) == 0);
    CHECK(t, peer_connect(&other, &s, MQTT_V5, connect_of(&s.lamp, "d")) == 0);
    CHECK(t, peer_tell(&p, PASSING, 1, "{\"pin\":\"12\"}") == MQTT_BAD_PAYLOAD);
    CHECK(t, !strncmp(last_bad(&s)->rule, "door pin", 8) && !last_bad(&s)->len && figures(&s).bad == 1);
    CHECK(t, peer_tell(&p, PASSING, 2, "{\"device\":\"lamp\",\"pin\":\"1234\"}") == MQTT_BAD_PAYLOAD);
    CHECK(t, peer_tell(&other, PASSING, 3, "{\"pin\":\"1234\"}") == MQTT_NOT_AUTHORIZED);
    CHECK(t, site_count(&s, PASSAGES) == 0);
    CHECK(t, peer_tell(&p, PASSING, 4, "{\"pin\":\"1234\"}") == 0);
    CHECK(t,
          site_count(&s, PASSAGES " WHERE NOT granted") == 1 && site_count(&s, "SELECT COUNT(*) FROM commands") == 0);
    peer_shut(&p);
    peer_shut(&other);
    site_stop(&s);
}

TESTS(CASE(whoever_may_pass_is_let_in_once), CASE(what_is_wrong_is_told_and_kept_nowhere))
