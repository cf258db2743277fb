/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of placing share: processes to place, requests to place them with, and an event
 * loop that runs until something has happened. */

#include <check.h>
#include <systemd/sd-event.h>

#include "resources/backend.h"

#define HARNESS_OWNER 4242

/* A process that waits to be killed: sleeping, or spinning. The pidfd is open until child_end(). */
typedef struct Child {
    pid_t pid;
    int pidfd;
} Child;

Child child_start(bool spin);
Child child_start_in(int cgroup_fd);            /* CLONE_INTO_CGROUP */
void child_fork_more(Child *child, unsigned n); /* SIGUSR1: it forks so many times */
bool child_has_ended(const Child *child);
void child_end(Child *child); /* SIGKILL, reaped, closed */

/* Runs the loop until *flag, for `timeout_msec` at most; *flag. */
bool loop_until(sd_event *event, const bool *flag, unsigned timeout_msec);
void loop_for(sd_event *event, unsigned msec);

/* The answer of a placing. */
typedef struct Placed {
    bool done;
    GError *error;
} Placed;
void on_placed(Placement *placement, GError *error, void *userdata);

/* Launch ids are "i<test's pid>_<n>", never used twice. */
PlacementRequest request_for(const char *realm, const char *launch_id, const Limits *limits);
char *next_launch_id(void);

/* prepare, place, and the wait for it; the error if there was one. */
Placement *place(Resources *resources, sd_event *event, const char *rung,
                 const PlacementRequest *request, const Child *child, GError **error);

bool path_exists(const char *mount, const char *control_group);
