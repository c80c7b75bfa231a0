/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When carnotd asks for a cap, when it has it put back, and what it says, against a helper that is
 * played here: one that answers, fails, says nothing, or is not there.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "carnotd/cap_file.h"
#include "carnotd/caps.h"
#include "sampler_host.h"

static struct event_base *base;
static struct event *listening;
static struct caps caps;
static char path[108], asked[1024]; /* all that was asked, one "; " behind each */
static const char *reply;           /* "" = closes without one, NULL = never closes */
static int listen_fd = -1;
static char logged[4096];

static void on_log(int level, const char *line, void *arg)
{
    size_t used = strlen(logged);

    (void)level;
    (void)arg;
    (void)snprintf(logged + used, sizeof(logged) - used, "%s\n", line);
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
    char text[CAP_MESSAGE_MAX + 1];
    size_t used = strlen(asked);
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    ssize_t n;

    (void)what;
    (void)arg;
    if (peer < 0)
        return;
    n = recv(peer, text, sizeof(text), 0);
    (void)snprintf(asked + used, sizeof(asked) - used, "%.*s; ", n > 8 ? (int)n - 8 : 0, text + 8);
    if (!reply)
        return;
    if (reply[0])
        (void)send(peer, reply, strlen(reply), MSG_NOSIGNAL);
    (void)close(peer);
}

#define SET_OK "carnot1 result=set limits=2 asked_mw=300000 actual_mw=300000 why="
#define DIFFERS                                                                                    \
    "carnot1 result=differs limits=2 asked_mw=300000 actual_mw=320000 why=gpu-1 reads 320000"
#define ASIDE "carnot1 result=aside limits=0 asked_mw=0 actual_mw=0 why=eard (EAR, process 812)"
#define BACK "carnot1 result=restore limits=2 asked_mw=0 actual_mw=0 why="
#define NOTHING "carnot1 result=restore limits=0 asked_mw=0 actual_mw=0 why="
#define REFUSED "carnot1 result=refused limits=0 asked_mw=0 actual_mw=0 why=it takes at least 50 W"
#define FAILED "carnot1 result=failed limits=0 asked_mw=0 actual_mw=0 why=it burns"

