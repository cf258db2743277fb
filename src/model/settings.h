/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The settings of an instance: what each is called, how it is written, what it may be. The rows
 * are in settings.def. Pure: no system call, no bus. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

typedef enum SettingId {
#define SETTING(id, ...) SETTING_##id,
#include "model/settings.def"
#undef SETTING
    _SETTING_COUNT,
} SettingId;

typedef enum SettingGroup {
    SETTING_GROUP_INSTANCE,
    SETTING_GROUP_ISOLATION,
    SETTING_GROUP_RESOURCES,
    _SETTING_GROUP_COUNT,
} SettingGroup;

/* clang-format off */
typedef enum SettingType {          /* bus signature; value in a Spec; text in files and flags */
    SETTING_TYPE_BOOL,              /* b; uint; yes no true false on off 1 0 */
    SETTING_TYPE_ENUM,              /* s; uint: index into choices; one of the choices */
    SETTING_TYPE_STRING,            /* s; string of at most `maximum` bytes, no control characters */
    SETTING_TYPE_PATH,              /* s; string: absolute, normalized (no "..", no "//") */
    SETTING_TYPE_USER,              /* s; string: a user name or a decimal uid */
    SETTING_TYPE_HOSTNAME,          /* s; string: RFC 1123 labels */
    SETTING_TYPE_OUTPUT,            /* s; string: journal, null, file:PATH, append:PATH */
    SETTING_TYPE_STRV,              /* as; strv; words separated by blanks */
    SETTING_TYPE_COMMAND,           /* as; strv of 1 to 1024 words; shell-like quoting */
    SETTING_TYPE_ENVIRONMENT,       /* as; strv of NAME=VALUE; shell-like quoting */
    SETTING_TYPE_STATUSES,          /* as; strv of exit codes 1 to 255 and names of signals */
    SETTING_TYPE_PATHS,             /* as; strv of [-]PATH */
    SETTING_TYPE_BINDS,             /* as; strv of [-]SOURCE[:PATH[:OPTIONS]] */
    SETTING_TYPE_TEMPORARY,         /* as; strv of [-]PATH[:OPTIONS] */
    SETTING_TYPE_UINT64,            /* t; uint; decimal, or "infinity" if the maximum is */
    SETTING_TYPE_BYTES,             /* t; uint; 10M, 1.5G (base 1024), infinity */
    SETTING_TYPE_USEC,              /* t; uint, microseconds; "1min 30s", "500ms", a bare number is
                                     * seconds, infinity */
    SETTING_TYPE_CPU_QUOTA,         /* t; uint, microseconds of CPU time a second; "50%", infinity */
    SETTING_TYPE_SIGNAL,            /* i; uint; SIGTERM, TERM, 15 */
    SETTING_TYPE_INT,               /* i; uint that stands for an int64_t, as its range; -5 */
    SETTING_TYPE_MODE,              /* u; uint; octal: 0022 */
    SETTING_TYPE_GROUP,             /* s; string: a group name or a decimal gid */
    SETTING_TYPE_GROUPS,            /* as; strv of such */
    SETTING_TYPE_CAPABILITIES,      /* as; strv of CAP_NAME, the first with ~: all but these */
    SETTING_TYPE_SYSCALLS,          /* as; strv of calls and @groups; see model/syscalls.h */
    SETTING_TYPE_SYSCALL_ACTION,    /* s; string: kill or an errno by name or number */
    SETTING_TYPE_RLIMIT,            /* s; string: LIMIT or SOFT:HARD in the unit of its resource */
    _SETTING_TYPE_COUNT,
} SettingType;
/* clang-format on */

enum {
    SETTING_LIVE = 1u << 0,   /* may be changed while the instance runs */
    SETTING_SECRET = 1u << 1, /* its value never leaves through a property, a log or an error */
};

/* Indices of choices_try and choices_auto_try; choices_auto_try has CHOICE_AUTO besides. */
typedef enum TryChoice {
    CHOICE_REQUIRED,
    CHOICE_TRY,
    CHOICE_OFF,
    CHOICE_AUTO,
} TryChoice;

/* Indices of choices_network. */
typedef enum NetworkChoice {
    NETWORK_HOST,
    NETWORK_NONE,
    NETWORK_PRIVATE, /* a word that is kept for later: spec_validate() refuses it */
} NetworkChoice;

/* Indices of choices_filesystem. */
typedef enum Filesystem {
    FILESYSTEM_HOST,
    FILESYSTEM_READ_ONLY,
    FILESYSTEM_PRIVATE,
} Filesystem;

/* Indices of choices_id_mapping. */
typedef enum IdMapping {
    ID_MAPPING_AUTO,
    ID_MAPPING_SELF,
    ID_MAPPING_RANGE,
} IdMapping;

/* Indices of choices_overlay. */
typedef enum Overlay {
    OVERLAY_NO,
    OVERLAY_TEMPORARY,
    OVERLAY_PERSISTENT,
} Overlay;

/* Indices of choices_backend. */
typedef enum BackendChoice {
    BACKEND_AUTO,
    BACKEND_SCOPE,
    BACKEND_CGROUP,
    BACKEND_MONITOR,
} BackendChoice;

/* Indices of choices_restart. */
typedef enum RestartPolicy {
    RESTART_NO,
    RESTART_ON_SUCCESS,
    RESTART_ON_FAILURE,
    RESTART_ON_ABNORMAL, /* signal, OOM kill, timeout, lost: not an exit code */
    RESTART_ALWAYS,
} RestartPolicy;

typedef struct Setting {
    SettingId id;
    const char *name;     /* in files and flags: TimeoutStopSec */
    const char *bus_name; /* on the bus: TimeoutStopUSec */
    SettingGroup group;
    SettingType type;
    const char *default_text; /* file spelling; "" is not set */
    unsigned flags;
    uint64_t minimum, maximum;
    const char *const *choices; /* NULL-terminated, for SETTING_TYPE_ENUM */
    const char *metavar;
    const char *help; /* one line, lower case, no full stop */
} Setting;

/* The row of an id; never NULL. */
const Setting *setting_get(SettingId id);

/* The row with this file or bus name (exact case), or NULL. */
const Setting *setting_find(const char *name);

/* "b", "s", "as", "t", "i", "u". */
const char *setting_signature(const Setting *setting);

/* "Instance", "Isolation", "Resources". */
const char *setting_group_name(SettingGroup group);

/* The row whose name is nearest to a mistyped one, for the error message; NULL if none is near. */
const Setting *setting_guess(const char *name);
