/* Whose figures: each community sees what its own devices say, and who tries their log-ins.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "sensing/mqtt/site_test_internal.h"

#define PUMP_1 "linli/e1/pump/telemetry"
#define PUMP_2 "linli/e2/pump/telemetry"

struct two { /* estates with a device "pump" each */
    struct site s, second;
};

static enum err second_estate(struct ctx *ctx, void *arg) {
    struct place p = {0};
    SET(&places, &p, name, S("second"));
    SET(&places, &p, code, S("e2"));
    SET(&places, &p, kind, S("estate"));
    SET(&places, &p, keeps_records, true);
    TRY(row_create(ctx, &places, &p));
    ((struct site *)arg)->estate = p.row.id;
    return OK;
}

static void start(struct two *two, struct t *t) {
    site_start(&two->s, t);
    two->second = two->s;
    site_do(&two->s, second_estate, &two->second);
    site_do(&two->s, device_make, &(struct device_wish){&two->second, "pump", true, &two->second.pump});
}

static void add_second(void *arg) {
    struct two *two = arg;
    figures_book_add(mqtt_line_figures(two->s.mqtt), two->second.estate);
}

static struct figures *nobody(struct two *two) {
    return figures_of(mqtt_line_figures(two->s.mqtt), 0);
}

static bool has_seen(const struct figures *f, const char *about) {
    for (uint32_t i = 0; i < f->good_n && i < FIGURES_GOOD_MAX; i++)
        if (!strcmp(f->good_samples[i].about, about)) return true;
    for (uint32_t i = 0; i < f->bad_n && i < FIGURES_BAD_MAX; i++)
        if (!strcmp(f->bad_samples[i].about, about)) return true;
    return false;
}

static void a_publish_is_shown_to_its_community_alone(struct t *t) {
    struct two two;
    struct peer a, b;
    start(&two, t);
    test_on_loop(two.s.tl.loop, add_second, &two);
    CHECK(t, peer_connect(&a, &two.s, MQTT_V5, connect_of(&two.s.pump, "a")) == 0);
    CHECK(t, peer_connect(&b, &two.s, MQTT_V5, connect_of(&two.second.pump, "b")) == 0);
    for (int i = 1; i <= 3; i++) CHECK(t, peer_tell(&a, PUMP_1, i, "{\"level\":1}") == 0);
    CHECK(t, peer_tell(&a, PUMP_1, 4, "{") == MQTT_BAD_PAYLOAD);
    CHECK(t, peer_tell(&b, PUMP_2, 1, "{\"level\":2}") == 0);
    CHECK(t, peer_tell(&b, PUMP_1, 2, "{\"level\":3}") == MQTT_NOT_AUTHORIZED); /* its own line shows that it tried */
    const struct figures *one = line_of(&two.s), *other = line_of(&two.second);
    CHECK(t, one != other && one->frames == 3 && one->bad == 1 && one->connections == 1);
    CHECK(t, other->frames == 1 && other->bad == 1 && other->connections == 1);
    CHECK(t, has_seen(one, PUMP_1) && !has_seen(one, PUMP_2) && one->bad_samples[0].len == 1);
    CHECK(t, has_seen(other, PUMP_2) && other->bad_n == 1 && !strcmp(other->bad_samples[0].about, PUMP_1));
    CHECK(t, !strcmp(one->good_samples[0].device, "pump") && !strcmp(one->bad_samples[0].device, "pump"));
    CHECK(t, !strcmp(other->good_samples[0].device, "pump") && !other->bad_samples[0].device[0]);
    CHECK(t, other->bytes > 0 && other->bytes < one->bytes && !nobody(&two)->connections);
    peer_shut(&a), peer_shut(&b);
    CHECK(t, site_until(&two.s, nobody_is_connected));
    CHECK(t, !one->connections && !other->connections && one->connections_total == 1 && !nobody(&two)->connections);
    site_stop(&two.s);
}

