/* SPDX-License-Identifier: MIT */
/*
 * The PCI configuration space of the simulated device: identity, BARs, power management,
 * MSI-X, PCI Express with function-level reset, advanced error reporting.
 */
#ifndef SIM_SERVER_CONFIG_SPACE_H
#define SIM_SERVER_CONFIG_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_SPACE_BYTES 4096
#define CONFIG_SPACE_BARS 6

/* Where the interrupt tables lie in SPMM_BAR_MSIX. */
#define MSIX_TABLE_OFFSET 0x0
#define MSIX_PENDING_OFFSET 0x800
#define MSIX_BAR_BYTES 0x1000

/**
 * struct config_space
 * @bytes: as a read finds them
 * @writable: bits that a write changes
 * @bar_bytes: a power of two, or 0: not there
 */
struct config_space {
	uint8_t bytes[CONFIG_SPACE_BYTES];
	uint8_t writable[CONFIG_SPACE_BYTES];
	uint64_t bar_bytes[CONFIG_SPACE_BARS];
};

/* As after power-on; @window: bytes of BAR2, a power of two. */
void config_space_reset(struct config_space *space, uint64_t window);

/* Adds the capability of spmm/error_injection.h to one as after power-on. */
void config_space_add_injection(struct config_space *space);

/* A field of it, and the same as the device sets it. */
uint32_t config_space_get32(const struct config_space *space, uint32_t at);
void config_space_put32(struct config_space *space, uint32_t at,
			uint32_t value);

void config_space_read(const struct config_space *space, uint32_t offset,
		       void *to, uint32_t length);

/* What a write asks of the device, beyond the bits that it changes. */
enum config_space_event {
	CONFIG_SPACE_NOTHING,
	CONFIG_SPACE_RESET, /* function-level, or D3hot was left or entered */
};

enum config_space_event config_space_write(struct config_space *space,
					   uint32_t offset, const void *from,
					   uint32_t length);

/* May the device read and write host memory? */
bool config_space_bus_master(const struct config_space *space);

/* In another state than D0 nobody answers an access to a BAR. */
bool config_space_powered(const struct config_space *space);

#endif
