/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers and /proc paths as text, without stdio. Freestanding: for the launcher and the init. */

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* Appends and returns the new end, which is NUL-terminated; the caller knows that it fits. */
static inline char *text_append(char *end, const char *text)
{
    size_t length = strlen(text);

    memcpy(end, text, length + 1);
    return end + length;
}

static inline char *text_append_number(char *end, uint32_t number)
{
    char digits[sizeof "4294967295"];
    size_t at = sizeof digits;

    digits[--at] = '\0';
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return text_append(end, digits + at);
}

/* "/proc/PID" and the rest; 64 bytes hold any rest of up to 40. */
static inline void text_proc_path(char path[64], pid_t pid, const char *rest)
{
    char *end = text_append(path, "/proc/");

    end = text_append_number(end, (uint32_t)pid);
    (void)text_append(end, rest);
}
