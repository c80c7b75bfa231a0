/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages from the SPANK plugin to carnotd, to and from text. One table of
 * keys serves both ways. Pure, no allocation; runs as root in slurmd,
 * slurmstepd and carnotd, so that nothing in a message is believed before it
 * was looked at.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/message.h"
#include "common/node_event.h"

#define MESSAGE_VERSION "carnot1"
/* Year 9999: later times are nonsense, and arithmetic on them might overflow. */
#define T_MS_MAX INT64_C(253402300799999)

enum key_type { KEY_KIND, KEY_U32, KEY_TIME, KEY_STEP, KEY_NODE, KEY_LIST, KEY_CAP };

struct key {
    const char *name;
    enum key_type type;
    size_t offset; /* in struct node_event */
    size_t size;   /* of the text there */
};

#define TEXT(field) offsetof(struct node_event, field), sizeof(((struct node_event *)0)->field)

/* In the order of the message. */
static const struct key keys[] = {
    {"event", KEY_KIND, TEXT(kind)},
    {"job", KEY_U32, TEXT(job_id)},
    {"step", KEY_STEP, TEXT(step)},
    {"uid", KEY_U32, TEXT(uid)},
    {"node", KEY_NODE, TEXT(node)},
    {"ncpus", KEY_U32, TEXT(ncpus)},
    {"cap", KEY_CAP, TEXT(cap)},
    {"exclusive", KEY_U32, TEXT(exclusive)},
    {"cores", KEY_LIST, TEXT(cores)},
    {"gpus", KEY_LIST, TEXT(gpus)},
    {"restart", KEY_U32, TEXT(restart)},
    {"array_job", KEY_U32, TEXT(array_job_id)},
    {"array_task", KEY_U32, TEXT(array_task_id)},
    {"t_ms", KEY_TIME, TEXT(t_ms)},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *const kind_names[] = {"", "start", "step", "stepend", "end"};
#define N_KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

void node_event_init(struct node_event *ev)
{
    memset(ev, 0, sizeof(*ev));
    ev->job_id = NODE_EVENT_UNKNOWN;
    ev->uid = NODE_EVENT_UNKNOWN;
    ev->ncpus = NODE_EVENT_UNKNOWN;
    ev->exclusive = NODE_EVENT_UNKNOWN;
    ev->restart = NODE_EVENT_UNKNOWN;
    ev->array_job_id = NODE_EVENT_UNKNOWN;
    ev->array_task_id = NODE_EVENT_UNKNOWN;
}

const char *node_event_kind_name(enum node_event_kind k)
{
    return (size_t)k < N_KINDS ? kind_names[k] : "";
}

static bool _is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "0-3,8": ranges need not be in order; that is for the reader to judge. */
static bool _is_list(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool between = i > 0 && i + 1 < n && _is_digit(text[i - 1]) && _is_digit(text[i + 1]);

        if (!_is_digit(text[i]) && !((text[i] == ',' || text[i] == '-') && between))
            return false;
    }
    return n > 0;
}

static bool _is_text(enum key_type type, const char *text, size_t n)
{
    if (type == KEY_LIST)
        return _is_list(text, n);
    return type == KEY_NODE ? message_is_node(text, n) : message_is_word(text, n);
}

