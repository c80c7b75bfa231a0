/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The GPUs of a node, as its kernel's drivers have them: by PCI address, with what the energy
 * counter of each one covers. No vendor's library is needed for that, so that all sources of a GPU,
 * whatever they read it with, agree on which one it is.
 */
#ifndef CARNOT_POWER_GPU_LIST_H
#define CARNOT_POWER_GPU_LIST_H

#include "power/coverage.h"

#define GPUS_MAX 64
#define GPU_PCI_SIZE 24

enum gpu_kind {
    GPU_CARD = 0,   /* has a counter of its own */
    GPU_SECOND_DIE, /* has none: that of the die before it is the whole card's */
    GPU_INTEGRATED, /* a part of a CPU package, whose counters have it already */
    GPU_SOCKET      /* a socket of CPU and GPU, whose counter has both */
};

struct gpu_place {
    char pci[GPU_PCI_SIZE]; /* "0000:c1:00.0" */
    enum gpu_kind kind;
    int number; /* what it is called by; -1 when integrated */
    struct coverage coverage;
};

/* Those of these kernel drivers (a list that ends with NULL), in the order of their addresses, at
 * most GPUS_MAX. Numbers, and the bits of their coverage, are places in that order, which is
 * Slurm's as well (its GRES are sorted by PCI address). A card whose parts are GPUs to Slurm, dies
 * or partitions, covers the bits of all of them. How many there are. */
int gpu_list(const char *sysroot, const char *const drivers[], struct gpu_place list[GPUS_MAX]);

extern const char *const gpu_list_amd[], *const gpu_list_intel[]; /* drivers */

/* The one at this address, NULL when there is none. */
const struct gpu_place *gpu_list_find(const struct gpu_place list[], int n, const char *pci);

/* What card number k covers, dies and partitions being parts of cards: 0, or -1 when there is no
 * such card. */
int gpu_list_card(const struct gpu_place list[], int n, int k, struct coverage *coverage);

#endif
