/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The C library beside plain calls over sd-bus, at one service on a private socket, in turns: what
 * an instance costs that is only made and destroyed, and one that is started and stopped as well.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "lib/constellation.h"

#define ROUNDS_DEFAULT 300
#define ROUNDS_MAX     10000
#define NAME           "org.rads.Constellation"

typedef enum Row {
    ROW_RAW_CREATE,
    ROW_RAW_DESTROY,
    ROW_RAW_WHOLE,
    ROW_CREATE,
    ROW_DESTROY,
    ROW_WHOLE,
    _ROW_COUNT,
} Row;

static double samples[_ROW_COUNT][ROUNDS_MAX]; /* microseconds */
static unsigned counts[_ROW_COUNT];
static sd_bus *bus;

static _Noreturn void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static double now_usec(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void sample(Row row, double since)
{
    samples[row][counts[row]++] = now_usec() - since;
}

/* ---- plain calls ----------------------------------------------------------------------------- */

static void call(const char *path, const char *method, const char *types, bool force)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = force ? sd_bus_call_method(bus, NAME, path, NAME ".Instance", method, &error, NULL,
                                       types, 1, "Force", "b", 1)
                  : sd_bus_call_method(bus, NAME, path, NAME ".Instance", method, &error, NULL,
                                       types, 0);

    if (r < 0)
        die(method, error.message);
    sd_bus_error_free(&error);
}

static char *raw_create(void)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path;

    if (sd_bus_call_method(bus, NAME, "/org/rads/Constellation", NAME ".Manager", "CreateInstance",
                           &error, &reply, "sa{sv}", "raw", 2, "Command", "as", 2, "sleep", "100",
                           "Persistent", "b", 0) < 0 ||
        sd_bus_message_read(reply, "o", &path) < 0)
        die("CreateInstance", error.message);
    char *copy = strdup(path);
    sd_bus_message_unref(reply);
    return copy;
}

static void raw_round(bool whole)
{
    double begin = now_usec();
    char *path = raw_create();

    if (whole) {
        call(path, "Start", "a{sv}", false);
        call(path, "Stop", "a{sv}", false);
        call(path, "Destroy", "a{sv}", true);
        sample(ROW_RAW_WHOLE, begin);
    } else {
        sample(ROW_RAW_CREATE, begin);
        begin = now_usec();
        call(path, "Destroy", "a{sv}", true);
        sample(ROW_RAW_DESTROY, begin);
    }
    free(path);
}

/* ---- the library ----------------------------------------------------------------------------- */

static void must(ConstellationError error, const char *what)
{
    if (error != CONSTELLATION_OK)
        die(what, constellation_last_error());
}

static Instance *create(const char *name)
{
    static const ConstellationSetting settings[] = { { "Command", "sleep 100" } };
    InstanceConfig config = { .enable_networking = true, .enable_filesystem = true };
    Instance *instance;

    (void)snprintf(config.name, sizeof config.name, "%s", name);
    must(constellation_instance_create_with(&config, settings, 1, &instance), "create");
    return instance;
}

static void library_round(bool whole)
{
    double begin = now_usec();
    Instance *instance = create("library");

    if (whole) {
        must(constellation_instance_start(instance), "start");
        must(constellation_instance_stop(instance), "stop");
        must(constellation_instance_destroy(instance), "destroy");
        sample(ROW_WHOLE, begin);
    } else {
        sample(ROW_CREATE, begin);
        begin = now_usec();
        must(constellation_instance_destroy(instance), "destroy");
        sample(ROW_DESTROY, begin);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static long resident_kib(const char *process)
{
    char path[64], line[256];
    long kib = 0;

    (void)snprintf(path, sizeof path, "/proc/%s/smaps_rollup", process);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %ld kB", &kib) == 1)
            break;
    if (file)
        (void)fclose(file);
    return kib;
}

static void measure_memory(pid_t service)
{
    enum { COUNT = 400 };
    char name[32], pid[16];

    (void)snprintf(pid, sizeof pid, "%d", service);
    long before = resident_kib("self"), service_before = resident_kib(pid);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "memory-%d", i);
        (void)create(name);
    }
    printf("memory of one that does not run: %.1f KiB in the program, %.1f KiB in the service\n",
           (double)(resident_kib("self") - before) / COUNT,
           (double)(resident_kib(pid) - service_before) / COUNT);
}

/* ---- all ------------------------------------------------------------------------------------- */

static pid_t start_service(const char *program, const char *socket)
{
    char private[128];
    char *argv[] = { (char *)"constellationd", private, (char *)"--log-level=err", NULL };
    pid_t pid;

    (void)snprintf(private, sizeof private, "--private=%s", socket);
    int r = posix_spawn(&pid, program, NULL, NULL, argv, environ);
    if (r != 0)
        die(program, strerror(r));
    for (int i = 0; i < 500 && access(socket, F_OK) < 0; i++)
        (void)poll(NULL, 0, 10);
    return pid;
}

static void connect_both(const char *socket)
{
    ControllerConfig config = { 0 };
    char address[128];

    (void)snprintf(address, sizeof address, "unix:path=%s", socket);
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_start(bus) < 0)
        die(socket, "cannot connect");
    must(constellation_set_option("Service", socket), "Service");
    if (constellation_init(&config) != 0)
        die("init", constellation_last_error());
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* part 2: the median; 10: what a tenth is faster than, which others on the machine disturb least.
 */
static double fraction(Row row, unsigned part)
{
    qsort(samples[row], counts[row], sizeof samples[row][0], compare);
    return samples[row][counts[row] / part];
}

static void print_pair(const char *what, Row raw, Row library)
{
    double plain = fraction(raw, 2), ours = fraction(library, 2);

    printf("%-30s sd-bus %8.1f us   library %8.1f us   ratio %.3f, of the fastest tenth %.3f\n",
           what, plain, ours, ours / plain, fraction(library, 10) / fraction(raw, 10));
}

int main(int argc, char **argv)
{
    char directory[] = "/var/tmp/constellation-bench-XXXXXX", socket[96];
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;

    if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX || !mkdtemp(directory))
        die("usage", "bench-library CONSTELLATIOND [ROUNDS]");
    (void)snprintf(socket, sizeof socket, "%s/socket", directory);
    pid_t service = start_service(argv[1], socket);
    connect_both(socket);
    for (unsigned i = 0; i < rounds; i++) {
        /* Who comes second has warm caches, and a kernel that has just moved a process. */
        for (int whole = 0; whole < 2; whole++) {
            void (*const first)(bool) = i % 2 ? raw_round : library_round;
            void (*const second)(bool) = i % 2 ? library_round : raw_round;
            first(whole);
            second(whole);
        }
    }
    print_pair("create", ROW_RAW_CREATE, ROW_CREATE);
    print_pair("destroy", ROW_RAW_DESTROY, ROW_DESTROY);
    print_pair("create, start, stop, destroy", ROW_RAW_WHOLE, ROW_WHOLE);
    measure_memory(service);
    (void)constellation_shutdown();
    sd_bus_flush_close_unref(bus);
    (void)kill(service, SIGTERM);
    (void)waitpid(service, NULL, 0);
    (void)rmdir(directory);
    return EXIT_SUCCESS;
}
