/* The table checker: a fault in a module's tables is found at start, by name.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

#include <string.h>

struct check {
    const struct kernel *k;
    const struct known *kn;
    struct fault *f;
};
#define WRONG(c, ...) FAIL((c)->f, ERR_INTERNAL, "tables", __VA_ARGS__)

static bool is_name(const char *s) {
    if (!s || s[0] < 'a' || s[0] > 'z' || strlen(s) > 40) return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static bool is_kind(const struct field *f, const char *kinds) {
    return word_in(kinds, str_of(field_kinds[f->kind].word));
}

static bool words_are_fields(const struct resource *r, const char *words, struct str *ret_bad) {
    struct str rest = str_of(words), part;
    while (str_word(&rest, &part))
        if (field_index_str(r, part) == NO_FIELD) {
            *ret_bad = part;
            return false;
        }
    return true;
}

static const char reserved[] = "id community_id version created_ms created_by updated_ms archived_ms row_id pos order "
                               "group user limit table select "
                               "from to where check end default all references primary values";

static enum err check_bounds(struct check *c, const char *where, const struct field *f) {
    if (field_is_counted(f) && f->max <= 0) return WRONG(c, "%s.%s: needs a max", where, f->name);
    if (f->max < f->min) return WRONG(c, "%s.%s: max is under min", where, f->name);
    if (f->kind == FIELD_DECIMAL && (f->scale < 1 || f->scale > 9))
        return WRONG(c, "%s.%s: scale must be 1..9", where, f->name);
    if (f->kind == FIELD_CHOICE && !f->choices) return WRONG(c, "%s.%s: no choices", where, f->name);
    if (is_kind(f, "ref refs") && !known_named(c->k, str_of(f->to)))
        return WRONG(c, "%s.%s: refers to unknown resource %s", where, f->name, f->to);
    if (f->check && !is_kind(f, "text json")) return WRONG(c, "%s.%s: check is for text and JSON", where, f->name);
    return OK;
}

static enum err check_field(struct check *c, size_t i) {
    const struct resource *r = c->kn->r;
    const struct field *f = &r->fields[i];
    if (!is_name(f->name))
        return WRONG(c, "%s: field name is not [a-z][a-z0-9_]*: %s", r->name, f->name ? f->name : "");
    if (word_in(reserved, str_of(f->name))) return WRONG(c, "%s.%s: the name is reserved", r->name, f->name);
    if (field_index(r, f->name) != i) return WRONG(c, "%s.%s: two fields of that name", r->name, f->name);
    TRY(check_bounds(c, r->name, f));
    if (f->class == SECRET && !(f->flags & SYSTEM)) return WRONG(c, "%s.%s: a secret must be SYSTEM", r->name, f->name);
    if (f->class != ORDINARY && !is_kind(f, "text json int money date geo decimal"))
        return WRONG(c, "%s.%s: this kind cannot be protected", r->name, f->name);
    if (f->class != ORDINARY && (f->flags & (UNIQUE | INDEXED)))
        return WRONG(c, "%s.%s: protected fields are neither unique nor indexed", r->name, f->name);
    if ((f->flags & SEARCH) && f->kind != FIELD_TEXT) return WRONG(c, "%s.%s: only text is searched", r->name, f->name);
    if (f->kind == FIELD_STATE && (!r->states_n || !r->states)) return WRONG(c, "%s.%s: no states", r->name, f->name);
    if (f->kind == FIELD_LINES) {
        if (!f->lines || !f->lines->fields_n || f->lines->fields_n > 64)
            return WRONG(c, "%s.%s: lines need 1..64 fields", r->name, f->name);
        for (size_t j = 0; j < f->lines->fields_n; j++) {
            const struct field *line = &f->lines->fields[j];
            if (!is_name(line->name)) return WRONG(c, "%s.%s: bad name of a line's field", r->name, f->name);
            if (is_kind(line, "lines state file refs"))
                return WRONG(c, "%s.%s.%s: not a kind for lines", r->name, f->name, line->name);
            if (line->class != ORDINARY) return WRONG(c, "%s.%s.%s: lines hide nothing", r->name, f->name, line->name);
            TRY(check_bounds(c, f->name, line));
        }
    }
    return OK;
}

static enum err check_states(struct check *c) {
    const struct resource *r = c->kn->r;
    size_t field = field_state(r);
    if (!r->states_n) {
        for (size_t i = 0; i < r->steps_n; i++)
            if (r->steps[i].from != ANY_STATE || r->steps[i].to != ANY_STATE)
                return WRONG(c, "%s.%s: a step without states", r->name, r->steps[i].name);
        return field == NO_FIELD ? OK : WRONG(c, "%s: a state field without states", r->name);
    }
    if (field == NO_FIELD) return WRONG(c, "%s: states without a STATE field", r->name);
    if (r->states_n > 32) return WRONG(c, "%s: more than 32 states", r->name);
    uint32_t reached = 1;
    for (size_t round = 0; round < r->states_n; round++)
        for (size_t i = 0; i < r->steps_n; i++) {
            const struct step *s = &r->steps[i];
            if (s->from >= (int32_t)r->states_n || s->to >= (int32_t)r->states_n || s->from < ANY_STATE ||
                s->to < ANY_STATE)
                return WRONG(c, "%s.%s: no such state", r->name, s->name);
            if (s->to >= 0 && (s->from == ANY_STATE || reached >> s->from & 1)) reached |= UINT32_C(1) << s->to;
        }
    for (size_t i = 0; i < r->states_n; i++) {
        if (!is_name(r->states[i])) return WRONG(c, "%s: state %zu has no proper name", r->name, i);
        if (!(reached >> i & 1)) return WRONG(c, "%s: state %s is never reached", r->name, r->states[i]);
    }
    return OK;
}

static enum err roles_are_known(struct check *c, const char *roles) {
    struct str rest = str_of(roles), word;
    while (str_word(&rest, &word))
        if (!kernel_role(c->k, word)) return WRONG(c, "%s: unknown role " STR_FMT, c->kn->r->name, STR_ARG(word));
    return OK;
}

static enum err check_step(struct check *c, size_t i) {
    const struct resource *r = c->kn->r;
    const struct step *s = &r->steps[i];
    struct str bad;
    if (!is_name(s->name)) return WRONG(c, "%s: step %zu has no proper name", r->name, i);
    if (word_in("restore reveal history files create update archive", str_of(s->name)))
        return WRONG(c, "%s.%s: the name is the kernel's", r->name, s->name);
    if (!words_are_fields(r, s->takes, &bad))
        return WRONG(c, "%s.%s: takes no field " STR_FMT, r->name, s->name, STR_ARG(bad));
    struct str rest = str_of(s->need), part;
    while (str_word(&rest, &part))
        if (!word_in(s->takes, part))
            return WRONG(c, "%s.%s: needs " STR_FMT " but does not take it", r->name, s->name, STR_ARG(part));
    uint64_t roles = c->kn->step_roles[i], readers = 1; /* the timer reads as the system */
    if (!roles) return WRONG(c, "%s.%s: possible for nobody", r->name, s->name);
    for (size_t g = 0; g < r->grants_n; g++)
        if (r->grants[g].verbs & READ) readers |= c->kn->grant_roles[g];
    if (roles & ~readers) return WRONG(c, "%s.%s: possible for a role that cannot read the row", r->name, s->name);
    return roles_are_known(c, s->roles);
}

