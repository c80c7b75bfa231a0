/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/nodes.h"

/* The first of the nodes that does not stand before name. */
static size_t place_of(const struct ctl *c, const char *name)
{
    size_t low = 0, high = c->n_nodes;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(c->nodes[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct ctl_node *nodes_find(const struct ctl *c, const char *name)
{
    size_t i = place_of(c, name);
    return i < c->n_nodes && strcmp(c->nodes[i].name, name) == 0 ? &c->nodes[i] : NULL;
}

struct ctl_node *nodes_get(struct ctl *c, const char *name)
{
    struct ctl_node *known = nodes_find(c, name);
    if (known)
        return known;
    struct ctl_node *grown = realloc(c->nodes, (c->n_nodes + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    c->nodes = grown;
    size_t i = place_of(c, name);
    memmove(&grown[i + 1], &grown[i], (c->n_nodes - i) * sizeof(*grown));
    memset(&grown[i], 0, sizeof(*grown));
    snprintf(grown[i].name, sizeof(grown[i].name), "%s", name);
    c->n_nodes++;
    return &grown[i];
}

int nodes_init(struct ctl *c, struct err *e)
{
    struct ledger_node *rows = NULL;
    size_t n = 0;
    int rc = ledger_node_list(c->ledger, &rows, &n, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct ctl_node *node = nodes_get(c, rows[i].node);
        if (node)
            node->counted_ms = (rows[i].last_s - 1) * 1000; /* a second that had begun */
        else
            rc = err_set(e, "no memory for %zu nodes", n);
    }
    free(rows);
    return rc;
}

void nodes_fini(struct ctl *c)
{
    free(c->nodes);
    c->nodes = NULL;
    c->n_nodes = 0;
}

int nodes_reporting(const struct ctl *c, const struct ctl_node *n)
{
    return ctl_now_ms(c) - n->heard_ms <= 5 * c->set.node.report_interval_ms + 5000;
}
