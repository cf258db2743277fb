/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define BUS_NAME           "org.rads.Constellation"
#define BUS_PATH           "/org/rads/Constellation"
#define BUS_PATH_INSTANCE  "/org/rads/Constellation/instance"
#define INTERFACE_MANAGER  "org.rads.Constellation.Manager"
#define INTERFACE_INSTANCE "org.rads.Constellation.Instance"
#define INTERFACE_SETTINGS "org.rads.Constellation.Settings"
#define BUS_ERROR_PREFIX   "org.rads.Constellation.Error."
