/* SPDX-License-Identifier: MIT */
#include "driver/registers.h"

#include <linux/types.h>
#include <spmm/registers.h>

#include <errno.h>
#include <time.h>

#include "core/deadline.h"
#include "core/error.h"
#include "transport/transport.h"

#define NS_PER_SECOND 1000000000ull
#define POLL_NS 20000

static uint32_t read32(struct transport *transport, uint32_t offset)
{
	return transport->operations->read32(transport, offset);
}

static uint64_t read64(struct transport *transport, uint32_t offset)
{
	return transport->operations->read64(transport, offset);
}

/* All ones were read: the transport may know why. */
static int gone(struct transport *transport)
{
	int ret = transport_check(transport);

	if (ret)
		return ret;
	return accel_error(-ENODEV,
			   "the device does not answer: it is gone or off");
}

int registers_check_version(uint32_t version, const char *whose)
{
	uint32_t major = SPMM_VERSION_MAJOR(version);
	uint32_t known = SPMM_VERSION_MAJOR(SPMM_VERSION_1_0);

	if (major == known)
		return 0;
	return accel_error(
		-EOPNOTSUPP,
		"the %s's interface is version %u.%u; this library knows %u.x: a%s one is needed",
		whose, major, SPMM_VERSION_MINOR(version), known,
		major > known ? " newer" : "n older");
}

int registers_check_omitted(uint32_t omitted)
{
	if (!(omitted & ~SPMM_OMITTED_KNOWN))
		return 0;
	return accel_error(
		-EOPNOTSUPP,
		"the device lacks parts (0x%x) that this library does not know to do without; a newer one is needed",
		omitted & ~SPMM_OMITTED_KNOWN);
}

int registers_read_capabilities(struct transport *transport,
				struct capabilities *capabilities)
{
	uint64_t cap = read64(transport, SPMM_REG_CAP);
	uint32_t version = read32(transport, SPMM_REG_VERSION);
	uint32_t omitted = read32(transport, SPMM_REG_OMITTED);
	int ret;

	if (cap == UINT64_MAX || version == UINT32_MAX)
		return gone(transport);
	ret = registers_check_version(version, "device");
	if (!ret)
		ret = registers_check_omitted(omitted);
	if (ret)
		return ret;
	*capabilities = (struct capabilities){
		.queue_entries = (cap & SPMM_CAP_QUEUE_ENTRIES_MASK) + 1,
		.doorbell_stride =
			1u
			<< (12 + (cap >> SPMM_CAP_DOORBELL_STRIDE_SHIFT & 0xf)),
		.ready_timeout_ns =
			(cap >> SPMM_CAP_READY_TIMEOUT_SHIFT & 0xff) *
			(NS_PER_SECOND / 2),
		.job_timeout_ns = (cap >> SPMM_CAP_JOB_TIMEOUT_SHIFT & 0xff) *
				  NS_PER_SECOND,
		.queues = cap >> SPMM_CAP_QUEUES_SHIFT & 0xff,
		.contexts = cap >> SPMM_CAP_CONTEXTS_SHIFT & 0xff,
		.omitted = omitted,
	};
	return 0;
}

int registers_check_geometry(const struct geometry *geometry)
{
	if (!geometry->clusters || !geometry->lanes ||
	    !geometry->vector_width || !geometry->banks ||
	    !geometry->accumulators || !geometry->clock_hz)
		return accel_error(-EIO,
				   "the device reports an impossible geometry");
	return 0;
}

int registers_read_geometry(struct transport *transport,
			    struct geometry *geometry)
{
	*geometry = (struct geometry){
		.clusters = read32(transport, SPMM_REG_CLUSTERS),
		.lanes = read32(transport, SPMM_REG_LANES),
		.vector_width = read32(transport, SPMM_REG_VECTOR_WIDTH),
		.banks = read32(transport, SPMM_REG_BANKS),
		.accumulators = read32(transport, SPMM_REG_ACCUMULATORS),
		.decoder_rate = read32(transport, SPMM_REG_DECODER_RATE),
		.activation_buffer =
			read32(transport, SPMM_REG_ACTIVATION_BUFFER),
		.schedule_window = read32(transport, SPMM_REG_SCHEDULE_WINDOW),
		.sram_port_bytes = read32(transport, SPMM_REG_SRAM_PORT_BYTES),
		.epilogue_rate = read32(transport, SPMM_REG_EPILOGUE_RATE),
		.clock_hz = read32(transport, SPMM_REG_CLOCK_HZ),
		.memory_kind = read32(transport, SPMM_REG_MEMORY_KIND),
		.sram_bytes = read64(transport, SPMM_REG_SRAM_BYTES),
		.memory_bytes = read64(transport, SPMM_REG_MEMORY_BYTES),
		.memory_bandwidth =
			read64(transport, SPMM_REG_MEMORY_BANDWIDTH),
		.link_bandwidth = read64(transport, SPMM_REG_LINK_BANDWIDTH),
	};
	return registers_check_geometry(geometry);
}

static int fatal(void)
{
	return accel_error(-EIO, "the device reports a fatal error; reset it");
}

int registers_check_alive(struct transport *transport)
{
	int ret = transport_check(transport);
	uint32_t status;

	if (ret)
		return ret;
	status = read32(transport, SPMM_REG_STATUS);
	if (status == UINT32_MAX)
		return gone(transport);
	return status & SPMM_STATUS_FATAL ? fatal() : 0;
}

int registers_wait_status(struct transport *transport, uint32_t mask,
			  uint32_t value, uint64_t deadline)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };

	for (;;) {
		uint32_t status = read32(transport, SPMM_REG_STATUS);

		if (status == UINT32_MAX)
			return gone(transport);
		if ((status & mask) == value)
			return 0;
		if (status & SPMM_STATUS_FATAL & ~mask)
			return fatal();
		if (deadline_expired(deadline))
			return accel_error(
				-ETIMEDOUT,
				"the device's status stays at 0x%x; reset it",
				status);
		nanosleep(&pause, NULL);
	}
}
