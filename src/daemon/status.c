/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looked at whenever the loop has done something, which costs a comparison; the text is made when a
 * state has changed, and at most once a second. */

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/status.h"
#include "util/timer.h"

#define PAUSE_USEC (1 * G_USEC_PER_SEC)

/* While instances are being stopped: how often we say so, and how long that holds. */
#define EXTEND_EVERY_USEC (5 * G_USEC_PER_SEC)
#define EXTEND_USEC       "EXTEND_TIMEOUT_USEC=15000000"

struct Status {
    sd_event *event;
    Controller *controller;
    sd_event_source *post;
    sd_event_source *pause; /* since the last text */
    sd_event_source *extend;
    uint64_t seen; /* Controller.changes at the last text */
    enum { WORKING, STOPPING_ALL, LEAVING_ALL } phase;
    char *text;
};

static void append_count(GString *text, unsigned count, const char *what)
{
    if (count > 0)
        g_string_append_printf(text, "; %u %s", count, what);
}

static char *make_text(const Status *status)
{
    Controller *controller = status->controller;
    GString *text = g_string_new(NULL);
    unsigned all = controller_count(controller, -1);
    unsigned running = controller_count(controller, STATE_RUNNING);

    if (status->phase == STOPPING_ALL)
        g_string_assign(text, "Stopping all instances");
    else if (status->phase == LEAVING_ALL)
        g_string_printf(text, "Ended; %u of %u instances run on", running, all);
    else if (all == 0)
        g_string_assign(text, "No instances");
    else
        g_string_printf(text, "Running %u of %u instances", running, all);
    append_count(text, controller_count(controller, STATE_STARTING), "starting");
    append_count(text, controller_count(controller, STATE_STOPPING), "stopping");
    append_count(text, controller_count(controller, STATE_FAILED), "failed");
    append_count(text, controller_count(controller, STATE_UNKNOWN), "unknown");
    return g_string_free(text, FALSE);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata);

static void tell(Status *status, const char *more)
{
    g_autofree char *text = make_text(status);

    status->seen = status->controller->changes;
    (void)timer_start(status->event, &status->pause, PAUSE_USEC, on_pause_over, status, "status");
    if (!*more && g_strcmp0(text, status->text) == 0)
        return;
    g_free(status->text);
    status->text = g_steal_pointer(&text);
    (void)sd_notifyf(false, "%s\nSTATUS=%s", more, status->text);
}

static void look(Status *status)
{
    if (!status->pause && status->seen != status->controller->changes)
        tell(status, "");
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
    Status *status = userdata;

    (void)source;
    (void)usec;
    timer_stop(&status->pause);
    look(status);
    return 0;
}

static int on_turn(sd_event_source *source, void *userdata)
{
    (void)source;
    look(userdata);
    return 0;
}

void status_ready(Status *status)
{
    if (!status)
        return;
    if (sd_event_add_post(status->event, &status->post, on_turn, status) >= 0)
        (void)sd_event_source_set_description(status->post, "status");
    tell(status, "READY=1");
}

static int on_extend(sd_event_source *source, uint64_t usec, void *userdata)
{
    Status *status = userdata;

    (void)source;
    (void)usec;
    (void)sd_notify(false, EXTEND_USEC);
    (void)timer_start(status->event, &status->extend, EXTEND_EVERY_USEC, on_extend, status,
                      "extend");
    return 0;
}

void status_ending(Status *status, bool stops_instances)
{
    if (!status)
        return;
    status->phase = stops_instances ? STOPPING_ALL : LEAVING_ALL;
    tell(status, "STOPPING=1");
    if (stops_instances)
        (void)on_extend(NULL, 0, status);
}

Status *status_new(sd_event *event, Controller *controller)
{
    if (!getenv("NOTIFY_SOCKET"))
        return NULL;
    Status *status = g_new0(Status, 1);
    status->event = sd_event_ref(event);
    status->controller = controller;
    return status;
}

void status_free(Status *status)
{
    if (!status)
        return;
    sd_event_source_disable_unref(status->post);
    sd_event_source_disable_unref(status->pause);
    sd_event_source_disable_unref(status->extend);
    sd_event_unref(status->event);
    g_free(status->text);
    g_free(status);
}
