/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of the files of the store when disks, crashes and people have been at them: broken
 * off at every byte, and changed in ten thousand ways. No such file may do harm, to its neighbours
 * least of all. CONSTELLATION_TRIAL_COUNT and CONSTELLATION_TRIAL_SEED: how many, and which. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/controller.h"
#include "core/store-file.h"
#include "core/store-seal.h"
#include "core/store.h"
#include "suite.h"
#include "util/fd.h"
#include "util/log.h"

#define ID            "i0000000000001"
#define NEIGHBOUR     "i0000000000002"
#define SUFFIX        ".instance"
#define DEFAULT_COUNT 10000
#define FILES_PART    5 /* if nobody says how many: as files, which takes longer */
#define LINES_MAX     200

static Controller controller; /* nothing of it is looked at */
static char *top, *runtime, *instances;
static Store *store;
static Instance *made;
static char *bare; /* the text of it, without its seal */
static GRand *dice;

/* Before check looks at it: some disks are slow, and some counts large. */
__attribute__((constructor)) static void be_patient(void)
{
    (void)g_setenv("CK_DEFAULT_TIMEOUT", "600", false);
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
    const char *text = g_getenv(variable);

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : otherwise;
}

/* An instance that has something of everything. */
static Instance *make_rich(const char *id, const char *name)
{
    static const char *const command[] = { "sh", "-c", "echo \"a;b\\n\"\nexit 3", NULL };
    static const char *const environment[] = { "A=\xc3\xa4", "B= c ", NULL };
    Instance *instance = instance_new(&controller, id, name, 1000, spec_new());

    ck_assert(spec_set_strv(instance->spec, SETTING_COMMAND, command, NULL));
    ck_assert(spec_set_strv(instance->spec, SETTING_ENVIRONMENT, environment, NULL));
    ck_assert(spec_set_text(instance->spec, SETTING_MEMORY_MAX, "64M", NULL));
    ck_assert(spec_set_text(instance->spec, SETTING_RESTART, "on-failure", NULL));
    instance_set_status(instance, "exited with status %d", 3);
    instance_degrade(instance, "MemoryMax", "unsupported", "there is no memory controller");
    instance->state = STATE_FAILED;
    instance->result = RESULT_EXIT_CODE;
    instance->exit_code = 3;
    instance->run = 7;
    instance->history = (RestartHistory){ .restarts = 2, .failures = 1 };
    instance->created = instance->started = instance->stopped = timestamp_now();
    return instance;
}

static void prepare(void)
{
    log_set_level(LOG_EMERG);
    top = g_dir_make_tmp("constellation-mutations-XXXXXX", NULL);
    runtime = g_build_filename(top, "runtime", NULL);
    instances = g_build_filename(runtime, "instances", NULL);
    store = store_new(runtime, NULL, NULL);
    ck_assert_ptr_nonnull(store);
    made = make_rich(ID, "web");
    bare = store_file_write(made);
    dice = g_rand_new_with_seed(number_of("CONSTELLATION_TRIAL_SEED", 1));
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) listing = g_dir_open(path, 0, NULL);
    const char *name;

    while (listing && (name = g_dir_read_name(listing))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    ck_assert_msg(remove(path) == 0, "%s", path);
}

static void clean(void)
{
    g_clear_pointer(&made, instance_free);
    g_clear_pointer(&store, store_free);
    remove_tree(top);
    g_clear_pointer(&top, g_free);
    g_clear_pointer(&runtime, g_free);
    g_clear_pointer(&instances, g_free);
    g_clear_pointer(&bare, g_free);
    g_clear_pointer(&dice, g_rand_free);
}

/* ---- ten thousand ways ----------------------------------------------------------------------- */

static gsize somewhere(const GString *text)
{
    return text->len ? (gsize)g_rand_int(dice) % text->len : 0;
}

/* At most so many bytes from here, and at least one. */
static gsize some(const GString *text, gsize at, guint max)
{
    gsize count = 1 + g_rand_int(dice) % max;

    return MIN(text->len - at, count);
}

static void flip_bit(GString *text)
{
    text->str[somewhere(text)] ^= (char)(1 << g_rand_int_range(dice, 0, 8));
}

