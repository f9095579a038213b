/* Untrusted text made safe for each place that it is printed in.
 *
 * The bytes of a string are first read as ASCII or UTF-8 up to the first NUL; what is not well
 * formed becomes U+FFFD, one for each maximal ill-formed part (Unicode 15, 3.9).  Then each place
 * has its own way to write what must not stand there as it is. */
#ifndef TLSWIRE_PRINT_TEXT_H
#define TLSWIRE_PRINT_TEXT_H

#include "base/buf.h"
#include "base/pen_text.h"

#define TEXT_GROWTH 4 /* bytes that text_label() makes of one: \ooo */

/* Takes one character from the front of S, which must not be empty. */
uint32_t text_next(struct slice *s, bool ascii);
void text_put(struct buf *out, uint32_t character);

/* Well-formed UTF-8, nothing escaped. */
void text_plain(struct buf *out, struct slice raw, bool ascii);
/* For a line of the tree: \n \t … \ooo, and \uXXXX for what has no shape. */
void text_label(struct buf *out, struct slice raw, bool ascii);
/* The same in place, for what was written since START, which is UTF-8. */
void text_label_from(struct buf *out, size_t start);
/* The same at a cursor, behind which are TEXT_GROWTH times as many bytes, and PEN_STEP. */
uint8_t *text_label_at(uint8_t *to, struct slice raw, bool ascii);
/* How many bytes at the front stand for themselves in a string of JSON, whatever follows: no controls, quotes or
 * backslashes, no '<', and, where only ASCII will do, nothing else. */
size_t text_without_escape(struct slice raw, bool ascii);
/* For an XML attribute. RAW is UTF-8. */
void text_xml(struct buf *out, struct slice raw);
/* The same in place, for what was written since START. */
void text_xml_from(struct buf *out, size_t start);
/* For a cell of -T fields: line breaks and tabs as \n \r \t; on a TERMINAL all other controls as
 * \xNN. */
void text_cell(struct buf *out, struct slice raw, bool terminal);

#endif
