/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* constellationd's side of the log that an init writes where there is no journal: it makes the file
 * and reads from it while it is written to. See wire.h for what is in it. */

#include <sys/types.h>

#include "isolation/wire.h"
#include "util/error.h"

/* Opens the log of this name for reading and writing, or makes it, to hold the last `window` bytes
 * of what is written; one of another window, or a damaged one, is replaced. In memory with dirfd
 * -1. The fd is the caller's; -1 and an error. */
int output_log_create(int dirfd, const char *name, uint64_t window, GError **error);

/* -errno. */
int output_log_open(int dirfd, const char *name);

/* 0; -EBADMSG if it is no log; -errno. */
int output_log_read_header(int fd, struct LogHeader *ret);

/* The most that is read at a time, in bytes. */
#define OUTPUT_LOG_PAGE (64u << 10)

/* How far back lines are looked for, in bytes. */
#define OUTPUT_LOG_TAIL (1u << 20)

typedef struct OutputLogPage {
    uint64_t lost; /* bytes between the cursor and the data, which were overwritten meanwhile */
    size_t size;
    uint64_t next; /* the cursor for what follows */
    char data[OUTPUT_LOG_PAGE];
} OutputLogPage;

/* What is there from the cursor on, which counts the bytes since the log was made. Of a cursor that
 * is too old, what is oldest; of one that was never reached (the log was made anew), too. 0 and no
 * data at the end. -EBADMSG, -errno. */
int output_log_read(int fd, uint64_t cursor, OutputLogPage *ret);

/* The cursor behind everything, or before the last `lines` lines, as far as they are among the last
 * OUTPUT_LOG_TAIL bytes. -EBADMSG, -errno. */
int output_log_seek_end(int fd, uint64_t lines, uint64_t *ret);
