/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/options.h"
#include "util/file.h"
#include "util/log.h"
#include "util/parse.h"

#define CONFIG_SIZE_MAX (64u << 10)

/* Of the log of an instance, in bytes. All may be in memory: ten thousand of them make 2.5 GiB. */
#define LOG_SIZE_DEFAULT (256u << 10)
#define LOG_SIZE_LEAST   (4u << 10)
#define LOG_SIZE_MOST    (64u << 20)

static const char help[] =
    "constellationd [OPTION…]\n\n"
    "Runs instances: scripts and commands, isolated, limited, and shown on D-Bus.\n\n"
    "     --user           serve this user on the session bus\n"
    "     --private=PATH   serve this user on a socket, until told to end\n"
    "     --private=fd:N   serve a connected socket that was inherited, until it closes\n"
    "     --end-with=fd:N  and until the process of this inherited pidfd ends\n"
    "     --node-name=, --cluster-name=, --max-instances=  before those of the file\n"
    "     --config=FILE    instead of constellation.conf in the usual place\n"
    "     --no-systemd     do not use systemd even where it runs\n"
    "     --log-level=LEVEL  err, warning, notice, info (default) or debug\n"
    "  -h --help           this text\n"
    "     --version        the version\n\n"
    "Without --user and --private it serves the system bus, as root.\n"
    "See constellationd(8) and constellation.conf(5).";

static bool set_private(DaemonOptions *options, const char *argument, GError **error)
{
    uint64_t fd;

    options->mode = MODE_PRIVATE;
    if (!g_str_has_prefix(argument, "fd:")) {
        options->socket_path = g_strdup(argument);
        return *argument == '/' ||
               error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--private=%s: must be an absolute path, or fd:N", argument);
    }
    if (parse_uint64(argument + 3, &fd) < 0 || fd < 3 || fd > INT32_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--private=%s: N must be the number of an inherited socket, 3 or more",
                         argument);
    options->socket_fd = (int)fd;
    return true;
}

static bool set_end(DaemonOptions *options, const char *argument, GError **error)
{
    uint64_t fd;

    if (!g_str_has_prefix(argument, "fd:") || parse_uint64(argument + 3, &fd) < 0 || fd < 3 ||
        fd > INT32_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--end-with=%s: must be fd:N, with the number of an inherited pidfd",
                         argument);
    options->end_fd = (int)fd;
    return true;
}

/* "" and 0 are as if it had not been given: whoever passes on what he was given needs no cases. */
static bool set_max_instances(DaemonOptions *options, const char *argument, GError **error)
{
    return parse_uint64(argument, &options->max_instances) >= 0 ||
           error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "--max-instances=%s: must be a number", argument);
}

static void set_name(char **name, const char *argument)
{
    g_free(*name);
    *name = *argument ? g_strdup(argument) : NULL;
}

static bool set_log_level(const char *argument, GError **error)
{
    int level = log_level_from_string(argument);

    if (level < 0)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "--log-level=%s: must be err, warning, notice, info or debug", argument);
    log_set_level(level);
    return true;
}

enum {
    OPTION_USER = 256,
    OPTION_PRIVATE,
    OPTION_END_WITH,
    OPTION_NODE_NAME,
    OPTION_CLUSTER_NAME,
    OPTION_MAX_INSTANCES,
    OPTION_CONFIG,
    OPTION_NO_SYSTEMD,
    OPTION_LOG_LEVEL,
    OPTION_VERSION
};

static bool set_option(DaemonOptions *options, int option, const char *argument, GError **error)
{
    switch (option) {
    case OPTION_USER:
        options->mode = MODE_USER;
        return true;
    case OPTION_PRIVATE:
        return set_private(options, argument, error);
    case OPTION_END_WITH:
        return set_end(options, argument, error);
    case OPTION_NODE_NAME:
        set_name(&options->node_name, argument);
        return true;
    case OPTION_CLUSTER_NAME:
        set_name(&options->cluster_name, argument);
        return true;
    case OPTION_MAX_INSTANCES:
        return set_max_instances(options, argument, error);
    case OPTION_CONFIG:
        set_name(&options->config_path, argument);
        return true;
    case OPTION_NO_SYSTEMD:
        options->no_systemd = true;
        return true;
    case OPTION_LOG_LEVEL:
        return set_log_level(argument, error);
    default:
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "see constellationd --help");
    }
}

