/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service tells its own manager: that it is ready, what it is doing (the line "Status:" of
 * systemctl status), and that an end which takes long goes on. Where nobody is to be told
 * (NOTIFY_SOCKET is not set) nothing is done. */

#include "core/controller.h"

typedef struct Status Status;

Status *status_new(sd_event *event, Controller *controller);
void status_free(Status *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Status, status_free)

void status_ready(Status *status);

/* From now on the manager is patient for as long as there are instances to be stopped: each has its
 * own timeout, and the unit's holds for a service that does nothing. */
void status_ending(Status *status, bool stops_instances);
