/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AcctGatherEnergyType=acct_gather_energy/carnot: the node's watts and joules for slurmd, and each
 * step's own share for slurmstepd, as carnotd measured them. slurmctld loads it too, for its
 * options, of which it has none. Starts no thread, keeps no descriptor, and answers within
 * METER_ASK_LIMIT_MS; nothing in here can fail a job or a node.
 */
#include "config.h"

#include <pthread.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

#include "compat/slurm_compat.h"
#include "meter.h"
#include "self.h"

/* What Slurm looks up by name; everything else stays hidden. Its headers declare none of it. */
#pragma GCC visibility push(default)
extern const char plugin_name[], plugin_type[], carnot_version[];
extern const uint32_t plugin_version;
const char plugin_name[] = "Carnot: energy of nodes, and each job's own share of it";
const char plugin_type[] = "acct_gather_energy/carnot";
const char carnot_version[] = PACKAGE_VERSION; /* for carnot check, which reads the file */
const uint32_t plugin_version = SLURM_VERSION_NUMBER;
int init(void);
int fini(void);
int acct_gather_energy_p_update_node_energy(void);
int acct_gather_energy_p_get_data(enum acct_energy_type data_type, void *data);
int acct_gather_energy_p_set_data(enum acct_energy_type data_type, void *data);
void acct_gather_energy_p_conf_options(void *full_options, int *full_options_cnt);
void acct_gather_energy_p_conf_set(int context_id, void *table);
void acct_gather_energy_p_conf_values(void *data);
#pragma GCC visibility pop

static pthread_mutex_t given_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t given_j; /* of the step's energy, to its tasks so far */

static uint32_t _watts(uint64_t mw)
{
    uint64_t watts = (mw + 500) / 1000;

    return watts < METER_POWER_MAX_W ? (uint32_t)watts : METER_POWER_MAX_W;
}

static void _fill_node(acct_gather_energy_t *to, const struct meter_reading *r)
{
    to->consumed_energy = r->known ? r->uj / 1000000 : NO_VAL64;
    to->current_watts = r->power_known ? _watts(r->power_mw) : NO_VAL;
    to->ave_watts = r->power_known ? _watts(r->mean_mw) : 0;
    to->base_consumed_energy = 0;
    to->previous_consumed_energy = r->known ? to->consumed_energy : 0;
    to->poll_time = r->when;
}

/*
 * Slurm keeps one of these for each task, asks for the first that lives, and adds all of them up
 * when the step ends. So each gets what has come on top since the last was asked for, and the sum
 * is the step's, whichever tasks have lived when.
 */
static void _add_step(acct_gather_energy_t *to, const struct meter_reading *r)
{
    uint64_t total_j = r->uj / 1000000;

    if (!r->known) {
        if (to->consumed_energy == 0)
            to->consumed_energy = NO_VAL64;
        return;
    }
    if (to->consumed_energy == NO_VAL64)
        to->consumed_energy = 0;
    (void)pthread_mutex_lock(&given_lock);
    if (total_j > given_j) {
        to->consumed_energy += total_j - given_j;
        given_j = total_j;
    }
    (void)pthread_mutex_unlock(&given_lock);
    to->current_watts = r->power_known ? _watts(r->power_mw) : 0;
    to->ave_watts = _watts(r->mean_mw);
    to->previous_consumed_energy = total_j;
    to->poll_time = r->when;
}

static void _fill(acct_gather_energy_t *to)
{
    struct meter_reading r;

    meter_read(&r);
    if (r.of == ENERGY_OF_NODE)
        _fill_node(to, &r);
    else
        _add_step(to, &r);
}

int init(void)
{
    self_init();
    return SLURM_SUCCESS;
}

int fini(void)
{
    return SLURM_SUCCESS;
}

int acct_gather_energy_p_update_node_energy(void)
{
    struct meter_reading r;

    meter_read(&r);
    return SLURM_SUCCESS;
}

int acct_gather_energy_p_get_data(enum acct_energy_type data_type, void *data)
{
    struct meter_reading r;

    if (!data)
        return SLURM_ERROR;
    switch (data_type) {
    case ENERGY_DATA_JOULES_TASK:
    case ENERGY_DATA_STRUCT:
    case ENERGY_DATA_NODE_ENERGY:
    case ENERGY_DATA_NODE_ENERGY_UP:
        _fill(data);
        return SLURM_SUCCESS;
    case ENERGY_DATA_LAST_POLL:
        meter_last(&r);
        *(time_t *)data = r.when;
        return SLURM_SUCCESS;
    case ENERGY_DATA_SENSOR_CNT:
        *(uint16_t *)data = 1;
        return SLURM_SUCCESS;
    default:
        return SLURM_ERROR;
    }
}

/* Nothing to be set: who asks is seen, not told, and a reconfigure changes nothing. */
int acct_gather_energy_p_set_data(enum acct_energy_type data_type, void *data)
{
    (void)data_type;
    (void)data;
    return SLURM_SUCCESS;
}

void acct_gather_energy_p_conf_options(void *full_options, int *full_options_cnt)
{
    (void)full_options;
    (void)full_options_cnt;
}

void acct_gather_energy_p_conf_set(int context_id, void *table)
{
    (void)context_id;
    (void)table;
}

void acct_gather_energy_p_conf_values(void *data)
{
    (void)data;
}
