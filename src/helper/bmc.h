/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A management controller that speaks Redfish (DMTF DSP0266): GET of a resource as JSON, with a
 * session of its own (kept until bmc_close()) or basic authentication where it has none. Nothing it
 * says is trusted: answers have a size, redirects are not followed, times are bounded.
 */
#ifndef CARNOT_HELPER_BMC_H
#define CARNOT_HELPER_BMC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define BMC_PATH_MAX 256

struct bmc_options {
    const char *url;         /* https://HOST[:PORT] */
    const char *credentials; /* a file's path, NULL = none */
    const char *ca;          /* a file's path, NULL = the system's */
    bool insecure;           /* verify no certificate, take http:// */
};

struct bmc;

/* o and what it points to must live as long. NULL and e. */
struct bmc *bmc_open(const struct bmc_options *o, struct err *e);

/* The resource at path before until_ms; the caller lets go of *json. Waits up to ten seconds. 0, or
 * -1, errno and e: ENOENT no such resource, EACCES refused (and not tried again for ten minutes
 * unless the credentials change: controllers lock accounts), EBUSY it asked to be left alone for a
 * time that is not over, EKEYREJECTED its certificate, EFBIG and EBADMSG its answer, ETIMEDOUT,
 * EHOSTUNREACH, ECONNREFUSED, EINTR when carnotd has gone, EIO. */
int bmc_get(struct bmc *b, const char *path, int64_t until_ms, json_t **json, struct err *e);

/* Can this be the path of a resource? What a controller says has to be looked at as well. */
bool bmc_is_path(const char *path);

/* Ends the session, for which it waits a second and a half. NULL is fine. */
void bmc_close(struct bmc *b);

#endif
