/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger under kill -9, a full disk, a locked file, and files that are not
 * (or no longer) what they should be: nothing is half-applied, nothing that was
 * acknowledged is lost, and the error says what is wrong.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/ledger.h"
#include "unit.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define T0 1795510800
#define JOBS 4
#define KILLS 50

static char path[256];

static ledger_t *_open(void)
{
    struct err e = {""};
    ledger_t *l;

    (void)snprintf(path, sizeof(path), "%s/ledger.sqlite", unit_tmpdir());
    l = ledger_open(path, &e);
    UNIT_OK(l != NULL, "%s", e.text);
    return l;
}

/* What record seq gives to a job: known to both sides of a kill. */
static uint64_t _energy_uj(uint64_t seq, uint32_t job)
{
    return 1000 * seq + 7 * job + seq * seq % 101;
}

static int _add(ledger_t *l, uint64_t seq, struct err *e)
{
    struct ledger_share shares[JOBS];
    struct ledger_record r = {.node = "n1",
                              .seq = seq,
                              .start_s = T0 + (int64_t)seq,
                              .end_s = T0 + (int64_t)seq + 1,
                              .idle_uj = 11,
                              .system_uj = 5,
                              .node_uj = 16,
                              .shares = shares,
                              .n_shares = JOBS};

    for (uint32_t i = 0; i < JOBS; i++) {
        uint64_t uj = _energy_uj(seq, i);

        shares[i] = (struct ledger_share){{i + 1, 0, T0}, uj, uj / 9, QUALITY_SPLIT, "cpu"};
        r.node_uj += uj;
    }
    return ledger_record_add(l, &r, e);
}

static void _prepare(ledger_t *l)
{
    struct err e = {""};

    UNIT_INT(budget_set(l, SCOPE_ACCOUNT, "bio", RESOURCE_ENERGY, PERIOD_ONCE, 1, T0, &e), 0, "%s",
             e.text);
    UNIT_INT(budget_set(l, SCOPE_USER, "anna", RESOURCE_CARBON, PERIOD_ONCE, 1, T0, &e), 0, "%s",
             e.text);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct ledger_job j = {.key = {i + 1, 0, T0},
                               .user = "anna",
                               .account = "bio",
                               .reserved_uj = 50000,
                               .live = 1};

        UNIT_INT(ledger_job_put(l, &j, &e), 0, "%s", e.text);
    }
}

/* Jobs, budgets and node totals are those of the records 1 to seq, to the microjoule. */
static void _check(ledger_t *l, uint64_t seq, const char *when)
{
    uint64_t energy_uj = 0, carbon_ug = 0, over_uj = 0;
    struct ledger_node *nodes = NULL;
    struct budget *budgets = NULL;
    struct err e = {""};
    size_t n = 0;

    for (uint32_t i = 0; i < JOBS; i++) {
        struct ledger_job j = {0};
        uint64_t uj = 0, ug = 0;

        for (uint64_t s = 1; s <= seq; s++) {
            uj += _energy_uj(s, i);
            ug += _energy_uj(s, i) / 9;
        }
        UNIT_INT(ledger_job_get(l, (struct job_key){i + 1, 0, T0}, &j, &e), 1, "%s", e.text);
        UNIT_INT(j.energy_uj, uj, "%s: job %u after %llu", when, i + 1, (unsigned long long)seq);
        UNIT_INT(j.carbon_ug, ug, "%s: job %u after %llu", when, i + 1, (unsigned long long)seq);
        energy_uj += uj;
        carbon_ug += ug;
        over_uj += uj > 50000 ? uj - 50000 : 0;
    }
    UNIT_INT(budget_list(l, T0, &budgets, &n, &e), 0, "%s", e.text);
    if (UNIT_INT(n, 2, "%s: budgets", when)) {
        UNIT_INT(budgets[0].charged, energy_uj, "%s: account", when);
        UNIT_INT(budgets[0].over, over_uj, "%s: over", when);
        UNIT_INT(budgets[1].charged, carbon_ug, "%s: user", when);
    }
    free(budgets);
    UNIT_INT(ledger_node_list(l, &nodes, &n, &e), 0, "%s", e.text);
    UNIT_INT(n, seq ? 1 : 0, "%s: nodes", when);
    if (n) {
        UNIT_INT(nodes[0].jobs_uj, energy_uj, "%s: node", when);
        UNIT_INT(nodes[0].node_uj, nodes[0].jobs_uj + nodes[0].idle_uj + nodes[0].system_uj,
                 "%s: balance", when);
    }
    free(nodes);
}

/* In the child: count records until killed, each acknowledged through fd after it is durable. As
 * nodes do, every one is sent twice. */
