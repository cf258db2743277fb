/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers as people write them: edges by table, the rest by random round trips with a fixed seed.
 */

#include <errno.h>
#include <signal.h>

#include <glib.h>

#include "suite.h"
#include "util/decimal.h"
#include "util/parse.h"

#define KIB         UINT64_C(1024)
#define MIB         (KIB * 1024)
#define GIB         (MIB * 1024)
#define PIB         (GIB * 1024 * 1024)
#define SEC         UINT64_C(1000000)
#define ROUND_TRIPS 10000

typedef struct Row {
    const char *text;
    int result;
    uint64_t value;
} Row;

static void check_rows(int (*parse)(const char *, uint64_t *), const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711; /* must stay on failure */
        uint64_t expected = rows[i].result == 0 ? rows[i].value : 4711;
        int r = parse(rows[i].text, &value);

        ck_assert_msg(r == rows[i].result, "'%s': %d", rows[i].text, r);
        ck_assert_msg(value == expected, "'%s': %ju", rows[i].text, (uintmax_t)value);
    }
}

/* Numbers of every length, so that small ones and the edges of each unit are met. */
static uint64_t random_number(GRand *random)
{
    uint64_t value = (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);
    unsigned bits = (unsigned)g_rand_int_range(random, 1, 64);

    value &= (UINT64_C(1) << bits) - 1;
    return g_rand_boolean(random) ? value : value & ~(value >> 1);
}

static void check_round_trips(int (*parse)(const char *, uint64_t *), char *(*format)(uint64_t))
{
    g_autoptr(GRand) random = g_rand_new_with_seed(42);

    for (int i = 0; i < ROUND_TRIPS; i++) {
        uint64_t value = i == 0 ? UINT64_MAX : i == 1 ? UINT64_MAX - 1 : random_number(random);
        g_autofree char *text = format(value);
        uint64_t again = 0;

        ck_assert_msg(parse(text, &again) == 0 && again == value, "%ju: %s", (uintmax_t)value,
                      text);
    }
}

