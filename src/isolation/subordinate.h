/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /etc/subuid and /etc/subgid, subuid(5): which ids of the host a user may give to those inside a
 * user namespace of his. Pure: text in, a range out. */

#include <stdbool.h>
#include <sys/types.h>

#include "isolation/id-map.h"

/* The range to take for this user: the first with ID_MAP_SIZE ids, else the largest. Ranges that an
 * administrator cannot have meant are none: with ids of the system's users, beyond the last id, or
 * shared with another user, whose files would be open to this one. False, and the reason as a
 * sentence with the way out (g_free) if there is none. `file` is what to call it there. */
bool subordinate_find(const char *text, const char *file, const char *user, uid_t uid, IdRange *ret,
                      char **ret_reason);
