/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end comes as the signal Exited, which is subscribed to before the start; for an instance that
 * was there before us, or that never came as far as its payload, also as its state. What ends
 * before the reply to the start has told us the path is kept until then. */

#include <errno.h>
#include <systemd/sd-daemon.h>

#include "ctl/call.h"
#include "ctl/foreground.h"
#include "model/state.h"

/* ---- the end --------------------------------------------------------------------------------- */

void foreground_over(Foreground *foreground, int status)
{
    if (foreground->over)
        return;
    foreground->over = true;
    payload_stdio_drain(&foreground->stdio);
    (void)sd_event_exit(foreground->event, status);
}

static void foreground_ended(Foreground *foreground, const Ending *ending)
{
    g_autofree char *note = ending_note(ending);

    if (foreground->over)
        return;
    foreground_over(foreground, ending_status(ending));
    if (note)
        ctl_note(foreground->ctl, "%s: %s", foreground->name, note);
}

static void foreground_failed(Foreground *foreground, const GError *error)
{
    if (foreground->over)
        return;
    if (foreground->cancelled_by != 0 && error->code == CONSTELLATION_ERROR_CANCELLED) {
        foreground_over(foreground, STATUS_SIGNAL + foreground->cancelled_by);
        return;
    }
    foreground_over(foreground, start_failure_status(error));
    ctl_complain(NULL, error);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void foreground_look(Foreground *foreground);

/* systemd is told once, where we are the main process of a Type=notify unit. */
static void announce(Foreground *foreground)
{
    if (foreground->announced)
        return;
    foreground->announced = true;
    (void)sd_notifyf(false, "READY=1\nSTATUS=Running as instance %s", path_id(foreground->path));
}

static void judge_end(Foreground *foreground, const Variant *properties)
{
    const Ending ending = ending_from_properties(properties);
    const char *status_text = variant_string(properties, "StatusText");
    g_autoptr(GError) error = NULL;

    if (ending.code != 0 || !*status_text) {
        foreground_ended(foreground, &ending);
        return;
    }
    error_set(&error,
              result_from_string(ending.result) == RESULT_EXEC ? CONSTELLATION_ERROR_SPAWN_FAILED
                                                               : CONSTELLATION_ERROR_INVALID_STATE,
              "%s", status_text);
    foreground_failed(foreground, error);
}

static void judge(Foreground *foreground, const Variant *properties)
{
    switch (state_from_string(variant_string(properties, "State"))) {
    case STATE_RUNNING:
        foreground->running = true;
        announce(foreground);
        break;
    case STATE_PENDING:
    case STATE_STOPPED:
    case STATE_FAILED:
        judge_end(foreground, properties);
        return;
    default:
        break;
    }
    if (foreground->look_again)
        foreground_look(foreground);
}

static void on_looked(sd_bus_message *reply, const GError *error, void *userdata)
{
    Foreground *foreground = userdata;
    g_autoptr(GError) odd = NULL;
    g_autoptr(Variant) properties = reply ? variant_read(reply, &odd) : NULL;
    const GError *failure = error ? error : odd;

    foreground->looking = false;
    if (foreground->over)
        return;
    if (!failure)
        judge(foreground, properties);
    else if (!call_failed_in_passing(&foreground->ctl->connection, failure))
        foreground_failed(foreground, failure);
    /* Else on_service_changed() looks again. */
}

static void foreground_look(Foreground *foreground)
{
    sd_bus_message *message;

    foreground->look_again = foreground->looking;
    if (foreground->looking || foreground->over)
        return;
    foreground->looking = true;
    message = call_new(&foreground->ctl->connection, foreground->path,
                       "org.freedesktop.DBus.Properties", "GetAll");
    must(sd_bus_message_append(message, "s", INSTANCE_INTERFACE));
    call_queue_add(foreground->queue, message, CALL_TIMEOUT_USEC, on_looked, foreground);
}

/* ---- news ------------------------------------------------------------------------------------ */

static bool is_ours(const Foreground *foreground, const char *path)
{
    return g_strcmp0(foreground->path, path) == 0;
}

/* Exited comes before this; what comes to rest without it has something to tell. */
static void on_changed(const char *path, State state, void *userdata)
{
    Foreground *foreground = userdata;

    if (is_ours(foreground, path) && state != _STATE_INVALID && !state_is_active(state))
        foreground_look(foreground);
}

static void on_exited(const char *path, const Ending *ending, void *userdata)
{
    Foreground *foreground = userdata;

    if (is_ours(foreground, path))
        foreground_ended(foreground, ending);
    else if (!foreground->path)
        g_hash_table_insert(foreground->endings, g_strdup(path), ending_copy(ending));
}

static void on_removed(const char *path, void *userdata)
{
    Foreground *foreground = userdata;
    g_autoptr(GError) error = NULL;

    if (!is_ours(foreground, path))
        return;
    error_set(&error, CONSTELLATION_ERROR_NO_SUCH_INSTANCE,
              "%s is gone: destroyed, or removed before it was seen to run", foreground->name);
    foreground_failed(foreground, error);
}

static void on_service_changed(bool present, void *userdata)
{
    Foreground *foreground = userdata;
    g_autoptr(GError) error = NULL;

    if (present && foreground->path) {
        foreground_look(foreground);
    } else if (!present && connection_is_peer(&foreground->ctl->connection)) {
        call_error(&foreground->ctl->connection, NULL, -ENOTCONN, &error);
        foreground_failed(foreground, error);
    } else if (!present) {
        ctl_note(foreground->ctl, "the service went away; %s runs on", foreground->name);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void on_begun(sd_bus_message *reply, const GError *error, void *userdata)
{
    Foreground *foreground = userdata;
    g_autoptr(GError) odd = NULL;
    const Ending *ending;
    const char *path;

    if (error || (!foreground->path && !reply_read(reply, &odd, "o", &path))) {
        foreground_failed(foreground, error ? error : odd);
        return;
    }
    if (!foreground->path)
        foreground->path = g_strdup(path);
    foreground->running = true;
    ending = g_hash_table_lookup(foreground->endings, foreground->path);
    if (ending)
        foreground_ended(foreground, ending);
    else
        foreground_look(foreground);
}

int foreground_run(Foreground *foreground, sd_bus_message *begin, const char *path)
{
    foreground->path = g_strdup(path);
    if (begin)
        call_queue_add(foreground->queue, begin, UINT64_MAX, on_begun, foreground);
    else
        foreground_look(foreground);

    int status = sd_event_loop(foreground->event);

    return status >= 0 ? status : STATUS_OURS;
}

static void free_ending(void *ending)
{
    ending_free(ending);
}

Foreground *foreground_new(const Ctl *ctl, const char *name, GError **error)
{
    static const WatchHandler handler = {
        .changed = on_changed,
        .exited = on_exited,
        .removed = on_removed,
        .service_changed = on_service_changed,
    };
    g_autoptr(Foreground) foreground = g_new0(Foreground, 1);
    int r = sd_event_default(&foreground->event);

    foreground->ctl = ctl;
    foreground->name = name;
    foreground->endings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_ending);
    foreground->queue = call_queue_new(&ctl->connection);
    if (r >= 0)
        r = sd_bus_attach_event(ctl->connection.bus, foreground->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_NO_MEMORY, r, "event loop");
        return NULL;
    }
    foreground->watch = watch_new(&ctl->connection, &handler, foreground, error);
    if (!foreground->watch || !foreground_catch_signals(foreground, error))
        return NULL;
    return g_steal_pointer(&foreground);
}

void foreground_free(Foreground *foreground)
{
    if (!foreground)
        return;
    call_queue_free(foreground->queue);
    watch_free(foreground->watch);
    payload_stdio_done(&foreground->stdio);
    for (unsigned i = 0; i < FOREGROUND_SIGNALS; i++)
        sd_event_source_disable_unref(foreground->signals[i]);
    (void)sd_bus_detach_event(foreground->ctl->connection.bus);
    g_hash_table_unref(foreground->endings);
    g_free(foreground->path);
    sd_event_unref(foreground->event);
    g_free(foreground);
}
