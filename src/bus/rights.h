/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What settings take besides the right to call the method that they come with. */

#include "bus/call.h"

/* Asks for `privileged` if the settings, for an instance of this owner, go beyond what ordinary
 * users have, and tells polkit which do. */
void rights_need(Call *call, const Spec *spec, uid_t owner);

/* What an instance of this owner gets though nobody asked for it. */
void rights_limit(const Call *call, Spec *spec, uid_t owner);
