/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rung "monitor": no cgroup can be had, so nobody makes one. There is nothing to place and
 * nothing to remove; usage comes from /proc, an end is brought about by pidfd, and every limit that
 * was asked for is reported as refused. It can always be had. */

#include "resources/backend-internal.h"

const Backend backend_monitor = {
    .name = "monitor",
    .choice = BACKEND_MONITOR,
};
