/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The judge of single values. One row a type; the limits of lists are those of execve(2), which
 * would refuse the rest with a number instead of a sentence, long after the caller has gone. */

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "model/capabilities.h"
#include "model/mount-text.h"
#include "model/rlimits.h"
#include "model/setting-check.h"
#include "model/setting-text.h"
#include "model/syscalls.h"
#include "model/text.h"
#include "util/error.h"
#include "util/parse.h"

#define COMMAND_WORDS_MAX     1024
#define ENVIRONMENT_WORDS_MAX 256
#define LIST_WORDS_MAX        64
#define SYSCALL_WORDS_MAX     512
#define LIST_WORD_MAX         256           /* bytes */
#define ARGUMENT_MAX          (128u * 1024) /* bytes with the NUL: MAX_ARG_STRLEN of Linux */

static bool is_syscall_action(const char *text)
{
    return syscall_action_read(text) != -EINVAL;
}

static const struct {
    ValueKind kind;
    bool (*string_fits)(const char *string);
    const char *string_reason;
} types[_SETTING_TYPE_COUNT] = {
    [SETTING_TYPE_BOOL] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_ENUM] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_UINT64] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_BYTES] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_USEC] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_CPU_QUOTA] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_SIGNAL] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_INT] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_MODE] = { VALUE_NUMBER, NULL, NULL },
    [SETTING_TYPE_STRING] = { VALUE_STRING, text_is_shown,
                              "must be UTF-8 text without control characters" },
    [SETTING_TYPE_PATH] = { VALUE_STRING, text_is_path,
                            "must be an absolute path of at most 4095 bytes without '.', '..', "
                            "'//' and a slash at the end" },
    [SETTING_TYPE_USER] = { VALUE_STRING, text_is_user,
                            "must be a user name or a uid (0 to 4294967294, not 65535)" },
    [SETTING_TYPE_GROUP] = { VALUE_STRING, text_is_user,
                             "must be a group name or a gid (0 to 4294967294, not 65535)" },
    [SETTING_TYPE_SYSCALL_ACTION] = { VALUE_STRING, is_syscall_action,
                                      "must be kill, or the name or number of an error" },
    [SETTING_TYPE_RLIMIT] = { VALUE_STRING, NULL, NULL },
    [SETTING_TYPE_HOSTNAME] = { VALUE_STRING, text_is_hostname,
                                "must be a host name: letters, digits, hyphens and dots, at most "
                                "64 of them" },
    [SETTING_TYPE_OUTPUT] = { VALUE_STRING, text_is_output,
                              "must be journal, null, file:PATH or append:PATH with an absolute "
                              "path" },
    [SETTING_TYPE_STRV] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_STATUSES] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_GROUPS] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_CAPABILITIES] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_PATHS] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_BINDS] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_TEMPORARY] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_SYSCALLS] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_COMMAND] = { VALUE_STRV, NULL, NULL },
    [SETTING_TYPE_ENVIRONMENT] = { VALUE_STRV, NULL, NULL },
};

ValueKind setting_kind(const Setting *setting)
{
    return types[setting->type].kind;
}

bool setting_refuse(const Setting *setting, const char *culprit, GError **error, const char *reason,
                    ...)
{
    va_list args;

    va_start(args, reason);
    g_autofree char *text = g_strdup_vprintf(reason, args);
    va_end(args);
    if (setting->flags & SETTING_SECRET)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: %s", setting->name, text);

    g_autofree char *quoted = text_quotable(culprit);
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s=%s: %s", setting->name, quoted,
                     text);
}

static bool number_fits(const Setting *setting, uint64_t number)
{
    if (setting->type == SETTING_TYPE_BOOL)
        return number <= 1;
    if (setting->type == SETTING_TYPE_ENUM)
        return number < g_strv_length((char **)setting->choices);
    if (setting->type == SETTING_TYPE_INT)
        return (int64_t)number >= (int64_t)setting->minimum &&
               (int64_t)number <= (int64_t)setting->maximum;
    return number >= setting->minimum && number <= setting->maximum;
}

bool setting_check_number(const Setting *setting, uint64_t number, const char *culprit,
                          GError **error)
{
    if (number_fits(setting, number))
        return true;

    g_autofree char *printed = culprit ? g_strdup(culprit) : setting_print_number(setting, number);
    g_autofree char *expected = setting_expected(setting);
    return setting_refuse(setting, printed, error, "must be %s", expected);
}

bool setting_check_string(const Setting *setting, const char *string, GError **error)
{
    size_t length = strlen(string);

    if (setting->type == SETTING_TYPE_STRING) {
        if (length < setting->minimum)
            return setting_refuse(setting, string, error, "must not be empty");
        if (length > setting->maximum)
            return setting_refuse(setting, string, error,
                                  "must have at most %" G_GUINT64_FORMAT " bytes",
                                  setting->maximum);
    }
    if (setting->type == SETTING_TYPE_RLIMIT)
        return rlimit_read(setting, string, NULL, error);
    if (!types[setting->type].string_fits(string))
        return setting_refuse(setting, string, error, "%s", types[setting->type].string_reason);
    return true;
}

/* The reason why the list is refused, or NULL. */
static char *list_fault(const char *const *strv)
{
    for (size_t i = 0; strv[i]; i++) {
        if (i == LIST_WORDS_MAX)
            return g_strdup_printf("at most %d words", LIST_WORDS_MAX);
        if (strv[i][0] == '\0' || strlen(strv[i]) > LIST_WORD_MAX || !text_is_shown(strv[i]))
            return g_strdup_printf("word %zu must be UTF-8 text of 1 to %d bytes without control "
                                   "characters",
                                   i + 1, LIST_WORD_MAX);
    }
    return NULL;
}

