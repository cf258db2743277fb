/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each resource has a unit of its own, and the kernel wants seconds for one time and microseconds
 * for another: both are spelled here like all times. */

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "model/rlimits.h"
#include "model/setting-check.h"
#include "util/parse.h"

#define NICE_LIMIT_MAX 40 /* 20 - nice, for nice values from 20 (none) to -20 */

const RlimitInfo rlimit_infos[RLIMIT_COUNT] = {
    { SETTING_LIMIT_CPU, RLIMIT_CPU },           { SETTING_LIMIT_FSIZE, RLIMIT_FSIZE },
    { SETTING_LIMIT_DATA, RLIMIT_DATA },         { SETTING_LIMIT_STACK, RLIMIT_STACK },
    { SETTING_LIMIT_CORE, RLIMIT_CORE },         { SETTING_LIMIT_RSS, RLIMIT_RSS },
    { SETTING_LIMIT_NOFILE, RLIMIT_NOFILE },     { SETTING_LIMIT_AS, RLIMIT_AS },
    { SETTING_LIMIT_NPROC, RLIMIT_NPROC },       { SETTING_LIMIT_MEMLOCK, RLIMIT_MEMLOCK },
    { SETTING_LIMIT_LOCKS, RLIMIT_LOCKS },       { SETTING_LIMIT_SIGPENDING, RLIMIT_SIGPENDING },
    { SETTING_LIMIT_MSGQUEUE, RLIMIT_MSGQUEUE }, { SETTING_LIMIT_NICE, RLIMIT_NICE },
    { SETTING_LIMIT_RTPRIO, RLIMIT_RTPRIO },     { SETTING_LIMIT_RTTIME, RLIMIT_RTTIME },
};

/* Part of a second is a second: 0 would be no time at all. */
static int parse_seconds(const char *text, uint64_t *ret)
{
    uint64_t usec;
    int r = parse_usec(text, &usec);

    if (r == 0)
        *ret = usec == UINT64_MAX ? usec : usec / G_USEC_PER_SEC + (usec % G_USEC_PER_SEC != 0);
    return r;
}

static int parse_microseconds(const char *text, uint64_t *ret)
{
    return parse_uint64(text, ret) == 0 ? 0 : parse_usec(text, ret);
}

/* With a sign it is a nice value, without the kernel's own number. */
static int parse_nice_limit(const char *text, uint64_t *ret)
{
    int64_t nice;

    if (*text != '+' && *text != '-') {
        int r = parse_uint64(text, ret);
        return r == 0 && *ret > NICE_LIMIT_MAX && *ret != UINT64_MAX ? -ERANGE : r;
    }
    int r = parse_int64(text, &nice);
    if (r < 0)
        return r;
    if (nice < -20 || nice > 19)
        return -ERANGE;
    *ret = (uint64_t)(20 - nice);
    return 0;
}

static int parse_value(unsigned resource, const char *text, uint64_t *ret)
{
    switch (resource) {
    case RLIMIT_CPU:
        return parse_seconds(text, ret);
    case RLIMIT_RTTIME:
        return parse_microseconds(text, ret);
    case RLIMIT_NICE:
        return parse_nice_limit(text, ret);
    case RLIMIT_NOFILE:
    case RLIMIT_NPROC:
    case RLIMIT_LOCKS:
    case RLIMIT_SIGPENDING:
    case RLIMIT_RTPRIO:
        return parse_uint64(text, ret);
    default:
        return parse_bytes(text, ret);
    }
}

static unsigned resource_of(const Setting *setting)
{
    for (size_t i = 0; i < RLIMIT_COUNT; i++)
        if (rlimit_infos[i].setting == setting->id)
            return rlimit_infos[i].resource;
    g_assert_not_reached();
}

bool rlimit_read(const Setting *setting, const char *text, Rlimit *ret, GError **error)
{
    unsigned resource = resource_of(setting);
    const char *colon = strchr(text, ':');
    g_autofree char *soft = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    Rlimit limit;

    int r = parse_value(resource, soft, &limit.soft);
    if (r == 0)
        r = parse_value(resource, colon ? colon + 1 : soft, &limit.hard);
    if (r == -ERANGE)
        return setting_refuse(setting, text, error, "is out of range");
    if (r < 0)
        return setting_refuse(setting, text, error,
                              "must be %s, with a value, or infinity, in each place",
                              setting->metavar);
    if (limit.soft > limit.hard)
        return setting_refuse(setting, text, error,
                              "the soft limit (the first) must not be above the hard one");
    if (ret)
        *ret = limit;
    return true;
}
