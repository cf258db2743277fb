/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of who may call what, against the methods there are. The table is nobody else's
 * business, so the file it stands in is a part of this program. */

#include "bus/authorize.c" /* NOLINT(bugprone-suspicious-include) */
#include "suite.h"

static const struct {
    const char *interface;
    const sd_bus_vtable *vtable;
} interfaces[] = {
    { INTERFACE_MANAGER, manager_vtable },
    { INTERFACE_INSTANCE, instance_vtable },
};

static bool has_method(const char *interface, const char *method)
{
    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        if (strcmp(interfaces[i].interface, interface) != 0)
            continue;
        for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END; v++)
            if (v->type == _SD_BUS_VTABLE_METHOD && strcmp(v->x.method.member, method) == 0)
                return true;
    }
    return false;
}

START_TEST(every_method_has_a_row)
{
    unsigned methods = 0;
    Action action;

    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++)
        for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END; v++) {
            if (v->type != _SD_BUS_VTABLE_METHOD)
                continue;
            methods++;
            ck_assert_msg(action_of_method(interfaces[i].interface, v->x.method.member, &action),
                          "%s.%s", interfaces[i].interface, v->x.method.member);
        }
    ck_assert_uint_eq(methods, G_N_ELEMENTS(rules));
}
END_TEST

START_TEST(every_row_has_a_method)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        ck_assert_msg(has_method(rules[i].interface, rules[i].method), "%s.%s", rules[i].interface,
                      rules[i].method);
}
END_TEST

START_TEST(no_method_has_two_rows)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(rules[i].interface, rules[k].interface) != 0 ||
                              strcmp(rules[i].method, rules[k].method) != 0,
                          "%s", rules[i].method);
}
END_TEST

START_TEST(what_is_no_method_has_no_row)
{
    Action action;

    ck_assert(!action_of_method(INTERFACE_MANAGER, "Start", &action));
    ck_assert(!action_of_method(INTERFACE_INSTANCE, "CreateInstance", &action));
    ck_assert(!action_of_method("org.freedesktop.DBus.Properties", "Set", &action));
    ck_assert(!action_of_method(INTERFACE_INSTANCE, "", &action));
}
END_TEST

START_TEST(every_action_has_a_name_of_its_own)
{
    for (Action action = 0; action < _ACTION_COUNT; action++) {
        ck_assert_msg(action_name(action), "%d", action);
        ck_assert(g_str_has_prefix(action_name(action), "org.rads.constellation."));
        for (Action other = 0; other < action; other++)
            ck_assert_str_ne(action_name(action), action_name(other));
    }
}
END_TEST

START_TEST(methods_are_what_the_contract_says)
{
    static const struct {
        const char *interface, *method, *action;
    } rows[] = {
        { INTERFACE_MANAGER, "CreateInstance", "run" },
        { INTERFACE_MANAGER, "RunInstance", "run" },
        { INTERFACE_INSTANCE, "Start", "manage" },
        { INTERFACE_INSTANCE, "Stop", "manage" },
        { INTERFACE_INSTANCE, "Restart", "manage" },
        { INTERFACE_INSTANCE, "Freeze", "manage" },
        { INTERFACE_INSTANCE, "Thaw", "manage" },
        { INTERFACE_INSTANCE, "Destroy", "destroy" },
        { INTERFACE_INSTANCE, "Kill", "destroy" },
        { INTERFACE_INSTANCE, "GetUsage", "inspect" },
        { INTERFACE_INSTANCE, "GetProcesses", "inspect" },
        { INTERFACE_INSTANCE, "GetPlan", "inspect" },
        { INTERFACE_INSTANCE, "Describe", "inspect" },
        { INTERFACE_INSTANCE, "GetEnvironment", "read-secrets" },
    };
    Action action;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert(action_of_method(rows[i].interface, rows[i].method, &action));
        ck_assert_msg(g_str_has_suffix(action_name(action), rows[i].action), "%s", rows[i].method);
    }
}
END_TEST

START_TEST(on_the_system_bus_root_alone_is_served)
{
    const Controller controller = { .mode = MODE_SYSTEM, .uid = 0 };

    ck_assert(is_allowed(&controller, 0));
    ck_assert(!is_allowed(&controller, 1000));
    ck_assert(!is_allowed(&controller, (uid_t)-1));
}
END_TEST

START_TEST(a_service_of_ones_own_serves_its_user_and_root)
{
    static const Mode modes[] = { MODE_USER, MODE_PRIVATE };

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        const Controller controller = { .mode = modes[i], .uid = 1000 };
        ck_assert(is_allowed(&controller, 1000) && is_allowed(&controller, 0));
        ck_assert(!is_allowed(&controller, 1001) && !is_allowed(&controller, (uid_t)-1));
    }
}
END_TEST

SUITE_MAIN("bus/authorize", every_method_has_a_row, every_row_has_a_method, no_method_has_two_rows,
           what_is_no_method_has_no_row, every_action_has_a_name_of_its_own,
           methods_are_what_the_contract_says, on_the_system_bus_root_alone_is_served,
           a_service_of_ones_own_serves_its_user_and_root)
