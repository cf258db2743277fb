/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The checks that the original library reported on, as a program for it would make them: the public
 * header and nothing else, whatever service there is. Each check is one point of TAP. The argument
 * is the kind of service that must have been found. */

#include <constellation.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned points, failures;
static char script[64];
static ControllerConfig controller = { .control_port = 7000, .data_port = 7001 };

static void check(const char *group, const char *name, bool passed)
{
    points++;
    failures += !passed;
    printf("%s %u - %s: %s\n", passed ? "ok" : "not ok", points, group, name);
    if (!passed)
        printf("# the last error was: %s\n", constellation_last_error());
}

/* ---- what is run ----------------------------------------------------------------------------- */

static void write_script(void)
{
    static const char text[] = "#!/bin/sh\nexec sleep 1000\n";
    int fd;

    (void)snprintf(script, sizeof script, "%s", "/var/tmp/constellation-report-XXXXXX");
    fd = mkstemp(script);
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0 || fchmod(fd, 0755) < 0 || close(fd) < 0) {
        printf("Bail out! %s: %s\n", script, strerror(errno));
        exit(EXIT_FAILURE);
    }
}

static InstanceConfig config_of(const char *name)
{
    InstanceConfig config = { .enable_networking = true, .enable_filesystem = true };

    (void)snprintf(config.name, sizeof config.name, "%s", name);
    (void)snprintf(config.script_path, sizeof config.script_path, "%s", script);
    return config;
}

static Instance *create(const char *name)
{
    InstanceConfig config = config_of(name);
    Instance *instance = NULL;

    return constellation_instance_create(&config, &instance) == CONSTELLATION_OK ? instance : NULL;
}

static Instance *started(const char *name)
{
    Instance *instance = create(name);

    return constellation_instance_start(instance) == CONSTELLATION_OK ? instance : NULL;
}

