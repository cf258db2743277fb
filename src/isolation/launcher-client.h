/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* constellationd's side of the conversation with constellation-launcher: requests and replies by
 * serial number, in any number at a time. The connection (or the child process) is made on demand
 * and made again when it is lost; whatever was in flight then fails with SPAWN_FAILED, and as
 * nothing passes its gate without us it may simply be tried again. */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "isolation/wire.h"
#include "util/error.h"

typedef struct Launcher Launcher;
typedef struct LaunchCall LaunchCall;

typedef struct LauncherOptions {
    sd_event *event;
    const char *socket;  /* of the launcher's unit; NULL: a child process of ours */
    const char *program; /* the launcher, for the child */
    const char *init;    /* constellation-init, for the child */
    bool ends_with_us;   /* the child ends its inits when this process ends */
} LauncherOptions;

Launcher *launcher_new(const LauncherOptions *options);
void launcher_free(Launcher *launcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Launcher, launcher_free)

/* Called exactly once, from the event loop. `reply` is NULL if there is an error, which is about
 * the conversation; what the launcher itself could not do is reply->step and reply->error.
 * `pidfd` (of LAUNCH_SPAWN, else -1) is the callee's. */
typedef void (*LaunchCallback)(const struct LaunchReply *reply, int pidfd, GError *error,
                               void *userdata);

/* Sends the request (magic, version and serial are filled in); fds stay the caller's. NULL and an
 * error if it cannot even be sent: the callback does not come then. */
LaunchCall *launcher_call(Launcher *launcher, struct LaunchRequest request, const int *fds,
                          size_t n_fds, LaunchCallback callback, void *userdata, GError **error);

/* The callback will not come; a pidfd that comes all the same is closed. */
void launch_call_cancel(LaunchCall *call);

/* Kills an init that nobody wants any more and lets go of it when it has ended. Takes the pidfd. */
void launcher_abandon(Launcher *launcher, int pidfd, pid_t pid);

/* The same without the killing: for one that may go on for long. Takes the pidfd. */
void launcher_reap_at_end(Launcher *launcher, int pidfd, pid_t pid);

/* Lets go of a process that has ended, so that its pid may be used again; nobody waits for it. */
void launcher_reap(Launcher *launcher, pid_t pid);
