/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an instance wrote where there is no journal: the service hands it out in pages. */

#include "ctl/ctl.h"

/* Prints what --lines= and --follow ask for. Returns the exit status. */
int log_ring_print(const Ctl *ctl, const char *path);
