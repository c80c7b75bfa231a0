/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies Slurm's accounting out of libslurm's messages. Runs in slurm_client's thread. Two calls a
 * minute for all of it; the usage of accounts with a budget is a third, small one before each list.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/accounting.h"
#include "compat/slurm_compat.h"
#include "placement/board.h"

#define TRES_WATTS "license/" BOARD_WATTS

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* A list of libslurm's, walked: run for each element until it answers other than 0. */
static int each(SLURM_LIST list, int (*run)(void *element, void *arg), void *arg)
{
    if (!list)
        return 0;
    SLURM_LIST_ITERATOR at = slurm_list_iterator_create(list);
    void *element;
    int rc = 0;
    while (rc == 0 && (element = slurm_list_next(at)))
        rc = run(element, arg);
    slurm_list_iterator_destroy(at);
    return rc;
}

static size_t length(SLURM_LIST list)
{
    int n = list ? slurm_list_count(list) : 0;
    return n > 0 ? (size_t)n : 0;
}

/* ---- users, accounts, QOS ---- */

static int add_user(void *element, void *arg)
{
    const slurmdb_user_rec_t *u = element;
    struct accounting *a = arg;
    if (!u->name || u->uid == NO_VAL || u->uid == INFINITE)
        return 0; /* nobody here has that name: he cannot submit */
    struct accounting_user *to = &a->users[a->n_users++];
    to->uid = u->uid;
    copy(to->name, sizeof(to->name), u->name);
    copy(to->default_account, sizeof(to->default_account), u->default_acct);
    return 0;
}

static int user_order(const void *a, const void *b)
{
    const struct accounting_user *x = a, *y = b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* Two names of one uid: the first stands. */
static void sort_users(struct accounting *a)
{
    size_t kept = 0;
    if (a->n_users)
        qsort(a->users, a->n_users, sizeof(*a->users), user_order);
    for (size_t i = 0; i < a->n_users; i++)
        if (i == 0 || a->users[i].uid != a->users[kept - 1].uid)
            a->users[kept++] = a->users[i];
    a->n_users = kept;
}

static int add_account(void *element, void *arg)
{
    const slurmdb_assoc_rec_t *r = element;
    struct accounting *a = arg;
    if (!r->acct || (r->user && r->user[0]) || !r->parent_acct || !r->parent_acct[0])
        return 0;
    struct ledger_edge *to = &a->accounts[a->n_accounts++];
    copy(to->child, sizeof(to->child), r->acct);
    copy(to->parent, sizeof(to->parent), r->parent_acct);
    return 0;
}

static int edge_order(const void *a, const void *b)
{
    return strcmp(((const struct ledger_edge *)a)->child, ((const struct ledger_edge *)b)->child);
}

static int add_qos(void *element, void *arg)
{
    const slurmdb_qos_rec_t *q = element;
    struct accounting *a = arg;
    copy(a->qos[a->n_qos++].name, sizeof(a->qos->name), q->name);
    return 0;
}

static int read_associations(struct accounting *a, struct err *e)
{
    assoc_mgr_info_request_msg_t ask = {
        .flags = ASSOC_MGR_INFO_FLAG_ASSOC | ASSOC_MGR_INFO_FLAG_USERS | ASSOC_MGR_INFO_FLAG_QOS};
    assoc_mgr_info_msg_t *msg = NULL;
    if (slurm_load_assoc_mgr_info(&ask, &msg) != SLURM_SUCCESS || !msg)
        return err_set(e, "slurmctld gives no associations: %s", slurm_strerror(errno));
    a->users = calloc(length(msg->user_list) + 1, sizeof(*a->users));
    a->accounts = calloc(length(msg->assoc_list) + 1, sizeof(*a->accounts));
    a->qos = calloc(length(msg->qos_list) + 1, sizeof(*a->qos));
    int rc = a->users && a->accounts && a->qos ? 0 : err_set(e, "no memory for associations");
    if (rc == 0) {
        each(msg->user_list, add_user, a);
        each(msg->assoc_list, add_account, a);
        each(msg->qos_list, add_qos, a);
        sort_users(a);
        if (a->n_accounts)
            qsort(a->accounts, a->n_accounts, sizeof(*a->accounts), edge_order);
    }
    slurm_free_assoc_mgr_info_msg(msg);
    return rc;
}

/* ---- may Slurm's limits hold budgets? ---- */

static int read_licence(struct accounting *a, struct err *e)
{
    license_info_msg_t *msg = NULL;
    if (slurm_load_licenses(0, &msg, SHOW_ALL) != SLURM_SUCCESS || !msg)
        return err_set(e, "slurmctld gives no licences: %s", slurm_strerror(errno));
    for (uint32_t i = 0; i < msg->num_lic; i++)
        if (msg->lic_array[i].name && strcmp(msg->lic_array[i].name, BOARD_WATTS) == 0)
            a->watts_total = msg->lic_array[i].total;
    slurm_free_license_info_msg(msg);
    return 0;
}

static const char *unsuited(const struct accounting *a, const slurm_conf_t *conf)
{
    uint16_t enforce = conf->accounting_storage_enforce;
    if (!a->kept)
        return "AccountingStorageType is not accounting_storage/slurmdbd";
    if (!conf->accounting_storage_tres || !strstr(conf->accounting_storage_tres, TRES_WATTS))
        return "AccountingStorageTRES has no " TRES_WATTS;
    if (!(enforce & SLURM_ENFORCE_LIMITS) || !(enforce & SLURM_ENFORCE_SAFE))
        return "AccountingStorageEnforce is not limits,safe";
    if (!conf->priority_type || !strstr(conf->priority_type, "multifactor"))
        return "PriorityType is not priority/multifactor, which alone counts use";
    if (a->watts_total == 0)
        return "Licenses has no " BOARD_WATTS ":N";
    return "";
}

static int read_conf(struct accounting *a, struct err *e)
{
    slurm_conf_t *conf = NULL;
    if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS || !conf)
        return err_set(e, "slurmctld gives no configuration: %s", slurm_strerror(errno));
    a->kept = conf->accounting_storage_type && strstr(conf->accounting_storage_type, "slurmdbd");
    copy(a->cluster, sizeof(a->cluster), conf->cluster_name);
    int rc = a->kept ? read_licence(a, e) : 0;
    copy(a->unsuited, sizeof(a->unsuited), unsuited(a, conf));
    if (conf->priority_decay_hl > 0)
        copy(
            a->advice, sizeof(a->advice),
            "PriorityDecayHalfLife is not 0: while carnotctld is away, what was used is forgotten");
    SLURM_FREE_CTL_CONF(conf);
    return rc;
}

