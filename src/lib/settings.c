/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From an InstanceConfig, and settings by name, to the dictionary that the service takes. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/handle.h"

#define MIB              1048576ull
#define USEC_PER_PERCENT 10000ull
#define BITS_PER_MEGABIT 1000000ull
#define ENVIRONMENT_MAX  65536

typedef struct Writer {
    sd_bus_message *message;
    const Link *link;
    const ConstellationSetting *settings;
    size_t count;
    Without *without;
    bool changes; /* of an instance that is there */
    int error;
} Writer;

/* ---- entries --------------------------------------------------------------------------------- */

static bool is_overridden(const Writer *writer, const char *name)
{
    for (size_t i = 0; i < writer->count; i++)
        if (strcmp(writer->settings[i].name, name) == 0)
            return true;
    return false;
}

/* Is it to be said by the config? `bus_name` differs for some from the name in files. */
static bool wants(Writer *writer, const char *name, const char *bus_name)
{
    return writer->error >= 0 && !is_overridden(writer, name) && !is_overridden(writer, bus_name);
}

static void put_text(Writer *writer, const char *name, const char *value)
{
    if (wants(writer, name, name))
        writer->error = sd_bus_message_append(writer->message, "{sv}", name, "s", value);
}

static void put_number(Writer *writer, const char *name, const char *bus_name, uint64_t value)
{
    if (wants(writer, name, bus_name))
        writer->error = sd_bus_message_append(writer->message, "{sv}", bus_name, "t", value);
}

/* A service that does not know it does without it, and the program can read that. */
static bool is_known(Writer *writer, const char *name)
{
    Without *without = writer->without;

    if (link_knows_setting(writer->link, name))
        return true;
    if (without->count < sizeof without->settings / sizeof without->settings[0])
        without->settings[without->count++] = name;
    return false;
}

static void put_environment(Writer *writer, char **variables, int count)
{
    sd_bus_message *message = writer->message;

    if (count == 0 || !wants(writer, "Environment", "Environment"))
        return;
    int r = sd_bus_message_open_container(message, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append(message, "s", "Environment");
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_open_container(message, 'a', "s");
    for (int i = 0; r >= 0 && i < count; i++)
        r = sd_bus_message_append(message, "s", variables[i]);
    for (int i = 0; r >= 0 && i < 3; i++)
        r = sd_bus_message_close_container(message);
    writer->error = r;
}

/* ---- script ---------------------------------------------------------------------------------- */

/* Takes the last component off, if there is one. */
static size_t without_last(const char *path, size_t length)
{
    while (length > 0 && path[--length] != '/')
        continue;
    return length;
}

/* The service takes absolute paths without "." and ".." only. */
static int path_normalize(const char *path, char *ret, size_t size)
{
    size_t length = 0;

    if (*path != '/') {
        if (!getcwd(ret, size))
            return -errno;
        length = strlen(ret) == 1 ? 0 : strlen(ret);
    }
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == 2 && memcmp(path, "..", 2) == 0) {
            length = without_last(ret, length);
        } else if (part > 0 && !(part == 1 && *path == '.')) {
            if (length + 1 + part + 1 > size)
                return -ENAMETOOLONG;
            ret[length++] = '/';
            memcpy(ret + length, path, part);
            length += part;
        }
        path += part + (path[part] == '/');
    }
    ret[length > 0 ? length : 1] = '\0';
    *ret = '/';
    return 0;
}

static void put_script(Writer *writer, const char *script)
{
    char path[4096];

    if (!*script || is_overridden(writer, "Command"))
        return;
    int r = path_normalize(script, path, sizeof path);
    if (r < 0)
        writer->error = r;
    else
        put_text(writer, "Script", path);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* 0, no limit, is what a new instance has; of one that has a limit it is to be said. */
static void put_limit(Writer *writer, const char *name, const char *bus_name, uint64_t value,
                      uint64_t unit)
{
    if (value > 0 && is_known(writer, name))
        put_number(writer, name, bus_name, value * unit);
    else if (value == 0 && writer->changes && link_knows_setting(writer->link, name))
        put_number(writer, name, bus_name, UINT64_MAX);
}

static void put_limits(Writer *writer, const ResourceLimits *limits)
{
    put_limit(writer, "CPUQuota", "CPUQuotaPerSecUSec", limits->cpu_percent, USEC_PER_PERCENT);
    put_limit(writer, "MemoryMax", "MemoryMax", limits->ram_mb, MIB);
    put_limit(writer, "DiskQuota", "DiskQuota", limits->disk_mb, MIB);
    put_limit(writer, "BandwidthIn", "BandwidthIn", limits->network_mbps, BITS_PER_MEGABIT);
    put_limit(writer, "BandwidthOut", "BandwidthOut", limits->network_mbps, BITS_PER_MEGABIT);
}

static ConstellationError limits_check(const ResourceLimits *limits)
{
    if (limits->ram_mb > UINT64_MAX / MIB - 1 || limits->disk_mb > UINT64_MAX / MIB - 1)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "ram_mb and disk_mb: more MiB than there are bytes in 64 bits (0: no limit)");
    return CONSTELLATION_OK;
}

