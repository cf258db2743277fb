/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* fuzz-bus SECONDS [SEED]: an ordinary user who sends a system service whatever comes to mind.
 *
 * The service, a message bus and a stand-in for polkit run in namespaces of their own, with the
 * bus's policy as it is installed. The user calls every method with arguments of the right and of
 * wrong types, reads and sets properties, leaves in the middle; the stand-in allows her to run
 * instances, sometimes, and otherwise says no in every way there is. Afterwards the service has to
 * be the same process, root's instances untouched, and everything else the user's own. TAP. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/face.h"
#include "bus/fuzz-random.h"
#include "bus/names.h"

#define USER      1000
#define DIRECTORY "/run/fuzz"
#define ADDRESS   "unix:path=" DIRECTORY "/bus"

#define must(what) must_be(what, #what)

static int must_be(int r, const char *what)
{
    if (r < 0) {
        printf("Bail out! %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return r;
}

/* ---- the world ------------------------------------------------------------------------------- */

static const char bus_config[] =
    "<busconfig><type>system</type><listen>" ADDRESS "</listen><auth>EXTERNAL</auth>"
    "<policy context='default'><allow user='*'/><deny own='*'/><deny send_type='method_call'/>"
    "<allow send_type='signal'/><allow send_requested_reply='true' send_type='method_return'/>"
    "<allow send_requested_reply='true' send_type='error'/><allow receive_type='method_call'/>"
    "<allow receive_type='method_return'/><allow receive_type='error'/>"
    "<allow receive_type='signal'/><allow send_destination='org.freedesktop.DBus'/></policy>"
    "<policy user='root'><allow own='*'/><allow send_destination='*'/></policy>"
    "<include>%s/dbus/org.rads.Constellation.conf</include></busconfig>";

static pid_t start(const char *const *argv)
{
    pid_t pid = must(fork());

    if (pid > 0)
        return pid;
    (void)execvp(argv[0], (char **)argv);
    _exit(127);
}

static sd_bus *join_bus(void)
{
    sd_bus *bus = NULL;

    for (unsigned i = 0; i < 1000; i++) {
        if (sd_bus_new(&bus) >= 0 && sd_bus_set_address(bus, ADDRESS) >= 0 &&
            sd_bus_set_bus_client(bus, true) >= 0 && sd_bus_negotiate_fds(bus, true) >= 0 &&
            sd_bus_start(bus) >= 0)
            return bus;
        bus = sd_bus_unref(bus);
        (void)usleep(10 * 1000);
    }
    return NULL;
}

static void make_world(void)
{
    g_autofree char *config = g_strdup_printf(bus_config, getenv("CONSTELLATION_SOURCE"));

    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    must(mount("proc", "/proc", "proc", 0, NULL));
    must(mount("fuzz", "/run", "tmpfs", 0, "mode=0755"));
    must(mount("fuzz", "/var/lib", "tmpfs", 0, "mode=0755"));
    must(mkdir(DIRECTORY, 0755));
    must(g_file_set_contents(DIRECTORY "/bus.conf", config, -1, NULL) ? 0 : -1);
    must(setenv("DBUS_SYSTEM_BUS_ADDRESS", ADDRESS, 1));
}

/* ---- polkit ---------------------------------------------------------------------------------- */

static GHashTable
    *held; /* cancellation id -> question that is not answered until it is taken back */

static int on_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *id;

    (void)userdata;
    (void)error;
    if (sd_bus_message_read(message, "s", &id) < 0)
        return -EINVAL;
    sd_bus_message *question = g_hash_table_lookup(held, id);
    if (question)
        (void)sd_bus_reply_method_errorf(question, "org.freedesktop.PolicyKit1.Error.Cancelled",
                                         "taken back");
    g_hash_table_remove(held, id);
    return sd_bus_reply_method_return(message, NULL);
}

static int hold(sd_bus_message *message, const char *id)
{
    g_hash_table_replace(held, g_strdup(id), sd_bus_message_ref(message));
    return 1;
}

static int on_question(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *action, *id;

    (void)userdata;
    if (sd_bus_message_skip(message, "(sa{sv})") < 0 ||
        sd_bus_message_read(message, "s", &action) < 0 ||
        sd_bus_message_skip(message, "a{ss}u") < 0 || sd_bus_message_read(message, "s", &id) < 0)
        return -EINVAL;
    bool run = g_str_has_suffix(action, ".run");
    if (chance(500) == 0)
        return hold(message, id);
    switch (chance(run ? 4 : 6)) {
    case 0:
        return sd_bus_error_set(error, "org.freedesktop.PolicyKit1.Error.Failed", "no luck");
    case 1:
        return sd_bus_reply_method_return(message, "(bba{ss})", 0, chance(2), 0);
    case 2:
        return sd_bus_reply_method_return(message, "(bba{ss})", run, 0, 0);
    case 3:
        return sd_bus_reply_method_return(message, "(bba{ss})", run, 0, 0);
    case 4:
        return sd_bus_reply_method_return(message, "(bba{ss})", 0, 1, 1, "polkit.dismissed", "1");
    default:
        return sd_bus_reply_method_return(message, "s", "yes");
    }
}

static _Noreturn void stand_in_for_polkit(void)
{
    sd_bus *bus = join_bus();

    must(sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0));
    held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify)(void (*)(void))sd_bus_message_unref);
    static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_question,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelCheckAuthorization", "s", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
    };
    must(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                  "org.freedesktop.PolicyKit1.Authority", vtable, NULL));
    for (;;)
        if (sd_bus_process(bus, NULL) == 0)
            (void)sd_bus_wait(bus, UINT64_MAX);
}

