/* -G: reports on the program itself, and on what is set. */
#ifndef TLSWIRE_CLI_REPORTS_H
#define TLSWIRE_CLI_REPORTS_H

#include <stdio.h>

struct front;

typedef void report(FILE *out, const struct front *f);

/* In the words and columns of tshark, for what there is here. */
report report_field_count, report_dissector_tables, report_heuristics, report_plugins,
    report_folders, report_elastic_mapping;
/* In tshark_values.c: as lines of a profile; a preference that is not set stands behind "#". */
report report_preferences, report_usual_preferences;

#endif
