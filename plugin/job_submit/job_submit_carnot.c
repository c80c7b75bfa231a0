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
#include "counters.h"
#include "job_desc.h"
#include "watts.h"
#include "placement/admit.h"
#include "compat/slurm_compat.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char plugin_name[];
EXPORT extern const char plugin_type[];
EXPORT extern const uint32_t plugin_version;
EXPORT extern const char carnot_version[]; /* for carnot check, which reads the file */
const char plugin_name[] = "Carnot: carbon and energy aware submission";
const char plugin_type[] = "job_submit/carnot";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;
const char carnot_version[] = PACKAGE_VERSION;

EXPORT extern int init(void);
EXPORT extern int fini(void);
EXPORT extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg);
EXPORT extern int job_modify(JOB_MODIFY_ARGS);

/* One mutex covers {sweep, decide, take}: two submissions at once must not both get the last of a
 * budget, nor the last free slot. The arithmetic under it takes microseconds. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct admit admit; /* guarded by lock */
static uint64_t id_state;  /* guarded by lock; splitmix64 */

/* The heterogeneous job that this thread is in the middle of: slurmctld hands over its components
 * one after the other, and stops at the first that is refused. */
static __thread struct {
    int64_t next; /* the component that comes now; 0 = none */
    uint32_t uid;
    struct request request; /* of the first */
    struct placement_decision decision;
} het;

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
    admit_init(&admit, wall_ms());
    counters_init();
    if (getrandom(&id_state, sizeof(id_state), GRND_NONBLOCK) != sizeof(id_state))
        id_state = (uint64_t)wall_ms() * 2654435761u;
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

/* {look, decide, take} of one submission on the newest board, which the caller puts back; NULL when
 * there is none. A board borrowed before the mutex might be older than what the leases were swept
 * with. */
static struct held_board *decide(struct placement_job *job, int test, int64_t now_ms,
                                 struct admit_outcome *o)
{
    pthread_mutex_lock(&lock);
    struct held_board *held = board_loader_get(now_ms);
    if (held)
        admit_job(&admit, &held->board, job, next_id(), test, now_ms, o);
    counters_leases(&admit.leases);
    pthread_mutex_unlock(&lock);
    return held;
}

/* To the nodes. err_msg is NULL where nobody would read it. */
static void pass_cap(const struct board *b, job_desc_msg_t *desc, const struct placement_job *job,
                     int acting, char **err_msg)
{
    int exclusive = job_desc_is_exclusive(b, job);
    job_desc_pass_cap(desc, &job->request, acting, exclusive);
    if (job->request.power_cap.scope == POWER_CAP_NONE)
        return;
    if (!acting)
        tell(err_msg, "only observing here: no power cap will be set");
    else if (!exclusive)
        tell(err_msg, "a power cap is set only on nodes that the job holds alone: add --exclusive");
}

/* A job that may be paused must be one that Slurm queues again, also where JobRequeue=0 is the rule
 * for those that say nothing. Returns whether it is one. err_msg is NULL where nobody would read
 * it. */
static int let_requeue(job_desc_msg_t *desc, const struct placement_job *job,
                       const struct placement_decision *d, char **err_msg)
{
    const char *fault = placement_unpausable(job, d);
    if (fault)
        tell(err_msg, fault);
    if (fault || !job->request.requeue)
        return 0;
    if (d->mode != 1)
        tell(err_msg, "only observing here: the job is not paused");
    else if (desc->requeue == NO_VAL16)
        desc->requeue = 1;
    return 1;
}

static int apply(const struct board *b, job_desc_msg_t *desc, const struct placement_job *job,
                 int64_t now_ms, const struct admit_outcome *o, char **err_msg)
{
    char text[640];
    struct err e = {.text = ""};
    int acting = o->d.mode == 1;
    int refused = o->d.verdict == VERDICT_REFUSE && acting, has_reader = job_desc_has_reader(desc);
    if (refused || has_reader) /* else nobody would read it */
        placement_sentence(text, sizeof(text), b, job, &o->d, now_ms / 1000);
    if (refused) {
        tell(err_msg, text);
        /* To this sbatch, salloc and srun try again by themselves. */
        return o->d.code == CODE_NO_BOARD ? EAGAIN : ESLURM_ACCOUNTING_POLICY;
    }
    if (watts_apply(b, job, &o->d, desc, &e) < 0) {
        tell(err_msg, e.text);
        return ESLURM_INVALID_LICENSES;
    }
    if (has_reader)
        tell(err_msg, text);
    pass_cap(b, desc, job, acting, has_reader ? err_msg : NULL);
    int pausable = let_requeue(desc, job, &o->d, has_reader ? err_msg : NULL);
    if (!o->binding && !request_any(&job->request))
        return SLURM_SUCCESS; /* asked for nothing and gets nothing */
    if (acting && o->d.verdict == VERDICT_DELAY)
        desc->begin_time = o->d.start_s;
    /* Who only tests takes no lease, nor does what Slurm will refuse by all we know. One that comes
     * to be a job all the same would slip past the budgets: it waits until carnotctld has seen it,
     * has no note, and is judged there like any job without one. */
    if (o->not_before_s) {
        if (desc->begin_time < o->not_before_s)
            desc->begin_time = o->not_before_s;
        return SLURM_SUCCESS;
    }
    struct placement_decision noted = o->d;
    if (!acting) {
        noted.code = CODE_OBSERVE;
        noted.latest_s = noted.start_s;
    }
    struct placement_job asked = *job;
    asked.request.requeue = pausable;
    placement_comment(text, sizeof(text), o->id, &asked, &noted);
    job_desc_append(&desc->admin_comment, " ", text);
    return SLURM_SUCCESS;
}

