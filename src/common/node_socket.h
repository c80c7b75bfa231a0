/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugins' end of carnotd's unix socket: one connection a message, and nothing
 * that lasts longer than the caller says. Runs in slurmd and slurmstepd; no
 * allocation, no signal, no state; any thread.
 */
#ifndef CARNOT_COMMON_NODE_SOCKET_H
#define CARNOT_COMMON_NODE_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NODE_SOCKET_DEFAULT "/run/carnot/carnotd.sock"

/* Connect until end_ms (CLOCK_MONOTONIC). path NULL or "": the default; %n in it stands for node
 * ("" when that is not known). The descriptor, or -1 and errno. */
int node_socket_open(const char *path, const char *node, int64_t end_ms);

/* Send one message until end_ms. 0, or -1 and errno. */
int node_socket_send(int fd, const char *text, size_t len, int64_t end_ms);

/* Wait for one message until end_ms. Its length, more than size when it was cut; 0 when the other
 * side closed without one; -1 and errno, ETIMEDOUT when nothing came. */
ssize_t node_socket_receive(int fd, char *buf, size_t size, int64_t end_ms);

#endif
