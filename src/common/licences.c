/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One scan over the items of an expression, which stand apart by commas or semicolons. An item is a
 * name, perhaps with a number behind a colon, or behind "=", which some releases accept as well.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/licences.h"

#define EXPRESSION_MAX 4096

static const char blanks[] = " \t\n";

struct item {
    const char *text;
    size_t len, name_len;
};

/* The next item that is not empty: 1, or 0 at the end. */
static int next(const char **at, struct item *i)
{
    *at += strspn(*at, ",; \t\n");
    i->text = *at;
    i->len = strcspn(*at, ",;");
    *at += i->len;
    while (i->len > 0 && strchr(blanks, i->text[i->len - 1]))
        i->len--;
    i->name_len = strcspn(i->text, ":=*,; \t\n");
    if (i->name_len > i->len)
        i->name_len = i->len;
    return i->len > 0;
}

static int is(const struct item *i, const char *name)
{
    return i->name_len == strlen(name) && memcmp(i->text, name, i->name_len) == 0;
}

static uint32_t number(const struct item *i)
{
    if (i->name_len == i->len)
        return 1;
    unsigned long long n = strtoull(i->text + i->name_len + 1, NULL, 10);
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

uint32_t licences_count(const char *text, const char *name)
{
    const char *at = text ? text : "";
    struct item i;
    uint64_t sum = 0;
    while (next(&at, &i))
        if (is(&i, name))
            sum += number(&i);
    return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

int licences_are_choice(const char *text)
{
    return text && strchr(text, '|') != NULL;
}

int licences_set(const char *text, const char *name, uint32_t n, char *buf, size_t size)
{
    const char *at = text ? text : "";
    char out[EXPRESSION_MAX];
    size_t used = 0;
    struct item i;
    if (licences_are_choice(at) || strnlen(at, sizeof(out)) == sizeof(out))
        return -1;
    out[0] = '\0';
    while (next(&at, &i)) {
        if (is(&i, name))
            continue;
        if (used + i.len + 2 > sizeof(out))
            return -1;
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%.*s", used ? "," : "",
                                 (int)i.len, i.text);
    }
    if (n > 0) {
        int more = snprintf(out + used, sizeof(out) - used, "%s%s:%u", used ? "," : "", name, n);
        if (more < 0 || (size_t)more >= sizeof(out) - used)
            return -1;
        used += (size_t)more;
    }
    if (used >= size)
        return -1;
    memcpy(buf, out, used + 1);
    return 0;
}
