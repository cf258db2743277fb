/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Things that an instance may or may not be allowed to do, each one system call: the answer is its
 * errno (0: it worked) and the kernel's words for it. */

#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* result as of a system call: negative is errno. Returns the exit status. */
static int outcome(long result)
{
    int error = result < 0 ? errno : 0;

    answer("errno", "%d", error);
    answer("message", "%s", error != 0 ? strerror(error) : "done");
    return error != 0 ? 1 : 0;
}

static int verb_read(int argc, char **argv)
{
    char content[32 * 1024];
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof content - 1);

    (void)argc;
    if (n < 0)
        return outcome(-1);
    content[n] = '\0';
    (void)close(fd);
    answer("content", "%s", content);
    return outcome(0);
}

static int verb_write(int argc, char **argv)
{
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    (void)argc;
    return outcome(fd < 0 ? -1 : write(fd, argv[2], strlen(argv[2])));
}

static int verb_write_fd(int argc, char **argv)
{
    (void)argc;
    return outcome(write((int)number_of(argv[1]), argv[2], strlen(argv[2])));
}

static int verb_list(int argc, char **argv)
{
    DIR *directory = opendir(argv[1]);
    unsigned count = 0;

    (void)argc;
    if (directory == NULL)
        return outcome(-1);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char key[32];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(key, sizeof key, "entry_%u", count++);
        answer(key, "%s", entry->d_name);
    }
    (void)closedir(directory);
    answer("entries", "%u", count);
    return outcome(0);
}

static int verb_kill(int argc, char **argv)
{
    (void)argc;
    return outcome(kill((pid_t)number_of(argv[1]), (int)number_of(argv[2])));
}

/* A signal to PID 1 that pretends to come from outside its pid namespace, where senders have no
 * number. The kernel lets a sender choose si_pid, but not a code that kill() alone may have. */
static int verb_forge_signal(int argc, char **argv)
{
    int number = (int)number_of(argv[1]);
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = argc > 2 ? (int)number_of(argv[2]) : SI_QUEUE;
    info.si_pid = 0;
    info.si_uid = 0;
    return outcome(syscall(SYS_rt_sigqueueinfo, 1, number, &info));
}

static int verb_set_hostname(int argc, char **argv)
{
    (void)argc;
    return outcome(sethostname(argv[1], strlen(argv[1])));
}

static int verb_mount(int argc, char **argv)
{
    (void)argc;
    return outcome(mount("probe", argv[1], "tmpfs", 0, NULL));
}

static int verb_unmount(int argc, char **argv)
{
    (void)argc;
    return outcome(umount2(argv[1], MNT_DETACH));
}

static int verb_setuid(int argc, char **argv)
{
    (void)argc;
    return outcome(setuid((uid_t)number_of(argv[1])));
}

static int verb_unshare_user(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return outcome(unshare(CLONE_NEWUSER));
}

static int verb_arguments(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "arg_%d", i);
        answer(key, "%s", argv[i]);
    }
    return 0;
}

static int verb_variable(int argc, char **argv)
{
    const char *value = getenv(argv[1]);

    (void)argc;
    if (value == NULL)
        return 1;
    answer("value", "%s", value);
    return 0;
}

const Verb attempt_verbs[] = {
    { "read", verb_read, 1, 1, "read PATH" },
    { "write", verb_write, 2, 2, "write PATH TEXT" },
    { "write-fd", verb_write_fd, 2, 2, "write-fd FD TEXT" },
    { "list", verb_list, 1, 1, "list DIRECTORY" },
    { "kill", verb_kill, 2, 2, "kill PID SIGNAL" },
    { "forge-signal", verb_forge_signal, 1, 2,
      "forge-signal N [CODE]        to PID 1, as if from outside" },
    { "set-hostname", verb_set_hostname, 1, 1, "set-hostname NAME" },
    { "mount", verb_mount, 1, 1, "mount DIRECTORY              a tmpfs" },
    { "unmount", verb_unmount, 1, 1, "unmount DIRECTORY" },
    { "setuid", verb_setuid, 1, 1, "setuid UID" },
    { "unshare-user", verb_unshare_user, 0, 0, "unshare-user" },
    { "arguments", verb_arguments, 0, 4096, "arguments ...                as they came" },
    { "variable", verb_variable, 1, 1, "variable NAME                of the environment" },
    { NULL, NULL, 0, 0, NULL },
};
