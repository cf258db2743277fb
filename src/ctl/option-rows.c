/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of options: what the parser knows and what help prints. */

#include "ctl/options.h"

#define V(verb)  (1u << VERB_##verb)
#define ALL      (V_END - 1)
#define V_END    (1u << _VERB_COUNT)
#define TABLES   (V(LIST) | V(PLAN) | V(FEATURES) | V(CHECK))
#define SETTINGS (V(CREATE) | V(RUN) | V(CHECK))
#define ACTIONS  (V(START) | V(STOP) | V(RESTART) | V(DESTROY))

const OptionRow option_rows[] = {
    { OPTION_HELP, "help", 'h', NULL, ALL, "show this help, or that of a verb" },
    { OPTION_VERSION, "version", 0, NULL, ALL, "show the version" },
    { OPTION_SYSTEM, "system", 0, NULL, ALL, "use the system's service (default for root)" },
    { OPTION_USER, "user", 0, NULL, ALL, "use the user's service (default for others)" },
    { OPTION_SOCKET, "socket", 0, "PATH", ALL, "use a private service that listens on PATH" },
    { OPTION_EMBEDDED, "embedded", 0, NULL, V(LIST) | V(STATUS) | V(RUN) | V(FEATURES) | V(CHECK),
      "use a service of this call's own, which ends with it" },
    { OPTION_JSON, "json", 0, "MODE", ALL, "print JSON: short, pretty or off" },
    { OPTION_NO_LEGEND, "no-legend", 0, NULL, TABLES, "no line of titles and no count below" },
    { OPTION_NO_PAGER, "no-pager", 0, NULL, ALL, "do not page what is longer than the screen" },
    { OPTION_FULL, "full", 'l', NULL, TABLES, "shorten nothing to the terminal's width" },
    { OPTION_QUIET, "quiet", 'q', NULL, ALL, "leave out titles, counts, ids and notes" },
    { OPTION_NO_ASK_PASSWORD, "no-ask-password", 0, NULL, ALL,
      "fail rather than ask for a password" },

    { OPTION_STATE, "state", 0, "STATE", V(LIST), "only those in this state" },
    { OPTION_LABEL, "label", 0, "LABEL", V(LIST), "only those with this label" },
    { OPTION_OWNER, "owner", 0, "USER", V(LIST), "only those of this user" },
    { OPTION_PROPERTY, "property", 'p', "NAME", V(SHOW),
      "only this property (NAME,NAME, or again)" },
    { OPTION_VALUE, "value", 0, NULL, V(SHOW), "only the values" },
    { OPTION_START, "start", 0, NULL, V(CREATE), "start it as well" },
    { OPTION_NAME, "name", 0, "NAME", V(RUN), "the new instance's name (default: run-…)" },
    { OPTION_DETACH, "detach", 'd', NULL, V(RUN), "leave it running, and print its id" },
    { OPTION_RM, "rm", 0, NULL, V(RUN), "the same as --RemoveOnExit=yes" },
    { OPTION_SETENV, "setenv", 'E', "NAME[=VALUE]", SETTINGS,
      "one variable for the payload, taken literally" },
    { OPTION_NO_WAIT, "no-wait", 0, NULL, ACTIONS, "ask for it, and do not wait for its end" },
    { OPTION_NO_DEGRADE, "no-degrade", 0, NULL, V(START), "fail if anything asked for is refused" },
    { OPTION_TIMEOUT, "timeout", 0, "TIME", V(STOP), "kill what is left after TIME" },
    { OPTION_TIMEOUT, "timeout", 0, "TIME", V(WAIT), "give up after TIME, with exit status 124" },
    { OPTION_SIGNAL, "signal", 's', "SIGNAL", V(STOP), "ask with SIGNAL instead of KillSignal" },
    { OPTION_SIGNAL, "signal", 's', "SIGNAL", V(KILL), "the signal to send (default: SIGTERM)" },
    { OPTION_WHO, "who", 0, "main|all", V(KILL),
      "the payload's first process or all (default: all)" },
    { OPTION_FORCE, "force", 0, NULL, V(DESTROY), "kill it if it runs" },
    { OPTION_UNTIL, "until", 0, "exit|final", V(WAIT),
      "the next exit, or the one no restart follows (default: final)" },
    { OPTION_FOLLOW, "follow", 'f', NULL, V(LOGS), "go on with what is written from now on" },
    { OPTION_LINES, "lines", 'n', "NUMBER", V(LOGS), "only the last NUMBER lines" },
};
const unsigned n_option_rows = G_N_ELEMENTS(option_rows);
