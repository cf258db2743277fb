/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs three commands, which is a setting that InstanceConfig has no field for, and waits for their
 * ends in a loop of its own:
 *
 *     cc -o watch watch.c $(pkg-config --cflags --libs constellation)
 */

#include <constellation.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static int start(int number)
{
    char command[64];
    const ConstellationSetting settings[] = {
        { "Command", command },
        { "StandardOutput", "null" },
    };
    InstanceConfig config = { .enable_networking = true, .enable_filesystem = true };
    Instance *instance;

    snprintf(config.name, sizeof config.name, "job-%d", number);
    snprintf(command, sizeof command, "sh -c 'sleep 0.%d; exit %d'", number, number);
    if (constellation_instance_create_with(&config, settings, 2, &instance) != CONSTELLATION_OK)
        return -1;
    return constellation_instance_start(instance) == CONSTELLATION_OK ? 0 : -1;
}

int main(void)
{
    ControllerConfig controller = { 0 };
    struct pollfd readable = { .events = POLLIN };
    ConstellationEvent event;
    int running = 0;

    if (constellation_init(&controller) != 0 || (readable.fd = constellation_event_fd()) < 0)
        goto fail;
    for (int number = 1; number <= 3; number++, running++)
        if (start(number) < 0)
            goto fail;
    while (running > 0 && poll(&readable, 1, 10000) > 0)
        while (constellation_event_next(&event) > 0)
            if (event.type == CONSTELLATION_EVENT_EXITED) {
                printf("%s: %s, status %d\n", constellation_instance_get(event.id)->name,
                       event.end.result, event.end.status);
                running--;
            }
    return constellation_shutdown() == 0 && running == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

fail:
    fprintf(stderr, "%s\n", constellation_last_error());
    return EXIT_FAILURE;
}
