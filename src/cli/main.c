/* The program: a subcommand, or tshark's options when the first word is one. */
#include "cli/cmd_ca.h"
#include "cli/cmd_connect.h"
#include "cli/cmd_keys.h"
#include "cli/cmd_lab.h"
#include "cli/cmd_read.h"
#include "cli/cmd_run.h"
#include "cli/cmd_serve.h"
#include "cli/common.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/tshark_front.h"

#include <string.h>
#include <unistd.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
};

static int cmd_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    return help_print(stdout);
}

static const struct command commands[] = {
    {"lab", cmd_lab},   {"serve", cmd_serve}, {"connect", cmd_connect}, {"read", cmd_read},
    {"keys", cmd_keys}, {"ca", cmd_ca},       {"run", cmd_run},         {"help", cmd_help},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int unknown_command(const char *word)
{
    struct nearest near = {.wanted = word};
    for (size_t i = 0; i < COMMANDS; i++)
        nearest_offer(&near, commands[i].name);
    fputs("tlswire: there is no command \"", stderr);
    common_put_escaped(stderr, word);
    if (access(word, R_OK) == 0)
        fputs("\"; to read the file: tlswire read FILE, or tlswire -r FILE\n", stderr);
    else if (near.best)
        fprintf(stderr, "\"; did you mean %s?\n", near.best);
    else
        fputs("\"; there are lab, serve, connect, run, read, keys and ca, and tshark's options: "
              "tlswire "
              "-h\n",
              stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    common_prepare();
    for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (argc > 1 && argv[1][0] != '-')
        return unknown_command(argv[1]);
    return tshark_front(argc, argv);
}
