/* Everything this program is made of: one line a module, engines in the order they lean on each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "main/modules.h"

#include "apps/governance/ideas/ideas.h"
#include "apps/property/visitors/visitors.h"
#include "apps/services/activities/activities.h"
#include "kernel/setting.h"
#include "ops/health.h"
#include "platform/cases/cases.h"
#include "platform/notices/notices.h"
#include "platform/parties/parties.h"
#include "platform/passes/passes.h"
#include "platform/places/places.h"
#include "platform/rules/rules.h"
#include "platform/things/things.h"
#include "security/users/users.h"
#include "sensing/lines/lines.h"

const struct module *const modules[] = {
    /* platform */
    &places_module,
    &parties_module,
    &things_module,
    &passes_module,
    &telemetry_module,
    &rules_module,
    &cases_module,
    &notices_module,
    /* sensing */
    &lines_module,
    /* security */
    &users_module,
    /* governance */
    &ideas_module,
    /* property */
    &visitors_module,
    /* services */
    &activities_module,
    /* settings and words of a community */
    &kernel_module,
};
const size_t modules_n = COUNT(modules);

void modules_with(const struct running *r, struct api_with ret[MODULES_WITH]) {
    ret[0] = telemetry_http_with(r->readings);
    ret[1] = lines_with(r->lines);
    ret[2] = mqtt_with(r->mqtt);
    ret[3] = feed_with(r->feed);
    ret[4] = api_own;
    ret[5] = health_with;
}
