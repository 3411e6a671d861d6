/* A plug of Tasmota that measures: it tells its state and its energy, and is switched.  SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/json.h"
#include "main/simulate/talk.h"

#include <inttypes.h>
#include <strings.h>

enum { STATE, POWER, VOLTAGE, RSSI, ENERGY };
static const struct sim_range ranges[] = {
    [POWER] = {52, 1, 2300, 4}, [VOLTAGE] = {228, 210, 240, 1}, [RSSI] = {80, 10, 100, 4}};

static void at(struct sim_talk *t, const char *prefix, const char *message) {
    sim_topic(t, "%s/", prefix);
    sim_put_name(t->o, t->d, &t->topic);
    buf_fmt(&t->topic, "/%s", message);
}

/* Local time, without a zone. */
static void put_time(struct sim_talk *t, struct jw *j) {
    char mem[32];
    struct buf b;
    buf_init(&b, mem, sizeof mem);
    sim_put_local(&b, t->at_ms);
    jw_kcstr(j, "Time", mem);
}

static const char *state_of(const struct sim_talk *t) {
    return t->d->values[STATE] != 0 ? "ON" : "OFF";
}

static void put_state(struct sim_talk *t, struct jw *j) {
    int rssi = sim_walk(t->d, RSSI, &ranges[RSSI]);
    jw_open(j, '{');
    put_time(t, j);
    jw_put(j, "'Uptime':'0T01:00:00','UptimeSec':$,'Heap':26,'POWER':$,'Wifi':{'AP':1,'RSSI':$,'Signal':$}}",
           JV(J_I64(3600 + t->d->serial), J_CSTR(state_of(t)), J_I64(rssi), J_I64(rssi / 2 - 100)));
}

static void put_sensor(struct sim_talk *t, struct jw *j) {
    bool is_on = t->d->values[STATE] != 0;
    int watts = is_on ? sim_walk(t->d, POWER, &ranges[POWER]) : 0, volts = sim_walk(t->d, VOLTAGE, &ranges[VOLTAGE]);
    t->d->values[ENERGY] += watts * 10; /* Ws, as if 10 s had passed */
    double kwh = (double)(int64_t)(t->d->values[ENERGY] / 3600) / 1000;
    jw_open(j, '{');
    put_time(t, j);
    jw_put(j,
           "'ENERGY':{'TotalStartTime':'2026-01-01T00:00:00','Total':$,'Yesterday':0.21,'Today':$,'Power':$,"
           "'ApparentPower':$,'ReactivePower':$,'Factor':$,'Voltage':$,'Current':$}}",
           JV(J_F64(kwh), J_F64(kwh), J_I64(watts), J_I64(watts * 8 / 7), J_I64(watts / 2), J_F64(is_on ? 0.87 : 0),
              J_I64(volts), J_F64((double)(int64_t)(watts * 8000.0 / 7 / volts) / 1000)));
}

static void say(struct sim_talk *t) {
    struct jw j;
    bool is_sensor = sim_random(t->d) % 2;
    at(t, "tele", is_sensor ? "SENSOR" : "STATE");
    jw_init(&j, &t->payload);
    if (is_sensor)
        put_sensor(t, &j);
    else
        put_state(t, &j);
    sim_publish(t, false);
}

static void will(struct sim_talk *t) {
    at(t, "tele", "LWT");
    buf_cstr(&t->payload, "Offline");
}

static void born(struct sim_talk *t) {
    at(t, "tele", "LWT");
    sim_publish_text(t, true, "Online");
}

static bool filter(const struct sim_talk *t, size_t i, struct buf *out) {
    if (i) return false;
    buf_cstr(out, "cmnd/");
    sim_put_name(t->o, t->d, out);
    buf_cstr(out, "/#");
    return true;
}

static void say_power(struct sim_talk *t) {
    struct jw j;
    at(t, "stat", "RESULT");
    jw_init(&j, &t->payload);
    jw_put(&j, "{'POWER':$}", JV(J_CSTR(state_of(t))));
    sim_publish(t, false);
    at(t, "stat", "POWER");
    sim_publish_text(t, false, state_of(t));
}

/* Status 8 and 10 are what it measures, 11 is its state. */
static bool say_status(struct sim_talk *t, struct str which) {
    bool is_state = str_is(which, "11");
    struct jw j;
    if (!is_state && !str_is(which, "8") && !str_is(which, "10")) return false;
    at(t, "stat", "STATUS");
    buf_str(&t->topic, which);
    jw_init(&j, &t->payload);
    jw_open(&j, '{');
    jw_key(&j, is_state ? "StatusSTS" : "StatusSNS");
    if (is_state)
        put_state(t, &j);
    else
        put_sensor(t, &j);
    jw_close(&j, '}');
    sim_publish(t, false);
    return true;
}

static void told(struct sim_talk *t, struct str topic, struct bytes payload) {
    struct str rest = topic, level = topic, value = {(const char *)payload.ptr, payload.len};
    while (str_cut(&rest, '/', &level)) continue;
    bool is_power = (level.len == 5 || (level.len == 6 && level.ptr[5] == '1')) && !strncasecmp(level.ptr, "power", 5);
    bool is_status = level.len == 6 && !strncasecmp(level.ptr, "status", 6);
    if (is_power && (!value.len || sim_switched(value, &t->d->values[STATE]))) {
        say_power(t);
    } else if (!is_status || !say_status(t, value)) {
        at(t, "stat", "RESULT");
        sim_publish_text(t, false, "{\"Command\":\"Unknown\"}");
    }
}

static const struct sim_convention convention = {
    .is_will_kept = true, .will = will, .filter = filter, .born = born, .say = say, .told = told};
const struct sim_protocol sim_tasmota = {.name = "tasmota", SIM_TALKS(convention)};
