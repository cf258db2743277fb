/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens to the instances of this program, in the order in which it happens. */

#include "lib/link.h"

/* A connection was made: whoever listens goes on listening there. */
void events_follow(Link *link);

/* It is lost. */
void events_unfollow(const Link *link);

/* Nobody listens any more. */
void events_forget(void);
