/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Label: text" lines with the labels flush right, as status shows them. */

#include "ctl/terminal.h"

/* Nothing for an empty text. What comes from the bus is made safe here. */
void field_print(const char *label, const char *text);
void field_printf(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);
