#include "base/pen_text.h"

const char pen_hex_digits[17] = "0123456789abcdef";

/* A row is not a string: what stands behind the colon does not matter. */
#define SIXTEEN(high)                                                                       \
    high "0:", high "1:", high "2:", high "3:", high "4:", high "5:", high "6:", high "7:", \
        high "8:", high "9:", high "a:", high "b:", high "c:", high "d:", high "e:", high "f:"

const char pen_hex_pairs[256][4] = {
    SIXTEEN("0"), SIXTEEN("1"), SIXTEEN("2"), SIXTEEN("3"), SIXTEEN("4"), SIXTEEN("5"),
    SIXTEEN("6"), SIXTEEN("7"), SIXTEEN("8"), SIXTEEN("9"), SIXTEEN("a"), SIXTEEN("b"),
    SIXTEEN("c"), SIXTEEN("d"), SIXTEEN("e"), SIXTEEN("f"),
};
