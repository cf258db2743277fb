/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long output on a terminal goes through a pager, which gets out of the way if it is short. */

#include <stdbool.h>

#include "ctl/terminal.h"

/* Puts a pager behind standard output; false if there is none, or none is wanted. */
bool pager_begin(const Terminal *terminal);

/* All is written: returns when the reader has seen enough of it. */
void pager_end(void);
