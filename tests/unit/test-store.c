/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The store in two directories of the test's own: what it keeps, what it finds again, and what it
 * does with files that are not as it wrote them. */

#include <errno.h>
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

#define ID     "i0000000000001"
#define OTHER  "i0000000000002"
#define SUFFIX ".instance"

static Controller controller; /* nothing of it is looked at */
static char *top, *runtime, *state;
static Store *store;
static Instance *web;

static void reopen(void)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&store, store_free);
    store = store_new(runtime, state, &error);
    ck_assert_msg(store, "%s", error ? error->message : "");
}

static Instance *make(const char *id, const char *name, bool persistent)
{
    Instance *instance = instance_new(&controller, id, name, 1000, spec_new());

    ck_assert(spec_set_uint(instance->spec, SETTING_PERSISTENT, persistent, NULL));
    return instance;
}

static void prepare(void)
{
    top = g_dir_make_tmp("constellation-store-XXXXXX", NULL);
    runtime = g_build_filename(top, "runtime", NULL);
    state = g_build_filename(top, "state", NULL);
    reopen();
    web = make(ID, "web", true);
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
    g_clear_pointer(&web, instance_free);
    g_clear_pointer(&store, store_free);
    remove_tree(top);
    g_clear_pointer(&top, g_free);
    g_clear_pointer(&runtime, g_free);
    g_clear_pointer(&state, g_free);
}

static char *file_of(const char *directory, const char *name)
{
    return g_build_filename(directory, "instances", name, NULL);
}

static bool has_file(const char *directory, const char *name)
{
    g_autofree char *path = file_of(directory, name);

    return access(path, F_OK) == 0;
}

static void write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = file_of(directory, name);

    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static void save(Instance *instance)
{
    ck_assert(store_save(store, instance, NULL));
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of what is loaded, sorted and joined; the first state. */
static char *load(State *ret_state)
{
    g_autoptr(GPtrArray) loaded = store_load(store, &controller);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < loaded->len; i++) {
        Instance *instance = g_ptr_array_index(loaded, i);
        if (ret_state)
            *ret_state = instance->state;
        g_ptr_array_add(names, g_strdup(instance->name));
        instance_free(instance);
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

static void check_loads(const char *expected)
{
    g_autofree char *names = load(NULL);

    ck_assert_str_eq(names, expected);
}

START_TEST(a_second_store_of_the_same_realm_is_refused)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(store_new(runtime, state, &error));
    ck_assert_int_eq(error->code, CONSTELLATION_ERROR_ACCESS_DENIED);
    ck_assert_ptr_nonnull(strstr(error->message, runtime));
    reopen();
}
END_TEST

START_TEST(directories_are_their_owners)
{
    static const char *const names[] = { "runtime", "runtime/instances", "runtime/records", "state",
                                         "state/instances" };
    struct stat status;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(top, names[i], NULL);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_msg((status.st_mode & 07777) == 0700, "%s: %o", names[i], status.st_mode);
    }
}
END_TEST

START_TEST(a_directory_that_is_a_link_is_refused)
{
    g_autofree char *target = g_build_filename(top, "elsewhere", NULL);
    g_autofree char *records = g_build_filename(runtime, "records", NULL);

    g_clear_pointer(&store, store_free);
    ck_assert_int_eq(rmdir(records) | mkdir(target, 0700) | symlink(target, records), 0);
    ck_assert_ptr_null(store_new(runtime, state, NULL));
}
END_TEST

START_TEST(what_is_saved_is_loaded)
{
    save(web);
    reopen();
    check_loads("web");
}
END_TEST

START_TEST(what_is_as_it_was_loaded_is_not_written_again)
{
    g_autofree char *path = file_of(runtime, ID SUFFIX);

    save(web);
    g_autoptr(GPtrArray) loaded = store_load(store, &controller);
    Instance *again = g_ptr_array_index(loaded, 0);
    ck_assert_int_eq(unlink(path), 0);
    save(again);
    ck_assert(!has_file(runtime, ID SUFFIX));
    /* There and back is two changes. */
    again->state = STATE_STARTING;
    save(again);
    again->state = web->state;
    save(again);
    check_loads("web");
    instance_free(again);
}
END_TEST

