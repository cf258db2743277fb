/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An instance in the foreground: it is begun, our signals are passed on to it, and its end is
 * ours. */

#include "ctl/call-queue.h"
#include "ctl/ctl.h"
#include "ctl/payload-stdio.h"
#include "ctl/wait-for.h"

#define FOREGROUND_SIGNALS 6

typedef struct Foreground {
    const Ctl *ctl;
    const char *name;
    sd_event *event;
    PayloadStdio stdio;
    sd_event_source *signals[FOREGROUND_SIGNALS];
    Watch *watch;
    CallQueue *queue;
    char *path;          /* NULL until it is known */
    GHashTable *endings; /* path to Ending: what ended before that */
    bool over;
    bool looking, look_again;
    bool running; /* there is a payload to pass signals to */
    bool announced;
    unsigned interrupts; /* SIGINT and SIGTERM so far */
    int cancelled_by;    /* the signal that came before it ran, or 0 */
} Foreground;

/* From here on our signals no longer end us. NULL and an error. */
Foreground *foreground_new(const Ctl *ctl, const char *name, GError **error);
void foreground_free(Foreground *foreground);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Foreground, foreground_free)

/* Takes `begin`, the call that starts it, whose reply names the object unless `path` does; NULL: it
 * runs already. Returns when it has ended: its exit status, or one of ours, and all is told. */
int foreground_run(Foreground *foreground, sd_bus_message *begin, const char *path);

/* ---- between foreground.c and foreground-signals.c ------------------------------------------- */

bool foreground_catch_signals(Foreground *foreground, GError **error);

/* The first time counts. */
void foreground_over(Foreground *foreground, int status);
