/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line with a server made of recorded answers.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli_fake.h"

static int _transport(struct cli *c, const json_t *request, json_t **answer, struct err *e)
{
    struct fake *f = c->transport_arg;
    const char *op = json_string_value(json_object_get(request, "op"));
    char *text = json_dumps(request, JSON_SORT_KEYS | JSON_COMPACT);
    const struct fake_answer *found = NULL;
    size_t used = strlen(f->requests);

    (void)snprintf(f->requests + used, sizeof(f->requests) - used, "%s\n", text);
    free(text);
    for (size_t i = 0; f->answers[i].op; i++) {
        if (strcmp(f->answers[i].op, op) != 0)
            continue;
        found = &f->answers[i];
        if (f->asked[i] == 0) {
            f->asked[i]++;
            break;
        }
    }
    if (!found || !found->json) {
        errno = ECONNREFUSED;
        return err_set(e, "carnotctld at localhost:6822: nobody there");
    }
    *answer = json_loads(found->json, 0, NULL);
    return *answer ? 0 : err_set(e, "the test's answer to %s is no JSON", op);
}

void fake_init(struct fake *f, const struct fake_answer *answers)
{
    (void)setenv("TZ", "Europe/Berlin", 1);
    /* Where the machine has no zone files, the rule itself. */
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
        (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    (void)unsetenv("CARNOT_UNITS");
    (void)unsetenv("CARNOT_BOARD");
    *f = (struct fake){.answers = answers};
    f->cli = (struct cli){
        .transport = _transport,
        .transport_arg = f,
        .program = "carnot",
        .user = "mrossi",
        .uid = 1000,
        .now_s = FAKE_NOW_S,
        .width = 80,
        .utf8 = 1,
    };
}

void fake_fini(struct fake *f)
{
    free(f->out);
    free(f->err);
    f->out = f->err = NULL;
}

int fake_run_argv(struct fake *f, int argc, char **argv)
{
    struct cli c = f->cli; /* a run must not leave anything to the next */
    size_t out_size, err_size;
    int status;

    fake_fini(f);
    c.out = open_memstream(&f->out, &out_size);
    c.errs = open_memstream(&f->err, &err_size);
    if (!c.out || !c.errs)
        abort();
    status = carnot_run(&c, argc, argv);
    fclose(c.out);
    fclose(c.errs);
    return status;
}

int fake_run(struct fake *f, const char *words)
{
    char *copy = NULL, *rest, *word, *argv[64] = {(char *)"carnot"};
    int argc = 1, status;

    copy = rest = strdup(words);
    if (!copy)
        abort();
    while ((word = strsep(&rest, " ")) != NULL && argc < 63)
        if (word[0])
            argv[argc++] = word;
    status = fake_run_argv(f, argc, argv);
    free(copy);
    return status;
}

int fake_is_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        fprintf(stderr, "# not JSON: line %d: %s\n", error.line, error.text);
    json_decref(json);
    return json != NULL;
}
