/* The PostgreSQL driver.  No session state is kept on the server (no prepared statements, no SET outside a
 * transaction), so a pooler in transaction mode may stand in between.  SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_WAIT 10 /* times busy_ms, for DDL */

enum { /* pg_type.dat */
       OID_BOOL = 16,
       OID_BYTEA = 17,
       OID_INT8 = 20,
       OID_INT2 = 21,
       OID_INT4 = 23,
       OID_OID = 26,
       OID_FLOAT4 = 700,
       OID_FLOAT8 = 701,
       OID_NUMERIC = 1700
};

struct pg_rows {
    PGresult *res;
    int row, rows_n, cols_n;
    bool has_blobs;
    uint8_t *decoded; /* the current row's blobs; the server sends them as hex */
    size_t decoded_size;
    struct bytes blobs[]; /* one a column */
};

static struct pg *pg_of(struct db *db) {
    return (struct pg *)db; /* db is its first member */
}

/* ---- opening ---- */

static void pgsql_close(struct db *db) {
    struct pg *pg = pg_of(db);
    pg_lose(pg);
    free(pg->url);
    free(pg);
}

/* Order of text must be by bytes, as SQLite's; blobs are read in the hex form. */
static enum err check_database(struct pg *pg, struct fault *f) {
    struct pg_request ask = {.sql = "SELECT pg_encoding_to_char(encoding), datcollate, current_setting('bytea_output')"
                                    " FROM pg_database WHERE datname = current_database()",
                             .wait_ms = pg->db.busy_ms};
    PGresult *res;
    TRY(pg_run(pg, f, &ask, &res));
    struct str encoding = {0}, order = {0}, blobs = {0};
    if (PQntuples(res) == 1) {
        encoding = str_of(PQgetvalue(res, 0, 0));
        order = str_of(PQgetvalue(res, 0, 1));
        blobs = str_of(PQgetvalue(res, 0, 2));
    }
    enum err e = OK;
    if (!str_is(encoding, "UTF8"))
        e = FAIL(f, ERR_INVALID, "bad_store_encoding", "the database's encoding must be UTF8");
    else if (!str_is(order, "C") && !str_is(order, "POSIX") && !str_is(order, "C.UTF-8") && !str_is(order, "C.utf8"))
        e = FAIL(f, ERR_INVALID, "bad_store_collation", "the database's collation must be C");
    else if (!str_is(blobs, "hex"))
        e = FAIL(f, ERR_INVALID, "bad_store_setting", "the database's bytea_output must be hex");
    PQclear(res);
    return e;
}

static enum err pgsql_open(const struct db_options *options, struct db **ret, struct fault *f) {
    struct pg *pg = calloc(1, sizeof *pg);
    if (!pg) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    pg->db.driver = &db_driver_postgres;
    pg->db.busy_ms = options->busy_ms;
    pg->url = strdup(options->url);
    enum err e = pg->url ? pg_connect(pg, f) : FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    if (!e) e = check_database(pg, f);
    if (e) {
        pgsql_close(&pg->db);
        return e;
    }
    *ret = &pg->db;
    return OK;
}

/* ---- statements ---- */

static enum err run(struct db *db, struct fault *f, const struct pg_request *request, PGresult **ret) {
    TRY(pg_connect(pg_of(db), f));
    return pg_run(pg_of(db), f, request, ret);
}

static enum err run_plain(struct db *db, struct fault *f, const char *sql, int wait_ms, PGresult **ret) {
    return run(db, f, &(struct pg_request){.sql = sql, .plain = true, .wait_ms = wait_ms}, ret);
}

static enum err pgsql_exec(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                           int64_t *ret_changed) {
    struct pg_request ask = {.sql = sql, .args = args, .args_n = args_n, .wait_ms = db->busy_ms};
    PGresult *res;
    TRY(run(db, f, &ask, &res));
    /* "SELECT 3" counts rows, too, but changes none. */
    struct str tag = str_of(PQcmdStatus(res));
    if (str_starts(tag, S("SELECT")) || !str_to_i64(str_of(PQcmdTuples(res)), ret_changed)) *ret_changed = 0;
    PQclear(res);
    return OK;
}