/* Where a community has no line of MQTT nobody looks at what its devices say: it is counted. */
static void what_has_no_line_is_counted_and_not_kept(struct t *t) {
    struct two two;
    struct peer b;
    start(&two, t);
    CHECK(t, peer_connect(&b, &two.s, MQTT_V5, connect_of(&two.second.pump, "b")) == 0);
    CHECK(t, peer_tell(&b, PUMP_2, 1, "{\"level\":2}") == 0 && peer_tell(&b, PUMP_2, 2, "{") == MQTT_BAD_PAYLOAD);
    CHECK(t, !figures_own(mqtt_line_figures(two.s.mqtt), two.second.estate) && !line_of(&two.s)->frames);
    CHECK(t, nobody(&two)->frames == 1 && nobody(&two)->bad == 1 && nobody(&two)->connections == 1);
    CHECK(t, !nobody(&two)->good_n && !nobody(&two)->bad_n);
    test_on_loop(two.s.tl.loop, add_second, &two); /* a line is made while it is connected */
    CHECK(t, peer_tell(&b, PUMP_2, 3, "{\"level\":2}") == 0);
    const struct figures *line = line_of(&two.second);
    CHECK(t, line->frames == 1 && line->connections == 1 && !nobody(&two)->connections);
    peer_shut(&b);
    CHECK(t, site_until(&two.s, nobody_is_connected) && !line->connections && !nobody(&two)->connections);
    site_stop(&two.s);
}

static void who_tries_a_log_in_is_shown_to_whom_the_device_belongs(struct t *t) {
    struct two two;
    struct peer p;
    start(&two, t);
    test_on_loop(two.s.tl.loop, add_second, &two);
    struct mqtt_packet c = connect_of(&two.second.pump, "c");
    c.password = (struct bytes){(const uint8_t *)"wrong", 5};
    CHECK(t, peer_connect(&p, &two.s, MQTT_V5, c) == MQTT_BAD_USER && peer_ends(&p, 0));
    const struct figures *line = line_of(&two.second);
    CHECK(t, line->bad == 1 && line->bad_n == 1 && !strcmp(line->bad_samples[0].about, two.second.pump.user));
    CHECK(t, !strcmp(line->bad_samples[0].rule, "wrong user or password") && !line_of(&two.s)->bad);
    c.user = S("d1"); /* of no device */
    CHECK(t, peer_connect(&p, &two.s, MQTT_V5, c) == MQTT_BAD_USER && peer_ends(&p, 0));
    CHECK(t, line->bad == 1 && !line_of(&two.s)->bad && nobody(&two)->bad == 1 && !nobody(&two)->bad_n);
    CHECK(t, figures(&two.s).wrong_passwords == 2);
    site_stop(&two.s);
}

/* One of a right clock takes no place; who told a wrong time is right again once it tells a right one. */
static void a_time_that_is_off_is_known_of_its_device(struct t *t) {
    struct two two;
    struct peer a;
    struct heard_device how;
    char text[96];
    start(&two, t);
    CHECK(t, peer_connect(&a, &two.s, MQTT_V5, connect_of(&two.s.pump, "a")) == 0);
    struct heard *clocks = line_of(&two.s)->clocks;
    const int64_t now = t->world.utc_ms(t->world.self);
    static const struct {
        int64_t ahead_ms;
        bool is_known;
    } all[] = {{-HEARD_CLOCK_OFF_MS + 1, false}, {-7200000, true}, {86400000, true}};
    for (size_t i = 0; i < COUNT(all); i++) {
        snprintf(text, sizeof text, "{\"ts\":%lld,\"level\":1}", (long long)(now + all[i].ahead_ms));
        CHECK(t, peer_tell(&a, PUMP_1, (int)i + 1, text) == 0);
        bool is_known = heard_get(clocks, S("pump"), &how);
        CHECK_SAY(t, is_known == all[i].is_known && (!is_known || how.skew_ms == all[i].ahead_ms), "%zu %lld", i,
                  is_known ? (long long)how.skew_ms : 0);
    }
    world_sim_advance(&t->sim, HEARD_CLOCK_MS + 1);
    snprintf(text, sizeof text, "{\"ts\":%lld,\"level\":1}", (long long)t->world.utc_ms(t->world.self));
    CHECK(t, peer_tell(&a, PUMP_1, 9, text) == 0);
    CHECK(t, heard_get(clocks, S("pump"), &how) && !how.skew_ms);
    peer_shut(&a);
    site_stop(&two.s);
}

TESTS(CASE(a_time_that_is_off_is_known_of_its_device), CASE(a_publish_is_shown_to_its_community_alone),
      CASE(what_has_no_line_is_counted_and_not_kept), CASE(who_tries_a_log_in_is_shown_to_whom_the_device_belongs))