static char *statuses_fault(const char *const *strv)
{
    for (size_t i = 0; strv[i]; i++) {
        uint64_t number;
        int signal;

        if (i == LIST_WORDS_MAX)
            return g_strdup_printf("at most %d words", LIST_WORDS_MAX);
        if (g_ascii_isdigit(strv[i][0]) ? parse_uint64(strv[i], &number) < 0 || number > 255
                                        : parse_signal(strv[i], &signal) < 0)
            return g_strdup_printf("word %zu must be an exit code (0 to 255) or the name of a "
                                   "signal",
                                   i + 1);
    }
    return NULL;
}

static char *groups_fault(const char *const *strv)
{
    for (size_t i = 0; strv[i]; i++) {
        if (i == LIST_WORDS_MAX)
            return g_strdup_printf("at most %d words", LIST_WORDS_MAX);
        if (!text_is_user(strv[i]))
            return g_strdup_printf("word %zu must be a group name or a gid (0 to 4294967294, not "
                                   "65535)",
                                   i + 1);
    }
    return NULL;
}

static char *mounts_fault(SettingType type, const char *const *strv)
{
    for (size_t i = 0; strv[i]; i++) {
        g_auto(MountText) text = { 0 };
        const char *fault = i == LIST_WORDS_MAX ? "is one too many" : NULL;

        if (!fault)
            fault = mount_text_parse(type, strv[i], &text);
        if (fault)
            return g_strdup_printf("word %zu %s", i + 1, fault);
    }
    return NULL;
}

static char *paths_fault(const char *const *strv)
{
    return mounts_fault(SETTING_TYPE_PATHS, strv);
}

static char *binds_fault(const char *const *strv)
{
    return mounts_fault(SETTING_TYPE_BINDS, strv);
}

static char *temporary_fault(const char *const *strv)
{
    return mounts_fault(SETTING_TYPE_TEMPORARY, strv);
}

static char *capabilities_fault(const char *const *strv)
{
    const char *unknown;
    uint64_t mask;

    if (capabilities_read(strv, &mask, &unknown))
        return NULL;
    g_autofree char *quoted = text_quotable(unknown);
    return g_strdup_printf("%s is no capability (see capabilities(7); only the first word may "
                           "begin with ~)",
                           quoted);
}

static char *syscalls_fault(const char *const *strv)
{
    g_auto(SyscallFilter) filter = { 0 };
    char *fault = NULL;

    for (size_t i = 0; strv[i]; i++)
        if (i == SYSCALL_WORDS_MAX || !text_is_shown(strv[i]))
            return g_strdup_printf("at most %d words, without control characters",
                                   SYSCALL_WORDS_MAX);
    return syscall_filter_read(strv, &filter, &fault) ? NULL : fault;
}

static bool argument_fits(const char *word)
{
    return strlen(word) < ARGUMENT_MAX && g_utf8_validate(word, -1, NULL);
}

static char *command_fault(const char *const *strv)
{
    if (!strv[0] || strv[0][0] == '\0')
        return g_strdup("must begin with a program");
    for (size_t i = 0; strv[i]; i++) {
        if (i == COMMAND_WORDS_MAX)
            return g_strdup_printf("at most %d words", COMMAND_WORDS_MAX);
        if (!argument_fits(strv[i]))
            return g_strdup_printf("word %zu must be UTF-8 text of less than 128K", i + 1);
    }
    return NULL;
}

/* Values are never quoted, and names only where they are known to be names: what stands before a
 * forgotten '=' may be the secret itself. */
static char *environment_fault(const char *const *strv)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (size_t i = 0; strv[i]; i++) {
        size_t length = text_assignment_name(strv[i]);

        if (i == ENVIRONMENT_WORDS_MAX)
            return g_strdup_printf("at most %d variables", ENVIRONMENT_WORDS_MAX);
        if (length == 0)
            return g_strdup_printf("word %zu is not NAME=VALUE with a NAME of letters, digits and "
                                   "'_'",
                                   i + 1);
        if (!argument_fits(strv[i]))
            return g_strdup_printf("word %zu must be UTF-8 text of less than 128K", i + 1);

        char *name = g_strndup(strv[i], length);
        if (!g_hash_table_add(names, name)) {
            g_autofree char *quoted = text_quotable(name);

            return g_strdup_printf("%s is given twice", quoted);
        }
    }
    return NULL;
}

bool setting_check_strv(const Setting *setting, const char *const *strv, GError **error)
{
    static char *(*const faults[_SETTING_TYPE_COUNT])(const char *const *) = {
        [SETTING_TYPE_STRV] = list_fault,
        [SETTING_TYPE_COMMAND] = command_fault,
        [SETTING_TYPE_ENVIRONMENT] = environment_fault,
        [SETTING_TYPE_STATUSES] = statuses_fault,
        [SETTING_TYPE_GROUPS] = groups_fault,
        [SETTING_TYPE_CAPABILITIES] = capabilities_fault,
        [SETTING_TYPE_PATHS] = paths_fault,
        [SETTING_TYPE_BINDS] = binds_fault,
        [SETTING_TYPE_TEMPORARY] = temporary_fault,
        [SETTING_TYPE_SYSCALLS] = syscalls_fault,
    };
    g_autofree char *fault = faults[setting->type](strv);

    if (!fault)
        return true;

    g_autofree char *culprit = format_words(strv);
    return setting_refuse(setting, culprit, error, "%s", fault);
}
