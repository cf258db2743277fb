/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `probe report`: what a process sees of itself and of the world. Keys in capitals are lines of
 * /proc/self/status under the kernel's own names, see proc_pid_status(5). What cannot be read is
 * reported as `!` and the reason, so that a missing /proc is an answer too. */

#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LIST_MAX = 60000 };

/* <linux/keyctl.h>, which a libc of its own does not bring. */
enum { KEYCTL_GET_KEYRING_ID = 0, KEY_SPEC_SESSION_KEYRING = -3 };

static void answer_errno(const char *key)
{
    answer(key, "!%s", strerror(errno));
}

/* A growing list of words, separated by spaces. */
typedef struct List {
    char text[LIST_MAX];
    size_t size;
} List;

static void list_add(List *list, const char *word)
{
    int n = snprintf(list->text + list->size, sizeof list->text - list->size, "%s%s",
                     list->size > 0 ? " " : "", word);

    if (n > 0 && (size_t)n < sizeof list->text - list->size)
        list->size += (size_t)n;
}

static void report_identity(void)
{
    static List groups;
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid, all[1024];
    int count = getgroups(1024, all);

    (void)getresuid(&uid, &euid, &suid);
    (void)getresgid(&gid, &egid, &sgid);
    answer("pid", "%d", getpid());
    answer("ppid", "%d", getppid());
    answer("pgid", "%d", getpgrp());
    answer("sid", "%d", getsid(0));
    answer("uid", "%u", uid);
    answer("euid", "%u", euid);
    answer("suid", "%u", suid);
    answer("gid", "%u", gid);
    answer("egid", "%u", egid);
    answer("sgid", "%u", sgid);
    for (int i = 0; i < count; i++) {
        char word[16];

        (void)snprintf(word, sizeof word, "%u", all[i]);
        list_add(&groups, word);
    }
    answer("groups", "%s", groups.text);
}

static void report_place(void)
{
    char hostname[256] = "", cwd[4096];

    (void)gethostname(hostname, sizeof hostname - 1);
    answer("hostname", "%s", hostname);
    if (getcwd(cwd, sizeof cwd) != NULL)
        answer("cwd", "%s", cwd);
    else
        answer_errno("cwd");
}

static int compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* /proc lists them in order, other ways do not have to; without /proc they are tried one by one. */
static size_t open_fds(int *fds, size_t max)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    if (directory == NULL) {
        for (int fd = 0; fd < 4096 && count < max; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                fds[count++] = fd;
        return count;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < max;) {
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (isdigit((unsigned char)entry->d_name[0]) && fd != dirfd(directory))
            fds[count++] = fd;
    }
    (void)closedir(directory);
    qsort(fds, count, sizeof fds[0], compare_numbers);
    return count;
}

static void report_link(const char *key, const char *path)
{
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);

    if (n < 0) {
        answer_errno(key);
        return;
    }
    target[n] = '\0';
    answer(key, "%s", target);
}

/* First of all: everything else opens files for a while. */
static void report_fds(void)
{
    static List list;
    int fds[4096];
    size_t count = open_fds(fds, sizeof fds / sizeof fds[0]);

    for (size_t i = 0; i < count; i++) {
        char number[16], key[32], path[64];

        (void)snprintf(number, sizeof number, "%d", fds[i]);
        (void)snprintf(key, sizeof key, "fd_%s", number);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%s", number);
        list_add(&list, number);
        report_link(key, path);
    }
    answer("fds", "%s", list.text);
}

/* The inode number alone, from "pid:[4026531836]"; it tells namespaces apart. */
static void report_namespaces(void)
{
    static const char *const names[] = {
        "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char key[16], path[64];
        struct stat entry;

        (void)snprintf(key, sizeof key, "ns_%s", names[i]);
        (void)snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        if (stat(path, &entry) < 0)
            answer_errno(key);
        else
            answer(key, "%llu", (unsigned long long)entry.st_ino);
    }
}

static void report_status(void)
{
    static const char *const wanted[] = { "CapInh", "CapPrm",     "CapEff",          "CapBnd",
                                          "CapAmb", "NoNewPrivs", "SigBlk",          "SigIgn",
                                          "SigCgt", "Seccomp",    "Seccomp_filters", "NSpid" };
    FILE *file = fopen("/proc/self/status", "re");
    char line[4096];

    if (file == NULL) {
        answer_errno("status");
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');

        if (value == NULL)
            continue;
        *value++ = '\0';
        value += strspn(value, "\t ");
        value[strcspn(value, "\n")] = '\0';
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
            if (strcmp(line, wanted[i]) == 0)
                answer(wanted[i], "%s", value);
    }
    (void)fclose(file);
}

/* The part of the first line of a file that begins with the prefix. */
static void report_line(const char *key, const char *path, const char *prefix)
{
    FILE *file = fopen(path, "re");
    char line[4096];
    bool found = false;

    if (file == NULL) {
        answer_errno(key);
        return;
    }
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = strncmp(line, prefix, strlen(prefix)) == 0;
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        answer(key, "%s", line + strlen(prefix));
    }
    (void)fclose(file);
}

