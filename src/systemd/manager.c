/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection to systemd: how it comes to be, how its loss is noticed, and when what waits for
 * it is set going.
 *
 * The handshake is three calls that are sent at once and answered in order: the match on
 * JobRemoved, the match on systemd's coming and going, and a question that proves that systemd is
 * there. Only its answer makes the connection READY, so no job is ever asked for before the signal
 * of its end can be heard. There is no Subscribe(): it would make PID 1 announce every change of
 * every unit, and a client hears of its own jobs without.
 *
 * A systemd that re-executes itself (daemon-reexec) leaves the bus for a moment and takes its jobs
 * with it into its next life, and a bus that is restarted does not touch them at all: they are
 * looked after then instead of being given up. */

#include <errno.h>
#include <unistd.h>

#include "systemd/manager-internal.h"
#include "util/log.h"
#include "util/timer.h"

#define BACKOFF_MIN_USEC (100u * 1000u)
#define BACKOFF_MAX_USEC (5u * 1000u * 1000u)

/* How long systemd, or the bus, may be away before what waits for it is given up: re-executing
 * takes a fraction of a second, on a slow machine a few. */
#define ABSENCE_MAX_USEC (10u * 1000u * 1000u)

/* How long it is waited for at first: a user's systemd comes to the bus only after the bus has been
 * started, which the first client to connect does; and it may be re-executing itself just now. */
#define ARRIVAL_MAX_USEC (2u * 1000u * 1000u)

const char *reply_error_text(sd_bus_message *reply)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    if (!error)
        return "no error";
    return error->message ? error->message : error->name;
}

static uint64_t now_usec(void)
{
    return (uint64_t)g_get_monotonic_time(); /* microseconds of CLOCK_MONOTONIC */
}

/* A connection that was good a moment ago will be so again: a bus takes no second to restart. */
static bool is_patient(const Manager *manager)
{
    return now_usec() < manager->patience_usec;
}

static void set_state(Manager *manager, ManagerState state, const char *reason)
{
    manager->state = state;
    g_free(manager->reason);
    manager->reason = g_strdup(reason);
}

/* ---- the timer ------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void arm_timer(Manager *manager, uint64_t usec)
{
    int r = timer_start(manager->event, &manager->timer, usec, on_timer, manager, "systemd");

    if (r < 0)
        log_warning("cannot set a timer for the connection to systemd: %s", g_strerror(-r));
}

static void arm_backoff(Manager *manager)
{
    arm_timer(manager, manager->backoff_usec);
    manager->backoff_usec = MIN(2 * manager->backoff_usec, BACKOFF_MAX_USEC);
}

static void manager_absent(Manager *manager, const char *reason)
{
    set_state(manager, MANAGER_ABSENT, reason);
    jobs_fail(manager, manager->reason);
    arm_backoff(manager);
}

/* The bus object stays until the next attempt: this may run inside one of its callbacks. */
void manager_lost(Manager *manager)
{
    if (manager->state == MANAGER_DOWN)
        return;
    if (manager->state == MANAGER_READY) {
        log_info("lost the connection to systemd, connecting again");
        manager->patience_usec = now_usec() + ABSENCE_MAX_USEC;
    }
    set_state(manager, MANAGER_DOWN, "lost the connection to systemd");
    if (is_patient(manager))
        jobs_suspend(manager);
    else
        jobs_fail(manager, manager->reason);
    arm_backoff(manager);
}

/* ---- the handshake --------------------------------------------------------------------------- */

