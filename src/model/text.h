/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a string may look like: the shapes that settings and names are made of. Pure questions, no
 * errors: who asks knows what to say. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* UTF-8 that can be shown on one line as it is: no control characters, no line separators, nothing
 * that turns the direction of writing (a name must not disguise the question it stands in). */
bool text_is_shown(const char *text);

/* The one reader of uids and gids: decimal, without sign and leading zeros. Neither 65535 nor
 * 4294967295: both mean "nobody" or "leave it" to some system call. */
bool text_to_id(const char *text, uint32_t *ret);

/* [a-z_][a-z0-9_-]*, maybe with a final $, at most 32 characters, as useradd(8) and groupadd(8)
 * allow; or an id as text_to_id() takes it. */
bool text_is_user(const char *text);

/* RFC 1123: labels of 1 to 63 letters, digits and inner hyphens, joined by dots; at most 64
 * characters, which is what Linux keeps (HOST_NAME_MAX). */
bool text_is_hostname(const char *text);

/* Absolute, at most 4095 bytes (PATH_MAX with its NUL), shown, and written in the one way: no
 * empty, "." or ".." component, no slash at the end except in "/". */
bool text_is_path(const char *text);

/* journal, null, file:PATH, append:PATH. */
bool text_is_output(const char *text);

/* The length of the NAME of a NAME=VALUE with a NAME [A-Za-z_][A-Za-z0-9_]*, else 0. */
size_t text_assignment_name(const char *text);

/* A text as an error message can quote it: valid UTF-8, one line, cut after 64 characters. */
char *text_quotable(const char *text);
