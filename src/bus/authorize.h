/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The decision of who may go on without a question. Pure: the caller's uid is what the bus or the
 * kernel said, and the question to polkit is call.c's. */

#include "bus/access.h"
#include "core/controller.h"

/* Nobody: what a uid is until somebody said otherwise. */
#define UID_NOBODY_KNOWN ((uid_t)-1)

typedef enum Decision {
    DECISION_DENY,    /* there is nobody to ask */
    DECISION_ASK,     /* the row's action is needed */
    DECISION_OWN,     /* it is the caller's own, or everybody's: what goes beyond is asked for */
    DECISION_TRUSTED, /* root, or the user whose service it is: nothing is asked */
} Decision;

/* The owner of the instance that it is about; UID_NOBODY_KNOWN: it is about none. */
Decision authorize(const AccessRow *row, Mode mode, uid_t service_uid, uid_t caller, uid_t owner);

/* 65535 and 4294967295 are what functions return for "none". */
bool uid_is_valid(uid_t uid);
