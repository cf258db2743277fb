/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One instance as text: groups [Instance], [Run] and [Settings] of a key file. */

#include "core/instance.h"

#define STORE_FILE_VERSION 1

char *store_file_write(const Instance *instance);

/* A new instance in no registry; INVALID_ARGS says what is wrong with the text. */
Instance *store_file_read(Controller *controller, const char *text, GError **error);
