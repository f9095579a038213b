/* The program: a subcommand, or tshark's flags when the first word is none. */
#include "cli/cmd_connect.h"
#include "cli/cmd_lab.h"
#include "cli/cmd_serve.h"
#include "cli/common.h"
#include "cli/tshark_front.h"

#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"lab", cmd_lab},
    {"serve", cmd_serve},
    {"connect", cmd_connect},
};

int main(int argc, char **argv)
{
    common_prepare();
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return tshark_front(argc, argv);
}
