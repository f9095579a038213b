#ifndef TLSWIRE_CLI_CMD_SERVE_H
#define TLSWIRE_CLI_CMD_SERVE_H

/* `tlswire serve`: ARGV[0] is "serve".  Returns the exit status (cli/common.h). */
int cmd_serve(int argc, char **argv);

#endif
