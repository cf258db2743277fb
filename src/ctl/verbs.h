/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs: one row and one file each. */

#include <stdbool.h>

#include <glib.h>

typedef enum VerbId {
    VERB_LIST,
    VERB_STATUS,
    VERB_SHOW,
    VERB_CREATE,
    VERB_RUN,
    VERB_START,
    VERB_STOP,
    VERB_RESTART,
    VERB_KILL,
    VERB_SET_LIMITS,
    VERB_DESTROY,
    VERB_WAIT,
    VERB_LOGS,
    VERB_PLAN,
    VERB_FEATURES,
    VERB_CHECK,
    _VERB_COUNT,
} VerbId;

enum {
    VERB_TAKES_SETTINGS = 1u << 0, /* --SETTING=VALUE */
    VERB_TAKES_COMMAND = 1u << 1,  /* -- COMMAND… */
    VERB_IS_LONG = 1u << 2,        /* its output may need a pager */
    VERB_TAKES_LIMITS = 1u << 3,   /* --SETTING=VALUE of what can be changed while it runs */
};

typedef struct Ctl Ctl;
typedef struct Options Options;

typedef struct Verb {
    VerbId id;
    const char *name;
    const char *arguments; /* as usage shows them */
    unsigned flags;
    unsigned arguments_min, arguments_max;
    int (*run)(Ctl *ctl); /* returns the exit status */
    const char *help;     /* one line */
    const char *more;     /* what else must be known, or NULL */
    /* What the options must be together, or NULL; before anything is connected. */
    bool (*check)(const Options *options, GError **error);
} Verb;

extern const Verb verbs[_VERB_COUNT];

int verb_list(Ctl *ctl);
int verb_status(Ctl *ctl);
int verb_show(Ctl *ctl);
int verb_create(Ctl *ctl);
int verb_run(Ctl *ctl);
bool verb_run_check(const Options *options, GError **error);
int verb_start(Ctl *ctl);
int verb_stop(Ctl *ctl);
int verb_restart(Ctl *ctl);
int verb_kill(Ctl *ctl);
int verb_set_limits(Ctl *ctl);
bool verb_set_limits_check(const Options *options, GError **error);
int verb_destroy(Ctl *ctl);
int verb_wait(Ctl *ctl);
int verb_logs(Ctl *ctl);
int verb_plan(Ctl *ctl);
int verb_features(Ctl *ctl);
int verb_check(Ctl *ctl);
