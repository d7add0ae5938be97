/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/control.h>
#include <sim/registers.h>

/* Registers whose value is a constant of the geometry. */
static const struct geometry_register {
	uint32_t offset;
	uint32_t width;
	size_t field;
} geometry_registers[] = {
#define GEOMETRY32(name, field)                                      \
	{                                                            \
		SPMM_REG_##name, 4, offsetof(struct geometry, field) \
	}
#define GEOMETRY64(name, field)                                      \
	{                                                            \
		SPMM_REG_##name, 8, offsetof(struct geometry, field) \
	}
	GEOMETRY32(CLUSTERS, clusters),
	GEOMETRY32(LANES, lanes),
	GEOMETRY32(VECTOR_WIDTH, vector_width),
	GEOMETRY32(BANKS, banks),
	GEOMETRY32(ACCUMULATORS, accumulators),
	GEOMETRY32(DECODER_RATE, decoder_rate),
	GEOMETRY32(ACTIVATION_BUFFER, activation_buffer),
	GEOMETRY32(CLOCK_HZ, clock_hz),
	GEOMETRY32(SRAM_PORT_BYTES, sram_port_bytes),
	GEOMETRY32(EPILOGUE_RATE, epilogue_rate),
	GEOMETRY32(SCHEDULE_WINDOW, schedule_window),
	GEOMETRY32(MEMORY_KIND, memory_kind),
	GEOMETRY64(SRAM_BYTES, sram_bytes),
	GEOMETRY64(MEMORY_BYTES, memory_bytes),
	GEOMETRY64(MEMORY_BANDWIDTH, memory_bandwidth),
	GEOMETRY64(LINK_BANDWIDTH, link_bandwidth),
};

static uint64_t capabilities(const struct sim_config *config)
{
	uint64_t stride = (uint64_t)__builtin_ctz(config->doorbell_stride);

	return (config->queue_entries - 1) |
	       (stride - 12) << SPMM_CAP_DOORBELL_STRIDE_SHIFT |
	       (uint64_t)config->ready_timeout_500ms
		       << SPMM_CAP_READY_TIMEOUT_SHIFT |
	       (uint64_t)config->job_timeout_seconds
		       << SPMM_CAP_JOB_TIMEOUT_SHIFT |
	       (uint64_t)config->queues << SPMM_CAP_QUEUES_SHIFT |
	       (uint64_t)config->contexts << SPMM_CAP_CONTEXTS_SHIFT |
	       (uint64_t)config->future_capabilities << SPMM_CAP_RESERVED_SHIFT;
}

static bool geometry_value(const struct geometry *geometry, uint32_t offset,
			   uint32_t *width, uint64_t *value)
{
	size_t count =
		sizeof(geometry_registers) / sizeof(geometry_registers[0]);

	for (size_t i = 0; i < count; i++) {
		const struct geometry_register *r = &geometry_registers[i];
		const uint8_t *at = (const uint8_t *)geometry + r->field;

		if (r->offset != offset)
			continue;
		*width = r->width;
		*value = 0;
		memcpy(value, at, r->width);
		return true;
	}
	return false;
}

static bool array_value(struct sim_device *device, uint32_t offset,
			uint64_t *value)
{
	uint32_t index;

	if (offset & 7)
		return false;
	index = (offset - SPMM_REG_COUNTER_BASE) / 8;
	if (offset >= SPMM_REG_COUNTER_BASE && index < SPMM_COUNTER_COUNT) {
		*value = device->latched[index];
		return true;
	}
	index = (offset - SPMM_REG_PROGRESS(0)) / 8;
	if (offset >= SPMM_REG_PROGRESS(0) && index < SIM_QUEUES) {
		*value = atomic_load(&device->progress[index]);
		return true;
	}
	return false;
}

static bool register64(struct sim_device *device, uint32_t offset,
		       uint64_t *value)
{
	switch (offset) {
	case SPMM_REG_CAP:
		*value = capabilities(&device->config);
		return true;
	case SPMM_REG_INTERRUPT_MASK_SET:
	case SPMM_REG_INTERRUPT_MASK_CLEAR:
		*value = device->interrupt_mask;
		return true;
	case SPMM_REG_ADMIN_SQ_ADDRESS:
		*value = device->admin_sq_address;
		return true;
	case SPMM_REG_ADMIN_CQ_ADDRESS:
		*value = device->admin_cq_address;
		return true;
	case SPMM_REG_CYCLES:
		*value = atomic_load(&device->cycles);
		return true;
	}
	return array_value(device, offset, value);
}

