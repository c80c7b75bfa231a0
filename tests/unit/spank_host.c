/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's side of the SPANK interface, scripted (spank_host.h). The functions
 * below are those of slurm/spank.h, found by the plugin in this program.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC visibility push(default)
#include <slurm/spank.h>
#pragma GCC visibility pop

#include "spank_host.h"

struct spank_host *host;

static void *plugin;

static void _note(struct host_lines *lines, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void _note(struct host_lines *lines, const char *fmt, ...)
{
    va_list ap;

    if (lines->n == HOST_LINES)
        abort();
    va_start(ap, fmt);
    (void)vsnprintf(lines->line[lines->n++], HOST_LINE, fmt, ap);
    va_end(ap);
}

spank_context_t spank_context(void)
{
    return host->context;
}

int spank_remote(spank_t spank)
{
    (void)spank;
    return host->context == S_CTX_REMOTE;
}

spank_err_t spank_option_register(spank_t spank, struct spank_option *opt)
{
    struct host_option *o = &host->option[host->n_options];

    (void)spank;
    if (host->refuse_option)
        return (spank_err_t)host->refuse_option;
    if (host->n_options == HOST_OPTIONS)
        abort();
    (void)snprintf(o->name, sizeof(o->name), "%s", opt->name);
    (void)snprintf(o->arginfo, sizeof(o->arginfo), "%s", opt->arginfo);
    (void)snprintf(o->usage, sizeof(o->usage), "%s", opt->usage);
    o->has_arg = opt->has_arg;
    o->val = opt->val;
    o->cb = opt->cb;
    host->n_options++;
    return ESPANK_SUCCESS;
}

/* As 22.05: prolog and epilog know job and user, nothing else does outside of slurmstepd. */
spank_err_t spank_get_item(spank_t spank, spank_item_t item, ...)
{
    va_list ap;
    void *out;

    (void)spank;
    va_start(ap, item);
    out = va_arg(ap, void *);
    va_end(ap);
    if (host->refuse_items || (host->context != S_CTX_REMOTE && host->context != S_CTX_JOB_SCRIPT))
        return ESPANK_NOT_REMOTE;
    if (item == S_JOB_ID) {
        *(uint32_t *)out = host->job_id;
        return ESPANK_SUCCESS;
    }
    if (item == S_JOB_UID) {
        *(uid_t *)out = host->uid;
        return ESPANK_SUCCESS;
    }
    if (host->context != S_CTX_REMOTE)
        return ESPANK_NOT_REMOTE;
    if (item == S_JOB_STEPID)
        *(uint32_t *)out = host->step_id;
    else if (item == S_JOB_NCPUS)
        *(uint16_t *)out = host->ncpus;
    else if (item == S_JOB_ALLOC_CORES)
        *(const char **)out = host->cores;
    else if (item == S_JOB_ARRAY_ID)
        *(uint32_t *)out = host->array_id;
    else if (item == S_JOB_ARRAY_TASK_ID)
        *(uint32_t *)out = host->array_task;
    else
        return ESPANK_BAD_ARG;
    return ESPANK_SUCCESS;
}

spank_err_t spank_unsetenv(spank_t spank, const char *var)
{
    (void)spank;
    _note(&host->unset, "%s", var);
    return ESPANK_SUCCESS;
}

spank_err_t spank_job_control_setenv(spank_t sp, const char *name, const char *value, int overwrite)
{
    (void)sp;
    (void)overwrite;
    _note(&host->control, "%s=%s", name, value);
    return ESPANK_SUCCESS;
}

spank_err_t spank_job_control_unsetenv(spank_t sp, const char *name)
{
    (void)sp;
    _note(&host->control, "-%s", name);
    return ESPANK_SUCCESS;
}

void slurm_error(const char *format, ...)
{
    char line[HOST_LINE * 2];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    _note(&host->error, "%.*s", HOST_LINE - 1, line);
}

void slurm_debug(const char *format, ...)
{
    char line[HOST_LINE * 2];
    va_list ap;

    /* only so that a sanitizer sees the arguments */
    va_start(ap, format);
    (void)vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
}

int host_open(const char *path)
{
    host = mmap(NULL, sizeof(*host), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (host == MAP_FAILED)
        return -1;
    plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        (void)fprintf(stderr, "%s\n", dlerror());
        return -1;
    }
    return 0;
}

int host_exports(const char *symbol)
{
    return dlsym(plugin, symbol) != NULL;
}

int host_call(const char *hook, int argc, char **argv)
{
    char name[64];
    spank_f *f;

    (void)snprintf(name, sizeof(name), "slurm_spank_%s", hook);
    *(void **)&f = dlsym(plugin, name);
    return f ? f(NULL, argc, argv) : -1000;
}

/* In the child: what sbatch does from its start to its end. */
static int _submit(const char *const options[], int n)
{
    if (host_call("init", 0, NULL) != 0)
        return 100;
    for (int i = 0; i < n; i++) {
        size_t len = strcspn(options[i], "=");
        int j = 0;

        while (j < host->n_options && (strlen(host->option[j].name) != len ||
                                       strncmp(host->option[j].name, options[i], len) != 0))
            j++;
        if (j == host->n_options)
            return 101;
        if (host->option[j].cb(host->option[j].val, options[i] + len + 1, 0) != 0)
            return 102;
    }
    if (host_call("init_post_opt", 0, NULL) != 0)
        return 103;
    return host_call("exit", 0, NULL) != 0 ? 104 : 0;
}

int host_submit(spank_context_t context, const char *const options[], int n)
{
    int status;
    pid_t pid;

    memset(host, 0, sizeof(*host));
    host->context = context;
    pid = fork();
    if (pid == 0)
        _exit(_submit(options, n));
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}
