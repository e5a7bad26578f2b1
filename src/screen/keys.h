/* Keys as the screen knows them: a code point, a control character (K_CTRL('c')), one of these, or K_ALT | another. */
#ifndef TAILOR_SCREEN_KEYS_H
#define TAILOR_SCREEN_KEYS_H

#include <stdint.h>

enum {
    K_NONE = -1,
    K_TAB = 9,
    K_ENTER = 13, /* line feed is read as this too */
    K_ESCAPE = 27,
    K_SPACE = 32,
    K_BACKSPACE = 127,
    K_SPECIAL = 0x200000, /* past all code points */
    K_UP,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_HOME,
    K_END,
    K_PAGE_UP,
    K_PAGE_DOWN,
    K_DELETE,
    K_BACKTAB,
    K_F1,
    K_ALT = 0x400000,
};

#define K_CTRL(c) ((c) & 31)

#endif
