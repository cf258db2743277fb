/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ^C is for the payload, which may have things to put in order; a second one means it: then the
 * instance is stopped, with its timeout and SIGKILL at the end. */

#include <signal.h>

#include "ctl/call.h"
#include "ctl/foreground.h"

static const int passed_signals[FOREGROUND_SIGNALS] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
};

/* That it has ended meanwhile is no news. */
static void on_passed(sd_bus_message *reply, const GError *error, void *userdata)
{
    (void)reply;
    (void)userdata;
    if (error && error->code != CONSTELLATION_ERROR_INVALID_STATE &&
        error->code != CONSTELLATION_ERROR_NO_SUCH_INSTANCE &&
        error->code != CONSTELLATION_ERROR_NODE_UNAVAILABLE)
        ctl_complain("passing the signal on", error);
}

static void send_kill(Foreground *foreground, int signal)
{
    sd_bus_message *message = call_new(&foreground->ctl->connection, foreground->path,
                                       INSTANCE_INTERFACE, "Kill");

    must(sd_bus_message_append(message, "sia{sv}", "main", signal, 0));
    call_queue_add(foreground->queue, message, CALL_TIMEOUT_USEC, on_passed, foreground);
}

static void send_stop(Foreground *foreground, const char *path)
{
    sd_bus_message *message = call_new(&foreground->ctl->connection, path, INSTANCE_INTERFACE,
                                       "Stop");

    must(sd_bus_message_append(message, "a{sv}", 1, "NoWait", "b", true));
    call_queue_add(foreground->queue, message, CALL_TIMEOUT_USEC, on_passed, foreground);
}

/* The instance may not be made yet, as while somebody is asked for a password: then the request
 * ends with our connection. */
static void on_found_to_cancel(sd_bus_message *reply, const GError *error, void *userdata)
{
    Foreground *foreground = userdata;
    const char *path;

    if (foreground->over)
        return;
    if (!error && reply_read(reply, NULL, "o", &path))
        send_stop(foreground, path);
    else
        foreground_over(foreground, STATUS_SIGNAL + foreground->cancelled_by);
}

/* While it starts there is no payload to pass anything to; the reply of the start will say that it
 * was cancelled. */
static void cancel_start(Foreground *foreground, int signal)
{
    sd_bus_message *message;

    if (signal == SIGUSR1 || signal == SIGUSR2 || foreground->cancelled_by != 0)
        return;
    foreground->cancelled_by = signal;
    if (foreground->path) {
        send_stop(foreground, foreground->path);
        return;
    }
    message = call_new(&foreground->ctl->connection, MANAGER_PATH, MANAGER_INTERFACE,
                       "GetInstance");
    must(sd_bus_message_append(message, "s", foreground->name));
    call_queue_add(foreground->queue, message, CALL_TIMEOUT_USEC, on_found_to_cancel, foreground);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    Foreground *foreground = userdata;
    int signal = (int)info->ssi_signo;

    (void)source;
    if (!foreground->running)
        cancel_start(foreground, signal);
    else if ((signal == SIGINT || signal == SIGTERM) && ++foreground->interrupts > 1)
        send_stop(foreground, foreground->path);
    else
        send_kill(foreground, signal);
    return 0;
}

bool foreground_catch_signals(Foreground *foreground, GError **error)
{
    sigset_t set;
    int r = 0;

    sigemptyset(&set);
    for (unsigned i = 0; i < FOREGROUND_SIGNALS; i++)
        sigaddset(&set, passed_signals[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    for (unsigned i = 0; i < FOREGROUND_SIGNALS && r >= 0; i++)
        r = sd_event_add_signal(foreground->event, &foreground->signals[i], passed_signals[i],
                                on_signal, foreground);
    return r >= 0 || error_from_errno(error, CONSTELLATION_ERROR_NO_MEMORY, r, "signals");
}
