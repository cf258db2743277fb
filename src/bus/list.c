/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>
#include <string.h>

#include "bus/face.h"
#include "bus/list.h"
#include "bus/settings-read.h"
#include "model/names.h"

#define PATTERN_MAX (4 * INSTANCE_NAME_MAX) /* a name with each of its characters in brackets */

bool list_filter_read(sd_bus_message *message, ListFilter *ret, GError **error)
{
    const char *state = NULL;
    Option options[] = {
        { "State", 's', &state, false },      { "Owner", 't', &ret->owner, false },
        { "Label", 's', &ret->label, false }, { "Name", 's', &ret->name, false },
        { "After", 's', &ret->after, false }, { "Limit", 't', &ret->limit, false },
    };

    if (!options_read(message, options, G_N_ELEMENTS(options), error))
        return false;
    if (state) {
        g_autofree char *upper = g_ascii_strup(state, -1);
        ret->state = state_from_string(upper);
        if (ret->state < 0)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "State: must be PENDING, STARTING, RUNNING, STOPPING, STOPPED, FAILED "
                             "or UNKNOWN");
    }
    /* Matching takes its length for each character of each name, while everybody waits. */
    if (ret->name && strlen(ret->name) > PATTERN_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "Name: a pattern has %d characters at most", PATTERN_MAX);
    if (ret->after && !id_is_valid(ret->after))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "After: not an id");
    return true;
}

static bool matches(const Instance *instance, const ListFilter *filter, bool inspect)
{
    const char *const *labels = spec_get_strv(instance->spec, SETTING_LABELS);

    return (filter->state < 0 || instance->state == (State)filter->state) &&
           (filter->owner == UINT64_MAX || instance->owner == filter->owner) &&
           (!filter->after || strcmp(instance->id, filter->after) > 0) &&
           (!filter->name || fnmatch(filter->name, instance->name, 0) == 0) &&
           (!filter->label || (inspect && labels && g_strv_contains(labels, filter->label)));
}

int list_append(sd_bus_message *reply, Controller *controller, const ListFilter *filter,
                uid_t viewer)
{
    g_autoptr(GPtrArray) instances = controller_list(controller);
    uint64_t left = filter->limit;

    int r = sd_bus_message_open_container(reply, 'a', "(ssssuuo)");
    for (guint i = 0; r >= 0 && i < instances->len && left > 0; i++) {
        const Instance *instance = g_ptr_array_index(instances, i);
        bool inspect = viewer == 0 || viewer == instance->owner;
        if (!matches(instance, filter, inspect))
            continue;
        left--;
        g_autofree char *path = instance_path(instance);
        const char *description = spec_get_string(instance->spec, SETTING_DESCRIPTION);
        r = sd_bus_message_append(
            reply, "(ssssuuo)", instance->id, instance->name, state_to_string(instance->state),
            inspect && description ? description : "", (uint32_t)instance->owner,
            inspect ? (uint32_t)instance->main_pid : 0, path);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}