static void _child(int fd, int batch)
{
    ledger_t *l = ledger_open(path, NULL);
    uint64_t seq;

    if (!l || ledger_node_seq(l, "n1", &seq, NULL) < 0)
        _exit(1);
    for (;;) {
        if (ledger_begin(l, NULL) < 0)
            _exit(2);
        for (int i = 0; i < batch; i++) {
            seq++;
            if (_add(l, seq, NULL) != 1 || _add(l, seq, NULL) != 0)
                _exit(3);
        }
        if (ledger_commit(l, NULL) < 0)
            _exit(4);
        if (write(fd, &seq, sizeof(seq)) != sizeof(seq))
            _exit(5);
    }
}

/* Fork, kill after delay_us of counting; the last number it acknowledged. */
static uint64_t _kill_one(int batch, useconds_t delay_us)
{
    uint64_t acked = 0, seq;
    int fds[2], status;
    pid_t pid;

    if (pipe(fds) < 0 || (pid = fork()) < 0) {
        UNIT_OK(0, "cannot fork");
        return 0;
    }
    if (pid == 0) {
        (void)close(fds[0]);
        _child(fds[1], batch);
    }
    (void)close(fds[1]);
    if (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
        acked = seq;
    (void)usleep(delay_us);
    (void)kill(pid, SIGKILL);
    while (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
        acked = seq;
    (void)close(fds[0]);
    UNIT_INT(waitpid(pid, &status, 0), pid, "child");
    UNIT_OK(WIFSIGNALED(status), "killed, not ended with %d", WEXITSTATUS(status));
    return acked;
}

static void test_kill(void)
{
    ledger_t *l = _open();
    uint64_t seq = 0, last = 0;
    struct err e = {""};

    _prepare(l);
    ledger_close(l);
    for (int i = 0; i < KILLS; i++) {
        uint64_t acked = _kill_one(i % 3 ? 1 : 20, (useconds_t)(i * 7919 % 5000));

        l = _open();
        UNIT_INT(ledger_node_seq(l, "n1", &seq, &e), 0, "%s", e.text);
        UNIT_OK(acked > last, "kill %d: it had counted some", i);
        UNIT_OK(seq >= acked, "kill %d: %llu counted, %llu acknowledged", i,
                (unsigned long long)seq, (unsigned long long)acked);
        _check(l, seq, "after a kill");
        UNIT_INT(_add(l, seq, &e), 0, "kill %d: counted before", i);
        ledger_close(l);
        last = seq;
    }
    printf("# %llu records over %d kills\n", (unsigned long long)seq, KILLS);
}

/* Writes fail from some size of the files on: what failed is undone, the rest stands. */
static void test_full_disk(void)
{
    struct rlimit limit, old;
    ledger_t *l = _open();
    uint64_t seq = 0, counted = 0;
    struct err e = {""};
    int failed_alone = 0;

    _prepare(l);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 300000;
    UNIT_INT(setrlimit(RLIMIT_FSIZE, &limit), 0, "limit");
    for (uint64_t s = 1; s < 500 && !failed_alone; s++) {
        if (_add(l, s, &e) == 1)
            counted = s;
        else
            failed_alone = 1;
    }
    UNIT_OK(failed_alone, "the limit bites");
    UNIT_OK(errno == ENOSPC || errno == EIO, "errno %d: %s", errno, e.text);
    UNIT_INT(ledger_node_seq(l, "n1", &seq, &e), 0, "reads go on: %s", e.text);
    UNIT_INT(seq, counted, "what failed does not count");
    _check(l, counted, "on a full disk");
    /* a whole group: either its calls fail or its commit does */
    if (ledger_begin(l, &e) == 0) {
        int ok = _add(l, counted + 1, &e) == 1 && _add(l, counted + 2, &e) == 1;

        if (ok)
            UNIT_INT(ledger_commit(l, &e), -1, "cannot be kept");
        else
            ledger_rollback(l);
    }
    _check(l, counted, "after a group on a full disk");
    UNIT_INT(setrlimit(RLIMIT_FSIZE, &old), 0, "limit");
    UNIT_INT(_add(l, counted + 1, &e), 1, "there is room again: %s", e.text);
    _check(l, counted + 1, "with room again");
    ledger_close(l);
    l = _open();
    _check(l, counted + 1, "reopened");
    ledger_close(l);
}

static void test_locked(void)
{
    ledger_t *l = _open();
    sqlite3 *other = NULL;
    struct err e = {""};

    _prepare(l);
    UNIT_INT(sqlite3_open(path, &other), SQLITE_OK, "open");
    UNIT_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK, "lock");
    errno = 0;
    UNIT_INT(_add(l, 1, &e), -1, "somebody else writes");
    UNIT_INT(errno, EBUSY, "%s", e.text);
    UNIT_INT(ledger_begin(l, &e), -1, "nor a group");
    _check(l, 0, "locked");
    UNIT_INT(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK, "unlock");
    UNIT_INT(_add(l, 1, &e), 1, "%s", e.text);
    _check(l, 1, "free again");
    sqlite3_close(other);
    ledger_close(l);
}

static mode_t _mode(const char *suffix)
{
    char name[300];
    struct stat st = {0};

    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    UNIT_INT(stat(name, &st), 0, "%s", name);
    return st.st_mode & 07777;
}

static void test_mode(void)
{
    mode_t old = umask(0);
    ledger_t *l = _open();
    struct err e = {""};

    UNIT_INT(_mode(""), 0600, "whatever the umask");
    UNIT_INT(_mode("-wal"), 0600, "the log too");
    UNIT_INT(_mode("-shm"), 0600, "its index too");
    ledger_close(l);
    UNIT_INT(chmod(path, 0644), 0, "as a backup might restore it");
    l = ledger_open(path, &e);
    UNIT_OK(l != NULL, "%s", e.text);
    UNIT_INT(_mode(""), 0600, "closed again");
    ledger_close(l);
    (void)umask(old);
}

static void _sql(const char *sql)
{
    sqlite3 *db = NULL;

    UNIT_INT(sqlite3_open(path, &db), SQLITE_OK, "open");
    UNIT_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sql);
    sqlite3_close(db);
}

