/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking carnotctld: requests, answers, and each way to fail as one line that
 * says what, where, and what to do.
 */
#ifndef CARNOT_CLIENT_H
#define CARNOT_CLIENT_H

#include "carnot/cli.h"

/* The real transport: settings, munge, TCP. */
int client_transport(struct cli *c, const json_t *request, json_t **answer, struct err *e);

/* {"v":1,"op":op}: a new reference. */
json_t *client_request(const char *op);

/* Ask; takes request over. 0 and a new reference to an answer that is ok, or -1 after a message
 * was printed. Unless --json was given, texts in it are fit for a terminal. */
int client_ask(struct cli *c, json_t *request, json_t **answer);

/* Take out "v" and "ok", which are of the exchange and not of what --json prints. */
void client_strip(json_t *answer);

/* Is row a of `jobs` a later run than b? A requeued job has a row a run, and ids are used again. */
int client_newer(const json_t *a, const json_t *b);

/* Op "jobs" or "nodes", whose answer has its rows under this key, page by page to the end; takes
 * request over. 0 and a new reference to an array in the server's order (jobs: the newest first),
 * or -1 after a message. */
int client_list(struct cli *c, json_t *request, const char *key, json_t **rows);

/* All rows of a job (op "jobs" with its id), the newest first; a task alone when one was named.
 * 0 and a new reference to a non-empty array, or -1 after a message. */
int client_job_rows(struct cli *c, const struct cli_job *job, json_t **rows);

/* The id to use for a request about one job: that of the array's task where one was named.
 * Returns it, or -1 after a message. */
int64_t client_job_id(struct cli *c, const struct cli_job *job);

#endif
