/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot.yaml through libyaml's events: a mapping of sections, each a mapping of
 * scalars (or sequences of them, for lists of names), which bounds the nesting. What may
 * stand there is in settings_table.c. Allocates in libyaml only; reads a file in
 * settings_load only; any thread.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/path.h"
#include "common/settings.h"
#include "common/user.h"
#include "common/settings_table.h"

#define FILE_MAX (1u << 20)
#define NODE_USER "carnot"
/* UID_MIN of login.defs(5), where nobody has changed it. */
#define FIRST_PERSON 1000

struct place {
    size_t line; /* from 1; 0: not in the file */
    size_t column;
};

struct reader {
    yaml_parser_t yaml;
    const char *name;
    const char *text;
    size_t size;
    struct settings *s;
    struct err *e;
    struct place at;                        /* of the last event */
    struct place given[SETTINGS_TABLE_MAX]; /* where each key's value stands */
    bool section_seen[SETTINGS_TABLE_MAX];  /* by the index of the section's first key */
};

/* Pairs of which the first must not be above the second: fields of 64 bits, not negative. */
static const struct {
    const char *section;
    const char *low;
    const char *high;
} ordered[] = {
    {"power", "cpu_idle", "cpu_max"},
    {"node", "interval", "log_interval"},
    {"node", "log_interval", "report_interval"},
    {"carbon", "slot", "horizon"},
};

static int _fail_at(struct reader *r, struct place at)
{
    errno = EINVAL;
    return err_prefix(r->e, "%s:%zu:%zu", r->name, at.line, at.column);
}

static int _fail(struct reader *r, const char *text)
{
    (void)err_set(r->e, "%s", text);
    return _fail_at(r, r->at);
}

/* The same, with the key in front of what r->e holds already. */
static int _fail_key(struct reader *r, const struct setting *st, struct place at)
{
    (void)err_prefix(r->e, "%s%s%s", st->section, *st->section ? "." : "", st->key);
    return _fail_at(r, at);
}

/* libyaml's own complaint */
static int _fail_yaml(struct reader *r)
{
    const yaml_parser_t *y = &r->yaml;

    r->at = (struct place){y->problem_mark.line + 1, y->problem_mark.column + 1};
    if (y->error == YAML_READER_ERROR) { /* knows the byte only */
        r->at = (struct place){1, 1};
        for (size_t i = 0; i < y->problem_offset && i < r->size; i++) {
            r->at.line += r->text[i] == '\n';
            r->at.column = r->text[i] == '\n' ? 1 : r->at.column + 1;
        }
    }
    if (y->error == YAML_MEMORY_ERROR)
        return _fail(r, "out of memory");
    (void)err_set(r->e, "not YAML: %s%s%s", y->problem ? y->problem : "unreadable",
                  y->context ? " " : "", y->context ? y->context : "");
    return _fail_at(r, r->at);
}

/* Next event, which the caller deletes; on -1 there is none. */
static int _next(struct reader *r, yaml_event_t *ev)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (!yaml_parser_parse(&r->yaml, ev))
        return _fail_yaml(r);
    r->at = (struct place){ev->start_mark.line + 1, ev->start_mark.column + 1};
    if (ev->type == YAML_SCALAR_EVENT) {
        anchor = ev->data.scalar.anchor;
        tag = ev->data.scalar.tag;
    } else if (ev->type == YAML_MAPPING_START_EVENT) {
        anchor = ev->data.mapping_start.anchor;
        tag = ev->data.mapping_start.tag;
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        anchor = ev->data.sequence_start.anchor;
        tag = ev->data.sequence_start.tag;
    }
    if (!anchor && !tag && ev->type != YAML_ALIAS_EVENT)
        return 0;
    yaml_event_delete(ev);
    return _fail(r,
                 tag ? "tags are not accepted here" : "anchors and aliases are not accepted here");
}

