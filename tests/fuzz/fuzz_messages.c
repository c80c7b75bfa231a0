/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the sockets between Carnot's parts of a node, from anybody: what a parser takes has
 * to survive being written and read again, and a refusal says why.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cap_message.h"
#include "common/energy_query.h"
#include "common/node_event.h"
#include "fuzz.h"

/* Parse, format, parse, format: both texts are one. */
#define CHECK(type, name)                                                                          \
    do {                                                                                           \
        char once[NODE_EVENT_MAX + 1], twice[NODE_EVENT_MAX + 1];                                  \
        struct err e = {""};                                                                       \
        struct type v;                                                                             \
        int n;                                                                                     \
                                                                                                   \
        memset(&v, 0, sizeof(v));                                                                  \
        if (name##_parse(&v, text, size, &e) < 0) {                                                \
            if (!e.text[0])                                                                        \
                abort();                                                                           \
            break;                                                                                 \
        }                                                                                          \
        n = name##_format(once, sizeof(once), &v);                                                 \
        memset(&v, 0, sizeof(v));                                                                  \
        if (n < 0 || name##_parse(&v, once, (size_t)n, &e) < 0 ||                                  \
            name##_format(twice, sizeof(twice), &v) != n || strcmp(once, twice) != 0)              \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    CHECK(cap_request, cap_request);
    CHECK(cap_answer, cap_answer);
    CHECK(node_event, node_event);
    CHECK(energy_query, energy_query);
    CHECK(energy_answer, energy_answer);
    return 0;
}