static uint32_t register32(struct sim_device *device, uint32_t offset)
{
	switch (offset) {
	case SPMM_REG_VERSION:
		return device->config.version_major << 16 |
		       device->config.version_minor;
	case SPMM_REG_CONTROL:
		return device->control;
	case SPMM_REG_STATUS:
		return atomic_load(&device->status);
	case SPMM_REG_ADMIN_QUEUE_SIZE:
		return device->admin_size;
	case SPMM_REG_OMITTED:
		return device->config.omitted;
	case SPMM_REG_STOP_CYCLES:
		return device->config.stop_cycles;
	case SPMM_REG_TEMPERATURE:
		return device->config.temperature_millidegrees;
	case SPMM_REG_POWER:
		return device->config.idle_power_milliwatts;
	}
	return 0;
}

/* The 32 bits at an offset that is a multiple of 4. */
static uint32_t word_read(struct sim_device *device, uint32_t offset)
{
	uint32_t base = offset & ~7u;
	uint64_t value;
	uint32_t width;

	if (geometry_value(&device->geometry, offset, &width, &value))
		return (uint32_t)value;
	if (geometry_value(&device->geometry, base, &width, &value) &&
	    width == 8)
		return (uint32_t)(value >> 32);
	if (register64(device, base, &value))
		return (uint32_t)(value >> (offset == base ? 0 : 32));
	return register32(device, offset);
}

uint64_t registers_read(struct sim_device *device, uint32_t offset,
			size_t length)
{
	uint64_t value;

	pthread_mutex_lock(&device->lock);
	value = word_read(device, offset);
	/* Both halves under one lock: a 64-bit read is never torn. */
	if (length == 8 && !register64(device, offset, &value))
		value |= (uint64_t)word_read(device, offset + 4) << 32;
	pthread_mutex_unlock(&device->lock);
	return value;
}

static void half_set(uint64_t *value, uint32_t half, uint32_t word)
{
	unsigned int shift = half ? 32 : 0;

	*value &= ~(0xffffffffull << shift);
	*value |= (uint64_t)word << shift;
}

static void latch(struct sim_device *device, uint32_t context)
{
	if (context < SPMM_CONTEXTS_MAX)
		memcpy(device->latched, device->counters[context],
		       sizeof(device->latched));
	else
		memset(device->latched, 0, sizeof(device->latched));
}

static void word_write(struct sim_device *device, uint32_t offset,
		       uint32_t word)
{
	uint32_t half = offset & 4;

	switch (offset) {
	case SPMM_REG_CONTROL:
		control_set(device, word);
		return;
	case SPMM_REG_RESET:
		if (word == SPMM_RESET_MAGIC)
			control_reset(device);
		return;
	case SPMM_REG_ADMIN_QUEUE_SIZE:
		device->admin_size = word;
		return;
	case SPMM_REG_COUNTER_LATCH:
		latch(device, word);
		return;
	}
	switch (offset & ~7u) {
	case SPMM_REG_INTERRUPT_MASK_SET:
		device->interrupt_mask |= (uint64_t)word << (half ? 32 : 0);
		return;
	case SPMM_REG_INTERRUPT_MASK_CLEAR:
		device->interrupt_mask &= ~((uint64_t)word << (half ? 32 : 0));
		control_kick(device);
		return;
	case SPMM_REG_ADMIN_SQ_ADDRESS:
		half_set(&device->admin_sq_address, half, word);
		return;
	case SPMM_REG_ADMIN_CQ_ADDRESS:
		half_set(&device->admin_cq_address, half, word);
		return;
	}
}

void registers_write(struct sim_device *device, uint32_t offset, uint64_t value,
		     size_t length)
{
	pthread_mutex_lock(&device->lock);
	word_write(device, offset, (uint32_t)value);
	if (length == 8)
		word_write(device, offset + 4, (uint32_t)(value >> 32));
	pthread_mutex_unlock(&device->lock);
}

void registers_clear(struct sim_device *device)
{
	device->control = 0;
	device->admin_size = 0;
	device->admin_sq_address = 0;
	device->admin_cq_address = 0;
	device->interrupt_mask = 0;
	device->interrupt_pending = 0;
	memset(device->counters, 0, sizeof(device->counters));
	memset(device->latched, 0, sizeof(device->latched));
	memset(device->msix, 0, sizeof(device->msix));
}
