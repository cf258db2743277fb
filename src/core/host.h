/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What this host allows: asked of the launcher, then rehearsed. Starts wait meanwhile. */

#include "core/controller.h"

/* While it goes on nothing can be planned. */
bool host_is_being_asked(const Controller *controller);

void host_forget(Controller *controller);
