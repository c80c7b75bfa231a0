/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Submitters for bench_submit: processes that send held batch jobs to slurmctld through libslurm,
 * one after the other, as fast as it answers.
 *
 *   submit_load PROCESSES JOBS     so many each; prints nothing, exits 1 if one is not accepted
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

static int submit_one(char **env, uint32_t n_env)
{
    job_desc_msg_t desc;
    submit_response_msg_t *answer = NULL;
    slurm_init_job_desc_msg(&desc);
    desc.name = (char *)"bench";
    desc.script = (char *)"#!/bin/sh\ntrue\n";
    desc.environment = env;
    desc.env_size = n_env;
    desc.user_id = getuid();
    desc.group_id = getgid();
    desc.work_dir = (char *)"/tmp";
    desc.std_out = desc.std_err = (char *)"/dev/null";
    desc.min_nodes = 1;
    desc.min_cpus = 2;
    desc.time_limit = 60;
    desc.priority = 0; /* held: the queue is not what is measured */
    if (slurm_submit_batch_job(&desc, &answer) != SLURM_SUCCESS) {
        fprintf(stderr, "submit_load: %s\n", slurm_strerror(errno));
        return -1;
    }
    slurm_free_submit_response_response_msg(answer);
    return 0;
}

static int submit(long jobs)
{
    char *env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"CARNOT_CARBON_DELAY=20h"};
    slurm_init(NULL);
    for (long i = 0; i < jobs; i++)
        if (submit_one(env, 2) < 0)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    long processes = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long jobs = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    int status, failed = 0;
    if (processes < 1 || processes > 64 || jobs < 1) {
        fprintf(stderr, "usage: submit_load PROCESSES JOBS\n");
        return 2;
    }
    for (long i = 0; i < processes; i++)
        if (fork() == 0)
            _exit(submit(jobs));
    while (wait(&status) > 0)
        failed |= status != 0;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
