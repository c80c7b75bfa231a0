/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef PACKAGE_BUGREPORT
#undef PACKAGE_NAME
#undef PACKAGE_STRING
#undef PACKAGE_TARNAME
#undef PACKAGE_URL
#undef PACKAGE_VERSION
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "common/path.h"
#include "helper/agent.h"

#define TIMEOUT_US 2000000
#define RETRIES 1

struct agent {
    const char *text;
    char peer[128];
    oid name[MAX_OID_LEN];
    size_t length;
    void *session; /* NULL = closed */
};

void agent_init(void)
{
    static const int on[] = {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                             NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
                             NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE};

    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, on[i], 1);
    /* objects are named by numbers */
    (void)setenv("MIBS", "", 1);
    (void)setenv("MIBDIRS", "", 1);
    /* init_snmp() makes a directory in there, whatever it was told above: one that cannot be */
    (void)setenv("SNMP_PERSISTENT_DIR", "/dev/null/none", 1);
    snmp_disable_log();
    init_snmp("carnot-snmp");
}

static int _parse_oid(struct agent *a, const char *text)
{
    char *end;

    for (a->length = 0; a->length < MAX_OID_LEN; text = end + 1) {
        unsigned long n;

        if (*text < '0' || *text > '9')
            return -1;
        n = strtoul(text, &end, 10);
        if (n > UINT32_MAX)
            return -1;
        a->name[a->length++] = n;
        if (*end == '\0')
            return a->length < 2 ? -1 : 0;
        if (*end != '.')
            return -1;
    }
    return -1;
}

struct agent *agent_create(const char *text, struct err *e)
{
    const char *slash = strrchr(text, '/');
    struct agent *a = calloc(1, sizeof(*a));

    if (a && slash && slash > text && (size_t)(slash - text) < sizeof(a->peer) &&
        _parse_oid(a, slash + 1) == 0) {
        memcpy(a->peer, text, (size_t)(slash - text));
        a->text = text;
        return a;
    }
    (void)err_set(e, "'%s' is no AGENT/OID", text);
    free(a);
    return NULL;
}

static int _set_protocol(oid **to, size_t *to_length, oid *from, size_t length)
{
    *to = from ? snmp_duplicate_objid(from, length) : NULL;
    *to_length = length;
    return *to ? 0 : -1;
}

static int _set_key(const netsnmp_session *s, const char *password, u_char *key, size_t *length)
{
    *length = USM_AUTH_KU_LEN;
    if (strlen(password) < USM_LENGTH_P_MIN)
        return -1;
    return generate_Ku(s->securityAuthProto, (u_int)s->securityAuthProtoLen,
                       (const u_char *)password, strlen(password), key, length) == SNMPERR_SUCCESS
               ? 0
               : -1;
}

/* Keys from passwords, for the protocols that the library knows by these names. */
static int _set_user(netsnmp_session *s, const struct credentials *c, struct err *e)
{
    size_t length = 0;
    oid *protocol;

    errno = EINVAL;
    s->securityName = (char *)(uintptr_t)c->user;
    s->securityNameLen = strlen(c->user);
    s->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
    if (!c->auth[0])
        return c->privacy[0] ? err_set(e, "privacy needs auth") : 0;
    protocol = sc_get_auth_oid(usm_lookup_auth_type(c->auth), &length);
    if (_set_protocol(&s->securityAuthProto, &s->securityAuthProtoLen, protocol, length) < 0)
        return err_set(e, "auth is not known: use SHA-256 or SHA, if the agent can");
    if (_set_key(s, c->auth_password, s->securityAuthKey, &s->securityAuthKeyLen) < 0)
        return err_set(e, "auth_password has to have at least 8 bytes");
    s->securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
    if (!c->privacy[0])
        return 0;
    protocol = sc_get_priv_oid(usm_lookup_priv_type(c->privacy), &length);
    if (_set_protocol(&s->securityPrivProto, &s->securityPrivProtoLen, protocol, length) < 0)
        return err_set(e, "privacy is not known: use AES");
    if (_set_key(s, c->privacy_password, s->securityPrivKey, &s->securityPrivKeyLen) < 0)
        return err_set(e, "privacy_password has to have at least 8 bytes");
    s->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    return 0;
}

static int _set_community(netsnmp_session *s, const struct credentials *c, struct err *e)
{
    const char *community = c->community[0] ? c->community : "public";

    errno = EINVAL;
    s->version = strcmp(c->version, "1") == 0 ? SNMP_VERSION_1 : SNMP_VERSION_2c;
    if (c->version[0] && strcmp(c->version, "1") != 0 && strcmp(c->version, "2c") != 0)
        return err_set(e, "version is not known: use 1 or 2c; a user means 3");
    s->community = (u_char *)(uintptr_t)community;
    s->community_len = strlen(community);
    return 0;
}

/* What the library says of an error, and the errno for it. Returns -1. */
static int _fail(const struct agent *a, int code, struct err *e)
{
    int error = EIO;

    switch (code) {
    case SNMPERR_TIMEOUT:
        error = ETIMEDOUT;
        break;
    case SNMPERR_BAD_ADDRESS:
        error = EHOSTUNREACH;
        break;
    case SNMPERR_AUTHENTICATION_FAILURE:
    case SNMPERR_UNKNOWN_USER_NAME:
    case SNMPERR_USM_AUTHENTICATIONFAILURE:
    case SNMPERR_USM_UNKNOWNSECURITYNAME:
    case SNMPERR_USM_UNSUPPORTEDSECURITYLEVEL:
    case SNMPERR_USM_DECRYPTIONERROR:
        error = EACCES;
        break;
    default:
        break;
    }
    (void)err_set(e, "%s: %s", a->text, snmp_api_errstring(code));
    errno = error;
    return -1;
}

