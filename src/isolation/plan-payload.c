/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is executed, and what becomes of its process before: in the order of wire.h, since a
 * privilege that is dropped too early cannot drop the next. */

#include "isolation/plan-internal.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The settings' variables go over the ones every payload gets. */
static void set_environment(const PlanInput *input, Plan *plan)
{
    const Identity *identity = input->identity;
    const char *const *wanted = spec_get_strv(input->spec, SETTING_ENVIRONMENT);
    char **environment = g_new0(char *, 1);

    environment = g_environ_setenv(environment, "PATH", DEFAULT_PATH, TRUE);
    environment = g_environ_setenv(environment, "HOME", identity->home, TRUE);
    environment = g_environ_setenv(environment, "USER", identity->user, TRUE);
    environment = g_environ_setenv(environment, "LOGNAME", identity->user, TRUE);
    environment = g_environ_setenv(environment, "SHELL", identity->shell, TRUE);
    environment = g_environ_setenv(environment, "CONSTELLATION_INSTANCE", input->name, TRUE);
    environment = g_environ_setenv(environment, "CONSTELLATION_ID", input->id, TRUE);
    for (size_t i = 0; wanted && wanted[i]; i++) {
        const char *equals = strchr(wanted[i], '=');
        g_autofree char *name = g_strndup(wanted[i], (gsize)(equals - wanted[i]));
        environment = g_environ_setenv(environment, name, equals + 1, TRUE);
    }
    plan->search_path = g_strdup(g_environ_getenv(environment, "PATH"));
    plan->environment = environment;
}

bool plan_set_payload(const PlanInput *input, Plan *plan, GError **error)
{
    const char *const *command = spec_get_strv(input->spec, SETTING_COMMAND);
    const char *script = spec_get_string(input->spec, SETTING_SCRIPT);
    const char *interpreter = spec_get_string(input->spec, SETTING_INTERPRETER);

    if (script && *script) {
        if (!interpreter || !*interpreter)
            interpreter = input->interpreter;
        plan->argv = g_strdupv((char *[]){ (char *)interpreter, (char *)script, NULL });
        plan->executable = g_strdup(interpreter);
        plan->script = g_strdup(script);
    } else if (command && command[0]) {
        plan->argv = g_strdupv((char **)command);
        plan->executable = g_strdup(command[0]);
    } else {
        return true;
    }
    if (!*plan->executable)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "the program to execute has an empty name");
    set_environment(input, plan);
    return true;
}

/* "file:PATH" and "append:PATH" are opened by the payload's process, as its user; the rest is given
 * to it. Two truncating descriptors of one file would write over each other: then it is one. */
static void add_output_step(const PlanInput *input, Plan *plan, unsigned kind, SettingId id)
{
    const char *where = spec_get_string(input->spec, id);
    const char *path = where && *where ? strchr(where, '/') : NULL;

    if (!path || (kind == STEP_STDOUT ? input->given_stdout : input->given_stderr))
        return;
    PlanStep *step = plan_add_step(plan, kind, true);
    step->path = g_strdup(path);
    step->number = g_str_has_prefix(where, "append:") ? OUTPUT_APPEND : OUTPUT_TRUNCATE;
    if (kind == STEP_STDERR && !input->given_stdout &&
        g_strcmp0(where, spec_get_string(input->spec, SETTING_STANDARD_OUTPUT)) == 0)
        step->number = OUTPUT_SAME;
}

static bool is_journal(const PlanInput *input, SettingId id, bool given)
{
    return !given && g_strcmp0(spec_get_string(input->spec, id), "journal") == 0;
}

/* A journald that is stopped closes its streams: whoever did not reckon with a reader of his output
 * would be killed by that. It is systemd's default for services, too. Elsewhere readers end on
 * purpose. */
static bool ignores_sigpipe(const PlanInput *input)
{
    if (spec_is_set(input->spec, SETTING_IGNORE_SIGPIPE))
        return spec_get_uint(input->spec, SETTING_IGNORE_SIGPIPE);
    return is_journal(input, SETTING_STANDARD_OUTPUT, input->given_stdout) ||
           is_journal(input, SETTING_STANDARD_ERROR, input->given_stderr);
}

bool plan_add_payload_steps(const PlanInput *input, Plan *plan, GError **error)
{
    const char *directory = spec_get_string(input->spec, SETTING_WORKING_DIRECTORY);

    plan_add_step(plan, STEP_SESSION, true);
    plan_add_step(plan, STEP_KEYRING, false);
    if (ignores_sigpipe(input))
        plan_add_step(plan, STEP_SIGPIPE, true);
    plan_add_setting_step(input, plan, STEP_UMASK, SETTING_UMASK)->number = (uint32_t)spec_get_uint(
        input->spec, SETTING_UMASK);
    if (!plan_add_limit_steps(input, plan, error) || !plan_add_identity_steps(input, plan, error) ||
        !plan_add_capability_step(input, plan, error))
        return false;
    if (!plan_choose_filters(input, plan, error))
        return false;
    plan_add_no_new_privileges_step(input, plan);
    add_output_step(input, plan, STEP_STDOUT, SETTING_STANDARD_OUTPUT);
    add_output_step(input, plan, STEP_STDERR, SETTING_STANDARD_ERROR);
    plan_add_step(plan, STEP_WORKING_DIRECTORY, true)->path = g_strdup(
        directory && *directory ? directory : "/");
    plan_add_filter_step(input, plan);
    plan_add_step(plan, STEP_EXEC, true)->path = g_strdup(plan->script ? plan->script
                                                                       : plan->executable);
    return true;
}
