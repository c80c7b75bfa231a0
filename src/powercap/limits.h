/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power limits of a machine that can be written: of each CPU package the long-term constraint
 * of its powercap zone, of each NVIDIA GPU its power management limit. What only a part of a
 * package has (DRAM, cores), an mmio twin and psys are left alone: the package's own limit holds
 * whatever they say. Blocks on drivers; one thread.
 */
#ifndef CARNOT_POWERCAP_LIMITS_H
#define CARNOT_POWERCAP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "power/gpu_list.h"

#define LIMITS_MAX 128
#define LIMIT_ID_SIZE 32

enum limit_kind { LIMIT_RAPL = 0, LIMIT_NVML };

struct limit {
    enum limit_kind kind;
    char id[LIMIT_ID_SIZE];   /* "intel-rapl:0", "0000:c1:00.0": the same until the next boot */
    char name[LIMIT_ID_SIZE]; /* "package-0", "gpu-3" */
    uint64_t gpus;            /* of a GPU: the bits of what Slurm has of it, instances too */
    int constraint;           /* of a zone: which one is long_term */
    void *device;             /* of a GPU: the library's */
    bool off;                 /* of a zone: its limits are switched off */
    uint64_t now_uw;          /* as read when it was listed */
    uint64_t min_uw, max_uw;  /* what the hardware reports; 0: it reports none */
};

struct nvml_limits; /* the library, once it was opened */

struct limits {
    const char *sysroot;
    struct limit v[LIMITS_MAX];
    int n;
    struct nvml_limits *nvml;
};

/* List what can be written here. A zone or GPU of which not even the limit can be read is left
 * out, and so are GPUs without their driver's library. */
void limits_open(struct limits *l, const char *sysroot);
void limits_close(struct limits *l);

const char *limit_kind_name(enum limit_kind kind); /* "rapl", "nvml" */

/* The limit with this id, NULL when there is none. */
struct limit *limits_find(struct limits *l, enum limit_kind kind, const char *id);

/* What it is measured by: its maximum, or where none is reported what it is now. */
uint64_t limit_weight_uw(const struct limit *limit);

/* The least that it may be set to: what the hardware calls its minimum, or a quarter of the weight
 * if that is more; below, a CPU hardly runs its own daemons. The most is what it is now. */
uint64_t limit_floor_uw(const struct limit *limit);

/* Why it is left alone, as part of a sentence; NULL: it may be lowered. */
const char *limit_fault(const struct limit *limit);

/* Are they one limit, written and read back? Hardware counts in parts of a watt (RAPL mostly 1/8).
 */
bool limit_same(uint64_t a_uw, uint64_t b_uw);

/* Read it again, or write it. 0, or -1 and errno. */
int limit_read(const struct limits *l, const struct limit *limit, uint64_t *uw);
int limit_write(const struct limits *l, const struct limit *limit, uint64_t uw);

/* The two kinds, for limits.c alone: append what there is; read and write one. */
void limits_rapl_list(struct limits *l);
int limits_rapl_read(const struct limits *l, const struct limit *limit, uint64_t *uw);
int limits_rapl_write(const struct limits *l, const struct limit *limit, uint64_t uw);
void limits_nvml_list(struct limits *l);
void limits_nvml_close(struct limits *l);
int limits_nvml_read(const struct limits *l, const struct limit *limit, uint64_t *uw);
int limits_nvml_write(const struct limits *l, const struct limit *limit, uint64_t uw);

#endif
