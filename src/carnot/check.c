/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: collected, counted, printed.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "carnot/answer.h"
#include "carnot/check.h"
#include "common/path.h"

#define TEXT_MAX 1024

static const char *const level_names[] = {
    [CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_ERROR] = "error"};

/* Paths and other programs' words need not be UTF-8, which JSON has to be. */
static json_t *__attribute__((format(printf, 1, 0))) _text(const char *fmt, va_list ap)
{
    char text[TEXT_MAX];
    json_t *json;

    (void)vsnprintf(text, sizeof(text), fmt, ap);
    json = json_string(text);
    if (json)
        return json;
    for (char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    return json_string(text);
}

static void __attribute__((format(printf, 4, 0)))
_add(struct check *k, enum check_level level, const char *code, const char *fmt, va_list ap)
{
    json_t *finding = json_object();

    (void)json_object_set_new(finding, "level", json_string(level_names[level]));
    (void)json_object_set_new(finding, "code", json_string(code));
    (void)json_object_set_new(finding, "what", _text(fmt, ap));
    (void)json_object_set_new(finding, "cure", json_string(""));
    (void)json_array_append_new(k->findings, finding);
    k->warnings += level == CHECK_WARNING;
    k->errors += level == CHECK_ERROR;
}

void check_add(struct check *k, enum check_level level, const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    _add(k, level, code, fmt, ap);
    va_end(ap);
}

static json_t *_newest(const struct check *k)
{
    return json_array_get(k->findings, json_array_size(k->findings) - 1);
}

void check_cure(struct check *k, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)json_object_set_new(_newest(k), "cure", _text(fmt, ap));
    va_end(ap);
}

void check_say(struct check *k, const char *code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    _add(k, CHECK_OK, code, fmt, ap);
    va_end(ap);
    (void)json_array_append(k->said, json_object_get(_newest(k), "what"));
}

int check_status(const struct check *k)
{
    return k->errors ? CHECK_ERROR : k->warnings ? CHECK_WARNING : CHECK_OK;
}

static void _print_finding(FILE *f, const json_t *finding)
{
    const char *cure = answer_text(finding, "cure");

    (void)fprintf(f, "%s: %s [%s]\n", answer_show(finding, "level"), answer_show(finding, "what"),
                  answer_show(finding, "code"));
    if (cure && cure[0])
        (void)fprintf(f, "    %s\n", cure);
}

void check_print(const struct check *k, int verbose)
{
    FILE *f = k->c->out;
    json_t *item;
    size_t i;

    if (k->c->json) {
        (void)cli_json(k->c, k->findings);
        return;
    }
    answer_clean(k->findings);
    json_array_foreach(k->findings, i,
                       item) if (verbose || strcmp(answer_show(item, "level"), "ok") != 0)
        _print_finding(f, item);
    json_array_foreach(k->said, i, item)(void) fprintf(f, "%s\n", json_string_value(item));
    (void)fprintf(f, "%d error%s, %d warning%s\n", k->errors, k->errors == 1 ? "" : "s",
                  k->warnings, k->warnings == 1 ? "" : "s");
}

void check_secure(struct check *k, const char *code, const char *path, uid_t owner)
{
    struct err e = {""};
    int rc = path_is_secure(path, owner, &e);

    if (rc == 1) {
        check_ok(k, code, "%s: only its owner can change it", path);
    } else if (rc == 0) {
        check_error(k, code, "%s: others can change it: %s", path, e.text);
        check_cure(k, "chmod or chown what is named there, so that nobody but root and its owner "
                      "can write");
    } else {
        check_warn(k, code, "%s: who can change it is not known: %s", path, e.text);
        check_cure(k, "see that it is there, and run this as root");
    }
}
