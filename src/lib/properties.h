/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Properties.GetAll, and dictionaries like its answer. */

#include <stdint.h>

#include "lib/link.h"

/* Reads the value of one entry, with one of the functions below, and returns what that did; 0: the
 * entry is of no interest. */
typedef int (*PropertyReader)(sd_bus_message *message, const char *name, void *userdata);

ConstellationError properties_get(Link *link, const char *path, const char *interface,
                                  PropertyReader reader, void *userdata);

/* Each entry of the a{sv} at the message's position. -errno. */
int properties_read(sd_bus_message *message, PropertyReader reader, void *userdata);

/* 1: read; -errno, also if the value is of another type. */
int property_text(sd_bus_message *message, char *ret, size_t size);
int property_u32(sd_bus_message *message, uint32_t *ret);
int property_i32(sd_bus_message *message, int32_t *ret);
int property_u64(sd_bus_message *message, uint64_t *ret);
int property_strv(sd_bus_message *message, char ***ret);
