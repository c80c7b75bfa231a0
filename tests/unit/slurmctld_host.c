/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted slurmctld. One process, one plugin: state is static.
 */
#include "config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/path.h"
#include "slurmctld_host.h"
#include "unit.h"

/* What slurmctld offers its plugins. */
__attribute__((visibility("default"))) char *slurm_xstrdup(const char *str)
{
    return strdup(str);
}

__attribute__((visibility("default"))) void slurm_xfree(void **p)
{
    free(*p);
    *p = NULL;
}

/* For an empty one only. */
__attribute__((visibility("default"))) int slurm_env_array_append(char ***env, const char *name,
                                                                  const char *value)
{
    char entry[256];
    UNIT_OK(*env == NULL, "slurmctld's own environment is not ours to make longer");
    (void)snprintf(entry, sizeof(entry), "%s=%s", name, value);
    *env = calloc(2, sizeof(**env));
    (*env)[0] = strdup(entry);
    return 1;
}

static const char *watched = "absent";
static int n_logged; /* lines with that word, for "says so once" */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_log(const char *format)
{
    pthread_mutex_lock(&log_lock);
    n_logged += strstr(format, watched) != NULL;
    pthread_mutex_unlock(&log_lock);
}

void host_watch(const char *word)
{
    pthread_mutex_lock(&log_lock);
    watched = word;
    n_logged = 0;
    pthread_mutex_unlock(&log_lock);
}

int host_logged(void)
{
    pthread_mutex_lock(&log_lock);
    int n = n_logged;
    pthread_mutex_unlock(&log_lock);
    return n;
}

#define LOGGER(name)                                                                               \
    __attribute__((visibility("default"))) void name(const char *format, ...)                      \
    {                                                                                              \
        take_log(format);                                                                          \
    }
LOGGER(slurm_info)
LOGGER(slurm_error)
LOGGER(slurm_debug)

int (*host_submit)(job_desc_msg_t *, uint32_t, char **);
int (*host_init)(void), (*host_fini)(void);
char host_board[512];

#ifdef PLUGIN_FILE
static void open_plugin(void)
{
    void *so = dlopen(PLUGIN_FILE, RTLD_NOW);
    if (!UNIT_OK(so != NULL, "%s", so ? "" : dlerror()))
        exit(1);
    host_submit = (int (*)(job_desc_msg_t *, uint32_t, char **))(uintptr_t)dlsym(so, "job_submit");
    host_init = (int (*)(void))(uintptr_t)dlsym(so, "init");
    host_fini = (int (*)(void))(uintptr_t)dlsym(so, "fini");
    UNIT_STR(dlsym(so, "plugin_type"), "job_submit/carnot", "type");
    UNIT_INT(*(uint32_t *)dlsym(so, "plugin_version"), SLURM_VERSION_NUMBER, "version");
    UNIT_OK(dlsym(so, "job_modify") != NULL, "job_modify");
    UNIT_OK(dlsym(so, "placement_decide") == NULL, "nothing else is exported");
}
#else
extern int init(void);
extern int fini(void);
extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid, char **err_msg);
static void open_plugin(void)
{
    host_submit = job_submit;
    host_init = init;
    host_fini = fini;
}
#endif

void host_publish(struct fixture *f, uint64_t seq)
{
    void *data = NULL;
    size_t size;
    struct err e = {.text = ""};
    int64_t shift = host_now_s() - FIXTURE_NOW;
    struct fixture g = *f;
    g.b.points = g.points;
    g.b.partitions = g.parts;
    g.b.budgets = g.budgets;
    g.b.users = g.users;
    g.b.switches = g.switches;
    g.b.decisions = g.decisions;
    g.b.planned = g.planned;
    for (uint32_t i = 0; i < g.b.n_points; i++)
        g.points[i].t_s += shift;
    g.b.head.seq = seq;
    g.b.head.published_ms = g.b.head.listed_ms = host_now_s() * 1000 + 999;
    g.b.head.slot_start_s += shift;
    g.b.head.intensity_end_s += shift;
    UNIT_INT(board_encode(&g.b, &data, &size, &e), 0, "%s", e.text);
    UNIT_INT(path_write_atomic(host_board, data, size, 0644, &e), 0, "%s", e.text);
    free(data);
}

void host_start(struct fixture *f)
{
    snprintf(host_board, sizeof(host_board), "%s/board", unit_tmpdir());
    setenv("CARNOT_BOARD", host_board, 1);
    setenv("TZ", "UTC", 1);
    open_plugin();
    if (f)
        host_publish(f, 1);
    UNIT_INT(host_init(), 0, "init");
    /* listed_ms must be later than init's clock: wait for a board that is */
    if (f) {
        struct timespec t = {1, 0};
        nanosleep(&t, NULL);
        host_publish(f, 2);
        t = (struct timespec){0, 600000000};
        nanosleep(&t, NULL);
    }
}

void host_job_init(job_desc_msg_t *d, char *script)
{
    memset(d, 0, sizeof(*d));
    d->time_limit = 1;
    d->min_nodes = d->max_nodes = d->num_tasks = d->min_cpus = NO_VAL;
    d->cpus_per_task = d->ntasks_per_node = d->pn_min_cpus = NO_VAL16;
    d->shared = d->requeue = NO_VAL16;
    d->het_job_offset = NO_VAL;
    d->user_id = 1000;
    d->script = script;
}

void host_job_fini(job_desc_msg_t *d, char **msg)
{
    free(d->admin_comment);
    d->admin_comment = NULL;
    free(*msg);
    *msg = NULL;
}

int host_wait(int (*holds)(void *arg), void *arg)
{
    for (int i = 0; i < 500; i++) {
        struct timespec t = {0, 20000000};
        if (holds(arg))
            return 1;
        nanosleep(&t, NULL);
    }
    return 0;
}
