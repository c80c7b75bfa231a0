/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of settings as an example file and as the body of carnot.yaml(5).
 * Writes to the stream it is given and leaves the check of it to the caller.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/settings.h"
#include "common/settings_table.h"

/* Comment lines, broken between words. */
static void _print_comment(FILE *f, const char *indent, const char *text)
{
    size_t column = strlen(indent) + 1;

    (void)fprintf(f, "%s#", indent);
    while (*text) {
        size_t n = strcspn(text, " ");

        if (column + 1 + n > 92) {
            column = strlen(indent) + 1;
            (void)fprintf(f, "\n%s#", indent);
        }
        (void)fprintf(f, " %.*s", (int)n, text);
        column += 1 + n;
        text += n + (text[n] == ' ');
    }
    (void)fprintf(f, "\n");
}

/* The default as it would stand in the file. */
static void _print_default(FILE *f, const struct setting *st)
{
    if (st->type == SETTING_NAMES)
        (void)fprintf(f, "[%s]", st->text);
    else
        (void)fprintf(f, "%s", *st->text ? st->text : "\"\"");
}

void settings_print_example(FILE *f)
{
    const char *section = "";
    char accepted[128];

    (void)fprintf(f, "# carnot.yaml: see carnot.yaml(5). What is commented out is the default.\n");
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *st = &settings_table[i];
        const char *indent = *st->section ? "  " : "";

        if (strcmp(section, st->section) != 0) {
            section = st->section;
            (void)fprintf(f, "\n%s:", section);
        }
        (void)fprintf(f, "\n");
        _print_comment(f, indent, st->help);
        (void)fprintf(f, "%s# Accepts %s.\n%s#%s: ", indent,
                      setting_accepted(st, accepted, sizeof(accepted)), indent, st->key);
        _print_default(f, st);
        (void)fprintf(f, "\n");
    }
}

/* A hyphen that is to be typed, and what roff would take for its own. */
static void _print_roff(FILE *f, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '-')
            (void)fputs("\\-", f);
        else if (*p == '\\')
            (void)fputs("\\e", f);
        else
            (void)fputc(*p, f);
    }
}

void settings_print_man(FILE *f)
{
    const char *section = "";
    char accepted[128];

    (void)fprintf(f, ".SS Top of the file\n");
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *st = &settings_table[i];

        if (strcmp(section, st->section) != 0) {
            section = st->section;
            (void)fprintf(f, ".SS Section \"%s\"\n", section);
        }
        (void)fprintf(f, ".TP\n.B %s%s%s\n", section, *section ? "." : "", st->key);
        _print_roff(f, st->help);
        (void)fprintf(f, "\nAccepts ");
        _print_roff(f, setting_accepted(st, accepted, sizeof(accepted)));
        (void)fprintf(f, "; default ");
        if (*st->text)
            _print_roff(f, st->text);
        else
            (void)fprintf(f, "not set");
        (void)fprintf(f, ".\n");
    }
}
