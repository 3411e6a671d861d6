/* Log-in over a socket: what a guesser gets, also when he asks many times at once.  SPDX-License-Identifier: Apache-2.0
 */
#include "tests/lib/api_server.h"

#define AT_ONCE 16

static const char first[] = "{\"user\":\"chief\",\"password\":\"correct horse\"}";
static const char wrong[] = "{\"user\":\"chief\",\"password\":\"wrong horse\"}";

static void start(struct api_server *s, struct t *t) {
    api_server_start_all(s, t);
    CHECK(t, api_ask(s, NULL, "POST", "/api/v1/public/first", NULL, first).status == 204);
}

static int try(struct api_server *s, const char *body) {
    return api_ask(s, NULL, "POST", "/api/v1/login", NULL, body).status;
}

struct guess {
    struct api_server *s;
    pthread_t thread;
    int status;
};

static void *guess(void *arg) {
    static const struct http_header json = {S("Content-Type"), S("application/json")};
    struct guess *g = arg;
    struct arena arena;
    struct client_reply reply = {0};
    struct client_ask ask = {"POST", "/api/v1/login", &json, 1, {(const uint8_t *)wrong, sizeof wrong - 1}};
    arena_init(&arena, 1u << 20);
    if (!client_call("127.0.0.1", g->s->port, &ask, PEER_WAIT_MS, &arena, &reply)) g->status = reply.status;
    arena_finish(&arena);
    return NULL;
}

static void many_guesses_at_once_get_no_more_tries_than_one_after_another(struct t *t) {
    struct api_server s;
    struct guess all[AT_ONCE] = {0};
    int told = 0, locked = 0;
    start(&s, t);
    for (int i = 0; i < AT_ONCE; i++) {
        all[i].s = &s;
        if (pthread_create(&all[i].thread, NULL, guess, &all[i])) abort();
    }
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(all[i].thread, NULL);
        told += all[i].status == 401;
        locked += all[i].status == 429;
    }
    CHECK_SAY(t, told == 4 && locked == AT_ONCE - 4, "%d told, %d locked", told, locked);
    CHECK(t, try(&s, first) == 429);
    world_sim_advance(&t->sim, INT64_C(15) * 60 * 1000 - 1);
    CHECK(t, try(&s, first) == 429);
    world_sim_advance(&t->sim, 1);
    CHECK(t, try(&s, first) == 200);
    api_server_stop(&s);
}

static void a_good_log_in_forgets_the_failures_before_it(struct t *t) {
    struct api_server s;
    start(&s, t);
    for (int i = 0; i < 4; i++) CHECK(t, try(&s, wrong) == 401);
    CHECK(t, try(&s, first) == 200);
    for (int i = 0; i < 4; i++) CHECK(t, try(&s, wrong) == 401);
    CHECK(t, try(&s, wrong) == 429);
    api_server_stop(&s);
}

static void unknown_names_are_answered_as_known_ones(struct t *t) {
    static const char nobody[] = "{\"user\":\"nobody\",\"password\":\"wrong horse\"}";
    struct api_server s;
    start(&s, t);
    for (int i = 0; i < 6; i++) {
        struct api_got known = api_ask(&s, NULL, "POST", "/api/v1/login", NULL, wrong);
        struct api_got unknown = api_ask(&s, NULL, "POST", "/api/v1/login", NULL, nobody);
        CHECK(t, known.status == unknown.status && known.status == (i < 4 ? 401 : 429));
        CHECK(t, str_is(str_of(api_at(&known, "detail")), api_at(&unknown, "detail")));
    }
    api_server_stop(&s);
}

static void the_same_on_postgresql(struct t *t) {
    api_on_postgres(t, many_guesses_at_once_get_no_more_tries_than_one_after_another);
    api_on_postgres(t, a_good_log_in_forgets_the_failures_before_it);
}

TESTS(CASE(many_guesses_at_once_get_no_more_tries_than_one_after_another),
      CASE(a_good_log_in_forgets_the_failures_before_it), CASE(unknown_names_are_answered_as_known_ones),
      CASE(the_same_on_postgresql))