int daemon_options_parse(DaemonOptions *options, int argc, char **argv, GError **error)
{
    static const struct option table[] = {
        { "user", no_argument, NULL, OPTION_USER },
        { "private", required_argument, NULL, OPTION_PRIVATE },
        { "end-with", required_argument, NULL, OPTION_END_WITH },
        { "node-name", required_argument, NULL, OPTION_NODE_NAME },
        { "cluster-name", required_argument, NULL, OPTION_CLUSTER_NAME },
        { "max-instances", required_argument, NULL, OPTION_MAX_INSTANCES },
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "no-systemd", no_argument, NULL, OPTION_NO_SYSTEMD },
        { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    bool ok = true;
    int c;

    *options = (DaemonOptions){
        .socket_fd = -1,
        .end_fd = -1,
        .user_limits = USER_LIMITS_DEFAULT,
    };
    while (ok && (c = getopt_long(argc, argv, "h", table, NULL)) >= 0) {
        if (c == OPTION_VERSION || c == 'h') {
            puts(c == 'h' ? help : "constellationd " CONSTELLATION_VERSION);
            return 0;
        }
        ok = set_option(options, c, optarg, error);
    }
    if (ok && optind < argc)
        ok = error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                       "%s: there are no arguments, only options: see --help", argv[optind]);
    return ok ? 1 : -1;
}

/* ---- what follows from the mode -------------------------------------------------------------- */

static bool set_directories(DaemonOptions *options, GError **error)
{
    const char *runtime = g_get_user_runtime_dir();
    uint32_t random;

    switch (options->mode) {
    case MODE_SYSTEM:
        options->realm = g_strdup("system");
        options->runtime_dir = g_strdup("/run/constellation");
        options->state_dir = g_strdup("/var/lib/constellation");
        if (geteuid() != 0)
            return error_set(error, CONSTELLATION_ERROR_ACCESS_DENIED,
                             "the system service needs root; an ordinary user runs constellationd "
                             "--user or --private=PATH");
        break;
    case MODE_USER:
        options->realm = g_strdup("user");
        options->runtime_dir = g_build_filename(runtime, "constellation", NULL);
        options->state_dir = g_build_filename(g_get_user_state_dir(), "constellation", NULL);
        break;
    default:
        options->stop_instances = true;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return error_from_errno(error, CONSTELLATION_ERROR_NOT_SUPPORTED, errno, "getrandom");
        options->realm = g_strdup_printf("p%d-%08x", getpid(), random);
    }
    return true;
}

static char *config_file(const DaemonOptions *options)
{
    if (options->config_path)
        return g_strdup(options->config_path);
    if (geteuid() == 0)
        return g_strdup(CONSTELLATION_SYSCONFDIR "/constellation/constellation.conf");
    return g_build_filename(g_get_user_config_dir(), "constellation", "constellation.conf", NULL);
}

/* Numbers that users have at most; 0 or infinity for no limit. */
static const struct {
    const char *key;
    size_t offset;
} user_limits[] = {
    { "MaxInstancesPerUser", offsetof(UserLimits, instances) },
    { "MaxTasksPerInstance", offsetof(UserLimits, tasks) },
    { "MaxStartsPerUser", offsetof(UserLimits, starts) },
    { "StartRatePerUser", offsetof(UserLimits, rate) },
    { "StartBurstPerUser", offsetof(UserLimits, burst) },
};

static bool apply_user_limits(UserLimits *limits, GKeyFile *file, const char *path, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(user_limits); i++) {
        uint64_t *limit = (uint64_t *)((char *)limits + user_limits[i].offset);
        g_autofree char *text = g_key_file_get_string(file, "Constellation", user_limits[i].key,
                                                      NULL);
        if (!text)
            continue;
        if (g_str_equal(text, "infinity"))
            *limit = 0;
        else if (parse_uint64(text, limit) < 0 || *limit > UINT32_MAX)
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "%s: %s=%s: must be a number, or infinity", path, user_limits[i].key,
                             text);
    }
    return true;
}

