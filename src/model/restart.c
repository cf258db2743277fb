/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "model/restart.h"
#include "util/parse.h"

bool restart_counts_as_success(const Spec *spec, int exit_code, int exit_signal)
{
    const char *const *statuses = spec_get_strv(spec, SETTING_SUCCESS_EXIT_STATUS);
    uint64_t number;
    int signal;

    if (exit_signal == 0 && exit_code == 0)
        return true;
    for (size_t i = 0; statuses && statuses[i]; i++) {
        bool is_number = g_ascii_isdigit(statuses[i][0]) && parse_uint64(statuses[i], &number) >= 0;
        if (exit_signal == 0 && is_number && number == (uint64_t)exit_code)
            return true;
        if (exit_signal != 0 && !is_number && parse_signal(statuses[i], &signal) >= 0 &&
            signal == exit_signal)
            return true;
    }
    return false;
}

static bool policy_wants(RestartPolicy policy, Result result)
{
    /* What somebody asked for, or what would fail in the same way, is not started again. */
    if (result == RESULT_STOPPED_OUTSIDE || result == RESULT_START_LIMIT)
        return false;
    switch (policy) {
    case RESTART_ALWAYS:
        return true;
    case RESTART_ON_SUCCESS:
        return result == RESULT_SUCCESS;
    case RESTART_ON_FAILURE:
        return result != RESULT_SUCCESS;
    case RESTART_ON_ABNORMAL:
        return result == RESULT_SIGNAL || result == RESULT_OOM_KILL || result == RESULT_TIMEOUT ||
               result == RESULT_LOST;
    default:
        return false;
    }
}

static bool limit_is_reached(const Spec *spec, uint64_t now_usec, RestartHistory *history)
{
    uint64_t interval = spec_get_uint(spec, SETTING_START_LIMIT_INTERVAL);
    uint64_t burst = spec_get_uint(spec, SETTING_START_LIMIT_BURST);

    if (interval == 0 || burst == UINT64_MAX)
        return false;
    if (history->interval_start_usec == 0 || now_usec - history->interval_start_usec >= interval) {
        history->interval_start_usec = now_usec;
        history->interval_restarts = 0;
    }
    return history->interval_restarts >= burst;
}

static uint64_t back_off(uint64_t base_usec, uint64_t max_usec, uint64_t failures)
{
    uint64_t delay = base_usec;

    for (uint64_t i = 0; i < failures && delay < max_usec; i++)
        delay = delay > UINT64_MAX / 2 ? UINT64_MAX : delay * 2;
    return delay < max_usec ? delay : max_usec;
}

RestartVerdict restart_decide(const Spec *spec, Result result, uint64_t ran_usec, uint64_t now_usec,
                              RestartHistory *history, uint64_t *ret_delay_usec)
{
    uint64_t base = spec_get_uint(spec, SETTING_RESTART_DELAY);
    uint64_t max = spec_get_uint(spec, SETTING_RESTART_MAX_DELAY);

    if (!policy_wants((RestartPolicy)spec_get_uint(spec, SETTING_RESTART), result))
        return RESTART_NEVER;
    if (limit_is_reached(spec, now_usec, history))
        return RESTART_LIMIT;
    if (max < base)
        max = base;
    if (ran_usec >= max || result == RESULT_SUCCESS)
        history->failures = 0;
    *ret_delay_usec = back_off(base, max, history->failures);
    history->failures++;
    history->restarts++;
    history->interval_restarts++;
    return RESTART_AFTER;
}
