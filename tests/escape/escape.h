/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the escape suite share. A probe tries one way out of an instance: it returns 0
 * if that worked, else the errno with which it was refused. Each runs in a process of its own. */

#include <errno.h>

/* Nothing happened: the kernel took the call and did not act on it. Printed as "ignored". */
#define IGNORED (-1)

/* Where it is shown that the probe can succeed, so that a refusal means something. */
typedef enum Proof {
    BY_ROOT,    /* unconfined, by root in a container bed */
    BY_ROOT_VM, /* likewise on a whole machine, where root lacks nothing */
    BY_USER,    /* unconfined, by an ordinary user */
    UNPROVEN,   /* nowhere; the reason stands in the row */
} Proof;

typedef struct Probe {
    const char *name;
    int (*function)(void);
    Proof proof;
    const char *reason;
} Probe;

/* Tables end with a name of NULL. */
extern const Probe process_probes[];
extern const Probe file_probes[];
extern const Probe kernel_probes[];
extern const Probe right_probes[];

/* The result of a system call as that of a probe. */
static inline int refused_by(long result)
{
    return result < 0 ? errno : 0;
}

/* For calls with arguments that the kernel refuses anyhow, but looks at only after it has found
 * that the caller may: everything but EPERM, EACCES and ENOSYS means that it did. */
static inline int refused_before_looking(long result)
{
    return result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS) ? errno : 0;
}

/* Opens and closes. */
int try_open(const char *path, int flags);
/* Executes a copy of this program, which may have rights of its own: 0 if it then has root's. */
int run_copy(const char *path);
