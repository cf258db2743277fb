/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <string.h>

#include "core/store-file.h"

#define GROUP_INSTANCE "Instance"
#define GROUP_RUN      "Run"

/* ---- writing --------------------------------------------------------------------------------- */

static void set_timestamp(GKeyFile *file, const char *key, Timestamp timestamp)
{
    g_autofree char *monotonic = g_strconcat(key, "Monotonic", NULL);

    g_key_file_set_uint64(file, GROUP_RUN, key, timestamp.realtime_usec);
    g_key_file_set_uint64(file, GROUP_RUN, monotonic, timestamp.monotonic_usec);
}

static void write_isolation(GKeyFile *file, const Instance *instance)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        g_autofree char *key = g_strconcat("Isolation-", namespace_infos[kind].name, NULL);
        const char *const pair[] = {
            isolation_outcome_to_string(instance->isolation[kind].outcome),
            instance->isolation[kind].reason,
        };
        g_key_file_set_string_list(file, GROUP_RUN, key, pair, 2);
    }
}

static void write_degraded(GKeyFile *file, const Instance *instance)
{
    for (guint i = 0; i < instance->degraded->len; i++) {
        const Degradation *row = g_ptr_array_index(instance->degraded, i);
        g_autofree char *key = g_strdup_printf("Degraded-%u", i);
        const char *const fields[] = { row->feature, row->code, row->reason };
        g_key_file_set_string_list(file, GROUP_RUN, key, fields, 3);
    }
}

/* What a stop that is under way is to go on with. */
static void write_stop(GKeyFile *file, const Instance *instance)
{
    g_key_file_set_integer(file, GROUP_RUN, "StopSignal", instance->stop_signal);
    g_key_file_set_uint64(file, GROUP_RUN, "StopBoottime", instance->stop_boot_usec);
    g_key_file_set_boolean(file, GROUP_RUN, "RuntimeOver", instance->runtime_over);
}

static void write_run(GKeyFile *file, const Instance *instance)
{
    const Placement *placement = instance->placement;

    g_key_file_set_string(file, GROUP_RUN, "State", state_to_string(instance->state));
    g_key_file_set_string(file, GROUP_RUN, "Result", result_to_string(instance->result));
    g_key_file_set_string(file, GROUP_RUN, "StatusText", instance->status_text);
    g_key_file_set_uint64(file, GROUP_RUN, "Run", instance->run);
    g_key_file_set_integer(file, GROUP_RUN, "ExitCode", instance->exit_code);
    g_key_file_set_integer(file, GROUP_RUN, "ExitSignal", instance->exit_signal);
    g_key_file_set_uint64(file, GROUP_RUN, "Restarts", instance->history.restarts);
    g_key_file_set_uint64(file, GROUP_RUN, "RestartsInARow", instance->history.failures);
    g_key_file_set_uint64(file, GROUP_RUN, "StartLimitBoottime",
                          instance->history.interval_start_usec);
    g_key_file_set_uint64(file, GROUP_RUN, "StartLimitRestarts",
                          instance->history.interval_restarts);
    g_key_file_set_uint64(file, GROUP_RUN, "RestartBoottime", instance->restart_boot_usec);
    g_key_file_set_string(file, GROUP_RUN, "RestartReason", instance->restart_reason);
    set_timestamp(file, "Created", instance->created);
    set_timestamp(file, "Started", instance->started);
    set_timestamp(file, "Stopped", instance->stopped);
    g_key_file_set_string(file, GROUP_RUN, "BackendReason", instance->backend_reason);
    if (instance->freeze_asked && instance->sub_state == SUB_STATE_FROZEN)
        g_key_file_set_boolean(file, GROUP_RUN, "FreezeAsked", TRUE);
    g_key_file_set_string(file, GROUP_RUN, "LogTarget", log_target_to_string(instance->log_target));
    if (instance->destroy_after_stop || instance->restart_after_stop)
        g_key_file_set_string(file, GROUP_RUN, "AfterStop",
                              instance->destroy_after_stop ? "destroy" : "restart");
    if (instance->stopped_with_service)
        g_key_file_set_boolean(file, GROUP_RUN, "StoppedWithService", TRUE);
    if (instance->state == STATE_STOPPING)
        write_stop(file, instance);
    write_isolation(file, instance);
    write_degraded(file, instance);
    if (!placement)
        return;
    g_key_file_set_string(file, GROUP_RUN, "Backend", backend_name(placement->backend));
    if (placement->unit)
        g_key_file_set_string(file, GROUP_RUN, "Unit", placement->unit);
    if (placement->slice)
        g_key_file_set_string(file, GROUP_RUN, "Slice", placement->slice);
    if (placement->control_group)
        g_key_file_set_string(file, GROUP_RUN, "ControlGroup", placement->control_group);
}

