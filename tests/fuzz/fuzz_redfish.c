/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a management controller answers, from anybody who answers in its place: the input is its
 * answers, one a line, in the order in which they are asked for. bmc_get() is played here, as
 * bmc.c does it once an answer has come.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "helper/redfish.h"

static const char *answers;
static size_t left;

int bmc_get(struct bmc *b, const char *path, int64_t until_ms, json_t **json, struct err *e)
{
    const char *end = left > 0 ? memchr(answers, '\n', left) : NULL;
    size_t n = end ? (size_t)(end - answers) : left;

    (void)b;
    (void)until_ms;
    if (!bmc_is_path(path))
        abort(); /* it would be a part of a URL */
    if (left == 0) {
        errno = ENOENT;
        return err_set(e, "no such resource");
    }
    *json = json_loadb(answers, n, JSON_REJECT_DUPLICATES, NULL);
    answers += n;
    left -= n;
    if (left > 0) {
        answers++;
        left--;
    }
    if (json_is_object(*json))
        return 0;
    json_decref(*json);
    *json = NULL;
    errno = EBADMSG;
    return err_set(e, "no JSON object");
}

static void _ask(const char *unit, const char *path, const uint8_t *data, size_t size)
{
    struct redfish r = {.unit = unit};
    struct err e = {""};
    double value = -1;

    answers = (const char *)data;
    left = size;
    if (path && redfish_set_path(&r, path, &e) < 0)
        return;
    if (redfish_get(&r, NULL, 0, &value, &e) < 0) {
        if (!e.text[0])
            abort();
        return;
    }
    if (!(value >= 0 && value <= 1e12) || !bmc_is_path(r.path))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const units[] = {"W", "J", "kWh"};
    char path[BMC_PATH_MAX + 64];
    size_t n = size < sizeof(path) ? size : sizeof(path) - 1;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        _ask(units[i], NULL, data, size);
    _ask("W", "/redfish/v1/Chassis/1/Power#/PowerControl/1", data, size);
    memcpy(path, data, n);
    path[n] = '\0';
    _ask("W", path, data, size);
    return 0;
}
