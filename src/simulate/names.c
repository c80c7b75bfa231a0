/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table that only grows. The names' bytes lie in one buffer, so that a million rows of a
 * few users cost a few allocations.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/names.h"

#define ROOM_FIRST 1024

/* FNV-1a, 64 bits (RFC draft-eastlake-fnv: offset basis and prime). */
static uint64_t _hash(uint32_t owner, struct span name)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (int i = 0; i < 32; i += 8)
        hash = (hash ^ ((owner >> i) & 0xff)) * 0x100000001b3u;
    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ (unsigned char)name.p[i]) * 0x100000001b3u;
    hash ^= hash >> 32; /* the table takes the low bits */
    return hash ? hash : 1;
}

/* Twice the places; room for one more name is there afterwards. */
static int _grow(struct names *names)
{
    size_t room = names->room ? 2 * names->room : ROOM_FIRST;
    struct name *table = calloc(room, sizeof(*table));

    if (!table)
        return -1;
    for (size_t i = 0; i < names->room; i++) {
        size_t at = names->table[i].hash & (room - 1);

        if (!names->table[i].hash)
            continue;
        while (table[at].hash)
            at = (at + 1) & (room - 1);
        table[at] = names->table[i];
    }
    free(names->table);
    names->table = table;
    names->room = room;
    return 0;
}

static int _keep(struct names *names, struct span name)
{
    if (names->text_room - names->used < name.n) {
        size_t room = 2 * names->text_room + name.n + ROOM_FIRST;
        char *text = realloc(names->text, room);

        if (!text)
            return -1;
        names->text = text;
        names->text_room = room;
    }
    if (name.n)
        memcpy(names->text + names->used, name.p, name.n);
    names->used += name.n;
    return 0;
}

int names_number(struct names *names, uint32_t owner, struct span name, uint32_t *number)
{
    uint64_t hash = _hash(owner, name);
    struct name *place;
    size_t at;

    /* at least a third of the places stay free: short ways */
    if (names->n >= names->room - names->room / 3 && _grow(names) < 0)
        return -1;
    for (at = hash & (names->room - 1);; at = (at + 1) & (names->room - 1)) {
        place = &names->table[at];
        if (!place->hash)
            break;
        if (place->hash == hash && place->owner == owner && place->n == name.n &&
            (name.n == 0 || memcmp(names->text + place->at, name.p, name.n) == 0)) {
            *number = place->number;
            return 0;
        }
    }
    if (_keep(names, name) < 0)
        return -1;
    *place = (struct name){hash, names->used - name.n, name.n, owner, names->n++};
    *number = place->number;
    return 0;
}

void names_fini(struct names *names)
{
    int saved = errno;

    free(names->table);
    free(names->text);
    *names = (struct names){0};
    errno = saved;
}
