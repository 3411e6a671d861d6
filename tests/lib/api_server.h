/* A server of the api over the test module, on a loop of its own: for tests that ask through a socket.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_TESTS_LIB_API_SERVER_H
#define LINLI_TESTS_LIB_API_SERVER_H

#include "api/api.h"
#include "net/client.h"
#include "net/testing.h"
#include "tests/lib/test.h"
#include "tests/lib/test_module.h"

#define API_SERVER_KEPT 512

/* A token is "ROLE.PLACE.PERSON.UNIT": whoever says it is that. */
struct api_server {
    struct t *t;
    struct test_loop loop;
    struct db_pool *pool;
    struct kernel *kernel;
    struct api *api;
    struct api_with with[3];
    struct http_server *http;
    struct io io;
    int port;
    struct test_estate estate;
    char chief[96], manager[96], worker[96], anna[96], viewer[96]; /* tokens */
    json_t *kept[API_SERVER_KEPT];
    size_t kept_n;
    char dir[200];
};
struct api_got {
    int status;
    json_t *json;              /* NULL: the body is no JSON; the server's test keeps it */
    struct client_reply reply; /* lives in t->arena */
};

void api_server_start(struct api_server *s, struct t *t);
/* Over every module of the program instead, with an empty store: callers log in. */
void api_server_start_all(struct api_server *s, struct t *t);
/* Over other modules, among them api_test_module, and rows that `make` puts there as the system. */
struct api_world {
    const struct module *const *modules;
    size_t modules_n;
    enum err (*make)(struct ctx *ctx, void *arg);
    void *arg;
    const struct str *words; /* catalogues; NULL: the test module's */
    size_t words_n;
};
extern const struct module api_test_module; /* brings the tokens */
void api_server_open(struct api_server *s, struct t *t, const struct api_world *world);
/* Runs a case again with the rows in a fresh PostgreSQL database. */
void api_on_postgres(struct t *t, void (*run)(struct t *t));
/* Runs a case on SQLite over a registered VFS. */
void api_on_vfs(struct t *t, const char *vfs, void (*run)(struct t *t));
void api_server_stop(struct api_server *s);
/* Ends the log-in of everybody whose token begins so ("" : nobody's any more). */
void api_server_revoke(const char *token);

/* headers: "Name: value" lines, or NULL.  token NULL: nobody.  body NULL: none; else JSON unless the headers say. */
struct api_got api_ask(struct api_server *s, const char *token, const char *method, const char *target,
                       const char *headers, const char *body);
struct api_got api_ask_bytes(struct api_server *s, const char *token, const char *method, const char *target,
                             const char *headers, struct bytes body);
/* Text at a path of keys and indexes, "items.0.name"; "" when it is not there; numbers and words as JSON. */
const char *api_at(const struct api_got *g, const char *path);
bool api_holds(const struct api_got *g, const char *text); /* is it somewhere in the body? */
struct str api_header(const struct api_got *g, const char *name);
/* Runs fn as the system on a connection of the pool. */
void api_as_system(struct api_server *s, enum err (*fn)(struct ctx *ctx, void *arg), void *arg);

#endif
