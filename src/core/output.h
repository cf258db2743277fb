/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the payload's output goes. */

#include "util/error.h"

/* A journal stream whose lines carry `identifier` and are attributed to `unit`, even those of a
 * writer that is gone before journald looks (journald believes the unit from root only). -errno
 * where there is no journald. */
int output_open_journal(const char *identifier, const char *unit, int priority);

/* /dev/null for reading or writing; -errno. */
int output_open_null(void);
