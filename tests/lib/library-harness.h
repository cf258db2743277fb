/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the library have in common: an embedded service for each test, and instances of
 * one line. What is not being tested is asserted here. */

#include <constellation.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"

#define ck_assert_ok(call) ck_assert_msg((call) == 0, "%s: %s", #call, constellation_last_error())

/* The call must fail like this, and say so with these words. */
#define ck_assert_fails(call, error, words)                                           \
    do {                                                                              \
        ck_assert_int_eq((int)(call), (int)(error));                                  \
        ck_assert_msg(strstr(constellation_last_error(), words), "\"%s\" without %s", \
                      constellation_last_error(), words);                             \
    } while (0)

static inline void library_begin(void)
{
    ControllerConfig config = { 0 };

    ck_assert_ok(constellation_init(&config));
}

static inline void library_end(void)
{
    if (constellation_is_running())
        ck_assert_ok(constellation_shutdown());
    else
        (void)constellation_shutdown();
}

static inline InstanceConfig named(const char *name)
{
    InstanceConfig config = { .enable_networking = true, .enable_filesystem = true };

    (void)snprintf(config.name, sizeof config.name, "%s", name);
    return config;
}

/* A command, or a sandbox if it is NULL. */
static inline Instance *create(const char *name, const char *command)
{
    const ConstellationSetting settings[] = { { "Command", command } };
    InstanceConfig config = named(name);
    Instance *instance = NULL;

    ck_assert_ok(constellation_instance_create_with(&config, settings, command ? 1 : 0, &instance));
    return instance;
}

static inline Instance *run(const char *name, const char *command)
{
    Instance *instance = create(name, command);

    ck_assert_ok(constellation_instance_start(instance));
    return instance;
}

/* The embedded service, by looking for the process that has this one's pid in its pidfd. */
pid_t embedded_service(void);