static void insert_bytes(GString *text)
{
    static const char *const pieces[] = {
        "\n",      "=",       ";", "[", "]\n", "\\", "\xff", "-1", "99999999999999999999",
        "[Run]\n", "Run=x\n",
    };

    g_string_insert(text, (gssize)somewhere(text),
                    pieces[g_rand_int_range(dice, 0, G_N_ELEMENTS(pieces))]);
}

static void delete_bytes(GString *text)
{
    gsize at = somewhere(text);

    g_string_erase(text, (gssize)at, (gssize)some(text, at, 40));
}

/* Puts the bytes of one place over those of another. */
static void copy_bytes(GString *text)
{
    gsize from = somewhere(text), to = somewhere(text);

    memmove(text->str + to, text->str + from, some(text, MAX(from, to), 60));
}

static void mix_lines(GString *text)
{
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", LINES_MAX);
    guint count = g_strv_length(lines);
    guint one = g_rand_int(dice) % MAX(count, 1), other = g_rand_int(dice) % MAX(count, 1);

    if (count == 0)
        return; /* it begins with a NUL */
    char *kept = lines[one];
    lines[one] = lines[other];
    if (g_rand_boolean(dice)) {
        lines[other] = kept;
    } else {
        lines[other] = g_strdup(lines[one]); /* twice, and the other not at all */
        g_free(kept);
    }
    g_autofree char *joined = g_strjoinv("\n", lines);
    g_string_assign(text, joined);
}

static void break_off(GString *text)
{
    g_string_truncate(text, somewhere(text));
}

/* As a disk leaves what was never written. A NUL ends what is handed on as text. */
static void blank_out(GString *text)
{
    gsize at = somewhere(text);

    memset(text->str + at, g_rand_boolean(dice) ? '\0' : ' ', some(text, at, 512));
}

static GString *mutate(const char *text)
{
    static void (*const ways[])(GString *) = { flip_bit,  insert_bytes, delete_bytes, copy_bytes,
                                               mix_lines, break_off,    blank_out };
    GString *mutated = g_string_new(text);

    for (int times = g_rand_int_range(dice, 1, 4); times > 0 && mutated->len > 0; times--)
        ways[g_rand_int_range(dice, 0, G_N_ELEMENTS(ways))](mutated);
    return mutated;
}

/* ---- what is read of it ---------------------------------------------------------------------- */

static void check_sane(const Instance *instance, const char *text)
{
    g_autofree char *first = store_file_write(instance), *second = NULL;
    g_autoptr(GError) error = NULL;

    ck_assert_msg(id_is_valid(instance->id) && name_is_valid(instance->name, NULL), "%s", text);
    ck_assert_msg(state_to_string(instance->state) && result_to_string(instance->result), "%s",
                  text);
    ck_assert_msg(instance->exit_code >= -1 && instance->exit_code <= 255, "%s", text);
    ck_assert_msg(instance->exit_signal >= 0 && instance->exit_signal <= 64, "%s", text);
    ck_assert_msg(g_utf8_validate(instance->status_text, -1, NULL), "%s", text);
    Instance *again = store_file_read(&controller, first, &error);
    ck_assert_msg(again, "%s\n%s", error ? error->message : "", text);
    second = store_file_write(again);
    ck_assert_str_eq(first, second);
    instance_free(again);
}

static void check_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    Instance *instance = store_file_read(&controller, text, &error);

    if (instance)
        check_sane(instance, text);
    else
        ck_assert_msg(error && g_utf8_validate(error->message, -1, NULL), "%s", text);
    instance_free(instance);
}

START_TEST(a_text_that_breaks_off_is_refused_or_a_sane_instance)
{
    for (size_t length = 0; length < strlen(bare); length++) {
        g_autofree char *text = g_strndup(bare, length);
        check_text(text);
    }
}
END_TEST

START_TEST(a_text_that_was_changed_is_refused_or_a_sane_instance)
{
    for (unsigned i = number_of("CONSTELLATION_TRIAL_COUNT", DEFAULT_COUNT); i > 0; i--) {
        g_autoptr(GString) text = mutate(bare);
        check_text(text->str);
    }
}
END_TEST

/* ---- what the store does with it ------------------------------------------------------------- */

