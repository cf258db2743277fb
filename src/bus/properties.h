/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Getters of the Instance interface. Whoever may not see a value gets the empty one of its type:
 * an error would fail the whole GetAll or GetManagedObjects of which it is a part. */

#include "bus/face.h"

int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
             sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
               sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_exit(sd_bus *bus, const char *path, const char *interface, const char *property,
             sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_timestamp(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_isolation(sd_bus *bus, const char *path, const char *interface, const char *property,
                  sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_enforced(sd_bus *bus, const char *path, const char *interface, const char *property,
                 sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_degraded(sd_bus *bus, const char *path, const char *interface, const char *property,
                 sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* The value of a text, number or timestamp property without any regard to who asks; NULL or 0 if
 * there is none of this name. */
const char *property_text(const Instance *instance, const char *property);
uint64_t property_number(const Instance *instance, const char *property);
uint64_t property_timestamp(const Instance *instance, const char *property);

/* How the last run ended, as waitid(2) would say: code CLD_* and status; 0, 0 before any end. */
void property_end(const Instance *instance, int *ret_code, int *ret_status);
