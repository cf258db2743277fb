/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only in builds for the test of crashes. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/crash-point.h"

#define CRASH_POINT(id, name, what) name,
static const char *const names[] = {
#include "util/crash-point.def"
};
#undef CRASH_POINT

void crash_point_pass(CrashPoint point)
{
    static unsigned passed;
    const char *armed = getenv("CONSTELLATION_CRASH_POINT");
    size_t length = strlen(names[point]);

    if (!armed || strncmp(armed, names[point], length) != 0)
        return;
    armed += length;
    if (*armed != '\0' && *armed != ':')
        return;
    passed++;
    if (*armed == '\0' ? passed == 1 : passed == strtoul(armed + 1, NULL, 10))
        (void)kill(getpid(), SIGKILL);
}