static int _open(struct agent *a, const struct credentials *c, struct err *e)
{
    netsnmp_session s;
    int code = 0, system = 0, saved;
    char *text = NULL;

    snmp_sess_init(&s);
    s.peername = a->peer;
    s.timeout = TIMEOUT_US;
    s.retries = RETRIES;
    s.version = SNMP_VERSION_3;
    if ((c->user[0] ? _set_user(&s, c, e) : _set_community(&s, c, e)) == 0) {
        a->session = snmp_sess_open(&s); /* copies all of s */
        if (!a->session) {
            snmp_error(&s, &system, &code, &text);
            free(text);
            (void)_fail(a, code, e);
        }
    }
    saved = errno;
    free(s.securityAuthProto);
    free(s.securityPrivProto);
    explicit_bzero(&s, sizeof(s));
    errno = saved;
    return a->session ? 0 : -1;
}

/* "412.5", as some agents have it. */
static int _read_text(const netsnmp_variable_list *v, double *value)
{
    char text[32], *end;

    if (v->val_len == 0 || v->val_len >= sizeof(text) || !strchr("0123456789", *v->val.string))
        return -1;
    memcpy(text, v->val.string, v->val_len);
    text[v->val_len] = '\0';
    *value = strtod(text, &end);
    return *end ? -1 : 0;
}

static int _read_value(const netsnmp_variable_list *v, double *value)
{
    switch (v->type) {
    case ASN_INTEGER:
        *value = (double)*v->val.integer;
        return 0;
    case ASN_COUNTER:
    case ASN_GAUGE:
    case ASN_UINTEGER:
        *value = (double)(*(u_long *)v->val.integer & UINT32_MAX);
        return 0;
    case ASN_COUNTER64:
        *value =
            (double)((uint64_t)v->val.counter64->high << 32 | (v->val.counter64->low & UINT32_MAX));
        return 0;
    case ASN_OPAQUE_FLOAT:
        *value = (double)*v->val.floatVal;
        return 0;
    case ASN_OPAQUE_DOUBLE:
        *value = *v->val.doubleVal;
        return 0;
    case ASN_OCTET_STR:
        return _read_text(v, value);
    default:
        return -1;
    }
}

static int _take(const struct agent *a, const netsnmp_pdu *reply, double *value, struct err *e)
{
    const netsnmp_variable_list *v = reply->variables;

    if (reply->command != SNMP_MSG_RESPONSE || reply->errstat != SNMP_ERR_NOERROR) {
        errno = reply->errstat == SNMP_ERR_NOSUCHNAME ? ENOENT
                : reply->command == SNMP_MSG_REPORT ||
                        reply->errstat == SNMP_ERR_AUTHORIZATIONERROR ||
                        reply->errstat == SNMP_ERR_NOACCESS
                    ? EACCES
                    : EIO;
        return err_set(e, "%s: %s", a->text,
                       reply->command == SNMP_MSG_REPORT ? "it refuses the user"
                                                         : snmp_errstring((int)reply->errstat));
    }
    errno = ENOENT;
    if (!v || v->type == SNMP_NOSUCHOBJECT || v->type == SNMP_NOSUCHINSTANCE)
        return err_set(e, "%s: there is no such object", a->text);
    errno = EBADMSG;
    if (snmp_oid_compare(v->name, v->name_length, a->name, a->length) != 0 ||
        _read_value(v, value) < 0)
        return err_set(e, "%s is no number", a->text);
    if (!(*value >= 0)) /* some say -1 for unknown */
        return err_set(e, "%s is %g, which is not believed", a->text, *value);
    return 0;
}

static void _close(struct agent *a)
{
    if (a->session)
        (void)snmp_sess_close(a->session);
    a->session = NULL;
}

int agent_get(struct agent *a, const struct credentials *c, double *value, struct err *e)
{
    netsnmp_pdu *request, *reply = NULL;
    int status, rc, code = SNMPERR_TIMEOUT, system = 0, saved;
    char *text = NULL;

    if (!a->session && _open(a, c, e) < 0)
        return -1;
    request = snmp_pdu_create(SNMP_MSG_GET);
    if (!request)
        return err_errno(e, "%s", a->text);
    (void)snmp_add_null_var(request, a->name, a->length);
    status = snmp_sess_synch_response(a->session, request, &reply);
    if (status == STAT_SUCCESS && reply) {
        rc = _take(a, reply, value, e);
    } else {
        if (status != STAT_TIMEOUT)
            snmp_sess_error(a->session, &system, &code, &text);
        free(text);
        rc = _fail(a, code, e);
    }
    saved = errno;
    if (reply)
        snmp_free_pdu(reply);
    if (rc < 0)
        _close(a); /* its keys, clock and address may be old */
    errno = saved;
    return rc;
}

void agent_destroy(struct agent *a)
{
    if (a)
        _close(a);
    free(a);
}
