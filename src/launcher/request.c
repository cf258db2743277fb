/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One request: taken whole, every field checked again though constellationd has built it, served,
 * answered. A request that is not right gets an answer as well, and the connection lives on. */

#include <errno.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "launcher/launcher.h"
#include "util/fd.h"
#include "util/message.h"

/* NEWCGROUP and NEWTIME are not among them: the init makes those, after the gate. */
#define NAMESPACES_CLONED \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

static bool fd_is_packet_socket(int fd)
{
    int domain = -1, type = -1;
    socklen_t length = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

static bool fd_is_cgroup(int fd)
{
    struct statfs system;
    struct stat status;

    return fstatfs(fd, &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC &&
           fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* -1 would leave the id as it is; 65535 is what -1 was when ids had 16 bits. */
static bool id_is_valid(uint32_t id)
{
    return id != UINT32_MAX && id != UINT16_MAX;
}

static bool maps_are_sound(const struct LaunchRequest *request)
{
    return request->id_map != ID_MAP_RANGES ||
           (idmap_is_sound(&request->uids) && idmap_is_sound(&request->gids));
}

static int check_spawn(const struct LaunchRequest *request, const Received *received)
{
    bool user_namespace = (request->namespaces & CLONE_NEWUSER) != 0;

    if (request->into_cgroup > 1 || request->id_map > ID_MAP_RANGES ||
        (request->namespaces & ~(uint32_t)NAMESPACES_CLONED) != 0)
        return EINVAL;
    if (user_namespace != (request->id_map != ID_MAP_NONE))
        return EINVAL;
    if (!id_is_valid(request->uid) || !id_is_valid(request->gid) || !maps_are_sound(request))
        return EINVAL;
    if (received->n_fds != 1 + request->into_cgroup)
        return EBADMSG;
    if (!fd_is_packet_socket(received->fds[0]) ||
        (request->into_cgroup == 1 && !fd_is_cgroup(received->fds[1])))
        return EINVAL;
    return 0;
}

/* A message that was cut has size 0 here. */
static int check_request(const struct Launcher *launcher, const struct LaunchRequest *request,
                         const Received *received)
{
    if (received->size != sizeof *request || request->magic != LAUNCH_MAGIC ||
        request->version != WIRE_VERSION)
        return EBADMSG;
    switch (request->verb) {
    case LAUNCH_SPAWN:
        return check_spawn(request, received);
    case LAUNCH_PROBE:
        if (received->n_fds != 0)
            return EBADMSG;
        return maps_are_sound(request) ? 0 : EINVAL;
    case LAUNCH_REAP:
        if (received->n_fds != 0)
            return EBADMSG;
        return request->pid > 0 ? 0 : EINVAL;
    case LAUNCH_REMOVE:
        if (received->n_fds != 1)
            return EBADMSG;
        return remove_is_allowed(launcher, received->fds[0], request->name) ? 0 : EPERM;
    default:
        return EINVAL;
    }
}

static void perform(const struct Launcher *launcher, const struct LaunchRequest *request,
                    const int *fds, struct LaunchReply *reply, int *ret_pidfd)
{
    switch (request->verb) {
    case LAUNCH_SPAWN:
        spawn_init(launcher, request, fds[0], request->into_cgroup == 1 ? fds[1] : -1, reply,
                   ret_pidfd);
        break;
    case LAUNCH_PROBE:
        probe_host(launcher, request, reply);
        break;
    case LAUNCH_REMOVE:
        reply->error = remove_layer(fds[0], request->name);
        break;
    default:
        reap_one(request, reply);
        break;
    }
}

/* Waits where the peer does not read its answers: it has no use for more of them then, and if it
 * dies the wait ends. */
static bool answer(int connection, const struct LaunchReply *reply, int pidfd)
{
    struct pollfd writable = { .fd = connection, .events = POLLOUT };
    int r;

    while ((r = message_send(connection, reply, sizeof *reply, &pidfd, pidfd >= 0)) == -EAGAIN)
        (void)poll(&writable, 1, -1);
    return r == 0;
}

bool request_serve(const struct Launcher *launcher, int connection)
{
    struct LaunchRequest request = { .magic = 0 };
    struct LaunchReply reply = { .magic = LAUNCH_MAGIC, .version = WIRE_VERSION };
    Received received = { .size = 0 };
    auto_fd pidfd = -1;
    int r = message_receive(connection, &request, sizeof request, &received);

    if (r == -EAGAIN)
        return true;
    if (r < 0 && r != -EBADMSG)
        return false;
    /* An empty message looks like the end, but nobody is gone. */
    if (r == 0 && received.size == 0 && peer_is_gone(connection))
        return false;
    reply.serial = request.serial;
    reply.error = check_request(launcher, &request, &received);
    if (reply.error != 0)
        reply.step = LAUNCH_STEP_REQUEST;
    else
        perform(launcher, &request, received.fds, &reply, &pidfd);
    received_done(&received);
    return answer(connection, &reply, pidfd);
}
