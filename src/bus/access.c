/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <glib.h>

#include "bus/access.h"

static const AccessRow rows[] = {
#define METHOD(interface, member, rule, action) \
    { INTERFACE_##interface, #member, false, ACCESS_##rule, ACTION_##action },
#define PUBLIC(interface, member) \
    { INTERFACE_##interface, #member, true, ACCESS_EVERYBODY, ACTION_NONE },
#define PRIVATE(interface, member, rule, action) \
    { INTERFACE_##interface, #member, true, ACCESS_##rule, ACTION_##action },
#include "bus/access.def"
#undef METHOD
#undef PUBLIC
#undef PRIVATE
};
G_STATIC_ASSERT(G_N_ELEMENTS(rows) == ACCESS_ROW_COUNT);

/* Getters ask for each property that is read: these few are kept apart. */
static const struct {
    const char *interface, *member;
} public_properties[] = {
#define METHOD(interface, member, rule, action)
#define PUBLIC(interface, member) { INTERFACE_##interface, #member },
#define PRIVATE(interface, member, rule, action)
#include "bus/access.def"
#undef METHOD
#undef PUBLIC
#undef PRIVATE
};

static const char *const action_names[_ACTION_COUNT] = {
    [ACTION_RUN] = "org.rads.constellation.run",
    [ACTION_MANAGE] = "org.rads.constellation.manage",
    [ACTION_DESTROY] = "org.rads.constellation.destroy",
    [ACTION_ENTER] = "org.rads.constellation.enter",
    [ACTION_RUN_AS] = "org.rads.constellation.run-as",
    [ACTION_PRIVILEGED] = "org.rads.constellation.privileged",
    [ACTION_INSPECT] = "org.rads.constellation.inspect",
    [ACTION_READ_SECRETS] = "org.rads.constellation.read-secrets",
    [ACTION_CONFIGURE] = "org.rads.constellation.configure",
};

const AccessRow *access_row(size_t i)
{
    return &rows[i];
}

const AccessRow *access_find_method(const char *interface, const char *method)
{
    if (!interface || !method)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!rows[i].is_property && strcmp(rows[i].interface, interface) == 0 &&
            strcmp(rows[i].member, method) == 0)
            return &rows[i];
    return NULL;
}

bool access_is_public(const char *property)
{
    for (size_t i = 0; i < G_N_ELEMENTS(public_properties); i++)
        if (strcmp(public_properties[i].member, property) == 0 &&
            strcmp(public_properties[i].interface, INTERFACE_INSTANCE) == 0)
            return true;
    return false;
}

const char *action_name(Action action)
{
    return action_names[action];
}