char *store_file_write(const Instance *instance)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    g_key_file_set_integer(file, GROUP_INSTANCE, "Version", STORE_FILE_VERSION);
    g_key_file_set_string(file, GROUP_INSTANCE, "Id", instance->id);
    g_key_file_set_string(file, GROUP_INSTANCE, "Name", instance->name);
    g_key_file_set_uint64(file, GROUP_INSTANCE, "Owner", instance->owner);
    if (instance->tentative)
        g_key_file_set_boolean(file, GROUP_INSTANCE, "Tentative", TRUE);
    write_run(file, instance);
    spec_to_key_file(instance->spec, file);
    return g_key_file_to_data(file, NULL, NULL);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* 0 where there is none: an older version may not have written it. */
static guint64 get_number(GKeyFile *file, const char *key, GError **error)
{
    g_autoptr(GError) failure = NULL;
    guint64 number = g_key_file_get_uint64(file, GROUP_RUN, key, &failure);

    if (failure && !*error &&
        !g_error_matches(failure, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&failure));
    return number;
}

static Timestamp get_timestamp(GKeyFile *file, const char *key, GError **error)
{
    g_autofree char *monotonic = g_strconcat(key, "Monotonic", NULL);

    return (Timestamp){
        get_number(file, key, error),
        get_number(file, monotonic, error),
    };
}

static void read_isolation(GKeyFile *file, Instance *instance)
{
    for (unsigned kind = 0; kind < NAMESPACE_COUNT; kind++) {
        g_autofree char *key = g_strconcat("Isolation-", namespace_infos[kind].name, NULL);
        gsize length = 0;
        g_auto(GStrv) pair = g_key_file_get_string_list(file, GROUP_RUN, key, &length, NULL);
        if (length != 2)
            continue;
        Isolation *isolation = &instance->isolation[kind];
        for (IsolationOutcome o = ISOLATION_PRIVATE; o <= ISOLATION_REFUSED; o++)
            if (strcmp(pair[0], isolation_outcome_to_string(o)) == 0)
                isolation->outcome = o;
        g_free(isolation->reason);
        isolation->reason = g_steal_pointer(&pair[1]);
    }
}

static void read_degraded(GKeyFile *file, Instance *instance)
{
    for (guint i = 0;; i++) {
        g_autofree char *key = g_strdup_printf("Degraded-%u", i);
        gsize length = 0;
        g_auto(GStrv) fields = g_key_file_get_string_list(file, GROUP_RUN, key, &length, NULL);
        if (length != 3)
            return;
        instance_degrade(instance, fields[0], fields[1], fields[2]);
    }
}

/* What the run was placed by is kept as text until adopt.c knows whether it still lives. */
static void read_placement(GKeyFile *file, Instance *instance)
{
    g_autofree char *backend = g_key_file_get_string(file, GROUP_RUN, "Backend", NULL);
    const Backend *known = backend ? backend_by_name(backend) : NULL;

    if (!known)
        return;
    instance->placement = g_new0(Placement, 1);
    instance->placement->backend = known;
    instance->placement->unit = g_key_file_get_string(file, GROUP_RUN, "Unit", NULL);
    instance->placement->slice = g_key_file_get_string(file, GROUP_RUN, "Slice", NULL);
    instance->placement->control_group = g_key_file_get_string(file, GROUP_RUN, "ControlGroup",
                                                               NULL);
    instance->placement->reason = g_strdup(instance->backend_reason);
    instance->placement->cgroup_fd = -1;
}

static void read_stop(GKeyFile *file, Instance *instance, GError **error)
{
    int signal = g_key_file_get_integer(file, GROUP_RUN, "StopSignal", NULL);

    instance->stop_signal = signal >= 1 && signal <= 31 ? signal : 0;
    instance->stop_boot_usec = get_number(file, "StopBoottime", error);
    instance->runtime_over = g_key_file_get_boolean(file, GROUP_RUN, "RuntimeOver", NULL);
}