static enum err pgsql_script(struct db *db, struct fault *f, const char *sql) {
    PGresult *res;
    TRY(run_plain(db, f, sql, db->busy_ms * LONG_WAIT, &res));
    PQclear(res);
    return OK;
}

static enum err pgsql_query(struct db *db, struct fault *f, const char *sql, const struct db_val *args, size_t args_n,
                            void **ret_impl) {
    struct pg_request ask = {.sql = sql, .args = args, .args_n = args_n, .wait_ms = db->busy_ms};
    PGresult *res;
    TRY(run(db, f, &ask, &res));
    int cols_n = PQnfields(res);
    struct pg_rows *rows = calloc(1, sizeof *rows + (size_t)cols_n * sizeof(struct bytes));
    if (!rows) {
        PQclear(res);
        return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
    }
    *rows = (struct pg_rows){.res = res, .row = -1, .rows_n = PQntuples(res), .cols_n = cols_n};
    for (int i = 0; i < cols_n; i++) rows->has_blobs = rows->has_blobs || PQftype(res, i) == OID_BYTEA;
    *ret_impl = rows;
    return OK;
}

/* ---- rows ---- */

static uint8_t nibble(char c) {
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* The server's "\x0aff" of every blob of the row into one piece of memory. */
static enum err decode_blobs(struct pg_rows *r, struct fault *f) {
    size_t need = 1;
    for (int i = 0; i < r->cols_n; i++)
        if (PQftype(r->res, i) == OID_BYTEA) need += (size_t)PQgetlength(r->res, r->row, i) / 2;
    if (need > r->decoded_size) {
        free(r->decoded);
        r->decoded_size = 0;
        r->decoded = malloc(need);
        if (!r->decoded) return FAIL(f, ERR_INTERNAL, "no_memory", "out of memory");
        r->decoded_size = need;
    }
    uint8_t *at = r->decoded;
    for (int i = 0; i < r->cols_n; i++) {
        if (PQftype(r->res, i) != OID_BYTEA || PQgetisnull(r->res, r->row, i)) continue;
        const char *hex = PQgetvalue(r->res, r->row, i);
        size_t n = (size_t)PQgetlength(r->res, r->row, i);
        if (n < 2 || n % 2 || hex[0] != '\\' || hex[1] != 'x')
            return FAIL(f, ERR_INTERNAL, "bad_store_setting", "the database's bytea_output must be hex");
        r->blobs[i] = (struct bytes){at, n / 2 - 1};
        for (size_t b = 2; b < n; b += 2) *at++ = (uint8_t)(nibble(hex[b]) << 4 | nibble(hex[b + 1]));
    }
    return OK;
}

static enum err pgsql_next(struct db *db, void *impl, struct fault *f, bool *ret_more) {
    (void)db;
    struct pg_rows *r = impl;
    if (r->row < r->rows_n) r->row++;
    bool more = r->row < r->rows_n;
    if (more && r->has_blobs) TRY(decode_blobs(r, f));
    *ret_more = more;
    return OK;
}

static size_t pgsql_cols(const void *impl) {
    return (size_t)((const struct pg_rows *)impl)->cols_n;
}

static struct db_val float_val(struct str s) {
    double v = NAN;
    if (str_is(s, "Infinity")) return V_F64(INFINITY);
    if (str_is(s, "-Infinity")) return V_F64(-INFINITY);
    return str_to_f64(s, &v) ? V_F64(v) : V_NULL; /* NaN: as SQLite, which has none */
}

/* SUM() of integers is numeric here; whole numbers of 64 bits are integers to us, others stay text. */
static struct db_val numeric_val(struct str s) {
    struct str rest = s, whole;
    int64_t v = 0;
    (void)str_cut(&rest, '.', &whole);
    for (size_t i = 0; rest.ptr && i < rest.len; i++)
        if (rest.ptr[i] != '0') return V_TEXT(s);
    return str_to_i64(whole, &v) ? V_I64(v) : V_TEXT(s);
}

static struct db_val pgsql_col(const void *impl, size_t col) {
    const struct pg_rows *r = impl;
    int at = (int)col;
    if (PQgetisnull(r->res, r->row, at)) return V_NULL;
    struct str s = {PQgetvalue(r->res, r->row, at), (size_t)PQgetlength(r->res, r->row, at)};
    int64_t i64 = 0;
    switch (PQftype(r->res, at)) {
    case OID_BOOL: return V_I64(s.ptr[0] == 't');
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID: return str_to_i64(s, &i64) ? V_I64(i64) : V_TEXT(s);
    case OID_FLOAT4:
    case OID_FLOAT8: return float_val(s);
    case OID_NUMERIC: return numeric_val(s);
    case OID_BYTEA: return V_BLOB(r->blobs[at]);
    default: return V_TEXT(s);
    }
}

static void pgsql_done(struct db *db, void *impl) {
    (void)db;
    struct pg_rows *r = impl;
    PQclear(r->res);
    free(r->decoded);
    free(r);
}

/* ---- transactions ---- */

/* The server gives up before we do, so that a lock is told apart from a dead server. */
static enum err pgsql_begin(struct db *db, struct fault *f, enum db_mode mode) {
    static const char *const begins[] = {[DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                         [DB_WRITE] = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"};
    char sql[256];
    snprintf(sql, sizeof sql, "%s; SET LOCAL lock_timeout = %d; SET LOCAL statement_timeout = %d", begins[mode],
             db->busy_ms - db->busy_ms / 4, db->busy_ms * LONG_WAIT);
    pg_of(db)->read_only = mode == DB_READ;
    PGresult *res;
    TRY(run_plain(db, f, sql, db->busy_ms, &res));
    PQclear(res);
    return OK;
}

static enum err pgsql_commit(struct db *db, struct fault *f) {
    PGresult *res;
    TRY(run_plain(db, f, "COMMIT", db->busy_ms, &res));
    bool kept = str_is(str_of(PQcmdStatus(res)), "COMMIT"); /* an aborted transaction answers ROLLBACK, not an error */
    PQclear(res);
    pg_of(db)->read_only = false;
    return kept ? OK : FAIL(f, ERR_INTERNAL, "store_failed", "the unit of work had failed, so none of it was kept");
}

static void pgsql_rollback(struct db *db) {
    struct pg *pg = pg_of(db);
    pg->read_only = false;
    if (!pg->conn || PQtransactionStatus(pg->conn) == PQTRANS_IDLE) return;
    struct fault ignored = {0};
    char why[sizeof db->detail];
    memcpy(why, db->detail, sizeof why); /* of the failure that brought us here */
    bool may_rerun = db->may_rerun;
    PGresult *res = NULL;
    if (run_plain(db, &ignored, "ROLLBACK", db->busy_ms, &res)) pg_lose(pg);
    PQclear(res);
    memcpy(db->detail, why, sizeof why);
    db->may_rerun = may_rerun;
}

const struct db_driver db_driver_postgres = {
    .kind = DB_POSTGRES,
    .open = pgsql_open,
    .close = pgsql_close,
    .exec = pgsql_exec,
    .script = pgsql_script,
    .query = pgsql_query,
    .next = pgsql_next,
    .cols = pgsql_cols,
    .col = pgsql_col,
    .done = pgsql_done,
    .begin = pgsql_begin,
    .commit = pgsql_commit,
    .rollback = pgsql_rollback,
    .columns_sql = "SELECT column_name, data_type FROM information_schema.columns"
                   " WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name",
};
