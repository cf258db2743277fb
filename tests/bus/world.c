/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/world.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "util/fd.h"
#include "util/syscalls.h"

#define ORDINARY_UID  1000
#define PATIENCE_MSEC 10000

/* The host's own has no say. */
#define SERVICE_CONFIG "[Constellation]\nNodeName=node-1\nClusterName=stars\nMaxInstances=64\n"

Client *client;
pid_t service;
char *directory;

static int service_pidfd = -1;
static int service_status; /* of waitpid(), once it is over */
static bool listens;       /* and does not end with its starter */
static GPtrArray *clients;

/* The directory of sockets and programs is the ordinary user's; so is everything else, and nothing
 * of root's is left: a new image of this program, so that it can be traced and dumped. */
static void become_ordinary(char **argv)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    char *without_argument[] = { argv[0], NULL };

    if (setgroups(0, NULL) < 0 || setresgid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) < 0 ||
        setresuid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) < 0 ||
        execv(self, without_argument) < 0)
        g_error("going on as an ordinary user: %s", g_strerror(errno));
}

void world_init(int argc, char **argv)
{
    bool as_user = argc > 1 && strcmp(argv[1], "--as-user") == 0;

    if (as_user && geteuid() != 0) {
        puts("1..0 # SKIP without root, the other run of this test is as an ordinary user");
        exit(EXIT_SUCCESS);
    }
    if (as_user)
        become_ordinary(argv);
    if (!g_getenv("CONSTELLATIOND"))
        g_error("CONSTELLATIOND names the service to test");
    /* A lease that is broken says so by SIGIO. */
    (void)signal(SIGIO, SIG_IGN);
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

/* ---- service --------------------------------------------------------------------------------- */

/* A test that crashes leaves nothing behind: what listens would else wait for ever. */
static _Noreturn void service_exec(char **argv, int fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (fd >= 0 && (fd == 3 ? fcntl(fd, F_SETFD, 0) : dup2(fd, 3)) < 0)
        _exit(126);
    (void)execv(getenv("CONSTELLATIOND"), argv);
    _exit(127);
}

static void service_start(const char *private, int fd)
{
    g_autofree char *config = g_strdup_printf("--config=%s/service.conf", directory);
    char *argv[] = { (char *)"constellationd",  (char *)private,
                     (char *)"--no-systemd",    config,
                     (char *)"--log-level=err", NULL };

    ck_assert(g_file_set_contents(strchr(config, '/'), SERVICE_CONFIG, -1, NULL));
    service = fork();
    if (service == 0)
        service_exec(argv, fd);
    service_pidfd = sys_pidfd_open(service);
    ck_assert_int_ge(service_pidfd, 0);
}

static void world_make(void)
{
    clients = g_ptr_array_new();
    directory = g_dir_make_tmp("constellation-bus-XXXXXX", NULL);
    ck_assert_ptr_nonnull(directory);
}

bool service_is_over(unsigned msec)
{
    struct pollfd event = { .fd = service_pidfd, .events = POLLIN };

    if (service == 0)
        return service_status == 0;
    if (poll(&event, 1, (int)msec) != 1)
        return false;
    ck_assert_int_eq(waitpid(service, &service_status, 0), service);
    service = 0;
    service_pidfd = fd_close(service_pidfd);
    return service_status == 0;
}

static void remove_directory(void)
{
    g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(listing))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(directory), 0);
    g_clear_pointer(&directory, g_free);
}

void world_end(void)
{
    program_release();
    while (clients->len > 0)
        client_leave(g_ptr_array_index(clients, clients->len - 1));
    g_clear_pointer(&clients, g_ptr_array_unref);
    if (service > 0 && listens)
        (void)kill(service, SIGTERM);
    /* How it ended before is the test's to judge. */
    if (service > 0)
        ck_assert_msg(service_is_over(PATIENCE_MSEC), "the service did not end well: status %#x",
                      (unsigned)service_status);
    service_status = 0;
    remove_directory();
}

/* ---- clients --------------------------------------------------------------------------------- */

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Client *self = userdata;
    const char *path = sd_bus_message_get_path(message), *text;
    char type;

    (void)error;
    g_string_append_printf(self->signals, "%s %s", sd_bus_message_get_member(message),
                           strrchr(path, '/') + 1);
    /* Basic arguments only; what follows the first container is for those who ask. */
    while (sd_bus_message_peek_type(message, &type, NULL) > 0) {
        union {
            const char *text;
            uint32_t number;
        } value = { NULL };
        if (!strchr("souib", type) || sd_bus_message_read_basic(message, type, &value) < 0)
            break;
        text = strchr("so", type) ? value.text : NULL;
        if (text)
            g_string_append_printf(self->signals, " %s", text);
        else
            g_string_append_printf(self->signals, " %d", (int)value.number);
    }
    g_string_append_c(self->signals, '\n');
    return 0;
}

static void pending_free(Pending *pending)
{
    g_free(pending->error);
    g_free(pending);
}

/* Before its first message a client may be half known only, and be told nothing. */
static Client *client_on(int fd)
{
    Client *self = g_new0(Client, 1);

    self->signals = g_string_new(NULL);
    self->pending = g_ptr_array_new_with_free_func((GDestroyNotify)pending_free);
    ck_assert_int_ge(sd_bus_new(&self->bus), 0);
    ck_assert_int_ge(sd_bus_set_fd(self->bus, fd, fd), 0);
    ck_assert_int_ge(sd_bus_negotiate_fds(self->bus, true), 0);
    ck_assert_int_ge(sd_bus_start(self->bus), 0);
    ck_assert_int_ge(sd_bus_add_match(self->bus, NULL,
                                      "type='signal',path_namespace='" BUS_PATH "'", on_signal,
                                      self),
                     0);
    g_ptr_array_add(clients, self);
    (void)bus_call(self, BUS_PATH, "org.freedesktop.DBus.Peer.Ping", "");
    return self;
}

