/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of the steps, and the words for each failure. A step number and an errno is all that
 * comes from inside an instance; the sentence with the way out is made here, once. */

#include <errno.h>

#include "isolation/plan.h"

typedef struct StepInfo {
    const char *name;  /* in GetPlan and Degraded: part of the contract */
    const char *doing; /* "mounting a /proc of its own" */
    ErrorCode code;
} StepInfo;

static const StepInfo step_infos[STEP_COUNT] = {
    [STEP_RECORD] = { "lock-record", "locking the record", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_PLAN] = { "read-plan", "reading the plan", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_ID_MAP] = { "map-ids", "mapping user and group ids",
                      CONSTELLATION_ERROR_NAMESPACE_FAILED },
    [STEP_SUBREAPER] = { "subreaper", "becoming the parent of orphans",
                         CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_OOM_SCORE] = { "init-oom-score", "protecting the init from the OOM killer",
                         CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_MOUNTS_SLAVE] = { "mounts-slave", "keeping mounts from spreading to the host",
                            CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_MASK] = { "mask", "hiding a directory", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_PROC] = { "mount-proc", "mounting a /proc of its own",
                    CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_LAYER] = { "overlay-layer", "opening the layer of changes",
                     CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_ROOT_PRIVATE] = { "private-root", "building a root of its own at",
                            CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_ROOT_DIRECTORY] = { "root-directory", "entering the root directory",
                              CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_ROOT_OVERLAY] = { "root-overlay", "laying an overlay over the root directory",
                            CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_PROC_SUBSET] = { "proc-subset", "hiding all but its own processes in",
                           CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_DEVICES] = { "private-devices", "making devices of its own in",
                       CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_HOME] = { "home", "making the home directory", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_ROOT_LEAVE] = { "leave-host-root", "leaving the host's root behind",
                          CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_NOSUID] = { "nosuid", "taking set-uid programs their power below",
                      CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_SOURCES] = { "bind-sources", "opening the source of a bind",
                       CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_READ_ONLY] = { "read-only", "making read-only", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_TMPFS] = { "mount-tmpfs", "mounting a temporary file system on",
                     CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_BIND] = { "bind", "binding to", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_INACCESSIBLE] = { "inaccessible", "hiding", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_HOSTNAME] = { "hostname", "setting the host name", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_LOOPBACK] = { "loopback", "bringing up the loopback device",
                        CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_TIME_NAMESPACE] = { "time-namespace", "making a time namespace",
                              CONSTELLATION_ERROR_NAMESPACE_FAILED },
    [STEP_GATE] = { "gate", "waiting for the cgroup", CONSTELLATION_ERROR_CGROUP_FAILED },
    [STEP_CGROUP_NAMESPACE] = { "cgroup-namespace", "making a cgroup namespace",
                                CONSTELLATION_ERROR_NAMESPACE_FAILED },
    [STEP_SESSION] = { "session", "starting a session", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_PAYLOAD_OOM_SCORE] = { "oom-score", "setting the OOM score",
                                 CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_KEYRING] = { "keyring", "making a session keyring",
                       CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_SIGPIPE] = { "ignore-sigpipe", "ignoring SIGPIPE", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_UMASK] = { "umask", "setting the umask", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_NICE] = { "nice", "setting the nice value", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_LIMIT] = { "limit", "setting", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_GROUPS] = { "groups", "setting the supplementary groups",
                      CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_GID] = { "gid", "setting the group", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_UID] = { "uid", "setting the user", CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_CAPABILITIES] = { "capabilities", "dropping capabilities",
                            CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_NO_NEW_PRIVILEGES] = { "no-new-privileges", "forbidding new privileges",
                                 CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_STDOUT] = { "standard-output", "opening the file for standard output",
                      CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_STDERR] = { "standard-error", "opening the file for standard error",
                      CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_WORKING_DIRECTORY] = { "working-directory", "entering the working directory",
                                 CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_FILTER] = { "system-call-filter", "loading the filters of system calls",
                      CONSTELLATION_ERROR_ISOLATION_FAILED },
    [STEP_EXEC] = { "exec", "executing", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_FORK] = { "fork", "making the payload's process", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_SCRIPT] = { "script", "opening the script", CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_INTERPRETER] = { "interpreter", "executing the script's interpreter",
                           CONSTELLATION_ERROR_SPAWN_FAILED },
    [STEP_SHEBANG] = { "shebang", "executing the interpreter of the script's #! line",
                       CONSTELLATION_ERROR_SPAWN_FAILED },
};

static const StepInfo *step_info(unsigned kind)
{
    static const StepInfo unknown = { "unknown", "an unknown step",
                                      CONSTELLATION_ERROR_SPAWN_FAILED };

    return kind < STEP_COUNT && step_infos[kind].name ? &step_infos[kind] : &unknown;
}

const char *step_name(unsigned kind)
{
    return step_info(kind)->name;
}

ErrorCode step_error_code(unsigned kind)
{
    return step_info(kind)->code;
}

char *step_describe(unsigned kind, const char *path)
{
    return *path ? g_strdup_printf("%s %s", step_info(kind)->doing, path)
                 : g_strdup(step_info(kind)->doing);
}

static const char *exec_advice(int error_number)
{
    switch (error_number) {
    case ENOENT:
        return "is it installed, and its path right as seen inside the instance?";
    case EACCES:
        return "the user must be allowed to execute it (chmod +x), and its file system must not "
               "be mounted noexec";
    case ENOEXEC:
        return "it is neither a program of this architecture nor a script with a #! line";
    case ENOTDIR:
        return "a part of the path is no directory";
    case EAGAIN:
        return "LimitNPROC= of its user is reached";
    case E2BIG:
        return "arguments and environment are too long";
    default:
        return "see execve(2)";
    }
}

