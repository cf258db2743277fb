/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A Plan as the bytes that the init reads (struct WirePlan), and the sealed memory file that
 * carries them. */

#include "isolation/plan.h"

/* The bytes; g_byte_array_unref. LIMITS_EXCEEDED if the plan does not fit the wire's limits. */
GByteArray *plan_encode(const Plan *plan, GError **error);

/* plan_encode() into a memfd that can be neither written, grown nor shrunk any more; the caller
 * owns the fd. -1 and an error. */
int plan_seal(const Plan *plan, GError **error);
