/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Prints the id of an instance that was just made, for create and run --detach. At once: what
 * follows may take a while, or fail. */
void created_print(const Ctl *ctl, const char *name, const char *path);
