/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file of carnotd, whatever has become of it. The input stands before the checksum, which
 * is made right here, for no fuzzer finds one.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotd/state_file.h"
#include "fuzz.h"

#define TAIL_SIZE 64

static void _try(const char *text, size_t size)
{
    struct err e = {""};
    json_t *state = state_file_parse(text, size, "n1", &e);

    if (!state && !e.text[0])
        abort();
    if (state && (json_integer_value(json_object_get(state, "seq")) < 0 ||
                  !json_is_array(json_object_get(state, "sources"))))
        abort();
    json_decref(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a, as docs/formats.md says */
    char *text = malloc(size + TAIL_SIZE);

    if (!text)
        return 0;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * UINT64_C(1099511628211);
    memcpy(text, data, size);
    _try(text, size);
    _try(text,
         size + (size_t)snprintf(text + size, TAIL_SIZE, ",\"check\":\"%016" PRIx64 "\"}\n", sum));
    free(text);
    return 0;
}
