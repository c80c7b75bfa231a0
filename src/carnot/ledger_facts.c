/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-ledger-facts FILE SECONDS: is the ledger whole, and of which schema? For carnot check; a
 * program of its own, so that SQLite is not loaded by every command. Prints a JSON object.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger.h"

int main(int argc, char **argv)
{
    struct ledger_health h;
    struct err e = {""};
    json_t *json;
    int seconds = argc == 3 ? atoi(argv[2]) : 0;

    if (seconds < 1 || seconds > 3600) {
        fputs("usage: carnot-ledger-facts FILE SECONDS\n", stderr);
        return 2;
    }
    if (ledger_check(argv[1], seconds * 1000, &h, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    json = json_pack("{s:i, s:i, s:b, s:s}", "schema", h.schema, "known", h.known, "finished",
                     h.finished, "damage", h.damage);
    if (!json || json_dumpf(json, stdout, 0) < 0 || fflush(stdout) != 0)
        return 1;
    json_decref(json);
    return 0;
}
