/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "helper/redfish.h"

#define CHASSIS "/redfish/v1/Chassis"
#define CHASSIS_MAX 32 /* each costs two or three requests */

struct search {
    struct redfish *r;
    struct bmc *b;
    int64_t until_ms;
    char found[BMC_PATH_MAX]; /* "" = none yet */
};

/* The path of a link "name": {"@odata.id": ...}; NULL when there is none that could be. */
static const char *_link(const json_t *json)
{
    const char *path = json_string_value(json_object_get(json, "@odata.id"));

    return path && bmc_is_path(path) ? path : NULL;
}

/* Has the resource a figure? 1, 0, or -1. */
static int _look(struct search *s, const char *path, struct err *e)
{
    json_t *json = NULL;
    double value;
    int rc;

    if (!path)
        return 0;
    if (bmc_get(s->b, path, s->until_ms, &json, e) < 0)
        return errno == ENOENT ? 0 : -1;
    rc = redfish_value(s->r, json, &value, e);
    json_decref(json);
    if (rc < 0)
        return err_prefix(e, "%s", path);
    if (rc == 0)
        return 0;
    errno = ENOTUNIQ;
    if (s->found[0])
        return err_set(e, "%s and %s both have a figure: node.redfish_path chooses one", s->found,
                       path);
    memcpy(s->found, path, strlen(path) + 1);
    return 1;
}

/* One chassis: the newer resource, else the older one. Who cannot be asked could have a figure, so
 * the search ends there. */
static int _look_at_chassis(struct search *s, const char *path, struct err *e)
{
    json_t *json = NULL;
    int rc;

    if (!path)
        return 0;
    if (bmc_get(s->b, path, s->until_ms, &json, e) < 0)
        return errno == ENOENT ? 0 : -1;
    rc = _look(s, _link(json_object_get(json, "EnvironmentMetrics")), e);
    if (rc == 0)
        rc = _look(s, _link(json_object_get(json, "Power")), e);
    json_decref(json);
    return rc;
}

int redfish_find(struct redfish *r, struct bmc *b, int64_t until_ms, struct err *e)
{
    struct search s = {r, b, until_ms, ""};
    json_t *list = NULL;
    const json_t *members, *member;
    int rc = 0;
    size_t i;

    if (bmc_get(b, CHASSIS, until_ms, &list, e) < 0)
        return -1;
    members = json_object_get(list, "Members");
    errno = ENOTUNIQ;
    if (json_array_size(members) > CHASSIS_MAX || json_object_get(list, "Members@odata.nextLink"))
        rc = err_set(e, CHASSIS " has too many members: node.redfish_path names one");
    for (i = 0; rc >= 0 && i < json_array_size(members); i++) {
        member = json_array_get(members, i);
        rc = _look_at_chassis(&s, _link(member), e);
    }
    json_decref(list);
    if (rc < 0)
        return -1;
    errno = ENODATA;
    if (!s.found[0])
        return err_set(e, "no chassis has a figure in %s", r->unit);
    memcpy(r->path, s.found, sizeof(r->path));
    return 0;
}

int redfish_get(struct redfish *r, struct bmc *b, int64_t until_ms, double *value, struct err *e)
{
    json_t *json = NULL;
    int rc;

    if (!r->path[0] && redfish_find(r, b, until_ms, e) < 0)
        return -1;
    if (bmc_get(b, r->path, until_ms, &json, e) < 0)
        return -1;
    rc = redfish_value(r, json, value, e);
    json_decref(json);
    if (rc > 0)
        return 0;
    if (rc < 0)
        return err_prefix(e, "%s", r->path);
    errno = ENODATA;
    return err_set(e, "%s has no figure in %s", r->path, r->unit);
}
