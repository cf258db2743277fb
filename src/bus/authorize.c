/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/authorize.h"

bool uid_is_valid(uid_t uid)
{
    return uid != (uid_t)-1 && uid != (uid_t)UINT16_MAX;
}

Decision authorize(const AccessRow *row, Mode mode, uid_t service_uid, uid_t caller, uid_t owner)
{
    if (!row || !uid_is_valid(caller))
        return DECISION_DENY;
    if (caller == 0)
        return DECISION_TRUSTED;
    if (mode != MODE_SYSTEM)
        return caller == service_uid ? DECISION_TRUSTED : DECISION_DENY;
    switch (row->rule) {
    case ACCESS_EVERYBODY:
        return DECISION_OWN;
    case ACCESS_OWNER:
        return owner == caller ? DECISION_OWN : DECISION_ASK;
    case ACCESS_ONESELF:
    case ACCESS_SERVICE:
        return DECISION_ASK;
    }
    return DECISION_DENY;
}
