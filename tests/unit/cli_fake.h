/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line with a server made of recorded answers: run a command, look at
 * what it asked, printed and returned. Time stands at 2026-11-24 10:00:00 UTC, the
 * local zone is Berlin's (11:00), the user is "mrossi", the terminal has 80 columns and UTF-8.
 */
#ifndef CARNOT_TESTS_CLI_FAKE_H
#define CARNOT_TESTS_CLI_FAKE_H

#include <stdint.h>
#include "carnot/cli.h"

#define FAKE_NOW_S 1795514400LL

struct fake_answer {
    const char *op;
    const char *json; /* whole answer; NULL: the transport fails */
};

struct fake {
    struct cli cli;                    /* a case may change what it likes before fake_run() */
    const struct fake_answer *answers; /* op NULL ends; for one op they are given in order, the
                                          last again and again */
    char *out, *err;                   /* what was printed by the last run */
    char requests[8192];               /* all requests so far, a line each, keys sorted */
    int asked[16];                     /* how often answers[i] was given */
};

/* Zone, width and the rest as above; fake_fini when done. */
void fake_init(struct fake *f, const struct fake_answer *answers);
void fake_fini(struct fake *f);

/* Run "carnot WORDS", split at blanks; words with blanks in them need fake_run_argv. */
int fake_run(struct fake *f, const char *words);
int fake_run_argv(struct fake *f, int argc, char **argv);

/* Is text JSON? Prints why not. */
int fake_is_json(const char *text);

#endif
