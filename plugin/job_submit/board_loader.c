/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loader thread. It reads into private memory, never maps: a file cut short under a mapping
 * would kill slurmctld with SIGBUS. A file that fails its checks leaves the old board in force
 * until that is too old. One line in slurmctld's log a change of state, none a look.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "board_loader.h"
#include "compat/slurm_compat.h"
#include "counters.h"
#include "counters_file.h"

#define LOOK_EVERY_MS 250

enum loader_state { STATE_NEW = 0, STATE_OK, STATE_ABSENT, STATE_BROKEN, STATE_OLD };

/* lock guards `current`, the holders of every board, and `stop`; the rest belongs to the thread. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    int running, stop;
    struct held_board *current;
    char path[4096];
    struct stat seen; /* of the file that was read last, good or bad */
    enum loader_state state;
} loader = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Drop one holder; the caller holds the lock. Returns the board if nobody holds it any more. */
static struct held_board *release(struct held_board *held)
{
    return held && --held->holders == 0 ? held : NULL;
}

static void destroy(struct held_board *held)
{
    if (held) {
        board_free(&held->board);
        free(held);
    }
}

static void swap(struct held_board *next)
{
    pthread_mutex_lock(&loader.lock);
    struct held_board *dead = release(loader.current);
    loader.current = next;
    pthread_mutex_unlock(&loader.lock);
    destroy(dead);
}

static void note_state(enum loader_state state, const char *why)
{
    if (state == loader.state)
        return;
    loader.state = state;
    if (state == STATE_OK)
        slurm_info("carnot: board %s is in force", loader.path);
    else
        slurm_info("carnot: absent, jobs pass unchanged: %s", why);
}

static int same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int too_old(const struct board *b, int64_t now_ms)
{
    return now_ms - b->head.published_ms > b->head.max_age_ms;
}

/* A pipe in its place would hold the thread, and so slurmctld when it ends, for ever. */
static int load(struct board *out, const struct stat *st, struct err *e)
{
    if (!S_ISREG(st->st_mode))
        return err_set(e, "%s is no file", loader.path);
    return board_load(out, loader.path, e);
}

static void read_board(const struct stat *st)
{
    struct err e = {.text = ""};
    struct held_board *next = calloc(1, sizeof(*next));
    if (!next)
        return;
    if (load(&next->board, st, &e) < 0) {
        free(next);
        counters_add(COUNTER_BAD_BOARDS);
        note_state(STATE_BROKEN, e.text);
        return;
    }
    counters_add(COUNTER_BOARDS);
    next->holders = 1; /* the pointer in force */
    int old = too_old(&next->board, wall_ms());
    swap(next);
    if (!old)
        note_state(STATE_OK, "");
}

/* One look at the file. A board removed by hand is the operator's red card: it counts at once. */
static void look(void)
{
    struct stat st;
    if (stat(loader.path, &st) < 0) {
        char why[4200];
        snprintf(why, sizeof(why), "%s: %s", loader.path, strerror(errno));
        memset(&loader.seen, 0, sizeof(loader.seen));
        swap(NULL);
        note_state(STATE_ABSENT, why);
        return;
    }
    if (!same_file(&st, &loader.seen)) {
        loader.seen = st;
        read_board(&st);
    }
    if (loader.current && too_old(&loader.current->board, wall_ms()))
        note_state(STATE_OLD, "the board is too old; is carnotctld running?");
}

static void *run(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "carnot-board"); /* top -H, strace */
    pthread_mutex_lock(&loader.lock);
    while (!loader.stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_EVERY_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&loader.wake, &loader.lock, &until);
        if (loader.stop)
            break;
        pthread_mutex_unlock(&loader.lock);
        look();
        counters_file_look(loader.current ? &loader.current->board : NULL, wall_ms());
        pthread_mutex_lock(&loader.lock);
    }
    pthread_mutex_unlock(&loader.lock);
    return NULL;
}

int board_loader_start(const char *path)
{
    pthread_condattr_t attr;
    sigset_t all, before;
    if (strlen(path) >= sizeof(loader.path))
        return -1;
    strcpy(loader.path, path);
    counters_file_init(path, wall_ms());
    memset(&loader.seen, 0, sizeof(loader.seen));
    loader.state = STATE_NEW;
    loader.stop = 0;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&loader.wake, &attr);
    pthread_condattr_destroy(&attr);
    look();

    /* Signals are slurmctld's business: none is delivered to our thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&loader.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loader.running = rc == 0;
    return loader.running ? 0 : -1;
}

void board_loader_stop(void)
{
    if (loader.running) {
        pthread_mutex_lock(&loader.lock);
        loader.stop = 1;
        pthread_cond_signal(&loader.wake);
        pthread_mutex_unlock(&loader.lock);
        pthread_join(loader.thread, NULL);
        pthread_cond_destroy(&loader.wake);
        loader.running = 0;
    }
    swap(NULL);
}

struct held_board *board_loader_get(int64_t now_ms)
{
    pthread_mutex_lock(&loader.lock);
    struct held_board *held = loader.current;
    if (held && too_old(&held->board, now_ms))
        held = NULL;
    if (held)
        held->holders++;
    pthread_mutex_unlock(&loader.lock);
    return held;
}

void board_loader_put(struct held_board *held)
{
    if (!held)
        return;
    pthread_mutex_lock(&loader.lock);
    struct held_board *dead = release(held);
    pthread_mutex_unlock(&loader.lock);
    destroy(dead);
}
