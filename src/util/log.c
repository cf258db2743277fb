/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One file descriptor, two dialects: text for whoever reads stderr, and the journal's own protocol
 * where JOURNAL_STREAM says that stderr ends there. Nothing here waits: whoever does not read what
 * is told to him loses it, and is told later how much. */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/journal.h"
#include "util/log.h"

#define LEVEL_VARIABLE "CONSTELLATION_LOG_LEVEL"
#define LEVEL_UNSET    (-1)

static int level = LEVEL_UNSET;

int log_level_from_string(const char *text)
{
    /* As syslog(3) and systemd call them, at their numbers. */
    static const char *const names[] = { "emerg",   "alert",  "crit", "err",
                                         "warning", "notice", "info", "debug" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(text, names[i]) == 0 || (text[0] == (char)('0' + i) && text[1] == '\0'))
            return (int)i;
    return -EINVAL;
}

void log_set_level(int priority)
{
    level = priority;
}

int log_get_level(void)
{
    const char *text;
    int parsed;

    if (level != LEVEL_UNSET)
        return level;
    text = secure_getenv(LEVEL_VARIABLE);
    parsed = text ? log_level_from_string(text) : LOG_INFO;
    level = parsed < 0 ? LOG_INFO : parsed;
    return level;
}

/* JOURNAL_STREAM is inherited by everything below a unit, also where stderr is something else by
 * now: only device and inode tell. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    g_autofree char *ours = NULL;
    struct stat status;

    if (!stream || fstat(STDERR_FILENO, &status) < 0)
        return false;
    ours = g_strdup_printf("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, ours) == 0;
}

static char *message_format(const char *format, va_list args) G_GNUC_PRINTF(1, 0);
static char *message_format(const char *format, va_list args)
{
    char *message = g_strdup_vprintf(format, args);

    for (char *c = message; *c != '\0'; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    return message;
}

/* In one write, so that lines of several processes do not mix. What poll() calls writable has room
 * for a line. */
static int stderr_write(int priority, const char *message)
{
    struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    g_autofree char *line = isatty(STDERR_FILENO) ? g_strdup_printf("%s\n", message)
                                                  : g_strdup_printf("<%d>%s\n", priority, message);

    if (poll(&fd, 1, 0) == 0)
        return -EAGAIN;
    return write(STDERR_FILENO, line, strlen(line)) < 0 ? -errno : 0;
}

static int journal_write(int priority, const char *message_id, const LogField *fields,
                         const char *message)
{
    g_autoptr(GString) entry = g_string_new(NULL);
    const char number[] = { (char)('0' + priority), '\0' };

    journal_field(entry, "MESSAGE", message);
    if (message_id)
        journal_field(entry, "MESSAGE_ID", message_id);
    journal_field(entry, "PRIORITY", number);
    journal_field(entry, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    for (const LogField *field = fields; field && field->name; field++)
        if (field->value)
            journal_field(entry, field->name, field->value);
    return journal_send(entry);
}

/* An event goes to the journal and, if there is none to be reached, to stderr; a line the other way
 * round: a stream that journald has closed stays closed when it comes back. */
static int message_write(int priority, const char *message_id, const LogField *fields,
                         const char *message)
{
    int r = -ENOTCONN;

    if (message_id && stderr_is_journal())
        r = journal_write(priority, message_id, fields, message);
    if (r < 0 && r != -EAGAIN)
        r = stderr_write(priority, message);
    if (r < 0 && r != -EAGAIN && !message_id && stderr_is_journal())
        r = journal_write(priority, NULL, NULL, message);
    return r;
}

static void message_tell(int priority, const char *message_id, const LogField *fields,
                         const char *message)
{
    static unsigned lost;

    if (message_write(priority, message_id, fields, message) < 0) {
        lost++;
    } else if (lost > 0) {
        g_autofree char *text = g_strdup_printf("%u messages before this were lost", lost);
        lost = 0;
        (void)message_write(LOG_WARNING, NULL, NULL, text);
    }
}

void log_line(int priority, const char *format, ...)
{
    int saved = errno;
    va_list args;

    if (priority > log_get_level())
        return;
    va_start(args, format);
    g_autofree char *message = message_format(format, args);
    va_end(args);
    message_tell(priority, NULL, NULL, message);
    errno = saved;
}

void log_event(int priority, const char *message_id, const LogField *fields, const char *format,
               ...)
{
    int saved = errno;
    va_list args;

    if (priority > log_get_level())
        return;
    va_start(args, format);
    g_autofree char *message = message_format(format, args);
    va_end(args);
    message_tell(priority, message_id, fields, message);
    errno = saved;
}
