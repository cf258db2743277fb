/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/sched.h>
#include <stdint.h>
#include <sys/types.h>

/* A copy of us, as fork() makes it: 0 in the child. -errno. */
pid_t clone_fork(const struct clone_args *args);

/* Runs child(arg) in a new process that shares our memory where the architecture's assembly is
 * there (clone.c), and comes back when it has executed something or exited; what child() returns
 * is its exit status. The pid, or -errno. */
pid_t clone_vfork(struct clone_args *args, int (*child)(void *), void *arg);
