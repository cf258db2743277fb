/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "model/capabilities.h"
#include "model/privileged.h"
#include "model/syscalls.h"

typedef enum Privilege {
    PRIVILEGE_ALWAYS = 0, /* what has no row, too */
    PRIVILEGE_NEVER,
    PRIVILEGE_IF_OFF, /* a choice of required, try, off */
    PRIVILEGE_IF_NO,  /* a boolean that is a protection */
    PRIVILEGE_IF_ANY, /* capabilities */
    PRIVILEGE_IF_UNFILTERED,
    PRIVILEGE_IF_NEGATIVE,
    PRIVILEGE_IF_UNLIMITED, /* a rung without a cgroup */
    PRIVILEGE_IF_RAISED,    /* a limit above the hard one that payloads begin with */
} Privilege;

static const uint8_t privileges[_SETTING_COUNT] = {
    [SETTING_DESCRIPTION] = PRIVILEGE_NEVER,
    [SETTING_SCRIPT] = PRIVILEGE_NEVER, /* read by the payload's user */
    [SETTING_INTERPRETER] = PRIVILEGE_NEVER,
    [SETTING_COMMAND] = PRIVILEGE_NEVER,
    [SETTING_ENVIRONMENT] = PRIVILEGE_NEVER,
    [SETTING_WORKING_DIRECTORY] = PRIVILEGE_NEVER, /* entered by the payload's user */
    [SETTING_USER] = PRIVILEGE_NEVER,              /* a right of its own */
    [SETTING_GROUP] = PRIVILEGE_NEVER,             /* his own, or it is refused */
    [SETTING_SUPPLEMENTARY_GROUPS] = PRIVILEGE_NEVER,
    [SETTING_UMASK] = PRIVILEGE_NEVER,
    [SETTING_STANDARD_OUTPUT] = PRIVILEGE_NEVER, /* opened by the payload's user */
    [SETTING_STANDARD_ERROR] = PRIVILEGE_NEVER,
    [SETTING_IGNORE_SIGPIPE] = PRIVILEGE_NEVER,
    [SETTING_LABELS] = PRIVILEGE_NEVER,
    [SETTING_RESTART] = PRIVILEGE_NEVER,
    [SETTING_RESTART_DELAY] = PRIVILEGE_NEVER,
    [SETTING_RESTART_MAX_DELAY] = PRIVILEGE_NEVER,
    [SETTING_START_LIMIT_BURST] = PRIVILEGE_NEVER,
    [SETTING_START_LIMIT_INTERVAL] = PRIVILEGE_NEVER,
    [SETTING_SUCCESS_EXIT_STATUS] = PRIVILEGE_NEVER,
    [SETTING_RUNTIME_MAX] = PRIVILEGE_NEVER,
    [SETTING_AUTO_START] = PRIVILEGE_NEVER,
    [SETTING_TIMEOUT_START] = PRIVILEGE_NEVER,
    [SETTING_TIMEOUT_STOP] = PRIVILEGE_NEVER,
    [SETTING_KILL_SIGNAL] = PRIVILEGE_NEVER,
    [SETTING_PERSISTENT] = PRIVILEGE_NEVER,
    [SETTING_REMOVE_ON_EXIT] = PRIVILEGE_NEVER,
    [SETTING_BACKEND] = PRIVILEGE_IF_UNLIMITED, /* it would share the launcher's, and no quota */
    [SETTING_REQUIRE] = PRIVILEGE_NEVER,
    [SETTING_PID_NAMESPACE] = PRIVILEGE_IF_OFF,
    [SETTING_MOUNT_NAMESPACE] = PRIVILEGE_IF_OFF,
    [SETTING_UTS_NAMESPACE] = PRIVILEGE_IF_OFF,
    [SETTING_IPC_NAMESPACE] = PRIVILEGE_IF_OFF,
    [SETTING_CGROUP_NAMESPACE] = PRIVILEGE_IF_OFF,
    [SETTING_USER_NAMESPACE] = PRIVILEGE_NEVER, /* off is the default of the system's service */
    [SETTING_ID_MAPPING] = PRIVILEGE_NEVER,     /* auto is one of the others as well */
    [SETTING_HOSTNAME] = PRIVILEGE_NEVER,       /* in a namespace of its own or not at all */
    [SETTING_TIME_NAMESPACE] = PRIVILEGE_NEVER, /* nor is it to have a network or none */
    [SETTING_NETWORK] = PRIVILEGE_NEVER,
    [SETTING_FILESYSTEM] = PRIVILEGE_NEVER,
    [SETTING_BIND_PATHS] = PRIVILEGE_NEVER, /* opened with the owner's rights, without set-uid */
    [SETTING_BIND_READ_ONLY_PATHS] = PRIVILEGE_NEVER,
    [SETTING_TEMPORARY_FILE_SYSTEM] = PRIVILEGE_NEVER,
    [SETTING_READ_WRITE_PATHS] = PRIVILEGE_NEVER, /* of what the user may write to */
    [SETTING_INACCESSIBLE_PATHS] = PRIVILEGE_NEVER,
    [SETTING_PRIVATE_TMP] = PRIVILEGE_NEVER,
    [SETTING_PRIVATE_DEVICES] = PRIVILEGE_NEVER,
    [SETTING_ROOT_DIRECTORY] = PRIVILEGE_NEVER, /* as binds */
    [SETTING_OVERLAY] = PRIVILEGE_NEVER,
    [SETTING_NO_NEW_PRIVILEGES] = PRIVILEGE_IF_NO,
    [SETTING_CAPABILITY_BOUNDING_SET] = PRIVILEGE_IF_ANY,
    [SETTING_AMBIENT_CAPABILITIES] = PRIVILEGE_IF_ANY,
    [SETTING_SYSTEM_CALL_FILTER] = PRIVILEGE_IF_UNFILTERED,
    [SETTING_SYSTEM_CALL_ERROR_NUMBER] = PRIVILEGE_NEVER,
    [SETTING_RESTRICT_NAMESPACES] = PRIVILEGE_NEVER,
    [SETTING_LOCK_PERSONALITY] = PRIVILEGE_NEVER,
    [SETTING_OOM_SCORE_ADJUST] = PRIVILEGE_IF_NEGATIVE,
    [SETTING_NICE] = PRIVILEGE_IF_NEGATIVE,
    [SETTING_LIMIT_CPU] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_FSIZE] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_DATA] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_STACK] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_CORE] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_RSS] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_NOFILE] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_AS] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_NPROC] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_MEMLOCK] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_LOCKS] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_SIGPENDING] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_MSGQUEUE] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_NICE] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_RTPRIO] = PRIVILEGE_IF_RAISED,
    [SETTING_LIMIT_RTTIME] = PRIVILEGE_IF_RAISED,
    [SETTING_CPU_QUOTA] = PRIVILEGE_NEVER,
    [SETTING_CPU_WEIGHT] = PRIVILEGE_NEVER, /* among the owner's instances */
    [SETTING_MEMORY_MAX] = PRIVILEGE_NEVER,
    [SETTING_MEMORY_HIGH] = PRIVILEGE_NEVER,
    [SETTING_MEMORY_SWAP_MAX] = PRIVILEGE_NEVER,
    [SETTING_TASKS_MAX] = PRIVILEGE_NEVER,
};

