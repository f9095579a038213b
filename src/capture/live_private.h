/* What live.c and live_list.c share.  Nobody else includes this. */
#ifndef TLSWIRE_CAPTURE_LIVE_PRIVATE_H
#define TLSWIRE_CAPTURE_LIVE_PRIVATE_H

#include "capture/live.h"

#include <pcap/pcap.h>

/* The interface to open, owned by the caller; NULL with E set. WANTED as in live_options. */
char *live_choose(const char *wanted, struct error *e);
/* Reports that there is no interface of this name, and which there are. */
void live_no_interface(const char *wanted, struct error *e);

#endif
