/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What bounds the service's own processes, and so those of its payloads unless it is root's. */

#include "isolation/plan.h"

void own_limits_read(OwnLimits *ret);

/* The number of the last capability that this kernel knows. */
unsigned last_capability_read(void);
