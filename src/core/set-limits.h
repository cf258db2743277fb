/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change of limits that is under way belongs to the run; see instance_set_limits(). */

#include "core/instance.h"

typedef struct LimitsChange LimitsChange;

/* The run is over: whoever asked is told. */
void limits_change_end(Instance *instance);

/* The instance is forgotten, and so is who asked. */
void limits_change_forget(Instance *instance);
