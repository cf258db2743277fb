/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/init-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/syscalls.h"

int launcher = -1;
pid_t launcher_pid = -1;

/* ---- launcher -------------------------------------------------------------------------------- */

/* As a container does that does not know the newer calls: open_tree() to fspick(), mount_setattr().
 */
static void deny_mount_calls(uint32_t error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount_setattr, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_open_tree, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_open_tree + 5, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
    };
    const struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        _exit(126);
}

static void exec_launcher(int socket, uid_t uid)
{
    char init[512];
    const char *program = getenv("CONSTELLATION_LAUNCHER");

    (void)snprintf(init, sizeof init, "--init=%s", getenv("CONSTELLATION_INIT"));
    (void)dup2(socket, 3);
    if (getenv("CONSTELLATION_TEST_DENY"))
        deny_mount_calls((uint32_t)atoi(getenv("CONSTELLATION_TEST_DENY")));
    if (uid != 0 &&
        (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
        _exit(1);
    (void)execl(program, program, "--fd=3", init, (char *)NULL);
    _exit(127);
}

/* The launcher believes only in a peer of its own uid, and it is who makes the pair that counts. */
static void make_pair_as(uid_t uid, int pair[2])
{
    ck_assert_int_eq(setresuid(uid, uid, 0), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(setresuid(0, 0, 0), 0);
}

void launcher_start_as(uid_t uid)
{
    int pair[2];

    ck_assert_msg(getenv("CONSTELLATION_LAUNCHER") && getenv("CONSTELLATION_INIT"),
                  "CONSTELLATION_LAUNCHER and CONSTELLATION_INIT name the programs to test");
    make_pair_as(uid, pair);
    launcher_pid = fork();
    if (launcher_pid == 0)
        exec_launcher(pair[1], uid);
    (void)close(pair[1]);
    launcher = pair[0];
}

void launcher_start(void)
{
    launcher_start_as(0);
}

void launcher_stop(void)
{
    int status;

    launcher = fd_close(launcher);
    if (launcher_pid > 0) {
        ck_assert_int_eq(waitpid(launcher_pid, &status, 0), launcher_pid);
        ck_assert_int_eq(status, 0);
    }
    launcher_pid = -1;
}

struct LaunchRequest launch_request(uint32_t verb)
{
    static uint32_t serial;

    return (struct LaunchRequest){
        .magic = LAUNCH_MAGIC, .version = WIRE_VERSION, .verb = verb, .serial = ++serial
    };
}

static void wait_readable(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    ck_assert_msg(poll(&polled, 1, PATIENCE_MS) == 1, "nothing happens");
}

/* What sendmsg() says. */
static ssize_t send_fds(int socket, const void *data, size_t size, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec part = { (void *)data, size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (count > 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* Length; one fd and the credentials at most. */
static ssize_t receive(int socket, void *data, size_t size, int *fd, struct ucred *sender)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = { data, size };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t length;

    wait_readable(socket);
    length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_type == SCM_RIGHTS && fd)
            memcpy(fd, CMSG_DATA(c), sizeof *fd);
        if (c->cmsg_type == SCM_CREDENTIALS && sender)
            memcpy(sender, CMSG_DATA(c), sizeof *sender);
    }
    return length;
}

struct LaunchReply launcher_call(const struct LaunchRequest *request, const int *fds,
                                 size_t fd_count, int *ret_pidfd)
{
    struct LaunchReply reply = { .magic = 0 };
    int pidfd = -1;

    ck_assert_int_eq(send_fds(launcher, request, sizeof *request, fds, fd_count), sizeof *request);
    ck_assert_int_eq(receive(launcher, &reply, sizeof reply, &pidfd, NULL), sizeof reply);
    ck_assert_uint_eq(reply.magic, LAUNCH_MAGIC);
    ck_assert_uint_eq(reply.serial, request->serial);
    if (ret_pidfd)
        *ret_pidfd = pidfd;
    else
        ck_assert_int_eq(pidfd, -1);
    return reply;
}

/* ---- one instance ---------------------------------------------------------------------------- */

Run *run_new_sandbox(void)
{
    Run *run = calloc(1, sizeof *run);

    run->request = launch_request(LAUNCH_SPAWN);
    run->request.namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    run->header = (struct WirePlan){ .magic = WIRE_PLAN_MAGIC,
                                     .version = WIRE_VERSION,
                                     .own_pid_namespace = 1 };
    run->strings_used = 1; /* offset 0 means none */
    run->cgroup = run->ctl = run->pidfd = run->log = run->log_pipe = -1;
    run->record = memfd_create("record", MFD_CLOEXEC);
    run->output = memfd_create("output", MFD_CLOEXEC);
    run_step(run, STEP_MOUNTS_SLAVE, 0, NULL);
    run_step(run, STEP_PROC, 0, "/proc");
    run_step(run, STEP_GATE, 0, NULL);
    return run;
}

Run *run_new(const char *const *argv)
{
    Run *run = run_new_sandbox();

    for (size_t i = 0; argv[i]; i++)
        run->argv[i] = argv[i];
    run->executable = argv[0];
    run->env[0] = "PATH=/usr/bin:/bin";
    run_step(run, STEP_SESSION, 0, NULL);
    run_step(run, STEP_NO_NEW_PRIVILEGES, 0, NULL);
    run_step(run, STEP_WORKING_DIRECTORY, 0, "/");
    run_step(run, STEP_EXEC, 0, NULL);
    return run;
}

Run *run_new_shell(const char *script)
{
    return run_new((const char *const[]){ "/bin/sh", "-c", script, NULL });
}

void run_free(Run *run)
{
    (void)fd_close(run->ctl);
    (void)fd_close(run->pidfd);
    (void)fd_close(run->record);
    (void)fd_close(run->output);
    (void)fd_close(run->log);
    (void)fd_close(run->log_pipe);
    free(run);
}

void run_without_namespaces(Run *run)
{
    run->request.namespaces = 0;
    run->header.own_pid_namespace = 0;
    run_drop_step(run, STEP_MOUNTS_SLAVE);
    run_drop_step(run, STEP_PROC);
    run_step(run, STEP_SUBREAPER, 0, NULL);
}

void run_with_log(Run *run, int file, uint64_t size)
{
    const struct LogHeader header = { .magic = LOG_MAGIC, .version = LOG_VERSION, .size = size };

    ck_assert_int_eq(pwrite(file, &header, sizeof header, 0), sizeof header);
    ck_assert_int_eq(ftruncate(file, (off_t)(LOG_DATA + size)), 0);
    run->log = file;
}

void run_as(Run *run, uid_t uid, gid_t gid)
{
    run->header.uid = uid;
    run->header.gid = gid;
    run_step(run, STEP_GROUPS, 0, NULL);
    run_step(run, STEP_GID, 0, NULL);
    run_step(run, STEP_UID, 0, NULL);
    run_step(run, STEP_CAPABILITIES, 0, NULL);
}

struct LaunchReply run_spawn(Run *run)
{
    struct Record record = {
        .magic = RECORD_MAGIC, .version = RECORD_VERSION, .phase = RECORD_MADE, .id = "test"
    };
    struct LaunchReply reply;
    int pair[2], fds[2], yes = 1;

    ck_assert_int_eq(pwrite(run->record, &record, sizeof record, 0), sizeof record);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    (void)setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    fds[0] = pair[1];
    fds[1] = run->cgroup;
    run->request.into_cgroup = run->cgroup >= 0;
    reply = launcher_call(&run->request, fds, 1 + run->request.into_cgroup, &run->pidfd);
    (void)close(pair[1]);
    run->ctl = pair[0];
    run->pid = reply.pid;
    return reply;
}

void run_send(Run *run, uint32_t type, const int *fds, size_t fd_count)
{
    struct WireMessage message = { .type = type };

    ck_assert_int_eq(send_fds(run->ctl, &message, sizeof message, fds, fd_count), sizeof message);
}

void run_send_plan(Run *run)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), plan = run_plan_fd(run);
    int pipe_ends[2] = { -1, run->output };

    if (run->log >= 0) {
        ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
        run->log_pipe = pipe_ends[1];
    }
    const int fds[] = {
        plan, run->record, null, pipe_ends[1], pipe_ends[1], run->log, pipe_ends[0]
    };

    run_send(run, WIRE_PLAN, fds, run->log >= 0 ? 7 : 5);
    (void)fd_close(pipe_ends[0]);
    if (!run->keeps_pipe)
        run->log_pipe = fd_close(run->log_pipe);
    (void)close(null);
    (void)close(plan);
}

/* An init that has given up hears nothing any more. */
void run_open_gate(Run *run)
{
    struct WireMessage message = { .type = WIRE_GATE };

    (void)send_fds(run->ctl, &message, sizeof message, &run->cgroup, run->cgroup >= 0);
}

uint32_t run_receive(Run *run)
{
    ssize_t length = receive(run->ctl, &run->message, sizeof run->message, NULL, &run->sender);

    if (length <= 0)
        return 0;
    ck_assert_int_eq(length, sizeof run->message);
    return run->message.type;
}

static void start(Run *run)
{
    struct LaunchReply reply = run_spawn(run);

    ck_assert_msg(reply.error == 0, "spawn: step %u, %s", reply.step, strerror(reply.error));
    run_send_plan(run);
    run_open_gate(run);
}

void run_start(Run *run)
{
    uint32_t type;

    start(run);
    while ((type = run_receive(run)) == WIRE_PAYLOAD)
        ;
    ck_assert_msg(type == WIRE_EXECUTED, "message %u: step %u, %s, %s", type, run->message.step,
                  strerror(run->message.error), run->message.path);
}

void run_start_in_vain(Run *run)
{
    uint32_t type;

    start(run);
    while ((type = run_receive(run)) == WIRE_PAYLOAD)
        ;
    ck_assert_uint_eq(type, WIRE_FAULT);
    ck_assert_uint_eq(run->message.fatal, 1);
}

void run_signal(const Run *run, int signal)
{
    ck_assert_int_eq(sys_pidfd_send_signal(run->pidfd, signal), 0);
}

int run_wait(Run *run)
{
    struct LaunchRequest request = launch_request(LAUNCH_REAP);

    wait_readable(run->pidfd);
    request.pid = run->pid;
    run->end = launcher_call(&request, NULL, 0, NULL);
    ck_assert_int_eq(run->end.error, 0);
    return run->end.cld_code == CLD_EXITED ? run->end.cld_status : 1000 + run->end.cld_status;
}

int run_complete(Run *run)
{
    run_start(run);
    return run_wait(run);
}

struct Record run_record(const Run *run)
{
    struct Record record;

    ck_assert_int_eq(pread(run->record, &record, sizeof record, 0), sizeof record);
    return record;
}

const char *run_output(const Run *run)
{
    static char text[65536];
    ssize_t length = pread(run->output, text, sizeof text - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

void run_await(const Run *run, const char *text)
{
    for (int left = PATIENCE_MS; left > 0; left -= 2) {
        if (strstr(run_output(run), text))
            return;
        (void)poll(NULL, 0, 2);
    }
    ck_abort_msg("no \"%s\" in \"%s\"", text, run_output(run));
}

pid_t run_lock_holder(const Run *run)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    ck_assert_int_eq(fcntl(run->record, F_GETLK, &lock), 0);
    return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

struct LogCounters run_log(const Run *run, char *text, size_t size)
{
    struct LogHeader header;
    uint64_t at;

    ck_assert_int_eq(pread(run->log, &header, sizeof header, 0), sizeof header);
    ck_assert_uint_eq(header.counters.written, header.counters.written_again);
    at = header.counters.written < size ? 0 : header.counters.written - (size - 1);
    for (; at < header.counters.written; at++)
        ck_assert_int_eq(pread(run->log, text++, 1, (off_t)(LOG_DATA + at % header.size)), 1);
    *text = '\0';
    return header.counters;
}

/* ---- host ------------------------------------------------------------------------------------ */

void file_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;

    text[length > 0 ? length : 0] = '\0';
    (void)fd_close(fd);
}

int cgroup_make(char path[256])
{
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char line[1024], where[200] = "", type[32];

    while (mounts && fgets(line, sizeof line, mounts))
        if (sscanf(line, "%*s %199s %31s", where, type) == 2 && strcmp(type, "cgroup2") == 0)
            break;
        else
            where[0] = '\0';
    if (mounts)
        (void)fclose(mounts);
    (void)snprintf(path, 256, "%s/constellation-test-%d", where, (int)getpid());
    if (where[0] == '\0' || mkdir(path, 0755) < 0)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void run_assert_output(Run *run, const char *output)
{
    (void)run_complete(run);
    ck_assert_str_eq(run_output(run), output);
    run_free(run);
}

void run_assert_fault(Run *run, uint32_t step, int error, const char *path)
{
    run_start_in_vain(run);
    ck_assert_uint_eq(run->message.step, step);
    ck_assert_int_eq(run->message.error, error);
    ck_assert_str_eq(run->message.path, path);
    ck_assert_int_eq(run_wait(run), 125);
    run_free(run);
}
