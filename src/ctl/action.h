/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One thing done to one instance, without holding a call: it is resolved, told, and then looked at
 * whenever something about it changes, until a judge is content. */

#include "ctl/call-queue.h"
#include "ctl/ctl.h"
#include "ctl/variant.h"
#include "model/state.h"

typedef enum Verdict {
    VERDICT_WAIT, /* not there yet */
    VERDICT_DONE,
    VERDICT_FAILED,
} Verdict;

/* What is known of an instance when it is judged. */
typedef struct Sight {
    const Variant *properties;
    State state;
    bool ran;            /* one of its runs was seen to end since we asked */
    uint64_t run_before; /* with look_first: its run when we asked */
} Sight;

typedef struct ActionKind {
    const char *member; /* of the Instance interface */
    /* Appends the arguments; the last is a{sv}, with NoWait=true where there is a judge. */
    void (*append)(const Ctl *ctl, sd_bus_message *message);
    bool look_first; /* judge() wants run_before */
    /* Whether the end is reached; NULL: the reply is the end. On failure *ret_why (g_free). */
    Verdict (*judge)(const Sight *sight, char **ret_why);
    bool gone_is_done; /* it need not be there afterwards */
} ActionKind;

typedef enum Phase {
    PHASE_ASKING,   /* up to the reply of the call itself */
    PHASE_SETTLING, /* it was told, and the end is waited for */
    PHASE_OVER,
} Phase;

typedef struct Action Action;

struct Action {
    const Ctl *ctl;
    const ActionKind *kind;
    CallQueue *queue;
    void (*over)(void *userdata); /* called once, in PHASE_OVER */
    void *userdata;
    const char *name; /* as it was given */

    char *path;
    Phase phase;
    bool looking; /* GetAll is under way */
    bool look_again;
    bool ran;
    uint64_t run_before;
    GError *error; /* PHASE_OVER: why it failed, or NULL */
};

void action_begin(Action *action);
void action_done(Action *action);

/* News of any instance; those of others are passed by. */
void action_on_changed(Action *action, const char *path);
void action_on_exited(Action *action, const char *path);
void action_on_removed(Action *action, const char *path);
void action_on_service(Action *action, bool present);
