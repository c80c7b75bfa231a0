/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carnot now: give up the wait for a greener grid.
 */
#include "config.h"

#include "carnot/answer.h"
#include "carnot/client.h"

const char cmd_now_help[] =
    "Usage: carnot now JOBID... [--json]\n"
    "Give up the wait for a greener grid: the job is Slurm's to start from now on. The same as\n"
    "scontrol update JobId=JOBID StartTime=now. What a budget holds back, it does not free.\n";

static int _now(struct cli *c, const char *text, json_t **out)
{
    struct cli_job job;
    int64_t id;
    json_t *request, *a;

    if (cli_job_parse(c, text, &job) < 0)
        return CLI_USAGE;
    id = client_job_id(c, &job);
    if (id < 0)
        return CLI_FAILED;
    request = client_request("now");
    json_object_set_new(request, "job", json_integer(id));
    if (client_ask(c, request, &a) < 0)
        return CLI_FAILED;
    client_strip(a);
    *out = a;
    return CLI_DONE;
}

int cmd_now(struct cli *c, int argc, char **argv)
{
    json_t *a;
    int status = CLI_DONE;

    if (cli_option(c, argc, argv, "", NULL) != -1)
        return c->status;
    if (optind == argc)
        return cli_fail(c, CLI_USAGE, "now: which job? squeue --me lists yours");
    for (int i = optind; i < argc; i++) {
        int rc = _now(c, argv[i], &a);

        if (rc != CLI_DONE) {
            status = rc;
            continue;
        }
        if (c->json)
            cli_json(c, a);
        else if (answer_text(a, "sentence"))
            fprintf(c->out, "%s\n", answer_show(a, "sentence"));
        else
            fprintf(c->out, "%s waits no longer for the grid\n", argv[i]);
        json_decref(a);
    }
    return status;
}
