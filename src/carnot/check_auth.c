/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot check: munge and clocks. Everything between the programs is in munge credentials, which
 * live five minutes: clocks that differ by more stop everything.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "common/channel.h"

/* Of the 300 s that munge allows, leave most to the network. */
#define SKEW_WARN_S 5
#define SKEW_ERROR_S 60

static void _skew(struct check *k, const char *code, const char *whose, int64_t ahead_s)
{
    enum check_level level = llabs(ahead_s) > SKEW_ERROR_S  ? CHECK_ERROR
                             : llabs(ahead_s) > SKEW_WARN_S ? CHECK_WARNING
                                                            : CHECK_OK;

    if (level == CHECK_OK) {
        check_ok(k, code, "%s: its clock and ours are the same within %d s", whose, SKEW_WARN_S);
        return;
    }
    check_add(k, level, code, "%s: its clock is %" PRId64 " s %s ours", whose,
              (int64_t)llabs(ahead_s), ahead_s > 0 ? "ahead of" : "behind");
    check_cure(k, "have NTP (chrony, systemd-timesyncd) set the clock of both machines");
}

/* socket=PATH in Slurm's AuthInfo. */
void check_munge_slurm(struct check *k)
{
    static const char key[] = "socket=";
    const char *at = strstr(slurmconf_or(&k->slurm, "AuthInfo", ""), key);
    const char *type = slurmconf_or(&k->slurm, "AuthType", "auth/munge");
    char theirs[SETTINGS_PATH_MAX];

    if (strcmp(type, "auth/munge") != 0)
        check_ok(k, "munge.slurm", "Slurm has AuthType=%s, Carnot needs munge beside it", type);
    at = at ? at + strlen(key) : "";
    (void)snprintf(theirs, sizeof(theirs), "%.*s", (int)strcspn(at, ","), at);
    if (k->source == CHECK_NOTHING || strcmp(theirs, k->set.munge_socket) == 0)
        return;
    check_warn(k, "munge.slurm", "Slurm uses munge's socket '%s', Carnot '%s' ('' is munge's own)",
               theirs, k->set.munge_socket);
    check_cure(k, "set munge_socket in carnot.yaml to what AuthInfo=socket= in slurm.conf says");
}

void check_munge(struct check *k)
{
    json_t *msg = json_pack("{s:i, s:s}", "v", 1, "op", "check"), *back = NULL;
    const char *socket = k->set.munge_socket[0] ? k->set.munge_socket : "munge's default socket";
    struct channel_peer peer;
    struct err e = {""};
    char *cred = NULL;
    int errors = k->errors;

    if (channel_seal(k->set.munge_socket, geteuid(), msg, &cred, &e) < 0 ||
        channel_open(k->set.munge_socket, cred, strlen(cred), &back, &peer, &e) < 0) {
        check_error(k, "munge", "%s: %s", socket, e.text);
        check_cure(k, "systemctl start munge; try: munge -n | unmunge");
    } else if (peer.uid != geteuid()) {
        check_error(k, "munge", "%s: takes us for uid %ld, we are %ld", socket, (long)peer.uid,
                    (long)geteuid());
        check_cure(k, "is another munged behind that socket? set munge_socket in carnot.yaml");
    } else {
        check_ok(k, "munge", "%s: a credential was made and read again", socket);
        _skew(k, "clock.munge", "munged", peer.encoded_s - (int64_t)time(NULL));
    }
    json_decref(msg);
    json_decref(back);
    free(cred);
    k->no_munge = k->errors > errors;
}

void check_clock(struct check *k)
{
    int64_t there_s = k->status ? answer_time(k->status, "time") : ANSWER_NONE;
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);

    if (there_s != ANSWER_NONE)
        _skew(k, "clock.controller", "carnotctld", there_s - k->asked_s);
    if (state >= 0 && state != TIME_ERROR) {
        check_ok(k, "clock.sync", "the kernel says that this clock is synchronised");
        return;
    }
    check_warn(k, "clock.sync", "the kernel says that nobody synchronises this machine's clock");
    check_cure(k, "start chrony or systemd-timesyncd; in a container see to its host");
}
