/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names and ids. An id is a number of 65 bits, time before chance, in 13 digits of 5 bits, written
 * with an alphabet that is in ASCII order: comparing ids as text compares their times. */

#include <string.h>

#include "model/names.h"
#include "model/text.h"
#include "util/error.h"

#define ID_PREFIX      'i'
#define ID_DIGITS      (INSTANCE_ID_LENGTH - 1)
#define ID_TIME_BITS   44
#define ID_RANDOM_BITS 21

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

/* An id as a number; 65 bits do not fit into one integer. */
typedef struct IdNumber {
    uint64_t time;   /* milliseconds since the epoch, below 2^44: until the year 2527 */
    uint64_t random; /* below 2^21 */
} IdNumber;

bool name_is_valid(const char *name, GError **error)
{
    size_t length = strlen(name);
    g_autofree char *quoted = text_quotable(name);

    if (length == 0)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS, "a name must not be empty");
    if (length > INSTANCE_NAME_MAX)
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "name '%s': at most %d characters", quoted, INSTANCE_NAME_MAX);
    if (!g_ascii_isalnum(*name))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "name '%s': must begin with a letter or a digit", quoted);
    for (const char *c = name; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && !strchr("_.-", *c))
            return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                             "name '%s': only letters, digits, '_', '.' and '-'", quoted);
    if (id_is_valid(name))
        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "name '%s': looks like an id, which the service gives", quoted);
    return true;
}

bool id_is_valid(const char *id)
{
    return strlen(id) == INSTANCE_ID_LENGTH && *id == ID_PREFIX &&
           strspn(id + 1, digits) == ID_DIGITS;
}

/* The digits from the last to the first. The fifth from the end holds bits of both halves: the
 * lowest of the time above the highest of chance. */
static void id_print(IdNumber number, char ret_id[static INSTANCE_ID_LENGTH + 1])
{
    uint64_t low = number.random | (number.time & 0xf) << ID_RANDOM_BITS; /* 25 bits: 5 digits */
    uint64_t high = number.time >> 4;                                     /* 40 bits: 8 digits */

    ret_id[0] = ID_PREFIX;
    ret_id[INSTANCE_ID_LENGTH] = '\0';
    for (size_t i = 0; i < 5; i++, low >>= 5)
        ret_id[ID_DIGITS - i] = digits[low & 31];
    for (size_t i = 0; i < 8; i++, high >>= 5)
        ret_id[ID_DIGITS - 5 - i] = digits[high & 31];
}

static IdNumber id_read(const char *id)
{
    uint64_t high = 0, low = 0;

    for (size_t i = 1; i <= ID_DIGITS; i++) {
        uint64_t digit = (uint64_t)(strchr(digits, id[i]) - digits);

        if (i <= 8)
            high = high << 5 | digit;
        else
            low = low << 5 | digit;
    }
    return (IdNumber){ .time = high << 4 | low >> ID_RANDOM_BITS,
                       .random = low & ((1u << ID_RANDOM_BITS) - 1) };
}

static IdNumber id_successor(IdNumber number)
{
    number.random++;
    if (number.random >> ID_RANDOM_BITS) {
        number.random = 0;
        number.time++;
    }
    return number;
}

void id_make(uint64_t realtime_usec, uint32_t random, const char *last,
             char ret_id[static INSTANCE_ID_LENGTH + 1])
{
    IdNumber number = { .time = realtime_usec / 1000,
                        .random = random & ((1u << ID_RANDOM_BITS) - 1) };

    if (last && id_is_valid(last)) {
        IdNumber before = id_read(last);

        /* Twice within a millisecond, or a clock that was set back. */
        if (number.time < before.time ||
            (number.time == before.time && number.random <= before.random))
            number = id_successor(before);
    }
    g_assert(number.time >> ID_TIME_BITS == 0);
    id_print(number, ret_id);
}

bool reference_parse(const char *text, Reference *ret, GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *user = slash ? g_strndup(text, (size_t)(slash - text)) : NULL;
    const char *name = slash ? slash + 1 : text;
    ReferenceKind kind;

    if (user && !text_is_user(user)) {
        g_autofree char *quoted = text_quotable(text);

        return error_set(error, CONSTELLATION_ERROR_INVALID_ARGS,
                         "instance '%s': what stands before the slash is no user (USER/NAME, NAME "
                         "or an id)",
                         quoted);
    }
    kind = user ? REFERENCE_FOREIGN : id_is_valid(name) ? REFERENCE_ID : REFERENCE_OWN;
    if (kind != REFERENCE_ID && !name_is_valid(name, error))
        return false;

    *ret = (Reference){ .kind = kind, .user = g_steal_pointer(&user), .name = g_strdup(name) };
    return true;
}

void reference_done(Reference *reference)
{
    g_free(reference->user);
    g_free(reference->name);
    *reference = (Reference){ .kind = REFERENCE_OWN };
}
