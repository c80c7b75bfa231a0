/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user asks of Carnot: the one table of options, and its parsers.
 *
 * The table (name, argument, help, accepted values) serves the SPANK options,
 * the #CARNOT lines of a script, the CARNOT_* environment, `carnot place` and the man
 * page. Layers, weakest first: environment, #CARNOT lines, flags; a layer overrides the one
 * below it option by option. Everything here is hostile text: lengths are bounded, nothing
 * is allocated, a bad value is one sentence that names option, value and what is
 * accepted. Pure but for the local time zone (finish-by).
 */
#ifndef CARNOT_PLACEMENT_REQUEST_H
#define CARNOT_PLACEMENT_REQUEST_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"
#include "common/power_cap.h"

#define REQUEST_TTY_NAME "CARNOT_TTY" /* see request_from_terminal */
/* In spank_job_env, CARNOT_POWER_CAP= is what the nodes' prologs go by: the SPANK plugin puts the
 * flag's or the environment's cap there, or nothing; job_submit, which knows the #CARNOT lines and
 * whether Carnot acts, replaces it, with this behind a cap of a job that gets whole nodes. */
#define REQUEST_CAP_EXCLUSIVE ",exclusive"
#define REQUEST_VALUE_MAX 128
#define REQUEST_RUN_MAX 64
#define REQUEST_SCRIPT_SCAN_MAX (64 << 10)

enum request_option {
    REQUEST_CARBON_DELAY = 0,
    REQUEST_CARBON_FINISH_BY,
    REQUEST_CARBON_POLICY,
    REQUEST_CARBON_BUDGET,
    REQUEST_ENERGY_BUDGET,
    REQUEST_BUDGET_ACTION,
    REQUEST_CARBON_RUN,
    REQUEST_POWER_CAP,
    REQUEST_CARBON_REQUEUE,
    REQUEST_N_OPTIONS
};

enum request_layer {
    LAYER_NONE = 0, /* not given: the site's default */
    LAYER_ENVIRONMENT,
    LAYER_SCRIPT,
    LAYER_FLAG
};
const char *request_layer_name(enum request_layer l); /* "site", "environment", "script", "flag" */

struct request_option_desc {
    enum request_option option;
    const char *name;     /* "carbon-delay": flag without dashes, word in #CARNOT lines */
    const char *env;      /* "CARNOT_CARBON_DELAY" */
    const char *arginfo;  /* "DURATION"; --name=ARGINFO has 24 characters at most, and */
                          /* ("" = a flag, which takes no value: request_is_flag) */
    const char *help;     /* this 50, for then each option is one line of sbatch --help */
    const char *accepted; /* "90 (minutes), 12:00:00, 1-00, 12h, 30m, 2d ..., off or site" */
};
extern const struct request_option_desc request_options[REQUEST_N_OPTIONS];

enum request_delay { DELAY_UNSET = 0, DELAY_FOR, DELAY_OFF, DELAY_SITE };

/* Order: weakest to strongest wish to wait; also the encoding in the board. */
enum placement_policy { POLICY_UNSET = 0, POLICY_ASAP, POLICY_BALANCED, POLICY_GREENEST };
const char *placement_policy_name(enum placement_policy p); /* "asap", ...; "" for UNSET */
int placement_policy_parse(const char *text);               /* enum placement_policy or -1 */

enum budget_action { ACTION_DEFAULT = 0, ACTION_WARN, ACTION_TERM };

struct request {
    enum request_layer layer[REQUEST_N_OPTIONS]; /* which layer set it */
    enum request_delay delay;
    int64_t delay_s;     /* DELAY_FOR */
    int64_t finish_by_s; /* seconds since the epoch, 0 = none */
    enum placement_policy policy;
    uint64_t carbon_budget_ug; /* 0 = none */
    uint64_t energy_budget_uj; /* 0 = none */
    enum budget_action action;
    char run[REQUEST_RUN_MAX]; /* letters, digits, . _ + - @ / : only */
    struct power_cap power_cap;
    int requeue; /* 1: it goes on from a checkpoint, and may be paused by requeueing it */
};

/* Nothing asked. All zero is the same. */
void request_init(struct request *r);

/* Any option given? */
int request_any(const struct request *r);

/* Option by its name ("carbon-delay"; '_' counts as '-'); NULL when there is none. */
const struct request_option_desc *request_option_find(const char *name, size_t len);

/* Does the option stand for itself? Its value is 1 then, also where none is given ("", NULL); 0
 * takes back what a weaker layer set. 1 or 0. */
int request_is_flag(const struct request_option_desc *d);

/* Set one option from text. A weaker layer than the one that set it already is parsed (errors
 * count) and then ignored; the same layer again: the later wins. now_s is for finish-by. 0, or -1,
 * e and *r unchanged: "--carbon-delay=12x: not a duration; accepted: 90 (minutes), 12:00:00, ...",
 * the name as the layer spells it (--carbon-delay, CARNOT_CARBON_DELAY, carbon-delay). A delay of 0
 * is DELAY_OFF; a budget of 0 is refused. */
int request_set(struct request *r, enum request_option option, const char *value,
                enum request_layer layer, int64_t now_s, struct err *e);

/* Read the #CARNOT lines of a batch script: from the top to the first line that is neither
 * blank nor a comment, at most REQUEST_SCRIPT_SCAN_MAX of size bytes. A line is `#CARNOT` and
 * blank-separated `name=value` words (a flag's is `name` alone; leading -- allowed, value in "..."
 * or '...' if it has blanks); ` #` begins a comment. An unknown word is an error "script line 3:
 * unknown option 'carbon-delya'; did you mean carbon-delay?". 0 or -1. */
int request_from_script(struct request *r, const char *script, size_t size, int64_t now_s,
                        struct err *e);

/* Read CARNOT_<OPTION>=value entries of an environment (n entries, each NULL or NUL-terminated;
 * n = SIZE_MAX: until a NULL). Other CARNOT_ variables (CARNOT_CONF, CARNOT_QUIET, ...) are no
 * options, an empty value is none either. 0 or -1.
 *
 * job_submit reads two of them: job_desc->environment (sbatch and REST only), and
 * job_desc->spank_job_env, into which the SPANK plugin copies the variables for sbatch, salloc and
 * srun (spank_job_control_setenv). There they are spelled "CARNOT_CARBON_DELAY=4h", without a
 * prefix (seen on 22.05 for all three); prologs see "SPANK_CARNOT_CARBON_DELAY", which is accepted
 * too. */
int request_from_environment(struct request *r, char *const *env, size_t n, int64_t now_s,
                             struct err *e);

/* Read the flags that the SPANK plugin left in the job's spank environment: entries
 * "_SLURM_SPANK_OPTION_carnot_<option with _ for ->=value". Unknown options under our prefix are an
 * error. 0 or -1. */
int request_from_spank(struct request *r, char *const *env, size_t n, int64_t now_s, struct err *e);

/* Does a person read what the submitting command prints? The SPANK plugin says so in
 * job_desc->spank_job_env: "CARNOT_TTY=1" when stderr is a terminal or CARNOT_QUIET=0, else
 * "CARNOT_TTY=0". 1, or 0, also when nothing is said; the last entry counts. */
int request_from_terminal(char *const *env, size_t n);

/* Combinations that contradict: greenest with delay off, finish-by in the past by more than a day
 * is fine (runs now). 0, or -1 and one sentence. */
int request_check(const struct request *r, struct err *e);

#endif
