/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Help, made from the tables of verbs, options and settings. */

#include "ctl/verbs.h"

/* Of a verb, or of the program if NULL; on standard output. */
void help_print(const Verb *verb);
