/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target without a fuzzer: every file of its corpus, which is
 * CORPUS/<name of the program without fuzz_>, once. Prints TAP; an input that
 * aborts ends the program, and the last line names it.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "fuzz.h"

#define INPUT_MAX (1u << 20)

static int _is_input(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* 0, or -1 when the file could not be read. */
static int _replay(const char *dir, const char *name)
{
    char path[PATH_MAX], *data;
    struct err e = {""};
    size_t size;

    if (path_format(path, sizeof(path), "%s/%s", dir, name) < 0 ||
        path_read(path, INPUT_MAX, &data, &size, &e) < 0) {
        (void)printf("# %s\n", e.text);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    struct dirent **inputs = NULL;
    char dir[PATH_MAX];
    int n, failed = 0;

    (void)argc;
    name += strncmp(name, "lt-", 3) == 0 ? 3 : 0; /* libtool's wrapper */
    name += strncmp(name, "fuzz_", 5) == 0 ? 5 : 0;
    if (path_format(dir, sizeof(dir), "%s/%s", CORPUS, name) < 0)
        return EXIT_FAILURE;
    n = scandir(dir, &inputs, _is_input, alphasort);
    if (n <= 0) {
        (void)printf("1..1\nnot ok 1 - no corpus in %s\n", dir);
        return EXIT_FAILURE;
    }
    (void)printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        (void)printf("# %s\n", inputs[i]->d_name);
        (void)fflush(stdout);
        if (_replay(dir, inputs[i]->d_name) < 0) {
            (void)printf("not ");
            failed = 1;
        }
        (void)printf("ok %d - %s\n", i + 1, inputs[i]->d_name);
        free(inputs[i]);
    }
    free(inputs);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
