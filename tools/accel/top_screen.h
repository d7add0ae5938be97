/* SPDX-License-Identifier: MIT */
/* The terminal of `accel top`: a screen of its own, and single keys. */
#ifndef TOOL_TOP_SCREEN_H
#define TOOL_TOP_SCREEN_H

#include <stdbool.h>

/* True if standard output and input are a terminal, which then is a screen. */
bool top_screen_open(void);
/* Gives the terminal back; does nothing if it was not taken. */
void top_screen_close(void);

/* Empties the screen. */
void top_screen_clear(void);
/* Lines that fit on it. */
int top_screen_lines(void);

/* Waits; false as soon as the user, or a signal, wants to quit. */
bool top_screen_wait(double seconds);

#endif
