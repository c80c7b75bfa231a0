/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of nodes, by a node list of the test's making. Names are numbers here, but for
 * localhost, so that no resolver is asked.
 */
#include "config.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carnotctld/node_address.h"
#include "carnotctld/slurm_list.h"
#include "unit.h"

static struct {
    pthread_mutex_t lock;
    int down, loads;
} slurm = {.lock = PTHREAD_MUTEX_INITIALIZER};

int slurm_list_nodes(struct slurm_node **nodes, size_t *n, struct err *e)
{
    static const struct slurm_node all[] = {
        {"n2", "10.0.0.2", "10.1.0.2"}, /* two networks */
        {"n1", "10.0.0.1", "10.0.0.1"},
        {"here", "localhost", "here.invalid"},
        {"nowhere", "nowhere.invalid", "nowhere.invalid"},
    };
    pthread_mutex_lock(&slurm.lock);
    int down = slurm.down;
    slurm.loads++;
    pthread_mutex_unlock(&slurm.lock);
    if (down)
        return err_set(e, "no Slurm");
    *nodes = malloc(sizeof(all));
    memcpy(*nodes, all, sizeof(all));
    *n = sizeof(all) / sizeof(all[0]);
    return 0;
}

static struct in_addr address(const char *text)
{
    struct in_addr a;
    UNIT_INT(inet_pton(AF_INET, text, &a), 1, "%s", text);
    return a;
}

/* Ask until there is an answer; -1 when there is none within some seconds. */
static int settled(const char *node, const char *text)
{
    int rc = -1;
    for (int tries = 0; rc < 0 && tries < 1000; tries++) {
        rc = node_address_is(node, address(text));
        if (rc < 0)
            usleep(10000);
    }
    return rc;
}

static void test_table(void)
{
    static const struct {
        const char *node, *address;
        int is;
    } rows[] = {
        {"n1", "10.0.0.1", 1},      {"n1", "10.0.0.2", 0},    {"n2", "10.0.0.2", 1},
        {"n2", "10.1.0.2", 1},      {"n2", "10.0.0.1", 0},    {"n1", "127.0.0.1", 0},
        {"here", "127.0.0.1", 1},   {"here", "127.0.1.1", 1}, /* Debian's own name */
        {"here", "10.0.0.1", 0},    {"n3", "10.0.0.1", 0},    {"", "10.0.0.1", 0},
        {"nowhere", "10.0.0.1", 0}, {"n1", "0.0.0.0", 0},
    };
    struct err e = {.text = ""};
    UNIT_INT(node_address_is("n1", address("10.0.0.1")), -1, "nothing is known before it runs");
    UNIT_INT(node_address_start(&e), 0, "%s", e.text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        UNIT_INT(settled(rows[i].node, rows[i].address), rows[i].is, "row %zu: %s at %s", i,
                 rows[i].node, rows[i].address);
    UNIT_INT(slurm.loads, 1, "one list for all of them");
    node_address_stop();
    UNIT_INT(node_address_is("n1", address("10.0.0.1")), -1, "forgotten");
}

static void test_slurm_away(void)
{
    struct err e = {.text = ""};
    slurm.down = 1;
    UNIT_INT(node_address_start(&e), 0, "%s", e.text);
    UNIT_INT(node_address_is("n1", address("10.0.0.1")), -1, "asked");
    for (int tries = 0; tries < 500; tries++) {
        pthread_mutex_lock(&slurm.lock);
        int loads = slurm.loads;
        pthread_mutex_unlock(&slurm.lock);
        if (loads)
            break;
        usleep(10000);
    }
    UNIT_INT(node_address_is("n1", address("10.0.0.9")), -1, "never no without a list");
    pthread_mutex_lock(&slurm.lock);
    slurm.down = 0;
    pthread_mutex_unlock(&slurm.lock);
    UNIT_INT(settled("n1", "10.0.0.1"), 1, "once it is back");
    node_address_stop();
}

static void test_vague(void)
{
    UNIT_INT(node_address_is_vague(address("127.0.0.1")), 1, "loopback");
    UNIT_INT(node_address_is_vague(address("127.0.1.1")), 1, "Debian's");
    UNIT_INT(node_address_is_vague(address("0.0.0.0")), 1, "none");
    UNIT_INT(node_address_is_vague(address("10.0.0.1")), 0, "an address");
}

static const struct unit_case cases[] = {
    {"table", test_table},
    {"slurm_away", test_slurm_away},
    {"vague", test_vague},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return unit_main(argc, argv, cases, "node_address");
}
