/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Users, as the name service knows them. */

#include "isolation/plan.h"

/* `user` is a name or a number; NULL or "" means `owner`. INVALID_ARGS if there is no such user (a
 * number needs none). */
bool identity_lookup(const char *user, uid_t owner, Identity *ret, GError **error);

/* Is this the name or number of the uid? Nothing is looked up but the uid's own name. */
bool identity_is(const char *user, uid_t uid);

/* Name or number to uid. */
bool identity_uid(const char *user, uid_t *ret, GError **error);
