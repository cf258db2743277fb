/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The journal's own protocol: an entry of fields is one datagram. sd_journal_send() does the same,
 * and waits where journald does not read: a service that instances depend on must not. */

#include <glib.h>

/* Appends a field; the name as journald wants it, the value as it is, line feeds too. */
void journal_field(GString *entry, const char *name, const char *value);

/* Never waits. 0, or -errno: -EAGAIN if journald does not take it now, -ENOENT or -ECONNREFUSED if
 * there is none. */
int journal_send(const GString *entry);
