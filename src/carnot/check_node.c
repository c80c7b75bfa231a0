/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check --node: what a compute node needs. What there is to measure, carnotd itself is
 * asked (carnotd --once --json), so that both see the same.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "common/path.h"

#define ONCE_TIMEOUT_MS 30000
#define TAIL_BYTES 65536

/* Anybody behind the socket? Connecting and leaving is no message: carnotd does not mind. */
static void _socket(struct check *k, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = -1;
    struct stat st;
    uid_t owner = 0;

    (void)settings_node_uid(&k->set, &owner, NULL);
    if (path_format(address.sun_path, sizeof(address.sun_path), "%s", path) == 0 && fd >= 0)
        rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    if (rc < 0 && (errno == EACCES || errno == EPERM)) {
        check_warn(k, "node.socket", "%s: only root may talk to it", path);
        check_cure(k, "run this as root");
    } else if (rc < 0) {
        check_error(k, "node.socket", "%s: carnotd does not listen there: %s", path,
                    strerror(errno));
        check_cure(k, "systemctl start carnotd; is node.socket in carnot.yaml the one it uses?");
    } else {
        check_ok(k, "node.socket", "carnotd listens at %s", path);
        check_secure(k, "rights.socket", path, owner);
        if (stat(path, &st) == 0 && (st.st_mode & 077)) {
            check_warn(k, "rights.socket", "%s is open to others than carnotd", path);
            check_cure(k, "restart carnotd, which closes it");
        }
    }
    if (fd >= 0)
        (void)close(fd);
}

/* Whom carnotd asks for power caps; connecting would start that program. */
static void _caps(struct check *k, const char *path)
{
    struct stat st;
    int rc = lstat(path, &st);

    if (rc == 0 && S_ISSOCK(st.st_mode)) {
        check_ok(k, "node.caps", "power caps are asked for at %s", path);
        check_secure(k, "rights.caps", path, 0);
    } else {
        check_error(k, "node.caps", "%s: no job gets the power cap that it asks for: %s", path,
                    rc < 0 ? strerror(errno) : "it is no socket");
        check_cure(k, "systemctl enable --now carnot-powercap.socket; or leave node.cap_socket out "
                      "where --power-cap is to do nothing");
    }
}

static void _sources(struct check *k, const json_t *once)
{
    int counted = 0, measured = 0;
    json_t *source;
    size_t i;

    json_array_foreach(json_object_get(once, "sources"), i, source)
    {
        const char *name = answer_show(source, "name");

        if (!json_is_true(json_object_get(source, "readable"))) {
            check_warn(k, "node.source", "power source %s cannot be read: %s", name,
                       answer_show(source, "error"));
            check_cure(k, "carnotd has to run as root; see %s", answer_show(source, "path"));
        }
        if (!json_is_true(json_object_get(source, "counted")))
            continue;
        counted++;
        measured += strcmp(answer_show(source, "quality"), "measured") == 0;
        check_ok(k, "node.source", "power source %s: %s, covers %s", name,
                 answer_show(source, "quality"), answer_show(source, "coverage"));
    }
    if (counted == 0) {
        check_error(k, "node.power", "no source of power");
        check_cure(k, "carnotd --once shows what was looked at");
    } else if (measured == 0) {
        check_warn(k, "node.power",
                   "no counter of energy here: figures are modelled from the CPUs' "
                   "use");
        check_cure(k, "modprobe intel_rapl_common intel_rapl_msr (AMD too); in a virtual machine "
                      "there is none");
    }
}

static void _cgroup(struct check *k, const json_t *once)
{
    const json_t *cgroup = json_object_get(once, "cgroup");
    const char *version = answer_text(cgroup, "version"), *root = answer_text(cgroup, "root");

    if (!version) {
        check_warn(k, "node.cgroup",
                   "no CPU account of cgroups: energy is shared out by allocated "
                   "CPUs alone");
        check_cure(k, "set ProctrackType=proctrack/cgroup; with cgroup v1 also "
                      "JobAcctGatherType=jobacct_gather/cgroup, and mount cpuacct");
    } else
        check_ok(k, "node.cgroup", "cgroups %s; jobs of Slurm in %s", version,
                 root ? root : "no place yet, as none has run");
}

