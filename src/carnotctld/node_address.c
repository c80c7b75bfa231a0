/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm's node list with the addresses behind its names. A node's names are looked up when it is
 * first asked for, again when an hour has passed, or at once (but not more than once a minute) when
 * the answer would be no: addresses change, and a node must not be refused for what was true
 * before.
 */
#include "config.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "carnotctld/node_address.h"
#include "carnotctld/slurm_list.h"
#include "common/clock.h"
#include "common/log.h"

#define ADDRESSES_MAX 8
#define GOOD_MS 3600000 /* how long an address counts */
#define FRESH_MS 60000  /* how old a "no" and the node list may be */
#define RETRY_MS 5000   /* after slurmctld did not answer */

/* Addresses in network order, without repetition. */
struct address_list {
    in_addr_t at[ADDRESSES_MAX];
    size_t n;
};

struct node {
    struct slurm_node names;
    struct address_list addresses;
    int64_t looked_ms; /* monotonic; 0 = never */
    int asked;
};

/* lock guards everything but here, which is the thread's until it has stored it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    int running, stop, asked;
    struct node *nodes; /* sorted by name */
    size_t n_nodes;
    int64_t listed_ms; /* monotonic; 0 = never */
    struct ifaddrs *here;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_system);
}

static int is_loopback(in_addr_t a)
{
    return ntohl(a) >> 24 == IN_LOOPBACKNET;
}

int node_address_is_vague(struct in_addr address)
{
    return address.s_addr == htonl(INADDR_ANY) || is_loopback(address.s_addr);
}

static int is_here(in_addr_t a)
{
    if (is_loopback(a))
        return 1;
    for (const struct ifaddrs *i = table.here; i; i = i->ifa_next) {
        struct sockaddr_in in;
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&in, i->ifa_addr, sizeof(in));
        if (in.sin_addr.s_addr == a)
            return 1;
    }
    return 0;
}

static int has(const struct node *n, in_addr_t a)
{
    for (size_t i = 0; i < n->addresses.n; i++)
        if (n->addresses.at[i] == a || (is_here(n->addresses.at[i]) && is_here(a)))
            return 1;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->names.name, ((const struct node *)b)->names.name);
}

static int is_called(const void *name, const void *node)
{
    return strcmp(name, ((const struct node *)node)->names.name);
}

static struct node *find(const char *name)
{
    return table.n_nodes
               ? bsearch(name, table.nodes, table.n_nodes, sizeof(*table.nodes), is_called)
               : NULL;
}

static int ask(struct node *n)
{
    if (n)
        n->asked = 1;
    table.asked = 1;
    pthread_cond_signal(&table.wake);
    return -1;
}

static int answer(const char *name, in_addr_t address)
{
    int64_t now = now_ms();
    struct node *n = find(name);
    if (!n)
        return table.listed_ms && now - table.listed_ms < FRESH_MS ? 0 : ask(NULL);
    if (n->looked_ms && now - n->looked_ms < GOOD_MS && has(n, address))
        return 1;
    return n->looked_ms && now - n->looked_ms < FRESH_MS ? 0 : ask(n);
}

int node_address_is(const char *node, struct in_addr address)
{
    pthread_mutex_lock(&table.lock);
    int rc = answer(node, address.s_addr);
    pthread_mutex_unlock(&table.lock);
    return rc;
}

static void add_addresses(struct address_list *list, const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!name[0] || getaddrinfo(name, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *a = found; a && list->n < ADDRESSES_MAX; a = a->ai_next) {
        struct sockaddr_in in;
        memcpy(&in, a->ai_addr, sizeof(in));
        list->at[list->n++] = in.sin_addr.s_addr;
    }
    freeaddrinfo(found);
}

/* The list anew; what was looked up of names that have not changed stays. Names that are new to
 * us are looked up when they are asked for. */
