/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at the node: shape, cgroups, and each source with what it is, what
 * it covers, whether it may be read, and whether it would count in the node's sum. Needs no
 * configuration and no controller, changes nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "carnotd/cgroup.h"
#include "carnotd/once.h"
#include "carnotd/once_caps.h"
#include "common/clock.h"
#include "common/when.h"
#include "power/meter.h"
#include "topology/topology.h"

#define ANSWER_MS 15000

struct once {
    const struct options *options;
    FILE *out; /* standard output, which vendors' libraries do not write to */
    struct topology topology;
    struct err topology_error; /* "" when the shape is known */
    struct meter meter;
    bool counts[METER_SOURCES_MAX]; /* in the node's sum, if all give what they read */
    struct cgroup cgroup;
    struct once_caps caps;
    int64_t t_ms;
};

/* Who would count: the same rule as for an interval, in which each readable source delivers. */
static void _choose(struct once *o)
{
    bool usable[METER_SOURCES_MAX];

    for (int i = 0; i < o->meter.n; i++)
        usable[i] = !o->meter.sources[i].ops->read || o->meter.sources[i].error == 0;
    meter_choose(&o->meter, usable, o->counts);
}

/* Why a source does not count, NULL when it does. */
static const char *_why_not(const struct once *o, int i)
{
    const struct source *s = &o->meter.sources[i];

    if (o->counts[i])
        return NULL;
    if (s->inside && s->package < 0 && s->coverage.components == COMPONENT_GPU)
        return "its card is measured as one";
    if (s->error == ECANCELED)
        return "there is a better meter of the node; node.sources may name it";
    if (s->error)
        return s->error == EACCES || s->error == EPERM ? "no right to read it"
                                                       : "it cannot be read";
    if (s->inside)
        return s->package >= 0 ? "it is a part of its package" : "it is of no known kind";
    return "others cover the same";
}

static const char *_cgroup_version(const struct cgroup *c)
{
    return c->kind == CPU_BUSY_CPU_STAT ? "v2" : c->kind == CPU_BUSY_CPUACCT ? "v1" : NULL;
}

static json_t *_source_json(const struct once *o, int i)
{
    const struct source *s = &o->meter.sources[i];
    bool is_model = !s->ops->read, read = !is_model && s->error == 0;
    int package = topology_package_index(&o->topology, s->package);
    char coverage[COVERAGE_TEXT_SIZE], rights[8];
    json_t *json = json_object();

    (void)snprintf(rights, sizeof(rights), "%04o", (unsigned)s->rights & 07777);
    coverage_format(coverage, sizeof(coverage), s->coverage.components);
    (void)json_object_set_new(json, "name", json_string(s->name));
    (void)json_object_set_new(json, "path", is_model ? json_null() : json_string(s->path));
    (void)json_object_set_new(json, "unit", json_string("uJ"));
    (void)json_object_set_new(json, "value",
                              read ? json_integer((json_int_t)s->raw_uj) : json_null());
    (void)json_object_set_new(json, "range",
                              s->range_known ? json_integer((json_int_t)s->counter.range_uj)
                                             : json_null());
    (void)json_object_set_new(json, "ceiling_mw",
                              is_model ? json_null()
                                       : json_integer((json_int_t)s->counter.ceiling_mw));
    (void)json_object_set_new(json, "coverage", json_string(coverage));
    (void)json_object_set_new(json, "quality", json_string(quality_name(s->quality)));
    (void)json_object_set_new(json, "rights", s->rights < 0 ? json_null() : json_string(rights));
    (void)json_object_set_new(json, "readable", json_boolean(is_model || read));
    (void)json_object_set_new(json, "state", json_string(is_model || read ? "ok" : "missing"));
    (void)json_object_set_new(json, "error",
                              s->error ? json_string(source_error_text(s)) : json_null());
    (void)json_object_set_new(json, "counted", json_boolean(o->counts[i]));
    (void)json_object_set_new(json, "meter", json_boolean(s->meter));
    (void)json_object_set_new(json, "why_not",
                              _why_not(o, i) ? json_string(_why_not(o, i)) : json_null());
    (void)json_object_set_new(json, "package", package < 0 ? json_null() : json_integer(package));
    return json;
}

static json_t *_topology_json(const struct once *o)
{
    const struct topology *t = &o->topology;

    if (o->topology_error.text[0])
        return json_pack("{s:n, s:s}", "fingerprint", "error", o->topology_error.text);
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "fingerprint", t->fingerprint, "model",
                     t->model, "packages", (int)t->n_packages, "numa", (int)t->numa, "cores",
                     (int)t->cores, "cpus", (int)t->pus);
}

static int _print_json(const struct once *o)
{
    json_t *json = json_object(), *sources = json_array();
    char ts[40];
    int rc;

    (void)json_object_set_new(json, "v", json_integer(1));
    (void)json_object_set_new(json, "ts",
                              json_string(when_format_rfc3339_ms(ts, sizeof(ts), o->t_ms)));
    (void)json_object_set_new(json, "node", json_string(o->options->node));
    (void)json_object_set_new(json, "sysroot", json_string(o->options->sysroot));
    (void)json_object_set_new(json, "topology", _topology_json(o));
    (void)json_object_set_new(json, "cgroup",
                              json_pack("{s:s?, s:s?}", "version", _cgroup_version(&o->cgroup),
                                        "root", o->cgroup.root[0] ? o->cgroup.root : NULL));
    for (int i = 0; i < o->meter.n; i++)
        (void)json_array_append_new(sources, _source_json(o, i));
    (void)json_object_set_new(json, "sources", sources);
    (void)json_object_set_new(json, "caps", once_caps_json(&o->caps));
    rc = json_dumpf(json, o->out, JSON_INDENT(2));
    json_decref(json);
    (void)fputc('\n', o->out);
    return rc == 0 && fflush(o->out) == 0 ? 0 : 1;
}

