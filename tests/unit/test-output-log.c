/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The log of an instance, read while it is written to. The writer is played as the init does it:
 * bytes first, counters after. Byte n of what it writes tells its place, so that every byte that is
 * read can be checked. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolation/output-log.h"
#include "suite.h"
#include "util/fd.h"

#define WINDOW 20000u /* no power of two, and no multiple of a page */

static int logfile = -1;
static OutputLogPage page;
static char *directory;
static int logs = -1;

static void prepare(void)
{
    directory = g_dir_make_tmp("constellation-log-XXXXXX", NULL);
    logs = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    logfile = output_log_create(logs, "log", WINDOW, NULL);
    ck_assert_int_ge(logfile, 0);
}

static void clean(void)
{
    logfile = fd_close(logfile);
    (void)unlinkat(logs, "log", 0);
    logs = fd_close(logs);
    ck_assert_int_eq(rmdir(directory), 0);
    g_clear_pointer(&directory, g_free);
}

/* ---- the writer ------------------------------------------------------------------------------ */

static char byte_at(uint64_t n)
{
    return (char)((n * 2654435761u) >> 13);
}

static void set_counters(uint64_t written, uint64_t again)
{
    const struct LogCounters counters = { .written = written, .written_again = again };

    ck_assert_int_eq(
        pwrite(logfile, &counters, sizeof counters, offsetof(struct LogHeader, counters)),
        sizeof counters);
}

static struct LogHeader header_now(void)
{
    struct LogHeader header;

    ck_assert_int_eq(output_log_read_header(logfile, &header), 0);
    return header;
}

/* At most a chunk, at the writer's place, `text` or what belongs there. Returns the new place. */
static uint64_t write_chunk(uint64_t size, uint64_t at, const char *text, size_t length)
{
    char chunk[LOG_CHUNK];
    size_t part = MIN(length, MIN((size_t)LOG_CHUNK, (size_t)(size - at % size)));

    for (size_t i = 0; i < part; i++)
        chunk[i] = text ? text[i] : byte_at(at + i);
    ck_assert_int_eq(pwrite(logfile, chunk, part, (off_t)(LOG_DATA + at % size)), (ssize_t)part);
    set_counters(at + part, at + part);
    return at + part;
}

static void write_bytes(size_t length)
{
    struct LogHeader header = header_now();
    uint64_t at = header.counters.written, end = at + length;

    while (at < end)
        at = write_chunk(header.size, at, NULL, (size_t)(end - at));
}

static void write_text(const char *text)
{
    struct LogHeader header = header_now();
    uint64_t begin = header.counters.written, at = begin, end = begin + strlen(text);

    while (at < end)
        at = write_chunk(header.size, at, text + (at - begin), (size_t)(end - at));
}

/* ---- the reader ------------------------------------------------------------------------------ */

static void read_at(uint64_t cursor)
{
    size_t sound = 0;

    ck_assert_int_eq(output_log_read(logfile, cursor, &page), 0);
    while (sound < page.size && page.data[sound] == byte_at(page.next - page.size + sound))
        sound++;
    ck_assert_uint_eq(sound, page.size);
}

static const char *tail(uint64_t lines)
{
    static char text[OUTPUT_LOG_PAGE + 1];
    uint64_t cursor;

    ck_assert_int_eq(output_log_seek_end(logfile, lines, &cursor), 0);
    ck_assert_int_eq(output_log_read(logfile, cursor, &page), 0);
    memcpy(text, page.data, page.size);
    text[page.size] = '\0';
    return text;
}

START_TEST(a_new_log_is_empty)
{
    read_at(0);
    ck_assert_uint_eq(page.size, 0);
    ck_assert_uint_eq(page.next, 0);
    ck_assert_uint_eq(page.lost, 0);
    ck_assert_str_eq(tail(5), "");
}
END_TEST

START_TEST(what_was_written_is_read_back_in_pieces)
{
    write_bytes(100);
    read_at(0);
    ck_assert_uint_eq(page.size, 100);
    write_bytes(50);
    read_at(page.next);
    ck_assert_uint_eq(page.size, 50);
    read_at(page.next);
    ck_assert_uint_eq(page.size, 0);
    ck_assert_uint_eq(page.next, 150);
}
END_TEST

