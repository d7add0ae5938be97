/* SPDX-License-Identifier: MIT */
#include "runtime/spin.h"

#include "core/integer.h"

/* Before anything is known: spin for the whole limit. */
#define FIRST_MEAN_NS 10000
#define FIRST_DEVIATION_NS 10000

/* Weights of RFC 6298. */
#define MEAN_SHIFT 3
#define DEVIATION_SHIFT 2
#define DEVIATIONS 4

/* What a clock that ticks coarsely may hide. */
#define MARGIN_NS 1000

/* A pause of seconds must not be remembered longer than one of a millisecond. */
#define SAMPLE_MAX_NS (4 * SPIN_LIMIT_NS)

void spin_init(struct spin *spin, int64_t option)
{
	*spin = (struct spin){
		.option = option,
		.mean_ns = FIRST_MEAN_NS,
		.deviation_ns = FIRST_DEVIATION_NS,
		.interval = SPIN_PROBE_FIRST,
		.left = SPIN_PROBE_FIRST,
	};
}

static bool is_sleeping(const struct spin *spin)
{
	return spin->mean_ns > SPIN_LIMIT_NS;
}

static uint64_t probe_budget(struct spin *spin)
{
	if (--spin->left)
		return 0;
	spin->interval = (uint32_t)min_u64(2 * (uint64_t)spin->interval,
					   SPIN_PROBE_LAST);
	spin->left = spin->interval;
	return SPIN_LIMIT_NS;
}

uint64_t spin_budget(struct spin *spin)
{
	if (spin->option)
		return spin->option > 0 ? (uint64_t)spin->option : 0;
	if (is_sleeping(spin))
		return probe_budget(spin);
	return min_u64(spin->mean_ns + DEVIATIONS * spin->deviation_ns +
			       MARGIN_NS,
		       SPIN_LIMIT_NS);
}

/* old + (sample − old) / 2^shift, of unsigned numbers. */
static uint64_t smooth(uint64_t old, uint64_t sample, unsigned int shift)
{
	return old - (old >> shift) + (sample >> shift);
}

void spin_learn(struct spin *spin, uint64_t waited_ns, bool slept,
		bool satisfied)
{
	uint64_t sample = min_u64(waited_ns, SAMPLE_MAX_NS);
	uint64_t distance = sample > spin->mean_ns ? sample - spin->mean_ns :
						     spin->mean_ns - sample;

	/* It would have taken longer: that says nothing if longer is expected. */
	if (!satisfied && sample <= spin->mean_ns)
		return;
	if (is_sleeping(spin) && satisfied && !slept) {
		spin_init(spin, spin->option);
		spin->mean_ns = min_u64(sample, SPIN_LIMIT_NS);
		spin->deviation_ns = spin->mean_ns / 2;
		return;
	}
	spin->deviation_ns =
		smooth(spin->deviation_ns, distance, DEVIATION_SHIFT);
	spin->mean_ns = smooth(spin->mean_ns, sample, MEAN_SHIFT);
}
