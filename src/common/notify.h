/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling the service manager how a daemon does (sd_notify's protocol: one datagram), without
 * linking libsystemd for it.
 */
#ifndef CARNOT_COMMON_NOTIFY_H
#define CARNOT_COMMON_NOTIFY_H

/* Send text ("READY=1", "STATUS=...", "WATCHDOG=1") to $NOTIFY_SOCKET. Does nothing without one;
 * never blocks, never fails loudly. */
void notify_send(const char *text);

#endif
