/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnotctld: the controller's daemon. main() is the list of what is started and, mirrored,
 * stopped; one event loop runs everything but libslurm's calls (slurm_client's thread). It stays in
 * the foreground and tells the service manager when it is ready.
 */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <fcntl.h>
#include <unistd.h>

#include "carnotctld/accounts.h"
#include "carnotctld/bonus.h"
#include "carnotctld/ctl.h"
#include "carnotctld/enforcer.h"
#include "carnotctld/events.h"
#include "carnotctld/feed_watch.h"
#include "carnotctld/forecast_log.h"
#include "carnotctld/let_go.h"
#include "carnotctld/limits.h"
#include "carnotctld/native.h"
#include "carnotctld/node_address.h"
#include "carnotctld/nodes.h"
#include "carnotctld/pauser.h"
#include "carnotctld/planner.h"
#include "carnotctld/publisher.h"
#include "carnotctld/server.h"
#include "carnotctld/slurm_client.h"
#include "carnotctld/steering.h"
#include "carnotctld/tracker.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/path.h"

#define TICK_MS 250
#define ONCE_WAIT_MS 10000

static const char usage[] =
    "usage: carnotctld [-f FILE] [-v] [--once | --check-config]\n"
    "  -f, --conf FILE      configuration (default: $CARNOT_CONF or " SYSCONFDIR
    "/carnot/carnot.yaml)\n"
    "      --once           publish one board and exit\n"
    "      --check-config   read the configuration, say what is wrong with it, exit 0 or 1\n"
    "  -v, --verbose        log more\n"
    "  -h, --help           this text\n"
    "  -V, --version        version\n";

struct options {
    const char *conf;
    int once, check, level;
};

static void watch_accounts(struct ctl *c)
{
    struct accounting_name *names = NULL;
    struct err e = {.text = ""};
    size_t n;
    if (native_watched(c, &names, &n, &e) < 0)
        log_err("%s", e.text);
    else if (slurm_client_watch(names, n) < 0)
        log_err("no memory for the names of %zu accounts", n);
    free(names);
}

static void on_list(struct ctl *c, struct snapshot *s)
{
    int first = c->snap == NULL;
    accounts_take(c, s);
    tracker_apply(c, s);
    c->dirty |= first;
    enforcer_run(c);
    bonus_run(c);
    let_go_run(c);
    native_run(c);
    pauser_run(c);
    watch_accounts(c);
}

/* The list of Slurm came, or orders are done. */
static void on_slurm(evutil_socket_t fd, short what, void *arg)
{
    struct ctl *c = arg;
    struct slurm_order done;
    (void)fd;
    (void)what;
    slurm_client_drain();
    struct snapshot *s = slurm_client_take_snapshot();
    if (s)
        on_list(c, s);
    /* After the list, which may be older than they are: else it shows what they have changed. */
    while (slurm_client_take_done(&done)) {
        if (done.rc < 0)
            log_warn("an order for job %u came to nothing: %s", done.job_id, done.error);
        if (done.kind == ORDER_BEGIN)
            planner_ordered(c, done.job_id, done.begin_s, done.rc == 0);
        else if (done.kind == ORDER_FACTOR)
            bonus_ordered(c, done.job_id, done.rc == 0);
        else if (done.kind == ORDER_REQUEUE)
            pauser_ordered(c, &done);
    }
}

static void log_slurm_state(void)
{
    static int was = -1;
    char error[320];
    int ok = slurm_client_ok(error, sizeof(error));
    if (ok == was || (was < 0 && !error[0]))
        return;
    if (ok)
        log_info("slurmctld answers");
    else
        log_warn("%s; decisions go on from what was known last", error);
    was = ok;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    static int ticks;
    struct ctl *c = arg;
    (void)fd;
    (void)what;
    if (++ticks % 4 == 1 && feed_watch_look(c))
        c->dirty = 1;
    log_slurm_state();
    steering_run(c);
    planner_run(c);
    /* Without a list there is nothing to say that the file does not say already: a young process
     * must not overwrite a board that knows partitions and leases with one that does not. */
    if (c->snap)
        publisher_run(c);
    forecast_log_note(c);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct ctl *c = arg;
    (void)what;
    log_info("signal %d: ending", (int)sig);
    event_base_loopbreak(c->base);
}

