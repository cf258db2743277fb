/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values as people write them, to numbers and back. All parsers: 0, or -EINVAL (not of this form)
 * or -ERANGE (does not fit); *ret only on success. Printers: g_free, and the parser takes it. */

#include <stdbool.h>
#include <stdint.h>

int parse_bool(const char *text, bool *ret);          /* yes no true false on off 1 0 */
int parse_uint64(const char *text, uint64_t *ret);    /* decimal, no sign, no blanks; infinity */
int parse_int64(const char *text, int64_t *ret);      /* decimal, maybe with a sign */
int parse_octal(const char *text, uint64_t *ret);     /* 022, 0022, 22 */
int parse_bytes(const char *text, uint64_t *ret);     /* B K M G T P, base 1024, fractions */
int parse_usec(const char *text, uint64_t *ret);      /* us ms s min h d w; bare: seconds */
int parse_cpu_quota(const char *text, uint64_t *ret); /* "50%" -> 500000 */
int parse_signal(const char *text, int *ret);         /* SIGTERM TERM 15; 1..64 */
int parse_words(const char *text, char ***ret);       /* shell-like quoting; g_strfreev */

char *format_bytes(uint64_t bytes);       /* exact: "10M", "1234567" */
char *format_bytes_human(uint64_t bytes); /* rounded, for people: "1.2M" */
char *format_usec(uint64_t usec);         /* exact: "1min 30s" */
char *format_cpu_quota(uint64_t usec_per_sec);
char *format_words(const char *const *words); /* quoted so that parse_words() gives the same */
const char *signal_name(int signal);          /* "SIGTERM"; NULL if there is none */
