/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unix socket that the SPANK plugin tells job edges to (common/node_event.h), and that the
 * acct_gather_energy plugin asks for energy (common/energy_query.h): SOCK_SEQPACKET, mode 0600, one
 * message a connection, and only from processes of root.
 */
#ifndef CARNOT_CARNOTD_JOB_SOCKET_H
#define CARNOT_CARNOTD_JOB_SOCKET_H

#include <stdbool.h>
#include <event2/event.h>

#include "common/energy_query.h"
#include "common/err.h"
#include "common/node_event.h"

#define JOB_SOCKET_PEERS 32

typedef void (*job_socket_cb)(const struct node_event *ev, void *arg);
typedef void (*job_socket_ask)(const struct energy_query *q, struct energy_answer *a, void *arg);

struct job_socket_peer {
    struct job_socket *socket;
    struct event *event;
    int fd; /* -1: free */
};

struct job_socket {
    char path[108]; /* as large as sun_path */
    const char *node;
    int fd;
    struct event *event;
    job_socket_cb cb;
    job_socket_ask ask; /* set by the caller after opening; NULL: questions are not understood */
    void *arg;
    struct job_socket_peer peers[JOB_SOCKET_PEERS];
    bool full; /* not accepting until a peer is done */
    /* what was complained about already */
    bool said_uid, said_message, said_node;
};

/* Listen at path. A file that an earlier run left is replaced if nobody listens on it; somebody
 * who does is an error. Messages for other nodes than node are dropped. 0 or -1. */
int job_socket_open(struct job_socket *s, struct event_base *base, const char *path,
                    const char *node, job_socket_cb cb, void *arg, struct err *e);

/* Close and remove it. */
void job_socket_close(struct job_socket *s);

#endif