static enum err check_grant(struct check *c, size_t i) {
    const struct resource *r = c->kn->r;
    const struct grant *g = &r->grants[i];
    struct str rest = str_of(g->by), part;
    TRY(roles_are_known(c, g->roles));
    if (!c->kn->grant_roles[i] || !g->verbs) return WRONG(c, "%s: grant %zu says nothing", r->name, i);
    if ((g->clear | g->reveal) & SECRET) return WRONG(c, "%s: grant %zu would show a secret", r->name, i);
    if (g->reach != OWN) return g->by ? WRONG(c, "%s: grant %zu names relations but is not OWN", r->name, i) : OK;
    if (!g->by) return WRONG(c, "%s: grant %zu is OWN of nothing", r->name, i);
    while (str_word(&rest, &part)) {
        bool found = false;
        for (size_t j = 0; j < r->relations_n; j++) found |= str_is(part, r->relations[j].name);
        if (!found) return WRONG(c, "%s: no relation " STR_FMT, r->name, STR_ARG(part));
    }
    return OK;
}

static enum err check_member(struct check *c) {
    const struct resource *r = c->kn->r;
    if (!r->member) return OK;
    const struct known *of = known_named(c->k, str_of(c->kn->member_table));
    struct str bad;
    if (!of || field_index(of->r, c->kn->member_column) == NO_FIELD ||
        !words_are_fields(of->r, "place_id valid_from valid_until", &bad))
        return WRONG(c, "%s: member names no REF of dated rows at places", r->name);
    return OK;
}

