/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked, against what this host allows, gives the ordered list of steps of a start, with
 * the reason for everything left out. Data only: made and printed without any privilege, then sent
 * to the init, which performs it. */

#include <sys/types.h>

#include "isolation/id-map.h"
#include "isolation/namespaces.h"
#include "isolation/wire.h"
#include "model/rlimits.h"
#include "model/spec.h"
#include "util/error.h"

/* Who the payload is, as the name service said. */
typedef struct Identity {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary */
    size_t n_groups;
    char *user; /* name, or the number as text */
    char *home;
    char *shell;
} Identity;

void identity_done(Identity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Identity, identity_done)

typedef enum Outcome {
    OUTCOME_PLANNED,
    OUTCOME_DROPPED, /* not asked for, or not needed */
    OUTCOME_REFUSED, /* asked for, and cannot be had here */
} Outcome;

typedef struct PlanStep {
    unsigned kind; /* STEP_* */
    bool required; /* its failure ends the start */
    uint32_t number;
    char *path;
    char *source;
    int setting;     /* SettingId that it is for, or -1 */
    Outcome outcome; /* only planned ones go to the init */
    char *reason;    /* for dropped and refused ones */
} PlanStep;

/* How one kind of namespace came out. */
typedef enum IsolationOutcome {
    ISOLATION_PRIVATE,
    ISOLATION_SHARED,  /* not asked for */
    ISOLATION_REFUSED, /* asked for with "try", and not to be had */
} IsolationOutcome;

typedef struct Isolation {
    IsolationOutcome outcome;
    char *reason; /* "" if private */
} Isolation;

/* What the payload's process may do as far as the kernel divides root's rights; see wire.h. */
typedef struct Capabilities {
    uint64_t bounding;
    uint64_t permitted;
    uint64_t ambient;
} Capabilities;

typedef struct Plan {
    Isolation isolation[NAMESPACE_COUNT];
    unsigned clone_flags; /* what the launcher makes */
    uint32_t id_map;      /* ID_MAP_* */
    struct IdMap uids;    /* of the user namespace, if there is one */
    struct IdMap gids;
    bool has_id_range; /* they hold subordinate ids */
    uid_t outside_uid; /* the payload's, as the host sees it */
    GPtrArray *steps;  /* PlanStep, in order */
    char **argv;       /* NULL: a sandbox */
    char **environment;
    char *executable;
    char *script;
    char *search_path;
    int kill_signal; /* with which systemd stops the instance; 0: SIGTERM only */
    Identity identity;
    Capabilities capabilities;
    GPtrArray *filters; /* GBytes of struct sock_filter, in the order of loading */
    GArray *limits;     /* struct WireLimit; a STEP_LIMIT has the index of one */
    Identity owner;     /* with whose rights the paths of settings are opened */
} Plan;

/* What payloads of a service that is not root's begin with: they cannot get beyond it. */
typedef struct OwnLimits {
    uint64_t soft[RLIMIT_COUNT], hard[RLIMIT_COUNT]; /* by RLIMIT_* number */
    int nice;
    int oom_score;
} OwnLimits;

/* What /etc/subuid and /etc/subgid grant to the owner. */
typedef struct SubordinateIds {
    IdRange uids;
    IdRange gids;
    char *refusal; /* why there are none; else NULL */
} SubordinateIds;

typedef struct PlanInput {
    const Spec *spec;
    const char *name;
    const char *id;
    uid_t owner_uid;
    uid_t service_uid; /* the service's own: 0 may become anybody */
    gid_t service_gid;
    const OwnLimits *own_limits;
    const char *own_uids, *own_gids; /* uid_map and gid_map of the service's own user namespace */
    unsigned last_capability;        /* the last one that this kernel knows */
    const SubordinateIds *subordinates; /* of the owner; needed if plan_wants_range() */
    const Identity *identity;
    const Identity *owner; /* whom it belongs to; NULL: whoever the service is */
    const HostFeatures *features;
    const char *interpreter;  /* for a Script= without Interpreter= */
    const char *const *masks; /* directories nobody inside has business with; NULL-terminated */
    const char *layers;       /* where changes of instances are kept; NULL: nowhere */
    bool has_cgroup;          /* the rung gives it a cgroup of its own */
    bool no_degrade;          /* every refusal is an error */
    bool tell_at_gate;        /* the init says when it waits there */
    bool groups_denied;       /* the host's user namespace forbids setgroups(2) */
    bool given_stdout;        /* the caller gave a file descriptor instead of the setting */
    bool given_stderr;
} PlanInput;

/* NULL and NAMESPACE_FAILED, ISOLATION_FAILED or INVALID_ARGS where something required cannot be
 * had; the message says what, why, and what to do. */
Plan *plan_make(const PlanInput *input, GError **error);

/* Whether the plan depends on the owner's subordinate ids. */
bool plan_wants_range(const PlanInput *input);

/* Why maps of more than one id cannot be had: LAUNCH_STEP_* and errno of trying it. g_free. */
char *id_range_refusal(unsigned step, int error_number);

/* An empty plan (a sandbox without any isolation), and a step at its end. */
Plan *plan_new(void);
PlanStep *plan_add_step(Plan *plan, unsigned kind, bool required);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* The init could not perform this step and went on without it. `path` is the step's, "" for none;
 * the step, or NULL if there is no such in the plan. */
const PlanStep *plan_step_refused(Plan *plan, unsigned kind, const char *path, const char *reason);

/* What people know the step by: the setting that it is for, else its name. */
const char *plan_step_feature(const PlanStep *step);

/* Whether to do without it is a degradation: some only protect the service's own processes, or
 * nobody has asked for them. */
bool plan_step_is_asked_for(const PlanStep *step);

/* Refused and asked for, and not a namespace's own step: of those Isolation tells. */
bool plan_step_is_missed(const PlanStep *step);

bool plan_has_namespace(const Plan *plan, unsigned kind);

/* "mount-proc" and the like; "unknown" for a number that is none. */
const char *step_name(unsigned kind);

/* What was being done, for people: "mounting /proc". `path` may be "". g_free. */
char *step_describe(unsigned kind, const char *path);

/* A failed step as an error: "mount-proc /proc: Operation not permitted: …what to do". */
ErrorCode step_error_code(unsigned kind);
char *step_failure(unsigned kind, int error_number, const char *path);

const char *isolation_outcome_to_string(IsolationOutcome outcome);
const char *outcome_to_string(Outcome outcome);
