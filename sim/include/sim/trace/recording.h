/* SPDX-License-Identifier: MIT */
/*
 * What is recorded of one device: a time line, waves, or both. Its observer is for
 * sim_device_create(). Safe for threads: the device's tells what happens, the host's
 * names commands and ends the recording.
 */
#ifndef SIM_TRACE_RECORDING_H
#define SIM_TRACE_RECORDING_H

#include <sim/config.h>
#include <sim/engine/observer.h>

/* Events of a time line, changes of waves: files that viewers still open. */
#define RECORDING_LIMIT 5000000

/**
 * struct recording_options - which files
 * @timeline: path, or NULL
 * @waves: path, or NULL
 * @limit: see RECORDING_LIMIT; 0: that
 */
struct recording_options {
	const char *timeline;
	const char *waves;
	uint64_t limit;
};

struct recording;

/* −errno with a text, and then no file is open. */
int recording_create(const struct sim_config *config,
		     const struct recording_options *options,
		     struct recording **out);

const struct engine_observer *
recording_observer(const struct recording *recording);

/* What commands of that label are called from now on; −ENOMEM with a text. */
int recording_name(struct recording *recording, uint32_t label,
		   const char *text);

/*
 * Completes the files; what happens later is not recorded. 0, or the first error of
 * either file with a text; always 0 when it has been ended before.
 */
int recording_end(struct recording *recording);

/* Ends it, too; NULL is allowed. The device is gone before. */
void recording_destroy(struct recording *recording);

#endif