static void _refused(const char *name, int want_errno, const char *want)
{
    struct err e = {""};
    ledger_t *l;

    errno = 0;
    l = ledger_open(name, &e);
    UNIT_OK(l == NULL, "%s is refused", want);
    UNIT_INT(errno, want_errno, "%s", e.text);
    UNIT_OK(strstr(e.text, want) != NULL, "says %s: %s", want, e.text);
    ledger_close(l);
    l = ledger_open(name, NULL);
    UNIT_OK(l == NULL, "without err");
    ledger_close(l);
}

static void _write_file(const char *bytes, size_t size)
{
    FILE *f = fopen(path, "w");

    UNIT_OK(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "%s", path);
}

/* A ledger of each schema before this one, as an older Carnot left it, is taken over with its rows.
 */
static void test_older(void)
{
#define NO_GPUS "ALTER TABLE job DROP COLUMN gpus;"
#define NO_PAUSES                                                                                  \
    NO_GPUS                                                                                        \
    "ALTER TABLE job DROP COLUMN requeue; ALTER TABLE job DROP COLUMN pauses;"                     \
    "ALTER TABLE job DROP COLUMN ran_s; ALTER TABLE job DROP COLUMN paused_s;"                     \
    "ALTER TABLE job DROP COLUMN done_by_s; ALTER TABLE job DROP COLUMN resume_s;"
    static const char *const back[] = {
        NO_GPUS "PRAGMA user_version = 5", NO_PAUSES "PRAGMA user_version = 4",
        NO_PAUSES "DROP TABLE guess; PRAGMA user_version = 3",
        NO_PAUSES "DROP TABLE guess; ALTER TABLE job DROP COLUMN policy; PRAGMA user_version = 2",
        NO_PAUSES
        "DROP TABLE guess; DROP INDEX job_open; ALTER TABLE job DROP COLUMN watts; DROP TABLE "
        "account_tree;"
        "ALTER TABLE job DROP COLUMN policy; PRAGMA user_version = 1;"
        "CREATE INDEX job_open ON job (account, user, reserved_uj) WHERE settled = 0"};
    struct ledger_job row = {.key = {7, 0, 1000}, .array_task = -1, .tasks = 1, .live = 1}, again;
    struct err e = {""};
    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
        ledger_t *l = _open();
        UNIT_INT(ledger_job_put(l, &row, &e), 0, "%s", e.text);
        ledger_close(l);
        _sql(back[i]);
        l = _open();
        UNIT_INT(ledger_job_get(l, row.key, &again, &e), 1, "the row is there: %s", e.text);
        UNIT_INT(ledger_guess_put(l, "DE", NULL, 0, 0, 1, &e), 0, "%s", e.text);
        UNIT_INT(again.policy + (int)again.watts, 0, "what it did not know is 0");
        UNIT_INT(again.gpus, LEDGER_GPUS_UNKNOWN, "or not known");
        again.policy = 2;
        UNIT_INT(ledger_job_put(l, &again, &e), 0, "and can be written: %s", e.text);
        ledger_close(l);
        (void)unlink(path);
    }
}

