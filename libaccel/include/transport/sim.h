/* SPDX-License-Identifier: MIT */
/* The simulator in this process as a transport ("sim:" and "sim:FILE"). */
#ifndef TRANSPORT_SIM_H
#define TRANSPORT_SIM_H

#include "transport/transport.h"

struct sim_config;

/* With a configuration, which is copied. */
int transport_sim_create(const struct sim_config *config,
			 struct transport **out);

/* With that of a file; NULL or "": the default one. */
int transport_sim_open(const char *config_path, struct transport **out);

#endif
