/* Lines to brokers that an estate has already: opened as their rows say.  SPDX-License-Identifier: Apache-2.0 */
#include "sensing/lines/lines_internal.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

bool line_is_client(const struct line_spec *s) {
    return !strcmp(s->kind, "mqtt-client");
}

bool line_client_is_otherwise(const struct line_spec *a, const struct line_spec *b) {
    return a->tls != b->tls || strcmp(a->user, b->user) != 0 || strcmp(a->secret, b->secret) != 0 ||
           strcmp(a->topics, b->topics) != 0 || strcmp(a->community, b->community) != 0;
}

void line_client_look(struct line_set *l, struct line_entry *e) {
    const struct line_spec *s = &e->spec;
    struct str why;
    bool is_open = mqtt_client_is_open(e->client, &why);
    pthread_mutex_lock(&l->lock);
    e->state = is_open ? LINE_OPEN : LINE_FAILED;
    utf8_copy(e->problem, sizeof e->problem, is_open ? S("") : why);
    snprintf(e->address, sizeof e->address, "%.55s:%d", s->host, mqtt_client_port(s->port, s->tls));
    pthread_mutex_unlock(&l->lock);
}

static void told(void *arg, int64_t command_id, bool is_done, struct str answer) {
    lines_told(arg, command_id, is_done, answer);
}

void line_client_open(struct line_set *l, struct line_entry *e) {
    const struct line_spec *s = &e->spec;
    struct fault f = {0};
    struct mqtt_client *client = NULL;
    enum err err = mqtt_client_open(l->o.loop,
                                    &(struct mqtt_client_options){.line_id = s->id,
                                                                  .name = s->name,
                                                                  .host = s->host,
                                                                  .port = s->port,
                                                                  .tls = s->tls,
                                                                  .user = s->user,
                                                                  .secret = s->secret,
                                                                  .topics = s->topics,
                                                                  .community_id = s->community_id,
                                                                  .community = s->community,
                                                                  .zone = s->zone,
                                                                  .world = l->o.world,
                                                                  .feed = l->o.feed,
                                                                  .figures = e->figures,
                                                                  .heard = e->heard,
                                                                  .told = told,
                                                                  .told_arg = l},
                                    &client, &f);
    pthread_mutex_lock(&l->lock);
    e->client = client;
    e->state = LINE_FAILED;
    utf8_copy(e->problem, sizeof e->problem, str_of(f.text));
    pthread_mutex_unlock(&l->lock);
    if (!err) line_client_look(l, e);
}

bool line_client_tick(struct line_set *l, struct line_entry *e) {
    struct str why;
    (void)l;
    mqtt_client_tick(e->client);
    bool is_open = mqtt_client_is_open(e->client, &why);
    return is_open != (e->state == LINE_OPEN) || (!is_open && !str_is(why, e->problem));
}
