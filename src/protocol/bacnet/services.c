/* What services of BACnet are made of (clause 21).  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include <stddef.h>

/* Parts: the context tag, the form, where it is kept, and its name. */
#define BODY(m)          offsetof(struct bacnet_body, m)
#define POINT(m)         offsetof(struct bacnet_point, m)
#define OF_POINT(m)      BODY(point) + POINT(m)
#define PART(t, f, k, a) .tag = (t), .form = (f), .key = (k), .at = (a)
#define OPTIONAL         .is_optional = true
#define APP              BACNET_APPLICATION

static const struct bacnet_word segmentation_rows[] = {{0, "both"}, {1, "transmit"}, {2, "receive"}, {3, "none"}};
static const struct bacnet_words segmentations = {segmentation_rows, COUNT(segmentation_rows)};
static const struct bacnet_word notify_rows[] = {{0, "alarm"}, {1, "event"}, {2, "acknowledgement"}};
static const struct bacnet_words notify_types = {notify_rows, COUNT(notify_rows)};
static const struct bacnet_word event_rows[] = {
    {0, "change_of_bitstring"},
    {1, "change_of_state"},
    {2, "change_of_value"},
    {3, "command_failure"},
    {4, "floating_limit"},
    {5, "out_of_range"},
    {8, "change_of_life_safety"},
    {9, "extended"},
    {10, "buffer_ready"},
    {11, "unsigned_range"},
    {13, "access_event"},
    {14, "double_out_of_range"},
    {15, "signed_out_of_range"},
    {16, "unsigned_out_of_range"},
    {17, "change_of_characterstring"},
    {18, "change_of_status_flags"},
    {19, "change_of_reliability"},
    {20, "none"},
};
static const struct bacnet_words event_types = {event_rows, COUNT(event_rows)};

