/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "power/helper.h"
#include "power/source_external.h"
#include "power/source_snmp.h"

#define OBJECTS_MAX 4 /* two power supplies on two PDUs, twice */
_Static_assert(OBJECTS_MAX *SETTINGS_NAME_MAX <= SOURCE_PATH_MAX, "they do not fit a path");

/* AGENT/OID, the OID in numbers and without anything else. */
static int _is_object(const char *text)
{
    const char *oid = strrchr(text, '/');

    if (!oid || oid == text || text[0] == '-' || !isdigit((unsigned char)oid[1]))
        return 0;
    for (oid++; *oid; oid++) {
        if (!isdigit((unsigned char)*oid) && (*oid != '.' || !isdigit((unsigned char)oid[1])))
            return 0;
    }
    return 1;
}

int source_snmp_check(const struct settings *s, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    if (s->node.snmp.n > OBJECTS_MAX)
        return err_set(e, "node.snmp: %d are too many: use at most %d, all of this node",
                       s->node.snmp.n, OBJECTS_MAX);
    for (int i = 0; i < s->node.snmp.n; i++) {
        if (!_is_object(s->node.snmp.name[i]))
            return err_set(e,
                           "node.snmp: '%s' is not good here: use AGENT/OID, as in "
                           "[pdu-a/1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.12]",
                           err_quote(quoted, sizeof(quoted), s->node.snmp.name[i]));
    }
    return 0;
}

char *source_snmp_text(const struct settings *s, char buf[SOURCE_PATH_MAX])
{
    size_t used = 0;

    buf[0] = '\0';
    for (int i = 0; i < s->node.snmp.n && i < OBJECTS_MAX; i++)
        used += (size_t)snprintf(buf + used, SOURCE_PATH_MAX - used, "%s%s", i ? "," : "",
                                 s->node.snmp.name[i]);
    return buf;
}

int source_snmp_open(const struct settings *s, struct source sources[], int max, struct err *e)
{
    char program[HELPER_PATH_MAX], scale[32], path[SOURCE_PATH_MAX];
    const struct source_external x = {false, source_snmp_text(s, path), s->node.snmp_unit, "node",
                                      s->node.snmp_interval_ms};
    const char *args[HELPER_ARGS_MAX] = {program, "--scale", scale};
    int n = 3;

    if (s->node.snmp.n == 0 || max < 1)
        return 0;
    if (source_snmp_check(s, e) < 0 || helper_path(program, "carnot-snmp", e) < 0)
        return -1;
    (void)snprintf(scale, sizeof(scale), "%.15g", s->node.snmp_scale);
    if (s->node.snmp_credentials[0]) {
        args[n++] = "--credentials";
        args[n++] = s->node.snmp_credentials;
    }
    for (int i = 0; i < s->node.snmp.n; i++)
        args[n++] = s->node.snmp.name[i];
    return source_external_open_helper(&x, "snmp", args, sources, e) < 0 ? -1 : 1;
}
