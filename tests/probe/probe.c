/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The payload of the tests: a static program without any dependency that runs inside an instance,
 * says what it sees there, misbehaves in a given way, or tries what it should not be able to do.
 *
 *     probe [--output=PATH] [VERB [ARGUMENT...]]
 *
 * Answers are `key=value` lines. Without a verb it reports (see report.c). Exit status: 0, 1 if
 * what was tried failed, 2 for a call it does not understand, or what the verb says. */

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char pending[256 * 1024];
static size_t pending_size;
static const char *output_path;

static void append(char c)
{
    if (pending_size < sizeof pending)
        pending[pending_size++] = c;
}

void answer(const char *key, const char *format, ...)
{
    static char value[64 * 1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);

    for (const char *c = key; *c != '\0'; c++)
        append(*c);
    append('=');
    for (const char *c = value; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        char escape[8];

        if (byte >= ' ' && byte != 0x7f) {
            append(*c);
            continue;
        }
        (void)snprintf(escape, sizeof escape, "\\x%02x", byte);
        for (const char *e = escape; *e != '\0'; e++)
            append(*e);
    }
    append('\n');
}

void answer_into(const char *path)
{
    output_path = path;
}

/* The file is opened this late so that it is not among the descriptors that are reported, and
 * appended to so that a verb which answers twice keeps its first answer. */
_Bool answer_send(void)
{
    int fd = STDOUT_FILENO;
    size_t done = 0;

    if (output_path != NULL) {
        fd = open(output_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (fd < 0)
            return false;
    }
    while (done < pending_size) {
        ssize_t n = write(fd, pending + done, pending_size - done);

        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            done += (size_t)n;
    }
    if (output_path != NULL)
        (void)close(fd);
    if (done < pending_size)
        return false;
    pending_size = 0;
    return true;
}

static void refuse(const char *word)
{
    (void)fprintf(stderr, "probe: not a number: %s\n", word);
    exit(2);
}

long long number_of(const char *word)
{
    char *end;

    errno = 0;
    long long number = strtoll(word, &end, 10);
    if (errno != 0 || end == word || *end != '\0')
        refuse(word);
    return number;
}

double seconds_of(const char *word)
{
    char *end;

    errno = 0;
    double seconds = strtod(word, &end);
    if (errno != 0 || end == word || *end != '\0' || !(seconds >= 0 && seconds < 1e9))
        refuse(word);
    return seconds;
}

/* PATH may be a FIFO; the line is short enough to be written in one piece. */
static int write_stamp(const struct timespec *now, const char *path)
{
    char line[32];
    int length = snprintf(line, sizeof line, "%lld%09ld\n", (long long)now->tv_sec, now->tv_nsec);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        (void)fprintf(stderr, "probe: %s: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

static int usage(int status)
{
    const Verb *const tables[] = { behaviour_verbs, attempt_verbs, call_verbs };
    FILE *stream = status == 0 ? stdout : stderr;

    (void)fprintf(stream, "probe [--output=PATH] [VERB [ARGUMENT...]]\n");
    (void)fprintf(stream, "  %s\n", report_verb.help);
    (void)fprintf(stream,
                  "  stamp PATH                   when main() began, CLOCK_MONOTONIC in ns\n");
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const Verb *verb = tables[t]; verb->name != NULL; verb++)
            (void)fprintf(stream, "  %s\n", verb->help);
    return status;
}

static const Verb *find_verb(const char *name)
{
    const Verb *const tables[] = { behaviour_verbs, attempt_verbs, call_verbs };

    if (strcmp(name, report_verb.name) == 0)
        return &report_verb;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const Verb *verb = tables[t]; verb->name != NULL; verb++)
            if (strcmp(name, verb->name) == 0)
                return verb;
    return NULL;
}

int main(int argc, char **argv)
{
    struct timespec now;
    int status;

    /* Before all else: the benchmarks measure up to here. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc == 3 && strcmp(argv[1], "stamp") == 0)
        return write_stamp(&now, argv[2]);

    argc--;
    argv++;
    if (argc > 0 && strncmp(argv[0], "--output=", strlen("--output=")) == 0) {
        answer_into(argv[0] + strlen("--output="));
        argc--;
        argv++;
    }
    if (argc > 0 && strcmp(argv[0], "--help") == 0)
        return usage(0);

    const Verb *verb = argc > 0 ? find_verb(argv[0]) : &report_verb;
    if (verb == NULL || (argc > 0 && (argc - 1 < verb->min_args || argc - 1 > verb->max_args)))
        return usage(2);
    status = verb->function(argc, argv);
    if (!answer_send()) {
        (void)fprintf(stderr, "probe: the answer cannot be written: %s\n", strerror(errno));
        return 1;
    }
    return status;
}
