/* Gateways and nodes that speak over MQTT 3.1.1, whose convention is a row: what they say as they come, what next, what
 * they do when they are told, what the broker says once they are gone.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_SIMULATE_TALK_H
#define LINLI_MAIN_SIMULATE_TALK_H

#include "main/simulate/simulate.h"

#define SIM_TOPIC_MAX   200
#define SIM_PAYLOAD_MAX 1400

struct sim_talk {
    const struct sim_options *o;
    struct sim_device *d;
    const char *base; /* of topics */
    int64_t at_ms;    /* by its clock */
    struct buf *out;  /* packets */
    uint16_t id;      /* of the next publish, which has QoS 1; 0: QoS 0 */
    struct buf topic, payload;
    char topic_mem[SIM_TOPIC_MAX], payload_mem[SIM_PAYLOAD_MAX];
    bool is_bad; /* something did not fit */
};
struct sim_convention {
    const char *base;                 /* unless another is asked for */
    bool is_will_kept;                /* by the broker */
    bool is_never_sure;               /* all it says has QoS 0: an echo of the broker's says that it came */
    void (*will)(struct sim_talk *t); /* sets topic and payload */
    bool (*filter)(const struct sim_talk *t, size_t i, struct buf *out); /* what it hears; false: no more */
    void (*born)(struct sim_talk *t);
    void (*say)(struct sim_talk *t); /* publishes once */
    void (*told)(struct sim_talk *t, struct str topic, struct bytes payload);
};

void sim_topic(struct sim_talk *t, const char *fmt, ...) PRINTF(2, 3); /* of the next publish; empties the payload */
void sim_publish(struct sim_talk *t, bool is_kept);
void sim_publish_text(struct sim_talk *t, bool is_kept, const char *payload);
/* "ON", "off", "1", "TOGGLE" …  False: another word. */
bool sim_switched(struct str word, double *is_on);
/* Thousandths as "21.5" in JSON. */
struct jw;
void sim_put_value(struct jw *j, const char *key, int v, int scale);

bool sim_talk_greet(const struct sim_options *o, struct sim_device *d, struct buf *out);
bool sim_talk_speak(const struct sim_options *o, struct sim_device *d, int64_t now_ms, struct buf *out);
enum sim_heard sim_talk_hear(struct bytes in, size_t *ret_used, uint16_t *ret_serial);
bool sim_talk_answer(const struct sim_options *o, struct sim_device *d, struct bytes heard, struct buf *out);
#define SIM_TALKS(of)                                                                                               \
    .port = 1883, .faults = SIM_PUSH_FAULTS, .convention = &(of), .greet = sim_talk_greet, .speak = sim_talk_speak, \
    .hear = sim_talk_hear, .answer = sim_talk_answer

#endif
