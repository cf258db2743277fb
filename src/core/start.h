/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A start while it is under way; private to instance-start.c and start-attempt.c. */

#include "core/controller.h"
#include "isolation/conversation.h"

typedef enum StartPhase {
    START_QUEUED,
    START_LAUNCHING, /* the launcher was asked for an init */
    START_PLACING,   /* the backend was asked for its cgroup */
    START_PREPARED,  /* the init waits at its gate, for as long as somebody likes */
    START_RELEASED,  /* the gate is open */
    START_RETRYING,  /* this attempt is being cleared away, another follows */
    START_FAILING,   /* it is being cleared away, none follows */
} StartPhase;

struct Start {
    Instance *instance;
    StartPhase phase;
    bool admitted; /* it is its turn: counts among starts_running, until its gate is open */
    bool no_degrade;
    bool automatic; /* by the restart policy */
    bool prepare;   /* to its gate and no further */
    bool placed;
    bool waits_at_gate; /* the init has said so: asked for where it is prepared only */
    int stdio[3];
    unsigned excluded; /* rungs that were tried: 1 << BackendChoice */
    bool held;         /* the holder scope was tried */
    bool probed_again; /* each cure is tried once */
    bool launched_again;
    char *launch_id; /* <instance id>_<run> */
    const Backend *backend;
    Plan *plan;
    Limits limits;
    Conversation *conversation;
    LaunchCall *launch;
    bool placing;
    sd_event_source *deadline;
    GError *error; /* of a START_FAILING one */
    Result result;
    StateEvent event;
};

/* Must this setting be had in full? */
bool start_requires(const Start *start, const char *setting);

/* The rung to be chosen needs the holder scope first (core/holder.h). */
bool start_wants_holder(const Start *start);

/* Chooses the rung, checks what is required, makes the plan; changes nothing on the host. */
bool start_plan(Start *start, GError **error);

/* Everything up to the request to the launcher: rung, plan, placement, init. */
bool start_attempt(Start *start, LaunchCallback launched, ConversationCallback said,
                   GError **error);

/* What the backend is asked for, from what is known now. */
PlacementRequest start_placement_request(const Start *start);

/* Clears away what start_attempt() made, but for a living init. */
void start_abandon_attempt(Start *start);

/* Opens the gate of one that is placed; its deadline, from now on. */
void start_open_gate(Start *start);
void start_watch_deadline(Start *start);

/* ---- instance-prepare.c ---------------------------------------------------------------------- */

/* It is not to go through its gate; if it is there now, who asked for that is told. */
bool start_stays_at_gate(Start *start);

/* Somebody starts it. */
void start_go_on(Start *start);

/* ---- start-output.c -------------------------------------------------------------------------- */

/* What the payload reads from and writes to; the log and the end of its pipe that the init reads,
 * or -1. */
typedef struct StartOutput {
    int stdio[3];
    int log[2];
} StartOutput;
#define START_OUTPUT_NONE ((StartOutput){ { -1, -1, -1 }, { -1, -1 } })

/* As the settings say, and as it can be had here; sets where the output can be read afterwards. */
bool start_open_output(Start *start, StartOutput *output, GError **error);
void start_output_done(StartOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StartOutput, start_output_done)

/* ---- start-failure.c ------------------------------------------------------------------------- */

/* Ends the start; takes the error. Those who wait are told when everything is cleared away. */
void start_fail(Start *start, GError *error, Result result, StateEvent event);
/* Everything is: tells them. The Start is gone. */
void start_finish_failure(Start *start);
/* Ends this attempt; start_init_ended() begins the next one when the init is gone. */
void start_retry(Start *start);
