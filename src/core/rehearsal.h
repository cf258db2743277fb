/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A start of nothing: an init performs all that this host may refuse it, without a payload and in
 * no cgroup, and is gone. What it could not do is what the starts to come cannot have either, so a
 * plan knows it, and CheckInstance tells it. About two milliseconds, when the service starts. */

#include "core/controller.h"

typedef struct Rehearsal Rehearsal;

/* Called once, from the loop. */
typedef void (*RehearsalCallback)(void *userdata);

/* Notes the refusals in controller->features.refused_steps. NULL if it could not even begin: then
 * nothing is known, and `done` does not come. */
Rehearsal *rehearsal_begin(Controller *controller, bool in_user_namespace, RehearsalCallback done,
                           void *userdata);

/* From the callback, or before it to be rid of it. */
void rehearsal_free(Rehearsal *rehearsal);
