/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a script with half a core and 64 MiB, and ends with its exit status:
 *
 *     cc -o run-script run-script.c $(pkg-config --cflags --libs constellation)
 *     ./run-script ./script.sh
 */

#include <constellation.h>
#include <stdio.h>
#include <stdlib.h>

static int give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, constellation_last_error());
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    ControllerConfig controller = { 0 };
    InstanceConfig config = {
        .name = "example",
        .limits = { .cpu_percent = 50, .ram_mb = 64 },
        .enable_networking = true,
        .enable_filesystem = true,
    };
    Instance *instance;

    if (argc != 2)
        return EXIT_FAILURE;
    snprintf(config.script_path, sizeof config.script_path, "%s", argv[1]);
    if (constellation_init(&controller) != 0)
        return give_up("init");
    if (constellation_instance_create(&config, &instance) != CONSTELLATION_OK)
        return give_up("create");
    if (constellation_instance_start(instance) != CONSTELLATION_OK)
        return give_up("start");
    printf("%s runs as process %d\n", instance->id, instance->pid);

    const IsolationContext *context = instance->isolation_context;
    for (int i = 0; context && i < context->count; i++)
        printf("  %s: %s %s\n", context->kinds[i].kind, context->kinds[i].outcome,
               context->kinds[i].reason);

    if (constellation_instance_wait(instance, -1, NULL) != CONSTELLATION_OK)
        return give_up("wait");
    int status = instance->exit_code;
    constellation_shutdown();
    return status;
}