void client_leave(Client *leaving)
{
    g_ptr_array_remove(clients, leaving);
    sd_bus_message_unref(leaving->reply);
    sd_bus_error_free(&leaving->error);
    sd_bus_close_unref(leaving->bus);
    g_ptr_array_unref(leaving->pending);
    g_string_free(leaving->signals, TRUE);
    if (leaving == client)
        client = NULL;
    g_free(leaving);
}

void world_inherit(void)
{
    int pair[2];

    world_make();
    listens = false;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    service_start("--private=fd:3", pair[1]);
    fd_close(pair[1]);
    client = client_on(pair[0]);
}

int raw_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    for (unsigned i = 0; i < PATIENCE_MSEC; i++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        (void)usleep(1000); /* the service is on its way up */
    }
    ck_abort_msg("connecting to %s: %s", address.sun_path, g_strerror(errno));
}

Client *client_new(void)
{
    return client_on(raw_connect());
}

void world_listen(void)
{
    world_make();
    listens = true;
    g_autofree char *private = g_strdup_printf("--private=%s/socket", directory);
    service_start(private, -1);
    client = client_new();
}

void client_run(Client *from, unsigned msec)
{
    gint64 end = g_get_monotonic_time() + (gint64)msec * 1000, now;

    while ((now = g_get_monotonic_time()) < end) {
        int r = sd_bus_process(from->bus, NULL);
        ck_assert_msg(r >= 0, "the connection: %s", g_strerror(-r));
        if (r == 0)
            ck_assert_int_ge(sd_bus_wait(from->bus, (uint64_t)(end - now)), 0);
    }
}

void signal_await(Client *from, const char *line)
{
    g_autofree char *wanted = g_strdup_printf("\n%s", line);

    for (unsigned i = 0; i < PATIENCE_MSEC; i++) {
        if (g_str_has_prefix(from->signals->str, line) || strstr(from->signals->str, wanted))
            return;
        client_run(from, 1);
    }
    ck_abort_msg("no signal '%s' among:\n%s", line, from->signals->str);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static sd_bus_message *make_call(Client *from, const char *path, const char *method,
                                 const char *types, va_list args)
{
    const char *dot = strrchr(method, '.');
    g_autofree char *named = dot ? g_strndup(method, (gsize)(dot - method)) : NULL;
    const char *interface = named                         ? named
                            : strcmp(path, BUS_PATH) == 0 ? INTERFACE_MANAGER
                                                          : INTERFACE_INSTANCE;
    sd_bus_message *message;

    ck_assert_int_ge(sd_bus_message_new_method_call(from->bus, &message, NULL, path, interface,
                                                    dot ? dot + 1 : method),
                     0);
    if (*types)
        ck_assert_int_ge(sd_bus_message_appendv(message, types, args), 0);
    return message;
}

static void call(Client *from, sd_bus_message *message)
{
    from->reply = sd_bus_message_unref(from->reply);
    sd_bus_error_free(&from->error);
    (void)sd_bus_call(from->bus, message, PATIENCE_MSEC * UINT64_C(1000), &from->error,
                      &from->reply);
    sd_bus_message_unref(message);
}

sd_bus_message *bus_call(Client *from, const char *path, const char *method, const char *types, ...)
{
    va_list args;

    va_start(args, types);
    call(from, make_call(from, path, method, types, args));
    va_end(args);
    ck_assert_msg(from->reply, "%s: %s: %s", method, from->error.name, from->error.message);
    return from->reply;
}

const char *bus_refuse(Client *from, const char *error, const char *path, const char *method,
                       const char *types, ...)
{
    g_autofree char *suffix = g_strconcat(".", error, NULL);
    va_list args;

    va_start(args, types);
    call(from, make_call(from, path, method, types, args));
    va_end(args);
    ck_assert_msg(from->error.name, "%s succeeded", method);
    ck_assert_msg(g_str_has_suffix(from->error.name, suffix), "%s: %s instead of %s: %s", method,
                  from->error.name, error, from->error.message);
    ck_assert_msg(from->error.message && *from->error.message, "%s: no message", method);
    return from->error.message;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    Pending *pending = userdata;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);

    (void)error;
    pending->over = true;
    pending->error = g_strdup(failure ? strrchr(failure->name, '.') + 1 : "");
    return 0;
}

Pending *bus_begin(Client *from, const char *path, const char *method, const char *types, ...)
{
    Pending *pending = g_new0(Pending, 1);
    va_list args;

    pending->client = from;
    g_ptr_array_add(from->pending, pending);
    va_start(args, types);
    g_autoptr(sd_bus_message) message = make_call(from, path, method, types, args);
    va_end(args);
    ck_assert_int_ge(
        sd_bus_call_async(from->bus, NULL, message, on_answer, pending, PATIENCE_MSEC * 1000), 0);
    ck_assert_int_ge(sd_bus_flush(from->bus), 0);
    return pending;
}

const char *pending_finish(Pending *pending)
{
    for (unsigned i = 0; i < PATIENCE_MSEC && !pending->over; i++)
        client_run(pending->client, 1);
    ck_assert_msg(pending->over, "no answer");
    return pending->error;
}
