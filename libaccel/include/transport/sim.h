/* SPDX-License-Identifier: MIT */
/* The simulator in this process as a transport ("sim:" and "sim:FILE"). */
#ifndef TRANSPORT_SIM_H
#define TRANSPORT_SIM_H

#include "transport/transport.h"

int transport_sim_open(const char *config_path, struct transport **out);

#endif
