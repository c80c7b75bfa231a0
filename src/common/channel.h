/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between the programs: JSON in munge credentials, in frames, over TCP.
 *
 * A frame is a 4-byte big-endian length (1 .. CHANNEL_FRAME_MAX) and as many
 * bytes: a munge credential, NUL not included, whose payload is one JSON object.
 * A request and its answer are a frame each; a connection may carry several.
 * Credentials of requests are restricted to the server's uid where the client
 * knows it (root and the uid that owns carnotctld), answers to the asker's uid.
 * munge refuses a credential it has seen: a resend is encoded anew. munged takes
 * 1 MiB of payload at most (EMSGSIZE): longer lists go in pieces.
 */
#ifndef CARNOT_COMMON_CHANNEL_H
#define CARNOT_COMMON_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>
#include <jansson.h>
#include "common/err.h"

#define CHANNEL_FRAME_MAX (2u << 20) /* more than munged takes */

struct channel_peer {
    uid_t uid;
    gid_t gid;
    struct in_addr origin; /* address of the host where the credential was made */
    struct in_addr far;    /* the other end of the connection; a server fills it in, else 0 */
    int64_t encoded_s;     /* and when, by its munged's clock */
};

/* JSON -> credential (malloc'ed, caller frees *cred) ; restrict_uid (uid_t)-1 = anybody may
 * decode. munge_socket "" = default. Blocks on munged (milliseconds). 0 or -1. */
int channel_seal(const char *munge_socket, uid_t restrict_uid, const json_t *msg, char **cred,
                 struct err *e);

/* Credential of len bytes (not terminated) -> new JSON object and who made it. Expired,
 * replayed, foreign credentials and anything that is no JSON object are errors. 0 or -1. */
int channel_open(const char *munge_socket, const char *cred, size_t len, json_t **msg,
                 struct channel_peer *peer, struct err *e);

/* Client, blocking, whole exchange within timeout_ms: connect, send, wait for
 * the answer. Returns 0 and a new reference in *answer (which the server may have filled with
 * {"ok":false,"error":...}), or -1 (errno ECONNREFUSED, ETIMEDOUT, ...). A host that is a
 * name is looked up first, which takes as long as the resolver's own settings allow. */
int channel_ask(const char *host, int port, const char *munge_socket, const json_t *request,
                json_t **answer, int timeout_ms, struct err *e);

/* As channel_ask, of a server that runs as server_uid: only that user can read the request, and
 * an answer made by another one is refused (errno EACCES). (uid_t)-1 = anybody. Whoever
 * acts on an answer has to ask this way: any user can listen on a port that is free. */
int channel_ask_uid(const char *host, int port, const char *munge_socket, uid_t server_uid,
                    const json_t *request, json_t **answer, int timeout_ms, struct err *e);

#endif
