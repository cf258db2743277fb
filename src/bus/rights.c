/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/rights.h"
#include "model/privileged.h"

static uint64_t most_tasks(const Call *call, uid_t owner)
{
    return users_limits(call->connection->face->controller->users, owner)->tasks;
}

void rights_limit(const Call *call, Spec *spec, uid_t owner)
{
    uint64_t most = most_tasks(call, owner);

    if (most != 0 && !spec_is_set(spec, SETTING_TASKS_MAX))
        (void)spec_set_uint(spec, SETTING_TASKS_MAX, most, NULL);
}

static bool has_many_tasks(const Call *call, const Spec *spec, uid_t owner)
{
    uint64_t most = most_tasks(call, owner);

    return most != 0 && spec_is_set(spec, SETTING_TASKS_MAX) &&
           spec_get_uint(spec, SETTING_TASKS_MAX) > most;
}

void rights_need(Call *call, const Spec *spec, uid_t owner)
{
    const Controller *controller = call->connection->face->controller;
    g_auto(GStrv) privileged = privileged_settings(spec, controller->own_limits.hard);
    const char *more = has_many_tasks(call, spec, owner) ? "TasksMax" : NULL;
    g_autofree char *listed = g_strjoinv(", ", privileged);
    g_autofree char *options = more && *listed ? g_strjoin(", ", listed, more, NULL)
                               : more          ? g_strdup(more)
                                               : g_strdup(listed);

    call_tell(call, "options", options);
    if (*options)
        call_need(call, ACTION_PRIVILEGED);
}
