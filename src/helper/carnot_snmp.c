/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot-snmp: started by carnotd, it asks PDUs for the node's power or energy (answer.h), the sum
 * of one object or several. By hand: echo | carnot-snmp --credentials FILE AGENT/OID
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "helper/agent.h"
#include "helper/answer.h"

#define AGENTS_MAX 16

struct asked {
    const char *credentials; /* NULL = none */
    double scale;
    int n;
    struct agent *agents[AGENTS_MAX];
};

static const struct option table[] = {
    {"credentials", required_argument, NULL, 'c'},
    {"scale", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* All of them or none: a part of a node would look like a node. */
static int _sum(const struct asked *a, const struct credentials *c, int64_t until_ms, double *sum,
                struct err *e)
{
    for (int i = 0; i < a->n; i++) {
        double value;

        if (clock_mono_ms(&clock_system) >= until_ms) {
            errno = ETIMEDOUT;
            return err_set(e, "it takes too long");
        }
        if (agent_get(a->agents[i], c, &value, e) < 0)
            return -1;
        *sum += value * a->scale;
    }
    return 0;
}

static int _get(void *arg, int64_t until_ms, double *value, struct err *e)
{
    const struct asked *a = arg;
    struct credentials c = {.user = ""};
    int rc, saved;

    if (a->credentials && credentials_read(a->credentials, &c, e) < 0)
        return -1;
    *value = 0;
    rc = _sum(a, &c, until_ms, value, e);
    saved = errno;
    explicit_bzero(&c, sizeof(c));
    errno = saved;
    return rc;
}

static int _usage(FILE *f)
{
    (void)fputs("Usage: carnot-snmp [--credentials FILE] [--scale NUMBER] AGENT/OID...\n"
                "For each line of standard input prints the sum of the objects, or an errno.\n",
                f);
    return f == stdout ? 0 : 2;
}

static int _run(struct asked *a, char *const objects[], int n)
{
    struct err e = {""};
    int rc = 0;

    agent_init();
    for (; a->n < n && rc == 0; a->n += rc == 0) {
        a->agents[a->n] = agent_create(objects[a->n], &e);
        rc = a->agents[a->n] ? 0 : 2;
    }
    if (rc == 0)
        rc = answer_run("carnot-snmp", _get, a);
    else
        (void)fprintf(stderr, "carnot-snmp: %s\n", e.text);
    while (a->n > 0)
        agent_destroy(a->agents[--a->n]);
    return rc;
}

int main(int argc, char **argv)
{
    struct asked a = {.scale = 1};
    char *end = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'c':
            a.credentials = optarg;
            break;
        case 's':
            a.scale = strtod(optarg, &end);
            if (*end || !isfinite(a.scale) || a.scale <= 0)
                return _usage(stderr);
            break;
        case 'h':
            return _usage(stdout);
        default:
            return _usage(stderr);
        }
    }
    if (optind == argc || argc - optind > AGENTS_MAX)
        return _usage(stderr);
    return _run(&a, argv + optind, argc - optind);
}
