/* What the files of the BACnet codec share.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PROTOCOL_BACNET_BACNET_INTERNAL_H
#define LINLI_PROTOCOL_BACNET_BACNET_INTERNAL_H

#include "protocol/bacnet/bacnet.h"
#include "protocol/cursor.h"
#include "protocol/frame_json.h"

/* ---- tags ---- */

struct bacnet_tag {
    enum { BACNET_PRIMITIVE, BACNET_OPENING, BACNET_CLOSING } form;
    uint8_t number;
    bool is_context;
    uint32_t len; /* of what follows; a boolean with an application tag has its value here */
};
/* Breaks the cursor where there is no such tag. */
struct bacnet_tag bacnet_take_tag(struct cursor *c);
bool bacnet_next_is(const struct cursor *c, uint8_t number); /* a context tag of that number, which does not close? */
/* What is between the opening tag of that number and its closing one. */
struct bytes bacnet_take_inside(struct cursor *c, uint8_t number);
void bacnet_put_tag(const struct bacnet_tag *t, struct buf *out);
void bacnet_put_unsigned(bool is_context, uint8_t number, uint64_t v, struct buf *out);
void bacnet_put_bytes(bool is_context, uint8_t number, struct bytes b, struct buf *out);
void bacnet_put_inside(uint8_t number, struct bytes b, struct buf *out);

/* ---- services ---- */

enum bacnet_form { /* of a part of a service */
                   FORM_UNSIGNED,
                   FORM_ENUMERATED,
                   FORM_BOOLEAN,
                   FORM_OBJECT,
                   FORM_PROPERTY,
                   FORM_TEXT,
                   FORM_DATE,
                   FORM_CLOCK,
                   FORM_VALUES, /* any values, between an opening and a closing tag */
                   FORM_STAMP,  /* the same, of a time */
                   FORM_ERROR,  /* class and code between the two */
                   FORM_POINTS  /* a list of points between the two */
};
struct bacnet_part {
    uint8_t tag; /* context; BACNET_APPLICATION: the tag of its form */
    uint8_t form;
    bool is_optional;
    const char *key;
    size_t at;                        /* in struct bacnet_body, or bacnet_point */
    const struct bacnet_words *words; /* of an enumerated one; NULL: a number */
    const struct bacnet_part *of;     /* parts of each point */
    size_t of_n;
};
#define BACNET_APPLICATION 0xff
struct bacnet_service {
    uint8_t kind, number;
    const char *name, *rule; /* rule: what the service is made of, with its clause */
    const struct bacnet_part *parts;
    size_t n;
    bool is_repeated; /* an object and its points, again and again */
};
const struct bacnet_service *bacnet_service_of(uint8_t kind, uint8_t number); /* NULL: it is not known */
const struct bacnet_service *bacnet_service_named(uint8_t kind, struct str name);

extern const struct bacnet_words bacnet_functions, bacnet_kinds;
bool bacnet_show(struct bytes whole, struct arena *a, struct jw *j, struct wire_error *reterr);
bool bacnet_make(const json_t *frame, struct arena *a, struct buf *out, struct wire_error *reterr);

/* A property alone, without its object: "units", "object_list_0". */
bool bacnet_read_property(struct str text, struct bacnet_point *p);
void bacnet_put_property(const struct bacnet_point *p, struct buf *out);

/* The body with room for all of its points, in the arena. */
bool bacnet_read_all(const struct bacnet_frame *f, struct arena *a, struct bacnet_body *ret, bool *ret_known,
                     struct wire_error *reterr);
/* Both floors of a datagram; the byte of a fault is that of the datagram. */
bool bacnet_open(struct bytes whole, struct arena *a, struct bacnet_frame *ret, struct bacnet_body *ret_body,
                 bool *ret_known, struct wire_error *reterr);
bool bacnet_name_device(int64_t device, struct arena *a, struct str *ret, struct wire_error *reterr);
/* Readings and events of the points of what was read, or of changes; device -1: nobody says whose they are. */
bool bacnet_readings(int64_t device, const struct bacnet_body *body, struct arena *a, struct decoded *ret,
                     struct wire_error *reterr);
/* What is gathered from a message, in room for all it can hold; the device is the owner of the point at hand. */
struct bacnet_said {
    const struct bacnet_body *body;
    struct str device;
    enum quality quality;
    struct str unit;
    struct reading *readings;
    struct device_event *events;
    size_t readings_n, events_n;
};
struct reading *bacnet_add_reading(struct bacnet_said *said);
struct device_event *bacnet_add_event(struct bacnet_said *said);
/* Another property of the same object in the same message: its first value, or all of it. */
bool bacnet_beside(const struct bacnet_body *body, int64_t object, int64_t property, struct bacnet_value *ret);
bool bacnet_point_beside(const struct bacnet_body *body, int64_t object, int64_t property, struct bacnet_point *ret);
/* lift.c: devices of their own within the one that speaks for them.  v: the point's only value; NULL: it has none, or
 * several.  False: the point means nothing there. */
bool bacnet_thing_reading(struct bacnet_said *said, const struct bacnet_point *p, const struct bacnet_value *v);
void bacnet_thing_events(struct bacnet_said *said, const struct bacnet_point *p);
extern const struct asking bacnet_asking;

#endif
