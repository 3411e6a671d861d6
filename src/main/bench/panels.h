/* Fire panels of the field: those with an even number speak GB/T 26875.3 over a few lines that they share, those with
 * an odd one are MQTT 5 clients with a connection each.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_BENCH_PANELS_H
#define LINLI_MAIN_BENCH_PANELS_H

#include "main/bench/child.h"
#include "main/bench/fill.h"
#include "main/bench/wires.h"

#define PANELS_MQTT_MAX 250 /* from the 500th on all speak GB/T 26875.3 */

struct panels;
bool panel_is_mqtt(size_t i);
bool panel_reads(size_t i); /* every other MQTT client says a reading that a rule makes an alarm of, not an event */
/* keys: what fill_site gave, one a panel. */
NODISCARD enum err panels_open(struct wires *ws, const struct child *c, const struct fill_key *keys, size_t n,
                               struct panels **ret, struct fault *f);
bool panels_are_ready(const struct panels *p);  /* every MQTT client is let in */
void panels_fire(struct panels *p, size_t i);   /* once a panel */
size_t panels_answered(const struct panels *p); /* alarms that the server confirmed */
void panels_close(struct panels *p);            /* before wires_close; NULL is fine */

#endif
