/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a filter says of a system call, found out by running it as the kernel would. */

#include <stdint.h>

#include <glib.h>
#include <linux/seccomp.h>

/* SECCOMP_RET_* with its data. */
uint32_t bpf_run(GBytes *program, const struct seccomp_data *call);
