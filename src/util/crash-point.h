/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Steps between which the service may be killed without a loss, marked so that a test can kill it
 * exactly there. In a build with -Dcrash_points=true a process with
 *
 *   CONSTELLATION_CRASH_POINT=NAME[:N]
 *
 * in its environment kills itself with SIGKILL when it passes the point the N-th time (the first);
 * nothing is flushed or cleaned up. In every other build a point is nothing at all, but for the
 * compiler looking whether it is in the table. */

#define CRASH_POINT(id, name, what) CRASH_##id,
typedef enum CrashPoint {
#include "util/crash-point.def"
    _CRASH_POINT_COUNT,
} CrashPoint;
#undef CRASH_POINT

#ifdef CONSTELLATION_CRASH_POINTS
void crash_point_pass(CrashPoint point);
#define crash_point(point) crash_point_pass(point)
#else
#define crash_point(point) ((void)(point))
#endif
