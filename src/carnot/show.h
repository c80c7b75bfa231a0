/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures as prose: each writes into the caller's buffer and returns it, and
 * "-" where there is no data. SHOW_SIZE suffices for all of them.
 */
#ifndef CARNOT_SHOW_H
#define CARNOT_SHOW_H

#include <stddef.h>
#include <stdint.h>

#define SHOW_SIZE 48

char *show_energy(char *buf, size_t size, double joules); /* "4.61 kWh" */
char *show_mass(char *buf, size_t size, double grams);    /* "1.45 kg" */
char *show_span(char *buf, size_t size, int64_t s);       /* "4h03"; ANSWER_NONE: "-" */
/* Local clock, with seconds when it is near and they matter; ANSWER_NONE: "-". */
char *show_clock(char *buf, size_t size, int64_t t_s, int64_t now_s);
/* As Slurm writes elapsed times: "1:54:00", "2-03:00:00". */
char *show_elapsed(char *buf, size_t size, int64_t s);

#endif
