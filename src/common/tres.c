/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/tres.h"

static uint32_t saturate(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* "gpu:4", "gpu:a100:2", "gres:gpu=4", "gres/gpu:a100:2,nic:1": the GPUs of such an expression,
 * NULL: none. Saturates; one without a count is one. */
static uint32_t gpus_in(const char *tres)
{
    uint64_t sum = 0;
    for (const char *p = tres; p && *p;) {
        size_t len = strcspn(p, ",;");
        const char *gpu = memmem(p, len, "gpu", 3);
        if (gpu && (gpu == p || gpu[-1] == ':' || gpu[-1] == '/')) {
            const char *end = p + len, *digits = end;
            while (digits > gpu && isdigit((unsigned char)digits[-1]))
                digits--;
            int counted = digits < end && (digits[-1] == ':' || digits[-1] == '=');
            sum += counted ? strtoul(digits, NULL, 10) & 0xffffffff : 1;
        }
        p += len + (p[len] != '\0');
    }
    return saturate(sum);
}

uint32_t tres_gpus_asked(const char *per_job, const char *per_node, const char *per_task,
                         uint64_t nodes, uint64_t tasks)
{
    uint64_t gpus = gpus_in(per_job);
    uint64_t by_node = gpus_in(per_node) * (uint64_t)saturate(nodes ? nodes : 1);
    uint64_t by_task = gpus_in(per_task) * (uint64_t)saturate(tasks ? tasks : 1);
    gpus = by_node > gpus ? by_node : gpus;
    gpus = by_task > gpus ? by_task : gpus;
    return saturate(gpus);
}
