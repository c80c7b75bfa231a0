/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * job_submit/carnot: the entry points that slurmctld calls, several at once since 23.02.
 *
 * A thin shell around placement_decide(): read the request, borrow the board, decide and take the
 * lease under one mutex, write the decision into the description. No I/O, no network, no fork,
 * nothing that waits. What goes wrong in here passes the job unchanged.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "board_loader.h"
#include "job_desc.h"
#include "placement/budgets.h"
#include "compat/slurm_compat.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char plugin_name[];
EXPORT extern const char plugin_type[];
EXPORT extern const uint32_t plugin_version;
const char plugin_name[] = "Carnot: carbon and energy aware submission";
const char plugin_type[] = "job_submit/carnot";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;

EXPORT extern int init(void);
EXPORT extern int fini(void);
EXPORT extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg);
EXPORT extern int job_modify(JOB_MODIFY_ARGS);

/* One mutex covers {sweep, decide, take}: two submissions at once must not both get the last of a
 * budget, nor the last free slot. The arithmetic under it takes microseconds. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lease_table leases; /* guarded by lock */
static uint64_t id_state;         /* guarded by lock; splitmix64 */
static int64_t started_ms;        /* leases taken before are lost */

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* splitmix64 (Steele, Lea, Flood 2014), seeded from the kernel: an id must be unique, not secret.
 */
static uint64_t next_id(void)
{
    uint64_t z = id_state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return z ? z : 1;
}

/* slurmctld may call init again in the same process: everything starts anew. */
int init(void)
{
    const char *path = getenv("CARNOT_BOARD");
    tzset(); /* reads the zone's file now, not in a submission */
    lease_init(&leases);
    started_ms = wall_ms();
    if (getrandom(&id_state, sizeof(id_state), GRND_NONBLOCK) != sizeof(id_state))
        id_state = (uint64_t)started_ms * 2654435761u;
    if (!path || !path[0])
        path = LOCALSTATEDIR "/lib/carnot/board";
    if (board_loader_start(path) < 0)
        slurm_error("carnot: cannot start the board's thread: jobs pass unchanged");
    slurm_info("carnot: job_submit/carnot %s, built for Slurm %d.%02d, board %s", PACKAGE_VERSION,
               SLURM_VERSION_NUMBER >> 16, SLURM_VERSION_NUMBER >> 8 & 0xff, path);
    return SLURM_SUCCESS;
}

int fini(void)
{
    board_loader_stop();
    return SLURM_SUCCESS;
}

static void tell(char **err_msg, const char *text)
{
    char line[700];
    snprintf(line, sizeof(line), "carnot: %s", text);
    if (err_msg && text[0])
        job_desc_append(err_msg, "\n", line);
}

/* Does the decision hold anything back that others must know of before the next board? */
static int binds(const struct board *b, const struct placement_job *job,
                 const struct placement_decision *d)
{
    const struct board_user *u = board_user_find(b, job->uid);
    const char *account = job->account && job->account[0] ? job->account
                          : u                             ? u->default_account
                                                          : "";
    return d->verdict == VERDICT_DELAY || d->code == CODE_DEP_END ||
           budgets_any(b, account, job->uid, NULL);
}

/* A partition that Slurm does not know it will refuse: no lease for what cannot become a job. */
static int could_run(const struct board *b, const struct placement_job *job)
{
    return b->n_partitions == 0 || !job->partition || !job->partition[0] ||
           strchr(job->partition, ',') || board_partition_find(b, job->partition);
}

struct outcome {
    struct placement_decision d;
    uint64_t id;
    int binding;
};

static void decide(const struct board *b, struct placement_job *job, int test, int64_t now_ms,
                   struct outcome *o)
{
    struct lease lease;
    pthread_mutex_lock(&lock);
    lease_sweep(&leases, b, now_ms);
    if (b->head.listed_ms < started_ms)
        job->flags |= PLACEMENT_UNCOUNTED;
    o->id = next_id();
    job->stagger = (uint32_t)o->id;
    placement_decide(b, &leases, job, now_ms / 1000, &o->d);
    o->binding = binds(b, job, &o->d);
    if (o->binding && !test && o->d.mode == 1 && o->d.verdict != VERDICT_REFUSE &&
        could_run(b, job)) {
        placement_lease(b, job, &o->d, &lease);
        lease.id = o->id;
        if (lease_take(&leases, &lease, now_ms) < 0)
            slurm_error("carnot: more than %d submissions wait for carnotctld", LEASE_MAX);
    }
    pthread_mutex_unlock(&lock);
}

