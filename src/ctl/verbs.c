/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of verbs: dispatch, usage and help are read from it. */

#include <limits.h>
#include <stddef.h>

#include "ctl/verbs.h"

#define MANY UINT_MAX

const Verb verbs[_VERB_COUNT] = {
    [VERB_LIST] = { VERB_LIST, "list", "[NAME-GLOB…]", VERB_IS_LONG, 0, MANY, verb_list,
                    "list instances, the oldest first", NULL, NULL },
    [VERB_STATUS] = { VERB_STATUS, "status", "[NAME…]", VERB_IS_LONG, 0, MANY, verb_status,
                      "what instances do, how isolated and how limited they are",
                      "Without NAME: of the service itself.\n"
                      "The exit status is 3 if an instance is not running, 4 if there is none.",
                      NULL },
    [VERB_SHOW] = { VERB_SHOW, "show", "NAME…", VERB_IS_LONG, 1, MANY, verb_show,
                    "all properties, as KEY=VALUE",
                    "Numbers are those of the bus (microseconds, bytes); \"infinity\" is no "
                    "limit.\n"
                    "A property with several rows has a line for each.",
                    NULL },
    [VERB_CREATE] = { VERB_CREATE, "create", "NAME [--SETTING=VALUE…] [-- COMMAND…]",
                      VERB_TAKES_SETTINGS | VERB_TAKES_COMMAND, 1, 1, verb_create,
                      "create an instance and print its id",
                      "With neither Script nor Command it is a sandbox: it runs until stopped.",
                      NULL },
    [VERB_RUN] = { VERB_RUN, "run", "[--SETTING=VALUE…] -- COMMAND… | NAME",
                   VERB_TAKES_SETTINGS | VERB_TAKES_COMMAND, 0, 1, verb_run,
                   "run in the foreground: a command, or an instance that is there",
                   "Output is followed, signals are passed on (a second SIGINT or SIGTERM stops "
                   "the\n"
                   "instance), and the exit status is the payload's: 128+n for signal n; 125 if "
                   "it\n"
                   "could not be run, 126 if not executed, 127 if not found. The new instance is\n"
                   "removed when it has ended, unless --RemoveOnExit=no or --detach is given.\n"
                   "run NAME starts an existing instance, or attaches to it if it runs already.",
                   verb_run_check },
    [VERB_START] = { VERB_START, "start", "NAME…", 0, 1, MANY, verb_start,
                     "start instances and wait until they run", NULL, NULL },
    [VERB_STOP] = { VERB_STOP, "stop", "NAME…", 0, 1, MANY, verb_stop,
                    "stop instances and wait until all of them is gone", NULL, NULL },
    [VERB_RESTART] = { VERB_RESTART, "restart", "NAME…", 0, 1, MANY, verb_restart,
                       "stop instances and start them again", NULL, NULL },
    [VERB_KILL] = { VERB_KILL, "kill", "NAME…", 0, 1, MANY, verb_kill, "send a signal to instances",
                    NULL, NULL },
    [VERB_SET_LIMITS] = { VERB_SET_LIMITS, "set-limits", "NAME… --SETTING=VALUE…",
                          VERB_TAKES_LIMITS, 1, MANY, verb_set_limits,
                          "change limits, also of instances that run", NULL,
                          verb_set_limits_check },
    [VERB_DESTROY] = { VERB_DESTROY, "destroy", "NAME…", 0, 1, MANY, verb_destroy,
                       "forget instances that do not run, or any with --force", NULL, NULL },
    [VERB_WAIT] = { VERB_WAIT, "wait", "NAME", 0, 1, 1, verb_wait,
                    "wait for the end of an instance",
                    "The exit status is the payload's, 128+n for signal n; 124 if --timeout= is "
                    "over, 125\n"
                    "if it cannot be known.",
                    NULL },
    [VERB_LOGS] = { VERB_LOGS, "logs", "NAME", 0, 1, 1, verb_logs,
                    "what an instance wrote, and what the service said of it",
                    "Read from the journal by journalctl(1), whose exit status it is.", NULL },
    [VERB_PLAN] = { VERB_PLAN, "plan", "NAME", VERB_IS_LONG, 1, 1, verb_plan,
                    "the steps of a start, and why some are left out", NULL, NULL },
    [VERB_FEATURES] = { VERB_FEATURES, "features", "", VERB_IS_LONG, 0, 0, verb_features,
                        "what this host allows, and why not", NULL, NULL },
    [VERB_CHECK] = { VERB_CHECK, "check", "NAME [--SETTING=VALUE…] [-- COMMAND…]",
                     VERB_TAKES_SETTINGS | VERB_TAKES_COMMAND | VERB_IS_LONG, 1, 1, verb_check,
                     "what such an instance would get here; creates nothing", NULL, NULL },
};
