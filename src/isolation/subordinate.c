/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files are edited by hand and by useradd(8). A line that is none is passed over, as newuidmap
 * does, but when it would have been this user's it is named. */

#include <string.h>

#include "isolation/subordinate.h"

#define DIGITS_MAX 10 /* of a number with 32 bits */
#define LINES_MAX  8  /* of one user that are looked at: each is compared with all others */

/* One line: its owner in the text, a name or a uid, and a range. */
typedef struct Line {
    const char *owner;
    size_t owner_length;
    IdRange range;
    bool is_sound;
} Line;

static bool read_number(const char *text, size_t length, uint64_t *ret)
{
    uint64_t number = 0;

    if (length == 0 || length > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *ret = number;
    return true;
}

/* The line up to `end`; false for an empty one and a comment. */
static bool read_line(const char *text, const char *end, Line *ret)
{
    const char *colon = memchr(text, ':', (size_t)(end - text));
    const char *second = colon ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;
    uint64_t start, count;

    if (text == end || *text == '#')
        return false;
    *ret = (Line){ .owner = text, .owner_length = (size_t)((colon ? colon : end) - text) };
    if (!second || !read_number(colon + 1, (size_t)(second - colon - 1), &start) ||
        !read_number(second + 1, (size_t)(end - second - 1), &count))
        return true;
    ret->is_sound = count > 0 && start >= ID_RANGE_MIN && start + count <= UINT32_MAX;
    if (ret->is_sound)
        ret->range = (IdRange){ (uint32_t)start, (uint32_t)count };
    return true;
}

static const char *line_end(const char *text)
{
    return text + strcspn(text, "\n");
}

static const char *next_line(const char *end)
{
    return *end ? end + 1 : end;
}

static bool is_owner(const Line *line, const char *user, const char *number)
{
    return (strlen(user) == line->owner_length &&
            memcmp(line->owner, user, line->owner_length) == 0) ||
           (strlen(number) == line->owner_length &&
            memcmp(line->owner, number, line->owner_length) == 0);
}

static bool overlap(IdRange a, IdRange b)
{
    return a.start < (uint64_t)b.start + b.count && b.start < (uint64_t)a.start + a.count;
}

/* The line of somebody else that has ids of this range. */
static bool find_rival(const char *text, IdRange range, const char *user, const char *number,
                       Line *ret)
{
    for (const char *end; *text; text = next_line(end)) {
        end = line_end(text);
        if (read_line(text, end, ret) && ret->is_sound && !is_owner(ret, user, number) &&
            overlap(range, ret->range))
            return true;
    }
    return false;
}

static bool is_better(IdRange a, IdRange b)
{
    return b.count < ID_MAP_SIZE && a.count > b.count;
}

bool subordinate_find(const char *text, const char *file, const char *user, uid_t uid, IdRange *ret,
                      char **ret_reason)
{
    g_autofree char *number = g_strdup_printf("%u", uid), *fault = NULL;
    IdRange best = { 0, 0 };
    unsigned line_number = 0, own_lines = 0;
    Line line, rival;

    for (const char *at = text, *end; *at && own_lines < LINES_MAX; at = next_line(end)) {
        end = line_end(at);
        line_number++;
        if (!read_line(at, end, &line) || !is_owner(&line, user, number))
            continue;
        own_lines++;
        if (line.is_sound && !find_rival(text, line.range, user, number, &rival)) {
            best = is_better(line.range, best) ? line.range : best;
            continue;
        }
        g_free(fault);
        if (line.is_sound)
            fault = g_strdup_printf("line %u of %s gives ids that belong to %.*s as well",
                                    line_number, file, (int)MIN(rival.owner_length, 64),
                                    rival.owner);
        else
            fault = g_strdup_printf("line %u of %s is not USER:FIRST:COUNT with ids from %u to %u",
                                    line_number, file, ID_RANGE_MIN, UINT32_MAX - 1);
    }
    if (best.count > 0) {
        *ret = best;
        return true;
    }
    *ret_reason = fault ? g_steal_pointer(&fault)
                        : g_strdup_printf("%s has no line for %s (usermod --add-subuids and "
                                          "--add-subgids give one)",
                                          file, user);
    return false;
}
