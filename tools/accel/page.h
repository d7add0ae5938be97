/* SPDX-License-Identifier: MIT */
/* What all pages share. */
#ifndef TOOL_PAGE_H
#define TOOL_PAGE_H

#include "markup.h"

extern const char page_style[];

/* Up to the first heading, which is the subject; both are the title. Escaped. */
void page_begin(struct markup *markup, const char *subject, const char *about);

void page_end(struct markup *markup);

#endif