static bool read_numbers(GKeyFile *file, Instance *instance, GError **error)
{
    instance->run = get_number(file, "Run", error);
    instance->history.restarts = get_number(file, "Restarts", error);
    instance->history.failures = get_number(file, "RestartsInARow", error);
    instance->history.interval_start_usec = get_number(file, "StartLimitBoottime", error);
    instance->history.interval_restarts = get_number(file, "StartLimitRestarts", error);
    instance->restart_boot_usec = get_number(file, "RestartBoottime", error);
    instance->created = get_timestamp(file, "Created", error);
    instance->started = get_timestamp(file, "Started", error);
    instance->stopped = get_timestamp(file, "Stopped", error);
    if (instance->state == STATE_STOPPING)
        read_stop(file, instance, error);
    if (*error)
        return false;
    instance->exit_code = g_key_file_get_integer(file, GROUP_RUN, "ExitCode", NULL);
    instance->exit_signal = g_key_file_get_integer(file, GROUP_RUN, "ExitSignal", NULL);
    if (instance->exit_code < -1 || instance->exit_code > UINT8_MAX || instance->exit_signal < 0 ||
        instance->exit_signal > SIGRTMAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "ExitCode=%d, ExitSignal=%d: no process ends like this",
                         instance->exit_code, instance->exit_signal);
    return true;
}

static bool read_run(GKeyFile *file, Instance *instance, GError **error)
{
    g_autofree char *state = g_key_file_get_string(file, GROUP_RUN, "State", error);
    g_autofree char *result = state ? g_key_file_get_string(file, GROUP_RUN, "Result", error)
                                    : NULL;
    g_autofree char *status = g_key_file_get_string(file, GROUP_RUN, "StatusText", NULL);
    g_autofree char *reason = g_key_file_get_string(file, GROUP_RUN, "BackendReason", NULL);
    g_autofree char *restart = g_key_file_get_string(file, GROUP_RUN, "RestartReason", NULL);
    g_autofree char *after = g_key_file_get_string(file, GROUP_RUN, "AfterStop", NULL);
    g_autofree char *target = g_key_file_get_string(file, GROUP_RUN, "LogTarget", NULL);

    /* A wrong escape gives both a text and an error. */
    if (!state || !result || *error)
        return false;
    instance->state = state_from_string(state);
    instance->result = result_from_string(result);
    if (instance->state == _STATE_INVALID || instance->result == _RESULT_INVALID)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "State=%s, Result=%s: unknown",
                         state, result);
    instance_set_status(instance, "%s", status ? status : "");
    g_free(instance->backend_reason);
    instance->backend_reason = g_strdup(reason ? reason : "");
    g_free(instance->restart_reason);
    instance->restart_reason = g_strdup(restart ? restart : "");
    instance->log_target = log_target_from_string(target);
    instance->restart_after_stop = g_strcmp0(after, "restart") == 0;
    instance->destroy_after_stop = g_strcmp0(after, "destroy") == 0;
    instance->stopped_with_service = g_key_file_get_boolean(file, GROUP_RUN, "StoppedWithService",
                                                            NULL);
    instance->freeze_asked = g_key_file_get_boolean(file, GROUP_RUN, "FreezeAsked", NULL);
    read_isolation(file, instance);
    read_degraded(file, instance);
    read_placement(file, instance);
    return read_numbers(file, instance, error);
}

static bool check_head(GKeyFile *file, const char *id, const char *name, GError **error)
{
    int version = g_key_file_get_integer(file, GROUP_INSTANCE, "Version", NULL);
    guint64 owner = g_key_file_get_uint64(file, GROUP_INSTANCE, "Owner", error);

    if (*error)
        return false;
    if (version != STORE_FILE_VERSION)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "Version=%d: this service writes and reads version %d", version,
                         STORE_FILE_VERSION);
    if (!id || !id_is_valid(id))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "Id=%s: not an id", id ? id : "");
    if (owner >= UINT32_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "Owner= is no uid");
    return name_is_valid(name ? name : "", error);
}

Instance *store_file_read(Controller *controller, const char *text, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) failure = NULL;
    g_autofree char *id = NULL, *name = NULL;
    Spec *spec = NULL;
    Instance *instance = NULL;

    if (!g_utf8_validate(text, -1, NULL))
        error_set(&failure, CONSTELLATION_ERROR_INVALID_ARGS, "it is not UTF-8");
    else if (g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &failure)) {
        id = g_key_file_get_string(file, GROUP_INSTANCE, "Id", NULL);
        name = g_key_file_get_string(file, GROUP_INSTANCE, "Name", NULL);
        if (check_head(file, id, name, &failure))
            spec = spec_from_key_file(file, &failure);
    }
    if (spec) {
        uid_t owner = (uid_t)g_key_file_get_uint64(file, GROUP_INSTANCE, "Owner", NULL);
        instance = instance_new(controller, id, name, owner, spec);
        instance->tentative = g_key_file_get_boolean(file, GROUP_INSTANCE, "Tentative", NULL);
        if (read_run(file, instance, &failure))
            return instance;
        instance_free(instance);
    }
    error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s", failure->message);
    return NULL;
}
