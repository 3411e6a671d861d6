/* Connecting to PostgreSQL, sending statements and waiting for answers, always with a deadline.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 65535 /* of the protocol's Bind message */

/* Types of pg_type.dat; they never change. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701 };

/* ---- errors ---- */

static enum err unavailable(struct pg *pg, struct fault *f, const char *detail) {
    db_detail_set(&pg->db, "PostgreSQL: %s", detail);
    return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store does not answer");
}

void pg_lose(struct pg *pg) {
    PQfinish(pg->conn);
    pg->conn = NULL;
}

static enum err lost(struct pg *pg, struct fault *f, const char *why) {
    char detail[200];
    snprintf(detail, sizeof detail, "%s", why ? why : PQerrorMessage(pg->conn));
    pg_lose(pg);
    return unavailable(pg, f, detail);
}

/* By SQLSTATE (PostgreSQL 15 manual, appendix A). */
static enum err result_fail(struct pg *pg, struct fault *f, const PGresult *res) {
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    struct str code = str_of(state ? state : "08006"); /* libpq itself: the connection broke */
    db_detail_set(&pg->db, "PostgreSQL %s: %s", code.ptr, words ? words : PQresultErrorMessage(res));
    if (str_is(code, "40001") || str_is(code, "40P01")) {
        pg->db.may_rerun = true;
        return FAIL(f, ERR_BUSY, "store_busy", "the store is busy; try again");
    }
    if (str_is(code, "55P03") || str_is(code, "57014"))
        return FAIL(f, ERR_BUSY, "store_busy", "the store is busy; try again");
    if (str_is(code, "23505")) return FAIL(f, ERR_CONFLICT, "not_unique", "a value that must be unique is taken");
    if (str_is(code, "23503"))
        return FAIL(f, ERR_CONFLICT, "bad_ref", "something that is referred to does not exist or is still in use");
    bool standby = str_is(code, "25006") && !pg->read_only;
    if (standby || str_starts(code, S("08")) || str_starts(code, S("53")) || str_starts(code, S("57P0")) ||
        str_starts(code, S("58")))
        return FAIL(f, ERR_UNAVAILABLE, "store_unavailable", "the store cannot be read or written now (%s)", code.ptr);
    if (str_is(code, "XX001") || str_is(code, "XX002"))
        return FAIL(f, ERR_CORRUPT, "store_corrupt", "the store is damaged (%s)", code.ptr);
    return FAIL(f, ERR_INTERNAL, "store_refused", "the store refused a statement (%s)", code.ptr);
}

/* ---- waiting ---- */

/* The events that came, or 0 when the time is up. */
static short wait_socket(const struct pg *pg, short events, int64_t end_ms) {
    struct pollfd p = {.fd = PQsocket(pg->conn), .events = events};
    for (;;) {
        int64_t left_ms = end_ms - db_mono_ms();
        int n = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);
        if (n > 0) return p.revents;
        if (n == 0 || errno != EINTR) return 0;
    }
}

static enum err flush(struct pg *pg, struct fault *f, int64_t end_ms) {
    for (;;) {
        int rc = PQflush(pg->conn);
        if (rc < 0) return lost(pg, f, NULL);
        if (rc == 0) return OK;
        short came = wait_socket(pg, POLLIN | POLLOUT, end_ms);
        if (!came) return lost(pg, f, "no answer in time while sending");
        if ((came & POLLIN) && !PQconsumeInput(pg->conn)) return lost(pg, f, NULL);
    }
}

/* *ret is NULL after the last result. */
static enum err next_result(struct pg *pg, struct fault *f, int64_t end_ms, PGresult **ret) {
    while (PQisBusy(pg->conn)) {
        if (!wait_socket(pg, POLLIN, end_ms)) return lost(pg, f, "no answer in time");
        if (!PQconsumeInput(pg->conn)) break; /* what the server said before it hung up is a result, too */
    }
    *ret = PQgetResult(pg->conn);
    return OK;
}

/* ---- sending ---- */

struct params {
    Oid *types;
    const char **values;
    int *lengths, *formats;
    uint8_t (*numbers)[8];
    void *memory;
};

static bool params_make(size_t n, struct params *ret) {
    size_t each = sizeof(char *) + sizeof(uint8_t[8]) + sizeof(Oid) + 2 * sizeof(int);
    char *at = calloc(n ? n : 1, each);
    if (!at) return false;
    *ret = (struct params){.memory = at};
    ret->values = (const char **)(void *)at;
    at += n * sizeof(char *);
    ret->numbers = (uint8_t(*)[8])(void *)at;
    at += n * sizeof(uint8_t[8]);
    ret->types = (Oid *)(void *)at;
    at += n * sizeof(Oid);
    ret->lengths = (int *)(void *)at;
    at += n * sizeof(int);
    ret->formats = (int *)(void *)at;
    return true;
}

static void put_number(struct params *p, size_t i, uint64_t bits) {
    for (int b = 0; b < 8; b++) p->numbers[i][b] = (uint8_t)(bits >> (56 - 8 * b));
    p->values[i] = (const char *)p->numbers[i];
    p->lengths[i] = 8;
}

