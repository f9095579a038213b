/* tshark's command line: the same options, output and exit codes, for what is dissected. */
#ifndef TLSWIRE_CLI_TSHARK_FRONT_H
#define TLSWIRE_CLI_TSHARK_FRONT_H

/* ARGV[0] is the program.  Returns the exit status: 0, 1 or 2 as tshark. */
int tshark_front(int argc, char **argv);

#endif