static int _print_table(const struct once *o)
{
    const struct topology *t = &o->topology;
    const char *version = _cgroup_version(&o->cgroup);

    if (o->topology_error.text[0])
        (void)fprintf(o->out, "Node %s: shape unknown: %s\n", o->options->node,
                      o->topology_error.text);
    else
        (void)fprintf(o->out, "Node %s: %u packages, %u cores, %u CPUs; %s; shape %s\n",
                      o->options->node, t->n_packages, t->cores, t->pus,
                      t->model[0] ? t->model : "model unknown", t->fingerprint);
    (void)fprintf(o->out, "Cgroups: %s; jobs of Slurm in %s\n\n", version ? version : "none",
                  o->cgroup.root[0] ? o->cgroup.root : "no place yet");
    (void)fprintf(o->out, "%-28s %18s %16s %-14s %-9s %-6s %s\n", "SOURCE", "VALUE (uJ)",
                  "RANGE (uJ)", "COVERAGE", "QUALITY", "RIGHTS", "COUNTS");
    for (int i = 0; i < o->meter.n; i++) {
        const struct source *s = &o->meter.sources[i];
        char coverage[COVERAGE_TEXT_SIZE], value[32] = "-", range[32] = "-", rights[8] = "-";
        const char *why = _why_not(o, i);

        if (s->ops->read && s->error == 0)
            (void)snprintf(value, sizeof(value), "%" PRIu64, s->raw_uj);
        if (s->range_known)
            (void)snprintf(range, sizeof(range), "%" PRIu64, s->counter.range_uj);
        if (s->rights >= 0)
            (void)snprintf(rights, sizeof(rights), "%04o", (unsigned)s->rights & 07777);
        (void)fprintf(o->out, "%-28s %18s %16s %-14s %-9s %-6s %s%s%s%s\n", s->name, value, range,
                      coverage_format(coverage, sizeof(coverage), s->coverage.components),
                      quality_name(s->quality), rights,
                      why        ? "no: "
                      : s->meter ? "as the total"
                                 : "yes",
                      why ? why : "", s->error ? ": " : "", source_error_text(s));
    }
    once_caps_print(&o->caps, o->out);
    return fflush(o->out) == 0 ? 0 : 1;
}

/* A library that was just opened has not answered yet: it gets some time. */
static void _read(struct once *o)
{
    const struct timespec pause = {0, 50 * 1000 * 1000};
    int64_t until_ms = clock_mono_ms(&clock_system) + ANSWER_MS;
    bool waits;

    do {
        waits = false;
        meter_read(&o->meter, clock_mono_ms(&clock_system), true);
        for (int i = 0; i < o->meter.n; i++)
            waits |= o->meter.sources[i].error == EAGAIN;
        if (waits)
            (void)nanosleep(&pause, NULL);
    } while (waits && clock_mono_ms(&clock_system) < until_ms);
}

/* A directory that is not there would look like a machine without counters. */
static int _check_sysroot(const char *sysroot, struct err *e)
{
    struct stat st;

    if (!sysroot[0])
        return 0;
    if (stat(sysroot, &st) < 0)
        return err_errno(e, "--sysroot %s", sysroot);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, "--sysroot %s: no directory", sysroot);
    return 0;
}

/* Vendors' libraries print to standard output what has gone wrong in them, in the middle of ours
 * (ROCm SMI: "Exception caught: rsmi_init."): theirs goes to standard error. */
static FILE *_take_stdout(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        (void)fprintf(stderr, "carnotd: standard output: %s\n", strerror(errno));
        return NULL;
    }
    return out;
}

/* With -f, the sources that it names; else all. */
static int _open_meter(struct once *o, struct err *e)
{
    struct settings settings;

    if (!o->options->config)
        return meter_open(&o->meter, o->options->sysroot, e);
    if (settings_load(&settings, o->options->config, e) < 0 ||
        settings_name_node(&settings, o->options->node, e) < 0)
        return -1;
    return meter_open_settings(&o->meter, o->options->sysroot, &settings, e);
}

static int _run(struct once *once)
{
    const struct options *o = once->options;
    struct err e;
    int rc;

    if (_check_sysroot(o->sysroot, &e) < 0 || _open_meter(once, &e) < 0) {
        (void)fprintf(stderr, "carnotd: %s\n", e.text);
        return 1;
    }
    if (topology_load(&once->topology, o->sysroot, o->topology, &once->topology_error) < 0 &&
        o->topology) {
        (void)fprintf(stderr, "carnotd: %s\n", once->topology_error.text);
        meter_close(&once->meter);
        return 1;
    }
    cgroup_init(&once->cgroup, o->sysroot, o->node);
    _read(once);
    _choose(once);
    once_caps_look(&once->caps, o->sysroot);
    rc = o->json ? _print_json(once) : _print_table(once);
    meter_close(&once->meter);
    return rc;
}

int once_run(const struct options *o)
{
    struct once once;
    int rc;

    memset(&once, 0, sizeof(once));
    once.options = o;
    once.t_ms = clock_wall_ms(&clock_system);
    once.out = _take_stdout();
    if (!once.out)
        return 1;
    rc = _run(&once);
    return fclose(once.out) == 0 ? rc : 1;
}
