/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user asks of Carnot, as options, #CARNOT lines and environment: a bad value changes
 * nothing and is one printable sentence; what is taken is in range.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "placement/request.h"

#define NOW_S 1795338000
#define ENTRIES_MAX 64

static void _check(const struct request *r)
{
    if (r->delay_s < 0 || r->policy > POLICY_GREENEST || r->action > ACTION_TERM ||
        r->power_cap.mw > POWER_CAP_MAX_MW || (r->requeue != 0 && r->requeue != 1) ||
        strnlen(r->run, sizeof(r->run)) == sizeof(r->run))
        abort();
    (void)request_check(r, NULL);
    (void)request_any(r);
}

static void _check_error(const struct err *e)
{
    if (!e->text[0])
        abort();
    for (const char *p = e->text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            abort();
}

static void _options(const char *text)
{
    for (int i = 0; i < REQUEST_N_OPTIONS; i++) {
        struct request r, before;
        struct err e = {""};

        request_init(&r);
        before = r;
        if (request_set(&r, (enum request_option)i, text, LAYER_FLAG, NOW_S, &e) == 0) {
            _check(&r);
            continue;
        }
        _check_error(&e);
        if (memcmp(&r, &before, sizeof(r)) != 0)
            abort();
    }
}

static void _script(const char *text, size_t size)
{
    struct request r;
    struct err e = {""};

    request_init(&r);
    if (request_from_script(&r, text, size, NOW_S, &e) == 0)
        _check(&r);
    else
        _check_error(&e);
}

/* A line of text is an entry. */
static void _environment(char *text)
{
    char *entries[ENTRIES_MAX + 1] = {NULL};
    struct request r;
    struct err e = {""};
    size_t n = 0;

    for (char *entry; n < ENTRIES_MAX && (entry = strsep(&text, "\n"));)
        entries[n++] = entry;
    request_init(&r);
    if (request_from_environment(&r, entries, n, NOW_S, &e) < 0)
        _check_error(&e);
    else if (request_from_spank(&r, entries, SIZE_MAX, NOW_S, &e) < 0)
        _check_error(&e);
    else
        _check(&r);
    (void)request_from_terminal(entries, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    _script((const char *)data, size);
    _options(text);
    _environment(text);
    free(text);
    return 0;
}
