/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotd: reads a node's power, shares it out over jobs, keeps the telemetry
 * log, reports to carnotctld. The command line only; the daemon is daemon.c.
 */
#include "config.h"

#include <stdio.h>

#include "carnotd/daemon.h"
#include "carnotd/once.h"
#include "carnotd/options.h"
#include "common/log.h"
#include "common/settings.h"
#include "power/meter.h"
#include "power/source_level_zero.h"

static int _check_config(const struct options *o)
{
    const char *path = settings_path(o->config);
    struct settings settings;
    struct err e;

    if (settings_load(&settings, path, &e) < 0 || meter_check_settings(&settings, &e) < 0) {
        (void)fprintf(stderr, "carnotd: %s\n", e.text);
        return 1;
    }
    (void)printf("%s: ok\n", path);
    return 0;
}

int main(int argc, char **argv)
{
    struct options o;
    int rc = options_parse(&o, argc, argv);

    if (rc >= 0)
        return rc;
    log_init("carnotd", o.verbose ? LOG_DEBUG : LOG_INFO);
    if (o.check_config)
        return _check_config(&o);
    source_level_zero_environment();
    if (o.once)
        return once_run(&o);
    return daemon_run(&o);
}