static const char *script_advice(int error_number)
{
    switch (error_number) {
    case ENOENT:
        return "is the path of Script= right as seen inside the instance?";
    case EACCES:
        return "the user must be allowed to read it";
    case EISDIR:
        return "Script= names a directory";
    case EINVAL:
        return "Script= must name an ordinary file";
    default:
        return "see open(2)";
    }
}

static const char *shebang_advice(int error_number, const char *path)
{
    if (g_str_has_suffix(path, "\r"))
        return "the #! line ends in a carriage return (a Windows text file): convert it, for "
               "example with sed -i 's/\\r$//'";
    if (error_number == ENOENT)
        return "it is not installed: install it, or correct the #! line";
    return exec_advice(error_number);
}

static const char *interpreter_advice(int error_number)
{
    if (error_number == ENOENT)
        return "it is not installed: install it, or set another with Interpreter= (for all "
               "instances: DefaultInterpreter= in constellation.conf)";
    return exec_advice(error_number);
}

static const char *source_advice(int error_number)
{
    switch (error_number) {
    case ENOENT:
        return "there is no such file on the host (a '-' before it makes it optional)";
    case EACCES:
        return "the owner of the instance may not reach it";
    case ELOOP:
        return "a link of /proc is on the way, which leads out of what can be checked";
    default:
        return "see open_tree(2)";
    }
}

static const char *root_advice(unsigned kind, int error_number)
{
    if (kind == STEP_LAYER)
        return "the service's state directory has to be there, and to be written to";
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return "RootDirectory= must name a directory, and in it /proc and /dev must be "
               "directories, and no links";
    case EACCES:
        return "the owner of the instance may not reach it";
    case EINVAL:
        return kind == STEP_ROOT_OVERLAY
                   ? "the file system of the directory, or of the layer, does not take an overlay "
                     "(an overlay itself does not; Overlay=temporary needs none)"
                   : "a root that is an initial RAM disk cannot be left: boot with a root device";
    case EPERM:
        return "a security module, or a container around the service, forbids it";
    default:
        return "see pivot_root(2) and mount(2)";
    }
}

static const char *mount_advice(int error_number)
{
    switch (error_number) {
    case EACCES:
        return "the owner of the instance may not reach it";
    case ENOENT:
        return "there is no such path to mount on, and the host's own files are not added to";
    case ENOTDIR:
    case EISDIR:
        return "both ends must be directories, or neither";
    case ELOOP:
        return "a link of /proc is on the way, which leads out of what can be checked";
    case EPERM:
        return "a security module, or a system call filter of a container around the service, "
               "forbids it";
    case EINVAL:
        return "an option is out of range, or an id does not exist in the user namespace";
    case ENOSPC:
        return "the limit fs.mount-max of mounts is reached (raise it with sysctl)";
    default:
        return "see mount(2)";
    }
}

static const char *step_advice(unsigned kind, int error_number, const char *path)
{
    switch (kind) {
    case STEP_EXEC:
        return exec_advice(error_number);
    case STEP_SCRIPT:
        return script_advice(error_number);
    case STEP_INTERPRETER:
        return interpreter_advice(error_number);
    case STEP_SHEBANG:
        return shebang_advice(error_number, path);
    case STEP_WORKING_DIRECTORY:
        return "set WorkingDirectory= to a directory that the user may enter";
    case STEP_STDOUT:
    case STEP_STDERR:
        return "the payload's user must be able to write it";
    case STEP_SOURCES:
        return source_advice(error_number);
    case STEP_LAYER:
    case STEP_ROOT_PRIVATE:
    case STEP_ROOT_DIRECTORY:
    case STEP_ROOT_OVERLAY:
    case STEP_ROOT_LEAVE:
        return root_advice(kind, error_number);
    case STEP_PROC_SUBSET:
        return "this kernel mounts all of /proc or nothing: the host's own figures show";
    case STEP_DEVICES:
    case STEP_NOSUID:
    case STEP_READ_ONLY:
    case STEP_TMPFS:
    case STEP_BIND:
    case STEP_INACCESSIBLE:
        return mount_advice(error_number);
    case STEP_PROC:
        return "a container around the service probably hides parts of /proc (PIDNamespace=off "
               "does without)";
    case STEP_GROUPS:
    case STEP_GID:
    case STEP_UID:
        return "the service may not become this user (is a user namespace in the way?)";
    case STEP_PAYLOAD_OOM_SCORE:
        return "only root may lower it (OOMScoreAdjust=)";
    case STEP_NICE:
        return "only root may lower it, or who has LimitNICE=";
    case STEP_LIMIT:
        return "only root may raise a hard limit, and no descriptor limit above fs.nr_open";
    case STEP_KEYRING:
        return error_number == EDQUOT ? "the user has too many keys (kernel.keys.maxkeys)" : NULL;
    case STEP_FILTER:
        return error_number == ENOSYS || error_number == EINVAL
                   ? "this kernel, or the container around the service, has no seccomp filters"
                   : "see seccomp(2)";
    case STEP_CAPABILITIES:
        return "the service itself must have all that it gives and takes";
    case STEP_FORK:
        return "a limit on processes is reached (TasksMax=, or ulimit -u of the user)";
    default:
        return NULL;
    }
}

char *step_failure(unsigned kind, int error_number, const char *path)
{
    const char *advice = step_advice(kind, error_number, path);
    g_autofree char *shown = g_strescape(path, NULL);
    g_autofree char *doing = step_describe(kind, shown);

    return g_strdup_printf("%s: %s%s%s", doing, g_strerror(error_number), advice ? ": " : "",
                           advice ? advice : "");
}
