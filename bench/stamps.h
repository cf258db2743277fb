/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the payloads say when they began: a FIFO, which wakes the reader without the polling that
 * would itself disturb what is measured. The payload is `probe stamp PATH`: the clock it reads in
 * its first line is the same as ours. */

#include <stdint.h>

typedef struct Stamps {
    char directory[256];
    char path[300];
    int fd;
    char rest[64]; /* the beginning of a line that was not all there yet */
} Stamps;

/* Once in a program, which ends with a message where it fails: without stamps there is nothing to
 * measure. Removed again when the program ends. */
void stamps_open(Stamps *stamps);

/* The next stamp, CLOCK_MONOTONIC in nanoseconds; waits for at most timeout_msec. 0: none came. */
uint64_t stamps_next(Stamps *stamps, int timeout_msec);
