/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user asks for, checked on the login node, so that a mistyped value
 * never gets as far as the queue. job_submit checks all of it again. Runs in
 * sbatch, salloc and srun as the user, in their first thread; no network.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "placement/request.h"
#include "submit.h"

/* SPANK's callbacks carry no argument of ours: one submission is one process. */
static struct request asked; /* the good flags so far */
static struct err fault;     /* the first bad one, "" while there is none */

void submit_init(void)
{
    char name[OPTIONS_NAME_SIZE];

    request_init(&asked);
    fault.text[0] = '\0';
    for (size_t i = 0; options_leak(name, sizeof(name), i); i++)
        (void)unsetenv(name);
}

int submit_option(int option, const char *value, int remote)
{
    struct err e;

    (void)remote;
    if (request_set(&asked, (enum request_option)option, value, LAYER_FLAG, (int64_t)time(NULL),
                    &e) < 0 &&
        !fault.text[0])
        fault = e;
    return 0;
}

/*
 * plugstack.conf says `optional`, so Slurm would ignore an error that is returned here (22.05),
 * and would frame one returned by the callback with a sentence of its own.
 */
static void _refuse(const struct err *e) __attribute__((noreturn));
static void _refuse(const struct err *e)
{
    slurm_error("carnot: %s", e->text);
    exit(EXIT_FAILURE);
}

/* srun inside an allocation starts a step: nothing is submitted. */
static bool _is_step(void)
{
    return spank_context() == S_CTX_LOCAL && getenv("SLURM_JOB_ID") != NULL;
}

/* A person reads our lines where stderr is a terminal; CARNOT_QUIET=1 or 0 overrides. */
static bool _is_terminal(void)
{
    const char *quiet = getenv("CARNOT_QUIET");

    if (quiet && (strcmp(quiet, "0") == 0 || strcmp(quiet, "1") == 0))
        return quiet[0] == '0';
    return isatty(STDERR_FILENO) == 1;
}

/* salloc and srun do not send their environment: what is in it for us goes the way of the flags. */
static void _pass_on(spank_t sp)
{
    char cap[POWER_CAP_TEXT_SIZE];

    for (size_t i = 0; i < REQUEST_N_OPTIONS; i++) {
        const char *name = request_options[i].env, *value = getenv(name);

        if (request_options[i].option == REQUEST_POWER_CAP)
            continue;
        if (value && *value)
            (void)spank_job_control_setenv(sp, name, value, 1);
        else
            (void)spank_job_control_unsetenv(sp, name);
    }
    /* always there, since job_submit can replace an entry and not add one */
    (void)spank_job_control_setenv(sp, request_options[REQUEST_POWER_CAP].env,
                                   power_cap_format(cap, sizeof(cap), &asked.power_cap), 1);
    (void)spank_job_control_setenv(sp, REQUEST_TTY_NAME, _is_terminal() ? "1" : "0", 1);
}

void submit_options_read(spank_t sp)
{
    struct err e;

    if (fault.text[0])
        _refuse(&fault);
    if (_is_step())
        return;
    if (request_from_environment(&asked, environ, SIZE_MAX, (int64_t)time(NULL), &e) < 0 ||
        request_check(&asked, &e) < 0)
        _refuse(&e);
    _pass_on(sp);
}
