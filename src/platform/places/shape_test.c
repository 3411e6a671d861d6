/* Which geometries a place may have.  SPDX-License-Identifier: Apache-2.0 */
#include "platform/places/shape.h"
#include "tests/lib/test.h"

static void a_shape_is_a_geojson_geometry_on_earth(struct t *t) {
    static const struct {
        const char *text, *why;
        bool ok;
    } rows[] = {
        {"{\"type\":\"Point\",\"coordinates\":[114.39,30.51]}", "a point", true},
        {"{\"coordinates\":[-180,-90],\"type\":\"Point\"}", "the corner of the world", true},
        {"{\"type\":\"Point\",\"coordinates\":[180.001,0]}", "past the date line", false},
        {"{\"type\":\"Point\",\"coordinates\":[30.51,114.39]}", "latitude first", false},
        {"{\"type\":\"Point\",\"coordinates\":[1,2,3]}", "a height: the plan is flat", false},
        {"{\"type\":\"Point\",\"coordinates\":[\"1\",\"2\"]}", "text for numbers", false},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}", "the shortest line", true},
        {"{\"type\":\"LineString\",\"coordinates\":[[1,2]]}", "a line of one position", false},
        {"{\"type\":\"MultiLineString\",\"coordinates\":[[[1,2],[3,4]],[[5,6],[7,8]]]}", "two lines", true},
        {"{\"type\":\"MultiLineString\",\"coordinates\":[]}", "no line", false},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}", "a triangle", true},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[0,0]]]}", "a ring of three", false},
        {"{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,1]]]}", "an open ring", false},
        {"{\"type\":\"Polygon\",\"coordinates\":[[0,0],[1,0],[1,1],[0,0]]}", "a line where rings belong", false},
        {"{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[1,0],[1,1],[0,0]]]]}", "one part of many", true},
        {"{\"type\":\"Circle\",\"coordinates\":[1,2]}", "no such geometry", false},
        {"{\"type\":\"Point\"}", "no coordinates", false},
        {"{\"type\":\"Point\",\"coordinates\":[1,2],\"crs\":0}", "a member more", false},
        {"[1,2]", "no object", false},
        {"{\"type\":\"Point\",\"coordinates\":[1,2]", "not JSON", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SAY(t, !shape_check(str_of(rows[i].text)) == rows[i].ok, "%s", rows[i].why);
}

TESTS(CASE(a_shape_is_a_geojson_geometry_on_earth))
