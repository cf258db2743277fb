/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of who may call and read what, against the methods and properties there are; and the
 * decision that is made by it. */

#include <string.h>

#include "bus/authorize.h"
#include "bus/face.h"
#include "suite.h"

#define ALICE 1000
#define BOB   1001

static const struct {
    const char *interface;
    const sd_bus_vtable *vtable;
} interfaces[] = {
    { INTERFACE_MANAGER, manager_vtable },
    { INTERFACE_INSTANCE, instance_vtable },
};

/* The member that a row is about; NULL if there is none. */
static const sd_bus_vtable *find_member(const AccessRow *row)
{
    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++) {
        if (strcmp(interfaces[i].interface, row->interface) != 0)
            continue;
        for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END; v++) {
            if (!row->is_property && v->type == _SD_BUS_VTABLE_METHOD &&
                strcmp(v->x.method.member, row->member) == 0)
                return v;
            if (row->is_property && v->type == _SD_BUS_VTABLE_PROPERTY &&
                strcmp(v->x.property.member, row->member) == 0)
                return v;
        }
    }
    return NULL;
}

static bool is_of_settings(const AccessRow *row)
{
    return strcmp(row->interface, INTERFACE_SETTINGS) == 0;
}

START_TEST(every_method_and_property_has_a_row)
{
    unsigned members = 0, rows = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++)
        for (const sd_bus_vtable *v = interfaces[i].vtable; v->type != _SD_BUS_VTABLE_END; v++)
            members += v->type == _SD_BUS_VTABLE_METHOD || v->type == _SD_BUS_VTABLE_PROPERTY;
    for (size_t i = 0; i < ACCESS_ROW_COUNT; i++)
        rows += !is_of_settings(access_row(i));
    ck_assert_uint_eq(members, rows);
}
END_TEST

START_TEST(every_row_has_a_method_or_property)
{
    for (size_t i = 0; i < ACCESS_ROW_COUNT; i++)
        ck_assert_msg(is_of_settings(access_row(i)) || find_member(access_row(i)), "%s.%s",
                      access_row(i)->interface, access_row(i)->member);
}
END_TEST

START_TEST(no_member_has_two_rows)
{
    for (size_t i = 0; i < ACCESS_ROW_COUNT; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(access_row(i)->interface, access_row(k)->interface) != 0 ||
                              strcmp(access_row(i)->member, access_row(k)->member) != 0,
                          "%s", access_row(i)->member);
}
END_TEST

START_TEST(what_is_no_method_has_no_row)
{
    ck_assert_ptr_null(access_find_method(INTERFACE_MANAGER, "Start"));
    ck_assert_ptr_null(access_find_method(INTERFACE_INSTANCE, "CreateInstance"));
    ck_assert_ptr_null(access_find_method(INTERFACE_INSTANCE, "State"));
    ck_assert_ptr_null(access_find_method("org.freedesktop.DBus.Properties", "Set"));
    ck_assert_ptr_null(access_find_method(INTERFACE_INSTANCE, ""));
    ck_assert_ptr_null(access_find_method(NULL, "Start"));
    ck_assert_ptr_null(access_find_method(INTERFACE_INSTANCE, NULL));
}
END_TEST

START_TEST(signals_carry_the_values_of_public_properties_only)
{
    for (size_t i = 0; i < ACCESS_ROW_COUNT; i++) {
        const AccessRow *row = access_row(i);
        const sd_bus_vtable *member = row->is_property ? find_member(row) : NULL;
        if (!member || strcmp(row->interface, INTERFACE_INSTANCE) != 0)
            continue;
        bool carries = (member->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE) != 0;
        ck_assert_msg(!(member->flags & SD_BUS_VTABLE_PROPERTY_CONST), "%s", row->member);
        ck_assert_msg(carries == (row->rule == ACCESS_EVERYBODY), "%s", row->member);
        ck_assert_msg(carries == access_is_public(row->member), "%s", row->member);
    }
}
END_TEST

START_TEST(every_action_has_a_name_of_its_own)
{
    ck_assert_ptr_null(action_name(ACTION_NONE));
    for (Action action = ACTION_NONE + 1; action < _ACTION_COUNT; action++) {
        ck_assert_msg(action_name(action), "%u", action);
        ck_assert(g_str_has_prefix(action_name(action), "org.rads.constellation."));
        for (Action other = ACTION_NONE + 1; other < action; other++)
            ck_assert_str_ne(action_name(action), action_name(other));
    }
}
END_TEST

