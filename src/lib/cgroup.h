/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The control group of an instance, as a file to write process ids to. */

#include "lib/handle.h"

/* Its cgroup.procs; the caller's. */
ConstellationError cgroup_open(const Handle *handle, int *ret_fd);

/* pid 0: the calling process. -errno. Safe after fork(). */
int cgroup_enter(int procs_fd, pid_t pid);
