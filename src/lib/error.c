/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

#define OURS "org.rads.Constellation.Error."

static _Thread_local LastError last;

/* What is not listed is UNKNOWN: the sentence tells more than a code of the original could. */
static const struct {
    const char *name;
    ConstellationError code;
} bus_errors[] = {
    { SD_BUS_ERROR_INVALID_ARGS, CONSTELLATION_ERR_INVALID_PARAM },
    { OURS "InvalidState", CONSTELLATION_ERR_INVALID_PARAM },
    { SD_BUS_ERROR_NO_MEMORY, CONSTELLATION_ERR_NO_MEMORY },
    { OURS "SpawnFailed", CONSTELLATION_ERR_SPAWN_FAILED },
    { OURS "NoSuchInstance", CONSTELLATION_ERR_NOT_FOUND },
    { SD_BUS_ERROR_UNKNOWN_OBJECT, CONSTELLATION_ERR_NOT_FOUND },
    { OURS "InstanceExists", CONSTELLATION_ERR_ALREADY_EXISTS },
    { SD_BUS_ERROR_ACCESS_DENIED, CONSTELLATION_ERR_PERMISSION_DENIED },
    { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, CONSTELLATION_ERR_PERMISSION_DENIED },
    { SD_BUS_ERROR_LIMITS_EXCEEDED, CONSTELLATION_ERR_RESOURCE_EXHAUSTED },
    { OURS "IsolationFailed", CONSTELLATION_ERR_ISOLATION_FAILED },
    { OURS "CgroupFailed", CONSTELLATION_ERR_CGROUP_FAILED },
    { OURS "NamespaceFailed", CONSTELLATION_ERR_NAMESPACE_FAILED },
};

static ConstellationError remember(ConstellationError code, const char *sentence)
{
    (void)snprintf(last.sentence, sizeof last.sentence, "%s", sentence);
    return last.code = code;
}

ConstellationError fail(ConstellationError code, const char *format, ...)
{
    char sentence[sizeof last.sentence];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return remember(code, sentence);
}

static ConstellationError code_of_errno(int error_number)
{
    switch (error_number) {
    case ENOMEM:
        return CONSTELLATION_ERR_NO_MEMORY;
    case EACCES:
    case EPERM:
        return CONSTELLATION_ERR_PERMISSION_DENIED;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOBUFS:
        return CONSTELLATION_ERR_RESOURCE_EXHAUSTED;
    case EINVAL:
        return CONSTELLATION_ERR_INVALID_PARAM;
    default:
        return CONSTELLATION_ERR_UNKNOWN;
    }
}

ConstellationError fail_errno(int error_number, const char *format, ...)
{
    char what[sizeof last.sentence - 64], text[64];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail(code_of_errno(abs(error_number)), "%s: %s", what,
                strerror_r(abs(error_number), text, sizeof text));
}

ConstellationError fail_bus(const sd_bus_error *error)
{
    const char *sentence = error->message ? error->message : error->name;

    for (size_t i = 0; i < sizeof bus_errors / sizeof bus_errors[0]; i++)
        if (sd_bus_error_has_name(error, bus_errors[i].name))
            return remember(bus_errors[i].code, sentence);
    return remember(CONSTELLATION_ERR_UNKNOWN, sentence);
}

LastError last_error_take(void)
{
    return last;
}

void last_error_put(const LastError *error)
{
    last = *error;
}

/* ---- for the caller -------------------------------------------------------------------------- */

const char *constellation_last_error(void)
{
    return last.sentence;
}

ConstellationError constellation_last_error_code(void)
{
    return last.code;
}

const char *constellation_error_string(ConstellationError error)
{
    static const char *const strings[] = {
        [CONSTELLATION_OK] = "success",
        [CONSTELLATION_ERR_INVALID_PARAM] = "invalid parameter",
        [CONSTELLATION_ERR_NO_MEMORY] = "out of memory",
        [CONSTELLATION_ERR_SPAWN_FAILED] = "the program could not be started",
        [CONSTELLATION_ERR_NOT_FOUND] = "no such instance",
        [CONSTELLATION_ERR_ALREADY_EXISTS] = "it exists already",
        [CONSTELLATION_ERR_PERMISSION_DENIED] = "permission denied",
        [CONSTELLATION_ERR_RESOURCE_EXHAUSTED] = "a limit is exceeded",
        [CONSTELLATION_ERR_ISOLATION_FAILED] = "the isolation could not be set up",
        [CONSTELLATION_ERR_CGROUP_FAILED] = "the control group could not be set up",
        [CONSTELLATION_ERR_NAMESPACE_FAILED] = "a namespace could not be set up",
    };
    size_t index = (size_t)error;

    return index < sizeof strings / sizeof strings[0] ? strings[index] : "unknown error";
}
