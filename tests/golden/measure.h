/* SPDX-License-Identifier: MIT */
/* What compressing costs a network, measured. */
#ifndef MEASURE_H
#define MEASURE_H

#include "network.h"

/**
 * struct figures - of a compressed network; NaN is not measured
 * @psnr: of each probe, in dB, against binary32
 * @accuracy: of a classifier, on Fashion-MNIST's test images
 * @nll: of a decoder of sketches, per step: on the probe
 * @sampled: on sketches that the network draws in binary32
 * @cycles: of the simulated device, on the first probe
 * @utilization: the network's hard roof ÷ @cycles
 * @values: activations that the simulated device computed
 * @differing: of them, from the golden arithmetic's
 */
struct figures {
	double psnr[NETWORK_PROBES];
	double accuracy;
	struct {
		double dense;
		double compressed;
	} nll, sampled;
	uint64_t cycles;
	double utilization;
	uint64_t values;
	uint64_t differing;
};

int measure(const struct network *network, const struct compressed *compressed,
	    struct figures *figures);

#endif
