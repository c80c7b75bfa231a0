/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs, lists, times and versions as Slurm writes them; see the header. Pure but for
 * slurmconf_read.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "carnot/lines.h"
#include "carnot/slurmconf.h"
#include "common/units.h"

static int _add(struct slurmconf *s, const char *key, size_t key_n, const char *value,
                size_t value_n, struct err *e)
{
    struct slurmconf_pair *grown = realloc(s->pairs, (s->n + 1) * sizeof(*grown));
    struct slurmconf_pair pair = {strndup(key, key_n), strndup(value, value_n)};

    if (grown)
        s->pairs = grown;
    if (!grown || !pair.key || !pair.value) {
        free(pair.key);
        free(pair.value);
        return err_errno(e, "no memory");
    }
    s->pairs[s->n++] = pair;
    return 0;
}

void slurmconf_fini(struct slurmconf *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->pairs[i].key);
        free(s->pairs[i].value);
    }
    free(s->pairs);
    *s = (struct slurmconf){0};
}

/* How many bytes from p on, before end, can be a key ("SlurmctldHost[0]"). */
static size_t _key_length(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && (isalnum((unsigned char)p[n]) || (p[n] && strchr("_.[]", p[n]))))
        n++;
    return n;
}

/* Lines that describe things of which there are many; what stands in them is no setting. */
static int _is_record(const char *key, size_t n)
{
    static const char *const records[] = {"NodeName", "PartitionName", "DownNodes",
                                          "NodeSet",  "FrontendName",  "SwitchName"};

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        if (strlen(records[i]) == n && strncasecmp(records[i], key, n) == 0)
            return 1;
    return 0;
}

/* The next pair at *p, which moves behind it: 0, or -1 and e. */
static int _pair(struct slurmconf *s, const char **p, struct err *e)
{
    static const char *const blank = " \t\r";
    const char *key = *p, *value;
    size_t key_n = _key_length(key, key + strlen(key)), value_n;
    char quoted[ERR_QUOTE_SIZE];

    value = key + key_n + strspn(key + key_n, blank);
    if (key_n == 0 || *value != '=')
        return err_set(e, "'%s' is no Key=Value", err_quote(quoted, sizeof(quoted), key));
    value++;
    value += strspn(value, blank);
    if (*value == '"') {
        value_n = strcspn(++value, "\"");
        if (value[value_n] != '"')
            return err_set(e, "'%s': the quote is not closed",
                           err_quote(quoted, sizeof(quoted), key));
        *p = value + value_n + 1;
    } else {
        value_n = strcspn(value, blank);
        *p = value + value_n;
    }
    *p += strspn(*p, blank);
    return _add(s, key, key_n, value, value_n, e);
}

int slurmconf_line(struct slurmconf *s, const char *line, struct err *e)
{
    const char *p = line + strspn(line, " \t\r");

    if (_is_record(p, _key_length(p, p + strlen(p))))
        return 0;
    while (*p)
        if (_pair(s, &p, e) < 0)
            return -1;
    return 0;
}

static int _file_line(const char *line, const char *file, int number, void *arg, struct err *e)
{
    return slurmconf_line(arg, line, e) < 0 ? err_prefix(e, "%s:%d", file, number) : 0;
}

int slurmconf_read(struct slurmconf *s, const char *path, struct err *e)
{
    struct slurmconf next = {0};
    int saved;

    if (lines_read(path, _file_line, &next, e) < 0) {
        saved = errno;
        slurmconf_fini(&next);
        errno = saved;
        return -1;
    }
    *s = next;
    return 0;
}

/* One line, not terminated, of what slurmctld shows. */
static int _shown_line(struct slurmconf *s, const char *line, const char *end, struct err *e)
{
    size_t key_n = _key_length(line, end);
    const char *p = line + key_n;

    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (key_n == 0 || p == end || *p != '=')
        return 0;
    for (p++; p < end && isspace((unsigned char)*p);)
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    return _add(s, line, key_n, p, (size_t)(end - p), e);
}