static void check_aside(const char *what)
{
    g_autofree char *bad = g_build_filename(instances, ID SUFFIX ".bad", NULL);
    g_autoptr(GPtrArray) loaded = store_load(store, &controller);
    const char *const *aside = store_quarantined(store);

    ck_assert_msg(loaded->len == 1, "%u are loaded: %s", loaded->len, what);
    Instance *neighbour = g_ptr_array_index(loaded, 0);
    ck_assert_msg(strcmp(neighbour->id, NEIGHBOUR) == 0, "%s", what);
    instance_free(neighbour);
    ck_assert_msg(g_strv_contains(aside, ID SUFFIX ".bad"), "%s", what);
    ck_assert_msg(remove(bad) == 0, "%s: %m", what);
}

static char *save_neighbour(void)
{
    Instance *neighbour = make_rich(NEIGHBOUR, "neighbour");

    ck_assert(store_save(store, neighbour, NULL));
    instance_free(neighbour);
    return g_build_filename(instances, ID SUFFIX, NULL);
}

/* Not g_file_set_contents(), which waits for the disk. */
static void write_file(const char *path, const void *data, size_t size)
{
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

static void reopen(void)
{
    g_clear_pointer(&store, store_free);
    store = store_new(runtime, NULL, NULL);
    ck_assert_ptr_nonnull(store);
}

START_TEST(a_file_that_breaks_off_anywhere_is_set_aside)
{
    g_autofree char *path = save_neighbour(), *text = store_seal(bare);

    for (size_t length = 0; length < strlen(text); length++) {
        g_autofree char *what = g_strdup_printf("after %zu bytes", length);
        write_file(path, text, length);
        check_aside(what);
        reopen();
    }
}
END_TEST

START_TEST(a_file_that_was_changed_is_set_aside)
{
    g_autofree char *path = save_neighbour(), *text = store_seal(bare);

    for (unsigned i = number_of("CONSTELLATION_TRIAL_COUNT", DEFAULT_COUNT / FILES_PART); i > 0;
         i--) {
        g_autoptr(GString) changed = mutate(text);
        if (changed->len == strlen(text) && memcmp(changed->str, text, changed->len) == 0)
            continue;
        write_file(path, changed->str, changed->len);
        check_aside(changed->str);
        reopen();
    }
}
END_TEST

START_TEST(a_huge_file_is_set_aside_without_being_read)
{
    g_autofree char *path = save_neighbour();

    write_file(path, "", 0);
    ck_assert_int_eq(truncate(path, INT64_C(1) << 30), 0);
    check_aside("a hole of 1 GiB");
}
END_TEST

START_TEST(what_is_no_file_is_set_aside)
{
    g_autofree char *path = save_neighbour();

    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_aside("a directory");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    check_aside("a FIFO");
    ck_assert_int_eq(symlink(NEIGHBOUR SUFFIX, path), 0);
    check_aside("a link");
    ck_assert_int_eq(symlink(ID SUFFIX, path), 0);
    check_aside("a link to itself");
}
END_TEST

START_TEST(a_file_of_the_future_or_of_another_is_set_aside)
{
    static const char *const changes[][2] = {
        { "Version=1", "Version=2" },
        { "Id=" ID, "Id=" NEIGHBOUR },
        { "Owner=1000", "Owner=4294967295" },
        { "Owner=1000", "Owner=nobody" },
    };
    g_autofree char *path = save_neighbour();

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_auto(GStrv) parts = g_strsplit(bare, changes[i][0], 2);
        ck_assert_uint_eq(g_strv_length(parts), 2);
        g_autofree char *changed = g_strjoinv(changes[i][1], parts), *text = store_seal(changed);
        write_file(path, text, strlen(text));
        check_aside(changes[i][1]);
    }
}
END_TEST

SUITE_MAIN_WITH("core/store-mutations", prepare, clean,
                a_text_that_breaks_off_is_refused_or_a_sane_instance,
                a_text_that_was_changed_is_refused_or_a_sane_instance,
                a_file_that_breaks_off_anywhere_is_set_aside, a_file_that_was_changed_is_set_aside,
                a_huge_file_is_set_aside_without_being_read, what_is_no_file_is_set_aside,
                a_file_of_the_future_or_of_another_is_set_aside)
