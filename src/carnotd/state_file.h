/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon's next run goes on from beside the telemetry log: of each source that is counted
 * on its own, who it is, its last value and when that was read, and all that it has given so far.
 *
 * The log is the truth about what has been counted; this file says with which record (seq) its
 * values were read. It is written behind that record, so it is never ahead of the log, unless the
 * log was lost; sampler_bases.c is where the two are brought together.
 */
#ifndef CARNOT_CARNOTD_STATE_FILE_H
#define CARNOT_CARNOTD_STATE_FILE_H

#include <jansson.h>

#include "carnotd/sampler.h"

#define STATE_FILE_NAME "counters.json"

/* Write s->state_path as of the last record. To be called only when nothing was read since that. As
 * a whole, by a second file that takes its place; synced: on the disk as well, else an end of the
 * machine may cost it, after which it is of an earlier boot and worth nothing but its number, and
 * waiting for the disk would hold up the tick. Says once that it cannot be written. No allocation.
 */
void state_file_save(struct sampler *s, bool synced);

/* The file, with every key there and sane: a new reference. NULL and e; e is "" when there is no
 * file. Others must not be able to write it. Knows nothing of logs and boots. */
json_t *state_file_load(const char *path, const char *node, struct err *e);

/* The same for a text of so many bytes. */
json_t *state_file_parse(const char *text, size_t size, const char *node, struct err *e);

#endif
