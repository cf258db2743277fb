/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "bus/create.h"
#include "bus/errors.h"
#include "bus/reply.h"
#include "bus/rights.h"
#include "bus/call.h"
#include "bus/settings-read.h"
#include "core/identity.h"

/* What a dialog shows of a command, which may be of any length. */
#define COMMAND_SHOWN 200

#define USERS_SPEC_MAX (64u * 1024) /* bytes */

typedef struct CreateArgs {
    const char *name; /* borrowed from the message */
    Spec *spec;
    StartOptions start; /* RunInstance only, as no_wait */
    bool no_wait;
} CreateArgs;

static void clear_args(void *userdata)
{
    CreateArgs *args = userdata;

    g_clear_pointer(&args->spec, spec_free);
}

/* ---- what it takes --------------------------------------------------------------------------- */

/* Printable, on one line, and not of any length: it is shown to somebody who decides by it. */
static char *describe_command(const Spec *spec)
{
    const char *script = spec_get_string(spec, SETTING_SCRIPT);
    const char *const *command = spec_get_strv(spec, SETTING_COMMAND);
    g_autofree char *text = script && *script     ? g_strdup(script)
                            : command && *command ? g_strjoinv(" ", (char **)command)
                                                  : g_strdup("a sandbox");
    char *shown = g_strescape(text, "\"\\");

    if (strlen(shown) > COMMAND_SHOWN)
        memcpy(shown + COMMAND_SHOWN - 3, "...", 4);
    return shown;
}

/* What ordinary users have us keep, and hold while somebody is asked. */
static bool is_too_large(const Call *call, sd_bus_error *error)
{
    const CreateArgs *args = call->args;

    if (users_limits(call->connection->face->controller->users, call->caller)->instances == 0 ||
        spec_size(args->spec) <= USERS_SPEC_MAX)
        return false;
    bus_fail_code(error, CONSTELLATION_ERROR_LIMITS_EXCEEDED,
                  "the settings have more than %u bytes together: pass large data in a file",
                  USERS_SPEC_MAX);
    return true;
}

/* Of the user that is named nothing is looked up here: the caller may have no right to be told even
 * whether there is such a user. */
static void need_rights(Call *call)
{
    const CreateArgs *args = call->args;
    const char *user = spec_get_string(args->spec, SETTING_USER);
    g_autofree char *command = describe_command(args->spec);

    call_tell(call, "name", args->name);
    call_tell(call, "command", command);
    call_tell(call, "user", user ? user : "");
    if (user && *user && !identity_is(user, call->caller))
        call_need(call, ACTION_RUN_AS);
    rights_limit(call, args->spec, call->caller);
    rights_need(call, args->spec, call->caller);
}

/* ---- reading --------------------------------------------------------------------------------- */

static Call *read_call(Connection *connection, sd_bus_message *message, CallAct act,
                       sd_bus_error *error)
{
    g_autoptr(Call) call = call_new(connection, NULL, message, act);
    CreateArgs *args = call_args(call, sizeof *args, clear_args);
    g_autoptr(GError) failure = NULL;

    /* The environment in it may hold secrets: it is wiped when it is freed. */
    (void)sd_bus_message_sensitive(message);
    args->start = START_OPTIONS_DEFAULT;
    args->spec = spec_new();
    int r = sd_bus_message_read_basic(message, 's', &args->name);
    if (r < 0) {
        bus_fail_code(error, CONSTELLATION_ERROR_INVALID_ARGS, "the name cannot be read");
        return NULL;
    }
    if (!name_is_valid(args->name, &failure) || !settings_read(message, args->spec, &failure) ||
        !spec_validate(args->spec, &failure)) {
        bus_fail(error, failure);
        return NULL;
    }
    if (is_too_large(call, error))
        return NULL;
    need_rights(call);
    return g_steal_pointer(&call);
}

/* ---- CreateInstance -------------------------------------------------------------------------- */

static Instance *create(const Call *call, bool for_a_run, GError **error)
{
    const CreateArgs *args = call->args;

    if (!controller_take(call->connection->face->controller, call->caller, error))
        return NULL;
    return controller_create(call->connection->face->controller, args->name, call->caller,
                             args->spec, for_a_run, error);
}

static int act_create_instance(Call *call, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    Instance *instance = create(call, false, &failure);

    if (!instance)
        return bus_fail(error, failure);
    g_autofree char *path = instance_path(instance);
    return sd_bus_reply_method_return(call->message, "o", path);
}

int method_create_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Call *call = read_call(userdata, message, act_create_instance, error);

    return call ? call_submit(call, error) : -sd_bus_error_get_errno(error);
}

/* ---- RunInstance ----------------------------------------------------------------------------- */

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

static int act_run_instance(Call *call, sd_bus_error *error)
{
    const CreateArgs *args = call->args;
    g_autoptr(GError) failure = NULL;
    Instance *instance = create(call, true, &failure);

    if (!instance)
        return bus_fail(error, failure);
    Reply *reply = reply_park(call->message, REPLY_PATH);
    if (!instance_start(instance, &args->start, args->no_wait ? on_run_begun : on_run_started,
                        reply, &failure)) {
        reply_drop(reply);
        (void)instance_destroy(instance, true, NULL, NULL, NULL);
        return bus_fail(error, failure);
    }
    if (args->no_wait)
        reply_waiter(instance, NULL, reply);
    return 1;
}

int method_run_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    g_autoptr(Call) call = read_call(userdata, message, act_run_instance, error);
    g_autoptr(GError) failure = NULL;

    if (!call)
        return -sd_bus_error_get_errno(error);
    CreateArgs *args = call->args;
    Option options[] = {
        { "Stdin", 'h', &args->start.stdio[0], false },
        { "Stdout", 'h', &args->start.stdio[1], false },
        { "Stderr", 'h', &args->start.stdio[2], false },
        { "NoDegrade", 'b', &args->start.no_degrade, false },
        { "NoWait", 'b', &args->no_wait, false },
    };
    if (!options_read(message, options, G_N_ELEMENTS(options), &failure))
        return bus_fail(error, failure);
    return call_submit(g_steal_pointer(&call), error);
}

/* ---- CheckInstance --------------------------------------------------------------------------- */

static int act_check_instance(Call *call, sd_bus_error *error)
{
    const CreateArgs *args = call->args;
    g_autoptr(GError) failure = NULL;
    g_autoptr(sd_bus_message) reply = NULL;
    g_autoptr(GPtrArray) rows = controller_check(call->connection->face->controller, args->name,
                                                 call->caller, args->spec, &failure);

    if (!rows)
        return bus_fail(error, failure);
    int r = sd_bus_message_new_method_return(call->message, &reply);
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

int method_check_instance(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Call *call = read_call(userdata, message, act_check_instance, error);

    return call ? call_submit(call, error) : -sd_bus_error_get_errno(error);
}