static enum err check_rest(struct check *c) {
    const struct resource *r = c->kn->r;
    struct str bad;
    TRY(check_member(c));
    if (r->relations_n > 64) return WRONG(c, "%s: more than 64 relations", r->name);
    if (r->label && c->kn->label == NO_FIELD) return WRONG(c, "%s: label names no field", r->name);
    if (r->place && c->kn->place == NO_FIELD) return WRONG(c, "%s: place names no field", r->name);
    if (c->kn->place < r->fields_n && r->fields[c->kn->place].kind != FIELD_REF)
        return WRONG(c, "%s: place must be a REF", r->name);
    for (size_t i = 0; i < r->relations_n; i++) {
        const char *column = r->relations[i].column;
        size_t at = field_index(r, column);
        if (strcmp(column, "id") && strcmp(column, "created_by") && (at == NO_FIELD || r->fields[at].kind != FIELD_REF))
            return WRONG(c, "%s: relation %s names no REF", r->name, r->relations[i].name);
    }
    for (size_t i = 0; i < r->dues_n; i++) {
        size_t at = field_index(r, r->dues[i].field);
        if (at == NO_FIELD || r->fields[at].kind != FIELD_TIME) return WRONG(c, "%s: due of no TIME field", r->name);
        if (r->dues[i].unless && field_index(r, r->dues[i].unless) == NO_FIELD)
            return WRONG(c, "%s: due unless no field: %s", r->name, r->dues[i].unless);
        bool timed = false;
        for (size_t j = 0; j < r->steps_n; j++)
            timed |= !strcmp(r->steps[j].name, r->dues[i].step) && (c->kn->step_roles[j] & 1);
        if (!timed) return WRONG(c, "%s: due names no step of the timer: %s", r->name, r->dues[i].step);
    }
    if (r->dated && (!words_are_fields(r, r->dated, &bad) || !words_are_fields(r, "valid_from valid_until", &bad)))
        return WRONG(c, "%s: dated rows need field " STR_FMT, r->name, STR_ARG(bad));
    size_t tones = 0;
    struct str rest = str_of(r->tones), part;
    while (str_word(&rest, &part)) {
        if (!word_in("bad warn info ok off", part)) return WRONG(c, "%s: no tone " STR_FMT, r->name, STR_ARG(part));
        tones++;
    }
    return tones == r->states_n ? OK : WRONG(c, "%s: %zu states but %zu tones", r->name, r->states_n, tones);
}

static enum err check_resource(struct check *c) {
    const struct resource *r = c->kn->r;
    if (!is_name(r->name)) return WRONG(c, "resource name is not [a-z][a-z0-9_]*: %s", r->name);
    if (r->size < sizeof(struct row)) return WRONG(c, "%s: the row struct does not begin with struct row", r->name);
    if (!r->fields_n || r->fields_n > 64) return WRONG(c, "%s: 1..64 fields", r->name);
    for (size_t i = 0; i < r->fields_n; i++) TRY(check_field(c, i));
    for (size_t i = 0; i < r->steps_n; i++) TRY(check_step(c, i));
    for (size_t i = 0; i < r->grants_n; i++) TRY(check_grant(c, i));
    TRY(check_states(c));
    return check_rest(c);
}

enum err kernel_check(const struct kernel *k, struct fault *f) {
    for (size_t i = 0; i < k->known_n; i++) {
        struct check c = {k, &k->known[i], f};
        TRY(check_resource(&c));
    }
    return OK;
}
