/* SPDX-License-Identifier: MIT */
/* Models as packed files: for which device and sizes, and the file itself. */
#ifndef TOOL_PACKING_H
#define TOOL_PACKING_H

#include <model/model.h>

#include <stdint.h>

/**
 * struct packing_options - what a packed file is for
 * @config: a preset's name or a configuration file; NULL: the default device
 * @batch: of a run; 0: 1
 * @height: of images, where the model leaves it open; 0: 128, likewise @width
 * @steps: of sequences, likewise
 */
struct packing_options {
	const char *config;
	int64_t batch;
	int64_t height;
	int64_t width;
	int64_t steps;
};

#define PACKING_CONFIG_OPTION(packing)                                      \
	{                                                                   \
		"config", 0, OPTION_TEXT, &(packing).config, "FILE|PRESET", \
			"the device that it is packed for (default)"        \
	}

/* Pack a model, whose packing it becomes, and write it; 0 or −errno. */
int packing_write(struct model *model, const struct packing_options *options,
		  const char *path);

/* The smallest file: coded, for any device; packed where options name one. */
int compact_write(struct model *model, const struct packing_options *options,
		  const char *path);

#endif
