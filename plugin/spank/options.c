/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our options as Slurm wants them: registered one by one, since sbatch and
 * salloc ignore the spank_options table. Runs wherever the plugin is
 * initialised, as user or root; one thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "placement/request.h"

/* SPANK's struct is not const-correct; Slurm copies the texts and changes none. */
static char *_text(const char *s)
{
    return (char *)(uintptr_t)s;
}

int options_register(spank_t sp, spank_opt_cb_f cb)
{
    for (size_t i = 0; i < REQUEST_N_OPTIONS; i++) {
        const struct request_option_desc *d = &request_options[i];
        struct spank_option option = {
            .name = _text(d->name),
            .arginfo = _text(d->arginfo),
            .usage = _text(d->help),
            .has_arg = !request_is_flag(d),
            .val = (int)d->option,
            .cb = cb,
        };
        spank_err_t rc = spank_option_register(sp, &option);

        if (rc != ESPANK_SUCCESS)
            return (int)rc;
    }
    return 0;
}

const char *options_leak(char *buf, size_t size, size_t i)
{
    static const char *const prefixes[] = {
        "_SLURM_SPANK_OPTION_carnot_",
        "SLURM_SPANK__SLURM_SPANK_OPTION_carnot_",
    };
    const size_t n_prefixes = sizeof(prefixes) / sizeof(prefixes[0]);
    size_t option = i / (n_prefixes + 1), kind = i % (n_prefixes + 1);
    int n;

    if (option > REQUEST_N_OPTIONS || (option == REQUEST_N_OPTIONS && kind > 0))
        return NULL;
    if (option == REQUEST_N_OPTIONS) {
        n = snprintf(buf, size, "SLURM_SPANK_" REQUEST_TTY_NAME);
    } else if (kind == n_prefixes) {
        n = snprintf(buf, size, "SLURM_SPANK_%s", request_options[option].env);
    } else {
        n = snprintf(buf, size, "%s%s", prefixes[kind], request_options[option].name);
        /* Slurm makes a variable's name of the option's in the same way */
        for (char *p = buf + strlen(prefixes[kind]); n > 0 && *p; p++) {
            if (*p == '-')
                *p = '_';
        }
    }
    return n > 0 && (size_t)n < size ? buf : NULL;
}
