/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an instance in the foreground gets as its standard streams: our files and pipes as they are,
 * a pipe that we copy from instead of a terminal, nothing instead of a terminal's input. */

#include "ctl/relay.h"
#include "ctl/settings-flags.h"
#include "util/sdbus.h"

typedef struct PayloadStdio {
    Relay *relays[2];
} PayloadStdio;

/* Appends {sv} entries Stdin, Stdout, Stderr. A stream whose setting was given is left to that. */
bool payload_stdio_append(PayloadStdio *stdio, sd_event *event, const SettingsFlags *settings,
                          sd_bus_message *message, GError **error);

/* When the instance has ended: nothing that it wrote is lost. */
void payload_stdio_drain(PayloadStdio *stdio);
void payload_stdio_done(PayloadStdio *stdio);