static void helper_begins(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CU_ASSERT_FATAL(bind(listen_fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    CU_ASSERT_FATAL(listen(listen_fd, 8) == 0);
    listening = event_new(base, listen_fd, EV_READ | EV_PERSIST, on_connection, NULL);
    CU_ASSERT_FATAL(listening && event_add(listening, NULL) == 0);
}

/* Let everything happen that can; what is asked for at once is asked for. */
static void pump(void)
{
    for (int i = 0; i < 20; i++)
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void look(void)
{
    caps_look(&caps);
    pump();
}

/* What was asked since the last call. */
static void was_asked(const char *want, const char *what)
{
    UNIT_STR(asked, want, "%s", what);
    asked[0] = '\0';
}

/* What was logged since the last call: this, or nothing. */
static void was_said(const char *part)
{
    if (part)
        UNIT_OK(strstr(logged, part), "'%s' should be in '%s'", part, logged);
    else
        UNIT_STR(logged, "", "nothing is said");
    logged[0] = '\0';
}

static void begin(void)
{
    struct err e = {""};

    CU_ASSERT_FATAL(caps_open(&caps, base, &sampler, path, unit_tmpdir(), &e) == 0);
}

static void start_on(const char *machine, int with_helper)
{
    host_init(machine);
    host_start("boot", NULL, 0);
    log_set_handler(on_log, NULL);
    logged[0] = asked[0] = '\0';
    base = event_base_new();
    (void)snprintf(path, sizeof(path), "/tmp/carnot-caps-%ld.sock", (long)getpid());
    (void)unlink(path);
    if (with_helper)
        helper_begins();
    begin();
}

static void start(int with_helper)
{
    start_on("intel-2s", with_helper);
}

static void stop(void)
{
    caps_close(&caps);
    if (listening)
        event_free(listening);
    listening = NULL;
    (void)unlink(path);
    event_base_free(base);
    host_kill();
}

/* Started, and nothing was left by an earlier run. */
static void start_clean_on(const char *machine)
{
    start_on(machine, 1);
    reply = NOTHING;
    look();
    was_asked("restore; ", "first of all");
    was_said(NULL);
    reply = SET_OK;
}

static void start_clean(void)
{
    start_clean_on("intel-2s");
}

static void job(enum node_event_kind kind, uint32_t id, uint32_t cpus, const char *cap)
{
    struct node_event ev;

    node_event_init(&ev);
    ev.kind = kind;
    ev.job_id = id;
    ev.uid = 1000;
    ev.ncpus = cpus;
    if (kind == NODE_EVENT_STEP)
        (void)snprintf(ev.step, sizeof(ev.step), "batch");
    if (kind == NODE_EVENT_START)
        (void)snprintf(ev.gpus, sizeof(ev.gpus), "0-1");
    if (cap)
        CU_ASSERT(power_cap_parse(&ev.cap, cap) == NULL);
    (void)sampler_event(&sampler, &ev);
    caps_event(&caps, &ev);
    pump();
}

/* The telemetry log has this. */
static void log_has(const char *part)
{
    char *text;
    size_t size;

    CU_ASSERT_FATAL(path_read(tlog.path, 1 << 20, &text, &size, NULL) == 0);
    UNIT_OK(strstr(text, part), "'%s' should be in %s", part, text);
    free(text);
}

static void test_life(void)
{
    start_clean();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked("set job=7 cap=node:300000mW; ", "whole node");
    was_said("job 7, node:300000mW: set");
    log_has("\"ev\":\"cap.set\",\"node\":\"n1\",\"job\":7,\"cap\":\"node:300000mW\",\"limits\":2,"
            "\"asked_mw\":300000,\"actual_mw\":300000}");
    look();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    job(NODE_EVENT_STEP, 7, 4, NULL);
    was_asked("", "once");
    reply = BACK;
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("restore; ", "at its end");
    was_said("job 7, node:300000mW: restore");
    log_has("\"ev\":\"cap.restore\",\"node\":\"n1\",\"job\":7,");
    look();
    was_asked("", "once");
    stop();
}

static void test_gpu(void)
{
    start_clean();
    job(NODE_EVENT_START, 7, 4, "gpu:300W");
    was_asked("set job=7 cap=gpu:300000mW gpus=3; ", "its GPUs");
    stop();
}

static void test_shared(void)
{
    start_clean();
    job(NODE_EVENT_START, 7, 2, "node:300W");
    was_asked("", "half of a node");
    was_said("job 7, node:300000mW: refused: the job does not hold this node alone");
    log_has("\"ev\":\"cap.refused\"");
    job(NODE_EVENT_STEP, 7, 2, NULL);
    look();
    was_said(NULL);
    job(NODE_EVENT_START, 8, 1, NULL);
    was_asked("", "a job that wants none");
    stop();
}

/* What the prolog does not know, a batch step may. */
static void test_cpus_later(void)
{
    start_clean();
    job(NODE_EVENT_START, 7, NODE_EVENT_UNKNOWN, "node:300W");
    look();
    was_asked("", "how many CPUs it has is not known");
    job(NODE_EVENT_STEP, 7, 4, NULL);
    was_asked("set job=7 cap=node:300000mW; ", "now it is");
    stop();
}

/* Slurm may count fewer CPUs than there are: it says itself who gets whole nodes. */
static void test_exclusive(void)
{
    struct node_event ev;

    start_clean();
    node_event_init(&ev);
    ev.kind = NODE_EVENT_START;
    ev.job_id = 7;
    ev.exclusive = 1;
    CU_ASSERT(power_cap_parse(&ev.cap, "node:300W") == NULL);
    (void)sampler_event(&sampler, &ev);
    caps_event(&caps, &ev);
    pump();
    was_asked("set job=7 cap=node:300000mW; ", "however many CPUs it has");
    stop();
}

static void test_company(void)
{
    start_clean();
    job(NODE_EVENT_START, 6, 4, NULL);
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked("", "another one is still there");
    job(NODE_EVENT_END, 6, 4, NULL);
    was_asked("set job=7 cap=node:300000mW; ", "no longer");
    reply = BACK;
    job(NODE_EVENT_START, 8, 1, NULL);
    was_asked("restore; ", "no longer alone");
    look();
    was_asked("", "and it stays so");
    stop();
}

static void test_requeue(void)
{
    start_clean();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked("set job=7 cap=node:300000mW; ", "first run");
    reply = BACK;
    job(NODE_EVENT_END, 7, 4, NULL);
    reply = SET_OK;
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked("restore; set job=7 cap=node:300000mW; ", "second run");
    stop();
}

static void test_aside(void)
{
    start_clean();
    reply = ASIDE;
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_said("aside: eard (EAR, process 812)");
    log_has("\"ev\":\"cap.aside\"");
    was_asked("set job=7 cap=node:300000mW; ", "asked");
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("", "nothing is to be put back");
    stop();
}

static void test_differs(void)
{
    start_clean();
    reply = DIFFERS;
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_said("differs: gpu-1 reads 320000");
    log_has(
        "\"ev\":\"cap.differs\",\"node\":\"n1\",\"job\":7,\"cap\":\"node:300000mW\",\"limits\":2,"
        "\"asked_mw\":300000,\"actual_mw\":320000,\"why\":\"gpu-1 reads 320000\"}");
    asked[0] = '\0';
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("restore; ", "it was set all the same");
    stop();
}

/* No answer is no: it may have been carried out. */
static void test_no_answer(void)
{
    static const char *const replies[] = {"", "nonsense", FAILED};

    for (size_t i = 0; i < 3; i++) {
        start_clean();
        reply = replies[i];
        job(NODE_EVENT_START, 7, 4, "node:300W");
        was_asked("set job=7 cap=node:300000mW; restore; ", "put back at once");
        was_said("failed");
        look();
        was_asked("", "not again at once");
        was_said(NULL);
        caps.retry_ms = 0;
        reply = BACK;
        look();
        was_asked("restore; ", "later");
        was_said("restore");
        look();
        was_asked("", "done");
        stop();
    }
}

/* Nothing that hangs holds up a tick. */
static void test_hang(void)
{
    int64_t began_ms;

    start_clean();
    reply = NULL;
    began_ms = clock_mono_ms(&clock_system);
    job(NODE_EVENT_START, 7, 4, "node:300W");
    for (int i = 0; i < 100; i++)
        look();
    UNIT_OK(clock_mono_ms(&clock_system) - began_ms < 1000, "nobody waits");
    was_asked("set job=7 cap=node:300000mW; ", "once");
    /* as the event loop says it when CAP_ANSWER_MS have passed */
    event_active(caps.event, EV_TIMEOUT, 0);
    pump();
    was_said("gave no answer");
    was_asked("restore; ", "put back");
    stop();
}

static void test_unreachable(void)
{
    start(0);
    look();
    was_said("is not at");
    look();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_said(NULL);
    helper_begins();
    caps.retry_ms = 0;
    reply = NOTHING;
    look();
    was_asked("restore; set job=7 cap=node:300000mW; ", "once it is there");
    stop();
}

static void test_off(void)
{
    struct err e;

    start(1);
    CU_ASSERT_FATAL(caps_open(&caps, base, &sampler, "", unit_tmpdir(), &e) == 0);
    look();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_said("refused: node.cap_socket is not set here");
    caps_end(&caps);
    was_asked("", "nobody is asked");
    stop();
    start_clean();
    UNIT_INT(
        caps_open(&caps, base, &sampler,
                  "/a/path/that/is/much/longer/than/what/fits/into/the/address/of/a/unix/socket"
                  "/whatever/the/settings/say/of/it",
                  unit_tmpdir(), &e),
        -1, "too long");
    stop();
}

/* At the daemon's end nothing else happens: it waits. A helper of its own process answers. */
static void test_end(void)
{
    pid_t pid;

    start_clean();
    job(NODE_EVENT_START, 7, 4, "node:300W");
    pid = fork();
    if (pid == 0) {
        struct event_base *other = event_base_new();
        struct event *ev = event_new(other, listen_fd, EV_READ, on_connection, NULL);

        reply = BACK;
        (void)event_add(ev, NULL);
        (void)event_base_loop(other, EVLOOP_ONCE);
        _exit(strcmp(asked, "set job=7 cap=node:300000mW; restore; ") != 0);
    }
    caps_end(&caps);
    was_said("restore");
    UNIT_INT(caps.holder, 0, "put back");
    caps_end(&caps);
    stop();
}

/* What is counted is what is said. */
static void test_counts(void)
{
    start_clean();
    job(NODE_EVENT_START, 6, 2, "node:300W");
    job(NODE_EVENT_END, 6, 2, NULL);
    job(NODE_EVENT_START, 7, 4, "node:300W");
    UNIT_INT(caps.limits, 2, "in force");
    reply = FAILED;
    job(NODE_EVENT_END, 7, 4, NULL);
    caps.retry_ms = 0;
    look();
    UNIT_INT(caps.limits, 2, "still");
    UNIT_INT(caps.failing, 1, "and they should not be");
    caps.retry_ms = 0;
    reply = BACK;
    look();
    UNIT_INT(caps.limits, 0, "put back");
    UNIT_INT(caps.failing, 0, "at last");
    UNIT_INT(caps.counts[CAP_WAS_SET], 1, "set");
    UNIT_INT(caps.counts[CAP_REFUSED], 1, "refused");
    UNIT_INT(caps.counts[CAP_FAILED], 1, "failed, however often");
    UNIT_INT(caps.counts[CAP_RESTORED], 1, "put back, with something to put back");
    stop();
}

/* ---- another run ---- */

#define CGROUP "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_7"
#define WANTED "set job=7 cap=node:300000mW; "

/* On a machine whose cgroups say that job 7 runs, and which has a cap. */
static void start_capped(void)
{
    start_clean_on("cgroup-v1");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1");
    fixture_write_u64(root, CGROUP "/cpuacct.usage", 1000000);
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked(WANTED, "capped");
    host_pass(1000);
    (void)sampler_tick(&sampler);
}

/* The daemon is killed, and starts again; the helper answers so to a set. */
static void restart_in(const char *boot, const char *answer)
{
    caps_close(&caps);
    host_kill();
    host_pass(1000);
    host_start(boot, NULL, 0);
    begin();
    logged[0] = '\0';
    reply = answer;
    look();
}

static void restart(void)
{
    restart_in("boot", SET_OK);
}

static int is_kept(void)
{
    return access(caps.file, F_OK) == 0;
}

static void test_restart(void)
{
    start_capped();
    for (int i = 0; i < 3; i++) {
        restart();
        was_asked("restore; " WANTED, "put back, and set again");
        was_said("job 7, node:300000mW: set");
        UNIT_INT(caps.holder, 7, "in force");
    }
    reply = BACK;
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("restore; ", "at its end");
    UNIT_INT(is_kept(), 0, "done with");
    restart();
    was_asked("restore; ", "no more than that");
    stop();
}

/* Killed after the message and before the answer, or stopped by a signal. */
static void test_restart_early(void)
{
    start_clean_on("cgroup-v1");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1");
    fixture_write_u64(root, CGROUP "/cpuacct.usage", 1000000);
    reply = NULL;
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked(WANTED, "asked, and not answered");
    host_pass(1000);
    (void)sampler_tick(&sampler);
    restart();
    was_asked("restore; " WANTED, "whether or not it was carried out");
    (void)unlink(path);
    caps_end(&caps);
    was_said("is not at");
    UNIT_INT(is_kept(), 1, "the end of the daemon is not the job's");
    stop();
}

static void test_restart_ended(void)
{
    start_capped();
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1");
    restart();
    was_asked("restore; ", "a job that has ended meanwhile");
    UNIT_INT(is_kept(), 0, "done with");
    stop();
}

static void test_restart_boot(void)
{
    start_capped();
    restart_in("another", SET_OK);
    was_asked("restore; ", "another boot");
    restart_in("unknown", SET_OK);
    was_asked("restore; ", "who knows which boot");
    stop();
}

static void test_restart_alone(void)
{
    start_capped();
    reply = BACK;
    job(NODE_EVENT_START, 8, 1, NULL);
    was_asked("restore; ", "it is not alone any more");
    UNIT_INT(is_kept(), 0, "done with");
    restart();
    was_asked("restore; ", "and stays without");
    stop();
}

/* Whatever a set is answered but that it was done, it is not asked for a third time. */
static void test_restart_answers(void)
{
    static const char *const answers[] = {ASIDE, FAILED, "", "nonsense", REFUSED};

    start_capped();
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        restart_in("boot", NULL);
        event_active(caps.event, EV_TIMEOUT, 0); /* the restore of the start: no answer */
        reply = BACK;
        pump();
        caps.retry_ms = 0;
        caps_look(&caps);
        while (caps.asked == CAP_RESTORE)
            (void)event_base_loop(base, EVLOOP_ONCE);
        UNIT_INT(caps.asked, CAP_SET, "behind the restore");
        reply = answers[i];
        pump();
        UNIT_OK(strstr(asked, WANTED), "%zu: %s", i, asked);
        UNIT_INT(is_kept(), 0, "%zu: done with", i);
        reply = BACK;
        caps.retry_ms = 0;
        look();
        job(NODE_EVENT_END, 7, 4, NULL);
        reply = SET_OK;
        job(NODE_EVENT_START, 7, 4, "node:300W");
        UNIT_INT(is_kept(), 1, "another run");
        host_pass(1000);
        (void)sampler_tick(&sampler);
        asked[0] = '\0';
    }
    stop();
}

/* The next job is there before the end of the last one was seen. */
static void test_restart_next(void)
{
    start_capped();
    reply = BACK;
    job(NODE_EVENT_START, 8, 4, "node:200W");
    was_asked("restore; ", "two jobs");
    reply = SET_OK;
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("set job=8 cap=node:200000mW; ", "one");
    fixture_remove(root, CGROUP);
    fixture_write_u64(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_8/cpuacct.usage", 1000000);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    restart();
    was_asked("restore; set job=8 cap=node:200000mW; ", "the end of 7 left 8's");
    stop();
}

static void test_restart_company(void)
{
    start_capped();
    job(NODE_EVENT_END, 7, 4, NULL);
    fixture_write_u64(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_6/cpuacct.usage", 1000000);
    job(NODE_EVENT_START, 6, 1, NULL);
    host_pass(1000);
    (void)sampler_tick(&sampler);
    asked[0] = '\0';
    /* the end of 6 is lost with the daemon, and 7 is requeued to here */
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked("", "it is not alone");
    host_pass(1000);
    (void)sampler_tick(&sampler);
    restart();
    was_asked("restore; ", "nor is it now");
    fixture_remove(root, "sys/fs/cgroup/cpuacct/slurm_n1/uid_1000/job_6");
    restart();
    was_asked("restore; " WANTED, "now it is");
    stop();
}

#define HEAD "boot\ncarnot1 event=start job=7 "
static void test_bad_files(void)
{
    static const char *const bad[] = {
        "",
        "\n",
        "boot",
        "boot\n",
        "boot\n\n",
        HEAD "cap=node:300000mW t_ms=1",
        HEAD "cap=node:300000mW t_ms=1\n\n",
        HEAD "cap=node:300000mW t_ms=1\nmore\n",
        HEAD "t_ms=1\n",
        HEAD "cap=node:0mW t_ms=1\n",
        HEAD "cap=300W t_ms=1\n",
        "boot\ncarnot1 event=end job=7 cap=node:300000mW t_ms=1\n",
        "boot\ncarnot1 event=start job=0 cap=node:300000mW t_ms=1\n",
        "boot\ncarnot2 event=start job=7 cap=node:300000mW t_ms=1\n",
    };
    struct node_event ev;
    char huge[1024];

    start_capped();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fixture_write(unit_tmpdir(), CAP_FILE_NAME, bad[i]);
        UNIT_INT(cap_file_load(&ev, caps.file, "boot", NULL), -1, "%zu: %s", i, bad[i]);
    }
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    fixture_write(unit_tmpdir(), CAP_FILE_NAME, huge);
    restart();
    was_asked("restore; ", "nothing is believed of it");
    fixture_write(unit_tmpdir(), CAP_FILE_NAME, HEAD "cap=node:300000mW t_ms=1\n");
    UNIT_INT(cap_file_load(&ev, caps.file, "boot", NULL), 1, "a good one");
    UNIT_INT(cap_file_load(&ev, caps.file, "boo", NULL), 0, "another boot's");
    UNIT_INT(cap_file_load(&ev, caps.file, "boot2", NULL), 0, "another boot's");
    stop();
}

/* That it cannot be kept is no reason not to set it. */
static void test_no_disk(void)
{
    struct err e;

    start_clean();
    caps_close(&caps);
    CU_ASSERT_FATAL(caps_open(&caps, base, &sampler, path, "/nonexistent", &e) == 0);
    reply = NOTHING;
    look();
    asked[0] = '\0';
    reply = SET_OK;
    job(NODE_EVENT_START, 7, 4, "node:300W");
    was_asked(WANTED, "set");
    was_said("would not outlive a restart");
    reply = BACK;
    job(NODE_EVENT_END, 7, 4, NULL);
    was_asked("restore; ", "put back");
    stop();
}

int main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        {"life", test_life},
        {"gpu", test_gpu},
        {"shared", test_shared},
        {"later", test_cpus_later},
        {"company", test_company},
        {"exclusive", test_exclusive},
        {"requeue", test_requeue},
        {"aside", test_aside},
        {"differs", test_differs},
        {"no_answer", test_no_answer},
        {"hang", test_hang},
        {"unreachable", test_unreachable},
        {"off", test_off},
        {"end", test_end},
        {"counts", test_counts},
        {"restart", test_restart},
        {"restart_early", test_restart_early},
        {"restart_ended", test_restart_ended},
        {"restart_boot", test_restart_boot},
        {"restart_alone", test_restart_alone},
        {"restart_answers", test_restart_answers},
        {"restart_next", test_restart_next},
        {"restart_company", test_restart_company},
        {"bad_files", test_bad_files},
        {"no_disk", test_no_disk},
        {NULL, NULL},
    };

    return unit_main(argc, argv, cases, "caps");
}
