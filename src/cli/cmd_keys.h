/* tlswire keys: which connections a key log opens; keys into a capture, and out of it. */
#ifndef TLSWIRE_CLI_CMD_KEYS_H
#define TLSWIRE_CLI_CMD_KEYS_H

int cmd_keys(int argc, char **argv);

#endif
