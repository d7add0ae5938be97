/* SPDX-License-Identifier: MIT */
#include <sim/engine/link.h>
#include <sim/engine/link_rate.h>

#define PICOSECONDS 1000000000000ull

static link_time gcd(link_time a, link_time b)
{
	while (b) {
		link_time rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static link_time lcm(link_time a, link_time b)
{
	return a / gcd(a, b) * b;
}

void link_scale_init(struct link_scale *scale, const struct sim_config *config)
{
	/* Generation 3 and later code 128 bits as 130, earlier ones 8 as 10. */
	bool dense_code = config->pcie_megatransfers >= 8000;
	link_time bits = (link_time)config->pcie_megatransfers * 1000000 *
			 config->pcie_lanes;
	/* So many bytes in so many seconds. */
	link_time bytes = dense_code ? bits * 128 : bits;
	link_time seconds = dense_code ? 8 * 130 : 10;
	link_time common = gcd(bytes, seconds);
	link_time second;

	bytes /= common;
	seconds /= common;
	second = lcm(lcm(PICOSECONDS, bytes), config->clock_hz);
	scale->cycle = second / config->clock_hz;
	scale->byte = second / bytes * seconds;
	scale->picosecond = second / PICOSECONDS;
}

static void lower(link_time *rate, link_time bytes, link_time second,
		  link_time time)
{
	link_time bound = time ? bytes * second / time : *rate;

	if (bound < *rate)
		*rate = bound;
}

/* Under way at once are no more than tags and credits cover, each for its round trip. */
uint64_t link_bandwidth(const struct sim_config *config)
{
	link_time mps = config->pcie_payload;
	link_time request = config->pcie_read_request;
	link_time completions = request > mps ? request / mps : 1;
	struct link_scale scale;
	link_time header, packet, served, taken, second;
	link_time rate = UINT64_MAX;

	link_scale_init(&scale, config);
	second = scale.picosecond * PICOSECONDS;
	header = scale.byte * config->pcie_overhead;
	packet = header + scale.byte * mps;
	served = header + scale.picosecond * config->pcie_read_latency_ps;
	taken = packet + scale.picosecond * config->pcie_write_latency_ps;

	lower(&rate, mps, second, packet);
	lower(&rate, config->pcie_tags * request, second,
	      served + header * completions + scale.byte * request);
	lower(&rate, config->pcie_nonposted_credits * request, second, served);
	lower(&rate, config->pcie_completion_bytes, second,
	      served + header + scale.byte * (request < mps ? request : mps));
	lower(&rate, config->pcie_posted_credits * mps, second, taken);
	lower(&rate, config->pcie_posted_data_credits * (link_time)16, second,
	      taken);
	return (uint64_t)rate;
}