static const struct bacnet_part who_is[] = {
    {PART(0, FORM_UNSIGNED, "low", BODY(low)), OPTIONAL},
    {PART(1, FORM_UNSIGNED, "high", BODY(high)), OPTIONAL},
};
static const struct bacnet_part i_am[] = {
    {PART(APP, FORM_OBJECT, "device", BODY(device))},
    {PART(APP, FORM_UNSIGNED, "max_apdu", BODY(max_apdu))},
    {PART(APP, FORM_ENUMERATED, "segmentation", BODY(segmentation)), .words = &segmentations},
    {PART(APP, FORM_UNSIGNED, "vendor", BODY(vendor))},
};
static const struct bacnet_part who_has[] = {
    {PART(0, FORM_UNSIGNED, "low", BODY(low)), OPTIONAL},
    {PART(1, FORM_UNSIGNED, "high", BODY(high)), OPTIONAL},
    {PART(2, FORM_OBJECT, "object", OF_POINT(object)), OPTIONAL},
    {PART(3, FORM_TEXT, "name", BODY(text)), OPTIONAL},
};
static const struct bacnet_part i_have[] = {
    {PART(APP, FORM_OBJECT, "device", BODY(device))},
    {PART(APP, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(APP, FORM_TEXT, "name", BODY(text))},
};
static const struct bacnet_part read_property[] = {
    {PART(0, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(1, FORM_PROPERTY, "property", OF_POINT(property))},
    {PART(2, FORM_UNSIGNED, "index", OF_POINT(index)), OPTIONAL},
};
static const struct bacnet_part property_read[] = {
    {PART(0, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(1, FORM_PROPERTY, "property", OF_POINT(property))},
    {PART(2, FORM_UNSIGNED, "index", OF_POINT(index)), OPTIONAL},
    {PART(3, FORM_VALUES, "values", OF_POINT(values))},
};
static const struct bacnet_part write_property[] = {
    {PART(0, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(1, FORM_PROPERTY, "property", OF_POINT(property))},
    {PART(2, FORM_UNSIGNED, "index", OF_POINT(index)), OPTIONAL},
    {PART(3, FORM_VALUES, "values", OF_POINT(values))},
    {PART(4, FORM_UNSIGNED, "priority", OF_POINT(priority)), OPTIONAL},
};
static const struct bacnet_part references[] = {
    {PART(0, FORM_PROPERTY, "property", POINT(property))},
    {PART(1, FORM_UNSIGNED, "index", POINT(index)), OPTIONAL},
};
static const struct bacnet_part results[] = {
    {PART(2, FORM_PROPERTY, "property", POINT(property))},
    {PART(3, FORM_UNSIGNED, "index", POINT(index)), OPTIONAL},
    {PART(4, FORM_VALUES, "values", POINT(values)), OPTIONAL},
    {PART(5, FORM_ERROR, "error", POINT(error_class)), OPTIONAL},
};
static const struct bacnet_part changes[] = {
    {PART(0, FORM_PROPERTY, "property", POINT(property))},
    {PART(1, FORM_UNSIGNED, "index", POINT(index)), OPTIONAL},
    {PART(2, FORM_VALUES, "values", POINT(values))},
    {PART(3, FORM_UNSIGNED, "priority", POINT(priority)), OPTIONAL},
};
static const struct bacnet_part read_multiple[] = {
    {PART(0, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(1, FORM_POINTS, "points", 0), .of = references, .of_n = COUNT(references)},
};
static const struct bacnet_part multiple_read[] = {
    {PART(0, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(1, FORM_POINTS, "points", 0), .of = results, .of_n = COUNT(results)},
};
static const struct bacnet_part subscribe_cov[] = {
    {PART(0, FORM_UNSIGNED, "process", BODY(process))},
    {PART(1, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(2, FORM_BOOLEAN, "confirmed", BODY(confirmed)), OPTIONAL},
    {PART(3, FORM_UNSIGNED, "remaining_s", BODY(remaining_s)), OPTIONAL},
};
static const struct bacnet_part cov[] = {
    {PART(0, FORM_UNSIGNED, "process", BODY(process))},
    {PART(1, FORM_OBJECT, "device", BODY(device))},
    {PART(2, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(3, FORM_UNSIGNED, "remaining_s", BODY(remaining_s))},
    {PART(4, FORM_POINTS, "points", 0), .of = changes, .of_n = COUNT(changes)},
};
static const struct bacnet_part event_parts[] = {
    {PART(0, FORM_UNSIGNED, "process", BODY(process))},
    {PART(1, FORM_OBJECT, "device", BODY(device))},
    {PART(2, FORM_OBJECT, "object", OF_POINT(object))},
    {PART(3, FORM_STAMP, "stamp", BODY(stamp))},
    {PART(4, FORM_UNSIGNED, "event_class", BODY(event_class))},
    {PART(5, FORM_UNSIGNED, "event_priority", BODY(event_priority))},
    {PART(6, FORM_ENUMERATED, "event_type", BODY(event_type)), .words = &event_types},
    {PART(7, FORM_TEXT, "text", BODY(text)), OPTIONAL},
    {PART(8, FORM_ENUMERATED, "notify_type", BODY(notify_type)), .words = &notify_types},
    {PART(9, FORM_BOOLEAN, "ack_required", BODY(ack_required)), OPTIONAL},
    {PART(10, FORM_ENUMERATED, "from_state", BODY(from_state)), OPTIONAL, .words = &bacnet_states},
    {PART(11, FORM_ENUMERATED, "to_state", BODY(to_state)), .words = &bacnet_states},
    {PART(12, FORM_VALUES, "event_values", BODY(event_values)), OPTIONAL},
};
static const struct bacnet_part clock_parts[] = {
    {PART(APP, FORM_DATE, "date", BODY(date))},
    {PART(APP, FORM_CLOCK, "clock", BODY(clock))},
};
static const struct bacnet_part error_parts[] = {
    {PART(APP, FORM_ENUMERATED, "error_class", BODY(error_class)), .words = &bacnet_error_classes},
    {PART(APP, FORM_ENUMERATED, "error_code", BODY(error_code)), .words = &bacnet_errors},
};

#define SERVICE(k, n, word, rule, parts) \
    { (k), (n), (word), "BACnet " rule, (parts), COUNT(parts), false }
#define REPEATED(k, n, word, rule, parts) \
    { (k), (n), (word), "BACnet " rule, (parts), COUNT(parts), true }
#define COV_RULE   "13.6: process, device, object, time remaining, list of values"
#define EVENT_RULE "13.8: process, device, object, time stamp, class, priority, type … in their order"
static const struct bacnet_service services[] = {
    SERVICE(BACNET_UNCONFIRMED, BACNET_I_AM, "i_am", "16.10: device, longest APDU, segmentation, vendor", i_am),
    SERVICE(BACNET_UNCONFIRMED, BACNET_I_HAVE, "i_have", "16.9: device, object, name", i_have),
    SERVICE(BACNET_UNCONFIRMED, BACNET_COV, "cov_notification", COV_RULE, cov),
    SERVICE(BACNET_UNCONFIRMED, BACNET_EVENT, "event_notification", EVENT_RULE, event_parts),
    SERVICE(BACNET_UNCONFIRMED, BACNET_TIME, "time", "16.7: date, time", clock_parts),
    SERVICE(BACNET_UNCONFIRMED, BACNET_WHO_HAS, "who_has", "16.9: limits or none, then object or name", who_has),
    SERVICE(BACNET_UNCONFIRMED, BACNET_WHO_IS, "who_is", "16.10: two limits or none", who_is),
    SERVICE(BACNET_UNCONFIRMED, BACNET_UTC_TIME, "utc_time", "16.8: date, time", clock_parts),
    SERVICE(BACNET_CONFIRMED, BACNET_COV_CONFIRMED, "cov_notification", COV_RULE, cov),
    SERVICE(BACNET_CONFIRMED, BACNET_EVENT_CONFIRMED, "event_notification", EVENT_RULE, event_parts),
    SERVICE(BACNET_CONFIRMED, BACNET_SUBSCRIBE_COV, "subscribe_cov", "13.14: process, object, confirmed, lifetime",
            subscribe_cov),
    SERVICE(BACNET_CONFIRMED, BACNET_READ, "read_property", "15.5: object, property, index", read_property),
    REPEATED(BACNET_CONFIRMED, BACNET_READ_MULTIPLE, "read_property_multiple",
             "15.7: objects, each with its properties", read_multiple),
    SERVICE(BACNET_CONFIRMED, BACNET_WRITE, "write_property", "15.9: object, property, index, value, priority",
            write_property),
    SERVICE(BACNET_COMPLEX_ACK, BACNET_READ, "read_property", "15.5: object, property, index, value", property_read),
    REPEATED(BACNET_COMPLEX_ACK, BACNET_READ_MULTIPLE, "read_property_multiple",
             "15.7: objects, each with its properties and their values or errors", multiple_read),
    {BACNET_SIMPLE_ACK, BACNET_COV_CONFIRMED, "cov_notification", NULL, NULL, 0, false},
    {BACNET_SIMPLE_ACK, BACNET_EVENT_CONFIRMED, "event_notification", NULL, NULL, 0, false},
    {BACNET_SIMPLE_ACK, BACNET_SUBSCRIBE_COV, "subscribe_cov", NULL, NULL, 0, false},
    {BACNET_SIMPLE_ACK, BACNET_WRITE, "write_property", NULL, NULL, 0, false},
    SERVICE(BACNET_ERROR, BACNET_COV_CONFIRMED, "cov_notification", "18.1: class, code", error_parts),
    SERVICE(BACNET_ERROR, BACNET_EVENT_CONFIRMED, "event_notification", "18.1: class, code", error_parts),
    SERVICE(BACNET_ERROR, BACNET_SUBSCRIBE_COV, "subscribe_cov", "18.1: class, code", error_parts),
    SERVICE(BACNET_ERROR, BACNET_READ, "read_property", "18.1: class, code", error_parts),
    SERVICE(BACNET_ERROR, BACNET_READ_MULTIPLE, "read_property_multiple", "18.1: class, code", error_parts),
    SERVICE(BACNET_ERROR, BACNET_WRITE, "write_property", "18.1: class, code", error_parts),
};

const struct bacnet_service *bacnet_service_of(uint8_t kind, uint8_t number) {
    for (size_t i = 0; i < COUNT(services); i++)
        if (services[i].kind == kind && services[i].number == number) return &services[i];
    return NULL;
}

const struct bacnet_service *bacnet_service_named(uint8_t kind, struct str name) {
    for (size_t i = 0; i < COUNT(services); i++)
        if (services[i].kind == kind && str_is(name, services[i].name)) return &services[i];
    return NULL;
}

const struct bacnet_point bacnet_no_point = {
    .object = -1, .property = -1, .index = -1, .priority = -1, .error_class = -1, .error_code = -1};
const struct bacnet_body bacnet_nothing = {
    .low = -1,
    .high = -1,
    .device = -1,
    .max_apdu = -1,
    .segmentation = -1,
    .vendor = -1,
    .process = -1,
    .remaining_s = -1,
    .confirmed = -1,
    .event_class = -1,
    .event_priority = -1,
    .event_type = -1,
    .notify_type = -1,
    .ack_required = -1,
    .from_state = -1,
    .to_state = -1,
    .error_class = -1,
    .error_code = -1,
    .point = {.object = -1, .property = -1, .index = -1, .priority = -1, .error_class = -1, .error_code = -1}};
