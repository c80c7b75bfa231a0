/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the acct_gather_energy plugin in slurmd and slurmstepd asks carnotd, and what carnotd
 * answers. A question and its answer are one message each, of printable ASCII:
 *
 *   carnot1 query=step job=123 step=0 node=n1        (or: carnot1 query=node node=n1)
 *   carnot1 answer=step run=1764000000123 uj=81234567 mono_ms=93211002     (answer=node alike)
 *   carnot1 answer=none                              (carnotd knows nothing of it)
 *
 * Over the socket of job edges (common/node_event.h): connect, ask, read, close. A carnotd that is
 * older than the question closes without a word. Pure text here, no socket; no allocation; any
 * thread.
 */
#ifndef CARNOT_COMMON_ENERGY_QUERY_H
#define CARNOT_COMMON_ENERGY_QUERY_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"
#include "common/node_event.h"

#define ENERGY_MESSAGE_MAX 256            /* bytes, at most */
#define ENERGY_UJ_MAX (UINT64_C(1) << 62) /* more than a node uses in its life */

enum energy_of { ENERGY_OF_NONE = 0, ENERGY_OF_NODE, ENERGY_OF_STEP };

struct energy_query {
    enum energy_of of;              /* NODE or STEP */
    uint32_t job_id;                /* STEP */
    char step[NODE_EVENT_STEP_MAX]; /* STEP: "batch", "extern", "interactive", or its number */
    char node[NODE_EVENT_NODE_MAX]; /* Slurm's name of the node; "" not known */
};

struct energy_answer {
    enum energy_of of; /* NONE: there is nothing to say */
    uint64_t run;      /* names the run of the daemon that uj counts in; never 0 */
    uint64_t uj;       /* so far; never less than said before in this run */
    int64_t mono_ms;   /* when that was, by the machine's monotonic clock */
};

/* Does the message of size bytes begin like a question? 1 or 0. */
int energy_query_is(const char *text, size_t size);

/* Each writes one message and a NUL into buf: its length, or -1 and errno (EINVAL: contents that
 * the other side would refuse; ENOSPC). ENERGY_MESSAGE_MAX + 1 bytes suffice. */
int energy_query_format(char *buf, size_t size, const struct energy_query *q);
int energy_answer_format(char *buf, size_t size, const struct energy_answer *a);

/* Each reads a message of size bytes (not terminated). Keys that it does not know are skipped;
 * anything else that is not as above, repeated or missing keys included, is an error. 0, or -1, e
 * and the struct unchanged. */
int energy_query_parse(struct energy_query *q, const char *text, size_t size, struct err *e);
int energy_answer_parse(struct energy_answer *a, const char *text, size_t size, struct err *e);

#endif
