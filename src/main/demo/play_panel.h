/* The demo's fire panel: a GB/T 26875.3 transmission device that holds its line and repeats what is not confirmed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_MAIN_DEMO_PLAY_PANEL_H
#define LINLI_MAIN_DEMO_PLAY_PANEL_H

#include "base/log.h"
#include "net/loop.h"

#define PLAY_PANEL_ADDRESS 889   /* its source address, and so the device's code */
#define PLAY_PANEL_WAIT_MS 10000 /* for a confirmation */
#define PLAY_PANEL_TRIES   3     /* both as GB/T 26875.3-2011 suggests; then the line is opened anew */

struct play_panel;
struct play_panel_options { /* kept, but for address */
    struct loop *loop;
    const struct world *world;
    const struct log *log;
    const char *address; /* numeric */
    int port;
    int64_t clock_ahead_s; /* the panel's clock is local: seconds ahead of UTC */
};
struct play_panel *play_panel_create(const struct play_panel_options *options); /* NULL: out of memory */
/* All on the loop thread.  A detector reports fire; one report at a time, another one meanwhile is left out. */
void play_panel_fire(struct play_panel *p);
void play_panel_tick(struct play_panel *p);  /* about once a second */
void play_panel_close(struct play_panel *p); /* before the loop ends; NULL is fine */
void play_panel_free(struct play_panel *p);  /* after the loop; NULL is fine */

#endif