/* ---- the user -------------------------------------------------------------------------------- */

static const char *random_path(void)
{
    static const char *const paths[] = { BUS_PATH,
                                         BUS_PATH,
                                         BUS_PATH_INSTANCE,
                                         "/",
                                         "/org",
                                         BUS_PATH_INSTANCE "/i0000000000000",
                                         BUS_PATH_INSTANCE "/x/y",
                                         "/org/freedesktop/DBus" };
    const char *seen = PICK(ids);

    return seen && chance(3) ? seen : PICK(paths);
}

static int call_member(sd_bus *bus, sd_bus_message **ret, const char **ret_signature)
{
    static const struct {
        const char *interface, *method, *signature;
    } standard[] = {
        { "org.freedesktop.DBus.Properties", "Get", "ss" },
        { "org.freedesktop.DBus.Properties", "GetAll", "s" },
        { "org.freedesktop.DBus.Properties", "Set", "ssv" },
        { "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "" },
        { "org.freedesktop.DBus.Introspectable", "Introspect", "" },
        { "org.freedesktop.DBus.Peer", "Ping", "" },
    };
    bool manager = chance(2);
    const sd_bus_vtable *vtable = manager ? manager_vtable : instance_vtable;
    unsigned count = 0;

    if (chance(5) == 0) {
        unsigned i = chance(G_N_ELEMENTS(standard));
        *ret_signature = standard[i].signature;
        return sd_bus_message_new_method_call(bus, ret, BUS_NAME, random_path(),
                                              standard[i].interface, standard[i].method);
    }
    for (const sd_bus_vtable *v = vtable; v->type != _SD_BUS_VTABLE_END; v++)
        count += v->type == _SD_BUS_VTABLE_METHOD;
    count = chance(count) + 1;
    while (vtable->type != _SD_BUS_VTABLE_METHOD || --count > 0)
        vtable++;
    *ret_signature = vtable->x.method.signature;
    const char *seen = PICK(ids);
    return sd_bus_message_new_method_call(bus, ret, BUS_NAME,
                                          chance(10) == 0    ? random_path()
                                          : manager || !seen ? BUS_PATH
                                                             : seen,
                                          manager ? INTERFACE_MANAGER : INTERFACE_INSTANCE,
                                          vtable->x.method.member);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    unsigned *outstanding = userdata;
    const char *path;

    (void)error;
    --*outstanding;
    if (sd_bus_message_read(reply, "o", &path) > 0 &&
        g_str_has_prefix(path, BUS_PATH_INSTANCE "/")) {
        char **slot = &ids[chance(G_N_ELEMENTS(ids))];
        g_free(*slot);
        *slot = g_strdup(path);
    }
    return 0;
}

static int send_one(sd_bus *bus, unsigned *outstanding)
{
    g_autoptr(sd_bus_message) message = NULL;
    const char *signature;

    int r = call_member(bus, &message, &signature);
    if (r >= 0)
        r = append_random(message, chance(12) == 0 ? random_signature() : signature, 0);
    if (r >= 0 && chance(4) == 0)
        r = sd_bus_message_set_allow_interactive_authorization(message, true);
    if (r < 0)
        return 0; /* not every thought can be said */
    if (chance(16) == 0) {
        (void)sd_bus_message_set_expect_reply(message, false);
        return sd_bus_send(bus, message, NULL);
    }
    ++*outstanding;
    return sd_bus_call_async(bus, NULL, message, on_reply, outstanding, 10 * G_USEC_PER_SEC);
}

static _Noreturn void be_the_user(unsigned seconds, const char *roots)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    unsigned long sent = 0;

    must(setresgid(USER, USER, USER));
    must(setresuid(USER, USER, USER));
    ids[0] = g_strdup(roots);
    while (g_get_monotonic_time() < end) {
        sd_bus *bus = join_bus();
        unsigned outstanding = 0;
        int r = 0;
        for (unsigned left = chance(500); r >= 0 && left > 0; left--, sent++) {
            r = send_one(bus, &outstanding);
            while (r >= 0 && (r = sd_bus_process(bus, NULL)) > 0)
                continue;
            while (r >= 0 && outstanding > 40 && (r = sd_bus_wait(bus, 100 * 1000)) >= 0)
                r = sd_bus_process(bus, NULL);
        }
        /* In the middle of whatever it is. */
        sd_bus_close_unref(bus);
    }
    printf("# %lu messages\n", sent);
    fflush(stdout);
    _exit(0);
}

