/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A payload that shows its /proc/self/status, and looking for lines in what it showed. */

#include "system/init-harness.h"

#include <string.h>

#define SOMEBODY 1000u

static inline bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);

    for (; text; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, line, length) == 0 && text[length] == '\n')
            return true;
    }
    return false;
}

static inline void assert_line(const Run *run, const char *line)
{
    ck_assert_msg(has_line(run_output(run), line), "no line \"%s\" in:\n%s", line, run_output(run));
}

static inline Run *run_new_status(void)
{
    return run_new((const char *const[]){ "/bin/cat", "/proc/self/status", NULL });
}

#define NO_CAPABILITIES "0000000000000000"

static inline void assert_no_capabilities(const Run *run)
{
    assert_line(run, "CapInh:\t" NO_CAPABILITIES);
    assert_line(run, "CapPrm:\t" NO_CAPABILITIES);
    assert_line(run, "CapEff:\t" NO_CAPABILITIES);
    assert_line(run, "CapBnd:\t" NO_CAPABILITIES);
    assert_line(run, "CapAmb:\t" NO_CAPABILITIES);
    assert_line(run, "NoNewPrivs:\t1");
}
