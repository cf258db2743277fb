/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes of an instance: which there are, and what /proc tells of each. All of this is for
 * showing and for counting; nothing is ever signalled by a number found here. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resources/backend-internal.h"
#include "resources/process.h"
#include "resources/usage.h"

#define COMMAND_MAX  512
#define USEC_PER_SEC UINT64_C(1000000)

/* One read: the length, or -errno. The text is NUL-terminated. */
static int read_proc(pid_t pid, const char *file, char *buffer, size_t size)
{
    char path[64];
    auto_fd fd = -1;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    n = read(fd, buffer, size - 1);
    if (n < 0)
        return -errno;
    buffer[n] = '\0';
    return (int)n;
}

/* ---- figures --------------------------------------------------------------------------------- */

/* proc(5): the second field is the name in parentheses, which may contain anything, also ")". The
 * fields after the last ")" are counted from 3. */
int process_parse_stat(const char *stat, ProcessUsage *ret)
{
    const char *fields = strrchr(stat, ')');
    uint64_t ticks_per_sec = (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t user, system, threads;
    int64_t children_user, children_system, resident;

    /* 14 to 17 are CPU times, 20 the threads, 24 the resident pages */
    if (!fields ||
        sscanf(fields + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNd64
               " %" SCNd64 " %*d %*d %" SCNu64 " %*d %*u %*u %" SCNd64,
               &user, &system, &children_user, &children_system, &threads, &resident) != 6)
        return -EBADMSG;
    *ret = (ProcessUsage){
        .cpu_usec = (user + system + (uint64_t)children_user + (uint64_t)children_system) *
                    USEC_PER_SEC / ticks_per_sec,
        .resident_bytes = (uint64_t)MAX(resident, 0) * (uint64_t)sysconf(_SC_PAGESIZE),
        .threads = threads,
    };
    return 0;
}

int process_usage(pid_t pid, ProcessUsage *ret)
{
    char stat[1024];
    int r;

    r = read_proc(pid, "stat", stat, sizeof(stat));
    return r < 0 ? r : process_parse_stat(stat, ret);
}

pid_t process_inner_pid(pid_t pid)
{
    char status[4096];
    const char *line, *end, *last;

    if (read_proc(pid, "status", status, sizeof(status)) < 0)
        return 0;
    line = strstr(status, "\nNSpid:");
    if (!line)
        return 0;
    line++;
    end = line + strcspn(line, "\n");
    for (last = end; last > line && last[-1] >= '0' && last[-1] <= '9';)
        last--;
    return (pid_t)strtol(last, NULL, 10);
}

/* Valid UTF-8 without control characters, as the bus and terminals want it. */
char *process_format_command(const char *cmdline, size_t size)
{
    GString *text = g_string_new(NULL);

    while (size > 0 && cmdline[size - 1] == '\0')
        size--;
    for (const char *at = cmdline, *end = cmdline + size; at < end;) {
        gunichar c = *at ? g_utf8_get_char_validated(at, end - at) : ' ';
        bool bad = c == (gunichar)-1 || c == (gunichar)-2;
        char utf8[6];
        int length;

        at += bad || !*at ? 1 : g_utf8_skip[(guchar)*at];
        length = g_unichar_to_utf8(bad || g_unichar_iscntrl(c) ? '?' : c, utf8);
        if (text->len + (gsize)length > COMMAND_MAX)
            break;
        g_string_append_len(text, utf8, length);
    }
    return g_string_free(text, false);
}

char *process_command(pid_t pid)
{
    char cmdline[COMMAND_MAX + 8]; /* a little more, to tell a cut character from a bad one */
    int n = read_proc(pid, "cmdline", cmdline, sizeof(cmdline));

    if (n > 0)
        return process_format_command(cmdline, (size_t)n);
    /* None, or none yet: right after the exec. The kernel's name of it then, as ps shows it. */
    n = read_proc(pid, "comm", cmdline, sizeof(cmdline));
    if (n <= 0)
        return g_strdup("");
    g_autofree char *name = process_format_command(g_strchomp(cmdline), strlen(cmdline));
    return g_strdup_printf("[%s]", name);
}

/* ---- which there are ------------------------------------------------------------------------- */

static void add_pid(GArray *pids, pid_t pid)
{
    if (pid > 0) /* 0: in a pid namespace that we cannot see */
        g_array_append_val(pids, pid);
}

static void add_from_file(GArray *pids, int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int pid;

    if (!file) {
        fd_close(fd);
        return;
    }
    while (fscanf(file, "%d", &pid) == 1)
        add_pid(pids, pid);
    (void)fclose(file);
}

static void add_from_cgroup(GArray *pids, int dirfd, unsigned depth)
{
    g_autoptr(GPtrArray) children = NULL;

    add_from_file(pids, dirfd, "cgroup.procs");
    if (depth == 0)
        return;
    children = cgroup_children(dirfd);
    for (guint i = 0; i < children->len; i++) {
        auto_fd fd = cgroup_open_at(dirfd, children->pdata[i]);
        if (fd >= 0)
            add_from_cgroup(pids, fd, depth - 1);
    }
}

/* Children belong to the thread that made them. */
static void add_children(GArray *pids, pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
    DIR *dir = opendir(path);

    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        g_autofree char *children = NULL;

        if (entry->d_name[0] == '.')
            continue;
        children = g_strdup_printf("%s/children", entry->d_name);
        add_from_file(pids, dirfd(dir), children);
    }
    closedir(dir);
}

