/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hwloc to struct topology. Start-up only; blocks on /sys for some tens of
 * milliseconds. I/O devices are left out: PCI takes most of the time, and nothing
 * here needs it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"
#include "topology/topology.h"

#define XML_HEAD 1024

/* FNV-1a, 64 bit: stable over machines and releases, which is all that is asked of it. */
#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t _hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * FNV_PRIME;
    return hash;
}

/* A number, least significant byte first whatever the machine. */
static uint64_t _hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return _hash_bytes(hash, bytes, sizeof(bytes));
}

/* Type by name, since hwloc's enum may be renumbered; caches with their size; then the children.
 * Memory sizes are left out: what the kernel keeps for itself differs from boot to boot. */
static uint64_t _hash_object(uint64_t hash, hwloc_obj_t o, int depth)
{
    char type[32];

    if (depth > 64)
        return hash;
    (void)hwloc_obj_type_snprintf(type, sizeof(type), o, 0);
    hash = _hash_bytes(hash, type, strlen(type) + 1);
    if (hwloc_obj_type_is_cache(o->type))
        hash = _hash_number(hash, o->attr->cache.size);
    hash = _hash_number(hash, o->memory_arity);
    hash = _hash_number(hash, o->arity);
    for (hwloc_obj_t child = o->first_child; child; child = child->next_sibling)
        hash = _hash_object(hash, child, depth + 1);
    return hash;
}

static uint32_t _count(hwloc_topology_t hw, hwloc_obj_type_t type)
{
    int n = hwloc_get_nbobjs_by_type(hw, type);

    return n > 0 ? (uint32_t)n : 0;
}

static uint32_t _count_inside(hwloc_topology_t hw, hwloc_obj_t o, hwloc_obj_type_t type)
{
    int n = o->cpuset ? hwloc_get_nbobjs_inside_cpuset_by_type(hw, o->cpuset, type) : 0;

    return n > 0 ? (uint32_t)n : 0;
}

static void _read_model(hwloc_topology_t hw, struct topology *t)
{
    hwloc_obj_t o = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PACKAGE, 0);
    const char *model = o ? hwloc_obj_get_info_by_name(o, "CPUModel") : NULL;

    if (!model)
        model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(hw), "CPUModel");
    (void)err_quote(t->model, sizeof(t->model), model);
    for (size_t n = strlen(t->model); n > 0 && t->model[n - 1] == ' '; n--)
        t->model[n - 1] = '\0'; /* virtual machines pad it */
}

static void _read_packages(hwloc_topology_t hw, struct topology *t)
{
    hwloc_obj_t o = NULL;
    uint32_t i = 0;

    while ((o = hwloc_get_next_obj_by_type(hw, HWLOC_OBJ_PACKAGE, o)) &&
           i < TOPOLOGY_PACKAGES_MAX) {
        struct topology_package *p = &t->packages[i++];

        p->number = o->os_index == HWLOC_UNKNOWN_INDEX ? -1 : (int)o->os_index;
        p->cores = _count_inside(hw, o, HWLOC_OBJ_CORE);
        p->pus = _count_inside(hw, o, HWLOC_OBJ_PU);
        p->numa = _count_inside(hw, o, HWLOC_OBJ_NUMANODE);
    }
}

/* hwloc 2 refuses XML of hwloc 3 without saying why on our channel. */
static int _check_xml(const char *xml, struct err *e)
{
    char head[XML_HEAD + 1];
    const char *version;
    ssize_t n;
    int fd = open(xml, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_errno(e, "cannot open %s", xml);
    n = read(fd, head, XML_HEAD);
    (void)close(fd);
    if (n < 0)
        return err_errno(e, "cannot read %s", xml);
    head[n] = '\0';
    version = strstr(head, "<topology version=\"");
    if (version && strtol(version + 19, NULL, 10) > 2) {
        errno = ENOTSUP;
        return err_set(e,
                       "%s is XML of hwloc 3, and this build has hwloc 2: export it with "
                       "'lstopo --export-xml-flags v2'",
                       xml);
    }
    return 0;
}

/* hwloc looks below a directory when the environment says so, before init. */
static int _set_sysroot(const char *sysroot, struct err *e)
{
    char cpus[512];

    if (path_format(cpus, sizeof(cpus), "%s/sys/devices/system/cpu/online", sysroot) < 0 ||
        access(cpus, R_OK) < 0)
        return err_errno(e, "%s holds no CPUs (%s)", sysroot, cpus);
    /* without this, hwloc would ask the CPU that we run on */
    if (setenv("HWLOC_FSROOT", sysroot, 1) < 0 || setenv("HWLOC_COMPONENTS", "-x86", 1) < 0)
        return err_errno(e, "cannot set HWLOC_FSROOT");
    return 0;
}

static int _load(hwloc_topology_t *hw, const char *xml, struct err *e)
{
    if (hwloc_topology_init(hw) < 0)
        return err_errno(e, "hwloc cannot start");
    /* The x86 backend would run on each CPU in turn, jobs' CPUs too; the kernel says the same. */
    (void)hwloc_topology_set_components(*hw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    if ((xml && hwloc_topology_set_xml(*hw, xml) < 0) ||
        hwloc_topology_set_io_types_filter(*hw, HWLOC_TYPE_FILTER_KEEP_NONE) < 0 ||
        hwloc_topology_set_type_filter(*hw, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE) < 0 ||
        hwloc_topology_load(*hw) < 0) {
        int saved = errno;

        hwloc_topology_destroy(*hw);
        errno = saved ? saved : EINVAL;
        return err_set(e, "hwloc cannot read %s", xml ? xml : "this machine");
    }
    return 0;
}

int topology_load(struct topology *t, const char *sysroot, const char *xml, struct err *e)
{
    struct topology local;
    hwloc_topology_t hw;
    int rc;

    memset(&local, 0, sizeof(local));
    (void)setenv("HWLOC_HIDE_ERRORS", "2", 0);
    if (xml && _check_xml(xml, e) < 0)
        return -1;
    if (!xml && sysroot[0] && _set_sysroot(sysroot, e) < 0)
        return -1;
    rc = _load(&hw, xml, e);
    if (!xml && sysroot[0]) {
        (void)unsetenv("HWLOC_FSROOT");
        (void)unsetenv("HWLOC_COMPONENTS");
    }
    if (rc < 0)
        return -1;
    local.n_packages = _count(hw, HWLOC_OBJ_PACKAGE);
    local.cores = _count(hw, HWLOC_OBJ_CORE);
    local.pus = _count(hw, HWLOC_OBJ_PU);
    local.numa = _count(hw, HWLOC_OBJ_NUMANODE);
    _read_packages(hw, &local);
    _read_model(hw, &local);
    (void)snprintf(local.fingerprint, sizeof(local.fingerprint), "%016" PRIx64,
                   _hash_object(FNV_BASIS, hwloc_get_root_obj(hw), 0));
    hwloc_topology_destroy(hw);
    *t = local;
    return 0;
}

int topology_package_index(const struct topology *t, int number)
{
    for (uint32_t i = 0; number >= 0 && i < t->n_packages && i < TOPOLOGY_PACKAGES_MAX; i++) {
        if (t->packages[i].number == number)
            return (int)i;
    }
    return -1;
}
