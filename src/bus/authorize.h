/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may call what: one table from interface and method to the action it is. A method without a
 * row is refused to everybody, and a test finds it. */

#include "bus/face.h"

typedef enum Action {
    ACTION_RUN,
    ACTION_MANAGE,
    ACTION_DESTROY,
    ACTION_INSPECT,
    ACTION_READ_SECRETS,
    _ACTION_COUNT,
} Action;

/* The action's name for an administrator: "org.rads.constellation.manage". */
const char *action_name(Action action);

/* The row of a method; false if there is none. */
bool action_of_method(const char *interface, const char *method, Action *ret);

/* May this caller do what the message asks, to this instance (NULL: the service)? If not, the
 * error is set and a negative errno returned, else 0 and *ret_uid is who it is. */
int authorize(Connection *connection, sd_bus_message *message, const Instance *instance,
              uid_t *ret_uid, sd_bus_error *error);