static int apply(const struct board *b, job_desc_msg_t *desc, const struct placement_job *job,
                 int test, int64_t now_ms, const struct outcome *o, char **err_msg)
{
    char text[640];
    int acting = o->d.mode == 1;
    placement_sentence(text, sizeof(text), b, job, &o->d, now_ms / 1000);
    if (o->d.verdict == VERDICT_REFUSE && acting) {
        tell(err_msg, text);
        /* To this sbatch, salloc and srun try again by themselves. */
        return o->d.code == CODE_NO_BOARD ? EAGAIN : ESLURM_ACCOUNTING_POLICY;
    }
    if (job_desc_has_reader(desc))
        tell(err_msg, text);
    if (!o->binding && !request_any(&job->request))
        return SLURM_SUCCESS; /* asked for nothing and gets nothing */
    if (acting && o->d.verdict == VERDICT_DELAY)
        desc->begin_time = o->d.start_s;
    /* Who only tests takes no lease. A submission that pretends to test would slip past the
     * budgets: it waits until carnotctld has seen it, has no note, and is judged there like any job
     * without one. */
    if (test && acting && o->binding) {
        int64_t seen_s = (now_ms + LEASE_LIFE_MS) / 1000;
        if (desc->begin_time < seen_s)
            desc->begin_time = seen_s;
        return SLURM_SUCCESS;
    }
    struct placement_decision noted = o->d;
    if (!acting) {
        noted.code = CODE_OBSERVE;
        noted.latest_s = noted.start_s;
    }
    placement_comment(text, sizeof(text), o->id, job, &noted);
    job_desc_append(&desc->admin_comment, " ", text);
    return SLURM_SUCCESS;
}

int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg)
{
    struct placement_job job;
    struct outcome o;
    struct err e = {.text = ""};
    int64_t now_ms = wall_ms();
    (void)submit_uid;

    if (job_desc_read(job_desc, now_ms / 1000, &job, &e) < 0) {
        tell(err_msg, e.text);
        return SLURM_ERROR;
    }
    struct held_board *held = board_loader_get(now_ms);
    if (!held) {
        if (request_any(&job.request) && job_desc_has_reader(job_desc))
            tell(err_msg, "not answering; your job is accepted unchanged");
        return SLURM_SUCCESS;
    }
    int test = job_desc_is_test(job_desc);
    decide(&held->board, &job, test, now_ms, &o);
    int rc = apply(&held->board, job_desc, &job, test, now_ms, &o, err_msg);
    board_loader_put(held);
    return rc;
}

/* Operators' words stand: Slurm's own user and root may go beyond a budget. */
static int is_operator(uint32_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* {sweep, decide, take} as for a submission. */
static void decide_change(const struct board *b, const struct placement_change *change,
                          uint32_t submit_uid, int64_t now_ms, struct placement_growth *g)
{
    struct lease lease;
    pthread_mutex_lock(&lock);
    lease_sweep(&leases, b, now_ms);
    placement_change_decide(b, &leases, change, now_ms / 1000, g);
    if (is_operator(submit_uid))
        g->verdict = VERDICT_RUN;
    if (g->verdict == VERDICT_RUN && g->energy_uj > 0 && budgets_any(b, g->account, g->uid, NULL)) {
        placement_change_lease(change, g, &lease);
        if (lease_take(&leases, &lease, now_ms) < 0)
            slurm_error("carnot: more than %d submissions wait for carnotctld", LEASE_MAX);
    }
    pthread_mutex_unlock(&lock);
}

/* A change may not take from a budget what is not there; a wait may be given up, and anything else
 * is the owner's to change. carnotctld sees it in Slurm's list and prices it there. */
int job_modify(JOB_MODIFY_ARGS)
{
    struct placement_change change;
    struct placement_growth growth;
    char text[640];
    int64_t now_ms = wall_ms();
    (void)job_ptr;

    job_desc_change(job_desc, &change);
    if (!placement_change_grows(&change))
        return SLURM_SUCCESS;
    struct held_board *held = board_loader_get(now_ms);
    if (!held)
        return SLURM_SUCCESS;
    decide_change(&held->board, &change, submit_uid, now_ms, &growth);
    int refused = growth.verdict == VERDICT_REFUSE;
    if (refused)
        tell(JOB_MODIFY_ERR_MSG, placement_change_sentence(text, sizeof(text), &growth));
    board_loader_put(held);
    if (!refused)
        return SLURM_SUCCESS;
    return growth.code == CODE_NO_BOARD ? ESLURM_TRANSITION_STATE_NO_UPDATE
                                        : ESLURM_ACCOUNTING_POLICY;
}
