/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics over HTTP, for sites without node_exporter. A thread of its own answers, from a copy of
 * the text that the main thread hands over without ever waiting: whoever asks, however often, costs
 * no tick anything. GET and HEAD only, a few connections, small requests, and none that lasts.
 */
#ifndef CARNOT_CARNOTD_METRICS_HTTP_H
#define CARNOT_CARNOTD_METRICS_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define METRICS_HTTP_MAX (512u << 10) /* bytes of text */
#define METRICS_HTTP_PEERS 16         /* connections at once; others wait */

struct metrics_http;

struct metrics_http_address {
    struct sockaddr_storage address;
    int size;
    char text[INET6_ADDRSTRLEN + 16]; /* "127.0.0.1:9822" */
};

/* "PORT" (of 127.0.0.1), "ADDRESS:PORT" or "[IPV6]:PORT"; names are none, since they would have to
 * be asked for. 0, or -1 and e. */
int metrics_http_parse(struct metrics_http_address *to, const char *text, struct err *e);

/* Listen and start the thread. NULL and e when that cannot be. */
struct metrics_http *metrics_http_open(const struct metrics_http_address *at, struct err *e);

/* The newest text in this format, at most METRICS_HTTP_MAX bytes, 0 for none; copied. Dropped when
 * an answer is being made of the one before. Does not block, does not allocate. */
void metrics_http_publish(struct metrics_http *h, bool openmetrics, const char *text, size_t size);

/* End the thread, close everything. NULL is fine. */
void metrics_http_close(struct metrics_http *h);

#endif
