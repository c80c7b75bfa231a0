/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process around carnot_run(): terminal, locale, clock, who runs it.
 */
#include "config.h"

#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "carnot/cli.h"
#include "carnot/client.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40
#define WIDTH_MAX 400

static int _width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long width = columns ? strtol(columns, NULL, 10) : 0;

    if (width <= 0 && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        return WIDTH_DEFAULT;
    return (int)(width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width);
}

/* The name that Slurm knows the user by; the number where the system has none. */
static const char *_user(char *buf, size_t size)
{
    const struct passwd *pw = getpwuid(getuid());

    (void)snprintf(buf, size, "%u", (unsigned)getuid());
    return pw ? pw->pw_name : buf;
}

int main(int argc, char **argv)
{
    const char *no_color = getenv("NO_COLOR");
    char uid[16];
    struct cli c = {
        .out = stdout,
        .errs = stderr,
        .transport = client_transport,
        .program = "carnot",
        .uid = getuid(),
        .now_s = (int64_t)time(NULL),
        .width = _width(),
    };

    /* Characters alone: numbers and days keep their form in every locale. */
    (void)setlocale(LC_CTYPE, "");
    c.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    c.colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
    c.user = _user(uid, sizeof(uid));
    return carnot_run(&c, argc, argv);
}
