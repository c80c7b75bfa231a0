/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of power limits, as a bad disk or a hand leaves it: what is believed of it names
 * limits and powers.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "powercap/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct journal j;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (journal_parse(&j, text, size) == 0) {
        if (j.n < 0 || j.n > LIMITS_MAX || strnlen(j.boot, sizeof(j.boot)) == sizeof(j.boot))
            abort();
        for (int i = 0; i < j.n; i++) {
            size_t n = strnlen(j.v[i].id, sizeof(j.v[i].id));

            if (n == 0 || n == sizeof(j.v[i].id) || j.v[i].old_uw == 0 ||
                (j.v[i].kind != LIMIT_RAPL && j.v[i].kind != LIMIT_NVML))
                abort();
        }
    }
    free(text);
    return 0;
}
