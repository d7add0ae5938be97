/* SPDX-License-Identifier: MIT */
/* Folders of pictures and arrays on the command line. */
#ifndef TOOL_FOLDER_H
#define TOOL_FOLDER_H

/*
 * A copy of [NAME=]FILE, for free(); of [NAME=]FOLDER, with the first .npy or .png file in
 * it by name, which is the one that calibration begins with. 0 or −errno.
 */
int folder_first_file(const char *item, char **file);

#endif
