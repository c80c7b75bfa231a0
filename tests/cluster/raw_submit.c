/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Submissions that come without sbatch, and so without any SPANK plugin: a batch job through
 * libslurm, as slurmrestd and portals do, and a cron job as scrontab does (Debian ships none).
 *
 *   raw_submit batch SCRIPT [NAME=VALUE]...
 *   raw_submit cron LIBSLURMFULL SCRIPT [NAME=VALUE]...   every minute; the library of scrontab
 *
 * The job's environment is what is given, and PATH.
 * $SBATCH_PARTITION counts, as with sbatch. Prints the job id; what slurmctld says to the user goes
 * to stderr. For the cases in this folder.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/slurm_compat.h"

/* The first member of Slurm's own cron_entry_t; bits 1 to 5 say "any minute, hour, ...". */
#define CRON_ANY_TIME 0x3eu

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "raw_submit: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static char *read_script(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");
    if (!f)
        fail(path, strerror(errno));
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static void fill(job_desc_msg_t *desc, const char *script, char **env)
{
    static char *all[64] = {(char *)"PATH=/usr/bin:/bin"};
    uint32_t n = 1;
    while (*env && n < 63)
        all[n++] = *env++;
    desc->name = (char *)"raw";
    desc->partition = getenv("SBATCH_PARTITION");
    desc->script = read_script(script);
    desc->environment = all;
    desc->env_size = n;
    desc->user_id = getuid();
    desc->group_id = getgid();
    desc->work_dir = (char *)"/tmp";
    desc->std_out = desc->std_err = (char *)"/dev/null";
    desc->min_nodes = 1;
    desc->time_limit = 1;
}

static int batch(const char *script, char **env)
{
    job_desc_msg_t desc;
    submit_response_msg_t *answer = NULL;
    slurm_init(NULL);
    slurm_init_job_desc_msg(&desc);
    fill(&desc, script, env);
    if (slurm_submit_batch_job(&desc, &answer) != SLURM_SUCCESS)
        fail("not accepted", slurm_strerror(errno));
    printf("%u\n", SLURM_INFO_JOB_ID(answer));
    if (answer->job_submit_user_msg)
        fprintf(stderr, "%s\n", answer->job_submit_user_msg);
    return EXIT_SUCCESS;
}

static void *from(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        fail(name, "not in this library");
    return symbol;
}

/* All of Slurm comes out of the one library here: its lists and allocator must be one family. */
static int cron(const char *path, const char *script, char **env)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    job_desc_msg_t desc;
    if (!library)
        fail(path, dlerror());
    ((void (*)(const char *))(uintptr_t)from(library, "slurm_init"))(NULL);
    ((void (*)(job_desc_msg_t *))(uintptr_t)from(library, "slurm_init_job_desc_msg"))(&desc);
    fill(&desc, script, env);
    uint32_t *entry = ((void *(*)(void))(uintptr_t)from(library, "new_cron_entry"))();
    *entry = CRON_ANY_TIME;
    desc.crontab_entry = entry;
    void *list = ((void *(*)(void *))(uintptr_t)from(library, "slurm_list_create"))(NULL);
    ((void *(*)(void *, void *))(uintptr_t)from(library, "slurm_list_append"))(list, &desc);
    crontab_update_response_msg_t *answer =
        ((crontab_update_response_msg_t * (*)(uid_t, gid_t, char *, void *))(uintptr_t)from(
            library, "slurm_update_crontab"))(getuid(), getgid(), (char *)"* * * * * raw\n", list);
    if (!answer || answer->return_code != SLURM_SUCCESS || answer->jobids_count != 1)
        fail("not accepted", answer && answer->err_msg ? answer->err_msg : strerror(errno));
    printf("%u\n", answer->jobids[0]);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "batch") == 0)
        return batch(argv[2], argv + 3);
    if (argc >= 4 && strcmp(argv[1], "cron") == 0)
        return cron(argv[2], argv[3], argv + 4);
    fprintf(stderr, "usage: raw_submit batch SCRIPT [NAME=VALUE]... | cron LIBRARY SCRIPT ...\n");
    return 2;
}
