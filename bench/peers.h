/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a start is compared with: systemd-run, the peer, makes a scope and nothing else; the bare
 * clone makes the namespaces and nothing else, and is what the kernel alone takes. */

#include <stdbool.h>
#include <stdint.h>

#include "stamps.h"

/* From just before the spawn to the payload's first line, in microseconds. Both end the program
 * with a message where the payload does not come up. */
uint64_t peer_start(const char *probe, Stamps *stamps);
uint64_t bare_start(const char *probe, Stamps *stamps);

/* Whether this process may make the namespaces that bare_start() makes. */
bool bare_is_possible(const char *probe, Stamps *stamps);

/* Starts of the peer a second, with so many at a time. */
double peer_throughput(const char *probe, Stamps *stamps, unsigned total, unsigned in_flight);
