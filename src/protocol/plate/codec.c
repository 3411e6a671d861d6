/* Number plates behind the narrow waist, for tools: they say nothing of a device.  SPDX-License-Identifier: Apache-2.0
 */
#include "protocol/frame_json.h"
#include "protocol/plate/plate.h"

static struct str text_of(struct bytes whole) {
    return (struct str){(const char *)whole.ptr, whole.len};
}

static bool decode(struct bytes whole, struct arena *a, struct decoded *ret, struct wire_error *reterr) {
    struct plate p;
    (void)a;
    *ret = (struct decoded){0};
    return plate_read(text_of(whole), &p, reterr);
}

static bool show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr) {
    struct plate p;
    if (!plate_read(text_of(whole), &p, reterr)) return false;
    const struct {
        const char *key;
        struct plate_part part;
    } parts[] = {{"province", p.province}, {"letters", p.letters}, {"serial", p.serial}, {"suffix", p.suffix}};
    jw_open(j, '{');
    jw_kcstr(j, "kind", plate_kind_name(p.kind));
    jw_kcstr(j, "plate", p.text);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].part.n) jw_kstr(j, parts[i].key, plate_part(&p, parts[i].part));
    if (p.is_new_energy) jw_kcstr(j, "energy", p.is_electric ? "electric" : "other");
    frame_put_bytes(j, a, "text", whole);
    jw_close(j, '}');
    return true;
}

/* As it came, or in its normal form. */
static bool make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr) {
    struct frame_in in = {.object = frame, .arena = a, .error = reterr};
    struct str text = frame_text(&in, "text"), plate = frame_text(&in, "plate");
    struct plate p;
    if (in.is_bad) return false;
    if (!text.ptr && !plate.ptr) frame_bad(&in, "plate", "is missing");
    if (in.is_bad || !plate_read(text.ptr ? text : plate, &p, reterr)) return false;
    if (text.ptr)
        buf_str(out, text);
    else
        buf_cstr(out, p.text);
    return true;
}

const struct codec plate_codec = {
    .name = "plate",
    .standard = "GA 36-2018",
    .frame_max = PLATE_INPUT_MAX,
    .decode = decode,
    .show = show,
    .make = make,
    .is_text = true,
};
