/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Manager object. Each handler: read, validate, authorize, act, reply. */

#include <string.h>

#include "bus/authorize.h"
#include "bus/errors.h"
#include "bus/face.h"
#include "bus/list.h"
#include "bus/names.h"
#include "bus/reference.h"
#include "bus/reply.h"
#include "bus/settings-read.h"

/* ---- create and run -------------------------------------------------------------------------- */

static Spec *read_name_and_settings(sd_bus_message *message, const char **ret_name,
                                    sd_bus_error *error)
{
    g_autoptr(Spec) spec = spec_new();
    g_autoptr(GError) failure = NULL;

    int r = sd_bus_message_read_basic(message, 's', ret_name);
    if (r < 0) {
        bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "the name cannot be read");
        return NULL;
    }
    if (!name_is_valid(*ret_name, &failure) || !settings_read(message, spec, &failure) ||
        !spec_validate(spec, &failure)) {
        bus_fail(error, failure);
        return NULL;
    }
    return g_steal_pointer(&spec);
}

static int method_create_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *name;
    uid_t uid;
    g_autoptr(GError) failure = NULL;

    g_autoptr(Spec) spec = read_name_and_settings(message, &name, error);
    if (!spec)
        return sd_bus_error_get_errno(error) * -1;
    int r = authorize(connection, message, NULL, &uid, error);
    if (r < 0)
        return r;
    Instance *instance = controller_create(connection->face->controller, name, uid, spec, false,
                                           &failure);
    if (!instance)
        return bus_fail(error, failure);
    g_autofree char *path = instance_path(instance);
    return sd_bus_reply_method_return(message, "o", path);
}

/* A run that does not start leaves nothing, and answers when that is so. */
static void on_run_started(Instance *instance, const GError *error, void *userdata)
{
    g_autoptr(GError) failure = NULL;

    reply_waiter(instance, error, userdata);
    if (error)
        (void)instance_destroy(instance, true, NULL, NULL, &failure);
}

static void on_run_begun(Instance *instance, const GError *error, void *userdata)
{
    (void)userdata;
    if (error)
        (void)instance_destroy(instance, true, NULL, NULL, NULL);
}

static int method_run_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *name;
    uid_t uid;
    bool no_wait = false;
    StartOptions start = START_OPTIONS_DEFAULT;
    g_autoptr(GError) failure = NULL;
    Option options[] = {
        { "NoWait", 'b', &no_wait, false },        { "NoDegrade", 'b', &start.no_degrade, false },
        { "Stdin", 'h', &start.stdio[0], false },  { "Stdout", 'h', &start.stdio[1], false },
        { "Stderr", 'h', &start.stdio[2], false },
    };

    g_autoptr(Spec) spec = read_name_and_settings(message, &name, error);
    if (!spec)
        return sd_bus_error_get_errno(error) * -1;
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    int r = authorize(connection, message, NULL, &uid, error);
    if (r < 0)
        return r;
    Instance *instance = controller_create(connection->face->controller, name, uid, spec, true,
                                           &failure);
    if (!instance)
        return bus_fail(error, failure);
    Reply *reply = reply_park(message, REPLY_PATH);
    if (!instance_start(instance, &start, no_wait ? on_run_begun : on_run_started, reply,
                        &failure)) {
        reply_drop(reply);
        (void)instance_destroy(instance, true, NULL, NULL, NULL);
        return bus_fail(error, failure);
    }
    if (no_wait)
        reply_waiter(instance, NULL, reply);
    return 1;
}

