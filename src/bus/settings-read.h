/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings and options as they come in a message: a{sv}. */

#include "model/spec.h"
#include "util/error.h"
#include "util/sdbus.h"

/* Reads the a{sv} at the message's position into the spec: bus names with their type, any integer
 * type that fits, or either name with a string in the file's spelling. INVALID_ARGS names the key
 * that is unknown, there twice, or of the wrong type or value. */
bool settings_read(sd_bus_message *message, Spec *spec, GError **error);

/* One option of a method, filled in when it is there. Types: b, t, i, u, s (a borrowed string of
 * the message) and h (a borrowed fd of the message). */
typedef struct Option {
    const char *name;
    char type;
    void *ret; /* bool, uint64_t, int, uint32_t, const char *, int */
    bool given;
} Option;

bool options_read(sd_bus_message *message, Option *options, size_t n_options, GError **error);
