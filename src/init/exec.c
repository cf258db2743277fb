/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding and executing what the instance is to run, as its user and in its view of the files. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"
#include "util/fd.h"

#define FIRST_LINE_MAX 256 /* bytes of a file in which the kernel looks for a #! line */

void fault_set(struct Fault *fault, uint32_t step, int error, const char *path)
{
    fault->step = step;
    fault->error = error;
    (void)memset(fault->path, 0, sizeof fault->path);
    if (path != NULL)
        (void)strncpy(fault->path, path, sizeof fault->path - 1);
}

/* Tries the directories of the search path one after the other; the errno if all failed. One that
 * may not be executed is worth mentioning only if there is no other. */
static int exec_search(const char *name, const char *search_path, char **argv, char **env)
{
    char path[PATH_MAX];
    size_t name_size = strlen(name) + 1;
    int error = ENOENT;

    for (const char *end; *search_path != '\0'; search_path = end + (*end == ':')) {
        size_t length;

        end = strchrnul(search_path, ':');
        length = (size_t)(end - search_path);
        if (length == 0 || length + 1 + name_size > sizeof path)
            continue;
        (void)memcpy(path, search_path, length);
        path[length] = '/';
        (void)memcpy(path + length + 1, name, name_size);
        (void)execve(path, argv, env);
        if (errno == EACCES)
            error = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR)
            return errno;
    }
    return error;
}

static int exec_program(struct WirePlan *plan)
{
    const char *name = plan_text(plan, plan->executable);
    const char *search_path = plan_string(plan, plan->search_path);
    char **argv = plan_pointers(plan, plan->argv), **env = plan_pointers(plan, plan->env);

    if (strchr(name, '/') == NULL && search_path != NULL)
        return exec_search(name, search_path, argv, env);
    (void)execve(name, argv, env);
    return errno;
}

/* Cuts the interpreter's path out of a "#! /bin/sh -e" line; NULL if it is none. A carriage return
 * belongs to the path: so the kernel sees it. */
static const char *interpreter_of(char *line)
{
    char *start;

    if (line[0] != '#' || line[1] != '!')
        return NULL;
    start = line + 2 + strspn(line + 2, " \t");
    start[strcspn(start, " \t\n")] = '\0';
    return *start != '\0' ? start : NULL;
}

/* 0, or why this cannot be a script. Never blocks on a fifo. */
static int script_read(const char *path, char line[FIRST_LINE_MAX])
{
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    ssize_t length;

    if (fd < 0 || fstat(fd, &status) < 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    length = read(fd, line, FIRST_LINE_MAX - 1);
    if (length < 0)
        return errno;
    line[length] = '\0';
    return 0;
}

static const struct WireStep *filter_step(const struct WirePlan *plan)
{
    const struct WireStep *steps = plan_steps(plan);

    for (uint32_t i = 0; i < plan->step_count; i++)
        if (steps[i].kind == STEP_FILTER)
            return &steps[i];
    return NULL;
}

/* The last thing before the exec: everything else we do might not be allowed under the filter. With
 * half of the filters there is no going on, since we may not even be able to tell. */
static bool take_filters(const struct Init *init, struct Fault *fault)
{
    const struct WireStep *step = filter_step(init->plan);
    bool any = false;
    int error = step != NULL ? filters_load(init->plan, &any) : 0;

    if (error == 0)
        return true;
    if (any || (step->flags & WIRE_STEP_REQUIRED) != 0) {
        fault_set(fault, STEP_FILTER, error, NULL);
        return false;
    }
    ctl_send_fault(init, STEP_FILTER, error, false, NULL);
    return true;
}

/* Once the script could be read and has the x bit, a failure of its exec is its interpreter's. */
static void exec_script(const struct Init *init, struct Fault *fault)
{
    struct WirePlan *plan = init->plan;
    const char *script = plan_text(plan, plan->script), *interpreter;
    char line[FIRST_LINE_MAX];
    uint32_t step = STEP_INTERPRETER;
    int error = script_read(script, line);
    bool executable;

    if (error != 0) {
        fault_set(fault, STEP_SCRIPT, error, script);
        return;
    }
    interpreter = interpreter_of(line);
    executable = interpreter != NULL && access(script, X_OK) == 0;
    if (!take_filters(init, fault))
        return;
    if (executable) {
        (void)execve(script, plan_pointers(plan, plan->argv) + 1, plan_pointers(plan, plan->env));
        error = errno;
        step = STEP_SHEBANG;
    } else {
        interpreter = plan_text(plan, plan->executable);
        error = exec_program(plan);
    }
    fault_set(fault, error == E2BIG ? STEP_EXEC : step, error,
              error == E2BIG ? script : interpreter);
}

void exec_payload(const struct Init *init, struct Fault *fault)
{
    struct WirePlan *plan = init->plan;

    if (plan->script != 0)
        exec_script(init, fault);
    else if (take_filters(init, fault))
        fault_set(fault, STEP_EXEC, exec_program(plan), plan_text(plan, plan->executable));
}
