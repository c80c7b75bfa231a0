/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fuzz target defines. `make fuzz` links it with libFuzzer (clang), `make check` with
 * replay.c, which runs the corpus through it once.
 */
#ifndef CARNOT_TESTS_FUZZ_H
#define CARNOT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