/* ---- what is left of it ---------------------------------------------------------------------- */

static sd_bus_message *ask(sd_bus *bus, const char *path, const char *interface, const char *method,
                           const char *types, ...)
{
    sd_bus_message *message = NULL, *reply = NULL;
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    va_list args;

    must(sd_bus_message_new_method_call(bus, &message, BUS_NAME, path, interface, method));
    va_start(args, types);
    must(sd_bus_message_appendv(message, types, args));
    va_end(args);
    if (sd_bus_call(bus, message, 30 * G_USEC_PER_SEC, &error, &reply) < 0)
        printf("# %s: %s: %s\n", method, error.name, error.message);
    sd_bus_message_unref(message);
    return reply;
}

static char *run_roots(sd_bus *bus)
{
    g_autoptr(sd_bus_message) reply = NULL;
    const char *path;

    for (unsigned i = 0; !reply && i < 500; i++, (void)usleep(20 * 1000))
        if (sd_bus_get_name_creds(bus, BUS_NAME, 0, NULL) >= 0)
            reply = ask(bus, BUS_PATH, INTERFACE_MANAGER, "RunInstance", "sa{sv}a{sv}", "roots", 1,
                        "Command", "as", 2, "sleep", "infinity", 0);
    must(reply ? sd_bus_message_read(reply, "o", &path) : -1);
    return g_strdup(path);
}

static bool is_untouched(sd_bus *bus, const char *roots)
{
    uint32_t run = 0, owner = 1;
    g_autofree char *state = NULL;

    return sd_bus_get_property_trivial(bus, BUS_NAME, roots, INTERFACE_INSTANCE, "Run", NULL, 'u',
                                       &run) >= 0 &&
           sd_bus_get_property_trivial(bus, BUS_NAME, roots, INTERFACE_INSTANCE, "Owner", NULL, 'u',
                                       &owner) >= 0 &&
           sd_bus_get_property_string(bus, BUS_NAME, roots, INTERFACE_INSTANCE, "State", NULL,
                                      &state) >= 0 &&
           run == 1 && owner == 0 && g_str_equal(state, "RUNNING");
}

