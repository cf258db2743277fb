/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/world.h"
#include "util/fd.h"

#define PATIENCE_MSEC 10000

static int held_program = -1;

/* ---- properties ------------------------------------------------------------------------------ */

static sd_bus_message *get(Client *from, const char *path, const char *property, const char *type)
{
    const char *interface = strcmp(path, BUS_PATH) == 0 ? INTERFACE_MANAGER : INTERFACE_INSTANCE;
    sd_bus_message *reply = bus_call(from, path, "org.freedesktop.DBus.Properties.Get", "ss",
                                     interface, property);

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'v', type), 0);
    return reply;
}

const char *bus_text(Client *from, const char *path, const char *property)
{
    const char *value;

    ck_assert_int_ge(sd_bus_message_read(get(from, path, property, "s"), "s", &value), 0);
    return value;
}

uint32_t bus_number(Client *from, const char *path, const char *property)
{
    uint32_t value;

    ck_assert_int_ge(sd_bus_message_read(get(from, path, property, "u"), "u", &value), 0);
    return value;
}

int32_t bus_integer(Client *from, const char *path, const char *property)
{
    int32_t value;

    ck_assert_int_ge(sd_bus_message_read(get(from, path, property, "i"), "i", &value), 0);
    return value;
}

void bus_await(Client *from, const char *path, const char *property, const char *value)
{
    for (unsigned i = 0; i < PATIENCE_MSEC / 5; i++) {
        if (strcmp(bus_text(from, path, property), value) == 0)
            return;
        client_run(from, 5);
    }
    ck_abort_msg("%s is still %s", property, bus_text(from, path, property));
}

/* ---- instances ------------------------------------------------------------------------------- */

static const char *returned_path(sd_bus_message *reply)
{
    const char *path;

    ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
    return g_intern_string(path);
}

const char *bus_run(Client *from, const char *name, const char *script)
{
    return returned_path(bus_call(from, BUS_PATH, "RunInstance", "sa{sv}a{sv}", name, 1, "Command",
                                  "as", 3, "sh", "-c", script, 0));
}

const char *bus_run_ready(Client *from, const char *name, const char *script)
{
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    const char *path = returned_path(bus_call(from, BUS_PATH, "RunInstance", "sa{sv}a{sv}", name, 1,
                                              "Command", "as", 3, "sh", "-c", script, 1, "Stdout",
                                              "h", ends[1]));
    fd_close(ends[1]);
    struct pollfd event = { .fd = ends[0], .events = POLLIN };
    ck_assert_int_eq(poll(&event, 1, PATIENCE_MSEC), 1);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    fd_close(ends[0]);
    return path;
}

const char *bus_create(Client *from, const char *name, const char *script)
{
    return returned_path(bus_call(from, BUS_PATH, "CreateInstance", "sa{sv}", name, 1, "Command",
                                  "as", 3, "sh", "-c", script));
}

/* A write lease: whoever opens the file, and exec does, waits until it is given back. */
const char *program_hold(void)
{
    g_autofree char *path = g_build_filename(directory, "program", NULL);

    ck_assert(g_file_set_contents(path, "#!/bin/sh\nexec sleep 100\n", -1, NULL));
    ck_assert_int_eq(chmod(directory, 0755) | chmod(path, 0755), 0);
    held_program = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(held_program, 0);
    ck_assert_msg(fcntl(held_program, F_SETLEASE, F_WRLCK) == 0, "lease: %s", g_strerror(errno));
    return g_intern_string(path);
}

void program_release(void)
{
    if (held_program >= 0)
        (void)fcntl(held_program, F_SETLEASE, F_UNLCK);
    held_program = fd_close(held_program);
}

const char *bus_create_held(Client *from, const char *name)
{
    return returned_path(bus_call(from, BUS_PATH, "CreateInstance", "sa{sv}", name, 1, "Command",
                                  "as", 1, program_hold()));
}

pid_t *bus_processes(Client *from, const char *path)
{
    sd_bus_message *reply = bus_call(from, path, "GetProcesses", "");
    GArray *pids = g_array_new(TRUE, FALSE, sizeof(pid_t));
    uint32_t outside, inside;
    const char *command;

    ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(uus)"), 0);
    while (sd_bus_message_read(reply, "(uus)", &outside, &inside, &command) > 0) {
        pid_t pid = (pid_t)outside;
        g_array_append_val(pids, pid);
    }
    return (pid_t *)(void *)g_array_free(pids, FALSE);
}

/* A zombie that nobody has waited for yet runs no more. */
static bool process_runs(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *stat = NULL;

    if (!g_file_get_contents(path, &stat, NULL, NULL))
        return false;
    return strrchr(stat, ')')[2] != 'Z';
}

bool processes_are_gone(const pid_t *pids, unsigned msec)
{
    for (unsigned i = 0; i <= msec; i++) {
        const pid_t *pid = pids;
        while (*pid != 0 && !process_runs(*pid))
            pid++;
        if (*pid == 0)
            return true;
        (void)usleep(1000);
    }
    return false;
}