int slurmconf_parse_shown(struct slurmconf *s, const char *text, size_t size, struct err *e)
{
    struct slurmconf next = {0};
    const char *end = text + size;
    int rc = 0;

    for (const char *p = text; p < end && rc == 0;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        rc = _shown_line(&next, p, newline ? newline : end, e);
        p = newline ? newline + 1 : end;
    }
    if (rc == 0 && next.n == 0)
        rc = err_set(e, "there is no setting in it");
    if (rc < 0)
        slurmconf_fini(&next);
    else
        *s = next;
    return rc;
}

const char *slurmconf_get(const struct slurmconf *s, const char *key)
{
    static const char *const none[] = {"", "(null)", "(null type)", "N/A"};

    for (size_t i = s->n; i-- > 0;) {
        const char *value = s->pairs[i].value;

        if (strcasecmp(s->pairs[i].key, key) != 0)
            continue;
        for (size_t k = 0; k < sizeof(none) / sizeof(none[0]); k++)
            if (strcasecmp(value, none[k]) == 0)
                return NULL;
        return value;
    }
    return NULL;
}

const char *slurmconf_or(const struct slurmconf *s, const char *key, const char *none)
{
    const char *value = slurmconf_get(s, key);

    return value ? value : none;
}

/* The next word of a comma list: its length, with *p at its start; 0 at the end. */
static size_t _word(const char **p)
{
    *p += strspn(*p, ", \t");
    return strcspn(*p, ", \t");
}

static int _is_word(const char *p, size_t n, const char *word)
{
    size_t want = strlen(word);

    return n >= want && strncasecmp(p, word, want) == 0 && (n == want || p[want] == '=');
}

int slurmconf_has(const char *list, const char *word)
{
    size_t n;

    for (const char *p = list ? list : ""; (n = _word(&p)) > 0; p += n)
        if (_is_word(p, n, word))
            return 1;
    return 0;
}

int slurmconf_is_last(const char *list, const char *word)
{
    int last = 0;
    size_t n;

    for (const char *p = list ? list : ""; (n = _word(&p)) > 0; p += n)
        last = _is_word(p, n, word);
    return last;
}

char *slurmconf_without(char *buf, size_t size, const char *list, const char *word)
{
    size_t used = 0, n;

    buf[0] = '\0';
    for (const char *p = list ? list : ""; (n = _word(&p)) > 0 && used < size; p += n)
        if (!_is_word(p, n, word))
            used += (size_t)snprintf(buf + used, size - used, "%s%.*s", used ? "," : "", (int)n, p);
    return buf;
}

char *slurmconf_put_last(char *buf, size_t size, const char *list, const char *word)
{
    size_t used = strlen(slurmconf_without(buf, size, list, word));

    (void)snprintf(buf + used, size - used, "%s%s", used ? "," : "", word);
    return buf;
}

int64_t slurmconf_seconds(const char *value)
{
    size_t digits = value ? strspn(value, "0123456789") : 0;
    int64_t s;

    if (digits == 0 || digits > 12)
        return -1;
    if (value[digits] == '\0' || strcmp(value + digits, " sec") == 0)
        return strtoll(value, NULL, 10);
    if (!strpbrk(value, ":-") || units_parse_wait(value, &s, NULL) < 0)
        return -1;
    return s;
}

int slurmconf_version(const char *text, uint32_t *version, int *parts)
{
    unsigned long part[3] = {0};
    const char *p = text + strcspn(text, "0123456789");
    int n = 0;

    while (n < 3) {
        size_t digits = strspn(p, "0123456789");

        if (digits == 0 || digits > 3)
            return -1;
        part[n++] = strtoul(p, NULL, 10);
        p += digits;
        if (*p != '.')
            break;
        p++;
    }
    /* What Debian and release candidates put behind is not Slurm's number. */
    if (n < 2 || (*p && !strchr("-~+ \t\r\n", *p)) || part[0] > 255 || part[1] > 255 ||
        part[2] > 255)
        return -1;
    *version = (uint32_t)(part[0] << 16 | part[1] << 8 | part[2]);
    *parts = n;
    return 0;
}

char *slurmconf_version_text(char *buf, size_t size, uint32_t version)
{
    (void)snprintf(buf, size, "%u.%02u.%u", version >> 16 & 0xff, version >> 8 & 0xff,
                   version & 0xff);
    return buf;
}
