/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thin layer over sd_event_add_time() that fixes what every caller would have to get right. */

#include <errno.h>
#include <time.h>

#include "util/timer.h"

#define ACCURACY_USEC 1000u
#define USEC_PER_SEC  UINT64_C(1000000)
#define NSEC_PER_USEC UINT64_C(1000)
#define USEC_LATEST   (UINT64_MAX - 1) /* UINT64_MAX is "never" to sd-event */

static int timer_add(sd_event *event, clockid_t clock, sd_event_source **ret, uint64_t delay_usec,
                     sd_event_time_handler_t handler, void *userdata)
{
    struct timespec time;
    uint64_t due;

    /* Not sd_event_now(), which is the time at which this turn of the loop began: the delay would
     * be shorter than asked for. */
    if (clock_gettime(clock, &time) < 0)
        return -errno;
    due = (uint64_t)time.tv_sec * USEC_PER_SEC + (uint64_t)time.tv_nsec / NSEC_PER_USEC;
    if (__builtin_add_overflow(due, delay_usec, &due) || due > USEC_LATEST)
        due = USEC_LATEST;
    return sd_event_add_time(event, ret, clock, due, ACCURACY_USEC, handler, userdata);
}

int timer_start(sd_event *event, sd_event_source **source, uint64_t delay_usec,
                sd_event_time_handler_t handler, void *userdata, const char *description)
{
    sd_event_source *added = NULL;
    int r;

    timer_stop(source);
    if (delay_usec == UINT64_MAX)
        return 0;
    r = timer_add(event, CLOCK_BOOTTIME, &added, delay_usec, handler, userdata);
    if (r < 0)
        r = timer_add(event, CLOCK_MONOTONIC, &added, delay_usec, handler, userdata);
    if (r < 0)
        return r;
    (void)sd_event_source_set_description(added, description);
    *source = added;
    return 0;
}

void timer_stop(sd_event_source **source)
{
    *source = sd_event_source_disable_unref(*source);
}