/* The init reaps what its descendants leave behind, so all of them are below it. Bounded: numbers
 * may be reused under our eyes. */
static void add_tree(GArray *pids, pid_t init_pid)
{
    const guint limit = 1u << 20;

    add_pid(pids, init_pid);
    for (guint i = 0; i < pids->len && pids->len < limit; i++)
        add_children(pids, g_array_index(pids, pid_t, i));
}

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

    return (left > right) - (left < right);
}

GArray *usage_processes(const Placement *placement, pid_t init_pid)
{
    g_autoptr(GArray) found = g_array_new(false, false, sizeof(pid_t));
    GArray *pids = g_array_new(false, false, sizeof(pid_t));

    if (placement_holds(placement))
        add_from_cgroup(found, placement->cgroup_fd, CGROUP_DEPTH_MAX);
    else
        add_tree(found, init_pid);
    g_array_sort(found, compare_pids);
    for (guint i = 0; i < found->len; i++)
        if (g_array_index(found, pid_t, i) == init_pid)
            g_array_append_val(pids, init_pid);
    for (guint i = 0; i < found->len; i++)
        if (g_array_index(found, pid_t, i) != init_pid)
            g_array_append_val(pids, g_array_index(found, pid_t, i));
    return pids;
}

/* The name of a process that sleeps and cannot be woken up; g_free. */
static char *uninterruptible_name(pid_t pid)
{
    char stat[1024];
    const char *name, *end;

    if (read_proc(pid, "stat", stat, sizeof(stat)) < 0)
        return NULL;
    name = strchr(stat, '(');
    end = strrchr(stat, ')');
    if (!name || !end || strncmp(end, ") D", 3) != 0)
        return NULL;
    /* It chooses its name itself. */
    char *copy = g_strndup(name, (gsize)(end + 1 - name));
    for (char *c = copy; *c; c++)
        *c = g_ascii_isprint(*c) ? *c : '?';
    return copy;
}

char *usage_unkillable(const Placement *placement, pid_t init_pid)
{
    g_autoptr(GArray) pids = usage_processes(placement, init_pid);
    g_autofree char *first = NULL;
    pid_t first_pid = 0;
    unsigned count = 0;

    for (guint i = 0; i < pids->len; i++) {
        pid_t pid = g_array_index(pids, pid_t, i);
        g_autofree char *name = uninterruptible_name(pid);

        if (!name || count++ > 0)
            continue;
        first_pid = pid;
        first = g_steal_pointer(&name);
    }
    if (count == 0)
        return NULL;
    return g_strdup_printf("%u process%s in uninterruptible sleep%s %d %s", count,
                           count == 1 ? " is" : "es are", count == 1 ? ":" : ", as", first_pid,
                           first);
}