START_TEST(a_bool_has_eight_spellings_in_any_case)
{
    static const char *const yes[] = { "yes", "true", "on", "1", "YES", "True" };
    static const char *const no[] = { "no", "false", "off", "0", "No", "OFF" };
    static const char *const neither[] = { "", "y", "2", "10", " yes", "yes ", "ja", "01" };
    bool value;

    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        ck_assert_msg(parse_bool(yes[i], &value) == 0 && value, "%s", yes[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        ck_assert_msg(parse_bool(no[i], &value) == 0 && !value, "%s", no[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(neither); i++)
        ck_assert_msg(parse_bool(neither[i], &value) == -EINVAL, "%s", neither[i]);
}
END_TEST

START_TEST(a_number_is_decimal_digits_or_infinity)
{
    static const Row rows[] = {
        { "0", 0, 0 },
        { "00012", 0, 12 },
        { "infinity", 0, UINT64_MAX },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "99999999999999999999999999", -ERANGE, 0 },
        { "99999999999999999999999999x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "+5", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "0x10", -EINVAL, 0 },
        { "1.0", -EINVAL, 0 },
        { "1e3", -EINVAL, 0 },
        { "Infinity", -EINVAL, 0 },
        { "\xd9\xa1", -EINVAL, 0 }, /* ARABIC-INDIC DIGIT ONE */
    };

    check_rows(parse_uint64, rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(a_size_has_a_base_of_1024)
{
    static const Row rows[] = {
        { "0", 0, 0 },
        { "1", 0, 1 },
        { "17B", 0, 17 },
        { "1K", 0, KIB },
        { "10M", 0, 10 * MIB },
        { "1.5G", 0, GIB + GIB / 2 },
        { ".5K", 0, 512 },
        { "0.1K", 0, 102 },
        { "0.0009765625K", 0, 1 },
        { "0.0009765624K", 0, 0 },
        { "1.99999999999999999999999999999999999K", 0, 2047 },
        { "1.9B", 0, 1 },
        { "3T", 0, 3 * GIB * KIB },
        { "16383P", 0, 16383 * PIB },
        { "infinity", 0, UINT64_MAX },
        { "18446744073709551614", 0, UINT64_MAX - 1 },
        { "18446744073709551615", -ERANGE, 0 },
        { "16384P", -ERANGE, 0 },
        { "18014398509481984K", -ERANGE, 0 },
        { "18446744073709551616", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "M", -EINVAL, 0 },
        { "1.M", -EINVAL, 0 },
        { ".", -EINVAL, 0 },
        { "10m", -EINVAL, 0 },
        { "10 M", -EINVAL, 0 },
        { "10KB", -EINVAL, 0 },
        { "10KiB", -EINVAL, 0 },
        { "-1K", -EINVAL, 0 },
        { "1,5G", -EINVAL, 0 },
        { "50%", -EINVAL, 0 },
        { "1M1", -EINVAL, 0 },
        { "99999999999999999999X", -EINVAL, 0 },
    };

    check_rows(parse_bytes, rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(a_time_span_is_written_as_for_systemd)
{
    static const Row rows[] = {
        { "0", 0, 0 },
        { "1", 0, SEC },
        { "90s", 0, 90 * SEC },
        { "1min 30s", 0, 90 * SEC },
        { "1min30s", 0, 90 * SEC },
        { "  5 min  20 s ", 0, 320 * SEC },
        { "5min 20", 0, 320 * SEC },
        { "500ms", 0, SEC / 2 },
        { ".5", 0, SEC / 2 },
        { "0.3s", 0, 300000 },
        { "1.5h", 0, 5400 * SEC },
        { "2 7", 0, 9 * SEC },
        { "1us", 0, 1 },
        { "0.9us", 0, 0 },
        { "3\xc2\xb5s", 0, 3 },
        { "3\xce\xbcs", 0, 3 },
        { "1usec 1msec 1sec 1second 2seconds", 0, 1001 + 4 * SEC },
        { "1m 1minute 2minutes", 0, 240 * SEC },
        { "1hr 1hour 2hours", 0, 4 * 3600 * SEC },
        { "1d 1day 2days", 0, 4 * 86400 * SEC },
        { "1w 1week 2weeks", 0, 28 * 86400 * SEC },
        { "1M 1month 2months", 0, 4 * 2629800 * SEC },
        { "1y 1year 2years", 0, 4 * 31557600 * SEC },
        { "infinity", 0, UINT64_MAX },
        { "18446744073709551614us", 0, UINT64_MAX - 1 },
        { "18446744073709551615us", -ERANGE, 0 },
        { "18446744073709551614us 1us", -ERANGE, 0 },
        { "18446744073709551615us 1us", -ERANGE, 0 },
        { "584543y", -ERANGE, 0 },
        { "18446744073710", -ERANGE, 0 },
        { "99999999999999999999s nonsense", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { "  ", -EINVAL, 0 },
        { "s", -EINVAL, 0 },
        { "abc", -EINVAL, 0 },
        { "-5s", -EINVAL, 0 },
        { "+5s", -EINVAL, 0 },
        { "5.s", -EINVAL, 0 },
        { "5.5.5", -EINVAL, 0 },
        { "5S", -EINVAL, 0 },
        { "5sx", -EINVAL, 0 },
        { "5s,", -EINVAL, 0 },
        { "5s infinity", -EINVAL, 0 },
        { "infinity 5s", -EINVAL, 0 },
        { "1:30", -EINVAL, 0 },
    };

    check_rows(parse_usec, rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(a_cpu_quota_is_percent_of_one_core)
{
    static const Row rows[] = {
        { "50%", 0, 500000 },
        { "150%", 0, 1500000 },
        { "12.5%", 0, 125000 },
        { "0.0001%", 0, 1 },
        { "0.00009%", 0, 0 },
        { "0%", 0, 0 },
        { "infinity", 0, UINT64_MAX },
        { "1844674407370955.1614%", 0, UINT64_MAX - 1 },
        { "1844674407370955.1615%", -ERANGE, 0 },
        { "1844674407370956%", -ERANGE, 0 },
        { "50", -EINVAL, 0 },
        { "%", -EINVAL, 0 },
        { "50 %", -EINVAL, 0 },
        { "50%%", -EINVAL, 0 },
        { "-50%", -EINVAL, 0 },
        { "", -EINVAL, 0 },
    };

    check_rows(parse_cpu_quota, rows, G_N_ELEMENTS(rows));
}
END_TEST

static void check_signal(const char *text, int result, int expected)
{
    int signal = 4711;
    int r = parse_signal(text, &signal);

    ck_assert_msg(r == result, "'%s': %d", text, r);
    ck_assert_msg(signal == (r == 0 ? expected : 4711), "'%s': %d", text, signal);
}

START_TEST(a_signal_has_a_name_a_short_name_and_a_number)
{
    check_signal("SIGTERM", 0, SIGTERM);
    check_signal("TERM", 0, SIGTERM);
    check_signal("15", 0, 15);
    check_signal("64", 0, 64);
    check_signal("SIGUSR1", 0, SIGUSR1);
}
END_TEST

START_TEST(what_is_no_signal_is_refused)
{
    static const struct {
        const char *text;
        int result;
    } rows[] = {
        { "", -EINVAL },
        { "SIG", -EINVAL },
        { "term", -EINVAL },
        { "SIGFOO", -EINVAL },
        { "SIGSIGHUP", -EINVAL },
        { "15x", -EINVAL },
        { "-1", -EINVAL },
        { "0", -ERANGE },
        { "65", -ERANGE },
        { "infinity", -EINVAL },
        { "99999999999999999999", -ERANGE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_signal(rows[i].text, rows[i].result, 0);
}
END_TEST

START_TEST(signals_1_to_31_are_found_by_their_names)
{
    for (int i = 1; i <= 31; i++) {
        ck_assert_msg(signal_name(i) != NULL, "%d", i);
        check_signal(signal_name(i), 0, i);
    }
    ck_assert_ptr_null(signal_name(0));
    ck_assert_ptr_null(signal_name(-1));
    ck_assert_ptr_null(signal_name(32));
    ck_assert_ptr_null(signal_name(1000));
}
END_TEST

static void check_formats(char *(*format)(uint64_t), const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *text = format(rows[i].value);

        ck_assert_str_eq(text, rows[i].text);
    }
}

START_TEST(a_size_is_printed_exactly)
{
    static const Row rows[] = {
        { "0", 0, 0 },        { "1023", 0, 1023 },       { "1K", 0, KIB },
        { "1536", 0, 1536 },  { "10M", 0, 10 * MIB },    { "1025M", 0, 1025 * MIB },
        { "8P", 0, 8 * PIB }, { "1234567", 0, 1234567 }, { "infinity", 0, UINT64_MAX },
    };

    check_formats(format_bytes, rows, G_N_ELEMENTS(rows));
    check_round_trips(parse_bytes, format_bytes);
}
END_TEST

START_TEST(a_size_for_people_is_rounded)
{
    static const Row rows[] = {
        { "0B", 0, 0 },
        { "1023B", 0, 1023 },
        { "1K", 0, 1024 },
        { "1.5K", 0, 1536 },
        { "1.2M", 0, 1234567 },
        { "1M", 0, MIB - 1 },
        { "1023.9K", 0, MIB - 53 },
        { "1M", 0, MIB - 51 },
        { "10M", 0, 10 * MIB },
        { "16384P", 0, UINT64_MAX - 1 },
        { "infinity", 0, UINT64_MAX },
    };

    check_formats(format_bytes_human, rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(a_time_span_is_printed_exactly)
{
    static const Row rows[] = {
        { "0", 0, 0 },
        { "1us", 0, 1 },
        { "1min 30s", 0, 90 * SEC },
        { "1h", 0, 3600 * SEC },
        { "1s 500ms", 0, 1500000 },
        { "1w 1d 1h 1min 1s 1ms 1us", 0, 694861 * SEC + 1001 },
        { "infinity", 0, UINT64_MAX },
    };

    check_formats(format_usec, rows, G_N_ELEMENTS(rows));
    check_round_trips(parse_usec, format_usec);
}
END_TEST

START_TEST(a_cpu_quota_is_printed_exactly)
{
    static const Row rows[] = {
        { "0%", 0, 0 },
        { "0.0001%", 0, 1 },
        { "0.1%", 0, 1000 },
        { "12.5%", 0, 125000 },
        { "50%", 0, 500000 },
        { "200%", 0, 2000000 },
        { "100.0001%", 0, 1000001 },
        { "infinity", 0, UINT64_MAX },
    };

    check_formats(format_cpu_quota, rows, G_N_ELEMENTS(rows));
    check_round_trips(parse_cpu_quota, format_cpu_quota);
}
END_TEST

START_TEST(scanning_leaves_the_cursor_where_there_is_no_number)
{
    const char *text = "x";
    const char *cursor = text;
    Decimal decimal;

    ck_assert_int_eq(decimal_scan(&cursor, &decimal), -EINVAL);
    ck_assert_ptr_eq(cursor, text);
}
END_TEST

SUITE_MAIN("util/parse", a_bool_has_eight_spellings_in_any_case,
           a_number_is_decimal_digits_or_infinity, a_size_has_a_base_of_1024,
           a_time_span_is_written_as_for_systemd, a_cpu_quota_is_percent_of_one_core,
           a_signal_has_a_name_a_short_name_and_a_number, what_is_no_signal_is_refused,
           signals_1_to_31_are_found_by_their_names, a_size_is_printed_exactly,
           a_size_for_people_is_rounded, a_time_span_is_printed_exactly,
           a_cpu_quota_is_printed_exactly, scanning_leaves_the_cursor_where_there_is_no_number)
