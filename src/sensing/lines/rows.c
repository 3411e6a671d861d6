/* Lines as rows: reading them, writing how they are.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rows.h"
#include "base/utf8.h"
#include "sensing/lines/lines_internal.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t generation = 1, orders = 1;

int64_t line_rows_generation(void) {
    return atomic_load(&generation);
}

static enum err changed(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&generation, 1);
    return OK;
}

int64_t line_orders_generation(void) {
    return atomic_load(&orders);
}

static enum err commanded(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    (void)e;
    atomic_fetch_add(&orders, 1);
    return OK;
}

static struct {
    pthread_mutex_t lock;
    int64_t ids[LINE_FINDS_MAX];
    size_t n;
} finds = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum err find(struct ctx *ctx, const struct event *e) {
    (void)ctx;
    pthread_mutex_lock(&finds.lock);
    if (finds.n < LINE_FINDS_MAX) finds.ids[finds.n++] = e->row_id;
    pthread_mutex_unlock(&finds.lock);
    return OK;
}

size_t line_finds_take(int64_t ids[LINE_FINDS_MAX]) {
    pthread_mutex_lock(&finds.lock);
    size_t n = finds.n;
    memcpy(ids, finds.ids, n * sizeof *ids);
    finds.n = 0;
    pthread_mutex_unlock(&finds.lock);
    return n;
}

/* Not each event of a device: alarms and readings change nothing here. */
static const struct subscription listens[] = {
    {"lines.create", changed},       {"lines.update", changed},         {"lines.archive", changed},
    {"lines.restore", changed},      {"lines.set_secret", changed},     {"lines.find", find},
    {"lines.new_push_key", changed}, {"device_models.*", changed},      {"devices.create", changed},
    {"devices.update", changed},     {"devices.adopt", changed},        {"devices.recode", changed},
    {"devices.retire", changed},     {"devices.reinstate", changed},    {"devices.archive", changed},
    {"devices.restore", changed},    {"devices.set_password", changed}, {"commands.create", commanded},
    {"commands.confirm", commanded}, {"devices.unadopt", changed}};

const struct module lines_module = {
    .name = "lines",
    .part = "sensing",
    ROWS(listens, listens),
    .roles = "admin manager dispatcher repairer",
};

enum err line_row_put(struct ctx *ctx, int64_t community_id, struct str name, const char *kind, int64_t port) {
    struct line_row r = {.row.community_id = community_id};
    SET(&line_rows, &r, name, name);
    SET(&line_rows, &r, kind, str_of(kind));
    if (port) SET(&line_rows, &r, port, port);
    SET(&line_rows, &r, enabled, true);
    return row_create(ctx, &line_rows, &r);
}

/* ---- between rows and the loop thread ---- */

#define EVERY_S 60
#define BAUD    2400 /* of meters as they leave the factory */

static int number_or(struct str text, int fallback) {
    int64_t n;
    return str_to_i64(text, &n) ? (int)n : fallback;
}

static void plans_free(struct line_set *l) {
    for (size_t i = 0; i < LINES_MAX; i++) {
        line_plan_free(l->plans[i]);
        l->plans[i] = NULL;
    }
}

static enum err read_community(struct ctx *ctx, struct line_spec *s) {
    struct db_rows rows = {0};
    bool more = false;
    enum err e = db_query(ctx->db, &ctx->fault, "SELECT code FROM communities WHERE id = $1",
                          VALS(V_I64(s->community_id)), &rows);
    if (!e) e = db_next(&rows, &ctx->fault, &more);
    if (!e && more) utf8_copy(s->community, sizeof s->community, db_text(&rows, 0));
    db_done(&rows);
    return e;
}

