/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The escape suite: a static program that tries, one by one, the ways out of an instance that are
 * known from the accidents of others, and says what became of each.
 *
 *     escape [--output=PATH] list            name, where it is proven, and why not
 *     escape [--output=PATH] all             every probe
 *     escape [--output=PATH] prove WHERE     those that are shown to work there: root, vm, user
 *     escape whoami                          exit status 0 if it is root and may read root's files
 *
 * Answers are `name=errno` lines: 0 is a way out, "killed" is SIGSYS. Run unconfined by somebody
 * who may, the same program must succeed: else a refusal would say nothing. */

#include "escape.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_A_PROBE 5

static const Probe *const tables[] = { process_probes, file_probes, kernel_probes, right_probes };
static const char *const places[] = {
    [BY_ROOT] = "root", [BY_ROOT_VM] = "vm", [BY_USER] = "user", [UNPROVEN] = "nowhere"
};

int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

int run_copy(const char *path)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)execl(path, path, "whoami", (char *)NULL);
        _exit(errno == ENOENT ? EXIT_FAILURE : 2);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

/* Whoever can read this file is root of the host, or has a capability there. */
static int whoami(void)
{
    return try_open("/etc/shadow", O_RDONLY) == 0 ? 0 : 1;
}

static void say_result(const Probe *probe, int status, int result)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        printf("%s=killed\n", probe->name);
    else if (WIFSIGNALED(status))
        printf("%s=signal %d\n", probe->name, WTERMSIG(status));
    else if (result == IGNORED)
        printf("%s=ignored\n", probe->name);
    else
        printf("%s=%d\n", probe->name, result);
}

static bool try_probe(const Probe *probe)
{
    int pair[2], result = EPIPE, status = 0;

    if (pipe(pair) < 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(SECONDS_A_PROBE);
        result = probe->function();
        _exit(write(pair[1], &result, sizeof result) != sizeof result);
    }
    (void)close(pair[1]);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return false;
    (void)read(pair[0], &result, sizeof result);
    (void)close(pair[0]);
    say_result(probe, status, result);
    return true;
}

static int run(const char *place)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const Probe *probe = tables[t]; probe->name != NULL; probe++)
            if ((place == NULL || strcmp(places[probe->proof], place) == 0) && !try_probe(probe))
                return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

static int list(void)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const Probe *probe = tables[t]; probe->name != NULL; probe++)
            printf("%s=%s %s\n", probe->name, places[probe->proof],
                   probe->reason != NULL ? probe->reason : "");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--output=", 9) == 0) {
        if (freopen(argv[1] + 9, "w", stdout) == NULL)
            return EXIT_FAILURE;
        argc--;
        argv++;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "whoami") == 0)
        return whoami();
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc == 2 && strcmp(argv[1], "all") == 0)
        return run(NULL);
    if (argc == 3 && strcmp(argv[1], "prove") == 0)
        return run(argv[2]);
    fprintf(stderr, "escape [--output=PATH] list | all | prove root|vm|user | whoami\n");
    return 2;
}