static bool _read_cap(struct power_cap *cap, const char *text, size_t n)
{
    char copy[POWER_CAP_TEXT_SIZE];

    if (n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return power_cap_parse(cap, copy) == NULL;
}

/* The value of a key out of n bytes into *ev. */
static bool _read_value(struct node_event *ev, const struct key *k, const char *text, size_t n)
{
    void *field = (char *)ev + k->offset;
    uint64_t value = 0;

    switch (k->type) {
    case KEY_KIND:
        for (size_t i = 1; i < N_KINDS; i++) {
            if (strlen(kind_names[i]) == n && memcmp(kind_names[i], text, n) == 0) {
                ev->kind = (enum node_event_kind)i;
                return true;
            }
        }
        return false;
    case KEY_U32:
        if (!message_number(text, n, NODE_EVENT_UNKNOWN - 1, &value))
            return false;
        *(uint32_t *)field = (uint32_t)value;
        return true;
    case KEY_TIME:
        if (!message_number(text, n, (uint64_t)T_MS_MAX, &value))
            return false;
        *(int64_t *)field = (int64_t)value;
        return true;
    case KEY_CAP:
        return _read_cap(field, text, n);
    default:
        if (n >= k->size || !_is_text(k->type, text, n))
            return false;
        memcpy(field, text, n);
        ((char *)field)[n] = '\0';
        return true;
    }
}

/* What makes no sense whichever way it came. NULL, or what is wrong. */
static const char *_fault(const struct node_event *ev)
{
    bool step = ev->kind == NODE_EVENT_STEP || ev->kind == NODE_EVENT_STEP_END;

    if (ev->kind == NODE_EVENT_NONE || (size_t)ev->kind >= N_KINDS)
        return "no event";
    if (ev->job_id == NODE_EVENT_UNKNOWN || ev->job_id == 0)
        return "no job";
    if (step != (ev->step[0] != '\0'))
        return step ? "no step" : "a step where there is none";
    return NULL;
}

/* "key=value" of n bytes into *ev; *seen has one bit a key. */
static int _read_word(struct node_event *ev, unsigned *seen, const char *text, size_t n,
                      struct err *e)
{
    const char *equals = memchr(text, '=', n);
    size_t name_len = equals ? (size_t)(equals - text) : n;
    char word[NODE_EVENT_MAX + 1], quoted[ERR_QUOTE_SIZE];

    memcpy(word, text, n);
    word[n] = '\0';
    err_quote(quoted, sizeof(quoted), word);
    if (!equals || name_len == 0)
        return err_set(e, "node event: '%s' is not KEY=VALUE", quoted);
    for (size_t i = 0; i < N_KEYS; i++) {
        if (strlen(keys[i].name) != name_len || memcmp(keys[i].name, text, name_len) != 0)
            continue;
        if (*seen & (1u << i))
            return err_set(e, "node event: '%s' repeats its key", quoted);
        *seen |= 1u << i;
        if (!_read_value(ev, &keys[i], equals + 1, n - name_len - 1))
            return err_set(e, "node event: '%s' has a bad value", quoted);
        return 0;
    }
    return 0;
}

int node_event_parse(struct node_event *ev, const char *text, size_t size, struct err *e)
{
    const size_t version = sizeof(MESSAGE_VERSION) - 1;
    struct node_event local;
    unsigned seen = 0;
    const char *fault;
    size_t at;

    errno = EINVAL;
    if (!text || size > NODE_EVENT_MAX)
        return err_set(e, "node event: longer than %d bytes", NODE_EVENT_MAX);
    if (size <= version || memcmp(text, MESSAGE_VERSION " ", version + 1) != 0)
        return err_set(e, "node event: does not begin with '" MESSAGE_VERSION " '");
    if (!message_is_printable(text, size))
        return err_set(e, "node event: a byte that is not printable");
    node_event_init(&local);
    for (at = version + 1; at <= size;) {
        const char *blank = at < size ? memchr(text + at, ' ', size - at) : NULL;
        size_t n = blank ? (size_t)(blank - text) - at : size - at;

        if (_read_word(&local, &seen, text + at, n, e) < 0)
            return -1;
        at += n + 1;
    }
    if ((fault = _fault(&local)))
        return err_set(e, "node event: %s", fault);
    *ev = local;
    errno = 0;
    return 0;
}

/* " key=value" of one key into word, "" when it is unknown. 0 or -1. */
static int _write_word(char *word, size_t size, const struct node_event *ev, const struct key *k)
{
    const void *field = (const char *)ev + k->offset;
    char cap[POWER_CAP_TEXT_SIZE];
    int n = 0;

    word[0] = '\0';
    switch (k->type) {
    case KEY_KIND:
        n = snprintf(word, size, " %s=%s", k->name, node_event_kind_name(ev->kind));
        break;
    case KEY_U32:
        if (*(const uint32_t *)field != NODE_EVENT_UNKNOWN)
            n = snprintf(word, size, " %s=%" PRIu32, k->name, *(const uint32_t *)field);
        break;
    case KEY_TIME:
        if (*(const int64_t *)field < 0 || *(const int64_t *)field > T_MS_MAX)
            return -1;
        n = snprintf(word, size, " %s=%" PRId64, k->name, *(const int64_t *)field);
        break;
    case KEY_CAP:
        if (ev->cap.scope != POWER_CAP_NONE)
            n = snprintf(word, size, " %s=%s", k->name,
                         power_cap_format(cap, sizeof(cap), &ev->cap));
        break;
    default: {
        const char *text = field;
        size_t len = strnlen(text, k->size);

        if (len == 0)
            return 0;
        if (len == k->size || !_is_text(k->type, text, len))
            return -1;
        n = snprintf(word, size, " %s=%s", k->name, text);
    }
    }
    return n < 0 || (size_t)n >= size ? -1 : 0;
}

int node_event_format(char *buf, size_t size, const struct node_event *ev)
{
    char text[NODE_EVENT_MAX + 1] = MESSAGE_VERSION, word[NODE_EVENT_LIST_MAX + 32];
    size_t used = sizeof(MESSAGE_VERSION) - 1;

    errno = EINVAL;
    if (_fault(ev))
        return -1;
    for (size_t i = 0; i < N_KEYS; i++) {
        size_t n;

        if (_write_word(word, sizeof(word), ev, &keys[i]) < 0)
            return -1;
        n = strlen(word);
        /* cores and gpus at their longest need not both fit; the rest always does */
        if (keys[i].type == KEY_LIST && used + n + 96 > NODE_EVENT_MAX)
            continue;
        if (used + n > NODE_EVENT_MAX)
            return -1;
        memcpy(text + used, word, n + 1);
        used += n;
    }
    errno = ENOSPC;
    if (used >= size)
        return -1;
    memcpy(buf, text, used + 1);
    errno = 0;
    return (int)used;
}
