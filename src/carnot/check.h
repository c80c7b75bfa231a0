/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: what is looked at, and what was found. Each topic is a file (check_*.c) that adds
 * findings; nothing is changed by any of them, and none of them ends the command.
 */
#ifndef CARNOT_CHECK_H
#define CARNOT_CHECK_H

#include <jansson.h>
#include "carnot/child.h"
#include "carnot/cli.h"
#include "carnot/plugstack.h"
#include "carnot/slurmconf.h"
#include "common/settings.h"

/* Words in JSON, numbers in the exit code. */
enum check_level { CHECK_OK = 0, CHECK_WARNING = 1, CHECK_ERROR = 2 };

enum check_source { CHECK_NOTHING = 0, CHECK_FILE, CHECK_RUNNING };

struct check {
    struct cli *c;
    json_t *findings; /* [{level, code, what, cure}] */
    json_t *said;     /* what of them is printed in any case */
    int warnings, errors;

    const char *conf_path; /* carnot.yaml */
    struct settings set;
    int configured; /* set was read; else it holds defaults */
    int no_munge;   /* munge was tried and does not work: nobody can be asked */
    uid_t owner;    /* controller.user */

    struct slurmconf slurm; /* what slurmctld runs with, else what its file says */
    enum check_source source;
    int may_be_down;       /* slurmctld: in an upgrade it is */
    char slurm_conf[4096]; /* its path, "" = none found */
    pid_t slurmctld;       /* on this machine; 0 = none found */

    json_t *status;  /* carnotctld's answer; NULL = it did not answer */
    int64_t asked_s; /* and when that was, by our clock */
};

/* Add a finding. Codes are a closed list, words with dots: docs/carnot.1. */
void check_add(struct check *k, enum check_level level, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define check_ok(k, code, ...) check_add((k), CHECK_OK, (code), __VA_ARGS__)
#define check_warn(k, code, ...) check_add((k), CHECK_WARNING, (code), __VA_ARGS__)
#define check_error(k, code, ...) check_add((k), CHECK_ERROR, (code), __VA_ARGS__)
/* What helps against the newest finding; not for those that are ok. */
void check_cure(struct check *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What was asked for, not only looked at: an ok finding that is printed in any case, after all. */
void check_say(struct check *k, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit code so far. */
int check_status(const struct check *k);

/* Findings above ok, or all of them, and the sum; or the JSON array. */
void check_print(const struct check *k, int verbose);

/* Who can change the file or directory, and all above it? owner and root may. */
void check_secure(struct check *k, const char *code, const char *path, uid_t owner);

/* ---- where everything comes from ---- */

/* carnot.yaml; a finding when it cannot be read. */
void check_settings(struct check *k);
/* slurm.conf, from slurmctld (libslurm, in a process of its own) or the file. */
void check_slurm_source(struct check *k);
/* An entry of slurmctld's environment into buf: 1, 0 it is not set, -1 it cannot be seen. */
int check_slurmctld_environ(const struct check *k, const char *name, char *buf, size_t size);
/* The file that slurmctld has loaded under this name into buf: 1 (*deleted: it was replaced on the
 * disk since), 0 none, -1 it cannot be seen. */
int check_slurmctld_loaded(const struct check *k, const char *name, char *buf, size_t size,
                           int *deleted);
/* The same in the text of a process's /proc maps: 1, 0. */
int check_maps_find(const char *maps, const char *name, char *buf, size_t size, int *deleted);
/* SlurmUser; root where there is none of that name. */
uid_t check_slurm_user(const struct check *k);
/* A plugin's file, looked up as Slurm does in PluginDir (which is cut to the directory that has
 * it); an absolute path stays. 0, or -1 when it is in none: buf names the first place then. */
int check_plugin_path(const struct check *k, const char *name, char *buf, size_t size);

/* Was the plugin in this file built for the Slurm that runs, and is it of our release? level: of a
 * finding that it was not; named_in: what of Slurm's configuration names it. */
void check_plugin_fits(struct check *k, const char *path, int is_spank, enum check_level level,
                       const char *named_in);

/* Does Slurm of this version load a plugin that was built for that one? Of SPANK plugins major and
 * minor have to be the same, of others all. */
int check_fits(uint32_t built_for, uint32_t slurm, int is_spank);
/* Run a helper of ours (carnot-slurm-facts, carnot-ledger-facts) with one or two arguments, for
 * CHECK_FACTS_S seconds at most. 0 and *r (child_fini), or -1 and e. */
int check_facts(const char *program, const char *a, const char *b, struct child_result *r,
                struct err *e);
#define CHECK_FACTS_S 30

/* ---- topics ---- */

void check_slurm_settings(struct check *k); /* pure: k->slurm and k->set */
void check_job_submit(struct check *k);     /* JobSubmitPlugins and the file behind it */
void check_plugstack(struct check *k);
/* Carnot's joules in Slurm's accounting, where slurm.conf names them: 1, 0. */
#define CHECK_GATHER "acct_gather_energy_carnot.so"
#define CHECK_GATHER_TYPE "acct_gather_energy/carnot"
int check_gather_named(const struct check *k);
void check_gather(struct check *k);
void check_munge(struct check *k);       /* before anybody is asked: fills k->no_munge */
void check_munge_slurm(struct check *k); /* does Slurm use the same? */
void check_clock(struct check *k);
/* Itself; and, on the controller, Slurm's list, the feed and the nodes. Fills k->status. */
void check_carnotctld(struct check *k, int with_nodes);
void check_board(struct check *k);
void check_ledger(struct check *k);
void check_rights(struct check *k);
/* Room on the file system of path; and what so many bytes left mean. */
void check_disk(struct check *k, const char *path);
enum check_level check_room(uint64_t free_bytes);
void check_neighbours(struct check *k);

/* ---- other commands ---- */

/* --slurm: would slurmctld load it? plugin NULL: the installed ones. */
void check_trial(struct check *k, const char *plugin);
/* --upgrade: do the plugins fit that release? text is what was typed. 0, or -1: no version. */
int check_upgrade(struct check *k, const char *text);
/* --node: this compute node. node NULL: the host's name. */
void check_node(struct check *k, const char *node);
/* The number of the last whole record in the end of a telemetry log; 0 = none. */
uint64_t check_last_seq(const char *text);

#endif