static void store_list(struct node *nodes, size_t n, struct ifaddrs *here)
{
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < n; i++) {
        const struct node *old = find(nodes[i].names.name);
        if (!old)
            continue;
        nodes[i].asked = old->asked;
        if (strcmp(old->names.address, nodes[i].names.address) != 0 ||
            strcmp(old->names.hostname, nodes[i].names.hostname) != 0)
            continue;
        nodes[i].addresses = old->addresses;
        nodes[i].looked_ms = old->looked_ms;
    }
    struct node *old_nodes = table.nodes;
    struct ifaddrs *old_here = table.here;
    table.nodes = nodes;
    table.n_nodes = n;
    table.here = here;
    table.listed_ms = now_ms();
    pthread_mutex_unlock(&table.lock);
    free(old_nodes);
    if (old_here)
        freeifaddrs(old_here);
}

static int load_list(void)
{
    struct slurm_node *names = NULL;
    struct ifaddrs *here = NULL;
    struct err e = {.text = ""};
    size_t n = 0;
    if (slurm_list_nodes(&names, &n, &e) < 0) {
        log_debug("%s: reports wait", e.text);
        return -1;
    }
    struct node *nodes = calloc(n ? n : 1, sizeof(*nodes));
    for (size_t i = 0; nodes && i < n; i++)
        nodes[i].names = names[i];
    free(names);
    if (!nodes)
        return -1;
    qsort(nodes, n, sizeof(*nodes), by_name);
    (void)getifaddrs(&here);
    store_list(nodes, n, here);
    return 0;
}

/* Only this thread changes the list, so that a node keeps its place while the lock is open. */
static void look_up_asked(void)
{
    for (size_t i = 0; i < table.n_nodes && !table.stop; i++) {
        struct address_list found = {.n = 0};
        struct slurm_node names = table.nodes[i].names;
        if (!table.nodes[i].asked)
            continue;
        pthread_mutex_unlock(&table.lock);
        add_addresses(&found, names.address);
        if (strcmp(names.hostname, names.address) != 0)
            add_addresses(&found, names.hostname);
        pthread_mutex_lock(&table.lock);
        if (found.n) /* else the resolver is away: what was true before is better than nothing */
            table.nodes[i].addresses = found;
        table.nodes[i].looked_ms = now_ms();
        table.nodes[i].asked = 0;
    }
}

/* Until somebody asks, or for so long; the caller holds the lock. */
static void wait_for_question(int64_t at_most_ms)
{
    int64_t until_ms = now_ms() + at_most_ms;
    struct timespec until = {until_ms / 1000, (until_ms % 1000) * 1000000L};
    while (!table.stop && (at_most_ms ? now_ms() < until_ms : !table.asked)) {
        if (at_most_ms)
            pthread_cond_timedwait(&table.wake, &table.lock, &until);
        else
            pthread_cond_wait(&table.wake, &table.lock);
    }
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&table.lock);
    while (!table.stop) {
        wait_for_question(0);
        if (table.stop)
            break;
        int rc = 0;
        if (!table.listed_ms || now_ms() - table.listed_ms >= FRESH_MS) {
            pthread_mutex_unlock(&table.lock);
            rc = load_list();
            pthread_mutex_lock(&table.lock);
        }
        if (rc < 0) {
            wait_for_question(RETRY_MS);
            continue;
        }
        table.asked = 0;
        look_up_asked();
    }
    pthread_mutex_unlock(&table.lock);
    return NULL;
}

int node_address_start(struct err *e)
{
    pthread_condattr_t attr;
    sigset_t all, before;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&table.wake, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&table.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        errno = rc;
        return err_errno(e, "cannot start the thread that looks up nodes");
    }
    table.running = 1;
    return 0;
}

void node_address_stop(void)
{
    if (!table.running)
        return;
    pthread_mutex_lock(&table.lock);
    table.stop = 1;
    pthread_cond_signal(&table.wake);
    pthread_mutex_unlock(&table.lock);
    pthread_join(table.thread, NULL);
    free(table.nodes);
    if (table.here)
        freeifaddrs(table.here);
    table.nodes = NULL;
    table.here = NULL;
    table.n_nodes = 0;
    table.running = table.stop = table.asked = 0;
    table.listed_ms = 0;
}
