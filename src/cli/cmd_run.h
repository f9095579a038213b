#ifndef TLSWIRE_CLI_CMD_RUN_H
#define TLSWIRE_CLI_CMD_RUN_H

/* argv[0] is the subcommand's name; an exit status. */
int cmd_run(int argc, char **argv);

#endif
