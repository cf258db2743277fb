/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Each limit as the kernel and as systemd spell it: one row a kind. */

#include "model/limits.h"
#include "resources/cgroupfs.h"

typedef struct LimitFile {
    Controller controller;
    const char *file;     /* of the cgroup */
    const char *property; /* of the scope; type t, UINT64_MAX is infinity there too */
    bool is_weight;       /* means something among siblings only: there is none that is lower */
    bool in_pages;        /* the kernel rounds it down to pages */
} LimitFile;

const LimitFile *limit_file(LimitKind kind);

/* As the file takes it, and back. Parsing: 0 or -EINVAL, -ERANGE. */
char *limit_to_file(LimitKind kind, uint64_t value);
int limit_from_file(LimitKind kind, const char *text, uint64_t *ret);

/* As the setting takes it: "10M", "50%", "infinity". */
char *limit_to_text(LimitKind kind, uint64_t value);

/* What the kernel makes of the value when it takes it: whole pages. */
uint64_t limit_rounded(LimitKind kind, uint64_t value);
