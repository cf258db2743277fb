/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where systemd runs, cgroups of our own must lie below a scope that systemd has delegated to us,
 * and a scope lasts as long as a process is in it: an init without namespaces and payload, made
 * when the first instance wants the cgroup rung. */

#include "core/controller.h"

typedef struct Holder Holder;

/* There is none, and it can be made or is being made. */
bool holder_is_wanted(Controller *controller);

/* The start is queued again when the holder is there, or cannot be had. */
void holder_wait(Controller *controller, Start *start);

/* It does not wait any more. */
void holder_forget(Controller *controller, Start *start);
void holder_free(Holder *holder);
