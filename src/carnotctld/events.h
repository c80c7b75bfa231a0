/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.jsonl: one line a decision or change, keys in a fixed order (docs/formats.md). One
 * write() a line, opened with O_APPEND; opened again on SIGHUP, for logrotate.
 */
#ifndef CARNOT_CARNOTCTLD_EVENTS_H
#define CARNOT_CARNOTCTLD_EVENTS_H

#include <jansson.h>
#include "carnotctld/ctl.h"

int events_open(const char *log_dir, struct err *e);
void events_close(void);

/* An event about a job. by: who caused it ("carnot", a user). */
void events_job(const struct ctl *c, const char *ev, const char *code, const struct ledger_job *job,
                const char *by);

/* job.pause: the same line, and saved_ug, what the pause is expected to save, as saves_g. */
void events_pause(const struct ctl *c, const struct ledger_job *job, double saved_ug);

/* Any other event; takes over `more`, an object with its own keys (may be NULL). */
void events_other(const struct ctl *c, const char *ev, const char *code, json_t *more,
                  const char *by);

#endif
