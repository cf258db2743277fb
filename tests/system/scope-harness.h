/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests with a real systemd share. They are for the test beds, where it may be restarted;
 * as root they talk to PID 1, else to the user's. */

#include "resources/backend-internal.h"
#include "system/placing-harness.h"

extern sd_event *event;
extern Resources *resources;
extern char *realm;
extern bool user;

char *systemctl(const char *arguments); /* what it prints, without the last line feed */
void check_property(const char *unit, const char *property, const char *expected);
bool is_loaded(const char *unit);
void check_gone(const char *unit); /* within ten seconds, as the loop goes on */

Placement *place_with(const Limits *limits, const Child *child);
void end_and_release(Placement *placement, Child *child);
void on_job(GError *error, void *placed);

/* main(): skips outside of a bed. */
int scope_suite(const char *name, const TTest *const *tests, size_t count);
