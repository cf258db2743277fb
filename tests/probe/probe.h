/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the probe share: one table of verbs, one way to answer. */

#include <stddef.h>

/* argv[0] is the verb itself; argc has been checked. Returns the exit status. */
typedef int (*VerbFunction)(int argc, char **argv);

typedef struct Verb {
    const char *name;
    VerbFunction function;
    int min_args; /* without the verb itself */
    int max_args;
    const char *help; /* the whole line of it, with the arguments */
} Verb;

extern const Verb report_verb;
extern const Verb behaviour_verbs[]; /* ends with a name of NULL */
extern const Verb attempt_verbs[];   /* likewise */
extern const Verb call_verbs[];      /* likewise */

/* One `key=value` line; control characters of the value come as \xNN, so that a value is never two
 * lines. Kept until answer_send(), which writes all of them at once and can be called again: then
 * it writes what has been added since. Returns false if that could not be written. */
__attribute__((format(printf, 2, 3))) void answer(const char *key, const char *format, ...);
_Bool answer_send(void);

/* From here on answers go into this file instead of to stdout. */
void answer_into(const char *path);

/* The whole word as a decimal number, or the end of the probe with status 2. */
long long number_of(const char *word);
double seconds_of(const char *word);
