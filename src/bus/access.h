/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of who may call and read what (access.def), and the rights that administrators can
 * give. Pure: it knows neither a caller nor polkit. */

#include <stdbool.h>
#include <stddef.h>

#include "bus/names.h"
#include "util/sdbus.h"

/* What somebody can be allowed beyond what is their own: an action of polkit each. */
typedef enum Action {
    ACTION_NONE,
    ACTION_RUN,
    ACTION_MANAGE,
    ACTION_DESTROY,
    ACTION_ENTER,
    ACTION_RUN_AS,
    ACTION_PRIVILEGED,
    ACTION_INSPECT,
    ACTION_READ_SECRETS,
    ACTION_CONFIGURE,
    _ACTION_COUNT,
} Action;

/* Who is let through without the action. Root is, everywhere; and on a user's own service that
 * user, who is the only one to reach it. */
typedef enum AccessRule {
    ACCESS_EVERYBODY, /* whoever asks; shown is only what they may see */
    ACCESS_OWNER,     /* the owner of the instance */
    ACCESS_ONESELF,   /* nobody: it makes something of the caller's own, with the action */
    ACCESS_SERVICE,   /* nobody: it is about the service */
} AccessRule;

typedef struct AccessRow {
    const char *interface;
    const char *member;
    bool is_property;
    AccessRule rule;
    Action action;
} AccessRow;

/* The rows' numbers, for the vtables: a member without a row has none and does not compile. */
enum {
#define METHOD(interface, member, rule, action)  ROW_METHOD_##interface##_##member,
#define PUBLIC(interface, member)                ROW_PUBLIC_##interface##_##member,
#define PRIVATE(interface, member, rule, action) ROW_PRIVATE_##interface##_##member,
#include "bus/access.def"
#undef METHOD
#undef PUBLIC
#undef PRIVATE
    ACCESS_ROW_COUNT,
};

/* Entries of a vtable, for members that have a row. */
#define ACCESS_METHOD(interface, member, in, in_names, out, out_names, handler) \
    SD_BUS_METHOD_WITH_NAMES(#member, in, in_names, out, out_names, handler,    \
                             SD_BUS_VTABLE_UNPRIVILEGED +                       \
                                 0 * (uint64_t)ROW_METHOD_##interface##_##member)
/* Its value may change, and then is sent to everybody who listens. */
#define ACCESS_PUBLIC(interface, member, signature, getter) \
    SD_BUS_PROPERTY(#member, signature, getter, 0,          \
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE +   \
                        0 * (uint64_t)ROW_PUBLIC_##interface##_##member)
/* The signal only says that it is another one now. */
#define ACCESS_PRIVATE(interface, member, signature, getter)    \
    SD_BUS_PROPERTY(#member, signature, getter, 0,              \
                    SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION + \
                        0 * (uint64_t)ROW_PRIVATE_##interface##_##member)
/* No signal tells of it. */
#define ACCESS_QUIET(interface, member, signature, getter, kind) \
    SD_BUS_PROPERTY(#member, signature, getter, 0,               \
                    0 * (uint64_t)ROW_##kind##_##interface##_##member)

/* i < ACCESS_ROW_COUNT, in the order of the table. */
const AccessRow *access_row(size_t i);

/* NULL if there is no such method: then nobody may call it. */
const AccessRow *access_find_method(const char *interface, const char *method);

/* Of the Instance interface: may everybody read it? */
bool access_is_public(const char *property);

/* "org.rads.constellation.manage"; NULL for ACTION_NONE. */
const char *action_name(Action action);