/* Is this the component that follows the one before? A first one, or another job, begins anew. */
static int follows(const job_desc_msg_t *desc)
{
    int64_t component = job_desc_component(desc);
    if (component > 0 && component == het.next && desc->user_id == het.uid)
        return 1;
    het.next = 0;
    return 0;
}

/* Remember what the next component needs to know. */
static void lead(const job_desc_msg_t *desc, const struct placement_job *job,
                 const struct placement_decision *d)
{
    if (job_desc_component(desc) == 0) {
        het.uid = job->uid;
        het.request = job->request;
        het.decision = *d;
        het.decision.lack.budget = NULL; /* the board may be gone by then */
    }
    het.next = job_desc_component(desc) + 1;
}

/* As what a decision counts. */
static enum counter kind_of(const struct placement_decision *d, int test)
{
    if (test)
        return COUNTER_TEST_ONLY;
    if (d->mode != 1)
        return COUNTER_OBSERVED;
    if (d->verdict == VERDICT_REFUSE)
        return d->code == CODE_NO_BOARD ? COUNTER_AGAIN : COUNTER_REFUSED;
    return d->verdict == VERDICT_DELAY ? COUNTER_DELAYED : COUNTER_PASSED;
}

static int submit(job_desc_msg_t *job_desc, char **err_msg)
{
    struct placement_job job;
    struct admit_outcome o;
    struct err e = {.text = ""};
    int64_t now_ms = wall_ms();
    int test = job_desc_is_test(job_desc);

    int following = follows(job_desc);
    if (job_desc_read(job_desc, following ? &het.request : NULL, now_ms / 1000, &job, &e) < 0) {
        counters_add(COUNTER_BAD_OPTION);
        tell(err_msg, e.text);
        return SLURM_ERROR;
    }
    if (following)
        job.leader = &het.decision;
    struct held_board *held = decide(&job, test, now_ms, &o);
    if (!held) {
        counters_add(COUNTER_NO_BOARD);
        job_desc_pass_cap(job_desc, &job.request, 0, 0);
        if (request_any(&job.request) && job_desc_has_reader(job_desc) &&
            job_desc_component(job_desc) <= 0)
            tell(err_msg, "not answering; your job is accepted unchanged");
        return SLURM_SUCCESS;
    }
    counters_add(kind_of(&o.d, test));
    lead(job_desc, &job, &o.d);
    int rc = apply(&held->board, job_desc, &job, now_ms, &o, err_msg);
    board_loader_put(held);
    return rc;
}

int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg)
{
    int64_t began_ns = counters_begin();
    (void)submit_uid;
    int rc = submit(job_desc, err_msg);
    counters_end(COUNTER_SUBMIT, began_ns);
    return rc;
}

/* Operators' words stand: Slurm's own user and root may go beyond a budget. */
static int is_operator(uint32_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* As decide(), for a change. */
static struct held_board *decide_change(const struct placement_change *change, uint32_t submit_uid,
                                        int64_t now_ms, struct placement_growth *g)
{
    pthread_mutex_lock(&lock);
    struct held_board *held = board_loader_get(now_ms);
    if (held)
        admit_change(&admit, &held->board, change, is_operator(submit_uid), now_ms, g);
    pthread_mutex_unlock(&lock);
    return held;
}

/* A change may not take from a budget what is not there; a wait may be given up, and anything else
 * is the owner's to change. carnotctld sees it in Slurm's list and prices it there. */
static int modify(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg)
{
    struct placement_change change;
    struct placement_growth growth;
    char text[640] = "";
    struct err e = {.text = ""};
    int rc = SLURM_SUCCESS;

    job_desc_change(job_desc, &change);
    if (!placement_change_grows(&change) && !job_desc->licenses)
        return SLURM_SUCCESS;
    struct held_board *held = decide_change(&change, submit_uid, wall_ms(), &growth);
    if (!held)
        return SLURM_SUCCESS;
    if (growth.verdict == VERDICT_REFUSE) {
        tell(err_msg, placement_change_sentence(text, sizeof(text), &growth));
        rc = growth.code == CODE_NO_BOARD ? ESLURM_TRANSITION_STATE_NO_UPDATE
                                          : ESLURM_ACCOUNTING_POLICY;
    } else if (!is_operator(submit_uid) && watts_change(&held->board, &change, job_desc, &e) < 0) {
        tell(err_msg, e.text);
        rc = ESLURM_INVALID_LICENSES;
    }
    board_loader_put(held);
    return rc;
}

int job_modify(JOB_MODIFY_ARGS)
{
    int64_t began_ns = counters_begin();
    (void)job_ptr;
    int rc = modify(job_desc, submit_uid, JOB_MODIFY_ERR_MSG);
    counters_end(COUNTER_MODIFY, began_ns);
    return rc;
}