struct accounting *accounting_load(struct err *e)
{
    struct accounting *a = calloc(1, sizeof(*a));
    if (!a) {
        err_set(e, "no memory for associations");
        return NULL;
    }
    if (read_conf(a, e) < 0 || (a->kept && read_associations(a, e) < 0)) {
        accounting_destroy(a);
        return NULL;
    }
    return a;
}

/* ---- what was used ---- */

struct usage_list {
    struct accounting_usage *items;
    size_t n, room;
    uint32_t at; /* which of Slurm's trackable resources is the licence */
};

static int64_t limit_of(const slurmdb_assoc_rec_t *r, uint32_t at)
{
    uint64_t limit = r->grp_tres_mins_ctld ? r->grp_tres_mins_ctld[at] : INFINITE64;
    return limit == INFINITE64 || limit == NO_VAL64 || limit > INT64_MAX ? -1 : (int64_t)limit;
}

static int add_usage(void *element, void *arg)
{
    const slurmdb_assoc_rec_t *r = element;
    struct usage_list *list = arg;
    const slurmdb_assoc_usage_t *u = r->usage;
    if (!r->acct || (r->user && r->user[0]) || list->n == list->room)
        return 0;
    if (!u || !u->usage_tres_raw || !u->grp_used_tres_run_secs)
        return 0;
    struct accounting_usage *to = &list->items[list->n++];
    copy(to->account, sizeof(to->account), r->acct);
    to->used_ws = (double)u->usage_tres_raw[list->at];
    to->running_ws = (double)u->grp_used_tres_run_secs[list->at];
    to->limit_wmin = limit_of(r, list->at);
    return 0;
}

static int find_watts(const assoc_mgr_info_msg_t *msg, uint32_t *at)
{
    for (*at = 0; *at < msg->tres_cnt; ++*at)
        if (msg->tres_names[*at] && strcmp(msg->tres_names[*at], TRES_WATTS) == 0)
            return 1;
    return 0;
}

int accounting_load_usage(const struct accounting_name *accounts, size_t n,
                          struct accounting_usage **out, size_t *found, struct err *e)
{
    assoc_mgr_info_request_msg_t ask = {.flags = ASSOC_MGR_INFO_FLAG_ASSOC};
    assoc_mgr_info_msg_t *msg = NULL;
    struct usage_list list = {.room = n};
    ask.acct_list = slurm_list_create(NULL);
    for (size_t i = 0; i < n; i++)
        slurm_list_append(ask.acct_list, (void *)(uintptr_t)accounts[i].name);
    int rc = slurm_load_assoc_mgr_info(&ask, &msg);
    slurm_list_destroy(ask.acct_list);
    if (rc != SLURM_SUCCESS || !msg)
        return err_set(e, "slurmctld gives no usage: %s", slurm_strerror(errno));
    list.items = calloc(n ? n : 1, sizeof(*list.items));
    if (list.items && find_watts(msg, &list.at))
        each(msg->assoc_list, add_usage, &list);
    slurm_free_assoc_mgr_info_msg(msg);
    if (!list.items)
        return err_set(e, "no memory for usage");
    *out = list.items;
    *found = list.n;
    return 0;
}