/* The uid of a process, by the owner of its directory in /proc. */
static bool is_of(pid_t pid, uid_t uid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d", pid);
    struct stat status;

    return stat(path, &status) < 0 || status.st_uid == uid;
}

/* Nothing of anybody else's was made, and nothing runs as anybody else. Destroys it all. */
static bool is_all_the_users(sd_bus *bus, const char *roots)
{
    g_autoptr(sd_bus_message)
        reply = ask(bus, BUS_PATH, INTERFACE_MANAGER, "ListInstances", "a{sv}", 0);
    const char *path;
    uint32_t owner, pid;
    bool all = true;
    unsigned count = 0;

    must(reply ? sd_bus_message_enter_container(reply, 'a', "(ssssuuo)") : -1);
    while (sd_bus_message_read(reply, "(ssssuuo)", NULL, NULL, NULL, NULL, &owner, &pid, &path) >
           0) {
        bool is_roots = g_str_equal(path, roots);
        all = all && (is_roots || (owner == USER && (pid == 0 || is_of((pid_t)pid, USER))));
        count += !is_roots;
        sd_bus_message_unref(
            ask(bus, path, INTERFACE_INSTANCE, "Destroy", "a{sv}", 1, "Force", "b", 1));
    }
    printf("# %u instances of the user's at the end\n", count);
    return all;
}

static bool all_ok = true;

static void point(unsigned number, bool ok, const char *name)
{
    all_ok = all_ok && ok;
    printf("%sok %u - %s\n", ok ? "" : "not ", number, name);
}

static int fuzz(unsigned seconds)
{
    static const char *const bus_argv[] = { "dbus-daemon", "--nofork", "--config-file",
                                            DIRECTORY "/bus.conf", NULL };
    const char *const service_argv[] = { getenv("CONSTELLATIOND"), "--no-systemd",
                                         "--log-level=err", NULL };
    int status = 0;

    make_world();
    pid_t bus_pid = start(bus_argv);
    sd_bus *bus = join_bus();
    must(bus ? chmod(DIRECTORY "/bus", 0777) : -1);
    pid_t service = start(service_argv);
    g_autofree char *roots = run_roots(bus);
    pid_t polkit = must(fork());
    if (polkit == 0)
        stand_in_for_polkit();
    pid_t user = must(fork());
    if (user == 0)
        be_the_user(seconds, roots);
    must(waitpid(user, NULL, 0));
    point(1, waitpid(service, &status, WNOHANG) == 0, "the service is alive");
    point(2, is_untouched(bus, roots), "root's instance is untouched");
    point(3, is_all_the_users(bus, roots), "all that was made is the user's, and runs as the user");
    (void)kill(service, SIGTERM);
    (void)waitpid(service, &status, 0);
    point(4, WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ends well");
    sd_bus_unref(bus);
    (void)kill(polkit, SIGKILL);
    (void)kill(bus_pid, SIGKILL);
    return all_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)getpid();
    g_autofree char *program = g_find_program_in_path("dbus-daemon");
    int status = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (geteuid() != 0 || !program || unshare(CLONE_NEWNS | CLONE_NEWPID) < 0) {
        puts("1..0 # SKIP takes root, namespaces and dbus-daemon");
        return EXIT_SUCCESS;
    }
    printf("1..4\n# seed %u\n", seed);
    srandom(seed);
    pid_t pid = must(fork());
    if (pid == 0)
        exit(fuzz(seconds));
    (void)waitpid(pid, &status, 0);
    /* Who has a pid namespace for his children makes no threads any more, and a sanitizer would at
     * the end. */
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}
