/* tlswire ca: the local CA, and how serve comes by it. */
#ifndef TLSWIRE_CLI_CMD_CA_H
#define TLSWIRE_CLI_CMD_CA_H

#include "endpoint/authority.h"

int cmd_ca(int argc, char **argv);

/* The local CA, made when there is none, for a server's certificates.  Where it cannot be had, a
 * temporary one: a line on stderr says why, and PATH, the file to trust, is then "".  NULL only
 * when not even that can be made. */
struct authority *ca_open(bool rsa, char path[AUTHORITY_PATH], struct error *);

#endif