START_TEST(methods_are_what_the_contract_says)
{
    static const struct {
        const char *interface, *method, *action;
        AccessRule rule;
    } rows[] = {
        { INTERFACE_MANAGER, "CreateInstance", "run", ACCESS_ONESELF },
        { INTERFACE_MANAGER, "RunInstance", "run", ACCESS_ONESELF },
        { INTERFACE_INSTANCE, "Start", "manage", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Stop", "manage", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Restart", "manage", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Freeze", "manage", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Thaw", "manage", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Destroy", "destroy", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Kill", "destroy", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "GetUsage", "inspect", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "GetProcesses", "inspect", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "GetPlan", "inspect", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "Describe", "inspect", ACCESS_OWNER },
        { INTERFACE_INSTANCE, "GetEnvironment", "read-secrets", ACCESS_OWNER },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const AccessRow *row = access_find_method(rows[i].interface, rows[i].method);
        ck_assert_msg(row && row->rule == rows[i].rule, "%s", rows[i].method);
        ck_assert_str_eq(action_name(row->action) + strlen("org.rads.constellation."),
                         rows[i].action);
    }
}
END_TEST

/* ---- decisions ------------------------------------------------------------------------------- */

START_TEST(on_the_system_bus_the_rule_decides)
{
    static const struct {
        AccessRule rule;
        Decision root, owner, other;
    } rows[] = {
        { ACCESS_EVERYBODY, DECISION_TRUSTED, DECISION_OWN, DECISION_OWN },
        { ACCESS_OWNER, DECISION_TRUSTED, DECISION_OWN, DECISION_ASK },
        { ACCESS_ONESELF, DECISION_TRUSTED, DECISION_ASK, DECISION_ASK },
        { ACCESS_SERVICE, DECISION_TRUSTED, DECISION_ASK, DECISION_ASK },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const AccessRow row = { .rule = rows[i].rule };
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, 0, ALICE), rows[i].root);
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, ALICE, ALICE), rows[i].owner);
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, BOB, ALICE), rows[i].other);
    }
}
END_TEST

START_TEST(a_service_of_ones_own_serves_its_user_and_root)
{
    static const Mode modes[] = { MODE_USER, MODE_PRIVATE };
    const AccessRow row = { .rule = ACCESS_EVERYBODY };

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        ck_assert_int_eq(authorize(&row, modes[i], ALICE, ALICE, ALICE), DECISION_TRUSTED);
        ck_assert_int_eq(authorize(&row, modes[i], ALICE, 0, ALICE), DECISION_TRUSTED);
        ck_assert_int_eq(authorize(&row, modes[i], ALICE, BOB, BOB), DECISION_DENY);
    }
}
END_TEST

START_TEST(who_is_nobody_may_nothing)
{
    static const uid_t nobodies[] = { UID_NOBODY_KNOWN, UINT16_MAX };
    const AccessRow row = { .rule = ACCESS_EVERYBODY };

    for (size_t i = 0; i < G_N_ELEMENTS(nobodies); i++) {
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, nobodies[i], nobodies[i]), DECISION_DENY);
        ck_assert_int_eq(authorize(&row, MODE_USER, nobodies[i], nobodies[i], 0), DECISION_DENY);
    }
}
END_TEST

START_TEST(what_has_no_row_is_denied_to_everybody)
{
    ck_assert_int_eq(authorize(NULL, MODE_SYSTEM, 0, 0, 0), DECISION_DENY);
    ck_assert_int_eq(authorize(NULL, MODE_USER, ALICE, ALICE, ALICE), DECISION_DENY);
}
END_TEST

START_TEST(large_uids_are_users_like_all)
{
    static const uid_t uids[] = { 65534, 65536, 4000000000u, 0xfffffffeu };
    const AccessRow row = { .rule = ACCESS_OWNER };

    for (size_t i = 0; i < G_N_ELEMENTS(uids); i++) {
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, uids[i], uids[i]), DECISION_OWN);
        ck_assert_int_eq(authorize(&row, MODE_SYSTEM, 0, uids[i], uids[i] - 1), DECISION_ASK);
    }
}
END_TEST

SUITE_MAIN("bus/authorize", every_method_and_property_has_a_row, every_row_has_a_method_or_property,
           no_member_has_two_rows, what_is_no_method_has_no_row,
           signals_carry_the_values_of_public_properties_only, every_action_has_a_name_of_its_own,
           methods_are_what_the_contract_says, on_the_system_bus_the_rule_decides,
           a_service_of_ones_own_serves_its_user_and_root, who_is_nobody_may_nothing,
           what_has_no_row_is_denied_to_everybody, large_uids_are_users_like_all)
