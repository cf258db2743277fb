/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as a record, which is a file that a process of the instance's user writes: what is
 * taken has texts that end, and a sentence can be made of it. */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "isolation/plan.h"
#include "isolation/record.h"
#include "util/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct Record *record)
{
    g_autofree char *sentence = step_failure(record->fault_step, record->fault_error,
                                             record->fault_path);

    g_assert_cmpuint(strlen(record->id), <, sizeof record->id);
    g_assert_cmpuint(strlen(record->fault_path), <, sizeof record->fault_path);
    g_assert_true(g_utf8_validate(sentence, -1, NULL));
    g_assert_null(strchr(sentence, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_fd fd = memfd_create("fuzz-record", MFD_CLOEXEC);
    struct Record record;
    pid_t holder = -1;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, size);
    if (record_read(fd, &record) == 0)
        check_record(&record);
    g_assert_cmpint(record_holder(fd, &holder), ==, 0);
    g_assert_cmpint(holder, ==, 0);
    return 0;
}
