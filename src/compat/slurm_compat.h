/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the Slurm releases that Carnot builds for (22.05, 24.11, 26.05), and the
 * few symbols of slurmctld that its installed headers do not declare. Nowhere else.
 */
#ifndef CARNOT_COMPAT_SLURM_COMPAT_H
#define CARNOT_COMPAT_SLURM_COMPAT_H

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>

#ifndef SLURM_VERSION_NUM
#define SLURM_VERSION_NUM(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#endif

/* slurmctld frees what a plugin leaves in job_desc with its own allocator: these are it. */
extern char *slurm_xstrdup(const char *str);
extern void slurm_xfree(void **p);
/* Put NAME=VALUE behind an environment of slurmctld's, with a NULL behind the last one; *env NULL
 * makes one. 1, or 0 when it has the name already. */
extern int slurm_env_array_append(char ***env, const char *name, const char *value);

/* slurmctld's log. */
extern void slurm_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern void slurm_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern void slurm_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* job_modify() has a fourth argument since 23.02 and no header declares it: the wrong
 * form lets any user's `scontrol update` crash slurmctld. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 2, 0)
#define JOB_MODIFY_ARGS                                                                            \
    job_desc_msg_t *job_desc, job_record_t *job_ptr, uint32_t submit_uid, char **err_msg
#define JOB_MODIFY_ERR_MSG err_msg
#else
#define JOB_MODIFY_ARGS job_desc_msg_t *job_desc, job_record_t *job_ptr, uint32_t submit_uid
#define JOB_MODIFY_ERR_MSG ((char **)NULL)
#endif

/* A job that has its nodes for itself: a field of its own from 26.05 on, where `shared` only lives
 * on for old REST clients. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
#define SLURM_INFO_EXCLUSIVE(info) ((info)->exclusive == JOB_EXCLUSIVE_NODE)
#else
#define SLURM_INFO_EXCLUSIVE(info) ((info)->shared == 0)
#endif

/* What slurm_load_ctl_conf() gave is freed by another name from 26.05 on. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
#define SLURM_FREE_CTL_CONF(conf) slurm_free_conf(conf)
#else
#define SLURM_FREE_CTL_CONF(conf) slurm_free_ctl_conf(conf)
#endif

/* hostlist_t was a pointer, and is what one points to since 23.11. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 11, 0)
#define SLURM_HOSTLIST hostlist_t *
#else
#define SLURM_HOSTLIST hostlist_t
#endif

/* A list was an opaque pointer called List, and is a struct of its own since 23.11. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 11, 0)
#define SLURM_LIST list_t *
#define SLURM_LIST_ITERATOR list_itr_t *
#else
#define SLURM_LIST List
#define SLURM_LIST_ITERATOR ListIterator
#endif

/* Bits of AccountingStorageEnforce, which no installed header names. */
#define SLURM_ENFORCE_LIMITS 0x0002
#define SLURM_ENFORCE_SAFE 0x0010

/* slurmctld's own type: never looked into. */
typedef struct job_record job_record_t;

/* job_desc_msg_t has step_id.job_id instead of job_id from 26.05 on; calls by id follow. INFO is
 * also for the answer to a submission. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(26, 5, 0)
#define SLURM_DESC_JOB_ID(desc) ((desc)->step_id.job_id)
#define SLURM_INFO_JOB_ID(info) ((info)->step_id.job_id)
#define SLURM_NOTIFY_JOB(id, text) slurm_notify_job(slurm_compat_step_id(id), (text))
#define SLURM_LOAD_JOB(msg, id, flags) slurm_load_job((msg), slurm_compat_step_id(id), (flags))
static inline slurm_step_id_t slurm_compat_step_id(uint32_t job_id)
{
    slurm_step_id_t id = SLURM_STEP_ID_INITIALIZER;
    id.job_id = job_id;
    return id;
}
#else
#define SLURM_DESC_JOB_ID(desc) ((desc)->job_id)
#define SLURM_INFO_JOB_ID(info) ((info)->job_id)
#define SLURM_NOTIFY_JOB(id, text) slurm_notify_job((id), (text))
#define SLURM_LOAD_JOB(msg, id, flags) slurm_load_job((msg), (id), (flags))
#endif

#endif
