/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The status of one instance, for people and for programs. */

#include "ctl/terminal.h"
#include "ctl/variant.h"

typedef struct StatusData {
    Variant *instance; /* properties of the Instance interface */
    Variant *settings; /* ... of Settings */
    Variant *usage;    /* the reply of GetUsage */
} StatusData;

void status_data_done(StatusData *data);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StatusData, status_data_done)

void status_print(const StatusData *data, const Terminal *terminal);

/* The properties, and the usage as one of them: "Usage". */
void status_print_json(const StatusData *data, Json *json);
