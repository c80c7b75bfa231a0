/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the counters down. The text is made by hand in a static buffer: slurmctld links no JSON
 * library for us, and nothing in it comes from a user.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/path.h"
#include "common/when.h"
#include "compat/slurm_compat.h"
#include "counters.h"
#include "counters_file.h"

/* A file of another slurmctld that is younger than this is in use. */
#define FRESH_MS (6 * COUNTERS_FILE_EVERY_MS)

static struct {
    char path[4096 + sizeof(".plugin")];
    char host[65];
    int64_t started_ms, next_ms;
    struct stat ours; /* the file that we wrote last */
    int failing;      /* it could not be written when last tried */
    int had_board;    /* when last looked at */
    uint64_t full;    /* COUNTER_LEASES_FULL when last looked at */
    int told_full;
    char text[8192];
    size_t used;
} file;

__attribute__((format(printf, 1, 2))) static void put(const char *fmt, ...)
{
    va_list ap;
    size_t room = sizeof(file.text) - file.used;
    va_start(ap, fmt);
    int n = vsnprintf(file.text + file.used, room, fmt, ap);
    va_end(ap);
    file.used += n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static void put_times(const char *key, enum counter_call which)
{
    struct counter_times t;
    counters_times(which, &t);
    put(",\"%s\":{\"calls\":%llu,\"max_us\":%llu,\"n\":[", key, (unsigned long long)t.calls,
        (unsigned long long)t.max_us);
    for (int k = 0; k <= COUNTER_STEPS; k++)
        put("%s%llu", k ? "," : "", (unsigned long long)t.n[k]);
    put("]}");
}

static void put_all(const struct board *b, int64_t now_ms)
{
    char ts[32], started[32];
    file.used = 0;
    put("{\"v\":1,\"ts\":\"%s\",\"version\":\"%s\",\"slurm\":\"%d.%02d\",\"host\":\"%s\","
        "\"pid\":%ld,\"started\":\"%s\",\"board\":",
        when_format_rfc3339_ms(ts, sizeof(ts), now_ms), PACKAGE_VERSION, SLURM_VERSION_NUMBER >> 16,
        SLURM_VERSION_NUMBER >> 8 & 0xff, file.host, (long)getpid(),
        when_format_rfc3339_ms(started, sizeof(started), file.started_ms));
    if (b)
        put("{\"seq\":%llu,\"age_s\":%.3f}", (unsigned long long)b->head.seq,
            (double)(now_ms - b->head.published_ms) / 1e3);
    else
        put("null");
    for (int i = 0; i < COUNTER_N; i++)
        put(",\"%s\":%llu", counter_names[i], (unsigned long long)counters_get((enum counter)i));
    put(",\"steps_us\":[");
    for (int k = 0; k < COUNTER_STEPS; k++)
        put("%s%u", k ? "," : "", counter_step_us[k]);
    put("]");
    put_times("submit", COUNTER_SUBMIT);
    put_times("modify", COUNTER_MODIFY);
    put("}\n");
}

/* A slurmctld that only stands by has no calls: it leaves the file to the one that has. */
static int belongs_to_another(int64_t now_ms)
{
    struct counter_times t;
    struct stat st;
    counters_times(COUNTER_SUBMIT, &t);
    if (t.calls > 0 || stat(file.path, &st) < 0)
        return 0;
    if (st.st_ino == file.ours.st_ino && st.st_mtim.tv_sec == file.ours.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == file.ours.st_mtim.tv_nsec)
        return 0;
    int64_t age_ms = now_ms - (int64_t)st.st_mtim.tv_sec * 1000;
    return age_ms >= -FRESH_MS && age_ms <= FRESH_MS;
}

static void write_file(const struct board *b, int64_t now_ms)
{
    struct err e = {.text = ""};
    put_all(b, now_ms);
    int failing = path_write_unsynced(file.path, file.text, file.used, 0644, &e) < 0;
    if (failing && !file.failing)
        slurm_info("carnot: %s; carnot status will not show the plugin", e.text);
    if (!failing && file.failing)
        slurm_info("carnot: %s can be written again", file.path);
    file.failing = failing;
    if (failing || stat(file.path, &file.ours) < 0)
        memset(&file.ours, 0, sizeof(file.ours));
}

/* Said here, since a submission must not write to the log: slurmctld's may be on a slow disk. */
static void tell_full(void)
{
    uint64_t full = counters_get(COUNTER_LEASES_FULL);
    if (full > file.full && !file.told_full) {
        slurm_error("carnot: more than %d submissions wait for carnotctld", LEASE_MAX);
        file.told_full = 1;
    } else if (full == file.full && file.told_full &&
               counters_get(COUNTER_LEASES_OPEN) < LEASE_MAX) {
        slurm_info("carnot: the table of leases has room again; %llu decisions found none",
                   (unsigned long long)full);
        file.told_full = 0;
    }
    file.full = full;
}

void counters_file_init(const char *board_path, int64_t now_ms)
{
    memset(&file, 0, sizeof(file));
    snprintf(file.path, sizeof(file.path), "%s.plugin", board_path);
    if (gethostname(file.host, sizeof(file.host) - 1) < 0 || strpbrk(file.host, "\"\\"))
        file.host[0] = '\0';
    file.started_ms = file.next_ms = now_ms;
}

/* A clock that was set back must not make us wait. */
static int is_due(int64_t now_ms)
{
    return now_ms >= file.next_ms || file.next_ms - now_ms > COUNTERS_FILE_EVERY_MS;
}

void counters_file_look(const struct board *b, int64_t now_ms)
{
    int changed = file.had_board != (b != NULL);
    if (!changed && !is_due(now_ms))
        return;
    file.had_board = b != NULL;
    file.next_ms = now_ms + COUNTERS_FILE_EVERY_MS;
    tell_full();
    if (!belongs_to_another(now_ms))
        write_file(b, now_ms);
}
