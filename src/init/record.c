/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The record: what constellationd reads of an instance that it did not see end. The write lock
 * says that we live; the kernel drops it with us, whatever happens. Each change is one write of
 * the whole, so that a reader sees one phase or the other. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "init/init.h"

static struct Record record;

/* POSIX, not OFD: only these tell another process, in its own pid namespace, who holds them. */
int record_lock(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, F_SETLK, &lock) < 0)
        return errno;
    if (pread(fd, &record, sizeof record, 0) != (ssize_t)sizeof record ||
        record.magic != RECORD_MAGIC || record.version != RECORD_VERSION)
        return EBADMSG;
    return 0;
}

static void save(const struct Init *init)
{
    (void)!pwrite(init->record, &record, sizeof record, 0);
}

static uint64_t now_usec(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void record_enter_phase(const struct Init *init, uint32_t phase)
{
    record.phase = phase;
    save(init);
}

/* Without a lock on a record of ours there is none to write to. */
void record_fault(const struct Init *init, uint32_t step, int error, const char *path)
{
    if (record.phase < RECORD_LOCKED)
        return;
    record.fault_step = step;
    record.fault_error = error;
    (void)memset(record.fault_path, 0, sizeof record.fault_path);
    if (path != NULL)
        (void)strncpy(record.fault_path, path, sizeof record.fault_path - 1);
    record_enter_phase(init, RECORD_EXEC_FAILED);
}

void record_executed(const struct Init *init)
{
    record.executed_realtime_usec = now_usec(CLOCK_REALTIME);
    record.executed_monotonic_usec = now_usec(CLOCK_MONOTONIC);
    record_enter_phase(init, RECORD_EXECUTED);
}

void record_stopped_outside(const struct Init *init)
{
    record.flags |= RECORD_STOPPED_OUTSIDE;
    save(init);
}

void record_ended(const struct Init *init, const struct End *end)
{
    record.cld_code = end->code;
    record.cld_status = end->status;
    record.ended_realtime_usec = now_usec(CLOCK_REALTIME);
    record.ended_monotonic_usec = now_usec(CLOCK_MONOTONIC);
    usage_read(init->cgroup, &record);
    record_enter_phase(init, RECORD_ENDED);
}
