/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Users and groups, as the name service knows them. */

#include "isolation/plan.h"

typedef struct IdentityRequest {
    const char *user;          /* name or number; NULL or "": the owner */
    const char *group;         /* name or number; NULL or "": the user's */
    const char *const *groups; /* names or numbers, besides the user's; may be NULL */
    uid_t owner;
    bool confined; /* no group but those that the owner or the user is a member of */
} IdentityRequest;

/* INVALID_ARGS if there is no such user or group (a number needs no entry), ACCESS_DENIED for a
 * group that the owner may not take. */
bool identity_lookup(const IdentityRequest *request, Identity *ret, GError **error);

/* Is this the name or number of the uid? Nothing is looked up but the uid's own name. */
bool identity_is(const char *user, uid_t uid);

/* Name or number to uid. */
bool identity_uid(const char *user, uid_t *ret, GError **error);
