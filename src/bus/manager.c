/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Manager object. Each method has two parts: one reads and validates, the other acts and
 * replies once the caller has been authorized. */

#include <string.h>

#include "bus/create.h"
#include "bus/errors.h"
#include "bus/face.h"
#include "bus/list.h"
#include "bus/names.h"
#include "bus/reference.h"
#include "bus/call.h"

/* ---- look-up --------------------------------------------------------------------------------- */

static int act_get_instance(Call *call, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Instance *instance = reference_find(call->connection->face->controller,
                                        *(const char **)call->args, call->caller, &failure);
    if (!instance)
        return bus_fail(error, failure);
    g_autofree char *path = instance_path(instance);
    return sd_bus_reply_method_return(call->message, "o", path);
}

static int method_get_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(userdata, NULL, message, act_get_instance);
    const char **name = call_args(call, sizeof *name, NULL);

    int r = sd_bus_message_read_basic(message, 's', name);
    return r < 0 ? r : call_submit(g_steal_pointer(&call), error);
}

static int act_list_instances(Call *call, sd_bus_error *error)
{
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = sd_bus_message_new_method_return(call->message, &reply);
    if (r >= 0)
        r = list_append(reply, call->connection->face->controller, call->args, call->caller);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_list_instances(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(userdata, NULL, message, act_list_instances);
    ListFilter *filter = call_args(call, sizeof *filter, NULL);
    g_autoptr(GError) failure = NULL;

    *filter = LIST_FILTER_ALL;
    if (!list_filter_read(message, filter, &failure))
        return bus_fail(error, failure);
    return call_submit(g_steal_pointer(&call), error);
}

static int act_get_features(Call *call, sd_bus_error *error)
{
    g_autoptr(GPtrArray) rows = controller_features(call->connection->face->controller);
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = sd_bus_message_new_method_return(call->message, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sbs)");
    for (guint i = 0; r >= 0 && i < rows->len; i++) {
        const FeatureRow *row = g_ptr_array_index(rows, i);
        r = sd_bus_message_append(reply, "(sbs)", row->feature, row->available, row->reason);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_get_features(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    return call_submit(call_new(userdata, NULL, message, act_get_features), error);
}

static int act_get_user_usage(Call *call, sd_bus_error *error)
{
    const Controller *controller = call->connection->face->controller;
    uid_t uid = *(const uint32_t *)call->args;
    const UserLimits *limits = users_limits(controller->users, uid);
    const User *user = users_find(controller->users, uid);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "Instances", controller_count_of(call->connection->face->controller, uid) },
        { "MaxInstances", limits->instances },
        { "StartsWaiting", user ? g_queue_get_length((GQueue *)&user->waiting) : 0 },
        { "StartsUnderWay", user ? user->starting : 0 },
        { "MaxStarts", limits->starts },
        { "StartRate", limits->rate },
        { "StartBurst", limits->burst },
        { "MaxTasksPerInstance", limits->tasks },
    };
    g_autoptr(sd_bus_message) reply = NULL;

    (void)error;
    int r = sd_bus_message_new_method_return(call->message, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(rows); i++) {
        bool is_limit = !g_str_has_prefix(rows[i].name, "Instances") &&
                        !g_str_has_prefix(rows[i].name, "Starts");
        r = sd_bus_message_append(reply, "{sv}", rows[i].name, "t",
                                  is_limit && rows[i].value == 0 ? UINT64_MAX : rows[i].value);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_get_user_usage(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(userdata, NULL, message, act_get_user_usage);
    uint32_t *uid = call_args(call, sizeof *uid, NULL);

    int r = sd_bus_message_read_basic(message, 'u', uid);
    if (r < 0)
        return r;
    if (*uid != call->caller)
        call_need(call, ACTION_INSPECT);
    return call_submit(g_steal_pointer(&call), error);
}

/* ---- properties ------------------------------------------------------------------------------ */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const Controller *controller = ((Connection *)userdata)->face->controller;
    const char *value = CONSTELLATION_VERSION;

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (strcmp(property, "NodeName") == 0)
        value = controller->node_name;
    else if (strcmp(property, "ClusterName") == 0)
        value = controller->cluster_name;
    else if (strcmp(property, "Mode") == 0)
        value = mode_to_string(controller->mode);
    else if (strcmp(property, "Realm") == 0)
        value = controller->realm;
    return sd_bus_message_append(reply, "s", value);
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Controller *controller = ((Connection *)userdata)->face->controller;
    uint64_t value;

    (void)bus;
    (void)path;
    (void)interface;
    (void)error;
    if (strcmp(property, "MaxInstances") == 0)
        value = controller->max_instances;
    else if (strcmp(property, "RunningCount") == 0)
        value = controller_count(controller, STATE_RUNNING);
    else if (strcmp(property, "FailedCount") == 0)
        value = controller_count(controller, STATE_FAILED);
    else
        value = controller_count(controller, -1);
    return sd_bus_message_append(reply, "u", (uint32_t)MIN(value, UINT32_MAX));
}

static int get_backends(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    static const char *const rungs[] = { "scope", "cgroup", "monitor" };
    Controller *controller = ((Connection *)userdata)->face->controller;

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    int r = sd_bus_message_open_container(reply, 'a', "s");
    for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(rungs); i++) {
        g_autofree char *reason = NULL;
        if (controller_has_backend(controller, rungs[i], &reason))
            r = sd_bus_message_append(reply, "s", rungs[i]);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_quarantined(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error)
{
    static const char *const nothing[] = { NULL };
    Connection *connection = userdata;
    const char *const *files = viewer_is_trusted(connection)
                                   ? controller_quarantined(connection->face->controller)
                                   : nothing;

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    return sd_bus_message_append_strv(reply, (char **)files);
}

static int get_setting_names(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)userdata;
    (void)error;
    int r = sd_bus_message_open_container(reply, 'a', "s");
    for (unsigned id = 0; r >= 0 && id < _SETTING_COUNT; id++)
        r = sd_bus_message_append(reply, "s", setting_get(id)->name);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    ACCESS_METHOD(MANAGER, CreateInstance, "sa{sv}", SD_BUS_PARAM(name) SD_BUS_PARAM(settings), "o",
                  SD_BUS_PARAM(instance), method_create_instance),
    ACCESS_METHOD(MANAGER, RunInstance, "sa{sv}a{sv}",
                  SD_BUS_PARAM(name) SD_BUS_PARAM(settings) SD_BUS_PARAM(options), "o",
                  SD_BUS_PARAM(instance), method_run_instance),
    ACCESS_METHOD(MANAGER, CheckInstance, "sa{sv}", SD_BUS_PARAM(name) SD_BUS_PARAM(settings),
                  "a(sss)", SD_BUS_PARAM(outcomes), method_check_instance),
    ACCESS_METHOD(MANAGER, GetInstance, "s", SD_BUS_PARAM(name), "o", SD_BUS_PARAM(instance),
                  method_get_instance),
    ACCESS_METHOD(MANAGER, ListInstances, "a{sv}", SD_BUS_PARAM(filter), "a(ssssuuo)",
                  SD_BUS_PARAM(instances), method_list_instances),
    ACCESS_METHOD(MANAGER, GetFeatures, "", , "a(sbs)", SD_BUS_PARAM(features),
                  method_get_features),
    ACCESS_METHOD(MANAGER, GetUserUsage, "u", SD_BUS_PARAM(uid), "a{sv}", SD_BUS_PARAM(usage),
                  method_get_user_usage),
    ACCESS_QUIET(MANAGER, Version, "s", get_string, PUBLIC),
    ACCESS_QUIET(MANAGER, NodeName, "s", get_string, PUBLIC),
    ACCESS_QUIET(MANAGER, ClusterName, "s", get_string, PUBLIC),
    ACCESS_QUIET(MANAGER, Mode, "s", get_string, PUBLIC),
    ACCESS_QUIET(MANAGER, Realm, "s", get_string, PUBLIC),
    ACCESS_QUIET(MANAGER, MaxInstances, "u", get_count, PUBLIC),
    ACCESS_QUIET(MANAGER, InstanceCount, "u", get_count, PUBLIC),
    ACCESS_QUIET(MANAGER, RunningCount, "u", get_count, PUBLIC),
    ACCESS_QUIET(MANAGER, FailedCount, "u", get_count, PUBLIC),
    ACCESS_QUIET(MANAGER, Backends, "as", get_backends, PUBLIC),
    ACCESS_QUIET(MANAGER, SettingNames, "as", get_setting_names, PUBLIC),
    ACCESS_QUIET(MANAGER, Quarantined, "as", get_quarantined, PRIVATE),
    SD_BUS_VTABLE_END,
};
