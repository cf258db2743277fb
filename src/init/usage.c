/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the instance has used, read as the last act: systemd removes the cgroup, and the figures
 * with it, as soon as it is empty. */

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "init/init.h"
#include "util/fd.h"

#define FILE_MAX 1024 /* bytes; what we look for is in the first lines */

static uint64_t number_at(const char *text)
{
    uint64_t number = 0;

    if (*text < '0' || *text > '9')
        return RECORD_UNKNOWN;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return number;
}

/* The number in the line "key number", or in the whole file if key is NULL. */
static uint64_t file_number(int directory, const char *name, const char *key)
{
    char text[FILE_MAX];
    auto_fd fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    size_t key_length;
    ssize_t length;

    if (fd < 0 || (length = read(fd, text, sizeof text - 1)) <= 0)
        return RECORD_UNKNOWN;
    text[length] = '\0';
    if (key == NULL)
        return number_at(text);
    key_length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, key_length) == 0 && line[key_length] == ' ')
            return number_at(line + key_length + 1);
    }
    return RECORD_UNKNOWN;
}

static uint64_t usec_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

void usage_read(int cgroup, struct Record *record)
{
    struct rusage children;

    record->cpu_usec = file_number(cgroup, "cpu.stat", "usage_usec");
    record->memory_peak = file_number(cgroup, "memory.peak", NULL);
    record->oom_kills = file_number(cgroup, "memory.events", "oom_kill");
    if (record->cpu_usec == RECORD_UNKNOWN && getrusage(RUSAGE_CHILDREN, &children) == 0)
        record->cpu_usec = usec_of(children.ru_utime) + usec_of(children.ru_stime);
}