static bool is_user_limit(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(user_limits); i++)
        if (g_str_equal(user_limits[i].key, key))
            return true;
    return false;
}

static bool set_log_size(DaemonOptions *options, const char *text, const char *path, GError **error)
{
    if (parse_bytes(text, &options->log_size) >= 0 &&
        (options->log_size == 0 ||
         (options->log_size >= LOG_SIZE_LEAST && options->log_size <= LOG_SIZE_MOST)))
        return true;
    return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                     "%s: LogSizeMax=%s: must be 0, or a size from 4K to 64M", path, text);
}

static bool apply_config(DaemonOptions *options, GKeyFile *file, const char *path, GError **error)
{
    static const char *const known[] = {
        "NodeName",   "ClusterName", "MaxInstances", "DefaultInterpreter", "OnShutdown",
        "LogSizeMax", NULL
    };
    g_auto(GStrv) keys = g_key_file_get_keys(file, "Constellation", NULL, NULL);
    g_autofree char *max = g_key_file_get_string(file, "Constellation", "MaxInstances", NULL);
    g_autofree char *log_size = g_key_file_get_string(file, "Constellation", "LogSizeMax", NULL);
    g_autofree char *end = g_key_file_get_string(file, "Constellation", "OnShutdown", NULL);
    uint64_t maximum = 0;

    for (size_t i = 0; keys && keys[i]; i++)
        if (!g_strv_contains(known, keys[i]) && !is_user_limit(keys[i]))
            log_warning("%s: %s=: unknown, ignored", path, keys[i]);
    if (!options->node_name)
        options->node_name = g_key_file_get_string(file, "Constellation", "NodeName", NULL);
    if (!options->cluster_name)
        options->cluster_name = g_key_file_get_string(file, "Constellation", "ClusterName", NULL);
    options->interpreter = g_key_file_get_string(file, "Constellation", "DefaultInterpreter", NULL);
    if (max && (parse_uint64(max, &maximum) < 0 || maximum == 0))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "%s: MaxInstances=%s: must be a number from 1 up", path, max);
    if (options->max_instances == 0)
        options->max_instances = maximum;
    if (end && strcmp(end, "leave") != 0 && strcmp(end, "stop") != 0)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "%s: OnShutdown=%s: must be leave or stop", path, end);
    if (log_size && !set_log_size(options, log_size, path, error))
        return false;
    options->stop_instances |= g_strcmp0(end, "stop") == 0;
    return apply_user_limits(&options->user_limits, file, path, error);
}

static bool read_config(DaemonOptions *options, GError **error)
{
    g_autofree char *path = config_file(options), *text = NULL;
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) failure = NULL;

    int r = read_small_file_at(AT_FDCWD, path, CONFIG_SIZE_MAX, &text);
    if (r == -ENOENT && !options->config_path)
        return true;
    /* Whoever embeds a service under another user may have kept the HOME of before. */
    if (r == -EACCES && !options->config_path && options->mode == MODE_PRIVATE) {
        log_warning("%s: %s: going on without it", path, g_strerror(-r));
        return true;
    }
    if (r < 0)
        return error_from_errno(error, CONSTELLATION_ERROR_INVALID_ARGS, r, "%s", path);
    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &failure))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "%s: %s", path, failure->message);
    return apply_config(options, file, path, error);
}

bool daemon_options_complete(DaemonOptions *options, GError **error)
{
    options->log_size = LOG_SIZE_DEFAULT;
    if (!set_directories(options, error) || !read_config(options, error))
        return false;
    if (!options->node_name)
        options->node_name = g_strdup(g_get_host_name());
    if (!options->cluster_name)
        options->cluster_name = g_strdup("");
    if (!options->interpreter)
        options->interpreter = g_strdup("rads");
    return true;
}

void daemon_options_done(DaemonOptions *options)
{
    g_clear_pointer(&options->socket_path, g_free);
    g_clear_pointer(&options->config_path, g_free);
    g_clear_pointer(&options->realm, g_free);
    g_clear_pointer(&options->runtime_dir, g_free);
    g_clear_pointer(&options->state_dir, g_free);
    g_clear_pointer(&options->node_name, g_free);
    g_clear_pointer(&options->cluster_name, g_free);
    g_clear_pointer(&options->interpreter, g_free);
}