/* The file, and what carnotctld alone needs of it: carnotd and carnot do without a zone. */
static int load_settings(const char *path, struct settings *s, struct err *e)
{
    if (settings_load(s, path, e) < 0)
        return -1;
    return s->carbon.zone[0] ? 0 : err_set(e, "%s: carbon.zone is not set", path);
}

/* Settings that name files, ports or the ledger need a restart; the rest is taken over. */
static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct ctl *c = arg;
    struct settings next;
    struct err e = {.text = ""};
    uid_t node_uid;
    (void)sig;
    (void)what;
    if (load_settings(c->conf_path, &next, &e) < 0 || settings_node_uid(&next, &node_uid, &e) < 0) {
        log_err("%s: the old configuration stays in force", e.text);
        return;
    }
    memcpy(next.state_dir, c->set.state_dir, sizeof(next.state_dir));
    memcpy(next.munge_socket, c->set.munge_socket, sizeof(next.munge_socket));
    next.controller = c->set.controller;
    int other_feed = strcmp(next.carbon.zone, c->set.carbon.zone) != 0 ||
                     strcmp(next.carbon.file, c->set.carbon.file) != 0 ||
                     next.carbon.replay != c->set.carbon.replay;
    c->set = next;
    c->node_uid = node_uid;
    c->dirty = 1;
    if (other_feed)
        feed_watch_forget(c);
    if (events_open(c->set.log_dir, &e) < 0)
        log_err("%s", e.text);
    log_info("configuration read again");
    events_other(c, "config.load", "", NULL, "carnot");
}

static int lock_state(const struct ctl *c, struct err *e)
{
    char path[SETTINGS_PATH_MAX + 32];
    if (path_mkdirs(c->set.state_dir, 0750, e) < 0 ||
        path_format(path, sizeof(path), "%s/carnotctld.lock", c->set.state_dir) < 0)
        return err_prefix(e, "state_dir");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return err_set(e, "another carnotctld runs on %s", c->set.state_dir);
    }
    return fd; /* kept until the process ends */
}

static int open_ledger(struct ctl *c, struct err *e)
{
    char path[SETTINGS_PATH_MAX + 32];
    if (path_format(path, sizeof(path), "%s/ledger.sqlite", c->set.state_dir) < 0)
        return err_set(e, "state_dir is too long");
    c->ledger = ledger_open(path, e);
    return c->ledger ? 0 : -1;
}

/* Boards are numbered on from the one that is out. */
static void continue_boards(struct ctl *c)
{
    struct board old;
    if (board_load(&old, c->set.controller.board, NULL) < 0)
        return;
    c->board_seq = old.head.seq;
    board_free(&old);
}

static int start(struct ctl *c, struct err *e)
{
    uid_t user;
    if (settings_controller_uid(&c->set, &user, e) < 0 ||
        settings_node_uid(&c->set, &c->node_uid, e) < 0)
        return -1;
    if (user != geteuid())
        return err_set(
            e, "%s: controller.user is %s, but this runs as uid %u: nobody would believe it",
            c->conf_path, c->set.controller.user, (unsigned)geteuid());
    if (lock_state(c, e) < 0 || events_open(c->set.log_dir, e) < 0 || open_ledger(c, e) < 0 ||
        nodes_init(c, e) < 0 || tracker_init(c, e) < 0 || publisher_load_switches(c, e) < 0 ||
        let_go_init(c, e) < 0)
        return -1;
    continue_boards(c);
    feed_watch_look(c);
    return publisher_build(c, e);
}

static void stop(struct ctl *c)
{
    native_fini(c);
    accounts_fini(c);
    planner_fini(c);
    tracker_fini(c);
    nodes_fini(c);
    publisher_fini(c);
    feed_watch_fini(c);
    ledger_close(c->ledger);
    events_close();
}

static void add_event(struct ctl *c, struct event **slot, int fd, short what, event_callback_fn run,
                      const struct timeval *every)
{
    *slot = event_new(c->base, fd, what, run, c);
    if (*slot)
        event_add(*slot, every);
}

