/* SPDX-License-Identifier: MIT */
#ifndef TOOL_PAGE_IMAGE_H
#define TOOL_PAGE_IMAGE_H

struct image;
struct markup;

/*
 * A picture that lies in the page itself. class: ours; text: for who cannot see it. 0 or
 * −errno.
 */
int page_add_image(struct markup *markup, const struct image *image,
		   const char *class, const char *text);

#endif
