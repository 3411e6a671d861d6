/* How the devices of a line answer, counted: asked, answered, refused, and when last.  Written by the loop, read by
 * workers.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_SENSING_LINES_ASKED_H
#define LINLI_SENSING_LINES_ASKED_H

#include "base/json.h"

#define ASKED_MAX 10000 /* devices; further ones are not counted */
struct asked_device {
    int64_t id, answers, refusals, silences; /* silences: questions that nobody answered */
    int64_t last_ms;                         /* of an answer; 0: none yet */
    int64_t midnight_ms;                     /* up to this one midnights were looked for */
    char why[64];                            /* of the last refusal; "": none */
};
struct asked;
struct asked *asked_create(void); /* NULL: out of memory */
void asked_destroy(struct asked *a);
enum asked_how { ASKED_ANSWERED, ASKED_REFUSED, ASKED_SILENT };
void asked_note(struct asked *a, int64_t device_id, enum asked_how how, const char *why, int64_t now_ms);
void asked_midnight(struct asked *a, int64_t device_id, int64_t midnight_ms);
/* Up to `cap` of those that were ever asked, going on behind the last one given before, round and round. */
size_t asked_next(struct asked *a, int64_t *ids, size_t cap);
bool asked_get(struct asked *a, int64_t device_id, struct asked_device *ret); /* false: never asked */

#endif
