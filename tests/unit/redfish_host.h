/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A management controller of the test's making: an HTTP or HTTPS server on loopback, in a thread.
 * It knows one user (carnot, "s3cret word"), sessions or basic authentication, and the documents
 * that a case gives it.
 */
#ifndef CARNOT_TESTS_REDFISH_HOST_H
#define CARNOT_TESTS_REDFISH_HOST_H

#include <stdbool.h>

#define REDFISH_HOST_PASSWORD "s3cret word"

enum redfish_mood { ANSWERS, HANGS, HALF, HUGE_ANSWER, REDIRECTS, FAILS, BUSY };

struct redfish_counts {
    int requests, logins, refused, logouts;
};

/* Start it, over TLS with the certificate and key in PEM files if there are some. Its port. */
int redfish_host_start(const char *certificate, const char *key);

/* What GET of path answers, NULL = 404. */
void redfish_host_document(const char *path, const char *json);

void redfish_host_mood(enum redfish_mood mood);
/* Does it have a SessionService? The session that there is ends. */
void redfish_host_sessions(bool has);
struct redfish_counts redfish_host_counts(void);

/* A key and a certificate by itself for this name or address ("IP:127.0.0.1", "DNS:other"), as PEM.
 * 0, or -1 when the test was built without OpenSSL. */
int redfish_host_certificate(const char *name, const char *certificate, const char *key);

#endif
