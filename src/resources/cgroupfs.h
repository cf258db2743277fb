/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directories of cgroup v2 and the small files in them, by descriptor. 0 or more, or -errno. A file
 * of a cgroup that has been removed reads ENODEV if it was open, ENOENT if not. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* The controllers that limits need, in the order in which they are named. */
typedef enum Controller {
    CONTROLLER_CPU,
    CONTROLLER_MEMORY,
    CONTROLLER_PIDS,
    _CONTROLLER_COUNT,
} Controller;

const char *controller_name(Controller controller);

/* Is the word in a list separated by blanks, such as cgroup.controllers? */
bool controller_in(const char *list, Controller controller);

/* The path is this cgroup's, or one's below it. */
bool cgroup_contains(const char *control_group, const char *path);

/* The text without its last line feed, cut at size - 1; the length. */
int cgroup_read(int dirfd, const char *file, char *buffer, size_t size);
int cgroup_read_uint64(int dirfd, const char *file, uint64_t *ret); /* "max": UINT64_MAX */

/* "KEY NUMBER" on a line of its own (cpu.stat, cgroup.events); -ENODATA if there is no such key. */
int cgroup_read_key(int dirfd, const char *file, const char *key, uint64_t *ret);
int cgroup_write(int dirfd, const char *file, const char *text);

/* The directory of a path below the mount; "" is the root. */
int cgroup_open(const char *mount, const char *control_group);
int cgroup_open_at(int dirfd, const char *name);

/* 1 if there are processes in it or below, 0 if not or if it is gone. */
int cgroup_populated(int dirfd);

/* Makes the cgroup (one that exists will do) and opens it. */
int cgroup_make(int dirfd, const char *name);

/* Switches the controllers on for the cgroup's children, each for itself: one that is refused does
 * not take the others along. refusals[] gets what was said of each, 0 for none. */
void cgroup_enable_controllers(int dirfd, int refusals[static _CONTROLLER_COUNT]);

/* rmdir, depth first; -EBUSY as long as a process is in there. What is gone already is success.
 * Deeper than CGROUP_DEPTH_MAX is -ELOOP: new cgroups get that as their cgroup.max.depth. */
#define CGROUP_DEPTH_MAX 32
int cgroup_remove(int parent_fd, const char *name);

/* Names of the cgroups right in this one. */
GPtrArray *cgroup_children(int dirfd);
