/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the instances of the crash test run: it leaves a trace of each start, and of each start of
 * one that runs already.
 *
 *   payload LOG LOCK sleep|stubborn
 *   payload LOG LOCK exit|raise NUMBER MICROSECONDS */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void append(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        _exit(99);
    (void)close(fd);
}

int main(int argc, char **argv)
{
    int lock = argc < 4 ? -1 : open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (lock < 0)
        return 98;
    /* Held as long as this process lives: whoever comes meanwhile is a second one. */
    append(argv[1], flock(lock, LOCK_EX | LOCK_NB) == 0 ? "started\n" : "double\n");
    if (strcmp(argv[3], "stubborn") == 0)
        (void)signal(SIGTERM, SIG_IGN);
    while (argc < 6)
        (void)pause();
    (void)usleep((useconds_t)atoi(argv[5]));
    if (strcmp(argv[3], "raise") == 0)
        (void)raise(atoi(argv[4]));
    return atoi(argv[4]);
}