START_TEST(files_are_their_owners)
{
    g_autofree char *path = file_of(runtime, ID SUFFIX);
    struct stat status;

    save(web);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(what_persists_outlives_the_machine)
{
    g_autofree char *path = file_of(runtime, ID SUFFIX);

    save(web);
    ck_assert(has_file(state, ID SUFFIX));
    ck_assert_int_eq(unlink(path), 0);
    reopen();
    check_loads("web");
}
END_TEST

START_TEST(what_does_not_persist_is_in_the_runtime_directory_only)
{
    Instance *other = make(OTHER, "other", false);

    save(other);
    ck_assert(has_file(runtime, OTHER SUFFIX) && !has_file(state, OTHER SUFFIX));
    instance_free(other);
}
END_TEST

/* Written again when the run has ended: a machine that goes down finds it as it was before. */
START_TEST(a_run_is_in_the_runtime_directory_only)
{
    g_autofree char *path = file_of(runtime, ID SUFFIX);
    g_autofree char *names = NULL;
    State found = _STATE_INVALID;

    save(web);
    web->state = STATE_RUNNING;
    save(web);
    names = load(&found);
    ck_assert_int_eq(found, STATE_RUNNING);
    ck_assert_int_eq(unlink(path), 0);
    g_free(names);
    names = load(&found);
    ck_assert_int_eq(found, STATE_PENDING);
}
END_TEST

START_TEST(what_is_removed_is_gone)
{
    save(web);
    store_remove(store, web);
    store_remove(store, web);
    ck_assert(!has_file(runtime, ID SUFFIX) && !has_file(state, ID SUFFIX));
    reopen();
    check_loads("");
}
END_TEST

START_TEST(a_broken_file_is_set_aside_and_the_others_are_loaded)
{
    save(web);
    write_file(runtime, OTHER SUFFIX, "garbage");
    reopen();
    check_loads("web");
    ck_assert(has_file(runtime, OTHER SUFFIX ".bad") && !has_file(runtime, OTHER SUFFIX));
    ck_assert_str_eq(store_quarantined(store)[0], OTHER SUFFIX ".bad");
    ck_assert_ptr_null(store_quarantined(store)[1]);
}
END_TEST

START_TEST(what_is_set_aside_is_told_until_it_is_taken_away)
{
    g_autofree char *bad = file_of(runtime, OTHER SUFFIX ".bad");

    write_file(runtime, OTHER SUFFIX, "garbage");
    for (unsigned i = 0; i < 3; i++) {
        reopen();
        check_loads("");
        ck_assert_str_eq(store_quarantined(store)[0], OTHER SUFFIX ".bad");
        ck_assert_ptr_null(store_quarantined(store)[1]);
    }
    ck_assert_int_eq(unlink(bad), 0);
    reopen();
    check_loads("");
    ck_assert_ptr_null(store_quarantined(store)[0]);
}
END_TEST

START_TEST(a_file_that_breaks_off_between_two_lines_is_set_aside)
{
    g_autofree char *bare = store_file_write(web);

    write_file(runtime, ID SUFFIX, bare);
    check_loads("");
    ck_assert(has_file(runtime, ID SUFFIX ".bad"));
}
END_TEST

START_TEST(a_file_of_somebody_else_is_set_aside)
{
    g_autofree char *path = file_of(runtime, ID SUFFIX);

    if (geteuid() != 0)
        return; /* nobody else could have put it there */
    save(web);
    ck_assert_int_eq(chown(path, 1000, 1000), 0);
    check_loads("web"); /* of the state directory */
    ck_assert(has_file(runtime, ID SUFFIX ".bad"));
}
END_TEST

START_TEST(of_two_of_a_name_the_younger_one_is_set_aside)
{
    Instance *other = make(OTHER, "web", true);
    Instance *of_another = make("i0000000000003", "web", true);

    of_another->owner = 1001;
    save(other);
    save(web);
    save(of_another);
    check_loads("web web");
    ck_assert(has_file(runtime, OTHER SUFFIX ".bad") && has_file(state, OTHER SUFFIX ".bad"));
    ck_assert(has_file(runtime, ID SUFFIX));
    instance_free(other);
    instance_free(of_another);
}
END_TEST

START_TEST(where_the_newer_file_is_broken_the_older_one_serves)
{
    save(web);
    write_file(runtime, ID SUFFIX, "garbage");
    check_loads("web");
    ck_assert(has_file(runtime, ID SUFFIX ".bad"));
}
END_TEST

START_TEST(a_file_under_the_name_of_another_is_set_aside)
{
    static const char *const names[] = { OTHER SUFFIX, ID "0" SUFFIX, ID "-copy" SUFFIX };
    g_autofree char *bare = store_file_write(web), *text = store_seal(bare);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        write_file(runtime, names[i], text);
        g_autofree char *loaded = load(NULL);
        ck_assert_msg(*loaded == '\0' && !has_file(runtime, names[i]), "%s", names[i]);
    }
}
END_TEST

