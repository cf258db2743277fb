/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clients of the private socket: what each is told, and what it can do to the others by leaving in
 * the middle, by nonsense, and by being somebody else. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "bus/world.h"
#include "util/fd.h"

#define AUTH_LINE "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"

static void say(int fd, const void *data, size_t size)
{
    ck_assert_int_eq(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* A connection on which messages may follow. */
static int connect_and_authenticate(void)
{
    int fd = raw_connect();
    char answer[256];
    ssize_t size = 0, n;

    say(fd, AUTH_LINE, sizeof AUTH_LINE - 1);
    do {
        n = recv(fd, answer + size, sizeof answer - (size_t)size, 0);
        ck_assert_int_gt(n, 0);
        size += n;
    } while (!memmem(answer, (size_t)size, "OK ", 3) || answer[size - 1] != '\n');
    return fd;
}

/* The service has closed its end within five seconds, whatever it said before. */
static bool is_cut(int fd)
{
    struct pollfd event = { .fd = fd, .events = POLLIN };
    char buffer[256];

    while (poll(&event, 1, 5000) == 1)
        if (recv(fd, buffer, sizeof buffer, 0) <= 0)
            return true;
    return false;
}

static void check_alive(void)
{
    ck_assert_str_eq(bus_text(client, BUS_PATH, "Mode"), "private");
}

/* ---- signals --------------------------------------------------------------------------------- */

START_TEST(every_client_is_told_of_every_instance)
{
    Client *other = client_new();
    const char *path = bus_run(client, "web", "sleep 100");
    const char *id = strrchr(path, '/') + 1;
    g_autofree char *added = g_strdup_printf("InterfacesAdded Constellation %s", path);
    g_autofree char *running = g_strdup_printf("StateChanged %s STARTING RUNNING", id);
    g_autofree char *changed = g_strdup_printf("PropertiesChanged %s " INTERFACE_INSTANCE, id);
    g_autofree char *exited = g_strdup_printf("Exited %s 1 success", id);
    g_autofree char *removed = g_strdup_printf("InterfacesRemoved Constellation %s", path);

    (void)bus_call(client, path, "Stop", NO_OPTIONS);
    (void)bus_call(client, path, "Destroy", NO_OPTIONS);
    const char *const lines[] = { added, running, changed, exited, removed };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        signal_await(client, lines[i]);
        signal_await(other, lines[i]);
    }
}
END_TEST

START_TEST(states_change_in_order)
{
    const char *path = bus_create(client, "web", "exit 3");
    const char *id = strrchr(path, '/') + 1;
    g_autofree char *exited = g_strdup_printf("Exited %s 1 exit-code 1 3", id);

    (void)bus_call(client, path, "Start", NO_OPTIONS);
    signal_await(client, exited);
    const char *starting = strstr(client->signals->str, "PENDING STARTING");
    const char *running = strstr(client->signals->str, "STARTING RUNNING");
    const char *failed = strstr(client->signals->str, "RUNNING FAILED");
    ck_assert(starting && running && failed && starting < running && running < failed);
    ck_assert(failed < strstr(client->signals->str, "Exited"));
}
END_TEST

/* ---- leaving --------------------------------------------------------------------------------- */

START_TEST(a_start_goes_on_without_its_caller)
{
    Client *other = client_new();
    const char *path = bus_create_held(client, "web");

    (void)bus_begin(other, path, "Start", NO_OPTIONS);
    bus_await(client, path, "State", "STARTING");
    client_leave(other);
    program_release();
    bus_await(client, path, "State", "RUNNING");
}
END_TEST

START_TEST(a_stop_goes_on_without_its_caller)
{
    Client *other = client_new();
    const char *path = bus_run_ready(
        client, "web", "trap 'sleep 0.1; exit' TERM; echo; while :; do sleep 0.01; done");

    (void)bus_begin(other, path, "Stop", NO_OPTIONS);
    bus_await(client, path, "State", "STOPPING");
    client_leave(other);
    bus_await(client, path, "State", "STOPPED");
}
END_TEST

START_TEST(a_run_goes_on_without_its_caller)
{
    Client *other = client_new();

    (void)bus_begin(other, BUS_PATH, "RunInstance", "sa{sv}a{sv}", "web", 1, "Command", "as", 1,
                    program_hold(), 0);
    signal_await(client, "InterfacesAdded");
    client_leave(other);
    program_release();
    while (bus_number(client, BUS_PATH, "RunningCount") == 0)
        client_run(client, 5);
}
END_TEST

START_TEST(clients_come_and_go)
{
    for (unsigned i = 0; i < 200; i++)
        client_leave(client_new());
    check_alive();
}
END_TEST

/* ---- nonsense -------------------------------------------------------------------------------- */

START_TEST(whoever_says_nothing_holds_nobody_up)
{
    int silent[50];

    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        silent[i] = raw_connect();
    check_alive();
    (void)bus_run(client, "web", "sleep 100");
    for (size_t i = 0; i < G_N_ELEMENTS(silent); i++)
        fd_close(silent[i]);
    check_alive();
}
END_TEST

START_TEST(whoever_does_not_speak_the_language_is_cut)
{
    static const struct {
        const char *name, *text;
        size_t size;
    } rows[] = {
        { "HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27 },
        { "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n", 26 },
        { "no nul", "AUTH EXTERNAL\r\n", 15 },
        { "a line of its own", "\0HELO\r\n", 7 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        auto_fd fd = raw_connect();
        say(fd, rows[i].text, rows[i].size);
        (void)shutdown(fd, SHUT_WR);
        ck_assert_msg(is_cut(fd), "%s", rows[i].name);
        check_alive();
    }
}
END_TEST

START_TEST(an_authentication_that_breaks_off_ends_only_itself)
{
    for (size_t size = 1; size < sizeof AUTH_LINE - 1; size++) {
        auto_fd fd = raw_connect();
        say(fd, AUTH_LINE, size);
    }
    check_alive();
}
END_TEST

START_TEST(endless_authentication_is_cut)
{
    static char line[4096];
    auto_fd fd = raw_connect();
    ssize_t n = 0;

    memset(line, 'A', sizeof line);
    line[0] = '\0';
    for (unsigned i = 0; i < 4096 && n >= 0; i++)
        n = send(fd, line, sizeof line, MSG_NOSIGNAL);
    ck_assert(n < 0 || is_cut(fd));
    check_alive();
}
END_TEST

START_TEST(a_message_that_is_none_cuts_its_sender)
{
    static const char *const messages[] = {
        "\x01\x01\x00\x02............",                      /* a version that does not exist */
        "x\x01\x00\x01............",                         /* no byte order */
        "l\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00....", /* no type */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        auto_fd fd = connect_and_authenticate();
        say(fd, messages[i], 16);
        ck_assert_msg(is_cut(fd), "%zu", i);
        check_alive();
    }
}
END_TEST

START_TEST(a_message_longer_than_any_cuts_its_sender)
{
    static const unsigned char message[16] = { 'l', 1, 0, 1, 0xff, 0xff, 0xff, 0xff,
                                               1,   0, 0, 0, 0xff, 0xff, 0xff, 0xff };
    auto_fd fd = connect_and_authenticate();

    say(fd, message, sizeof message);
    ck_assert(is_cut(fd));
    check_alive();
}
END_TEST

START_TEST(half_a_message_holds_nobody_up)
{
    static const unsigned char message[16] = { 'l', 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 64, 0, 0, 0 };
    auto_fd fd = connect_and_authenticate();

    say(fd, message, sizeof message);
    check_alive();
    (void)bus_run(client, "web", "sleep 100");
}
END_TEST

START_TEST(whoever_does_not_read_ends_only_itself)
{
    Client *other = client_new();
    const char *path = bus_create(client, "web", "true");

    for (unsigned i = 0; i < 3000; i++)
        (void)bus_begin(other, path, "Describe", "");
    check_alive();
    (void)bus_call(client, path, "Start", NO_OPTIONS);
    client_leave(other);
    check_alive();
}
END_TEST

START_TEST(a_client_that_takes_it_for_a_bus_gets_a_name)
{
    const char *name;
    sd_bus_message *reply = bus_call(client, "/org/freedesktop/DBus", "org.freedesktop.DBus.Hello",
                                     "");

    ck_assert_int_ge(sd_bus_message_read(reply, "s", &name), 0);
    ck_assert_int_eq(name[0], ':');
}
END_TEST

/* ---- others ---------------------------------------------------------------------------------- */

START_TEST(the_socket_is_its_owners)
{
    g_autofree char *path = g_build_filename(directory, "socket", NULL);
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_uint_eq(status.st_uid, geteuid());
}
END_TEST

/* Even if somebody opened the door, the kernel's word on who is there counts. */
static void connect_as_another_user(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    (void)g_strlcpy(address.sun_path, directory, sizeof address.sun_path);
    (void)g_strlcat(address.sun_path, "/socket", sizeof address.sun_path);
    if (setresuid(4242, 4242, 4242) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        _exit(1);
    (void)send(fd, AUTH_LINE, sizeof AUTH_LINE - 1, MSG_NOSIGNAL);
    _exit(recv(fd, &byte, 1, 0) > 0 ? 2 : 0);
}

START_TEST(another_user_is_refused)
{
    g_autofree char *path = g_build_filename(directory, "socket", NULL);
    int status;

    if (geteuid() != 0) {
        fprintf(stderr, "# skipped: %s: takes root to be another user\n", __func__);
        return;
    }
    ck_assert_int_eq(chmod(directory, 0755) | chmod(path, 0666), 0);
    pid_t child = fork();
    if (child == 0)
        connect_as_another_user();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    check_alive();
}
END_TEST

WORLD_MAIN("bus/clients", world_listen, every_client_is_told_of_every_instance,
           states_change_in_order, a_start_goes_on_without_its_caller,
           a_stop_goes_on_without_its_caller, a_run_goes_on_without_its_caller, clients_come_and_go,
           whoever_says_nothing_holds_nobody_up, whoever_does_not_speak_the_language_is_cut,
           an_authentication_that_breaks_off_ends_only_itself, endless_authentication_is_cut,
           a_message_that_is_none_cuts_its_sender, a_message_longer_than_any_cuts_its_sender,
           half_a_message_holds_nobody_up, whoever_does_not_read_ends_only_itself,
           a_client_that_takes_it_for_a_bus_gets_a_name, the_socket_is_its_owners,
           another_user_is_refused)