static int serve(struct ctl *c, struct err *e)
{
    struct event *events[6] = {0};
    struct timeval tick = {0, TICK_MS * 1000};
    c->base = event_base_new();
    if (!c->base)
        return err_set(e, "no event loop");
    signal(SIGPIPE, SIG_IGN);
    int rc = -1;
    if (slurm_client_configured(e) == 0 && slurm_client_start(c->set.controller.poll_ms, e) == 0 &&
        node_address_start(e) == 0 && server_start(c, e) == 0) {
        add_event(c, &events[0], slurm_client_fd(), EV_READ | EV_PERSIST, on_slurm, NULL);
        add_event(c, &events[1], -1, EV_PERSIST, on_tick, &tick);
        add_event(c, &events[2], SIGTERM, EV_SIGNAL | EV_PERSIST, on_stop, NULL);
        add_event(c, &events[3], SIGINT, EV_SIGNAL | EV_PERSIST, on_stop, NULL);
        add_event(c, &events[4], SIGHUP, EV_SIGNAL | EV_PERSIST, on_reload, NULL);
        log_info("carnotctld %s: cluster %s, mode %s, board %s, port %d", PACKAGE_VERSION,
                 c->set.cluster, c->set.mode == MODE_ACT ? "act" : "observe",
                 c->set.controller.board, c->set.controller.port);
        events_other(c, "config.load", "", NULL, "carnot");
        notify_send("READY=1");
        rc = event_base_dispatch(c->base) < 0 ? err_set(e, "the event loop failed") : 0;
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    server_stop();
    node_address_stop();
    limits_stop();
    slurm_client_stop();
    event_base_free(c->base);
    return rc;
}

/* One board, with Slurm's list if slurmctld answers in time. */
static int once(struct ctl *c, struct err *e)
{
    struct err slurm = {.text = "slurmctld does not answer"};
    struct snapshot *s = NULL;
    if (slurm_client_configured(&slurm) == 0 && slurm_client_start(60000, &slurm) == 0) {
        for (int waited = 0; !s && waited < ONCE_WAIT_MS; waited += 50) {
            usleep(50000);
            s = slurm_client_take_snapshot();
            if (!s && waited > 2000 && !slurm_client_ok(slurm.text, sizeof(slurm.text)) &&
                slurm.text[0])
                break;
        }
    }
    if (s) {
        accounts_take(c, s);
        tracker_apply(c, s);
    } else
        log_warn("%s: this board knows no partitions", slurm.text);
    int rc = publisher_publish(c, e);
    slurm_client_stop();
    return rc;
}

static int read_options(int argc, char **argv, struct options *o)
{
    enum { OPT_ONCE = 256, OPT_CHECK };
    static const struct option longs[] = {{"conf", required_argument, NULL, 'f'},
                                          {"once", no_argument, NULL, OPT_ONCE},
                                          {"check-config", no_argument, NULL, OPT_CHECK},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {NULL, 0, NULL, 0}};
    int opt;
    while ((opt = getopt_long(argc, argv, "f:vhV", longs, NULL)) != -1) {
        switch (opt) {
        case 'f':
            o->conf = optarg;
            break;
        case OPT_ONCE:
            o->once = 1;
            break;
        case OPT_CHECK:
            o->check = 1;
            break;
        case 'v':
            o->level = LOG_DEBUG;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        case 'V':
            puts("carnotctld " PACKAGE_VERSION);
            exit(0);
        default:
            return -1;
        }
    }
    return optind < argc ? -1 : 0;
}

int main(int argc, char **argv)
{
    static struct ctl ctl; /* zeroed; large */
    struct options o = {.level = LOG_INFO};
    struct err e = {.text = ""};
    if (read_options(argc, argv, &o) < 0) {
        fputs(usage, stderr);
        return 2;
    }
    log_init("carnotctld", o.level);
    ctl.conf_path = settings_path(o.conf);
    ctl.clock = &clock_system;
    ctl.started_ms = clock_wall_ms(ctl.clock);
    if (load_settings(ctl.conf_path, &ctl.set, &e) < 0) {
        fprintf(stderr, "carnotctld: %s\n", e.text);
        return 1;
    }
    if (o.check) {
        printf("%s: ok\n", ctl.conf_path);
        return 0;
    }
    int rc = start(&ctl, &e);
    if (rc == 0)
        rc = o.once ? once(&ctl, &e) : serve(&ctl, &e);
    stop(&ctl);
    if (rc < 0)
        fprintf(stderr, "carnotctld: %s\n", e.text);
    return rc < 0 ? 1 : 0;
}
