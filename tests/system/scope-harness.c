/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests with a real systemd share. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/scope-harness.h"
#include "unit/suite.h"

sd_event *event;
Resources *resources;
char *realm;
bool user;

static void set_up(void)
{
    realm = g_strdup_printf("test%d", getpid());
    ck_assert_int_ge(sd_event_new(&event), 0);
    resources = resources_new(&(ResourcesOptions){
        .event = event,
        .realm = realm,
        .user_manager = user,
        .service_unit = "basic.target",
    });
    ck_assert_msg(resources->manager, "%s", resources->manager_reason);
}

static void tear_down(void)
{
    resources_free(resources);
    sd_event_unref(event);
    g_free(realm);
}

/* ---- helpers --------------------------------------------------------------------------------- */

char *systemctl(const char *arguments)
{
    g_autofree char *command = g_strdup_printf("systemctl %s %s 2>&1", user ? "--user" : "",
                                               arguments);
    FILE *output = popen(command, "re");
    GString *text = g_string_new(NULL);
    int c;

    while ((c = fgetc(output)) != EOF)
        g_string_append_c(text, (char)c);
    pclose(output);
    return g_strchomp(g_string_free(text, false));
}

void check_property(const char *unit, const char *property, const char *expected)
{
    g_autofree char *arguments = g_strdup_printf("show %s --value -p %s", unit, property);
    g_autofree char *actual = systemctl(arguments);

    ck_assert_msg(g_str_equal(actual, expected), "%s of %s is %s, not %s", property, unit, actual,
                  expected);
}

bool is_loaded(const char *unit)
{
    g_autofree char *arguments = g_strdup_printf("show %s --value -p LoadState", unit);
    g_autofree char *state = systemctl(arguments);

    return g_str_equal(state, "loaded");
}

void check_gone(const char *unit)
{
    for (int i = 0; i < 100 && is_loaded(unit); i++)
        loop_for(event, 100);
    ck_assert_msg(!is_loaded(unit), "%s is still there", unit);
}

Placement *place_with(const Limits *limits, const Child *child)
{
    g_autofree char *id = next_launch_id();
    const PlacementRequest request = request_for(realm, id, limits);
    g_autoptr(GError) error = NULL;
    Placement *placement = place(resources, event, "scope", &request, child, &error);

    ck_assert_msg(placement, "%s", error ? error->message : "");
    return placement;
}

void end_and_release(Placement *placement, Child *child)
{
    child_end(child);
    backend_release(resources, placement);
}

void on_job(GError *error, void *placed)
{
    on_placed(NULL, error, placed);
}

int scope_suite(const char *name, const TTest *const *tests, size_t count)
{
    /* Not just any host: systemd and the bus are restarted. */
    if (!getenv("CONSTELLATION_BED")) {
        printf("1..0 # SKIP not in a test bed\n");
        return EXIT_SUCCESS;
    }
    user = geteuid() != 0;
    (void)setenv("CK_DEFAULT_TIMEOUT", "120", false);
    return suite_run(name, set_up, tear_down, tests, count);
}