/* Any place of the writer, and any of the reader: so much is there, and so much is not. */
START_TEST(the_last_window_is_there_and_nothing_older)
{
    static const size_t steps[] = { 1, 4095, 4096, 4097, 333, 19999, 20000, 20001, 7, 50000 };
    uint64_t written = 0;

    for (unsigned i = 0; i < 100; i++) {
        write_bytes(steps[i % G_N_ELEMENTS(steps)]);
        written += steps[i % G_N_ELEMENTS(steps)];
        uint64_t oldest = written > WINDOW ? written - WINDOW : 0;
        for (unsigned back = 0; back < 60000; back += 9973) {
            uint64_t cursor = written > back ? written - back : 0;
            read_at(cursor);
            ck_assert_uint_eq(page.next, written);
            ck_assert_uint_eq(page.size, written - MAX(cursor, oldest));
            ck_assert_uint_eq(page.lost, oldest > cursor ? oldest - cursor : 0);
        }
    }
}
END_TEST

START_TEST(a_large_log_is_read_in_pages)
{
    uint64_t cursor = 0;

    fd_close(logfile);
    logfile = output_log_create(logs, "log", 300000, NULL);
    write_bytes(1000000);
    for (unsigned pages = 0; pages < 5; pages++) {
        read_at(cursor);
        ck_assert_uint_eq(page.lost, pages == 0 ? 700000 : 0);
        ck_assert_uint_eq(page.size, pages < 4 ? OUTPUT_LOG_PAGE : 300000 - 4 * OUTPUT_LOG_PAGE);
        cursor = page.next;
    }
    ck_assert_uint_eq(cursor, 1000000);
}
END_TEST

START_TEST(a_cursor_of_another_log_begins_with_the_oldest)
{
    write_bytes(30000);
    read_at(30001);
    ck_assert_uint_eq(page.size, WINDOW);
    ck_assert_uint_eq(page.lost, 30000 - WINDOW);
    read_at(UINT64_MAX);
    ck_assert_uint_eq(page.next, 30000);
}
END_TEST

/* A writer without a pause, and what is read is always what was written there. */
START_TEST(a_reader_and_a_writer_do_not_need_each_other)
{
    struct LogHeader header = header_now();
    pid_t writer = fork();

    if (writer == 0)
        for (uint64_t at = 0;;)
            at = write_chunk(header.size, at, NULL, LOG_CHUNK);
    gint64 end = g_get_monotonic_time() + 300000;
    for (uint64_t cursor = 0; g_get_monotonic_time() < end; cursor = page.next)
        read_at(cursor);
    (void)kill(writer, SIGKILL);
    ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
    ck_assert_uint_gt(page.next, 10 * WINDOW);
}
END_TEST

START_TEST(counters_that_never_agree_are_no_log)
{
    write_bytes(10);
    set_counters(20, 10);
    ck_assert_int_eq(output_log_read(logfile, 0, &page), -EBADMSG);
    set_counters(20, 20);
    ck_assert_int_eq(output_log_read(logfile, 0, &page), 0);
}
END_TEST

START_TEST(a_damaged_header_is_no_log)
{
    const struct LogHeader sound = header_now();
    struct LogHeader damaged[] = { sound, sound, sound, sound };

    damaged[0].magic++;
    damaged[1].version++;
    damaged[2].size = LOG_CHUNK;
    damaged[3].size = UINT64_MAX;
    for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
        ck_assert_int_gt(pwrite(logfile, &damaged[i], sizeof damaged[i], 0), 0);
        ck_assert_msg(output_log_read(logfile, 0, &page) == -EBADMSG, "%zu", i);
    }
    ck_assert_int_eq(ftruncate(logfile, 10), 0);
    ck_assert_int_eq(output_log_read(logfile, 0, &page), -EBADMSG);
}
END_TEST

START_TEST(a_log_that_ends_too_early_is_none)
{
    write_bytes(5000);
    ck_assert_int_eq(ftruncate(logfile, LOG_DATA + 4000), 0);
    ck_assert_int_eq(output_log_read(logfile, 0, &page), -EBADMSG);
}
END_TEST

/* ---- making ---------------------------------------------------------------------------------- */

static size_t written_in_a_log_of(uint64_t window)
{
    fd_close(logfile);
    logfile = output_log_create(logs, "log", window, NULL);
    ck_assert_int_ge(logfile, 0);
    read_at(0);
    return page.size;
}

