/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: the files that carnotctld keeps: board, ledger, room for them, and who can change
 * them.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "carnot/show.h"
#include "common/path.h"
#include "placement/board.h"

#define RESTORE                                                                                    \
    "stop carnotctld, keep a copy of the file, and restore the last good one (sqlite3's .recover " \
    "saves what can be)"
#define ROOM_WARN_BYTES (1ull << 30)
#define ROOM_ERROR_BYTES (64ull << 20)

/* The board is what slurmctld's plugin reads: the same path, and readable for SlurmUser. */
static void _same_board(struct check *k, const char *path)
{
    char theirs[PATH_MAX] = LOCALSTATEDIR "/lib/carnot/board";
    int seen = check_slurmctld_environ(k, "CARNOT_BOARD", theirs, sizeof(theirs));
    uid_t user = check_slurm_user(k);
    int readable;

    if (seen < 0) {
        check_ok(k, "board.path", "which board slurmctld's plugin reads cannot be seen from here");
    } else if (strcmp(theirs, path) != 0) {
        check_error(k, "board.path", "slurmctld's plugin reads %s, carnotctld writes %s", theirs,
                    path);
        check_cure(k, "set controller.board in carnot.yaml to it, or CARNOT_BOARD in slurmctld's "
                      "environment, and restart that one");
    } else {
        check_ok(k, "board.path", "slurmctld's plugin reads %s", theirs);
    }
    if (k->source == CHECK_NOTHING)
        return;
    readable = child_can_read(path, user);
    if (readable == 0) {
        check_error(k, "board.rights",
                    "SlurmUser (uid %ld) cannot read %s: no submission is "
                    "decided",
                    (long)user, path);
        check_cure(k, "let SlurmUser through the directories above it (chmod o+x), and read it");
    } else
        check_ok(k, "board.rights",
                 readable > 0 ? "SlurmUser (uid %ld) can read the board"
                              : "whether SlurmUser (uid %ld) can read the board "
                                "only root can find out",
                 (long)user);
}

static void _age(struct check *k, const char *path, const struct board *b)
{
    int64_t age_ms = (int64_t)time(NULL) * 1000 - b->head.published_ms;
    char age[SHOW_SIZE], allowed[SHOW_SIZE];

    (void)show_span(age, sizeof(age), llabs(age_ms) / 1000);
    if (age_ms > b->head.max_age_ms) {
        check_error(k, "board.age", "%s is %s old, and counts for %s: jobs pass unchanged", path,
                    age, show_span(allowed, sizeof(allowed), b->head.max_age_ms / 1000));
        check_cure(k, "systemctl restart carnotctld; its log says why it writes none");
    } else if (age_ms < -2000) {
        check_warn(k, "board.age", "%s is from %s ahead", path, age);
        check_cure(k, "has the clock been set back? the next board puts it right");
    } else
        check_ok(k, "board.age", "%s is number %" PRIu64 ", %s old", path, b->head.seq, age);
    if (b->head.listed_ms == 0) {
        check_warn(k, "board.list",
                   "%s was made without Slurm's job list: requests on budgets are "
                   "refused",
                   path);
        check_cure(k, "does slurmctld answer carnotctld? see its log");
    }
    if (k->configured && strcmp(b->head.cluster, k->set.cluster) != 0) {
        check_error(k, "board.cluster", "%s is of cluster %s, carnot.yaml of %s", path,
                    b->head.cluster, k->set.cluster);
        check_cure(k, "give each cluster a board of its own");
    }
}

void check_board(struct check *k)
{
    const char *path = k->set.controller.board;
    struct err e = {""};
    struct board b;

    if (board_load(&b, path, &e) < 0) {
        check_error(k, "board", "%s: jobs pass unchanged", e.text);
        check_cure(k, errno == ENOENT
                          ? "start carnotctld, which writes it every few seconds"
                          : "restart carnotctld; it and the plugin have to be of one release");
        return;
    }
    check_ok(k, "board", "%s is whole", path);
    _age(k, path, &b);
    board_free(&b);
    _same_board(k, path);
}

static int _ledger_path(const struct check *k, char *buf, size_t size)
{
    return path_format(buf, size, "%s/ledger.sqlite", k->set.state_dir);
}

