/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests are read in a process that may write the machine's limits: every word must be known,
 * come once and be in range. GPUs travel as the number whose bits they are.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cap_message.h"
#include "common/message.h"

#define MESSAGE_VERSION "carnot1 "
#define WHY " why="

static const char *const result_names[] = {"",      "set",     "differs", "restore",
                                           "aside", "refused", "failed"};

const char *cap_result_name(enum cap_result r)
{
    return (size_t)r < CAP_N_RESULTS ? result_names[r] : "";
}

/* A message's text without its version, as a string. 0 or -1. */
static int _open(char *copy, const char *text, size_t size, struct err *e)
{
    const size_t version = sizeof(MESSAGE_VERSION) - 1;

    errno = EINVAL;
    if (!text || size > CAP_MESSAGE_MAX)
        return err_set(e, "cap message: longer than %d bytes", CAP_MESSAGE_MAX);
    if (size <= version || memcmp(text, MESSAGE_VERSION, version) != 0)
        return err_set(e, "cap message: does not begin with '" MESSAGE_VERSION "'");
    if (!message_is_printable(text, size))
        return err_set(e, "cap message: a byte that is not printable");
    memcpy(copy, text + version, size - version);
    copy[size - version] = '\0';
    return 0;
}

static int _bad_word(const char *word, struct err *e)
{
    char quoted[ERR_QUOTE_SIZE];

    errno = EINVAL;
    return err_set(e, "cap message: '%s' is not understood",
                   err_quote(quoted, sizeof(quoted), word));
}

/* The value behind "name=", NULL when the word is another one. */
static const char *_value(const char *word, const char *name)
{
    size_t n = strlen(name);

    return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool _number(const char *word, const char *name, uint64_t max, uint64_t *out)
{
    const char *value = _value(word, name);

    return value && message_number(value, strlen(value), max, out);
}

static bool _take_word(struct cap_request *r, const char *word)
{
    const char *value;
    uint64_t number = 0;

    if (r->job == 0 && _number(word, "job", UINT32_MAX - 1, &number) && number > 0) {
        r->job = (uint32_t)number;
        return true;
    }
    if (r->gpus == 0 && _number(word, "gpus", INT64_MAX, &number) && number > 0) {
        r->gpus = number;
        return true;
    }
    value = _value(word, "cap");
    return value && r->cap.scope == POWER_CAP_NONE && !power_cap_parse(&r->cap, value);
}

static const char *_fault(const struct cap_request *r)
{
    if (r->verb == CAP_RESTORE)
        return r->job || r->cap.scope || r->gpus ? "restore takes nothing else" : NULL;
    if (r->verb != CAP_SET)
        return "neither set nor restore";
    if (r->job == 0 || r->cap.scope == POWER_CAP_NONE)
        return "set needs job= and cap=";
    return (r->cap.scope == POWER_CAP_GPU) != (r->gpus != 0) ? "gpus= goes with cap=gpu: alone"
                                                             : NULL;
}

int cap_request_parse(struct cap_request *r, const char *text, size_t size, struct err *e)
{
    char copy[CAP_MESSAGE_MAX + 1], *rest = copy, *word;
    struct cap_request local = {.verb = CAP_VERB_NONE};
    const char *fault;

    if (_open(copy, text, size, e) < 0)
        return -1;
    word = strsep(&rest, " ");
    local.verb = strcmp(word, "set") == 0       ? CAP_SET
                 : strcmp(word, "restore") == 0 ? CAP_RESTORE
                                                : CAP_VERB_NONE;
    while (rest) {
        word = strsep(&rest, " ");
        if (!_take_word(&local, word))
            return _bad_word(word, e);
    }
    errno = EINVAL;
    if ((fault = _fault(&local)))
        return err_set(e, "cap message: %s", fault);
    *r = local;
    return 0;
}

static int _done(int n, size_t size)
{
    if (n >= 0 && n <= CAP_MESSAGE_MAX && (size_t)n < size)
        return n;
    errno = ENOSPC;
    return -1;
}

int cap_request_format(char *buf, size_t size, const struct cap_request *r)
{
    char cap[POWER_CAP_TEXT_SIZE], gpus[32] = "";

    errno = EINVAL;
    if (_fault(r))
        return -1;
    if (r->verb == CAP_RESTORE)
        return _done(snprintf(buf, size, MESSAGE_VERSION "restore"), size);
    if (r->gpus)
        (void)snprintf(gpus, sizeof(gpus), " gpus=%" PRIu64, r->gpus);
    return _done(snprintf(buf, size, MESSAGE_VERSION "set job=%" PRIu32 " cap=%s%s", r->job,
                          power_cap_format(cap, sizeof(cap), &r->cap), gpus),
                 size);
}

int cap_answer_format(char *buf, size_t size, const struct cap_answer *a)
{
    errno = EINVAL;
    if (a->result == CAP_RESULT_NONE || (size_t)a->result >= CAP_N_RESULTS)
        return -1;
    return _done(snprintf(buf, size,
                          MESSAGE_VERSION "result=%s limits=%" PRIu32 " asked_mw=%" PRIu64
                                          " actual_mw=%" PRIu64 WHY "%s",
                          cap_result_name(a->result), a->limits, a->asked_mw, a->actual_mw,
                          a->why.text),
                 size);
}

int cap_answer_parse(struct cap_answer *a, const char *text, size_t size, struct err *e)
{
    char copy[CAP_MESSAGE_MAX + 1], *rest = copy, *why;
    struct cap_answer local = {.result = CAP_RESULT_NONE};
    const char *result = NULL;
    uint64_t limits = 0;

    if (_open(copy, text, size, e) < 0)
        return -1;
    why = strstr(copy, WHY);
    if (!why)
        return _bad_word(copy, e);
    *why = '\0';
    (void)err_set(&local.why, "%s", why + sizeof(WHY) - 1);
    while (rest) {
        char *word = strsep(&rest, " ");

        if (_value(word, "result"))
            result = _value(word, "result");
        else if (!_number(word, "limits", UINT32_MAX, &limits) &&
                 !_number(word, "asked_mw", INT64_MAX, &local.asked_mw) &&
                 !_number(word, "actual_mw", INT64_MAX, &local.actual_mw))
            return _bad_word(word, e);
    }
    for (size_t i = 1; result && i < CAP_N_RESULTS; i++) {
        if (strcmp(result, result_names[i]) == 0)
            local.result = (enum cap_result)i;
    }
    if (local.result == CAP_RESULT_NONE)
        return _bad_word(result ? result : "", e);
    local.limits = (uint32_t)limits;
    *a = local;
    return 0;
}
