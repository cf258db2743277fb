/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* constellation-launcher from the inside: what main() finds out once at start, and the functions
 * that serve one request each. Everything returns 0 or a positive errno, as the wire has it. No
 * memory is allocated after the start: nothing here can fail halfway for want of it. */

#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "isolation/wire.h"

/* How a child fared up to its exec. In a shared page, since some children share our memory and
 * some do not. */
struct Outcome {
    uint32_t step; /* LAUNCH_STEP_* if error */
    int32_t error; /* a positive errno */
};

struct Launcher {
    int image; /* the init, a sealed memfd */
    int null;  /* /dev/null */
    uid_t uid; /* ours */
    gid_t gid;
    bool privileged;     /* CAP_SYS_ADMIN: namespaces need no user namespace around them */
    struct rlimit files; /* RLIMIT_NOFILE as we found it: what instances get */
    const char *unit;    /* the peer must belong to it; NULL: any of our uid */
    struct Outcome *outcome;
};

/* image.c: the init at `path` as a memfd that nobody can change any more. */
int image_load(const char *path, int *ret_fd);

/* peer.c: 0 if the process at the other end may give orders, EPERM if not or if in doubt. */
int peer_check(const struct Launcher *launcher, int connection);
/* Whether the other end is closed; what it may have sent before is of no interest then. */
bool peer_is_gone(int connection);

/* idmap.c. The first two are for a child that has just been cloned with CLONE_NEWUSER. */
int idmap_write_single(const struct Launcher *launcher, uid_t uid, gid_t gid);
int idmap_keep_capabilities(void);
/* Whether these are maps that we would write. */
bool idmap_is_sound(const struct IdMap *map);
int idmap_write_ranges(pid_t child, const struct LaunchRequest *request);

/* helpers.c: the same by newuidmap and newgidmap. */
int helpers_write_ranges(pid_t child, const struct LaunchRequest *request);

/* held.c: a child that waits for its maps, of ID_MAP_RANGES. */
struct Held {
    int ours;
    int childs;
};
/* Clones child(arg), has its maps written, and comes back when it has executed something or exited;
 * what went wrong with the maps is in launcher->outcome. The pid, or -errno. */
pid_t held_clone(const struct Launcher *launcher, const struct LaunchRequest *request,
                 struct clone_args *args, struct Held *held, int (*child)(void *), void *arg);
/* In the child: waits for the maps, then becomes root inside. */
int held_become_root(const struct Launcher *launcher, struct Held *held);

/* spawn.c: the reply's step, error and pid; *ret_pidfd only on success. */
void spawn_init(const struct Launcher *launcher, const struct LaunchRequest *request, int ctl,
                int cgroup, struct LaunchReply *reply, int *ret_pidfd);

/* probe.c: the reply's `privileged`, `refused` and `refused_ranges`. */
bool probe_privileged(void);
void probe_host(const struct Launcher *launcher, const struct LaunchRequest *request,
                struct LaunchReply *reply);

/* reap.c */
void reap_one(const struct LaunchRequest *request, struct LaunchReply *reply);
void reap_all(void);
/* Ends every init and what it runs, and reaps it. Takes END_GRACE_MS at most, then kills. */
void reap_end_all(void);

/* remove.c: removes a directory with all that is in it; returns before that is done. */
int remove_layer(int layers, const char *name);
bool remove_is_allowed(const struct Launcher *launcher, int layers, const char *name);

/* request.c: serves one request. False at the end of the connection. */
bool request_serve(const struct Launcher *launcher, int connection);