static void manager_ready(Manager *manager, const char *control_group)
{
    /* PID 1 calls the root "", or "/" in some versions. */
    g_free(manager->control_group);
    manager->control_group = g_strdup(g_str_equal(control_group, "/") ? "" : control_group);
    timer_stop(&manager->timer);
    manager->backoff_usec = BACKOFF_MIN_USEC;
    set_state(manager, MANAGER_READY, NULL);
    units_stop_remembered(manager);
    jobs_check(manager);
    jobs_pump(manager);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Manager *manager = userdata;
    const char *control_group;

    (void)ret_error;
    if (manager->state == MANAGER_DOWN)
        return 0;
    if (!sd_bus_is_open(manager->bus)) {
        manager_lost(manager);
    } else if (sd_bus_message_is_method_error(reply, NULL) && is_patient(manager)) {
        /* It will be asked when it comes: after a restart of the bus we are there before it. */
        log_debug("systemd is not there yet: %s", reply_error_text(reply));
        arm_timer(manager, manager->patience_usec - MIN(now_usec(), manager->patience_usec));
    } else if (sd_bus_message_is_method_error(reply, NULL)) {
        g_autofree char *reason = g_strdup_printf("systemd does not answer on the bus: %s",
                                                  reply_error_text(reply));
        manager_absent(manager, reason);
    } else if (sd_bus_message_read(reply, "v", "s", &control_group) < 0) {
        manager_absent(manager, "systemd does not say what its cgroup is");
    } else {
        manager_ready(manager, control_group);
    }
    return 0;
}

/* Any property would do as proof of life; this one is of use. Never activates: a bus without
 * systemd is to say so instead of trying to start one. */
static int manager_ask(Manager *manager, sd_bus *bus)
{
    g_autoptr(sd_bus_message) message = NULL;
    int r;

    r = sd_bus_message_new_method_call(bus, &message, SYSTEMD_NAME, SYSTEMD_PATH,
                                       "org.freedesktop.DBus.Properties", "Get");
    if (r < 0)
        return r;
    r = sd_bus_message_set_auto_start(message, false);
    if (r < 0)
        return r;
    r = sd_bus_message_append(message, "ss", SYSTEMD_INTERFACE, "ControlGroup");
    if (r < 0)
        return r;
    return sd_bus_call_async(bus, NULL, message, on_answer, manager, 0);
}

static void ask_or_lose(Manager *manager)
{
    int r = manager_ask(manager, manager->bus);

    if (r < 0) {
        log_debug("cannot ask systemd anything: %s", g_strerror(-r));
        manager_lost(manager);
    }
}

static int on_match_installed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    (void)ret_error;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        log_debug("cannot listen to systemd: %s", reply_error_text(reply));
        manager_lost(userdata);
    }
    return 0;
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    Manager *manager = userdata;
    const char *name, *old_owner, *new_owner;

    (void)ret_error;
    if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0 ||
        manager->state == MANAGER_DOWN)
        return 0;
    if (manager->state == MANAGER_READY)
        manager->patience_usec = now_usec() + ABSENCE_MAX_USEC;
    if (*new_owner) {
        ask_or_lose(manager);
    } else if (manager->state == MANAGER_READY) {
        set_state(manager, MANAGER_CONNECTING, NULL);
        arm_timer(manager, ABSENCE_MAX_USEC);
    }
    return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    (void)message, (void)ret_error;
    manager_lost(userdata);
    return 0;
}

static int manager_handshake(Manager *manager, sd_bus *bus)
{
    int r;

    r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                            "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, manager);
    if (r < 0)
        return r;
    r = sd_bus_match_signal_async(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE,
                                  "JobRemoved", jobs_on_removed, on_match_installed, manager);
    if (r < 0)
        return r;
    r = sd_bus_add_match_async(bus, NULL,
                               "type='signal',sender='org.freedesktop.DBus',"
                               "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                               "member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'",
                               on_owner_changed, on_match_installed, manager);
    if (r < 0)
        return r;
    return manager_ask(manager, bus);
}

