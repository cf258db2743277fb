/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What others do to an instance that runs (systemctl freeze, set-property, a process moved to
 * another cgroup), as far as it is core's own business; see also instance_look(). */

#include "core/instance.h"
#include "resources/backend.h"

/* From now on changes are seen by themselves, those of the first moment a little later. Where there
 * is no watch to be had they are seen when somebody asks. */
void outside_watch(Instance *instance);
void outside_unwatch(Instance *instance);

/* The same for one that was adopted, which may have been changed meanwhile. */
void outside_adopt(Instance *instance);

/* The status of one that runs. `asked`: it was frozen by this service the last time. Pure. */
const char *outside_status(Freezing freezing, bool asked, bool degraded);