START_TEST(what_is_no_file_is_set_aside)
{
    g_autofree char *directory = file_of(runtime, ID SUFFIX),
                    *link = file_of(runtime, OTHER SUFFIX);

    ck_assert_int_eq(mkdir(directory, 0700) | symlink("/dev/zero", link), 0);
    check_loads("");
    ck_assert(has_file(runtime, ID SUFFIX ".bad"));
    ck_assert(!has_file(runtime, OTHER SUFFIX));
}
END_TEST

START_TEST(other_files_are_left_alone)
{
    static const char *const names[] = { "README", ".hidden" SUFFIX, ID SUFFIX "~" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        write_file(runtime, names[i], "garbage");
    check_loads("");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(has_file(runtime, names[i]), "%s", names[i]);
    ck_assert_ptr_null(store_quarantined(store)[0]);
}
END_TEST

START_TEST(without_directories_nothing_is_kept)
{
    g_autoptr(Store) none = store_new(NULL, NULL, NULL);
    g_autoptr(GPtrArray) loaded = NULL, records = NULL;

    ck_assert_ptr_nonnull(none);
    ck_assert(store_save(none, web, NULL));
    store_remove(none, web);
    loaded = store_load(none, &controller);
    records = store_list_records(none);
    ck_assert_uint_eq(loaded->len + records->len, 0);
}
END_TEST

/* ---- records --------------------------------------------------------------------------------- */

static void check_record(Store *of)
{
    struct Record record;

    web->run = 7;
    auto_fd made = store_record_create(of, web, NULL);
    auto_fd opened = store_record_open(of, web);
    ck_assert_int_ge(made, 0);
    ck_assert_int_eq(record_read(opened, &record), 0);
    ck_assert_str_eq(record.id, ID);
    ck_assert_uint_eq(record.run, 7);
    ck_assert_uint_eq(record.owner, 1000);
    store_record_remove(of, web);
    ck_assert_int_lt(store_record_open(of, web), 0);
}

START_TEST(a_record_is_of_one_run)
{
    check_record(store);
}
END_TEST

START_TEST(a_record_in_memory_is_of_one_run)
{
    g_autoptr(Store) none = store_new(NULL, NULL, NULL);

    check_record(none);
}
END_TEST

START_TEST(records_are_listed_by_name)
{
    web->run = 7;
    fd_close(store_record_create(store, web, NULL));
    g_autoptr(GPtrArray) records = store_list_records(store);

    ck_assert_uint_eq(records->len, 1);
    ck_assert_str_eq(g_ptr_array_index(records, 0), ID "_7");
    auto_fd opened = store_record_open_name(store, ID "_7");
    ck_assert_int_ge(opened, 0);
    store_record_remove_name(store, ID "_7");
    ck_assert_int_eq(store_record_open_name(store, ID "_7"), -ENOENT);
}
END_TEST

SUITE_MAIN_WITH("core/store", prepare, clean, a_second_store_of_the_same_realm_is_refused,
                directories_are_their_owners, a_directory_that_is_a_link_is_refused,
                what_is_saved_is_loaded, what_is_as_it_was_loaded_is_not_written_again,
                files_are_their_owners, what_persists_outlives_the_machine,
                what_does_not_persist_is_in_the_runtime_directory_only,
                a_run_is_in_the_runtime_directory_only, what_is_removed_is_gone,
                a_broken_file_is_set_aside_and_the_others_are_loaded,
                what_is_set_aside_is_told_until_it_is_taken_away,
                a_file_that_breaks_off_between_two_lines_is_set_aside,
                a_file_of_somebody_else_is_set_aside, of_two_of_a_name_the_younger_one_is_set_aside,
                where_the_newer_file_is_broken_the_older_one_serves,
                a_file_under_the_name_of_another_is_set_aside, what_is_no_file_is_set_aside,
                other_files_are_left_alone, without_directories_nothing_is_kept,
                a_record_is_of_one_run, a_record_in_memory_is_of_one_run,
                records_are_listed_by_name)
