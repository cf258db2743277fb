/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an instance is shown to people, wherever it is: its dot, times, users. */

#include <sys/types.h>

#include "ctl/terminal.h"
#include "model/state.h"

/* The mark before a name and its colour. */
const char *state_dot(const Terminal *terminal, State state);
Color state_color(State state);

/* "Mon 2026-11-23 15:00:00 UTC"; "-" for 0. g_free. */
char *time_text(uint64_t realtime_usec);

/* "5min 3s ago", or "in 5min 3s": two units, not more. g_free. */
char *time_ago_text(uint64_t realtime_usec, uint64_t now_usec);

/* The user's name, or the number if there is none; g_free. */
char *user_text(uid_t uid);

/* A name or a number; false if there is no such user. */
bool user_from_text(const char *text, uid_t *ret);
