/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages for the administrator. Lines go to stderr, with the <N> of sd-daemon(3) before them
 * unless it is a terminal; events that programs may look for go to the journal with fields, where
 * stderr is the journal. One message is one line: control characters in it become blanks, so that
 * what a caller chose cannot pose as a line of ours. Not for model/, which has no side effects. */

#include <stdbool.h>
#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */

#include <glib.h>

#define log_error(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/* errno is kept. */
void log_line(int priority, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A field of the journal: upper-case letters, digits and '_'. A NULL value leaves it out. */
typedef struct LogField {
    const char *name;
    const char *value;
} LogField;

/* An event that has a name of its own: message_id is 32 hexadecimal digits, fields end with a row
 * without name:
 *
 *   log_event(LOG_NOTICE, MESSAGE_ID_STARTED,
 *             (LogField[]){ { "INSTANCE_ID", id }, { "INSTANCE_NAME", name }, { NULL, NULL } },
 *             "started %s", name);
 *
 * On a stderr that is not the journal it is the line alone. */
void log_event(int priority, const char *message_id, const LogField *fields, const char *format,
               ...) G_GNUC_PRINTF(4, 5);

/* Messages less important than this are dropped. Until it is called, the level is that of the
 * environment's CONSTELLATION_LOG_LEVEL, else LOG_INFO. */
void log_set_level(int priority);
int log_get_level(void);

/* "err", "warning", "notice", "info", "debug", … or 0 to 7; -EINVAL. */
int log_level_from_string(const char *text);
