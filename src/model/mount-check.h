/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/spec.h"

/* What the settings about files say together: a mount namespace for them, each path taken once, no
 * exception without a rule. INVALID_ARGS naming the setting. A part of spec_validate(). */
bool mounts_validate(const Spec *spec, GError **error);