/* "lo:up eth0:down"; asked of the kernel, since /proc and /sys may be the host's. */
static void report_network(void)
{
    struct if_nameindex *devices = if_nameindex();
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    List list = { .size = 0 };

    if (devices == NULL || fd < 0) {
        answer_errno("net_devices");
        return;
    }
    for (struct if_nameindex *device = devices; device->if_index != 0; device++) {
        struct ifreq request = { .ifr_flags = 0 };
        char word[IFNAMSIZ + 8];

        (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device->if_name);
        (void)snprintf(word, sizeof word, "%s:%s", device->if_name,
                       ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0
                           ? "up"
                           : "down");
        list_add(&list, word);
    }
    answer("net_devices", "%s", list.text);
    if_freenameindex(devices);
    (void)close(fd);
}

/* The map of a user namespace, "0 100000 65536" and so on, with a comma between lines. */
static void report_id_map(const char *key, const char *path)
{
    FILE *file = fopen(path, "re");
    char text[1024] = "", line[128];

    if (file == NULL) {
        answer_errno(key);
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned inside, outside, count;
        size_t used = strlen(text);

        if (sscanf(line, "%u %u %u", &inside, &outside, &count) == 3)
            (void)snprintf(text + used, sizeof text - used, "%s%u %u %u", used > 0 ? "," : "",
                           inside, outside, count);
    }
    (void)fclose(file);
    answer(key, "%s", text);
}

static void report_processes(void)
{
    DIR *directory = opendir("/proc");
    unsigned count = 0;

    if (directory == NULL) {
        answer_errno("pids");
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += isdigit((unsigned char)entry->d_name[0]) ? 1 : 0;
    (void)closedir(directory);
    answer("pids", "%u", count);
}

/* "ID PARENT MAJ:MIN ROOT POINT OPTIONS [TAG...] - TYPE ...": the tags say how mounts spread. */
static void report_root_mount(char *line)
{
    char *save, *field[7] = { NULL };

    field[0] = strtok_r(line, " ", &save);
    for (int i = 1; i < 7 && field[i - 1] != NULL; i++)
        field[i] = strtok_r(NULL, " ", &save);
    if (field[6] == NULL || strcmp(field[4], "/") != 0)
        return;
    answer("root_options", "%s", field[5]);
    answer("root_propagation", "%s", strcmp(field[6], "-") == 0 ? "private" : field[6]);
}

static void report_mounts(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t size = 0;
    unsigned count = 0;

    if (file == NULL) {
        answer_errno("mounts");
        return;
    }
    for (; getline(&line, &size, file) > 0; count++)
        report_root_mount(line);
    free(line);
    (void)fclose(file);
    answer("mounts", "%u", count);
}

static void report_limit(const char *key, int resource)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0) {
        answer_errno(key);
        return;
    }
    char soft[24] = "unlimited", hard[24] = "unlimited";
    if (limit.rlim_cur != RLIM_INFINITY)
        (void)snprintf(soft, sizeof soft, "%llu", (unsigned long long)limit.rlim_cur);
    if (limit.rlim_max != RLIM_INFINITY)
        (void)snprintf(hard, sizeof hard, "%llu", (unsigned long long)limit.rlim_max);
    answer(key, "%s %s", soft, hard);
}

static void report_limits(void)
{
    static const struct {
        const char *key;
        int resource;
    } limits[] = {
        { "rlimit_cpu", RLIMIT_CPU },           { "rlimit_fsize", RLIMIT_FSIZE },
        { "rlimit_data", RLIMIT_DATA },         { "rlimit_stack", RLIMIT_STACK },
        { "rlimit_core", RLIMIT_CORE },         { "rlimit_rss", RLIMIT_RSS },
        { "rlimit_nofile", RLIMIT_NOFILE },     { "rlimit_as", RLIMIT_AS },
        { "rlimit_nproc", RLIMIT_NPROC },       { "rlimit_memlock", RLIMIT_MEMLOCK },
        { "rlimit_locks", RLIMIT_LOCKS },       { "rlimit_sigpending", RLIMIT_SIGPENDING },
        { "rlimit_msgqueue", RLIMIT_MSGQUEUE }, { "rlimit_nice", RLIMIT_NICE },
        { "rlimit_rtprio", RLIMIT_RTPRIO },     { "rlimit_rttime", RLIMIT_RTTIME },
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        report_limit(limits[i].key, limits[i].resource);
}

/* The serial number of the session keyring, without making one. */
static void report_keyring(void)
{
    long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

    if (id < 0)
        answer_errno("keyring");
    else
        answer("keyring", "%ld", id);
}

static void report_surroundings(void)
{
    static List names;
    mode_t mask = umask(0);
    cpu_set_t cpus;

    (void)umask(mask);
    answer("umask", "%04o", (unsigned)mask);
    report_limits();
    answer("personality", "%#x", (unsigned)personality(0xffffffff));
    report_keyring();
    report_line("oom_score_adj", "/proc/self/oom_score_adj", "");
    answer("nice", "%d", getpriority(PRIO_PROCESS, 0));
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        answer("cpus", "%d", CPU_COUNT(&cpus));
    for (char **variable = environ; *variable != NULL; variable++) {
        char name[256];

        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*variable, "="), *variable);
        list_add(&names, name);
    }
    answer("env", "%s", names.text);
}

static int report(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    report_fds();
    report_identity();
    report_place();
    report_line("cgroup", "/proc/self/cgroup", "0::");
    report_namespaces();
    report_id_map("uid_map", "/proc/self/uid_map");
    report_id_map("gid_map", "/proc/self/gid_map");
    report_network();
    report_status();
    report_processes();
    report_mounts();
    report_surroundings();
    return 0;
}

const Verb report_verb = { "report", report, 0, 0,
                           "report                       what it sees; the default" };
