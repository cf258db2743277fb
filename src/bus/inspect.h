/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of an Instance object that only tell: inspect.c, and log.c. */

#include "util/sdbus.h"

int method_get_usage(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_processes(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_plan(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_log(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_environment(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_describe(sd_bus_message *message, void *userdata, sd_bus_error *error);
