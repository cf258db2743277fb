/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "bus/authorize.h"
#include "bus/errors.h"
#include "bus/names.h"

typedef struct AccessRule {
    const char *interface;
    const char *method;
    Action action;
} AccessRule;

static const AccessRule rules[] = {
    { INTERFACE_MANAGER, "CreateInstance", ACTION_RUN },
    { INTERFACE_MANAGER, "RunInstance", ACTION_RUN },
    { INTERFACE_MANAGER, "CheckInstance", ACTION_RUN },
    { INTERFACE_MANAGER, "GetInstance", ACTION_INSPECT },
    { INTERFACE_MANAGER, "ListInstances", ACTION_INSPECT },
    { INTERFACE_MANAGER, "GetFeatures", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "Start", ACTION_MANAGE },
    { INTERFACE_INSTANCE, "Stop", ACTION_MANAGE },
    { INTERFACE_INSTANCE, "Restart", ACTION_MANAGE },
    { INTERFACE_INSTANCE, "Freeze", ACTION_MANAGE },
    { INTERFACE_INSTANCE, "Thaw", ACTION_MANAGE },
    { INTERFACE_INSTANCE, "Destroy", ACTION_DESTROY },
    { INTERFACE_INSTANCE, "Kill", ACTION_DESTROY },
    { INTERFACE_INSTANCE, "Wait", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "GetUsage", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "GetProcesses", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "GetPlan", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "Describe", ACTION_INSPECT },
    { INTERFACE_INSTANCE, "GetEnvironment", ACTION_READ_SECRETS },
};

static const char *const action_names[_ACTION_COUNT] = {
    [ACTION_RUN] = "org.rads.constellation.run",
    [ACTION_MANAGE] = "org.rads.constellation.manage",
    [ACTION_DESTROY] = "org.rads.constellation.destroy",
    [ACTION_INSPECT] = "org.rads.constellation.inspect",
    [ACTION_READ_SECRETS] = "org.rads.constellation.read-secrets",
};

const char *action_name(Action action)
{
    return action_names[action];
}

bool action_of_method(const char *interface, const char *method, Action *ret)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (strcmp(rules[i].interface, interface) != 0 || strcmp(rules[i].method, method) != 0)
            continue;
        *ret = rules[i].action;
        return true;
    }
    return false;
}

/* root everywhere; on the user's own bus and socket the user. Nobody else, and there is nobody to
 * ask yet. */
static bool is_allowed(const Controller *controller, uid_t uid)
{
    return uid == 0 || (controller->mode != MODE_SYSTEM && uid == controller->uid);
}

int authorize(Connection *connection, sd_bus_message *message, const Instance *instance,
              uid_t *ret_uid, sd_bus_error *error)
{
    const char *interface = sd_bus_message_get_interface(message);
    const char *method = sd_bus_message_get_member(message);
    Action action;
    uid_t uid;

    (void)instance;
    if (!interface || !method || !action_of_method(interface, method, &action))
        return bus_fail_code(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                             "%s is not in the table of actions", method ? method : "this");
    if (!caller_uid(connection, message, &uid))
        return bus_fail_code(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                             "%s: the bus does not say who is calling", method);
    if (!is_allowed(connection->face->controller, uid))
        return bus_fail_code(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                             "%s needs the right %s, which uid %u does not have: call as root, or "
                             "use a service of your own (constellationd --user)",
                             method, action_name(action), uid);
    *ret_uid = uid;
    return 0;
}
