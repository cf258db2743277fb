/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The subordinate ids of a user, as /etc/subuid and /etc/subgid have them now. */

#include "isolation/plan.h"

/* Always something: ids, or the reason why there are none. Read anew each time, since an
 * administrator who has added a line need not restart anything. */
void subordinate_ids_read(uid_t uid, SubordinateIds *ret);

void subordinate_ids_done(SubordinateIds *ids);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SubordinateIds, subordinate_ids_done)
