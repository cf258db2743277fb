/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of the settings that somebody asks for take more than an instance has by default: less
 * isolation, more rights. Ordinary users get them from an administrator only. */

#include "model/rlimits.h"
#include "model/spec.h"

/* The file names of those that are set that way, NULL-terminated; g_strfreev, never NULL. A setting
 * that nobody has thought about is one of them. hard_limits: those that payloads begin with, by
 * RLIMIT_* number. */
char **privileged_settings(const Spec *spec, const uint64_t hard_limits[RLIMIT_COUNT]);
