/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "ctl/call.h"
#include "ctl/created.h"
#include "ctl/foreground.h"
#include "model/state.h"

static bool check_new(const Options *options, GError **error)
{
    const SettingsFlags *settings = &options->settings;

    if (option_given(options, OPTION_DETACH) && option_given(options, OPTION_EMBEDDED))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--detach and --embedded exclude each other: the embedded service ends "
                         "with this call, and its instances with it");
    if (!settings_flags_given(settings, SETTING_COMMAND) &&
        !settings_flags_given(settings, SETTING_SCRIPT))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "there is nothing to run: a command stands behind --, a script in "
                         "--Script= (create --start makes a sandbox, which runs nothing)");
    return true;
}

/* Words that would be said of a new instance, and mean nothing to one that is there. */
static bool check_existing(const Options *options, GError **error)
{
    if (!option_given(options, OPTION_NAME) && !option_given(options, OPTION_DETACH) &&
        !option_given(options, OPTION_RM) && !settings_flags_any(&options->settings))
        return true;
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "'%s' names an instance that is there already, and has its settings (a new "
                     "one is named with --name=, and its command stands behind --)",
                     option_argument(options, 0));
}

/* Nobody has to think of a name for what is gone in a minute. */
static char *make_name(void)
{
    return g_strdup_printf("run-%08x", g_random_int());
}

static sd_bus_message *run_message(Ctl *ctl, const char *name, bool detached)
{
    SettingsFlags *settings = &ctl->options.settings;
    sd_bus_message *message = call_new(&ctl->connection, MANAGER_PATH, MANAGER_INTERFACE,
                                       "RunInstance");
    bool remove = option_given(&ctl->options, OPTION_RM) || !detached;

    if (remove && !settings_flags_given(settings, SETTING_REMOVE_ON_EXIT))
        settings_flags_add(settings, setting_get(SETTING_REMOVE_ON_EXIT), "yes");
    must(sd_bus_message_append(message, "s", name));
    settings_flags_append(settings, message);
    return message;
}

static int run_detached(Ctl *ctl, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(sd_bus_message) message = run_message(ctl, name, true);
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path;

    must(sd_bus_message_append(message, "a{sv}", 0));
    reply = call_send(&ctl->connection, message, &error);
    if (!reply || !reply_read(reply, &error, "o", &path)) {
        ctl_complain(NULL, error);
        return start_failure_status(error);
    }
    created_print(ctl, name, path);
    return STATUS_OK;
}

static int run_attached(Ctl *ctl, const char *name, GError **error)
{
    g_autoptr(Foreground) foreground = foreground_new(ctl, name, error);
    g_autoptr(sd_bus_message) message = NULL;

    if (!foreground)
        return STATUS_OURS;
    message = run_message(ctl, name, false);
    must(sd_bus_message_open_container(message, 'a', "{sv}"));
    if (!payload_stdio_append(&foreground->stdio, foreground->event, &ctl->options.settings,
                              message, error))
        return STATUS_OURS;
    must(sd_bus_message_close_container(message));
    return foreground_run(foreground, g_steal_pointer(&message), NULL);
}

/* Its output goes where its settings say. */
static int run_existing(Ctl *ctl, const char *name, GError **error)
{
    const Connection *connection = &ctl->connection;
    g_autoptr(Foreground) foreground = foreground_new(ctl, name, error);
    g_autofree char *path = foreground ? instance_path(connection, name, error) : NULL;
    g_autoptr(Variant)
        properties = path ? properties_get(connection, path, INSTANCE_INTERFACE, error) : NULL;
    sd_bus_message *message = NULL;

    if (!properties)
        return STATUS_OURS;
    if (!state_is_active(state_from_string(variant_string(properties, "State")))) {
        message = call_new(connection, path, INSTANCE_INTERFACE, "Start");
        must(sd_bus_message_append(message, "a{sv}", 0));
    }
    return foreground_run(foreground, message, path);
}

bool verb_run_check(const Options *options, GError **error)
{
    return options->arguments->len > 0 ? check_existing(options, error) : check_new(options, error);
}

int verb_run(Ctl *ctl)
{
    const Options *options = &ctl->options;
    bool existing = options->arguments->len > 0;
    g_autofree char *made = make_name();
    const char *name = option_value(options, OPTION_NAME);
    g_autoptr(GError) error = NULL;
    int status;

    if (!name)
        name = made;
    if (existing)
        status = run_existing(ctl, option_argument(options, 0), &error);
    else if (option_given(options, OPTION_DETACH))
        status = run_detached(ctl, name);
    else
        status = run_attached(ctl, name, &error);
    if (error)
        ctl_complain(NULL, error);
    return status;
}