enum err line_set_read(struct line_set *l, struct ctx *ctx) {
    struct list_query q = {.sort = FILTER_ID, .ascending = true, .limit = LINES_MAX};
    struct list_page page;
    l->loaded_n = 0;
    plans_free(l);
    TRY(row_list(ctx, &line_rows, &q, &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct line_row *r = (const struct line_row *)page.rows + i;
        struct line_spec *s = &l->loaded[l->loaded_n++];
        *s = (struct line_spec){.id = r->row.id,
                                .community_id = r->row.community_id,
                                .every_s = r->every_s ? r->every_s : EVERY_S,
                                .own_every_s = r->every_s,
                                .zone = kernel_zone(ctx, r->row.community_id),
                                .port = (int)r->port,
                                .reach = str_is(r->reach, "dial")     ? LINE_DIAL
                                         : str_is(r->reach, "serial") ? LINE_SERIAL
                                                                      : LINE_LISTEN,
                                .baud = number_or(r->baud, BAUD),
                                .stop_bits = number_or(r->stop_bits, 1),
                                .parity = str_is(r->parity, "none")  ? 'N'
                                          : str_is(r->parity, "odd") ? 'O'
                                                                     : 'E',
                                .state = r->state,
                                .enabled = r->enabled,
                                .tls = r->tls,
                                .has_port = row_has(&line_rows, r, "port")};
        utf8_copy(s->name, sizeof s->name, r->name);
        utf8_copy(s->kind, sizeof s->kind, r->kind);
        utf8_copy(s->bind, sizeof s->bind, r->bind);
        utf8_copy(s->host, sizeof s->host, r->host);
        utf8_copy(s->serial, sizeof s->serial, r->serial);
        utf8_copy(s->greeting, sizeof s->greeting, r->greeting);
        utf8_copy(s->push_key, sizeof s->push_key, r->push_key);
        utf8_copy(s->secret, sizeof s->secret, r->secret);
        utf8_copy(s->senders, sizeof s->senders, r->senders);
        utf8_copy(s->user, sizeof s->user, r->username);
        utf8_copy(s->topics, sizeof s->topics, r->topics);
        (void)line_numbers_read(r->numbers, &s->find_low, &s->find_high);
        if (line_is_client(s)) TRY(read_community(ctx, s));
        utf8_copy(s->address, sizeof s->address, r->address);
        utf8_copy(s->problem, sizeof s->problem, r->problem);
        if (s->enabled) TRY(line_plan_read(ctx, s, &l->plans[i]));
    }
    return OK;
}

static bool is_told(const struct line_entry *e) {
    return e->spec.state == e->state && !e->kept_port && !strcmp(e->spec.address, e->address) &&
           !strcmp(e->spec.problem, e->problem);
}

static uint64_t bit(const char *field) {
    return UINT64_C(1) << field_index(&line_rows, field);
}

/* A port that was chosen for the row is kept in it, so that its devices find the line there after the next start, too;
 * unless somebody wrote one meanwhile. */
static enum err take_step(struct ctx *ctx, void *entry) {
    static const char *const step_of[] = {[LINE_CLOSED] = "close", [LINE_OPEN] = "open", [LINE_FAILED] = "fail"};
    const struct line_entry *e = entry;
    struct line_row patch = {0}, now = {0};
    uint64_t fields = bit("address") | bit("problem");
    if (e->kept_port) TRY(row_get(ctx, &line_rows, e->spec.id, &now));
    if (e->address[0]) SET(&line_rows, &patch, address, str_of(e->address));
    if (e->problem[0]) SET(&line_rows, &patch, problem, str_of(e->problem));
    if (e->kept_port && !now.port) {
        SET(&line_rows, &patch, port, e->kept_port);
        fields |= bit("port");
    }
    return row_act(ctx, &line_rows, e->spec.id, 0, step_of[e->state], &patch, fields, NULL);
}

static enum err write_state(struct line_set *l, struct ctx *ctx, struct line_entry *e) {
    enum err err = ctx_write(ctx, take_step, e);
    if (err && err != ERR_NOT_FOUND && err != ERR_CONFLICT) return err; /* archived meanwhile: nobody is told */
    ctx->fault = (struct fault){0};
    pthread_mutex_lock(&l->lock);
    e->spec.state = e->state;
    if (e->kept_port) e->spec.port = e->kept_port; /* else it were moved there, which is where it is */
    e->kept_port = 0;
    memcpy(e->spec.address, e->address, sizeof e->address);
    memcpy(e->spec.problem, e->problem, sizeof e->problem);
    pthread_mutex_unlock(&l->lock);
    return OK;
}

enum err line_set_tell(struct line_set *l, struct ctx *ctx) {
    for (size_t i = 0; i < l->entries_n; i++)
        if (l->entries[i].spec.id && !is_told(&l->entries[i])) TRY(write_state(l, ctx, &l->entries[i]));
    return OK;
}
