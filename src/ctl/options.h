/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was said on the command line. Options may stand before or behind the verb, as with
 * systemctl; which of them go with which verb says the table in options.c. */

#include "util/json.h"
#include "ctl/settings-flags.h"
#include "ctl/verbs.h"
#include "util/error.h"

typedef enum OptionId {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_SYSTEM,
    OPTION_USER,
    OPTION_SOCKET,
    OPTION_EMBEDDED,
    OPTION_JSON,
    OPTION_NO_LEGEND,
    OPTION_NO_PAGER,
    OPTION_FULL,
    OPTION_QUIET,
    OPTION_NO_ASK_PASSWORD,
    OPTION_STATE,
    OPTION_LABEL,
    OPTION_OWNER,
    OPTION_PROPERTY,
    OPTION_VALUE,
    OPTION_START,
    OPTION_NAME,
    OPTION_DETACH,
    OPTION_RM,
    OPTION_SETENV,
    OPTION_NO_WAIT,
    OPTION_NO_DEGRADE,
    OPTION_TIMEOUT,
    OPTION_SIGNAL,
    OPTION_WHO,
    OPTION_FORCE,
    OPTION_UNTIL,
    OPTION_FOLLOW,
    OPTION_LINES,
    _OPTION_COUNT,
} OptionId;

typedef struct OptionRow {
    OptionId id;
    const char *name;
    char letter;         /* 0: there is none */
    const char *metavar; /* NULL: takes no value */
    unsigned verbs;      /* 1 << VerbId of each verb it goes with */
    const char *help;
} OptionRow;

/* One row for each option; two where it means different things to different verbs. */
extern const OptionRow option_rows[];
extern const unsigned n_option_rows;

struct Options {
    const Verb *verb;                 /* list if none was named */
    GPtrArray *values[_OPTION_COUNT]; /* in order; "" for each time one without value was given */
    GPtrArray *arguments;             /* behind the verb */
    SettingsFlags settings;
    JsonStyle json;
    int signal;            /* 0: none was given */
    uint64_t timeout_usec; /* UINT64_MAX: none was given */
    const char *who;
    const char *until;
};

/* The strings stay those of argv. */
bool options_parse(int argc, char **argv, Options *ret, GError **error);
void options_done(Options *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_done)

/* A part of options_parse(). */
bool options_read_values(Options *options, GError **error);

bool option_given(const Options *options, OptionId id);

/* The last value that was given, or NULL. */
const char *option_value(const Options *options, OptionId id);

const char *option_argument(const Options *options, unsigned i);
