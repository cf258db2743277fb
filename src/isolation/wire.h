/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What constellationd, constellation-launcher and constellation-init say to each other. Plain data
 * of fixed size, no pointers, no library: all three are built from the same tree and check the
 * version, so there is no compatibility code.
 *
 *   constellationd --LaunchRequest--> launcher --clone--> init
 *   constellationd <--ctl (SOCK_SEQPACKET)--> init        plan, gate, faults, "executed"
 *   constellationd --real-time signals through the pidfd--> init       once it runs
 *   init --writes--> record (a file of constellationd's)             outlives all of them
 */

#include <stdint.h>

#define WIRE_VERSION 1u

/* ---- launcher -------------------------------------------------------------------------------- */

#define LAUNCH_MAGIC 0x48434e4cu /* "LNCH" */

/* Order of the namespaces wherever they are counted; isolation/namespaces.c has a row for each. */
enum {
    NAMESPACE_USER,
    NAMESPACE_PID,
    NAMESPACE_MOUNT,
    NAMESPACE_UTS,
    NAMESPACE_IPC,
    NAMESPACE_CGROUP,
    NAMESPACE_NETWORK,
    NAMESPACE_TIME,
    NAMESPACE_COUNT,
};

enum {
    LAUNCH_SPAWN = 1, /* fds: the init's end of ctl [, dirfd of the cgroup to be born in] */
    LAUNCH_PROBE = 2, /* which namespaces this launcher can make */
    LAUNCH_REMOVE =
        4,           /* fd: the directory of layers; the one called `name` goes, in its own time */
    LAUNCH_REAP = 3, /* constellationd lets go of `pid`, which has ended */
};

/* LaunchRequest.id_map */
enum {
    ID_MAP_NONE = 0,   /* no user namespace */
    ID_MAP_SINGLE = 1, /* uid and gid onto the launcher's own; an unprivileged one can do that */
    ID_MAP_RANGES = 2, /* uids and gids: written by the launcher if it is privileged, else for it by
                        * newuidmap(1) and newgidmap(1) */
};

/* Ids from `inside` on are those from `outside` on, `count` of them: a line of uid_map. */
struct IdExtent {
    uint32_t inside;
    uint32_t outside;
    uint32_t count;
};

/* What is kept as it is can split a range, and so add two extents: the owner and the payload. */
#define ID_EXTENTS_MAX 5u

struct IdMap {
    uint32_t count;
    struct IdExtent extents[ID_EXTENTS_MAX];
};

/* Ids from here on may be part of a range outside; those below are the system's own users. */
#define ID_RANGE_MIN 1000u

#define LAUNCH_NAME_MAX 16

struct LaunchRequest {
    uint32_t magic;
    uint32_t version;
    uint32_t verb;
    uint32_t serial;     /* comes back in the reply */
    uint32_t namespaces; /* CLONE_NEW*, only those that clone makes (never NEWCGROUP, NEWTIME) */
    uint32_t id_map;
    uint32_t uid; /* ID_MAP_SINGLE: what the launcher's own are called inside */
    uint32_t gid;
    uint32_t into_cgroup; /* 1: the second fd is a cgroup directory */
    int32_t pid;          /* LAUNCH_REAP */
    struct IdMap uids;    /* ID_MAP_RANGES, also with LAUNCH_PROBE: can such a map be had? */
    struct IdMap gids;
    char name[LAUNCH_NAME_MAX]; /* LAUNCH_REMOVE: [a-z0-9], NUL-terminated */
};

/* Where a LAUNCH_SPAWN failed. */
enum {
    LAUNCH_STEP_NONE,
    LAUNCH_STEP_REQUEST, /* the request itself was refused: EBADMSG, EPERM */
    LAUNCH_STEP_CLONE,
    LAUNCH_STEP_ID_MAP,
    LAUNCH_STEP_ID_HELPER, /* newuidmap or newgidmap: ENOENT not installed, EPERM refused, ETIME */
    LAUNCH_STEP_EXEC_INIT,
};

struct LaunchReply {
    uint32_t magic;
    uint32_t version;
    uint32_t serial;
    uint32_t step;    /* LAUNCH_STEP_* if error */
    int32_t error;    /* 0 or a positive errno */
    int32_t pid;      /* LAUNCH_SPAWN: in the launcher's pid namespace; the pidfd is attached */
    int32_t cld_code; /* LAUNCH_REAP: CLD_* and status, the si_ fields of siginfo_t, whose names */
    int32_t cld_status;               /* are macros */
    uint64_t capabilities;            /* LAUNCH_PROBE: the launcher's own, bit n is capability n */
    uint64_t files_max;               /* LAUNCH_PROBE: the sysctl fs.nr_open, 0 if not known */
    uint32_t privileged;              /* LAUNCH_PROBE: 1 if no user namespace is needed */
    int32_t refused[NAMESPACE_COUNT]; /* LAUNCH_PROBE: 0 or the errno of making one */
    int32_t refused_ranges;           /* LAUNCH_PROBE with ID_MAP_RANGES: 0 or an errno */
    uint32_t refused_ranges_step;     /* LAUNCH_STEP_* of that */
};

/* ---- init: the conversation on ctl ----------------------------------------------------------- */

#define WIRE_CTL_FD 3 /* where the init finds ctl; stdin, stdout and stderr are /dev/null */

enum {
    WIRE_PLAN = 1,     /* to init; fds: plan (sealed memfd), record, stdin, stdout, stderr [, log,
                          the end of its pipe to read from] */
    WIRE_GATE = 2,     /* to init; fd: the instance's cgroup directory, if there is one */
    WIRE_FAULT = 3,    /* from init or payload: a step failed; `fatal` says whether init gives up */
    WIRE_PAYLOAD = 4,  /* from the payload just before its exec: SCM_CREDENTIALS tell pid and uid */
    WIRE_WAITING = 6,  /* from init: it is at its gate; only if number of that step is 1 */
    WIRE_EXECUTED = 5, /* from init: the payload has been executed (or there is none to execute) */
};

#define WIRE_PATH_MAX 224

struct WireMessage {
    uint32_t type;
    uint32_t step; /* WIRE_FAULT: STEP_* */
    int32_t error; /* WIRE_FAULT: a positive errno */
    uint32_t fatal;
    char path[WIRE_PATH_MAX]; /* WIRE_FAULT: what the step was about; NUL-terminated, maybe cut */
};

/* ---- init: the plan -------------------------------------------------------------------------- */

#define WIRE_PLAN_MAGIC 0x4e414c50u /* "PLAN" */

/* Every step that can fail: what the init does before the gate in any order, behind it strictly in
 * this one. The names are in isolation/steps.c. The numbers stand in records: a change of them is
 * a change of RECORD_VERSION once there has been a release. */
enum {
    STEP_NONE,
    STEP_RECORD,           /* lock the record: always first */
    STEP_PLAN,             /* read and check the plan */
    STEP_ID_MAP,           /* the launcher's; never sent to an init. path: who is who */
    STEP_SUBREAPER,        /* without a pid namespace: orphans come to us */
    STEP_OOM_SCORE,        /* of the init; number: the value + 1000 */
    STEP_MOUNTS_SLAVE,     /* mounts made inside never show outside */
    STEP_LAYER,            /* path: where an overlay's changes are kept; made if it is missing */
    STEP_MASK,             /* path: an empty read-only tmpfs over this directory, if it exists */
    STEP_NOSUID,           /* path: this and all below it, for set-uid bits not to count */
    STEP_SOURCES,          /* the sources of all binds, before anything lies over them */
    STEP_ROOT_PRIVATE,     /* the root is empty but for the directories that everybody knows */
    STEP_ROOT_DIRECTORY,   /* path: a directory of the host's becomes the root; number: MOUNT_* */
    STEP_ROOT_OVERLAY,     /* path, number: likewise, with STEP_LAYER, or else a tmpfs, over it */
    STEP_PROC,             /* a /proc of the new pid namespace */
    STEP_PROC_SUBSET,      /* nothing in it but processes, and of these one's own */
    STEP_READ_ONLY,        /* path; number: MOUNT_* (MOUNT_RECURSIVE) */
    STEP_DEVICES,          /* a /dev with the few devices that every program needs */
    STEP_TMPFS,            /* path; source: options for tmpfs; number: MOUNT_* */
    STEP_BIND,             /* source: in the view before; path; number: MOUNT_* */
    STEP_INACCESSIBLE,     /* path; number: MOUNT_OPTIONAL or 0 */
    STEP_HOME,             /* path: a directory of the payload's user, if it is missing */
    STEP_ROOT_LEAVE,       /* the root of the host goes out of reach */
    STEP_HOSTNAME,         /* path: the name */
    STEP_LOOPBACK,         /* the loopback device of a network namespace goes up */
    STEP_TIME_NAMESPACE,   /* for the payload: the init's own clocks stay the host's */
    STEP_GATE,             /* wait until the cgroup is there */
    STEP_CGROUP_NAMESPACE, /* after the gate, so that its root is the instance's cgroup */
    STEP_SESSION,          /* from here on in the payload's process: setsid, stdio */
    STEP_KEYRING,          /* a session keyring of its own */
    STEP_SIGPIPE,          /* ignored */
    STEP_UMASK,            /* number */
    STEP_PAYLOAD_OOM_SCORE,
    STEP_NICE,  /* number: the value + 20 */
    STEP_LIMIT, /* number: index of a struct WireLimit; path: the setting; one for each */
    STEP_GROUPS,
    STEP_GID,
    STEP_UID,
    STEP_CAPABILITIES, /* those of the plan */
    STEP_NO_NEW_PRIVILEGES,
    STEP_STDOUT, /* path: a file, as the payload's user; number: OUTPUT_* */
    STEP_STDERR,
    STEP_WORKING_DIRECTORY, /* path */
    STEP_FILTER,            /* number: filters of system calls, loaded just before the exec */
    STEP_EXEC,              /* the argv of the plan */
    STEP_FORK,              /* making the payload's process; never in a plan, only in faults */
    STEP_SCRIPT,            /* opening the script; only in faults */
    STEP_INTERPRETER,       /* executing Interpreter= for a script; only in faults: path */
    STEP_SHEBANG,           /* executing the interpreter of its #! line; only in faults: path */
    STEP_COUNT,
};

/* How an output file is opened. */
enum {
    OUTPUT_TRUNCATE = 0,
    OUTPUT_APPEND = 1,
    OUTPUT_SAME = 2, /* STEP_STDERR: where standard output goes */
};

/* WireStep.number of the steps that mount; the first four are the kernel's MOUNT_ATTR_*. */
enum {
    MOUNT_RDONLY = 1,
    MOUNT_NOSUID = 2,
    MOUNT_NODEV = 4,
    MOUNT_NOEXEC = 8,
    MOUNT_OPTIONAL = 16,  /* what is not there need not be there */
    MOUNT_RECURSIVE = 32, /* and all that is mounted below */
    MOUNT_KEEP = 64,      /* STEP_BIND: the path itself, as it was before STEP_READ_ONLY */
    MOUNT_LINK = 128,     /* STEP_BIND: a symbolic link is made anew, and not followed */
    MOUNT_ALL = 255,
};

#define WIRE_STEP_REQUIRED 1u /* a failure of this step ends the start */

struct WireStep {
    uint32_t kind;
    uint32_t flags;
    uint32_t number;
    uint32_t path;   /* offset of a NUL-terminated string in the plan, 0: none */
    uint32_t source; /* likewise */
};

/* A limit of a resource, setrlimit(2). */
struct WireLimit {
    uint32_t resource; /* RLIMIT_* */
    uint32_t reserved; /* 0 */
    uint64_t soft;
    uint64_t hard;
};

/* A filter of system calls: struct sock_filter[]. */
struct WireFilter {
    uint32_t program; /* offset */
    uint32_t count;   /* of instructions */
};

/* At offset 0 of the plan. All offsets are from there, all strings NUL-terminated; argv and env
 * are tables of 64-bit offsets, 8-byte aligned, that the init turns into pointers in place (its
 * mapping is private) and that end with a 0 entry. argc 0 is a sandbox: nothing is executed. */
struct WirePlan {
    uint32_t magic;
    uint32_t version;
    uint32_t size;
    uint32_t step_count;
    uint32_t steps; /* offset of struct WireStep[] */
    uint32_t argc;
    uint32_t argv;
    uint32_t envc;
    uint32_t env;
    uint32_t group_count;
    uint32_t groups; /* offset of uint32_t[] */
    uint32_t uid;
    uint32_t gid;
    uint32_t executable; /* offset of the program; without a slash it is looked up in search_path */
    uint32_t search_path; /* offset of "/usr/bin:/bin" */
    /* Offset of a script, or 0. argv is then { interpreter, script, … } and executable the
     * interpreter; a script with a #! line and the x bit is executed itself, with argv + 1. It is
     * looked at by the payload's process, as its user and in its view of the files, so that
     * neither a slow file system nor a file of others concerns anybody else. */
    uint32_t script;
    uint32_t own_pid_namespace;
    uint32_t kill_signal; /* with which systemd stops a scope, besides SIGTERM; 0: no other */
    uint32_t limit_count;
    uint32_t limits; /* offset of struct WireLimit[] */
    uint32_t filter_count;
    uint32_t filters; /* offset of struct WireFilter[], in the order of loading */
    /* What the payload has at most, has at its exec, and keeps through it without being root's; bit
     * n is capability n. Each is within the one before. */
    uint64_t bounding;
    uint64_t permitted;
    uint64_t ambient;
    /* With whose rights paths are opened that were named by whoever asked for the instance: a root
     * that binds what it is told to would show everybody everything. Their own if that is root. */
    uint32_t owner_uid;
    uint32_t owner_gid;
    uint32_t owner_group_count;
    uint32_t owner_groups; /* offset of uint32_t[] */
};

#define WIRE_PLAN_SIZE_MAX (4u << 20)
#define WIRE_STEPS_MAX     512u
#define WIRE_ARGS_MAX      4096u
#define WIRE_GROUPS_MAX    1024u
#define WIRE_FILTERS_MAX   4u
#define WIRE_FILTER_MAX    4096u /* instructions; BPF_MAXINSNS */
#define WIRE_RESOURCES     16u   /* RLIMIT_CPU to RLIMIT_RTTIME */
#define WIRE_NICE_MAX      39u   /* 19 + 20 */
#define WIRE_OOM_SCORE_MAX 2000u

/* ---- init: commands once it runs ------------------------------------------------------------- */

/* "Send signal n (1..31) to the payload" is the real-time signal WIRE_SIGNAL_BASE + n. In a pid
 * namespace the init obeys only si_code SI_USER with si_pid 0, that is a sender outside of it.
 * Signal 32 before it means: to every process of the instance. An instance without a payload ends
 * at any that is meant for the payload. */
#define WIRE_SIGNAL_BASE 33
#define WIRE_SIGNAL_ALL  32

/* ---- the record ------------------------------------------------------------------------------ */

#define RECORD_MAGIC   0x44524352u /* "RCRD" */
#define RECORD_VERSION 1u

/* Each phase says that what is before it has happened. */
enum {
    RECORD_MADE = 1,     /* by constellationd */
    RECORD_LOCKED = 2,   /* the init holds the POSIX write lock: it lives as long as the lock */
    RECORD_RELEASED = 3, /* the gate was open */
    RECORD_EXECUTED = 4,
    RECORD_EXEC_FAILED = 5, /* final; fault_step, fault_error, fault_path */
    RECORD_ENDED = 6,       /* final; cld_code, cld_status and the usage are valid */
};

#define RECORD_STOPPED_OUTSIDE 1u /* flags: a SIGTERM came that was not constellationd's */

#define RECORD_UNKNOWN UINT64_MAX /* a usage figure that could not be read */

struct Record {
    uint32_t magic;
    uint32_t version;
    char id[16]; /* instance */
    uint32_t owner;
    uint32_t phase;
    uint64_t run;
    uint32_t flags;
    uint32_t fault_step;
    int32_t fault_error;
    int32_t cld_code; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
    int32_t cld_status;
    uint32_t reserved;
    uint64_t executed_realtime_usec;
    uint64_t executed_monotonic_usec;
    uint64_t ended_realtime_usec;
    uint64_t ended_monotonic_usec;
    uint64_t cpu_usec;    /* of the whole cgroup; else of the reaped children */
    uint64_t memory_peak; /* bytes */
    uint64_t oom_kills;
    char fault_path[WIRE_PATH_MAX];
};

/* ---- the log --------------------------------------------------------------------------------- */

/* Where there is no journal, what the payload writes goes through a pipe to the init, and from
 * there into a file of fixed size: a page for the header, then a ring, in which byte n of all that
 * was ever written lies at n modulo its size. The init writes the bytes first and the counters
 * after them, and never more than LOG_CHUNK bytes between two of those. So whoever copies a part
 * of the ring, and only then looks how much has been written, knows that all but the oldest
 * LOG_CHUNK bytes are as they were. */
#define LOG_MAGIC   0x474f4c52u /* "RLOG" */
#define LOG_VERSION 1u
#define LOG_DATA    4096u /* where the ring begins in the file */
#define LOG_CHUNK   4096u

struct LogCounters {
    uint64_t written;       /* bytes, since the log was made */
    uint64_t discarded;     /* bytes that could not be written, for lack of room on the host */
    uint64_t written_again; /* the same number: a reader that sees another one looks again */
};

struct LogHeader {
    uint32_t magic;
    uint32_t version;
    uint64_t size; /* of the ring, more than LOG_CHUNK */
    struct LogCounters counters;
};

_Static_assert(sizeof(struct LogHeader) == 40, "the log outlives us, too");
_Static_assert(sizeof(struct Record) == 344, "the record's layout is part of what outlives us");
_Static_assert(STEP_COUNT < WIRE_STEPS_MAX, "every step fits into a plan");
