/* Resources as tables of constants: fields, states, steps, grants.  The words of these tables (REQUIRED, OWN, READ …)
 * are short on purpose; every other constant of the tree carries its prefix.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_KERNEL_RESOURCE_H
#define LINLI_KERNEL_RESOURCE_H

#include "kernel/ctx.h"

/* ---- rows ---------------------------------------------------------------------------------------------------- */
/* First member of every row struct; the kernel owns it. */
struct row {
    int64_t id, community_id, version, created_ms, created_by, updated_ms;
    int64_t archived_ms; /* 0: not archived */
    uint64_t has;        /* bit i: fields[i] is present; an absent field is NULL, not zero */
};
struct ids { /* REFS and FILE */
    const int64_t *ids;
    size_t n;
};
struct geo {
    int32_t lat_e7, lon_e7; /* WGS 84, 1e-7 degree */
};
struct lines { /* LINES: child rows, n structs of the line type's size */
    void *rows;
    size_t n;
};

/* ---- fields -------------------------------------------------------------------------------------------------- */
enum field_kind {
    FIELD_REF,
    FIELD_REFS,
    FIELD_TEXT,
    FIELD_INT,
    FIELD_DECIMAL,
    FIELD_MONEY,
    FIELD_FLAG,
    FIELD_CHOICE,
    FIELD_STATE,
    FIELD_TIME,
    FIELD_DATE,
    FIELD_GEO,
    FIELD_FILE,
    FIELD_JSON,
    FIELD_LINES
};
/* What a kind is in memory; several are alike. */
enum field_shape { SHAPE_I64, SHAPE_BOOL, SHAPE_TEXT, SHAPE_STATE, SHAPE_GEO, SHAPE_IDS, SHAPE_LINES };
struct field_kind_info {
    const char *word; /* "ref", "text" … */
    enum field_shape shape;
    size_t size; /* of the member */
};
extern const struct field_kind_info field_kinds[]; /* by enum field_kind */
enum field_flag {
    REQUIRED = 1 << 0,
    UNIQUE = 1 << 1, /* within the community, among present values, archived rows included */
    INDEXED = 1 << 2,
    FIXED = 1 << 3,  /* set at creation only */
    SYSTEM = 1 << 4, /* never from a client */
    SEARCH = 1 << 5, /* found by q=; protected classes other than IDENTITY as if EXACT */
    COLUMN = 1 << 6, /* a column of the list as first shown */
    EXACT = 1 << 7,  /* with SEARCH: by the whole or the last four characters only, and hashed in the index */
    FREED = 1 << 8,  /* with UNIQUE: an archived row holds its value no more, and comes back while nobody else has it */
};
/* What kind of personal datum a field is.  Grants name classes; anything but ORDINARY is masked unless granted. */
enum field_class {
    ORDINARY = 0,
    IDENTITY = 1 << 0,
    CONTACT = 1 << 1,
    HEALTH = 1 << 2,
    MONETARY = 1 << 3,
    SECRET = 1 << 4
};

