/* Numbers of BACnet and the words for them.  SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bacnet/bacnet_internal.h"

#include <string.h>

#define WORDS(rows) \
    { (rows), COUNT(rows) }

static const struct bacnet_word object_types[] = {
    {0, "ai"},
    {1, "ao"},
    {2, "av"},
    {3, "bi"},
    {4, "bo"},
    {5, "bv"},
    {6, "calendar"},
    {7, "command"},
    {8, "device"},
    {9, "event_enrollment"},
    {10, "file"},
    {11, "group"},
    {12, "loop"},
    {13, "mi"},
    {14, "mo"},
    {15, "notification_class"},
    {16, "program"},
    {17, "schedule"},
    {18, "averaging"},
    {19, "mv"},
    {20, "trend_log"},
    {21, "life_safety_point"},
    {22, "life_safety_zone"},
    {23, "accumulator"},
    {24, "pulse_converter"},
    {28, "load_control"},
    {29, "structured_view"},
    {30, "access_door"},
    {31, "timer"},
    {40, "text_value"},
    {45, "integer_value"},
    {46, "large_analog_value"},
    {48, "positive_integer_value"},
    {54, "lighting_output"},
    {55, "binary_lighting_output"},
    {56, "network_port"},
    {57, "elevator_group"},
    {58, "escalator"},
    {59, "lift"},
};
const struct bacnet_words bacnet_object_types = WORDS(object_types);

static const struct bacnet_word properties[] = {
    {4, "active_text"},
    {8, "all"},
    {12, "application_software_version"},
    {15, "change_of_state_count"},
    {17, "notification_class"},
    {22, "cov_increment"},
    {25, "deadband"},
    {28, "description"},
    {33, "elapsed_active_time"},
    {35, "event_enable"},
    {36, "event_state"},
    {40, "feedback_value"},
    {44, "firmware_revision"},
    {45, "high_limit"},
    {46, "inactive_text"},
    {56, "local_date"},
    {57, "local_time"},
    {58, "location"},
    {59, "low_limit"},
    {62, "max_apdu_length_accepted"},
    {65, "max_pres_value"},
    {69, "min_pres_value"},
    {70, "model_name"},
    {74, "number_of_states"},
    {75, "object_identifier"},
    {76, "object_list"},
    {77, "object_name"},
    {79, "object_type"},
    {81, "out_of_service"},
    {84, "polarity"},
    {85, "present_value"},
    {87, "priority_array"},
    {98, "protocol_version"},
    {103, "reliability"},
    {104, "relinquish_default"},
    {106, "resolution"},
    {107, "segmentation_supported"},
    {108, "setpoint"},
    {110, "state_text"},
    {111, "status_flags"},
    {112, "system_status"},
    {117, "units"},
    {118, "update_interval"},
    {119, "utc_offset"},
    {120, "vendor_identifier"},
    {121, "vendor_name"},
    {139, "protocol_revision"},
    {155, "database_revision"},
    {187, "scale"},
    {371, "property_list"},
    {372, "serial_number"},
    {379, "instantaneous_power"},
    {384, "power"},
    {448, "car_assigned_direction"},
    {449, "car_door_command"},
    {450, "car_door_status"},
    {451, "car_door_text"},
    {452, "car_door_zone"},
    {453, "car_drive_status"},
    {454, "car_load"},
    {455, "car_load_units"},
    {456, "car_mode"},
    {457, "car_moving_direction"},
    {458, "car_position"},
    {459, "elevator_group"},
    {460, "energy_meter"},
    {462, "escalator_mode"},
    {463, "fault_signals"},
    {464, "floor_text"},
    {465, "group_id"},
    {469, "installation_id"},
    {470, "landing_calls"},
    {472, "landing_door_status"},
    {474, "machine_room_id"},
    {475, "making_car_call"},
    {476, "next_stopping_floor"},
    {477, "operation_direction"},
    {478, "passenger_alarm"},
    {479, "power_mode"},
    {480, "registered_car_call"},
};
const struct bacnet_words bacnet_properties = WORDS(properties);

static const struct bacnet_word units[] = {
    {2, "mA"},      {3, "A"},      {4, "Ohm"},    {5, "V"},      {6, "kV"},      {8, "VA"},     {9, "kVA"},
    {11, "var"},    {12, "kvar"},  {16, "J"},     {17, "kJ"},    {18, "Wh"},     {19, "kWh"},   {27, "Hz"},
    {29, "%"},      {30, "mm"},    {31, "m"},     {37, "lx"},    {39, "kg"},     {47, "W"},     {48, "kW"},
    {49, "MW"},     {53, "Pa"},    {54, "kPa"},   {55, "bar"},   {59, "mm[Hg]"}, {62, "Cel"},   {63, "K"},
    {64, "[degF]"}, {67, "a"},     {70, "d"},     {71, "h"},     {72, "min"},    {73, "s"},     {74, "m/s"},
    {75, "km/h"},   {80, "m3"},    {82, "L"},     {85, "m3/s"},  {87, "L/s"},    {88, "L/min"}, {90, "deg"},
    {96, "ppm"},    {97, "ppb"},   {98, "%"},     {104, "/min"}, {124, "mV"},    {126, "MJ"},   {132, "mW"},
    {133, "hPa"},   {134, "mbar"}, {135, "m3/h"}, {136, "L/h"},  {146, "MWh"},   {159, "ms"},   {218, "mg/m3"},
    {219, "ug/m3"},
};
const struct bacnet_words bacnet_units = WORDS(units);

static const struct bacnet_word errors[] = {
    {0, "other"},
    {2, "configuration_in_progress"},
    {3, "device_busy"},
    {9, "invalid_data_type"},
    {16, "missing_required_parameter"},
    {20, "no_space_to_write_property"},
    {25, "operational_problem"},
    {26, "password_failure"},
    {27, "read_access_denied"},
    {29, "service_request_denied"},
    {30, "timeout"},
    {31, "unknown_object"},
    {32, "unknown_property"},
    {36, "unsupported_object_type"},
    {37, "value_out_of_range"},
    {40, "write_access_denied"},
    {41, "character_set_not_supported"},
    {42, "invalid_array_index"},
    {43, "cov_subscription_failed"},
    {44, "not_cov_property"},
    {45, "optional_functionality_not_supported"},
    {47, "datatype_not_supported"},
    {50, "property_is_not_an_array"},
    {70, "unknown_device"},
    {72, "value_not_initialized"},
    {80, "parameter_out_of_range"},
    {82, "busy"},
    {83, "communication_disabled"},
    {85, "access_denied"},
    {134, "value_too_long"},
    {138, "invalid_value_in_this_state"},
};
const struct bacnet_words bacnet_errors = WORDS(errors);

static const struct bacnet_word error_classes[] = {
    {0, "device"},   {1, "object"},   {2, "property"}, {3, "resources"},
    {4, "security"}, {5, "services"}, {6, "vt"},       {7, "communication"},
};
const struct bacnet_words bacnet_error_classes = WORDS(error_classes);

static const struct bacnet_word rejects[] = {
    {0, "rejected"},
    {1, "rejected_buffer_overflow"},
    {2, "rejected_inconsistent_parameters"},
    {3, "rejected_invalid_parameter_data_type"},
    {4, "rejected_invalid_tag"},
    {5, "rejected_missing_required_parameter"},
    {6, "rejected_parameter_out_of_range"},
    {7, "rejected_too_many_arguments"},
    {8, "rejected_undefined_enumeration"},
    {9, "rejected_unrecognized_service"},
};
const struct bacnet_words bacnet_rejects = WORDS(rejects);

static const struct bacnet_word aborts[] = {
    {0, "aborted"},
    {1, "aborted_buffer_overflow"},
    {2, "aborted_invalid_apdu_in_this_state"},
    {3, "aborted_preempted_by_higher_priority_task"},
    {4, "aborted_segmentation_not_supported"},
    {5, "aborted_security_error"},
    {6, "aborted_insufficient_security"},
    {7, "aborted_window_size_out_of_range"},
    {8, "aborted_application_exceeded_reply_time"},
    {9, "aborted_out_of_resources"},
    {10, "aborted_tsm_timeout"},
    {11, "aborted_apdu_too_long"},
};
const struct bacnet_words bacnet_aborts = WORDS(aborts);

static const struct bacnet_word states[] = {
    {0, "normal"}, {1, "fault"}, {2, "offnormal"}, {3, "high_limit"}, {4, "low_limit"}, {5, "life_safety_alarm"},
};
const struct bacnet_words bacnet_states = WORDS(states);

const char *bacnet_word(const struct bacnet_words *w, int64_t number) {
    for (size_t i = 0; i < w->n; i++)
        if (w->rows[i].number == number) return w->rows[i].word;
    return NULL;
}

bool bacnet_number(const struct bacnet_words *w, struct str word, int64_t *ret) {
    for (size_t i = 0; i < w->n; i++) {
        if (!str_is(word, w->rows[i].word)) continue;
        *ret = w->rows[i].number;
        return true;
    }
    return false;
}
