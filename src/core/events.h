/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens to instances, as journal messages that programs can find: each has an id, and says
 * of which instance it is. units/constellation.catalog explains each to people. */

#include "core/instance.h"

typedef enum Event {
    EVENT_LOG_STARTED,
    EVENT_LOG_START_FAILED,
    EVENT_LOG_ENDED,
    EVENT_LOG_OOM_KILLED,
    EVENT_LOG_RESTART_SCHEDULED,
    EVENT_LOG_START_LIMIT,
    EVENT_LOG_ADOPTED,
    _EVENT_LOG_COUNT,
} Event;

/* 32 hexadecimal digits, as in MESSAGE_ID= and in the catalog. */
const char *event_message_id(Event event);

/* Says it with the instance's status text as the message. */
void event_tell(const Instance *instance, Event event);