struct line_type;
struct field {
    const char *name; /* column, JSON key and error key: one spelling */
    enum field_kind kind;
    size_t at; /* offset in the row struct */
    uint32_t flags;
    enum field_class class; /* SECRET never leaves the server, not even by reveal */
    /* TEXT, JSON: length in code points (min 0 = may be empty; max needed).  INT, MONEY (cents), DECIMAL (scaled), TIME
     * (ms), DATE (days): value, both 0 = any within ±2^53.  REFS, FILE, LINES: count (max needed). */
    int64_t min, max;
    const char *to;                        /* REF, REFS: target resource */
    const char *choices;                   /* CHOICE: words with blanks between, stored as text */
    int scale;                             /* DECIMAL: digits after the point */
    const char *unit;                      /* UCUM */
    const struct line_type *lines;         /* LINES */
    const char *(*check)(struct str text); /* TEXT, JSON: code of the broken rule, or NULL */
    const char *group;                     /* group of the form; NULL = "main" */
};
/* The member's C type is checked here: a wrong one does not compile. */
#define FIELD_AT(T, m, ctype) (offsetof(T, m) * _Generic(((T *)0)->m, ctype : 1u))
#define REF(T, m, r)          .name = #m, .kind = FIELD_REF, .at = FIELD_AT(T, m, int64_t), .to = (r)
#define REFS(T, m, r)         .name = #m, .kind = FIELD_REFS, .at = FIELD_AT(T, m, struct ids), .to = (r)
#define TEXT(T, m)            .name = #m, .kind = FIELD_TEXT, .at = FIELD_AT(T, m, struct str)
#define INT(T, m)             .name = #m, .kind = FIELD_INT, .at = FIELD_AT(T, m, int64_t)
#define DECIMAL(T, m, s)      .name = #m, .kind = FIELD_DECIMAL, .at = FIELD_AT(T, m, int64_t), .scale = (s)
#define MONEY(T, m)           .name = #m, .kind = FIELD_MONEY, .at = FIELD_AT(T, m, int64_t)
#define FLAG(T, m)            .name = #m, .kind = FIELD_FLAG, .at = FIELD_AT(T, m, bool)
#define CHOICE(T, m, c)       .name = #m, .kind = FIELD_CHOICE, .at = FIELD_AT(T, m, struct str), .choices = (c)
#define STATE(T, m) \
    .name = #m, .kind = FIELD_STATE, .at = FIELD_AT(T, m, int32_t), .flags = REQUIRED | SYSTEM | INDEXED | COLUMN
#define TIME(T, m)     .name = #m, .kind = FIELD_TIME, .at = FIELD_AT(T, m, int64_t)
#define DATE(T, m)     .name = #m, .kind = FIELD_DATE, .at = FIELD_AT(T, m, int64_t)
#define GEO(T, m)      .name = #m, .kind = FIELD_GEO, .at = FIELD_AT(T, m, struct geo)
#define FILES(T, m)    .name = #m, .kind = FIELD_FILE, .at = FIELD_AT(T, m, struct ids)
#define JSON(T, m)     .name = #m, .kind = FIELD_JSON, .at = FIELD_AT(T, m, struct str)
#define LINES(T, m, t) .name = #m, .kind = FIELD_LINES, .at = FIELD_AT(T, m, struct lines), .lines = (t)

/* Child rows: saved with their parent in its transaction.  The struct begins with `uint64_t has`. */
struct line_type {
    size_t size;
    const struct field *fields; /* no LINES, STATE, FILE or REFS among them, and none protected */
    size_t fields_n;
};

/* ---- rights and flow ----------------------------------------------------------------------------------------- */
enum verb { CREATE = 1 << 0, READ = 1 << 1, UPDATE = 1 << 2, ARCHIVE = 1 << 3, ERASE = 1 << 4 };
/* Rows of a named relation | placed where the membership is, or under it | of the community the membership is in. */
enum reach { OWN, PLACE, COMMUNITY };

struct relation {
    const char *name, *column; /* column: a REF field, or "id" */
    enum own_set set;
};
/* Nothing listed = nothing allowed.  Roles are words with blanks between, resolved to bits at start. */
struct grant {
    const char *roles;
    uint32_t verbs;
    enum reach reach;
    const char *by;         /* OWN: names of relations, any of which suffices */
    uint32_t clear, reveal; /* classes shown plainly | shown on request, with a reason, logged */
};

#define ANY_STATE (-1)
struct step {     /* one arrow of the flow; its name is the API verb and, behind "resource.", the event's topic */
    int32_t from; /* or ANY_STATE */
    const char *name;
    int32_t to;        /* or ANY_STATE: stays */
    const char *roles; /* who may; "timer" for the kernel's own clock */
    const char *takes; /* fields a caller may set with it (FIXED and SYSTEM ones too) */
    const char *need;  /* those of them that must come */
    bool danger;       /* the console asks before */
    enum err (*guard)(struct ctx *ctx, const void *row); /* may it happen?  reads only */
    enum err (*effect)(struct ctx *ctx, void *row);      /* in the same transaction, after `takes` were set */
};
/* The kernel takes the step by itself, once, at `field` + plus_ms, if the row's state has an arrow of that name then
 * and the field `unless` (NULL: none) is still absent.  A change of that time makes it wait anew. */
