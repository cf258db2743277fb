/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pid namespace is entered by a child only, so there are two: the child of the program joins the
 * namespaces and makes one that is inside, with the payload's rights and no more. It stays outside
 * of the pid namespace and stands for the other: it passes signals on and ends as that one has
 * ended. Were the one inside the program's own child, the instance could not end before the
 * program has reaped it, and whoever waits for the end does not reap. */

#include "lib/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cgroup.h"
#include "util/fd.h"
#include "util/text.h"

#define STATUS_SIZE 8192
#define SIGNAL_EXIT 128 /* as shells have it */
#define GROUPS_MAX  256

typedef struct Rights {
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
    uint64_t permitted, effective, bounding;
    bool no_new_privileges;
} Rights;

static _Noreturn void give_up(const Inside *inside, InsideStep step, int error)
{
    const InsideReport report = { .step = (int)step, .error = error };

    _exit(write(inside->report_fd, &report, sizeof report) < 0 ? error : EXIT_FAILURE);
}

/* ---- the payload's rights -------------------------------------------------------------------- */

/* Behind "KEY:" in a file of /proc; NULL: there is no such line. */
static const char *field(const char *status, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = status; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            return line + length + 1;
    }
    return "";
}

static void read_groups(const char *text, Rights *rights)
{
    char *end;

    for (rights->group_count = 0; rights->group_count < GROUPS_MAX; text = end) {
        while (*text == ' ' || *text == '\t')
            text++;
        unsigned long group = strtoul(text, &end, 10);
        if (end == text || *text == '\n')
            return;
        rights->groups[rights->group_count++] = (gid_t)group;
    }
}

static int read_rights(const Inside *inside, Rights *rights)
{
    char path[64], status[STATUS_SIZE], *end = path;

    end = text_append_number(end, (uint32_t)inside->payload);
    (void)text_append(end, "/status");
    auto_fd fd = openat(inside->proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
    if (size < 0)
        return errno;
    status[size] = '\0';
    rights->uid = (uid_t)strtoul(field(status, "Uid"), NULL, 10);
    rights->gid = (gid_t)strtoul(field(status, "Gid"), NULL, 10);
    read_groups(field(status, "Groups"), rights);
    rights->permitted = strtoull(field(status, "CapPrm"), NULL, 16);
    rights->effective = strtoull(field(status, "CapEff"), NULL, 16);
    rights->bounding = strtoull(field(status, "CapBnd"), NULL, 16);
    rights->no_new_privileges = strtoul(field(status, "NoNewPrivs"), NULL, 10) != 0;
    return 0;
}

/* There is no payload to be like: what a payload has by default. */
static void default_rights(const Inside *inside, Rights *rights)
{
    rights->uid = inside->uid == (uid_t)-1 ? getuid() : inside->uid;
    rights->gid = inside->uid == (uid_t)-1 ? getgid() : inside->gid;
    rights->group_count = 0;
    if (rights->uid == 0)
        rights->permitted = rights->effective = rights->bounding = UINT64_MAX;
    else
        rights->no_new_privileges = true;
}

static int drop_bounding(uint64_t keep)
{
    for (unsigned capability = 0; capability < 64; capability++) {
        if (keep >> capability & 1 || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return errno;
    }
    return 0;
}

/* Never more than it has: a bit that it lacks is an error to the kernel. */
static int set_capabilities(uint64_t permitted, uint64_t effective)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };

    if (syscall(SYS_capget, &header, data) < 0)
        return errno;
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(permitted >> 32 * i);
        data[i].effective = data[i].permitted & (uint32_t)(effective >> 32 * i);
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? errno : 0;
}

/* The last step before the function. Whoever has the ids already, as in a user namespace with one
 * id, may not be allowed to set any. */
static int drop(const Rights *rights)
{
    int error = drop_bounding(rights->bounding);

    /* Without the right to, there is nothing to be dropped from. */
    if (error != 0 && error != EPERM)
        return error;
    if ((getuid() != rights->uid || getgid() != rights->gid) &&
        (setgroups(rights->group_count, rights->groups) < 0 ||
         setresgid(rights->gid, rights->gid, rights->gid) < 0 ||
         setresuid(rights->uid, rights->uid, rights->uid) < 0))
        return errno;
    error = set_capabilities(rights->permitted, rights->effective);
    if (error == 0 && rights->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        error = errno;
    return error;
}

/* ---- inside ---------------------------------------------------------------------------------- */

static _Noreturn void run(const Inside *inside, const Rights *rights)
{
    int error = inside->procs_fd < 0 ? 0 : -cgroup_enter(inside->procs_fd, 0);

    if (error != 0)
        give_up(inside, INSIDE_CGROUP, error);
    error = drop(rights);
    if (error == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        error = errno;
    if (error != 0)
        give_up(inside, INSIDE_DROP, error);
    (void)fd_close(inside->report_fd);
    (void)fd_close(inside->procs_fd);
    _exit(inside->function(inside->argument));
}

/* ---- outside --------------------------------------------------------------------------------- */

/* The signals of the program, which are the business of the one inside. */
typedef struct Signals {
    sigset_t mask;
    struct sigaction child;
} Signals;

static void signals_take(Signals *ret)
{
    const struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t all;

    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &ret->mask);
    (void)sigaction(SIGCHLD, &usual, &ret->child);
}

static void signals_give_back(const Signals *signals)
{
    (void)sigaction(SIGCHLD, &signals->child, NULL);
    (void)sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

static _Noreturn void end_as(int status)
{
    sigset_t one;

    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    sigemptyset(&one);
    sigaddset(&one, WTERMSIG(status));
    (void)signal(WTERMSIG(status), SIG_DFL);
    (void)raise(WTERMSIG(status));
    (void)sigprocmask(SIG_UNBLOCK, &one, NULL);
    _exit(SIGNAL_EXIT + WTERMSIG(status));
}

static _Noreturn void stand_for(pid_t child)
{
    sigset_t all;
    int status;

    sigfillset(&all);
    for (;;) {
        if (waitpid(child, &status, WNOHANG) == child)
            end_as(status);
        int number = sigwaitinfo(&all, NULL);
        if (number > 0 && number != SIGCHLD)
            (void)kill(child, number);
    }
}

/* ---- entering -------------------------------------------------------------------------------- */

static void join(const Inside *inside, Rights *rights)
{
    int error = 0;

    /* It has the memory of the program, which is nobody's business in there. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (inside->user_namespace && setns(inside->init_fd, CLONE_NEWUSER) < 0)
        give_up(inside, INSIDE_USER_NAMESPACE, errno);
    if (inside->payload > 0)
        error = read_rights(inside, rights);
    else
        default_rights(inside, rights);
    if (error != 0)
        give_up(inside, INSIDE_RIGHTS, error);
    if (inside->other_namespaces && setns(inside->init_fd, inside->other_namespaces) < 0)
        give_up(inside, INSIDE_NAMESPACES, errno);
    (void)fd_close(inside->init_fd);
    (void)fd_close(inside->proc_fd);
}

void inside_enter(const Inside *inside)
{
    Rights rights = { 0 };
    Signals signals;

    join(inside, &rights);
    signals_take(&signals);
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    if (pid < 0)
        give_up(inside, INSIDE_CLONE, errno);
    if (pid == 0) {
        signals_give_back(&signals);
        run(inside, &rights);
    }
    (void)fd_close(inside->report_fd);
    (void)fd_close(inside->procs_fd);
    stand_for((pid_t)pid);
}
