/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Replies that are rows of (what, outcome, why): plan and check. */

#include "ctl/ctl.h"

/* Prints a(sss); `first` is the title of the first column, and in lower case its key. */
bool reasons_print(const Ctl *ctl, sd_bus_message *reply, const char *first, GError **error);
