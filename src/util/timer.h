/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One-shot timers. They go on while the machine sleeps (CLOCK_BOOTTIME; CLOCK_MONOTONIC where a
 * kernel or a filter refuses that) and are accurate to a millisecond: sd-event's own default would
 * be a quarter of a second. */

#include <stdint.h>

#include <systemd/sd-event.h>

/* Calls the handler once, delay_usec from now. A timer that *source holds is stopped first. With
 * UINT64_MAX there is no timer and *source is NULL. 0 or -errno. */
int timer_start(sd_event *event, sd_event_source **source, uint64_t delay_usec,
                sd_event_time_handler_t handler, void *userdata, const char *description);

/* Stops and frees; *source is NULL afterwards and may have been. */
void timer_stop(sd_event_source **source);
