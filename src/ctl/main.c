/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* constellationctl: the command line of Constellation. Says what the bus says, so whatever it can
 * do, busctl and every program can. */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/help.h"
#include "ctl/pager.h"

/* A socket must not become anybody's standard output. */
static void open_missing_stdio(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

static int dispatch(Ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    const Verb *verb = ctl->options.verb;
    int status;

    if (!connection_open(&ctl->connection, &ctl->options, &error)) {
        status = ctl_fail(error);
        return verb->id == VERB_RUN || verb->id == VERB_WAIT ? STATUS_OURS : status;
    }
    status = verb->run(ctl);
    connection_close(&ctl->connection);
    return status;
}

static bool wants_pager(const Options *options)
{
    return !option_given(options, OPTION_NO_PAGER) &&
           (option_given(options, OPTION_HELP) || options->verb->flags & VERB_IS_LONG);
}

/* What could not be written was not said: a full disk must not look like success. A pager that was
 * left early is another thing. */
static int finish(int status, bool paged)
{
    if (paged) {
        pager_end();
        return status;
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "constellationctl: writing to standard output failed\n");
    return status == STATUS_OK ? STATUS_FAILURE : status;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Ctl ctl = { 0 };
    int status = STATUS_OK;
    bool paged = false;

    open_missing_stdio();
    (void)setlocale(LC_ALL, "");
    if (!options_parse(argc, argv, &ctl.options, &error))
        return ctl_fail(error);
    ctl.terminal = terminal_detect(STDOUT_FILENO);
    if (option_given(&ctl.options, OPTION_VERSION)) {
        printf("constellationctl %s\n", CONSTELLATION_VERSION);
    } else {
        paged = wants_pager(&ctl.options) && pager_begin(&ctl.terminal);
        if (option_given(&ctl.options, OPTION_HELP))
            help_print(ctl.options.verb);
        else
            status = dispatch(&ctl);
    }
    options_done(&ctl.options);
    return finish(status, paged);
}
