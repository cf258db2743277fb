/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pager may offer a shell to whoever sits before it. With more rights than the caller's own, as
 * by sudo, none is chosen by an environment that may be somebody else's, and less is told to offer
 * nothing. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/pager.h"
#include "util/fd.h"
#include "util/parse.h"

static pid_t pager_pid;

static bool is_elevated(void)
{
    return getuid() != geteuid() || getenv("SUDO_UID") || getenv("PKEXEC_UID");
}

/* "" if none is wanted; NULL: nothing is said about it. */
static const char *pager_variable(void)
{
    static const char *const names[] = { "CONSTELLATION_PAGER", "SYSTEMD_PAGER", "PAGER" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = getenv(names[i]);

        if (value)
            return g_str_equal(value, "cat") ? "" : value;
    }
    return NULL;
}

/* Quit if it fits the screen, pass colours, cut no lines, leave the screen as it is. */
static char **pager_environment(bool utf8, bool elevated)
{
    char **environment = g_get_environ();

    environment = g_environ_setenv(environment, "LESS", "FRXMK", true);
    if (utf8)
        environment = g_environ_setenv(environment, "LESSCHARSET", "utf-8", true);
    if (elevated)
        environment = g_environ_setenv(environment, "LESSSECURE", "1", true);
    return environment;
}

static bool spawn_pager(char **argv, char **environment, int read_fd)
{
    posix_spawn_file_actions_t actions;
    int r;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, read_fd, STDIN_FILENO);
    r = posix_spawnp(&pager_pid, argv[0], &actions, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    return r == 0;
}

static bool spawn_any(const Terminal *terminal, const char *variable, int read_fd)
{
    bool elevated = is_elevated();
    char *less[] = { (char *)"less", NULL };
    g_auto(GStrv) environment = pager_environment(terminal->utf8, elevated);
    g_auto(GStrv) words = NULL;

    if (!elevated && variable && parse_words(variable, &words) == 0 && *words &&
        spawn_pager(words, environment, read_fd))
        return true;
    return spawn_pager(less, environment, read_fd);
}

bool pager_begin(const Terminal *terminal)
{
    const char *variable = pager_variable();
    int ends[2];

    if (!terminal->tty || (variable && !*variable) || pipe2(ends, O_CLOEXEC) < 0)
        return false;

    auto_fd read_fd = ends[0], write_fd = ends[1];

    if (!spawn_any(terminal, variable, read_fd) || dup2(write_fd, STDOUT_FILENO) < 0)
        return false;
    /* ^C is for the pager, and when it is left early the rest is not wanted. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    return true;
}

void pager_end(void)
{
    (void)fflush(stdout);
    (void)close(STDOUT_FILENO);
    while (waitpid(pager_pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
