/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <string.h>

#include "carnot/answer.h"
#include "carnot/show.h"
#include "carnot/trouble.h"

/* The first entry that fits holds: how the source's name begins, its state, what its error says;
 * "" fits all. */
static const struct {
    const char *source, *state, *error, *cure;
} cures[] = {
    {"rapl", "missing", "ermi",
     "its files are for root alone: run carnotd as root (systemctl cat carnotd)"},
    {"rapl", "missing", "No such",
     "the driver is gone: modprobe intel_rapl_msr; carnotd takes it up again by itself"},
    {"nvml", "", "", "see what nvidia-smi says there, and the kernel's log for Xid"},
    {"rocm", "", "", "see what rocm-smi says there, and the kernel's log for amdgpu"},
    {"ze", "", "", "see what xpu-smi says there, and the kernel's log for i915 or xe"},
    {"cray", "stale", "",
     "/sys/cray/pm_counters has stopped to move there: the blade controller has to be looked at"},
    {"ipmi", "missing", "upported",
     "its controller has no power reading: leave ipmi out of node.sources"},
    {"ipmi", "missing", "ermi",
     "/dev/ipmi0 is for root, and closed by carnotd's unit: a drop-in with "
     "DeviceAllow=char-ipmidev rw opens it"},
    {"ipmi", "", "", "see what ipmitool dcmi power reading says there"},
    {"redfish", "missing", "No such file",
     "carnot-redfish is not installed, or the controller has no such resource: carnotd's log says "
     "which"},
    {"redfish", "missing", "ermission",
     "the controller refuses the user or the password of node.redfish_credentials"},
    {"redfish", "missing", "certificate",
     "the controller's certificate is not signed by one of node.redfish_ca, or is of another "
     "host"},
    {"redfish", "missing", "several",
     "several chassis or entries have a figure: carnotd's log names them; node.redfish_path "
     "chooses"},
    {"redfish", "", "", "see what carnotd's log says there, and docs/telemetry.md"},
    {"snmp", "missing", "No such file",
     "carnot-snmp is not installed, or the PDU has no such object: carnotd's log says which"},
    {"snmp", "stale", "",
     "the PDU does not answer, as it does with a wrong community: compare node.snmp_credentials"},
    {"snmp", "", "", "see what carnotd's log says there, and docs/telemetry.md"},
    {"", "reset", "",
     "it began anew, as after a driver was loaded again; if it goes on, it wraps faster than "
     "node.interval reads it"},
    {"", "implausible", "",
     "it says more than the hardware can draw, which is not counted: compare it with another "
     "meter"},
    {"", "stale", "", "its figure does not move: look at it there with carnotd --once"},
    {"", "", "", "look at it there with carnotd --once"},
};

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *cure_of(const char *source, const char *state, const char *error)
{
    size_t i = 0;
    while (!begins(source, cures[i].source) || !begins(state, cures[i].state) ||
           !strstr(error, cures[i].error))
        i++; /* the last one fits */
    return cures[i].cure;
}

static int is_silent(const json_t *node)
{
    return strcmp(answer_show(node, "state"), "ok") != 0;
}

/* Nobody can tell what it draws. */
static int has_no_figure(const json_t *node)
{
    const char *quality = answer_show(node, "quality");
    return strcmp(quality, "none") == 0 || strcmp(quality, "-") == 0;
}

int trouble_any(const json_t *node)
{
    return is_silent(node) || has_no_figure(node) ||
           strcmp(answer_show(node, "quality"), "stale") == 0 ||
           json_array_size(json_object_get(node, "troubles")) > 0;
}

static void print_node(struct cli *c, const json_t *node)
{
    const char *name = answer_show(node, "node");
    char age[SHOW_SIZE];
    const json_t *s;
    size_t i;
    if (is_silent(node)) {
        fprintf(c->out, "%s: silent for %s: systemctl status carnotd there; its log says why\n",
                name, show_span(age, sizeof(age), answer_integer(node, "age_s")));
        return;
    }
    if (has_no_figure(node))
        fprintf(c->out, "%s: no source of power: look there with carnotd --once\n", name);
    json_array_foreach(json_object_get(node, "troubles"), i, s)
    {
        const char *source = answer_show(s, "name"), *state = answer_show(s, "state");
        const char *error = answer_show(s, "error");
        int says = error[0] && strcmp(error, "-") != 0;
        fprintf(c->out, "%s: %s is %s%s%s%s: %s\n", name, source, state, says ? " (" : "",
                says ? error : "", says ? ")" : "", cure_of(source, state, error));
    }
}

void trouble_print(struct cli *c, const json_t *nodes)
{
    const json_t *node;
    size_t i;
    json_array_foreach(nodes, i, node) print_node(c, node);
}
