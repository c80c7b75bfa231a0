/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time as people and files write them. Wall-clock seconds since the
 * epoch (int64_t, UTC) inside; the local zone only for what people type and
 * read. Pure but for the process's time zone (localtime_r).
 */
#ifndef CARNOT_COMMON_WHEN_H
#define CARNOT_COMMON_WHEN_H

#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

/* RFC 3339 with zone ("2026-11-24T09:12:03Z", "...+01:00", fraction allowed,
 * seconds may be missing: "2020-05-24T20:30Z"). Milliseconds since the epoch. */
int when_parse_rfc3339(const char *text, int64_t *out_ms, struct err *e);

/* Slurm's --begin syntax, relative to now_s in the local zone: HH:MM[:SS]
 * [AM|PM] (the next one), now, today, tomorrow, midnight, noon, teatime,
 * now+COUNT[seconds|minutes|hours|days|weeks], YYYY-MM-DD[THH:MM[:SS]],
 * MMDD[YY], MM/DD[/YY]; RFC 3339 with a zone is taken too. Seconds since the epoch. */
int when_parse_slurm(const char *text, int64_t now_s, int64_t *out_s, struct err *e);

/* "2026-11-24T09:12:03Z"; with ms: "2026-11-24T09:12:03.114Z". Returns buf; 32 bytes suffice. */
char *when_format_rfc3339(char *buf, size_t size, int64_t t_s);
char *when_format_rfc3339_ms(char *buf, size_t size, int64_t t_ms);

/* For people, in the local zone: "13:15" today, "tomorrow 13:15", else
 * "Tue 24 Nov 13:15"; seconds are shown only if with_seconds. 40 bytes suffice. */
char *when_format_clock(char *buf, size_t size, int64_t t_s, int64_t now_s, int with_seconds);

/* "1 Dec", local zone: for dates on which budgets renew. */
char *when_format_day(char *buf, size_t size, int64_t t_s);

#endif
