/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What persistent overlays have changed: a directory for each instance, made by its init, removed
 * by the launcher, for the files are the payloads'. */

#include "core/controller.h"

/* The instance is destroyed; what cannot be removed now is swept at the next start. */
void layers_remove(Controller *controller, const Instance *instance);

/* Removes the layers that belong to no instance. */
void layers_sweep(Controller *controller);