static void test_refused(void)
{
    char name[300], garbage[8192];
    ledger_t *l = _open();

    ledger_close(l);
    _sql("PRAGMA user_version = 99");
    _refused(path, ENOTSUP, "use a newer Carnot");
    (void)unlink(path);
    _sql("CREATE TABLE accounts (x); PRAGMA user_version = 1");
    _refused(path, EINVAL, "another program");
    (void)unlink(path);
    _sql("PRAGMA application_id = 1234");
    _refused(path, EINVAL, "another program");
    memset(garbage, 'g', sizeof(garbage));
    _write_file(garbage, sizeof(garbage));
    _refused(path, EBADMSG, path);
    _refused(unit_tmpdir(), EINVAL, "not a regular file");
    (void)snprintf(name, sizeof(name), "%s/no/such/dir/l.sqlite", unit_tmpdir());
    _refused(name, ENOENT, name);
    /* an empty file is a new ledger */
    _write_file("", 0);
    l = _open();
    _prepare(l);
    _check(l, 0, "made from an empty file");
    ledger_close(l);
}

/* A look from outside: beside an open ledger, and at files that are none. */
static void test_checked(void)
{
    static char bytes[1 << 20];
    struct ledger_health h;
    struct err e = {""};
    ledger_t *l = _open();
    size_t size;
    FILE *f;

    _prepare(l);
    UNIT_INT(ledger_begin(l, &e), 0, "%s", e.text);
    UNIT_INT(_add(l, 1, &e), 1, "%s", e.text);
    UNIT_INT(ledger_check(path, 10000, &h, &e), 0, "in the middle of a change: %s", e.text);
    UNIT_OK(h.finished && !h.damage[0] && h.schema == h.known && h.known > 0, "whole, of schema %d",
            h.schema);
    UNIT_INT(ledger_commit(l, &e), 0, "and the change goes on: %s", e.text);
    ledger_close(l);
    UNIT_INT(ledger_check(path, 10000, &h, &e), 0, "closed: %s", e.text);
    f = fopen(path, "r");
    UNIT_OK(f != NULL, "%s", path);
    size = fread(bytes, 1, sizeof(bytes), f);
    (void)fclose(f);

    _sql("PRAGMA user_version = 99");
    UNIT_INT(ledger_check(path, 10000, &h, &e), 0, "of the future: %s", e.text);
    UNIT_OK(h.schema == 99 && h.known < 99, "schema %d", h.schema);
    memset(bytes + size - size / 4, 0x5a, size / 4);
    _write_file(bytes, size);
    UNIT_OK(ledger_check(path, 10000, &h, &e) < 0 || h.damage[0], "its last quarter is lost");
    memset(bytes, 'g', 4096);
    _write_file(bytes, size);
    UNIT_INT(ledger_check(path, 10000, &h, &e), -1, "garbage");
    UNIT_INT(errno, EBADMSG, "%s", e.text);
    (void)unlink(path);
    UNIT_INT(ledger_check(path, 10000, &h, &e), -1, "none");
    UNIT_OK(strstr(e.text, path) && access(path, F_OK) < 0, "and none is made: %s", e.text);
    _sql("CREATE TABLE accounts (x); PRAGMA user_version = 1");
    UNIT_INT(ledger_check(path, 10000, &h, &e), -1, "of another program");
    UNIT_INT(errno, EINVAL, "%s", e.text);
}

/* Whatever happens to the bytes, there is an answer or an error. */
static void test_damaged(void)
{
    static char good[1 << 20];
    uint64_t state = 42;
    struct err e = {""};
    ledger_t *l = _open();
    size_t size;
    FILE *f;

    _prepare(l);
    for (uint64_t seq = 1; seq < 20; seq++)
        UNIT_INT(_add(l, seq, &e), 1, "%s", e.text);
    ledger_close(l); /* folds the log back */
    f = fopen(path, "r");
    UNIT_OK(f != NULL, "%s", path);
    size = fread(good, 1, sizeof(good), f);
    (void)fclose(f);
    UNIT_OK(size > 4096 && size < sizeof(good), "%zu bytes", size);
    for (int round = 0; round < 60; round++) {
        char *bad = malloc(size);
        size_t cut = size;

        memcpy(bad, good, size);
        for (int i = 0; i < 40; i++) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            bad[(state >> 20) % size] = (char)(state >> 56);
        }
        if (round % 3 == 0)
            cut = (state >> 30) % size;
        _write_file(bad, cut);
        free(bad);
        l = ledger_open(path, &e);
        if (l) {
            struct budget *budgets = NULL;
            struct ledger_job *jobs = NULL;
            struct ledger_query q = {0};
            size_t n;

            (void)_add(l, 20, &e);
            (void)budget_list(l, T0, &budgets, &n, &e);
            (void)ledger_job_list(l, &q, &jobs, &n, &e);
            free(budgets);
            free(jobs);
        }
        ledger_close(l);
    }
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"kill", test_kill},       {"full_disk", test_full_disk}, {"locked", test_locked},
        {"mode", test_mode},       {"older", test_older},         {"refused", test_refused},
        {"damaged", test_damaged}, {"checked", test_checked},     {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "ledger_faults");
}
