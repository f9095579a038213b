/* tlswire read: the printers of the reader for bytes that are no capture. */
#ifndef TLSWIRE_CLI_CMD_READ_H
#define TLSWIRE_CLI_CMD_READ_H

int cmd_read(int argc, char **argv);

#endif
