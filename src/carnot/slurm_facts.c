/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-slurm-facts: what slurmctld says, for carnot check. A program of its own, since libslurm
 * ends its process where it finds no configuration, and is not to be loaded by every command.
 *
 *   carnot-slurm-facts config   its settings, as `scontrol show config` prints them
 *   carnot-slurm-facts jobs     jobs with an AdminComment: STATE, id and comment, a line each
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compat/slurm_compat.h"

/* Longer comments are cut: who wrote one shows at its start. */
#define COMMENT_MAX 200

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, slurm_strerror(errno));
    return 1;
}

static int print_config(void)
{
    slurm_conf_t *conf = NULL;

    if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
        return fail("no answer");
    slurm_print_ctl_conf(stdout, conf);
    SLURM_FREE_CTL_CONF(conf);
    return 0;
}

static void print_job(const slurm_job_info_t *job)
{
    uint32_t state = job->job_state & JOB_STATE_BASE;
    const char *word = state == JOB_PENDING                             ? "PENDING"
                       : state == JOB_RUNNING || state == JOB_SUSPENDED ? "RUNNING"
                                                                        : "ENDED";

    if (!job->admin_comment || !job->admin_comment[0])
        return;
    printf("%s %u ", word, SLURM_INFO_JOB_ID(job));
    for (int i = 0; i < COMMENT_MAX && job->admin_comment[i]; i++) {
        unsigned char c = (unsigned char)job->admin_comment[i];

        putchar(c < 0x20 || c == 0x7f ? '?' : c);
    }
    putchar('\n');
}

static int print_jobs(void)
{
    job_info_msg_t *msg = NULL;

    if (slurm_load_jobs(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
        return fail("no job list");
    for (uint32_t i = 0; i < msg->record_count; i++)
        print_job(&msg->job_array[i]);
    slurm_free_job_info_msg(msg);
    return 0;
}

int main(int argc, char **argv)
{
    int jobs = argc == 2 && strcmp(argv[1], "jobs") == 0;
    int rc;

    if (!jobs && (argc != 2 || strcmp(argv[1], "config") != 0)) {
        fputs("usage: carnot-slurm-facts config|jobs\n", stderr);
        return 2;
    }
    slurm_init(NULL);
    rc = jobs ? print_jobs() : print_config();
    slurm_fini();
    return fflush(stdout) == 0 ? rc : 1;
}
