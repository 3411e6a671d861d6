/* Values for fields, and rows made of them.  SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/conform_internal.h"

#include "kernel/file.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static struct str text_of(struct run *u, int64_t length, bool unique) {
    char *text = arena_alloc(&u->keep, (size_t)length + 1, 1, 1);
    memset(text, 'A', (size_t)length);
    if (unique && length >= 1) {
        int64_t n = u->serial++;
        for (int64_t i = length; i-- > 0 && i >= length - 6; n /= 26) text[i] = (char)('A' + n % 26);
    }
    return (struct str){text, (size_t)length};
}

static struct str id_number(void) {
    return S("11010519491231002X");
}

/* Text that passes the field's own check: tried shapes of what checks ask for. */
static struct str checked_text(struct run *u, const struct field *f, int64_t length) {
    char *lower = arena_cstr(&u->keep, text_of(u, length, f->flags & UNIQUE));
    for (char *p = lower; *p; p++) *p = (char)(*p + 32);
    struct str tries[] = {str_of(lower),
                          text_of(u, length, f->flags & UNIQUE),
                          id_number(),
                          S("13800000000"),
                          S("https://example.org/"),
                          S("127.0.0.1"),
                          S("/dev/ttyUSB0"),
                          S("1234567"),
                          S("zigbee2mqtt"),
                          S("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
                          S("{\"coordinates\":[1,2],\"type\":\"Point\"}")};
    for (size_t i = 0; f->check && i < COUNT(tries); i++)
        if (!f->check(tries[i]) && (int64_t)tries[i].len <= f->max && (int64_t)tries[i].len >= f->min) return tries[i];
    return tries[1];
}

static int64_t ref_of(struct run *u, const struct field *f);

/* A JSON text of so many characters. */
static struct str json_of(struct run *u, int64_t length) {
    char *text = arena_cstr(&u->keep, text_of(u, length, false));
    text[0] = text[length - 1] = '"';
    return (struct str){text, (size_t)length};
}

static int64_t file_of(struct run *u) {
    struct file_info info;
    struct str bytes = text_of(u, 12, true);
    enum err e = file_put(&u->ctx, (struct bytes){(const uint8_t *)bytes.ptr, bytes.len}, S("a.txt"), &info);
    CHECK_SAY(u->t, !e, "a file: %s", u->ctx.fault.text);
    return e ? 0 : info.id;
}

/* Different ones; of places and people there are few, and one is enough to be looked up. */
static struct ids ids_of(struct run *u, const struct field *f, int64_t n, enum size size) {
    bool few = f->to && (!strcmp(f->to, u->c->places) || !strcmp(f->to, u->c->people));
    if (few && n > 2 && size == LARGEST) n = 2;
    int64_t *ids = arena_new(&u->keep, int64_t, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        ids[i] = size == TOO_LARGE       ? 77 + i
                 : f->kind == FIELD_FILE ? file_of(u)
                 : few && i              ? (strcmp(f->to, u->c->places) ? u->site.other_person : u->site.community)
                                         : ref_of(u, f);
    return (struct ids){ids, (size_t)n};
}

/* n lines, each with every field: at its smallest, or at its largest. */
struct lines conform_lines(struct run *u, const struct field *f, int64_t n, enum size size) {
    const struct line_type *t = f->lines;
    char *rows = arena_alloc(&u->keep, (size_t)n + 1, t->size, _Alignof(max_align_t));
    for (int64_t i = 0; i < n; i++)
        for (size_t k = 0; k < t->fields_n; k++)
            if (conform_set(u, &t->fields[k], rows + (size_t)i * t->size, size == LARGEST ? LARGEST : SMALLEST))
                *(uint64_t *)(void *)(rows + (size_t)i * t->size) |= UINT64_C(1) << k;
    return (struct lines){rows, (size_t)n};
}

bool conform_set(struct run *u, const struct field *f, void *row, enum size size) {
    void *at = (char *)row + f->at;
    bool open = !f->min && !f->max;
    int64_t least = open ? -INT64_C(9007199254740992) : f->min, most = open ? INT64_C(9007199254740992) : f->max;
    switch (f->kind) {
    case FIELD_TEXT: {
        int64_t n = size == SMALLEST    ? (f->min                  ? f->min
                                           : (f->flags & REQUIRED) ? 1
                                                                   : 0)
                    : size == LARGEST   ? f->max
                    : size == TOO_LARGE ? f->max + 1
                                        : f->min - 1;
        if (n < 0) return false;
        *(struct str *)at = size == TOO_LARGE || size == TOO_SMALL ? text_of(u, n, false) : checked_text(u, f, n);
        return true;
    }
    case FIELD_JSON:
        if (size == TOO_SMALL) return false;
        *(struct str *)at = size > TOO_SMALL   ? json_of(u, f->max + 1)
                            : f->check         ? checked_text(u, f, 1)
                            : size == SMALLEST ? S("{}")
                                               : json_of(u, f->max);
        return true;
    case FIELD_CHOICE: {
        struct str rest = str_of(f->choices), part = {NULL, 0}, last = {NULL, 0};
        if (size == TOO_LARGE || size == TOO_SMALL) {
            *(struct str *)at = S("no-such-choice");
            return true;
        }
        while (str_cut(&rest, ' ', &part))
            if (part.len && (!last.ptr || size == LARGEST)) last = part;
        *(struct str *)at = last;
        return true;
    }
    case FIELD_INT:
    case FIELD_DECIMAL:
    case FIELD_MONEY:
    case FIELD_TIME:
    case FIELD_DATE:
        *(int64_t *)at = size == SMALLEST ? least : size == LARGEST ? most : size == TOO_LARGE ? most + 1 : least - 1;
        return true;
    case FIELD_FLAG: *(bool *)at = size == LARGEST; return size <= LARGEST;
    case FIELD_GEO:
        *(struct geo *)at = size == SMALLEST  ? (struct geo){-900000000, -1800000000}
                            : size == LARGEST ? (struct geo){900000000, 1800000000}
                                              : (struct geo){900000001, 0};
        return true;
    case FIELD_REF: *(int64_t *)at = size <= LARGEST ? ref_of(u, f) : 77; return true;
    case FIELD_REFS:
    case FIELD_FILE:
    case FIELD_LINES: {
        /* A field that may be empty has one at its smallest, so that there is something to read back. */
        int64_t n = size == SMALLEST    ? (f->min ? f->min : 1)
                    : size == LARGEST   ? f->max
                    : size == TOO_LARGE ? f->max + 1
                                        : f->min - 1;
        if (n < 0) return false;
        if (f->kind == FIELD_LINES)
            *(struct lines *)at = conform_lines(u, f, n, size);
        else
            *(struct ids *)at = ids_of(u, f, n, size);
        return true;
    }
    case FIELD_STATE: return false;
    }
    return false;
}

/* A place stands where its first reference to another says. */
static bool is_placing(const struct resource *r, const struct field *f) {
    if (!r->place || f->kind != FIELD_REF) return false;
    if (strcmp(r->place, "id")) return !strcmp(r->place, f->name);
    for (const struct field *first = r->fields; first < f; first++)
        if (first->kind == FIELD_REF && !strcmp(first->to, r->name)) return false;
    return !strcmp(f->to, r->name);
}

void conform_complete(struct run *u, const struct resource *r, void *row, const char *tried) {
    if (u->c->complete) u->c->complete(&u->ctx, r, row, tried);
}

void conform_base_row(struct run *u, const struct resource *r, void *row) {
    int64_t step = 0;
    memset(row, 0, r->size);
    if (!r->place && !(r->flags & INSTALLATION)) ((struct row *)row)->community_id = u->site.community;
    for (size_t i = 0; i < r->fields_n; i++) {
        const struct field *f = &r->fields[i];
        void *at = (char *)row + f->at;
        bool key =
            r->dated && (word_in(r->dated, str_of(f->name)) || word_in("valid_from valid_until", str_of(f->name)));
        if (!(f->flags & REQUIRED) && !key && !is_placing(r, f)) continue;
        if (f->kind == FIELD_STATE || (f->flags & SYSTEM)) continue;
        if (!conform_set(u, f, row, SMALLEST)) continue;
        if (f->kind == FIELD_TEXT)
            *(struct str *)at = checked_text(u, f, f->max < 12 ? f->max : f->min > 12 ? f->min : 12);
        if (f->kind == FIELD_TIME) *(int64_t *)at = u->ctx.now_ms + 3600000 * ++step;
        /* Dated rows: days long past, one a row, so that they meet neither each other nor what is in force. */
        if (f->kind == FIELD_DATE)
            *(int64_t *)at = u->ctx.now_ms / 86400000 - 5000 - 2 * u->serial + !strcmp(f->name, "valid_until");
        ((struct row *)row)->has |= UINT64_C(1) << i;
    }
    u->serial++;
    conform_complete(u, r, row, NULL);
}

void *conform_row(const struct resource *r) {
    return calloc(1, r->size);
}

/* The row of another table by which somebody belongs to the site's place: "memberships.person_id". */
static enum err make_member(struct run *u, const char *member, int64_t id) {
    struct str column = str_of(member), table;
    CHECK(u->t, str_cut(&column, '.', &table));
    const struct resource *r = kernel_resource(u->k, table);
    void *row = conform_row(r);
    conform_base_row(u, r, row);
    *(int64_t *)(void *)((char *)row + r->fields[field_index_str(r, column)].at) = id;
    enum err e = row_create(&u->ctx, r, row);
    free(row);
    return e;
}

int64_t conform_make(struct run *u, const struct resource *r) {
    void *row = conform_row(r);
    struct ctx kept = u->ctx;
    u->ctx.actor = actor_system();
    u->ctx.fault = (struct fault){0};
    conform_base_row(u, r, row);
    enum err e = row_create(&u->ctx, r, row);
    int64_t id = ((struct row *)row)->id;
    if (!e && r->member) e = make_member(u, r->member, id);
    CHECK_SAY(u->t, !e, "%s: a base row: %s %s %s", r->name, u->ctx.fault.text, u->ctx.fault.fields[0].field,
              u->ctx.fault.fields[0].code);
    u->ctx = kept;
    free(row);
    return id;
}

int64_t conform_ref_row(struct run *u, const char *resource) {
    struct ctx kept = u->ctx;
    u->ctx.actor = actor_system();
    u->ctx.fault = (struct fault){0};
    int64_t id = u->c->make_ref ? u->c->make_ref(&u->ctx, &u->site, resource) : 0;
    CHECK_SAY(u->t, id > 0, "%s: no row could be made: %s", resource, u->ctx.fault.text);
    u->ctx = kept;
    return id;
}

/* ---- whose a row is ---- */

bool conform_is_open(const struct run *u, size_t relation) {
    const struct relation *rel = &u->r->relations[relation];
    size_t at = field_index(u->r, rel->column);
    const struct field *f = at == NO_FIELD ? NULL : &u->r->fields[at];
    return f && f->to && !u->r->select && rel->set == OWN_ME && !(f->flags & REQUIRED) && !is_placing(u->r, f);
}

void conform_whose(struct run *u, const void *row, struct subject *ret) {
    const struct row *h = row;
    CHECK(u->t, u->r->relations_n <= RELATIONS_MOST);
    for (size_t i = 0; i < u->r->relations_n && i < RELATIONS_MOST; i++) {
        const char *column = u->r->relations[i].column;
        size_t at = field_index(u->r, column);
        ret->whose[i] = !strcmp(column, "id")           ? h->id
                        : !strcmp(column, "created_by") ? h->created_by
                        : at == NO_FIELD || !(h->has >> at & 1)
                            ? 0
                            : *(const int64_t *)(const void *)((const char *)row + u->r->fields[at].at);
    }
}

void conform_give(struct run *u, size_t relation, int64_t person_id) {
    struct buf b;
    char sql[200];
    struct fault f = {0};
    buf_init(&b, sql, sizeof sql);
    buf_fmt(&b, "UPDATE %s SET %s = $1 WHERE id = $2", u->r->name, u->r->relations[relation].column);
    enum err e = db_exec(u->db, &f, sql, VALS(V_I64(person_id), V_I64(u->subject.id)), NULL);
    CHECK_SAY(u->t, !e, "%s", f.text);
    u->subject.whose[relation] = person_id;
}

void conform_give_all(struct run *u) {
    for (size_t i = 0; i < u->r->relations_n; i++)
        if (conform_is_open(u, i)) conform_give(u, i, u->site.person);
}

int64_t conform_own_row(struct run *u) {
    conform_fresh(u);
    u->subject = (struct subject){.community = u->site.community, .place = u->site.place};
    u->subject.id = u->r->select ? conform_ref_row(u, u->r->name) : conform_make(u, u->r);
    if (!u->r->relations_n) return u->subject.id;
    void *row = conform_row(u->r);
    CHECK(u->t, !row_get(&u->ctx, u->r, u->subject.id, row));
    conform_whose(u, row, &u->subject);
    free(row);
    return u->subject.id;
}

void conform_row_elsewhere(struct run *u) {
    struct conform_site here = u->site;
    u->site.community = here.other_community;
    u->site.place = here.other_place;
    conform_own_row(u);
    u->site = here;
}

int64_t conform_full_row(struct run *u) {
    int64_t id = conform_own_row(u);
    for (size_t i = 0; i < u->r->fields_n && !u->r->select; i++) {
        const struct field *f = &u->r->fields[i];
        void *patch = conform_row(u->r);
        if (f->class != ORDINARY && f->class != SECRET && conform_set(u, f, patch, LARGEST)) {
            ((struct row *)patch)->has = UINT64_C(1) << i;
            enum err e = row_update(&u->ctx, u->r, id, 0, patch, UINT64_C(1) << i, NULL);
            CHECK_SAY(u->t, !e, "%s.%s at its largest: %s %s", u->r->name, f->name, u->ctx.fault.text,
                      u->ctx.fault.fields[0].code);
            u->ctx.fault = (struct fault){0};
        }
        free(patch);
    }
    return id;
}

static int64_t ref_of(struct run *u, const struct field *f) {
    if (!strcmp(f->to, u->c->places)) return u->site.place;
    if (!strcmp(f->to, u->c->people)) return u->site.person;
    const struct resource *target = kernel_resource(u->k, str_of(f->to));
    return target->select ? conform_ref_row(u, f->to) : conform_make(u, target);
}
