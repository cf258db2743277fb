/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether an instance whose run has ended is started again, and when. Pure: times are given, in
 * microseconds of a clock that never jumps (CLOCK_BOOTTIME). */

#include "model/spec.h"
#include "model/state.h"

/* What has to be remembered between runs. All zero at first, and again after a start by hand. */
typedef struct RestartHistory {
    uint64_t restarts;            /* since the last start by hand */
    uint64_t failures;            /* restarts in a row without a good run between them */
    uint64_t interval_start_usec; /* of StartLimitIntervalSec; 0: none begun */
    uint64_t interval_restarts;
} RestartHistory;

typedef enum RestartVerdict {
    RESTART_NEVER, /* the policy does not want it */
    RESTART_AFTER, /* after *ret_delay_usec */
    RESTART_LIMIT, /* it would, but StartLimitBurst= is reached */
} RestartVerdict;

/* Of how a run ended: SuccessExitStatus= makes more than exit code 0 a success. `exit_code` is -1
 * for a signal, `exit_signal` 0 for an exit. */
bool restart_counts_as_success(const Spec *spec, int exit_code, int exit_signal);

/* The delay is RestartSec, doubled for each failure in a row up to RestartMaxDelaySec; a run that
 * lasted as long as the longest delay was a good one, and the next begins with RestartSec again.
 * The history is updated for RESTART_AFTER. */
RestartVerdict restart_decide(const Spec *spec, Result result, uint64_t ran_usec, uint64_t now_usec,
                              RestartHistory *history, uint64_t *ret_delay_usec);
