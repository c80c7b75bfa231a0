/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints what follows from the table of settings: `settings_doc example` the example
 * carnot.yaml, `settings_doc man` carnot.yaml(5). Run while building; not installed.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/settings.h"

static const char before[] =
    ".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
    ".TH CARNOT.YAML 5 \"\" \"carnot\" \"Carnot\"\n"
    ".SH NAME\ncarnot.yaml \\- configuration of carnotctld, carnotd and carnot\n"
    ".SH DESCRIPTION\n"
    "One YAML file for all programs. An unknown or repeated key, a missing unit, a value out of "
    "range is\n"
    "an error with file, line and column; the daemons then keep the configuration they have.\n"
    ".B carnotctld \\-\\-check\\-config\nreads it and says what is wrong.\n"
    ".PP\nDurations: 500ms, 5s, 15m, 4h, 2d. Energy: J, kJ, MJ, Wh, kWh, MWh. Mass of CO2e: mg, g, "
    "kg, t. Power: W, kW.\n";
static const char after[] = ".SH FILES\n.I " SYSCONFDIR "/carnot/carnot.yaml\n"
                            ".SH SEE ALSO\n.BR carnotctld (8),\n.BR carnotd (8),\n.BR carnot (1)\n";

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "example") == 0) {
        settings_print_example(stdout);
    } else if (argc == 2 && strcmp(argv[1], "man") == 0) {
        fputs(before, stdout);
        settings_print_man(stdout);
        fputs(after, stdout);
    } else {
        fputs("usage: settings_doc example|man\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