/* Nothing here waits: a socket is connected to, and what is to be said is put in its queue. */
static int manager_connect(Manager *manager)
{
    g_autoptr(sd_bus) bus = NULL;
    int r;

    r = manager->user ? sd_bus_open_user_with_description(&bus, "systemd-user")
                      : sd_bus_open_system_with_description(&bus, "systemd");
    if (r < 0)
        return r;
    r = sd_bus_set_exit_on_disconnect(bus, false);
    if (r < 0)
        return r;
    r = sd_bus_attach_event(bus, manager->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        return r;
    r = manager_handshake(manager, bus);
    if (r < 0)
        return r;
    sd_bus_close_unref(manager->bus);
    manager->bus = g_steal_pointer(&bus);
    set_state(manager, MANAGER_CONNECTING, NULL);
    arm_timer(manager, ABSENCE_MAX_USEC);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    Manager *manager = userdata;

    (void)source, (void)usec;
    switch (manager->state) {
    case MANAGER_DOWN:
        if (manager_connect(manager) >= 0)
            break;
        if (!is_patient(manager))
            jobs_fail(manager, manager->reason);
        arm_backoff(manager);
        break;
    case MANAGER_CONNECTING:
        manager_absent(manager, "systemd has left the bus, or does not answer on it");
        break;
    case MANAGER_ABSENT:
        arm_backoff(manager);
        ask_or_lose(manager);
        break;
    case MANAGER_READY:
        break;
    }
    return 0;
}

/* ---- the object ------------------------------------------------------------------------------ */

/* Whether there is a systemd at all, from what it leaves in the file system. */
static bool systemd_exists(bool user, GError **error)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");

    if (!user)
        return access("/run/systemd/system", F_OK) == 0 ||
               error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                         "this host was not started by systemd");
    if (!runtime || !*runtime)
        return error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                         "XDG_RUNTIME_DIR is not set, so the user's systemd cannot be found "
                         "(log in through PAM, or enable lingering)");

    g_autofree char *socket = g_strdup_printf("%s/systemd/private", runtime);
    return access(socket, F_OK) == 0 ||
           error_set(error, CONSTELLATION_ERROR_NOT_SUPPORTED,
                     "the user has no systemd: there is no %s", socket);
}

Manager *manager_new(sd_event *event, bool user, GError **error)
{
    g_autoptr(Manager) manager = NULL;
    int r;

    if (!systemd_exists(user, error))
        return NULL;
    manager = g_new0(Manager, 1);
    manager->event = sd_event_ref(event);
    manager->user = user;
    manager->backoff_usec = BACKOFF_MIN_USEC;
    manager->patience_usec = now_usec() + ARRIVAL_MAX_USEC;
    manager->unknown_properties = g_ptr_array_new_full(1, g_free);
    g_ptr_array_add(manager->unknown_properties, NULL);
    manager->stop_later = g_ptr_array_new_with_free_func(g_free);
    manager->jobs = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)job_free, NULL);
    manager->in_flight = g_hash_table_new(g_str_hash, g_str_equal);
    g_queue_init(&manager->waiting);
    set_state(manager, MANAGER_DOWN, "not yet connected to systemd");

    r = manager_connect(manager);
    if (r == -ECONNREFUSED) {
        arm_backoff(manager); /* a bus that is being restarted */
    } else if (r < 0) {
        error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, r,
                         "cannot connect to the %s bus%s", user ? "user's" : "system",
                         user ? " (package dbus-user-session)" : "");
        return NULL;
    }
    return g_steal_pointer(&manager);
}

void manager_free(Manager *manager)
{
    if (!manager)
        return;
    g_hash_table_destroy(manager->in_flight);
    g_queue_clear(&manager->waiting);
    g_hash_table_destroy(manager->jobs);
    timer_stop(&manager->timer);
    timer_stop(&manager->check_timer);
    sd_bus_close_unref(manager->bus);
    sd_event_unref(manager->event);
    g_ptr_array_unref(manager->stop_later);
    g_ptr_array_unref(manager->unknown_properties);
    g_free(manager->control_group);
    g_free(manager->reason);
    g_free(manager);
}

bool manager_is_connected(Manager *manager, char **ret_reason)
{
    if (manager->state == MANAGER_READY || manager->state == MANAGER_CONNECTING ||
        (manager->state == MANAGER_DOWN && is_patient(manager)))
        return true;
    if (ret_reason)
        *ret_reason = g_strdup(manager->reason);
    return false;
}

const char *manager_control_group(Manager *manager)
{
    return manager->control_group;
}

const char *const *manager_unknown_properties(Manager *manager)
{
    return (const char *const *)manager->unknown_properties->pdata;
}
