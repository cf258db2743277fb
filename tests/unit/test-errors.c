/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table from errors to their names on the bus. */

#include <string.h>

#include "bus/errors.h"
#include "bus/names.h"
#include "suite.h"

static const char *name_of(ErrorCode code)
{
    g_autoptr(GError) error = g_error_new_literal(CONSTELLATION_ERROR, (int)code, "x");

    return bus_error_name(error);
}

START_TEST(every_code_has_a_name_of_its_own)
{
    for (ErrorCode code = 0; code < _CONSTELLATION_ERROR_COUNT; code++) {
        ck_assert_msg(name_of(code), "%u", code);
        ck_assert(g_str_has_prefix(name_of(code), "org.freedesktop.DBus.Error.") ||
                  g_str_has_prefix(name_of(code), BUS_ERROR_PREFIX));
        for (ErrorCode other = 0; other < code; other++)
            ck_assert_str_ne(name_of(code), name_of(other));
    }
}
END_TEST

START_TEST(names_are_those_of_the_contract)
{
    static const struct {
        ErrorCode code;
        const char *name;
    } rows[] = {
        { CONSTELLATION_ERROR_INVALID_ARGS, "org.freedesktop.DBus.Error.InvalidArgs" },
        { CONSTELLATION_ERROR_NO_MEMORY, "org.freedesktop.DBus.Error.NoMemory" },
        { CONSTELLATION_ERROR_ACCESS_DENIED, "org.freedesktop.DBus.Error.AccessDenied" },
        { CONSTELLATION_ERROR_LIMITS_EXCEEDED, "org.freedesktop.DBus.Error.LimitsExceeded" },
        { CONSTELLATION_ERROR_NOT_SUPPORTED, "org.freedesktop.DBus.Error.NotSupported" },
        { CONSTELLATION_ERROR_TIMEOUT, "org.freedesktop.DBus.Error.Timeout" },
        { CONSTELLATION_ERROR_NO_SUCH_INSTANCE, BUS_ERROR_PREFIX "NoSuchInstance" },
        { CONSTELLATION_ERROR_INSTANCE_EXISTS, BUS_ERROR_PREFIX "InstanceExists" },
        { CONSTELLATION_ERROR_INVALID_STATE, BUS_ERROR_PREFIX "InvalidState" },
        { CONSTELLATION_ERROR_SPAWN_FAILED, BUS_ERROR_PREFIX "SpawnFailed" },
        { CONSTELLATION_ERROR_ISOLATION_FAILED, BUS_ERROR_PREFIX "IsolationFailed" },
        { CONSTELLATION_ERROR_CGROUP_FAILED, BUS_ERROR_PREFIX "CgroupFailed" },
        { CONSTELLATION_ERROR_NAMESPACE_FAILED, BUS_ERROR_PREFIX "NamespaceFailed" },
        { CONSTELLATION_ERROR_STALE, BUS_ERROR_PREFIX "Stale" },
        { CONSTELLATION_ERROR_CANCELLED, BUS_ERROR_PREFIX "Cancelled" },
        { CONSTELLATION_ERROR_NODE_UNAVAILABLE, BUS_ERROR_PREFIX "NodeUnavailable" },
        { CONSTELLATION_ERROR_AUTHORIZATION_REQUIRED,
          "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_str_eq(name_of(rows[i].code), rows[i].name);
}
END_TEST

START_TEST(errors_of_others_are_failures)
{
    g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, 0, "x");

    ck_assert_str_eq(bus_error_name(foreign), SD_BUS_ERROR_FAILED);
    ck_assert_str_eq(name_of(_CONSTELLATION_ERROR_COUNT), SD_BUS_ERROR_FAILED);
    ck_assert_str_eq(name_of((ErrorCode)-1), SD_BUS_ERROR_FAILED);
}
END_TEST

START_TEST(a_failure_carries_its_message_and_is_negative)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;

    for (ErrorCode code = 0; code < _CONSTELLATION_ERROR_COUNT; code++) {
        sd_bus_error_free(&error);
        ck_assert_int_lt(bus_fail_code(&error, code, "%s: %d%%", "web", 50), 0);
        ck_assert_str_eq(error.name, name_of(code));
        ck_assert_str_eq(error.message, "web: 50%");
    }
}
END_TEST

SUITE_MAIN("bus/errors", every_code_has_a_name_of_its_own, names_are_those_of_the_contract,
           errors_of_others_are_failures, a_failure_carries_its_message_and_is_negative)
