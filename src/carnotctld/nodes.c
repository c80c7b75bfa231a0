/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carnotctld/nodes.h"

#define TROUBLES_MAX 32 /* of one node */

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
    for (size_t i = 0; i < c->n_nodes; i++)
        json_decref(c->nodes[i].troubles);
    free(c->nodes);
    c->nodes = NULL;
    c->n_nodes = 0;
}

static int is_trouble(const char *state)
{
    static const char *const states[] = {"reset", "implausible", "stale", "missing"};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(state, states[i]) == 0)
            return 1;
    return 0;
}

/* A node's word is printed on operators' terminals. */
static const char *text_of(const json_t *o, const char *key, char *buf, size_t size)
{
    const char *s = json_string_value(json_object_get(o, key));
    return err_quote(buf, size, s ? s : "");
}

void nodes_note_sources(struct ctl_node *n, const json_t *sources)
{
    char name[64], state[16], error[128];
    json_decref(n->troubles);
    n->troubles = NULL;
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *s = json_array_get(sources, i);
        if (json_array_size(n->troubles) == TROUBLES_MAX ||
            !is_trouble(text_of(s, "state", state, sizeof(state))))
            continue;
        if (!n->troubles)
            n->troubles = json_array();
        json_array_append_new(n->troubles,
                              json_pack("{s:s,s:s,s:s}", "name",
                                        text_of(s, "name", name, sizeof(name)), "state", state,
                                        "error", text_of(s, "error", error, sizeof(error))));
    }
}

int nodes_reporting(const struct ctl *c, const struct ctl_node *n)
{
    return ctl_now_ms(c) - n->heard_ms <= 5 * c->set.node.report_interval_ms + 5000;
}
