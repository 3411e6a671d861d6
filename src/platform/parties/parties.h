/* People and their memberships: who has which role where.  SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_PLATFORM_PARTIES_PARTIES_H
#define LINLI_PLATFORM_PARTIES_PARTIES_H

#include "kernel/kernel.h"

struct person {
    struct row row;
    struct str name, phone, id_number, language;
};
struct membership_row {
    struct row row;
    int64_t person_id, place_id, valid_from, valid_until;
    struct str role;
};
extern const struct resource people, memberships;
extern const struct module parties_module;

#define PARTY_ROLES                                                                                                    \
    "admin street manager dispatcher guard repairer grid cashier carer doctor committee owner resident elder partner " \
    "device ingest"

/* Fills ctx->actor for a person from his memberships in force today: scopes, roles, own units. */
NODISCARD enum err party_actor(struct ctx *ctx, int64_t user_id, int64_t person_id);

/* Does the actor hold one of the roles over the community, or within it?  The program itself holds all. */
bool party_is(const struct ctx *ctx, const char *roles, int64_t community_id);
/* Does the person hold one of the roles today where it reaches that place (0: the community)?  Roles reach the whole
 * community they are held in; a grid worker's reaches his own places only. */
NODISCARD enum err party_holds(struct ctx *ctx, int64_t person_id, const char *roles, int64_t community_id,
                               int64_t place_id, bool *ret);

#endif
