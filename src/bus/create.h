/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods of the Manager that make an instance, or tell what it would get. */

#include "util/sdbus.h"

int method_create_instance(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_run_instance(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_check_instance(sd_bus_message *message, void *userdata, sd_bus_error *error);
