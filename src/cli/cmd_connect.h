#ifndef TLSWIRE_CLI_CMD_CONNECT_H
#define TLSWIRE_CLI_CMD_CONNECT_H

/* `tlswire connect`: ARGV[0] is "connect".  Returns the exit status (cli/common.h). */
int cmd_connect(int argc, char **argv);

#endif
