#ifndef TLSWIRE_CLI_CMD_LAB_H
#define TLSWIRE_CLI_CMD_LAB_H

/* `tlswire lab`: ARGV[0] is "lab".  Returns the exit status (cli/common.h). */
int cmd_lab(int argc, char **argv);

#endif
