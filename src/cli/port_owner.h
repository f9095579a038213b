/* Who listens on a TCP port of this machine. */
#ifndef TLSWIRE_CLI_PORT_OWNER_H
#define TLSWIRE_CLI_PORT_OWNER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "openssl (pid 2211)" into TEXT, escaped; false when it cannot be found (other users' processes
 * need root). */
bool port_owner(uint16_t port, char *text, size_t size);
/* E said that an address is in use: says it again with who uses it and what to do. */
void port_owner_explain(struct error *e, uint16_t port, const char *subcommand);

#endif