/* EPERM: it lives, and is not ours to signal. */
static bool lives(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void check_init(const char *kind)
{
    const char *group = "controller initialization";

    check(group, "before it nothing runs", !constellation_is_running());
    check(group, "constellation_init() is 0", constellation_init(&controller) == 0);
    check(group, "then the controller runs",
          constellation_is_running() && strcmp(constellation_service(), kind) == 0);
}

static void check_creation(void)
{
    const char *group = "creation";
    InstanceConfig config = config_of("first");
    Instance *instance = NULL;
    time_t before = time(NULL);

    config.limits = (ResourceLimits){ .cpu_percent = 50, .ram_mb = 64 };
    check(group, "it succeeds",
          constellation_instance_create(&config, &instance) == CONSTELLATION_OK && instance);
    if (!instance)
        return;
    check(group, "the instance has an id", *instance->id);
    check(group, "it has its name", strcmp(instance->name, "first") == 0);
    check(group, "it is PENDING", instance->state == INSTANCE_STATE_PENDING);
    check(group, "it has no process", instance->pid == 0);
    check(group, "it has its limits",
          instance->limits.cpu_percent == 50 && instance->limits.ram_mb == 64);
    check(group, "it knows when", instance->created_at >= before && instance->started_at == 0);
    check(group, "it can be destroyed",
          constellation_instance_destroy(instance) == CONSTELLATION_OK);
}

static void check_lifecycle(void)
{
    const char *group = "lifecycle";
    Instance *instance = create("life");

    check(group, "started, it is RUNNING and has a process",
          constellation_instance_start(instance) == CONSTELLATION_OK &&
              instance->state == INSTANCE_STATE_RUNNING && lives(instance->pid));
    pid_t pid = instance ? instance->pid : 0;
    check(group, "stopped, it is STOPPED and its process is gone",
          constellation_instance_stop(instance) == CONSTELLATION_OK &&
              instance->state == INSTANCE_STATE_STOPPED && !lives(pid) && instance->pid == 0);
    check(group, "it can be started again, and destroyed while it runs",
          constellation_instance_start(instance) == CONSTELLATION_OK && instance->pid != pid &&
              constellation_instance_destroy(instance) == CONSTELLATION_OK);
}

static void check_multiple(void)
{
    Instance *instances[] = { started("one"), started("two"), started("three") };
    int count = 0;
    Instance **list = constellation_instance_list(&count);
    bool together = list && count == 3;

    for (int i = 0; together && i < 3; i++)
        together = list[i] == instances[i] && list[i]->state == INSTANCE_STATE_RUNNING &&
                   list[i]->pid != list[(i + 1) % 3]->pid;
    check("multiple instances", "three run at once, each by itself", together);
    for (int i = 0; i < 3; i++)
        (void)constellation_instance_destroy(instances[i]);
}

static void check_query(void)
{
    const char *group = "query";
    Instance *instance = started("query");
    int count;

    check(group, "an instance is found by its id",
          instance && constellation_instance_get(instance->id) == instance);
    check(group, "it is listed", constellation_instance_list(&count) && count == 1);
    check(group, "its state is told",
          constellation_instance_state(instance) == INSTANCE_STATE_RUNNING);
    (void)constellation_instance_destroy(instance);
}

static void check_errors(void)
{
    const char *group = "errors";
    InstanceConfig config = config_of("lost");
    Instance *instance = NULL;

    check(group, "NULL is no parameter",
          constellation_instance_create(NULL, &instance) == CONSTELLATION_ERR_INVALID_PARAM &&
              constellation_instance_start(NULL) == CONSTELLATION_ERR_INVALID_PARAM &&
              constellation_instance_state(NULL) == INSTANCE_STATE_UNKNOWN);
    check(group, "an unknown id finds nothing",
          !constellation_instance_get("i00000000000000") &&
              constellation_last_error_code() == CONSTELLATION_ERR_NOT_FOUND);
    instance = create("twice");
    check(group, "a name is had once",
          !create("twice") && constellation_last_error_code() == CONSTELLATION_ERR_ALREADY_EXISTS);
    (void)constellation_instance_destroy(instance);
    (void)snprintf(config.script_path, sizeof config.script_path, "/nonexistent/script");
    check(group, "a script that is not there is an error of the start",
          constellation_instance_create(&config, &instance) == CONSTELLATION_OK &&
              constellation_instance_start(instance) == CONSTELLATION_ERR_SPAWN_FAILED &&
              instance->state == INSTANCE_STATE_FAILED &&
              strstr(constellation_last_error(), "/nonexistent/script"));
    (void)constellation_instance_destroy(instance);
}

/* Private, or the reason why not. */
static bool is_accounted_for(const Instance *instance, const char *kind)
{
    const IsolationContext *context = instance ? instance->isolation_context : NULL;
    char own[64], other[64], path[64];

    for (int i = 0; context && i < context->count; i++) {
        const IsolationKind *row = &context->kinds[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        if (strcmp(row->outcome, "private") != 0)
            return *row->reason;
        (void)snprintf(path, sizeof path, "/proc/%d/ns/%s", instance->pid, kind);
        ssize_t length = readlink(path, other, sizeof other);
        (void)snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
        /* Of a process of another user it cannot be read. */
        return length < 0 || readlink(path, own, sizeof own) != length ||
               memcmp(own, other, (size_t)length) != 0;
    }
    return false;
}

static void check_isolation(void)
{
    const char *group = "isolation";
    Instance *instance = started("alone");

    check(group, "its processes are its own", is_accounted_for(instance, "pid"));
    check(group, "its host name is its own", is_accounted_for(instance, "uts"));
    check(group, "its IPC is its own", is_accounted_for(instance, "ipc"));
    (void)constellation_instance_destroy(instance);
}

static void check_limits(void)
{
    const char *group = "limits";
    Instance *instance = started("limited");
    ResourceUsage usage;

    check(group, "the statistics can be updated",
          constellation_instance_update_stats(instance) == CONSTELLATION_OK &&
              instance->usage.last_update > 0);
    usage = constellation_instance_get_usage(instance);
    check(group, "the usage is told", usage.last_update > 0 && usage.cpu_percent >= 0);
    (void)constellation_instance_destroy(instance);
}

static void check_shutdown(void)
{
    const char *group = "shutdown";
    Instance *instance = started("last");
    pid_t pid = instance ? instance->pid : 0;

    check(group, "constellation_shutdown() is 0 and ends what runs",
          lives(pid) && constellation_shutdown() == 0 && !lives(pid));
    check(group, "then the controller does not run", !constellation_is_running());
}

int main(int argc, char **argv)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    write_script();
    check_init(argc > 1 ? argv[1] : "embedded");
    check_creation();
    check_lifecycle();
    check_multiple();
    check_query();
    check_errors();
    check_isolation();
    check_limits();
    check_shutdown();
    (void)unlink(script);
    printf("1..%u\n", points);
    return failures == 0 && points == 29 ? EXIT_SUCCESS : EXIT_FAILURE;
}