static ConstellationError check_config(const InstanceConfig *config)
{
    if (strnlen(config->name, sizeof config->name) == sizeof config->name ||
        strnlen(config->script_path, sizeof config->script_path) == sizeof config->script_path)
        return fail(CONSTELLATION_ERR_INVALID_PARAM, "name and script_path must end with a NUL");
    if (config->env_count < 0 || config->env_count > ENVIRONMENT_MAX ||
        (config->env_count > 0 && !config->env_vars))
        return fail(CONSTELLATION_ERR_INVALID_PARAM, "env_count %d: %s", config->env_count,
                    config->env_vars ? "must be 0 to 65536" : "env_vars is NULL");
    for (int i = 0; i < config->env_count; i++)
        if (!config->env_vars[i])
            return fail(CONSTELLATION_ERR_INVALID_PARAM, "env_vars[%d] is NULL", i);
    return limits_check(&config->limits);
}

/* The a{sv} is open already. */
static void put_settings(Writer *writer)
{
    for (size_t i = 0; writer->error >= 0 && i < writer->count; i++)
        writer->error = sd_bus_message_append(writer->message, "{sv}", writer->settings[i].name,
                                              "s", writer->settings[i].value);
    if (writer->error >= 0)
        writer->error = sd_bus_message_close_container(writer->message);
}

static ConstellationError check_settings(const ConstellationSetting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!settings || !settings[i].name || !settings[i].value)
            return fail(CONSTELLATION_ERR_INVALID_PARAM, "setting %zu is NULL", i);
    return CONSTELLATION_OK;
}

ConstellationError settings_append(sd_bus_message *message, const Link *link,
                                   const InstanceConfig *config,
                                   const ConstellationSetting *settings, size_t count,
                                   Without *ret_without)
{
    Writer writer = { message, link, settings, count, ret_without, false, 0 };

    ConstellationError result = check_config(config);
    if (result == CONSTELLATION_OK)
        result = check_settings(settings, count);
    if (result != CONSTELLATION_OK)
        return result;
    writer.error = sd_bus_message_open_container(message, 'a', "{sv}");
    put_script(&writer, config->script_path);
    put_environment(&writer, config->env_vars, config->env_count);
    put_limits(&writer, &config->limits);
    if (!config->enable_networking && is_known(&writer, "Network"))
        put_text(&writer, "Network", "none");
    if (!config->enable_filesystem && is_known(&writer, "Filesystem"))
        put_text(&writer, "Filesystem", "private");
    /* What a program has made goes with the machine at the latest. */
    put_text(&writer, "Persistent", "no");
    put_settings(&writer);
    return writer.error < 0 ? fail_errno(writer.error, "the settings of '%s'", config->name)
                            : CONSTELLATION_OK;
}

ConstellationError changes_append(sd_bus_message *message, const Link *link,
                                  const ResourceLimits *limits,
                                  const ConstellationSetting *settings, size_t count)
{
    Without without = { 0 };
    Writer writer = { message, link, settings, count, &without, true, 0 };
    ConstellationError result = limits ? limits_check(limits) : check_settings(settings, count);

    if (result != CONSTELLATION_OK)
        return result;
    writer.error = sd_bus_message_open_container(message, 'a', "{sv}");
    if (limits)
        put_limits(&writer, limits);
    put_settings(&writer);
    if (without.count > 0)
        return fail(CONSTELLATION_ERR_CGROUP_FAILED, "the service does not know the setting %s",
                    without.settings[0]);
    return writer.error < 0 ? fail_errno(writer.error, "the limits") : CONSTELLATION_OK;
}
