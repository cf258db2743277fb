/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One file descriptor, two dialects: text for whoever reads stderr, and the journal's own protocol
 * where JOURNAL_STREAM says that stderr ends there. */

/* The location would be this file's. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

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

/* In one write, so that lines of several processes do not mix. */
static void stderr_write(int priority, const char *message)
{
    g_autofree char *line = isatty(STDERR_FILENO) ? g_strdup_printf("%s\n", message)
                                                  : g_strdup_printf("<%d>%s\n", priority, message);

    /* Nobody is left to tell if this fails. */
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return;
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
    stderr_write(priority, message);
    errno = saved;
}

static void field_add(GArray *fields, const char *name, const char *value)
{
    char *text = g_strdup_printf("%s=%s", name, value);
    struct iovec field = { .iov_base = text, .iov_len = strlen(text) };

    g_array_append_val(fields, field);
}

static void field_clear(void *field)
{
    g_free(((struct iovec *)field)->iov_base);
}

static int journal_send(int priority, const char *message_id, const LogField *fields,
                        const char *message)
{
    g_autoptr(GArray) iovecs = g_array_new(FALSE, FALSE, sizeof(struct iovec));
    const char number[] = { (char)('0' + priority), '\0' };

    g_array_set_clear_func(iovecs, field_clear);
    field_add(iovecs, "MESSAGE", message);
    field_add(iovecs, "MESSAGE_ID", message_id);
    field_add(iovecs, "PRIORITY", number);
    field_add(iovecs, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    for (const LogField *field = fields; field && field->name; field++)
        if (field->value)
            field_add(iovecs, field->name, field->value);
    return sd_journal_sendv((struct iovec *)(void *)iovecs->data, (int)iovecs->len);
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
    if (!stderr_is_journal() || journal_send(priority, message_id, fields, message) < 0)
        stderr_write(priority, message);
    errno = saved;
}
