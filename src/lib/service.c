/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which service: one that runs, if it is there and is the one that the config describes, else an
 * embedded one. Whoever names one gets that one or an error. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/library.h"
#include "util/fd.h"

LibraryOptions library_options = { .service = "auto", .timeout_usec = 30 * 1000000ull };

static char chosen[sizeof library_options.service];

/* ---- options --------------------------------------------------------------------------------- */

static ConstellationError set_timeout(const char *value)
{
    char *end;

    errno = 0;
    unsigned long seconds = strtoul(value, &end, 10);
    if (errno != 0 || *end || end == value || seconds < 1 || seconds > 86400)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "TimeoutSec=%s: must be a number of seconds, 1 to 86400", value);
    library_options.timeout_usec = (uint64_t)seconds * 1000000;
    return CONSTELLATION_OK;
}

static bool service_is_valid(const char *value)
{
    static const char *const names[] = { "auto", "system", "user", "embedded" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(value, names[i]) == 0)
            return true;
    return *value == '/' && strlen(value) < sizeof library_options.service;
}

static ConstellationError fail_service(const char *value)
{
    return fail(CONSTELLATION_ERR_INVALID_PARAM,
                "Service=%s: must be auto, system, user, embedded, or the path of a socket", value);
}

static ConstellationError set_service(const char *value)
{
    if (!service_is_valid(value))
        return fail_service(value);
    memcpy(library_options.service, value, strlen(value) + 1);
    return CONSTELLATION_OK;
}

ConstellationError constellation_set_option(const char *name, const char *value)
{
    ConstellationError result;

    if (!name || !value)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "constellation_set_option: name and value must not be NULL");
    library_lock();
    if (strcmp(name, "Service") == 0)
        result = set_service(value);
    else if (strcmp(name, "TimeoutSec") == 0)
        result = set_timeout(value);
    else
        result = fail(CONSTELLATION_ERR_INVALID_PARAM,
                      "%s: there is no such option, only Service and TimeoutSec", name);
    library_unlock();
    return result;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_socket(int socket, sd_bus **ret)
{
    auto_fd fd = socket;
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r >= 0)
        (void)fd_steal(&fd); /* the bus closes it */
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, true);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0)
        sd_bus_unref(bus);
    else
        *ret = bus;
    return r;
}

static int open_path(const char *path, sd_bus **ret)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return open_socket(fd_steal(&fd), ret);
}

static ConstellationError link_open_running(ServiceKind kind, Link **ret)
{
    sd_bus *bus = NULL;
    int r;

    if (kind == SERVICE_SYSTEM)
        r = sd_bus_open_system_with_description(&bus, "libconstellation");
    else if (kind == SERVICE_USER)
        r = sd_bus_open_user_with_description(&bus, "libconstellation");
    else
        r = open_path(chosen, &bus);
    if (r < 0)
        return fail_errno(r, "connecting to %s",
                          kind == SERVICE_SYSTEM ? "the system bus"
                          : kind == SERVICE_USER ? "the session bus"
                                                 : chosen);
    *ret = link_new(bus, kind);
    return *ret ? CONSTELLATION_OK : fail(CONSTELLATION_ERR_NO_MEMORY, "connecting");
}

static ConstellationError link_open_embedded(Link **ret)
{
    int fd, pidfd;
    sd_bus *bus = NULL;

    ConstellationError result = embedded_start(&library.config, &fd, &pidfd);
    if (result != CONSTELLATION_OK)
        return result;
    int r = open_socket(fd, &bus);
    *ret = r < 0 ? NULL : link_new(bus, SERVICE_EMBEDDED);
    if (!*ret) {
        fd_close(pidfd);
        return fail_errno(r < 0 ? r : -ENOMEM, "talking to the embedded service");
    }
    (*ret)->service_fd = pidfd;
    return CONSTELLATION_OK;
}

/* A service of other names, or one that has no room for as many, is not the one that was meant. */
static ConstellationError check_facts(const ServiceFacts *facts)
{
    const ControllerConfig *config = &library.config;

    if (*config->node_name && strcmp(config->node_name, facts->node_name) != 0)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "node_name '%s': the service that runs is that of node '%s'", config->node_name,
                    facts->node_name);
    if (*config->cluster_name && strcmp(config->cluster_name, facts->cluster_name) != 0)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "cluster_name '%s': the service that runs is that of cluster '%s'",
                    config->cluster_name, facts->cluster_name);
    if (config->max_instances > facts->max_instances)
        return fail(CONSTELLATION_ERR_INVALID_PARAM,
                    "max_instances %u: the service that runs has room for %u",
                    config->max_instances, facts->max_instances);
    return CONSTELLATION_OK;
}

static ConstellationError link_open(ServiceKind kind, Link **ret)
{
    Link *link = NULL;
    ConstellationError result = kind == SERVICE_EMBEDDED ? link_open_embedded(&link)
                                                         : link_open_running(kind, &link);

    if (!link)
        return result;
    result = link_learn(link);
    if (result != CONSTELLATION_OK && kind == SERVICE_EMBEDDED && link->lost)
        result = fail(CONSTELLATION_ERR_SPAWN_FAILED,
                      "the embedded service ended before it could be asked anything "
                      "(CONSTELLATION_LOG_LEVEL=info shows why)");
    if (result == CONSTELLATION_OK && kind != SERVICE_EMBEDDED)
        result = check_facts(&link->facts);
    if (result == CONSTELLATION_OK) {
        *ret = link;
        return CONSTELLATION_OK;
    }
    link_lose(link);
    link_unref(link);
    return result;
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* Into `chosen`, which holds for as long as the library is initialized. */
static ConstellationError choose(void)
{
    const char *variable = secure_getenv("CONSTELLATION_SERVICE");
    const char *wanted = library_options.service;

    if (strcmp(wanted, "auto") == 0 && variable && *variable)
        wanted = variable;
    if (!service_is_valid(wanted))
        return fail_service(wanted);
    memcpy(chosen, wanted, strlen(wanted) + 1);
    return CONSTELLATION_OK;
}

static ConstellationError connect_auto(Link **ret)
{
    ServiceKind kind = geteuid() == 0 ? SERVICE_SYSTEM : SERVICE_USER;

    if (link_open(kind, ret) == CONSTELLATION_OK)
        return CONSTELLATION_OK;
    return link_open(SERVICE_EMBEDDED, ret);
}

ConstellationError service_connect(Link **ret)
{
    ConstellationError result = choose();

    if (result != CONSTELLATION_OK)
        return result;
    if (strcmp(chosen, "auto") == 0)
        return connect_auto(ret);
    if (strcmp(chosen, "system") == 0)
        return link_open(SERVICE_SYSTEM, ret);
    if (strcmp(chosen, "user") == 0)
        return link_open(SERVICE_USER, ret);
    return link_open(*chosen == '/' ? SERVICE_SOCKET : SERVICE_EMBEDDED, ret);
}

ConstellationError service_reconnect(Link **ret)
{
    return link_open(library.link->kind, ret);
}
