/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies what an instance writes to our terminal. A terminal itself is never handed in: whoever
 * holds one can push input into it (TIOCSTI) that the shell reads after us. */

#include "util/error.h"
#include "util/event.h"

typedef struct Relay Relay;

/* *ret_write_fd is the caller's: pass it on, then close it. */
Relay *relay_new(sd_event *event, int terminal_fd, int *ret_write_fd, GError **error);

/* Copies what is in the pipe, without waiting for more: all writers are gone. */
void relay_drain(Relay *relay);
void relay_free(Relay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Relay, relay_free)
