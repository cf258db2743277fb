/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of a child of the program into an instance. Everything here runs after fork() in a
 * program that may have threads: system calls, and no memory but the stack. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where to, from before the fork; descriptors are -1 if there is none. */
typedef struct Inside {
    int init_fd;   /* pidfd */
    int procs_fd;  /* cgroup.procs */
    int proc_fd;   /* /proc */
    pid_t payload; /* whose rights it gets; 0: those below */
    uid_t uid;     /* (uid_t)-1: those that it has */
    gid_t gid;
    bool user_namespace;  /* of the instance's own */
    int other_namespaces; /* CLONE_NEW* */
    int report_fd;
    int (*function)(void *);
    void *argument;
} Inside;

typedef enum InsideStep {
    INSIDE_CGROUP,
    INSIDE_USER_NAMESPACE,
    INSIDE_RIGHTS, /* reading those of the payload */
    INSIDE_NAMESPACES,
    INSIDE_CLONE,
    INSIDE_DROP,
} InsideStep;

/* What goes through the pipe if it fails; else it is closed when the function begins. */
typedef struct InsideReport {
    int step;
    int error;
} InsideReport;

/* In the child of fork(): makes the one that goes inside, and ends as that one does. */
_Noreturn void inside_enter(const Inside *inside);
