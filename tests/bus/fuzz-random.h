/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What comes to the mind of somebody who knows the interface and means no good: words and numbers
 * near the edges of what is allowed, settings with values of their type and of others. */

#include <glib.h>

#include "util/sdbus.h"

/* 0 to of - 1, alike. */
unsigned chance(unsigned of);
#define PICK(array) (array)[chance(G_N_ELEMENTS(array))]

#define IDS_MAX 64
extern char *ids[IDS_MAX]; /* objects that were seen; NULL where there is none yet */

const char *random_signature(void);

/* Arguments of these types, at this depth of variants. Not all that is thought of can be said: then
 * a negative errno. */
int append_random(sd_bus_message *message, const char *signature, unsigned depth);
