/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * getpwuid_r and getpwnam_r with a buffer that holds any sane entry.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

#include "common/user.h"

#define ENTRY_MAX 16384

char *user_name(char *buf, size_t size, uid_t uid)
{
    struct passwd pw, *found = NULL;
    char text[ENTRY_MAX];
    if (getpwuid_r(uid, &pw, text, sizeof(text), &found) == 0 && found)
        (void)snprintf(buf, size, "%s", found->pw_name);
    else
        (void)snprintf(buf, size, "%lu", (unsigned long)uid);
    return buf;
}

int user_uid(const char *name, uid_t *uid)
{
    struct passwd pw, *found = NULL;
    char text[ENTRY_MAX];
    if (getpwnam_r(name, &pw, text, sizeof(text), &found) != 0 || !found) {
        errno = ENOENT;
        return -1;
    }
    *uid = found->pw_uid;
    return 0;
}