/* All binary: no escaping, no copy of long values.  Typed, so that the server need not guess. */
static void params_put(struct params *p, size_t i, const struct db_val *v) {
    uint64_t bits;
    p->formats[i] = 1;
    if (db_val_is_null(v)) return;
    switch (v->type) {
    case DB_NULL: break;
    case DB_I64:
        p->types[i] = OID_INT8;
        put_number(p, i, (uint64_t)v->i64);
        break;
    case DB_F64:
        p->types[i] = OID_FLOAT8;
        memcpy(&bits, &v->f64, sizeof bits);
        put_number(p, i, bits);
        break;
    case DB_TEXT:
        p->types[i] = OID_TEXT;
        p->values[i] = v->text.ptr;
        p->lengths[i] = (int)v->text.len;
        break;
    case DB_BLOB:
        p->types[i] = OID_BYTEA;
        p->values[i] = (const char *)v->blob.ptr;
        p->lengths[i] = (int)v->blob.len;
        break;
    }
}

static enum err send(struct pg *pg, struct fault *f, const struct pg_request *r) {
    if (r->plain) return PQsendQuery(pg->conn, r->sql) ? OK : lost(pg, f, NULL);
    if (r->args_n > ARGS_MAX) return FAIL(f, ERR_INTERNAL, "bad_parameter", "a statement has too many values");
    struct params p;
    if (!params_make(r->args_n, &p)) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    for (size_t i = 0; i < r->args_n; i++) params_put(&p, i, &r->args[i]);
    int sent = PQsendQueryParams(pg->conn, r->sql, (int)r->args_n, p.types, p.values, p.lengths, p.formats, 0);
    free(p.memory);
    return sent ? OK : lost(pg, f, NULL);
}

/* ---- running ---- */

static bool is_failure(const PGresult *res) {
    ExecStatusType status = PQresultStatus(res);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

static bool is_copy(const PGresult *res) {
    ExecStatusType status = PQresultStatus(res);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Keeps the last result, or the first failure. */
static enum err collect(struct pg *pg, struct fault *f, int64_t end_ms, PGresult **ret) {
    PGresult *kept = NULL, *res = NULL;
    for (;;) {
        enum err e = next_result(pg, f, end_ms, &res);
        if (!e && res && is_copy(res)) {
            PQclear(res);
            e = lost(pg, f, "COPY is not for this interface");
        }
        if (e) {
            PQclear(kept);
            return e;
        }
        if (!res) break;
        if (kept && is_failure(kept)) {
            PQclear(res);
            continue;
        }
        PQclear(kept);
        kept = res;
    }
    if (!kept) return lost(pg, f, NULL);
    *ret = kept;
    return OK;
}

enum err pg_run(struct pg *pg, struct fault *f, const struct pg_request *r, PGresult **ret) {
    if (!pg->conn) return unavailable(pg, f, "the connection is lost");
    int64_t end_ms = db_mono_ms() + r->wait_ms;
    PGresult *res = NULL;
    TRY(send(pg, f, r));
    TRY(flush(pg, f, end_ms));
    TRY(collect(pg, f, end_ms, &res));
    if (!is_failure(res)) {
        *ret = res;
        return OK;
    }
    enum err e = result_fail(pg, f, res);
    PQclear(res);
    if (PQstatus(pg->conn) == CONNECTION_BAD) pg_lose(pg);
    return e;
}

/* ---- connecting ---- */

static void no_notice(void *arg, const char *message) {
    (void)arg;
    (void)message;
}

static enum err connect_wait(struct pg *pg, struct fault *f, int64_t end_ms) {
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want != PGRES_POLLING_OK) {
        if (PQstatus(pg->conn) == CONNECTION_BAD || want == PGRES_POLLING_FAILED) return lost(pg, f, NULL);
        if (!wait_socket(pg, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, end_ms))
            return lost(pg, f, "no connection in time");
        want = PQconnectPoll(pg->conn);
    }
    return OK;
}

/* An idle connection has nothing to say; if it is readable the server has most likely hung up. */
static bool is_alive(struct pg *pg) {
    for (int i = 0; i < 8 && PQstatus(pg->conn) == CONNECTION_OK; i++) {
        struct pollfd p = {.fd = PQsocket(pg->conn), .events = POLLIN};
        if (poll(&p, 1, 0) <= 0) return true;
        if (!PQconsumeInput(pg->conn)) return false;
        (void)PQisBusy(pg->conn); /* takes notices out of the buffer */
    }
    return PQstatus(pg->conn) == CONNECTION_OK;
}

enum err pg_connect(struct pg *pg, struct fault *f) {
    if (pg->db.depth) return OK; /* a transaction does not move to another connection */
    if (pg->conn && !is_alive(pg)) pg_lose(pg);
    if (pg->conn) return OK;
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%d", pg->db.busy_ms);
    const char *names[] = {"fallback_application_name", "tcp_user_timeout", "dbname", "client_encoding", NULL};
    const char *values[] = {"linli", timeout, pg->url, "UTF8", NULL};
    int64_t end_ms = db_mono_ms() + pg->db.busy_ms;
    pg->conn = PQconnectStartParams(names, values, 1);
    if (!pg->conn) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    TRY(connect_wait(pg, f, end_ms));
    PQsetNoticeProcessor(pg->conn, no_notice, NULL);
    if (PQsetnonblocking(pg->conn, 1)) return lost(pg, f, NULL);
    return OK;
}
