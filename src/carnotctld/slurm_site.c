/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reservations and priority settings. The last answers are kept here, since slurmctld says "no
 * change" instead of repeating them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "carnotctld/nodelist.h"
#include "carnotctld/slurm_site.h"
#include "compat/slurm_compat.h"

#define CONF_EVERY_S 60

/* slurm_client's thread only. */
static struct {
    reserve_info_msg_t *reservations;
    time_t conf_at;
    uint32_t age_weight;
    int64_t age_full_s;
} site;

static void ask_reservations(void)
{
    reserve_info_msg_t *msg = NULL;
    time_t since = site.reservations ? site.reservations->last_update : 0;
    if (slurm_load_reservations(since, &msg) != SLURM_SUCCESS)
        return;
    if (site.reservations)
        slurm_free_reservation_info_msg(site.reservations);
    site.reservations = msg;
}

static void ask_priority(time_t now)
{
    slurm_conf_t *conf = NULL;
    if (site.conf_at && now - site.conf_at < CONF_EVERY_S && now >= site.conf_at)
        return;
    if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
        return;
    /* With ACCRUE_ALWAYS jobs grow older before their begin time: nothing is lost by a wait. */
    int by_factors = conf->priority_type &&
                     strcmp(conf->priority_type, "priority/multifactor") == 0 &&
                     !(conf->priority_flags & PRIORITY_FLAGS_ACCRUE_ALWAYS);
    site.age_weight = by_factors ? conf->priority_weight_age : 0;
    site.age_full_s = conf->priority_max_age;
    site.conf_at = now;
    SLURM_FREE_CTL_CONF(conf);
}

static int is_one_of(const char *node, void *arg)
{
    return nodelist_has(arg, node);
}

/* Do the two share a node? Lists that cannot be read count as if they did. */
static int touches(const char *nodes, char *partition_nodes)
{
    if (!nodes || !partition_nodes || strcmp(nodes, "ALL") == 0)
        return 1;
    return nodelist_each(nodes, is_one_of, partition_nodes) != 0;
}

static int add(struct snapshot *s, const reserve_info_t *r, const char *partition)
{
    struct slurm_outage *grown = realloc(s->outages, (s->n_outages + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    s->outages = grown;
    struct slurm_outage *o = &grown[s->n_outages++];
    *o = (struct slurm_outage){.start_s = r->start_time, .end_s = r->end_time};
    snprintf(o->partition, sizeof(o->partition), "%s", partition ? partition : "");
    return 0;
}

static int add_outage(struct snapshot *s, const reserve_info_t *r,
                      const partition_info_msg_t *parts)
{
    for (uint32_t i = 0; i < parts->record_count; i++) {
        const partition_info_t *p = &parts->partition_array[i];
        if (touches(r->node_list, p->nodes) && add(s, r, p->name) < 0)
            return -1;
    }
    return 0;
}

int slurm_site_read(struct snapshot *s, const partition_info_msg_t *parts, struct err *e)
{
    time_t now = time(NULL);
    ask_reservations();
    ask_priority(now);
    s->age_weight = site.age_weight;
    s->age_full_s = site.age_full_s;
    for (uint32_t i = 0; site.reservations && i < site.reservations->record_count; i++) {
        const reserve_info_t *r = &site.reservations->reservation_array[i];
        if (!(r->flags & RESERVE_FLAG_MAINT) || r->end_time <= now)
            continue;
        if (add_outage(s, r, parts) < 0)
            return err_set(e, "no memory for the reservations");
    }
    return 0;
}
