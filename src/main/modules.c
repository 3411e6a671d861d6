/* Everything this program is made of: one line a module, engines in the order they lean on each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/modules.h"

#include "apps/governance/ideas/ideas.h"
#include "apps/property/visitors/visitors.h"
#include "apps/services/activities/activities.h"
#include "platform/cases/cases.h"
#include "platform/notices/notices.h"
#include "platform/parties/parties.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"
#include "security/users/users.h"

const struct module *const modules[] = {
    /* platform */
    &places_module,
    &parties_module,
    &things_module,
    &telemetry_module,
    &rules_module,
    &cases_module,
    &notices_module,
    /* security */
    &users_module,
    /* governance */
    &ideas_module,
    /* property */
    &visitors_module,
    /* services */
    &activities_module,
};
const size_t modules_n = COUNT(modules);

struct api_with modules_with(struct telemetry_http *readings) {
    return telemetry_http_with(readings);
}