static bool asks_for_capabilities(const Spec *spec, SettingId id)
{
    const char *unknown;
    uint64_t set = 0;

    return !capabilities_read(spec_get_strv(spec, id), &set, &unknown) || set != 0;
}

static bool raises_limit(const Spec *spec, SettingId id, const uint64_t *hard_limits)
{
    for (size_t i = 0; i < RLIMIT_COUNT; i++) {
        Rlimit limit;

        if (rlimit_infos[i].setting == id)
            return !rlimit_read(setting_get(id), spec_get_string(spec, id), &limit, NULL) ||
                   limit.hard > hard_limits[rlimit_infos[i].resource];
    }
    return true;
}

static bool is_privileged(const Spec *spec, SettingId id, const uint64_t *hard_limits)
{
    if (!spec_is_set(spec, id))
        return false;
    switch ((Privilege)privileges[id]) {
    case PRIVILEGE_NEVER:
        return false;
    case PRIVILEGE_IF_OFF:
        return spec_get_uint(spec, id) == CHOICE_OFF;
    case PRIVILEGE_IF_NO:
        return spec_get_uint(spec, id) == 0;
    case PRIVILEGE_IF_ANY:
        return asks_for_capabilities(spec, id);
    case PRIVILEGE_IF_UNFILTERED:
        return !spec_has_default_filter(spec, UINT32_MAX);
    case PRIVILEGE_IF_NEGATIVE:
        return (int64_t)spec_get_uint(spec, id) < 0;
    case PRIVILEGE_IF_UNLIMITED:
        return spec_get_uint(spec, id) == BACKEND_MONITOR;
    case PRIVILEGE_IF_RAISED:
        return raises_limit(spec, id, hard_limits);
    case PRIVILEGE_ALWAYS:
        break;
    }
    return true;
}

char **privileged_settings(const Spec *spec, const uint64_t hard_limits[RLIMIT_COUNT])
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    for (SettingId id = 0; id < _SETTING_COUNT; id++)
        if (is_privileged(spec, id, hard_limits))
            g_strv_builder_add(names, setting_get(id)->name);
    return g_strv_builder_end(names);
}
