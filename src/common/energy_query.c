/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about energy and their answers, to and from text. Runs as root in slurmd, slurmstepd
 * and carnotd: nothing in a message is believed before it was looked at. Pure, no allocation.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/energy_query.h"
#include "common/message.h"

#define QUERY "carnot1 query="
#define ANSWER "carnot1 answer="
#define WORDS_MAX 16

struct word {
    const char *key, *value;
    size_t key_len, value_len;
};

/* "key=value key=value" cut at its blanks. */
struct words {
    struct word v[WORDS_MAX];
    size_t n;
};

int energy_query_is(const char *text, size_t size)
{
    return size >= sizeof(QUERY) - 1 && memcmp(text, QUERY, sizeof(QUERY) - 1) == 0;
}

static bool _same(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

static bool _repeats(const struct words *w, const struct word *word)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->v[i].key_len == word->key_len && memcmp(w->v[i].key, word->key, word->key_len) == 0)
            return true;
    }
    return false;
}

/* What follows the version; each word once and with a key. */
static int _cut(struct words *w, const char *text, size_t size, struct err *e)
{
    size_t at = sizeof("carnot1 ") - 1;

    w->n = 0;
    if (!message_is_printable(text, size))
        return err_set(e, "energy message: a byte that is not printable");
    while (at < size) {
        const char *blank = memchr(text + at, ' ', size - at);
        size_t n = blank ? (size_t)(blank - text) - at : size - at;
        const char *equals = memchr(text + at, '=', n);
        struct word word = {.key = text + at};

        if (!equals || equals == text + at || w->n == WORDS_MAX)
            return err_set(e, "energy message: a word that is not KEY=VALUE, or too many");
        word.key_len = (size_t)(equals - word.key);
        word.value = equals + 1;
        word.value_len = n - word.key_len - 1;
        if (_repeats(w, &word))
            return err_set(e, "energy message: a key comes twice");
        w->v[w->n++] = word;
        at += n + 1;
    }
    return 0;
}

static const struct word *_find(const struct words *w, const char *key)
{
    for (size_t i = 0; i < w->n; i++) {
        if (_same(w->v[i].key, w->v[i].key_len, key))
            return &w->v[i];
    }
    return NULL;
}

/* Digits and nothing else, min to max. */
static int _number(const struct words *w, const char *key, uint64_t min, uint64_t max,
                   uint64_t *out, struct err *e)
{
    const struct word *word = _find(w, key);
    uint64_t value = 0;

    if (!word || word->value_len == 0 || word->value_len > 20)
        return err_set(e, "energy message: no number %s", key);
    if (!message_number(word->value, word->value_len, UINT64_MAX, &value))
        return err_set(e, "energy message: %s is no number", key);
    if (value < min || value > max)
        return err_set(e, "energy message: %s is out of its range", key);
    *out = value;
    return 0;
}

static bool _is_name(const char *text, size_t n, bool is_node)
{
    return is_node ? message_is_node(text, n) : message_is_word(text, n);
}

static int _name(const struct words *w, const char *key, bool is_node, char *buf, size_t size,
                 struct err *e)
{
    const struct word *word = _find(w, key);

    if (!word || word->value_len >= size || !_is_name(word->value, word->value_len, is_node))
        return err_set(e, "energy message: no proper %s", key);
    memcpy(buf, word->value, word->value_len);
    buf[word->value_len] = '\0';
    return 0;
}

static int _begin(struct words *w, const char *begin, const char *text, size_t size, struct err *e)
{
    size_t n = strlen(begin);

    errno = EINVAL;
    if (!text || size > ENERGY_MESSAGE_MAX)
        return err_set(e, "energy message: longer than %d bytes", ENERGY_MESSAGE_MAX);
    if (size < n || memcmp(text, begin, n) != 0)
        return err_set(e, "energy message: does not begin with '%s'", begin);
    return _cut(w, text, size, e);
}

int energy_query_parse(struct energy_query *q, const char *text, size_t size, struct err *e)
{
    struct energy_query local = {.of = ENERGY_OF_NONE};
    struct words w;
    uint64_t job = 0;

    if (_begin(&w, QUERY, text, size, e) < 0)
        return -1;
    if (_same(w.v[0].value, w.v[0].value_len, "node"))
        local.of = ENERGY_OF_NODE;
    else if (_same(w.v[0].value, w.v[0].value_len, "step"))
        local.of = ENERGY_OF_STEP;
    else
        return err_set(e, "energy message: a question for neither node nor step");
    if (_find(&w, "node") && _name(&w, "node", true, local.node, sizeof(local.node), e) < 0)
        return -1;
    if (local.of == ENERGY_OF_STEP &&
        (_number(&w, "job", 1, NODE_EVENT_UNKNOWN - 1, &job, e) < 0 ||
         _name(&w, "step", false, local.step, sizeof(local.step), e) < 0))
        return -1;
    local.job_id = (uint32_t)job;
    *q = local;
    return 0;
}

int energy_answer_parse(struct energy_answer *a, const char *text, size_t size, struct err *e)
{
    struct energy_answer local = {.of = ENERGY_OF_NONE};
    struct words w;
    uint64_t mono_ms = 0;

    if (_begin(&w, ANSWER, text, size, e) < 0)
        return -1;
    if (_same(w.v[0].value, w.v[0].value_len, "node"))
        local.of = ENERGY_OF_NODE;
    else if (_same(w.v[0].value, w.v[0].value_len, "step"))
        local.of = ENERGY_OF_STEP;
    else if (!_same(w.v[0].value, w.v[0].value_len, "none"))
        return err_set(e, "energy message: an answer for neither node nor step");
    if (local.of != ENERGY_OF_NONE && (_number(&w, "run", 1, UINT64_MAX, &local.run, e) < 0 ||
                                       _number(&w, "uj", 0, ENERGY_UJ_MAX, &local.uj, e) < 0 ||
                                       _number(&w, "mono_ms", 0, INT64_MAX / 2, &mono_ms, e) < 0))
        return -1;
    local.mono_ms = (int64_t)mono_ms;
    *a = local;
    return 0;
}

static int _written(int n, size_t size)
{
    if (n >= 0 && (size_t)n < size && n <= ENERGY_MESSAGE_MAX)
        return n;
    errno = ENOSPC;
    return -1;
}

int energy_query_format(char *buf, size_t size, const struct energy_query *q)
{
    struct energy_query again;
    char node[NODE_EVENT_NODE_MAX + 8] = "";
    int n;

    if (q->node[0])
        (void)snprintf(node, sizeof(node), " node=%s", q->node);
    if (q->of == ENERGY_OF_STEP)
        n = snprintf(buf, size, QUERY "step job=%" PRIu32 " step=%s%s", q->job_id, q->step, node);
    else
        n = snprintf(buf, size, QUERY "node%s", node);
    if (_written(n, size) < 0)
        return -1;
    return energy_query_parse(&again, buf, (size_t)n, NULL) == 0 ? n : -1;
}

int energy_answer_format(char *buf, size_t size, const struct energy_answer *a)
{
    struct energy_answer again;
    int n;

    if (a->of == ENERGY_OF_NONE)
        n = snprintf(buf, size, ANSWER "none");
    else
        n = snprintf(buf, size, ANSWER "%s run=%" PRIu64 " uj=%" PRIu64 " mono_ms=%" PRId64,
                     a->of == ENERGY_OF_STEP ? "step" : "node", a->run, a->uj, a->mono_ms);
    if (_written(n, size) < 0)
        return -1;
    return energy_answer_parse(&again, buf, (size_t)n, NULL) == 0 ? n : -1;
}
