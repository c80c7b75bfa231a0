/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An SNMP agent and one object of it, by net-snmp's library: versions 1, 2c and 3. Reads no
 * configuration of net-snmp's and writes none.
 */
#ifndef CARNOT_HELPER_AGENT_H
#define CARNOT_HELPER_AGENT_H

#include "common/err.h"
#include "helper/credentials.h"

struct agent;

/* Once, before all else. */
void agent_init(void);

/* text is AGENT/OID; it must live as long. NULL and e. */
struct agent *agent_create(const char *text, struct err *e);

/* The object's value. c is used when a session has to be opened, which is kept as long as it works.
 * Waits for some seconds. 0, or -1, errno and e: ETIMEDOUT (an agent does not answer a wrong
 * community at all), EACCES, ENOENT no such object, EBADMSG no number, EINVAL c is not complete,
 * EHOSTUNREACH, EIO. */
int agent_get(struct agent *a, const struct credentials *c, double *value, struct err *e);

void agent_destroy(struct agent *a);

#endif
