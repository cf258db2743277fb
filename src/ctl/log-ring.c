/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ctl/call.h"
#include "ctl/log-ring.h"
#include "util/parse.h"

/* Following looks again after this time: four times a second is soon enough for whoever reads. */
#define PAUSE_NSEC (250 * 1000 * 1000L)

/* As many as journalctl shows before it follows. */
#define LINES_BEFORE_FOLLOWING 10

/* A line that does not end is shown in parts. */
#define LINE_LONGEST (64u << 10)

#define WHOLE UINT64_MAX

typedef struct Reader {
    const Ctl *ctl;
    const char *path;
    uint64_t cursor;
    GString *line; /* the beginning of one whose end was not read yet */
} Reader;

/* ---- printing -------------------------------------------------------------------------------- */

static void print_json(const Reader *reader)
{
    Json json;

    json_init(&json, stdout, reader->ctl->options.json);
    json_open_object(&json);
    json_key(&json, "MESSAGE");
    json_string(&json, reader->line->str);
    json_close_object(&json);
    json_done(&json);
}

/* What a payload writes must not move the cursor of whoever reads it. */
static void print_safely(const Reader *reader)
{
    g_auto(GStrv) columns = g_strsplit(reader->line->str, "\t", -1);

    for (size_t i = 0; columns[i]; i++) {
        g_autofree char *safe = text_safe(columns[i]);
        printf("%s%s", i > 0 ? "\t" : "", safe);
    }
}

static void end_line(const Reader *reader, bool whole)
{
    GString *line = reader->line;

    for (char *p = line->str; (p = memchr(p, '\0', (size_t)(line->str + line->len - p)));)
        *p = '?';
    if (reader->ctl->options.json != JSON_OFF)
        print_json(reader);
    else
        print_safely(reader);
    if (whole && reader->ctl->options.json == JSON_OFF)
        putchar('\n');
    g_string_truncate(line, 0);
}

static void print_lines(const Reader *reader, const char *data, size_t size)
{
    for (const char *end = data + size; data < end;) {
        const char *feed = memchr(data, '\n', (size_t)(end - data));
        const char *until = feed ? feed : end;

        g_string_append_len(reader->line, data, until - data);
        if (feed || reader->line->len > LINE_LONGEST)
            end_line(reader, feed != NULL);
        data = until + (feed != NULL);
    }
}

/* To a file or a pipe it goes as it is. */
static void print(const Reader *reader, const char *data, size_t size)
{
    if (reader->ctl->terminal.tty || reader->ctl->options.json != JSON_OFF)
        print_lines(reader, data, size);
    else
        (void)fwrite(data, 1, size, stdout);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* `lines` before the end, or WHOLE: from the cursor on. *ret_more: there was something. */
static bool read_page(Reader *reader, uint64_t lines, bool *ret_more, GError **error)
{
    const void *data;
    uint64_t lost;
    size_t size;

    g_autoptr(sd_bus_message)
        message = call_new(&reader->ctl->connection, reader->path, INSTANCE_INTERFACE, "GetLog");
    if (lines == WHOLE)
        must(sd_bus_message_append(message, "ta{sv}", reader->cursor, 0));
    else
        must(sd_bus_message_append(message, "ta{sv}", UINT64_MAX, 1, "Lines", "t", lines));
    g_autoptr(sd_bus_message) reply = call_send(&reader->ctl->connection, message, error);
    if (!reply)
        return false;
    bool begins = lines != WHOLE || reader->cursor == 0;
    if (!reply_read(reply, error, "t", &reader->cursor))
        return false;
    int r = sd_bus_message_read_array(reply, 'y', &data, &size);
    if (r < 0)
        return reply_is_odd(error, r);
    if (!reply_read(reply, error, "t", &lost))
        return false;
    if (lost > 0 && !begins)
        ctl_note(reader->ctl, "%" PRIu64 " bytes were overwritten before they were read", lost);
    print(reader, data, size);
    *ret_more = size > 0;
    return true;
}

static void pause_a_moment(const Reader *reader)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NSEC };

    if (reader->line->len > 0 && reader->ctl->options.json == JSON_OFF)
        end_line(reader, false); /* a prompt, perhaps */
    (void)fflush(stdout);
    (void)nanosleep(&pause, NULL);
}

static bool read_all(Reader *reader, uint64_t lines, GError **error)
{
    bool follow = option_given(&reader->ctl->options, OPTION_FOLLOW), more = true;

    while (more || follow) {
        g_autoptr(GError) failure = NULL;

        if (!more)
            pause_a_moment(reader);
        if (read_page(reader, lines, &more, &failure)) {
            lines = WHOLE;
        } else if (!follow || !call_failed_in_passing(&reader->ctl->connection, failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        } else {
            more = false;
        }
    }
    return true;
}

static bool lines_wanted(const Ctl *ctl, uint64_t *ret, GError **error)
{
    const char *text = option_value(&ctl->options, OPTION_LINES);

    *ret = option_given(&ctl->options, OPTION_FOLLOW) ? LINES_BEFORE_FOLLOWING : WHOLE;
    if (text && g_str_equal(text, "all"))
        *ret = WHOLE;
    else if (text && (parse_uint64(text, ret) < 0 || *ret == WHOLE))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--lines=%s: must be a number, or all", text);
    return true;
}

int log_ring_print(const Ctl *ctl, const char *path)
{
    Reader reader = { .ctl = ctl, .path = path };
    g_autoptr(GError) error = NULL;
    uint64_t lines;

    if (!lines_wanted(ctl, &lines, &error))
        return ctl_fail(error);
    reader.line = g_string_new(NULL);
    bool read = read_all(&reader, lines, &error);
    if (reader.line->len > 0)
        end_line(&reader, false);
    g_string_free(reader.line, true);
    return read ? STATUS_OK : ctl_fail(error);
}
