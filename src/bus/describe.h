/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/instance.h"

/* All that may be seen of an instance, as one line of JSON: its properties and its settings under
 * their bus names; g_free. */
char *instance_describe(Instance *instance);