/* A plain nothing, as behind "controller:" with all its keys commented out. */
static bool _is_null(const yaml_event_t *ev)
{
    return ev->type == YAML_SCALAR_EVENT && ev->data.scalar.length == 0 &&
           ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* The scalar's text, or NULL when it is none, or has a NUL inside. */
static const char *_text(const yaml_event_t *ev)
{
    const char *text;

    if (ev->type != YAML_SCALAR_EVENT)
        return NULL;
    text = (const char *)ev->data.scalar.value;
    return strlen(text) == ev->data.scalar.length ? text : NULL;
}

/* "use a, b or c": the keys of a section, and at the top the sections. */
static int _fail_unknown(struct reader *r, const char *section, const char *key)
{
    char quoted[ERR_QUOTE_SIZE], list[192] = "";
    const char *last = "";
    size_t used = 0;

    for (size_t i = 0; i < settings_table_size && used < sizeof(list); i++) {
        const struct setting *st = &settings_table[i];
        bool inside = strcmp(st->section, section) == 0;
        const char *word = inside ? st->key : st->section;
        int n;

        if ((*section && !inside) || strcmp(word, last) == 0)
            continue;
        n = snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", word);
        used += n > 0 ? (size_t)n : 0;
        last = word;
    }
    (void)err_set(r->e, "unknown key '%s'%s%s: known are %s",
                  err_quote(quoted, sizeof(quoted), key), *section ? " in " : "", section, list);
    return _fail_at(r, r->at);
}

static int _read_names(struct reader *r, const struct setting *st)
{
    struct settings_names *list = (void *)((char *)r->s + st->offset);
    char accepted[128];
    yaml_event_t ev;
    int rc = 0;

    list->n = 0;
    for (;;) {
        const char *text;

        if (_next(r, &ev) < 0)
            return -1;
        if (ev.type == YAML_SEQUENCE_END_EVENT)
            break;
        text = _text(&ev);
        if (!text || !*text)
            (void)err_set(r->e, "%suse %s", text ? "'' is not good here: " : "",
                          setting_accepted(st, accepted, sizeof(accepted)));
        if (!text || !*text || setting_assign(st, r->s, text, r->e) < 0)
            rc = _fail_key(r, st, r->at);
        yaml_event_delete(&ev);
        if (rc < 0)
            return -1;
    }
    yaml_event_delete(&ev);
    return 0;
}

/* The value of a key of the table. */
static int _read_setting(struct reader *r, const struct setting *st)
{
    struct place *given = &r->given[st - settings_table];
    char accepted[128];
    yaml_event_t ev;
    const char *text;
    bool null, list;
    int rc = 0;

    if (given->line) {
        (void)err_set(r->e, "given twice, first in line %zu", given->line);
        return _fail_key(r, st, r->at);
    }
    if (_next(r, &ev) < 0)
        return -1;
    *given = r->at;
    text = _text(&ev);
    null = _is_null(&ev);
    list = ev.type == YAML_SEQUENCE_START_EVENT;
    if ((st->type == SETTING_NAMES) != list || null || (!list && !text)) {
        (void)err_set(r->e, "%s: use %s", null ? "has no value" : "wrong kind of value",
                      setting_accepted(st, accepted, sizeof(accepted)));
        rc = _fail_key(r, st, r->at);
    } else if (!list && setting_assign(st, r->s, text, r->e) < 0) {
        rc = _fail_key(r, st, r->at);
    }
    yaml_event_delete(&ev);
    return rc == 0 && list ? _read_names(r, st) : rc;
}

static const struct setting *_find(const char *section, const char *key)
{
    for (size_t i = 0; i < settings_table_size; i++) {
        const struct setting *st = &settings_table[i];

        if (strcmp(st->section, section) == 0 && (!key || strcmp(st->key, key) == 0))
            return st;
    }
    return NULL;
}

static int _read_mapping(struct reader *r, const char *section);

/* What stands behind "controller:" at the top. */
static int _read_section(struct reader *r, const struct setting *first)
{
    bool *seen = &r->section_seen[first - settings_table];
    yaml_event_t ev;
    bool null, mapping;

    if (*seen) {
        (void)err_set(r->e, "section '%s' is there twice", first->section);
        return _fail_at(r, r->at);
    }
    *seen = true;
    if (_next(r, &ev) < 0)
        return -1;
    null = _is_null(&ev);
    mapping = ev.type == YAML_MAPPING_START_EVENT;
    yaml_event_delete(&ev);
    if (mapping)
        return _read_mapping(r, first->section);
    if (null)
        return 0;
    (void)err_set(r->e, "'%s' is a section: use keys below it, indented", first->section);
    return _fail_at(r, r->at);
}

/* Keys and values up to the mapping's end; the top is section "". */
static int _read_mapping(struct reader *r, const char *section)
{
    for (;;) {
        const struct setting *st = NULL, *first = NULL;
        yaml_event_t ev;
        const char *key;
        int rc;

        if (_next(r, &ev) < 0)
            return -1;
        if (ev.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&ev);
            return 0;
        }
        key = _text(&ev);
        if (key && *key) {
            st = _find(section, key);
            first = *section ? NULL : _find(key, NULL);
        }
        rc = st || first ? 0 : key ? _fail_unknown(r, section, key) : _fail(r, "a key is a word");
        yaml_event_delete(&ev);
        if (rc == 0)
            rc = st ? _read_setting(r, st) : _read_section(r, first);
        if (rc < 0)
            return -1;
    }
}

/* Take the next event, which has to be of that type. */
static int _expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t ev;
    bool good;

    if (_next(r, &ev) < 0)
        return -1;
    good = ev.type == type;
    yaml_event_delete(&ev);
    return good ? 0 : _fail(r, otherwise);
}