/* What the helper says of the file; NULL after a finding. */
static json_t *_ledger_facts(struct check *k, const char *path)
{
    struct child_result r;
    struct err e = {""};
    char seconds[16];
    json_t *facts;

    if (access(path, R_OK) < 0) {
        check_add(k, errno == ENOENT ? CHECK_ERROR : CHECK_WARNING, "ledger", "%s: %s", path,
                  strerror(errno));
        check_cure(k, errno == ENOENT ? "start carnotctld, which makes it" : "run this as root");
        return NULL;
    }
    (void)snprintf(seconds, sizeof(seconds), "%d", CHECK_FACTS_S - 10);
    if (check_facts("carnot-ledger-facts", path, seconds, &r, &e) < 0) {
        check_error(k, "ledger", "%s: %s", path, e.text);
        check_cure(k, RESTORE);
        return NULL;
    }
    facts = json_loads(r.out, 0, NULL);
    child_fini(&r);
    return facts;
}

void check_ledger(struct check *k)
{
    char path[PATH_MAX];
    int64_t schema, known;
    const char *damage;
    json_t *facts;

    if (_ledger_path(k, path, sizeof(path)) < 0 || !(facts = _ledger_facts(k, path)))
        return;
    schema = answer_integer(facts, "schema");
    known = answer_integer(facts, "known");
    damage = answer_text(facts, "damage");
    if (damage && damage[0]) {
        check_error(k, "ledger", "%s: %s", path, damage);
        check_cure(k, RESTORE);
    } else if (schema > known) {
        check_error(k, "ledger.schema", "%s has schema %" PRId64 ", this build knows %" PRId64,
                    path, schema, known);
        check_cure(k, "install the newer Carnot again: a ledger does not go back");
    } else if (!json_is_true(json_object_get(facts, "finished"))) {
        check_ok(k, "ledger", "%s has schema %" PRId64 "; it is too large to be read whole here",
                 path, schema);
    } else
        check_ok(k, "ledger", "%s is whole, schema %" PRId64 "%s", path, schema,
                 schema < known ? ": carnotctld brings it up to date at its start" : "");
    json_decref(facts);
}

enum check_level check_room(uint64_t free_bytes)
{
    return free_bytes < ROOM_ERROR_BYTES  ? CHECK_ERROR
           : free_bytes < ROOM_WARN_BYTES ? CHECK_WARNING
                                          : CHECK_OK;
}

void check_disk(struct check *k, const char *path)
{
    struct statvfs st;
    uint64_t bytes;

    if (statvfs(path, &st) < 0) {
        check_warn(k, "disk", "%s: %s", path, strerror(errno));
        check_cure(k, "make it, or correct carnot.yaml");
        return;
    }
    bytes = (uint64_t)st.f_bavail * st.f_frsize;
    check_add(k, check_room(bytes), "disk", "%s: %" PRIu64 " MiB free", path, bytes >> 20);
    if (check_room(bytes) != CHECK_OK)
        check_cure(k, "free some: a full disk stops ledger, board and logs");
}

void check_rights(struct check *k)
{
    char ledger[PATH_MAX];
    struct stat st;
    uid_t slurm = check_slurm_user(k);
    const struct {
        const char *code, *path;
        uid_t owner;
    } rows[] = {
        {"rights.conf", k->conf_path, 0},
        {"rights.state", k->set.state_dir, k->owner},
        {"rights.log", k->set.log_dir, k->owner},
        {"rights.ledger", ledger, k->owner},
        /* it may lie in SlurmUser's StateSaveLocation, who is told by it what to do anyway */
        {"rights.board", k->set.controller.board, k->owner ? k->owner : slurm},
        {"rights.slurm", k->slurm_conf, slurm},
    };

    if (!k->configured || _ledger_path(k, ledger, sizeof(ledger)) < 0)
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        /* that one is missing is another check's finding */
        if (rows[i].path[0] && lstat(rows[i].path, &st) == 0)
            check_secure(k, rows[i].code, rows[i].path, rows[i].owner);
    if (stat(ledger, &st) == 0 && (st.st_mode & 077)) {
        check_warn(k, "rights.ledger", "%s can be read by others: who ran what is in it", ledger);
        check_cure(k, "chmod 600 %s", ledger);
    }
}