static int method_check_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *name;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    g_autoptr(sd_bus_message) reply = NULL;

    g_autoptr(Spec) spec = read_name_and_settings(message, &name, error);
    if (!spec)
        return sd_bus_error_get_errno(error) * -1;
    int r = authorize(connection, message, NULL, &uid, error);
    if (r < 0)
        return r;
    g_autoptr(GPtrArray)
        rows = controller_check(connection->face->controller, name, uid, spec, &failure);
    if (!rows)
        return bus_fail(error, failure);
    r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(sss)");
    for (guint i = 0; r >= 0 && i < rows->len; i++) {
        const CheckRow *row = g_ptr_array_index(rows, i);
        r = sd_bus_message_append(reply, "(sss)", row->feature, row->outcome, row->reason);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* ---- look-up --------------------------------------------------------------------------------- */

static int method_get_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    const char *text;
    uid_t uid;
    g_autoptr(GError) failure = NULL;

    int r = sd_bus_message_read_basic(message, 's', &text);
    if (r >= 0)
        r = authorize(connection, message, NULL, &uid, error);
    if (r < 0)
        return r;
    Instance *instance = reference_find(connection->face->controller, text, uid, &failure);
    if (!instance)
        return bus_fail(error, failure);
    g_autofree char *path = instance_path(instance);
    return sd_bus_reply_method_return(message, "o", path);
}

static int method_list_instances(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    ListFilter filter = LIST_FILTER_ALL;
    uid_t uid;
    g_autoptr(GError) failure = NULL;
    g_autoptr(sd_bus_message) reply = NULL;

    if (!list_filter_read(message, &filter, &failure))
        return bus_fail(error, failure);
    int r = authorize(connection, message, NULL, &uid, error);
    if (r >= 0)
        r = sd_bus_message_new_method_return(message, &reply);
    if (r >= 0)
        r = list_append(reply, connection->face->controller, &filter);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_get_features(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Connection *connection = userdata;
    uid_t uid;
    g_autoptr(sd_bus_message) reply = NULL;

    int r = authorize(connection, message, NULL, &uid, error);
    if (r < 0)
        return r;
    g_autoptr(GPtrArray) rows = controller_features(connection->face->controller);
    r = sd_bus_message_new_method_return(message, &reply);
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
    Controller *controller = ((Connection *)userdata)->face->controller;

    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    return sd_bus_message_append_strv(reply, (char **)controller_quarantined(controller));
}

#define METHOD(name, in, in_names, out, out_names, handler)               \
    SD_BUS_METHOD_WITH_NAMES(name, in, in_names, out, out_names, handler, \
                             SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHOD("CreateInstance", "sa{sv}", SD_BUS_PARAM(name) SD_BUS_PARAM(settings), "o",
           SD_BUS_PARAM(instance), method_create_instance),
    METHOD("RunInstance", "sa{sv}a{sv}",
           SD_BUS_PARAM(name) SD_BUS_PARAM(settings) SD_BUS_PARAM(options), "o",
           SD_BUS_PARAM(instance), method_run_instance),
    METHOD("CheckInstance", "sa{sv}", SD_BUS_PARAM(name) SD_BUS_PARAM(settings), "a(sss)",
           SD_BUS_PARAM(outcomes), method_check_instance),
    METHOD("GetInstance", "s", SD_BUS_PARAM(name), "o", SD_BUS_PARAM(instance),
           method_get_instance),
    METHOD("ListInstances", "a{sv}", SD_BUS_PARAM(filter), "a(ssssuuo)", SD_BUS_PARAM(instances),
           method_list_instances),
    METHOD("GetFeatures", "", , "a(sbs)", SD_BUS_PARAM(features), method_get_features),
    SD_BUS_PROPERTY("Version", "s", get_string, 0, 0),
    SD_BUS_PROPERTY("NodeName", "s", get_string, 0, 0),
    SD_BUS_PROPERTY("ClusterName", "s", get_string, 0, 0),
    SD_BUS_PROPERTY("Mode", "s", get_string, 0, 0),
    SD_BUS_PROPERTY("Realm", "s", get_string, 0, 0),
    SD_BUS_PROPERTY("MaxInstances", "u", get_count, 0, 0),
    SD_BUS_PROPERTY("InstanceCount", "u", get_count, 0, 0),
    SD_BUS_PROPERTY("RunningCount", "u", get_count, 0, 0),
    SD_BUS_PROPERTY("FailedCount", "u", get_count, 0, 0),
    SD_BUS_PROPERTY("Backends", "as", get_backends, 0, 0),
    SD_BUS_PROPERTY("Quarantined", "as", get_quarantined, 0, 0),
    SD_BUS_VTABLE_END,
};
