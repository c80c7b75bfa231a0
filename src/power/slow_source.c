/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "power/slow_source.h"

struct own {
    struct slow_reader *reader;
    int index;
    int64_t deadline_ms;
};

static int _read(struct source *s, int64_t t_ms, uint64_t *raw_uj)
{
    const struct own *own = s->own;

    (void)t_ms;
    return slow_reader_get(own->reader, own->index, own->deadline_ms, raw_uj);
}

static void _close(struct source *s)
{
    struct own *own = s->own;

    if (own)
        slow_reader_release(own->reader);
    free(own);
    s->own = NULL;
}

static const struct source_ops ops = {.read = _read, .close = _close};

int slow_source_open(struct source *s, struct slow_reader *reader, int i, int64_t deadline_ms)
{
    struct own *own = malloc(sizeof(*own));

    if (!own)
        return -1;
    *own = (struct own){slow_reader_use(reader), i, deadline_ms};
    s->own = own;
    s->ops = &ops;
    return 0;
}

bool slow_source_waits(const struct source *s)
{
    const struct own *own = s->own;
    uint64_t uj;

    return s->ops == &ops && slow_reader_get(own->reader, own->index, own->deadline_ms, &uj) < 0 &&
           errno == EAGAIN;
}

int slow_source_start(struct source *s, int64_t period_ms, int64_t deadline_ms, slow_fetch fetch,
                      void (*release)(void *arg), void *arg, struct err *e)
{
    struct slow_reader *reader = slow_reader_create(1, period_ms, fetch, release, arg, e);
    int rc;

    if (!reader)
        return -1;
    rc = slow_source_open(s, reader, 0, deadline_ms);
    slow_reader_release(reader);
    return rc < 0 ? err_errno(e, "no memory for source %s", s->path) : 0;
}
