/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/controller.h"

/* The instance that a caller means: an id; a name, which is one of the caller's own and nothing
 * else; or USER/NAME. NO_SUCH_INSTANCE alike for hidden and absent ones. */
Instance *reference_find(Controller *controller, const char *text, uid_t caller, GError **error);
