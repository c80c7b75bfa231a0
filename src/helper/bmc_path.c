/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apart from bmc.c, for those that judge paths and ask nobody.
 */
#include "config.h"

#include <string.h>

#include "helper/bmc.h"

bool bmc_is_path(const char *path)
{
    if (path[0] != '/' || strlen(path) >= BMC_PATH_MAX)
        return false;
    for (; *path; path++) {
        if (*path <= ' ' || *path > '~' || *path == '#' || *path == '?' || *path == '\\')
            return false;
    }
    return true;
}
