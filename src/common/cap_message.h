/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carnotd asks of carnot-powercap, which alone may write limits, and what that answers: one
 * line of text each over a connection of SOCK_SEQPACKET, as in node_event.h.
 *
 *   carnot1 set job=81234 cap=gpu:300000mW gpus=3        (a bit a device)
 *   carnot1 restore
 *   carnot1 result=set limits=2 asked_mw=600000 actual_mw=600000 why=
 *
 * Pure text, no allocation; any thread.
 */
#ifndef CARNOT_COMMON_CAP_MESSAGE_H
#define CARNOT_COMMON_CAP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/power_cap.h"

#define CAP_MESSAGE_MAX 512
#define CAP_SOCKET_DEFAULT "/run/carnot-powercap.sock"

/* The helper ends itself after this long, whatever a driver does; after CAP_ANSWER_MS no answer
 * will come. A set whose asker has hung up is not begun, and one that has begun holds a lock that a
 * restore waits for: so what is asked for after hanging up happens after it. */
#define CAP_HELPER_MS 10000
#define CAP_ANSWER_MS 12000

enum cap_verb { CAP_VERB_NONE = 0, CAP_SET, CAP_RESTORE };

struct cap_request {
    enum cap_verb verb;
    uint32_t job;         /* CAP_SET */
    struct power_cap cap; /* CAP_SET */
    uint64_t gpus;        /* CAP_SET, scope GPU: one bit a device of the node */
};

enum cap_result {
    CAP_RESULT_NONE = 0,
    CAP_WAS_SET,  /* every limit reads back as it was asked for */
    CAP_DIFFERS,  /* set, or restored, but some limit reads back otherwise: why says which */
    CAP_RESTORED, /* what was there before is there again; limits may be 0 */
    CAP_ASIDE,    /* nothing changed: another owner of the limits is at work */
    CAP_REFUSED,  /* nothing changed: out of bounds, or nothing to cap here */
    CAP_FAILED    /* something could not be read or written: ask for a restore until that works */
};
#define CAP_N_RESULTS (CAP_FAILED + 1)

struct cap_answer {
    enum cap_result result;
    uint32_t limits;              /* how many were changed */
    uint64_t asked_mw, actual_mw; /* CAP_SET: their sums; 0 else */
    struct err why;               /* "" where there is nothing to say */
};

const char *cap_result_name(enum cap_result r); /* "set", "differs", "restore", "aside", ... */

/* Length without the NUL, or -1 and errno EINVAL or ENOSPC; CAP_MESSAGE_MAX + 1 always suffices. */
int cap_request_format(char *buf, size_t size, const struct cap_request *r);
int cap_answer_format(char *buf, size_t size, const struct cap_answer *a);

/* A message of size bytes (not terminated). A request is right or refused, word by word. 0, or -1,
 * e and the struct unchanged. */
int cap_request_parse(struct cap_request *r, const char *text, size_t size, struct err *e);
int cap_answer_parse(struct cap_answer *a, const char *text, size_t size, struct err *e);

#endif