struct due {
    const char *step, *field;
    int64_t plus_ms;
    const char *unless;
};
/* A saved view of the list: filter in the query's own words ("state=asked,approved&f2=x"), sort as in the query. */
struct view {
    const char *name, *filter, *sort;
    bool waits; /* for somebody: counted on the first page */
};

enum resource_flag {
    INSTALLATION = 1 << 0, /* rows belong to the installation, not to a community */
    NO_ARCHIVE = 1 << 1,
    ROOT_ROWS = 1 << 2, /* a row without a place belongs to the installation, not to the only community */
};

struct resource {
    const char *name; /* plural, snake_case: table, URL segment, event prefix */
    const char
        *group; /* where the menu shows it: work estate people services governance commerce operations; NULL: not */
    const char *icon;
    size_t size;
    const struct field *fields;
    size_t fields_n; /* at most 64 */
    const char *const *states;
    size_t states_n; /* indexed by the module's enum; 0 is the initial one */
    const struct step *steps;
    size_t steps_n;
    const struct grant *grants;
    size_t grants_n;
    const struct relation *relations;
    size_t relations_n;
    const struct due *dues;
    size_t dues_n;
    const struct view *views;
    size_t views_n;
    const char *label;  /* field that names a row to people */
    const char *place;  /* REF to places that places a row; NULL: only its community does */
    const char *member; /* people and the like: "memberships.person_id" = table.column; its rows in force today, with
                           place_id, valid_from and valid_until, place it */
    const char
        *dated; /* key fields of dated rows with blanks between; the fields valid_from, valid_until (DATE) bound them */
    const char *select; /* read-only over this SELECT instead of a table; gives the system columns too */
    uint32_t flags;
    const char *tones; /* tone of each state, in order: "warn info info ok off off" */
    enum err (*prepare)(struct ctx *ctx, void *row,
                        const void *before);                /* completes SYSTEM fields; before NULL: creation */
    enum err (*validate)(struct ctx *ctx, const void *row); /* rules across fields */
    enum err (*after)(struct ctx *ctx, void *row, const void *before); /* acts on other rows, same transaction */
};
#define ROWS(what, table) .what = (table), .what##_n = COUNT(table)

/* ---- presence and access --------------------------------------------------------------------------------------- */
#define NO_FIELD SIZE_MAX
size_t field_index(const struct resource *r, const char *name); /* NO_FIELD when there is none */
size_t field_index_str(const struct resource *r, struct str name);
size_t field_state(const struct resource *r);                 /* NO_FIELD: it has no states */
int32_t row_state(const struct resource *r, const void *row); /* ANY_STATE: it has none */
bool row_has(const struct resource *r, const void *row, const char *field);
void row_set(const struct resource *r, void *row, const char *field);   /* marks present */
void row_clear(const struct resource *r, void *row, const char *field); /* makes absent */
const char *field_class_word(enum field_class class);                   /* "contact" */
bool field_is_masked(const struct field *f, uint32_t clear);            /* by who may see these classes */
bool field_is_counted(const struct field *f); /* min and max are a count, of characters or items */
bool field_is_number(const struct field *f);  /* min and max are values */
/* Is there a column to compare?  Protected values are neither compared nor sorted by. */
bool field_is_comparable(const struct field *f);
/* Inside a module: HAS(row, r, member) and SET(row, r, member, value). */
#define SET(r, row, m, ...)      \
    do {                         \
        (row)->m = __VA_ARGS__;  \
        row_set((r), (row), #m); \
    } while (0)

#endif