static void _once(struct check *k, const char *node)
{
    char program[PATH_MAX], why[512];
    const char *argv[] = {program, "--once", "--json", "-N", node, NULL};
    const struct child_order order = {
        .argv = argv, .keep_fd = -1, .timeout_ms = ONCE_TIMEOUT_MS, .output_max = 1u << 20};
    struct child_result r = {0};
    struct err e = {""};
    json_t *once = NULL;

    if (child_find(program, sizeof(program), "carnotd", "../carnotd/", SBINDIR) < 0)
        (void)err_set(&e, "%s/carnotd is not installed", SBINDIR);
    else if (child_run(&order, &r, &e) == 0) {
        once = json_loads(r.out, 0, NULL);
        if (r.status != 0 || !once)
            (void)err_set(&e, "carnotd --once: %s", child_why(&r, why, sizeof(why)));
        child_fini(&r);
    }
    if (e.text[0]) {
        check_error(k, "node.carnotd", "%s", e.text);
        check_cure(k, "install it again on this node");
    } else {
        _sources(k, once);
        _cgroup(k, once);
    }
    json_decref(once);
}

/* The number of the last record in the end of a telemetry file; 0 = none. text is terminated. */
uint64_t check_last_seq(const char *text)
{
    static const char record[] = "\"ev\":\"record\"", key[] = "\"seq\":";
    uint64_t last = 0;

    for (const char *p = text; (p = strstr(p, record)) != NULL; p++) {
        const char *end = p + strcspn(p, "\n"), *seq = strstr(p, key);

        if (*end == '\n' && seq && seq < end)
            last = strtoull(seq + strlen(key), NULL, 10);
    }
    return last;
}

/* Its last bytes, terminated, for the caller to free; NULL and errno. *size: of the whole file. */
static char *_tail(const char *path, uint64_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = calloc(1, TAIL_BYTES + 1);
    struct stat st = {0};
    ssize_t n = -1;

    if (fd >= 0 && text && fstat(fd, &st) == 0)
        n = pread(fd, text, TAIL_BYTES,
                  st.st_size > TAIL_BYTES ? st.st_size - (off_t)TAIL_BYTES : 0);
    if (fd >= 0)
        (void)close(fd);
    if (n < 0) {
        free(text);
        return NULL;
    }
    *size = (uint64_t)st.st_size;
    return text;
}

/* What carnotctld has acknowledged, by the file that carnotd keeps; 0 = nothing yet. */
static uint64_t _acked(const struct check *k, const char *node)
{
    char dir[SETTINGS_PATH_MAX], path[PATH_MAX], *text;
    uint64_t acked;
    size_t size;

    if (settings_expand(dir, sizeof(dir), k->set.node.state_dir, node) < 0 ||
        path_format(path, sizeof(path), "%s/acked", dir) < 0 ||
        path_read(path, 64, &text, &size, NULL) < 0)
        return 0;
    acked = strtoull(text, NULL, 10);
    free(text);
    return acked;
}

/* How much waits for carnotctld, and whether it is about to be rotated away. */
static void _spool(struct check *k, const char *node)
{
    char dir[SETTINGS_PATH_MAX], path[PATH_MAX], *text;
    uint64_t size = 0, last, acked = _acked(k, node), waiting, usual;
    int64_t report_ms = k->set.node.report_interval_ms;

    if (settings_expand(dir, sizeof(dir), k->set.node.log_dir, node) < 0 ||
        path_format(path, sizeof(path), "%s/telemetry.jsonl", dir) < 0)
        return;
    text = _tail(path, &size);
    if (!text) {
        check_error(k, "node.log", "%s: %s", path, strerror(errno));
        check_cure(k, "start carnotd, which makes it; or run this as root");
        return;
    }
    last = check_last_seq(text);
    free(text);
    waiting = last > acked ? last - acked : 0;
    /* jobs that begin and end close records of their own: allow for many */
    usual = 5 * (uint64_t)(report_ms / k->set.node.log_interval_ms + 1) + 50;
    if (waiting > usual) {
        check_warn(k, "node.spool", "%" PRIu64 " records wait for carnotctld in %s", waiting, path);
        check_cure(k,
                   "does carnotctld answer from here? carnotd's log says why it does not count "
                   "them; %d files of %" PRIu64 " MiB are kept",
                   k->set.node.log_keep, k->set.node.log_max_bytes >> 20);
    } else
        check_ok(k, "node.spool", "%s: record %" PRIu64 ", %" PRIu64 " of them not acknowledged",
                 path, last, waiting);
    check_disk(k, dir);
}

void check_node(struct check *k, const char *node)
{
    char host[256] = "", path[SETTINGS_PATH_MAX];

    if (!node) {
        (void)gethostname(host, sizeof(host) - 1);
        host[strcspn(host, ".")] = '\0';
        node = host;
    }
    if (k->configured && settings_expand(path, sizeof(path), k->set.node.socket, node) == 0)
        _socket(k, path);
    if (k->configured && k->set.node.cap_socket[0] &&
        settings_expand(path, sizeof(path), k->set.node.cap_socket, node) == 0)
        _caps(k, path);
    _once(k, node);
    if (k->configured)
        _spool(k, node);
}
