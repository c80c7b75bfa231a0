/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of settings, for settings.c, settings_print.c and their tests only.
 */
#ifndef CARNOT_COMMON_SETTINGS_TABLE_H
#define CARNOT_COMMON_SETTINGS_TABLE_H

#include <stddef.h>
#include "common/err.h"
#include "common/settings.h"

enum setting_type {
    SETTING_NAME,      /* char[], printable, no blanks */
    SETTING_PATH,      /* char[], absolute, behind the word in max if there is one */
    SETTING_CHOICE,    /* char[], one of the words in max: "asap|balanced" */
    SETTING_MODE,      /* enum settings_mode, words in max in the order of the enum */
    SETTING_BOOL,      /* int: false, true */
    SETTING_INT,       /* int: a plain number */
    SETTING_RATIO,     /* double: a plain number, decimals allowed */
    SETTING_DURATION,  /* int64_t ms: "15m" */
    SETTING_MASS,      /* uint64_t ug: "50g" */
    SETTING_GRAMS,     /* double g: "1g" */
    SETTING_POWER,     /* uint64_t mW: "2W" */
    SETTING_SIZE,      /* uint64_t bytes: "64MiB" */
    SETTING_INTENSITY, /* double g/kWh: "380g/kWh" */
    SETTING_NAMES /* struct settings_names; in words in max: "user names as in [root, alice]" */
};

struct setting {
    const char *section; /* "" at the top */
    const char *key;
    enum setting_type type;
    size_t offset;
    size_t size;     /* of the field */
    const char *min; /* as in the file; NULL where the type has no bounds */
    const char *max;
    const char *text; /* the default as in the file; "" = not set */
    const char *help; /* one or two sentences */
};

#define SETTINGS_TABLE_MAX 80 /* for arrays with an element a key */
extern const struct setting settings_table[];
extern const size_t settings_table_size;

/* What the key accepts, in words: "1 to 65535", "asap, balanced or greenest". Returns buf. */
char *setting_accepted(const struct setting *st, char *buf, size_t size);

/* Parse text into the key's field of *s. 0, or -1: *s is unchanged, e names value and what
 * is accepted, not the key. SETTING_NAMES appends one name; "" where the default is none: nothing.
 */
int setting_assign(const struct setting *st, struct settings *s, const char *text, struct err *e);

#endif