START_TEST(a_log_is_kept_from_run_to_run)
{
    write_bytes(77);
    ck_assert_uint_eq(written_in_a_log_of(WINDOW), 77);
}
END_TEST

START_TEST(a_log_of_another_size_is_made_anew)
{
    write_bytes(77);
    ck_assert_uint_eq(written_in_a_log_of(WINDOW + 1), 0);
}
END_TEST

START_TEST(a_damaged_log_is_made_anew)
{
    ck_assert_int_eq(ftruncate(logfile, 3), 0);
    ck_assert_uint_eq(written_in_a_log_of(WINDOW), 0);
    write_bytes(5);
    ck_assert_uint_eq(written_in_a_log_of(WINDOW), 5);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
    (void)unlinkat(logs, "log", 0);
    ck_assert_int_eq(symlinkat("elsewhere", logs, "log"), 0);
    ck_assert_int_eq(output_log_open(logs, "log"), -ELOOP);
    ck_assert_uint_eq(written_in_a_log_of(WINDOW), 0);
    ck_assert_int_eq(faccessat(logs, "elsewhere", F_OK, 0), -1);
}
END_TEST

START_TEST(it_is_its_owners_alone)
{
    struct stat status;

    ck_assert_int_eq(fstat(logfile, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_log_in_memory_is_like_one_in_a_file)
{
    fd_close(logfile);
    logfile = output_log_create(-1, "log", WINDOW, NULL);
    write_bytes(50000);
    read_at(0);
    ck_assert_uint_eq(page.size, WINDOW);
}
END_TEST

/* ---- lines ----------------------------------------------------------------------------------- */

START_TEST(the_last_lines_are_found)
{
    static const struct {
        const char *name, *text;
        uint64_t lines;
        const char *tail;
    } rows[] = {
        { "none", "a\nb\n", 0, "" },
        { "one", "a\nb\n", 1, "b\n" },
        { "all", "a\nb\n", 2, "a\nb\n" },
        { "more than there are", "a\nb\n", 9, "a\nb\n" },
        { "one that goes on", "a\nb", 1, "b" },
        { "two, one of which goes on", "a\nb", 2, "a\nb" },
        { "empty ones", "a\n\n\n", 2, "\n\n" },
        { "nothing but line feeds", "\n\n", 1, "\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ck_assert_uint_eq(written_in_a_log_of(WINDOW + 1 + i), 0);
        write_text(rows[i].text);
        ck_assert_msg(strcmp(tail(rows[i].lines), rows[i].tail) == 0, "%s: '%s'", rows[i].name,
                      tail(rows[i].lines));
    }
}
END_TEST

START_TEST(lines_are_found_around_the_end_of_the_ring)
{
    g_autofree char *filling = g_strnfill(WINDOW + LOG_CHUNK - 3, '.');

    write_text(filling);
    write_text("\nfirst\nsecond\n");
    ck_assert_str_eq(tail(2), "first\nsecond\n");
    ck_assert_str_eq(tail(1), "second\n");
}
END_TEST

START_TEST(lines_are_found_over_many_pages)
{
    g_autofree char *line = g_strnfill(40000, 'x');

    ck_assert_uint_eq(written_in_a_log_of(4u << 20), 0);
    line[39999] = '\n';
    for (unsigned i = 0; i < 50; i++)
        write_text(line);
    (void)tail(10);
    ck_assert_uint_eq(page.next - page.size, 50 * 40000 - 10 * 40000);
    (void)tail(1000);
    ck_assert_uint_eq(page.next - page.size, 50 * 40000 - OUTPUT_LOG_TAIL);
}
END_TEST

SUITE_MAIN_WITH("isolation/output-log", prepare, clean, a_new_log_is_empty,
                what_was_written_is_read_back_in_pieces, the_last_window_is_there_and_nothing_older,
                a_large_log_is_read_in_pages, a_cursor_of_another_log_begins_with_the_oldest,
                a_reader_and_a_writer_do_not_need_each_other, counters_that_never_agree_are_no_log,
                a_damaged_header_is_no_log, a_log_that_ends_too_early_is_none,
                a_log_is_kept_from_run_to_run, a_log_of_another_size_is_made_anew,
                a_damaged_log_is_made_anew, a_link_is_not_followed, it_is_its_owners_alone,
                a_log_in_memory_is_like_one_in_a_file, the_last_lines_are_found,
                lines_are_found_around_the_end_of_the_ring, lines_are_found_over_many_pages)