static int _read_stream(struct reader *r)
{
    static const char *const one = "a second document is not accepted here";
    yaml_event_t ev;
    bool end, null, mapping;

    if (_expect(r, YAML_STREAM_START_EVENT, "not YAML") < 0 || _next(r, &ev) < 0)
        return -1;
    end = ev.type == YAML_STREAM_END_EVENT; /* nothing but comments */
    yaml_event_delete(&ev);
    if (end)
        return 0;
    if (_next(r, &ev) < 0)
        return -1;
    null = _is_null(&ev);
    mapping = ev.type == YAML_MAPPING_START_EVENT;
    yaml_event_delete(&ev);
    if (!null && !mapping)
        return _fail(r, "use keys and values as in 'cluster: carnot'");
    if (mapping && _read_mapping(r, "") < 0)
        return -1;
    if (_expect(r, YAML_DOCUMENT_END_EVENT, one) < 0)
        return -1;
    return _expect(r, YAML_STREAM_END_EVENT, one);
}

static int64_t _field(const struct settings *s, const struct setting *st)
{
    int64_t value;

    memcpy(&value, (const char *)s + st->offset, sizeof(value));
    return value;
}

/* Rules between keys; the place is that of the key which the file gives. */
static int _check_order(struct reader *r)
{
    for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
        const struct setting *low = _find(ordered[i].section, ordered[i].low);
        const struct setting *high = _find(ordered[i].section, ordered[i].high);
        const struct setting *at = r->given[high - settings_table].line ? high : low;

        if (_field(r->s, low) <= _field(r->s, high))
            continue;
        (void)err_set(r->e, "%s must not be above %s (default %s)", low->key, high->key,
                      high->text);
        return _fail_key(r, at, r->given[at - settings_table]);
    }
    return 0;
}

int settings_parse(struct settings *s, const char *name, const char *text, size_t size,
                   struct err *e)
{
    struct settings parsed = *s;
    struct reader r = {.name = name, .text = text, .size = size, .s = &parsed, .e = e};
    int rc;

    if (!yaml_parser_initialize(&r.yaml)) {
        errno = ENOMEM;
        return err_errno(e, "%s", name);
    }
    yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, size);
    rc = _read_stream(&r);
    yaml_parser_delete(&r.yaml);
    if (rc == 0)
        rc = _check_order(&r);
    if (rc == 0)
        *s = parsed;
    return rc;
}

void settings_init(struct settings *s)
{
    struct err e;

    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < settings_table_size; i++) {
        /* a default outside its own bounds is caught by the tests, which parse the example */
        (void)setting_assign(&settings_table[i], s, settings_table[i].text, &e);
    }
}

int settings_load(struct settings *s, const char *path, struct err *e)
{
    struct settings loaded;
    char *text;
    size_t size;
    int rc;

    if (path_read(path, FILE_MAX, &text, &size, e) < 0)
        return -1;
    settings_init(&loaded);
    rc = settings_parse(&loaded, path, text, size, e);
    free(text);
    if (rc == 0)
        *s = loaded;
    return rc;
}

const char *settings_path(const char *path)
{
    const char *conf = getenv("CARNOT_CONF");

    if (path)
        return path;
    return conf && *conf ? conf : SYSCONFDIR "/carnot/carnot.yaml";
}

int settings_expand(char *buf, size_t size, const char *path, const char *node)
{
    size_t used = 0, n;

    for (const char *p = path; *p; p += 1 + (p[0] == '%' && p[1] == 'n')) {
        bool name = p[0] == '%' && p[1] == 'n';

        n = name ? strlen(node) : 1;
        if (n >= size - used) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(buf + used, name ? node : p, n);
        used += n;
    }
    buf[used] = '\0';
    return 0;
}

static int _name_node(char *text, size_t size, const char *key, const char *node, struct err *e)
{
    char named[SETTINGS_PATH_MAX];

    if (settings_expand(named, size, text, node) < 0)
        return err_set(e, "%s: '%s' is too long with node %s", key, text, node);
    memcpy(text, named, strlen(named) + 1);
    return 0;
}

int settings_name_node(struct settings *s, const char *node, struct err *e)
{
    for (int i = 0; i < s->node.snmp.n; i++) {
        if (_name_node(s->node.snmp.name[i], SETTINGS_NAME_MAX, "node.snmp", node, e) < 0)
            return -1;
    }
    return _name_node(s->node.redfish, sizeof(s->node.redfish), "node.redfish", node, e);
}

int settings_controller_uid(const struct settings *s, uid_t *uid, struct err *e)
{
    if (user_uid(s->controller.user, uid) < 0)
        return err_set(e, "controller.user: there is no user %s on this host", s->controller.user);
    return 0;
}

int settings_node_uid(const struct settings *s, uid_t *uid, struct err *e)
{
    uid_t found = 0;

    if (s->node.user[0]) {
        if (user_uid(s->node.user, uid) < 0)
            return err_set(e, "node.user: there is no user %s on this host", s->node.user);
        return 0;
    }
    /* a person may be called so as well */
    *uid = user_uid(NODE_USER, &found) == 0 && found < FIRST_PERSON ? found : 0;
    return 0;
}
