/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways in which a payload can end, hang on or misbehave. What goes on for ever answers first,
 * so that a test can wait for the answer instead of for a time. */

#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn static void hang(void)
{
    for (;;)
        (void)pause();
}

static uint64_t clock_usec(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* An absolute deadline: signals do not make it longer. */
static void sleep_for(double seconds)
{
    struct timespec end;

    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)seconds;
    end.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        ;
}

static int verb_exit(int argc, char **argv)
{
    (void)argc;
    return (int)number_of(argv[1]);
}

/* A death by signal without a core file. Exit status 1: it could not die of this one. */
static int verb_signal(int argc, char **argv)
{
    int number = (int)number_of(argv[1]);
    const struct rlimit none = { 0, 0 };
    sigset_t set;

    (void)argc;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(number, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    (void)kill(getpid(), number);
    return 1;
}

static int verb_sleep(int argc, char **argv)
{
    (void)argc;
    sleep_for(seconds_of(argv[1]));
    return 0;
}

static int verb_ignore_term(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)signal(SIGTERM, SIG_IGN);
    answer("ignoring", "%d", SIGTERM);
    (void)answer_send();
    hang();
}

static volatile sig_atomic_t caught;

static void on_term(int number)
{
    caught = number;
}

/* Ends with status 0 at a SIGTERM, after a last word: what a well-behaved service does. */
static int verb_obey_term(int argc, char **argv)
{
    sigset_t term, before;

    (void)argc;
    (void)argv;
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, &before);
    (void)signal(SIGTERM, on_term);
    answer("waiting_for", "%d", SIGTERM);
    (void)answer_send();
    (void)sigdelset(&before, SIGTERM);
    while (caught == 0)
        (void)sigsuspend(&before);
    answer("caught", "%d", (int)caught);
    return 0;
}

/* Processes that have left their parent, session and group, as a daemon does. */
static int verb_fork(int argc, char **argv)
{
    long long count = number_of(argv[1]), made = 0;

    if (argc > 2)
        (void)signal(SIGTERM, SIG_IGN);
    for (; made < count; made++) {
        pid_t child = fork();

        if (child < 0)
            break;
        if (child == 0) {
            (void)setsid();
            if (fork() == 0)
                hang();
            _exit(0);
        }
        (void)waitpid(child, NULL, 0);
    }
    answer("forked", "%lld", made);
    (void)answer_send();
    hang();
}

/* Every process makes others for as long as it may, and none listens to SIGTERM. */
_Noreturn static int verb_fork_bomb(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)signal(SIGTERM, SIG_IGN);
    answer("burning", "%d", 1);
    (void)answer_send();
    for (;;)
        if (fork() < 0)
            sleep_for(0.1); /* at its limit: it is no test of the scheduler */
}

/* Goes on for ever, and answers with each signal that it gets. */
_Noreturn static int verb_tell_signals(int argc, char **argv)
{
    sigset_t all;

    (void)argc;
    (void)argv;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    answer("listening", "%d", 1);
    (void)answer_send();
    for (;;) {
        answer("caught", "%d", sigwaitinfo(&all, NULL));
        (void)answer_send();
    }
}

/* Stops itself again and again. */
_Noreturn static int verb_stand_still(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)signal(SIGTERM, SIG_IGN);
    answer("standing", "%d", 1);
    (void)answer_send();
    for (;;)
        (void)raise(SIGSTOP);
}

static void kill_children(const pid_t *children, long long count)
{
    for (long long i = 0; i < count; i++)
        (void)kill(children[i], SIGKILL);
    for (long long i = 0; i < count; i++)
        (void)waitpid(children[i], NULL, 0);
}

/* With a bound of its own: where no limit holds, the machine must survive it. */
static int verb_fork_until_fails(int argc, char **argv)
{
    long long bound = argc > 1 ? number_of(argv[1]) : 4096, made = 0;
    pid_t *children = calloc((size_t)bound + 1, sizeof *children), self = getpid();
    int error = 0;

    if (children == NULL)
        return 1;
    for (; made < bound; made++) {
        children[made] = fork();
        if (children[made] < 0) {
            error = errno;
            break;
        }
        if (children[made] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != self)
                _exit(0);
            hang();
        }
    }
    kill_children(children, made);
    free(children);
    answer("forked", "%lld", made);
    answer("errno", "%d", error);
    answer("message", "%s", error != 0 ? strerror(error) : "the bound was reached");
    return 0;
}

/* Touches page by page, so that a limit strikes within; then holds it. */
static int verb_eat_memory(int argc, char **argv)
{
    size_t size = (size_t)number_of(argv[1]), page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        answer("errno", "%d", errno);
        answer("message", "%s", strerror(errno));
        return 1;
    }
    for (size_t offset = 0; offset < size; offset += page)
        ((volatile char *)memory)[offset] = 1;
    answer("ate", "%zu", size);
    (void)answer_send();
    if (argc > 2)
        sleep_for(seconds_of(argv[2]));
    return 0;
}

static int verb_spin(int argc, char **argv)
{
    uint64_t begin = clock_usec(CLOCK_MONOTONIC), wall;
    uint64_t wanted = (uint64_t)(seconds_of(argv[1]) * 1e6);

    (void)argc;
    do
        wall = clock_usec(CLOCK_MONOTONIC) - begin;
    while (wall < wanted);
    answer("cpu_usec", "%llu", (unsigned long long)clock_usec(CLOCK_PROCESS_CPUTIME_ID));
    answer("wall_usec", "%llu", (unsigned long long)wall);
    return 0;
}

const Verb behaviour_verbs[] = {
    { "exit", verb_exit, 1, 1, "exit STATUS" },
    { "signal", verb_signal, 1, 1, "signal N                     dies of it, without a core" },
    { "sleep", verb_sleep, 1, 1, "sleep SECONDS" },
    { "ignore-term", verb_ignore_term, 0, 0, "ignore-term                  for ever" },
    { "obey-term", verb_obey_term, 0, 0,
      "obey-term                    waits for one, exits with 0" },
    { "fork", verb_fork, 1, 2,
      "fork N [stubborn]            N orphans, then sleeps with them; none obeys SIGTERM" },
    { "fork-bomb", verb_fork_bomb, 0, 0, "fork-bomb                    without end" },
    { "fork-until-fails", verb_fork_until_fails, 0, 1, "fork-until-fails [BOUND]     how many" },
    { "stand-still", verb_stand_still, 0, 0, "stand-still                  stopped by itself" },
    { "tell-signals", verb_tell_signals, 0, 0, "tell-signals                 which it gets" },
    { "eat-memory", verb_eat_memory, 1, 2,
      "eat-memory BYTES [SECONDS]   touches, then holds them" },
    { "spin", verb_spin, 1, 1, "spin SECONDS                 the CPU time it got" },
    { NULL, NULL, 0, 0, NULL },
};
