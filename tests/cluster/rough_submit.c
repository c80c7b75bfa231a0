/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An sbatch without manners: it sends what it is told in the environment that SPANK's options
 * travel in, as any user's own program can, and it is quick, for measuring. Prints the id of the
 * last job that was accepted, on stderr what else it was told.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/slurm_compat.h"

#define ENTRIES_MAX 70000

static const char usage[] =
    "Usage: rough_submit [-n JOBS] [-H] [-t MINUTES] [-r TIMES] [-x BYTES] [-e ENTRY]... SCRIPT\n"
    "  -H held; -e NAME=VALUE into the SPANK environment, '-' for an entry that is none;\n"
    "  -x so many bytes behind the last entry; -r all entries so often\n";

struct options {
    unsigned long jobs, times, stuff;
    int held;
    uint32_t minutes;
    char *entries[64];
    uint32_t n_entries;
};

static int read_options(int argc, char **argv, struct options *o)
{
    int c;
    *o = (struct options){.jobs = 1, .times = 1, .minutes = 1};
    while ((c = getopt(argc, argv, "n:Ht:r:x:e:")) != -1) {
        if (c == 'n')
            o->jobs = strtoul(optarg, NULL, 10);
        else if (c == 'H')
            o->held = 1;
        else if (c == 't')
            o->minutes = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            o->times = strtoul(optarg, NULL, 10);
        else if (c == 'x')
            o->stuff = strtoul(optarg, NULL, 10);
        else if (c == 'e' && o->n_entries < 64)
            o->entries[o->n_entries++] = strcmp(optarg, "-") == 0 ? NULL : optarg;
        else
            return -1;
    }
    return optind + 1 == argc && o->times * o->n_entries <= ENTRIES_MAX ? 0 : -1;
}

static char *read_script(const char *path)
{
    static char text[4 << 20];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f)
        fclose(f);
    return n ? text : NULL;
}

/* The last entry with so many bytes more. */
static char *stuffed(const char *entry, size_t n)
{
    size_t len = strlen(entry);
    char *s = malloc(len + n + 1);
    if (!s)
        exit(1);
    memcpy(s, entry, len);
    memset(s + len, 'x', n);
    s[len + n] = '\0';
    return s;
}

static void fill(job_desc_msg_t *d, struct options *o, char *script)
{
    static char *environment[] = {(char *)"PATH=/usr/bin:/bin"};
    static char *spank[ENTRIES_MAX];
    uint32_t n = 0;
    slurm_init_job_desc_msg(d);
    d->script = script;
    d->user_id = getuid();
    d->group_id = getgid();
    d->min_nodes = 1;
    d->time_limit = o->minutes;
    d->name = (char *)"raw";
    d->work_dir = (char *)"/tmp";
    d->std_out = (char *)"/dev/null";
    d->environment = environment;
    d->env_size = 1;
    if (o->held)
        d->priority = 0;
    if (o->n_entries && o->stuff && o->entries[o->n_entries - 1])
        o->entries[o->n_entries - 1] = stuffed(o->entries[o->n_entries - 1], o->stuff);
    for (unsigned long t = 0; t < o->times; t++)
        for (uint32_t i = 0; i < o->n_entries; i++)
            spank[n++] = o->entries[i];
    if (n) {
        d->spank_job_env = spank;
        d->spank_job_env_size = n;
    }
}

int main(int argc, char **argv)
{
    struct options o;
    job_desc_msg_t d;
    submit_response_msg_t *answer = NULL;
    unsigned long accepted = 0;
    uint32_t last = 0;
    if (read_options(argc, argv, &o) < 0) {
        fputs(usage, stderr);
        return 2;
    }
    char *script = read_script(argv[optind]);
    if (!script) {
        fprintf(stderr, "rough_submit: cannot read %s\n", argv[optind]);
        return 1;
    }
    slurm_init(NULL);
    fill(&d, &o, script);
    for (unsigned long i = 0; i < o.jobs; i++) {
        if (slurm_submit_batch_job(&d, &answer) != SLURM_SUCCESS) {
            fprintf(stderr, "rough_submit: %s\n", slurm_strerror(errno));
            continue;
        }
        accepted++;
        if (answer->job_submit_user_msg)
            fprintf(stderr, "rough_submit: %s\n", answer->job_submit_user_msg);
        last = SLURM_INFO_JOB_ID(answer);
        slurm_free_submit_response_response_msg(answer);
    }
    if (accepted)
        printf("%u\n", last);
    slurm_fini();
    return accepted == o.jobs ? 0 : 1;
}
