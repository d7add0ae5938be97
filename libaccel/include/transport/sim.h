/* SPDX-License-Identifier: MIT */
/* The simulator in this process as a transport ("sim:" and what may follow it). */
#ifndef TRANSPORT_SIM_H
#define TRANSPORT_SIM_H

#include "sim/engine/engine.h"
#include "sim/trace/recording.h"
#include "transport/transport.h"

/**
 * struct transport_sim_options - how to simulate
 * @config_path: of a configuration file; NULL or "": the default one
 * @mode: of the engine
 * @recording: what to write down; nothing, if it names no file
 * @fault_path: of a fault script, or NULL
 */
struct transport_sim_options {
	const char *config_path;
	enum engine_mode mode;
	struct recording_options recording;
	const char *fault_path;
};

/* With a configuration, which is copied. @options may be NULL; its path is not read. */
int transport_sim_create(const struct sim_config *config,
			 const struct transport_sim_options *options,
			 struct transport **out);

/* With that of a file. */
int transport_sim_open(const struct transport_sim_options *options,
		       struct transport **out);

#endif
