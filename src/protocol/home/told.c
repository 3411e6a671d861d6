/* What entities that Home Assistant's discovery describes are told, and which state says that they did it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "protocol/home/home_internal.h"

/* Components whose entities are told in words of their own; the payloads are those of the config, else these. */
static const struct {
    const char *components, *on, *off;
    enum home_key say_on, say_off;
    const char *usual_on, *usual_off;
    bool is_only; /* and take nothing else */
} words[] = {
    {"", NULL, NULL, KEY_ON, KEY_OFF, NULL, NULL, false},
    {"switch siren fan", "on", "off", KEY_ON, KEY_OFF, "ON", "OFF", true},
    {"light", "on", "off", KEY_ON, KEY_OFF, "ON", "OFF", false},
    {"lock", "lock", "unlock", KEY_LOCK, KEY_UNLOCK, "LOCK", "UNLOCK", true},
    {"cover valve", "open", "close", KEY_OPEN, KEY_CLOSE, "OPEN", "CLOSE", false},
    {"button", "press", NULL, KEY_PRESS, KEY_PRESS, "PRESS", NULL, true},
};

bool home_is_told(const struct home_entity *e) {
    struct home_template t;
    char mem[HOME_POINT_TEXTS];
    struct buf b;
    struct str text = e->text[KEY_COMMAND_TEMPLATE];
    buf_init(&b, mem, sizeof mem);
    if (!e->text[KEY_COMMAND].len) return false;
    return !text.len || (home_template_read(text, &b, &t) && !t.is_json && !t.ops_n);
}

uint8_t home_words_of(const struct home_entity *e, struct str *ret_on, struct str *ret_off) {
    for (size_t i = 1; i < COUNT(words); i++) {
        if (!word_in(words[i].components, e->text[KEY_COMPONENT])) continue;
        *ret_on = e->text[words[i].say_on].len ? e->text[words[i].say_on] : str_of(words[i].usual_on);
        *ret_off = e->text[words[i].say_off].len ? e->text[words[i].say_off] : str_of(words[i].usual_off);
        return (uint8_t)i;
    }
    return 0;
}

static const struct home_point *find(const struct home_points *p, const struct question *q) {
    for (size_t i = 0; i < p->n; i++) {
        const struct home_point *x = &p->all[i];
        if (home_point_text(x, POINT_COMMAND).len && str_eq(home_point_text(x, POINT_DEVICE), q->address) &&
            (str_eq(home_point_text(x, POINT_METRIC), q->item) || str_eq(home_point_text(x, POINT_PART), q->item)))
            return x;
    }
    return NULL;
}

static bool is_word(struct str value, const char *word) {
    return word && home_is(value, word);
}

enum home_asked home_points_ask(const struct home_points *p, const struct question *q, struct buf *out,
                                bool *ret_tells) {
    const struct home_point *x = p ? find(p, q) : NULL;
    struct str say = q->value;
    if (!x) return HOME_UNKNOWN;
    if (!q->value.ptr || memchr(q->item.ptr, '\n', q->item.len)) return HOME_UNSAYABLE;
    if (is_word(q->value, words[x->words].on))
        say = home_point_text(x, POINT_SAY_ON);
    else if (is_word(q->value, words[x->words].off))
        say = home_point_text(x, POINT_SAY_OFF);
    else if (words[x->words].is_only)
        return HOME_UNSAYABLE;
    buf_fmt(out, STR_FMT "\n" STR_FMT, STR_ARG(home_point_text(x, POINT_COMMAND)), STR_ARG(say));
    *ret_tells = x->state && !home_is_move(q->value);
    return out->overflow ? HOME_UNSAYABLE : HOME_ASKED;
}

bool home_points_answer(const struct home_points *p, const struct question *q, struct str topic, struct bytes payload,
                        struct arena *a) {
    const struct home_point *x = p ? find(p, q) : NULL;
    struct home_report r;
    struct wire_error ignored;
    double told;
    if (!x || !home_point_is_at(x, topic) || !home_report_init(&r, a, &ignored, payload, 0) ||
        !home_points_said(p, topic, &r))
        return false;
    r.device = home_point_text(x, POINT_DEVICE);
    const struct reading *said = home_find(&r, home_point_text(x, POINT_METRIC));
    bool is_value = is_word(q->value, words[x->words].on) || is_word(q->value, words[x->words].off);
    if (is_value)
        told = is_word(q->value, words[x->words].on);
    else if (!str_to_f64(q->value, &told))
        return true; /* a word: its state came, and says more than we know */
    return said && said->value == told;
}
