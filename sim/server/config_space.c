/* SPDX-License-Identifier: MIT */
#include <linux/pci_regs.h>
#include <string.h>

#include <sim/server/config_space.h>
#include <spmm/error_injection.h>
#include <spmm/registers.h>

/* Where the capabilities lie, in the order of their chain. */
#define CAP_POWER 0x40
#define CAP_MSIX 0x50
#define CAP_EXPRESS 0x70
#define CAP_ERRORS 0x100
#define CAP_INJECTION SPMM_INJECTION_OFFSET /* only with a fault script */

#define PAYLOAD_256 1 /* of PCI_EXP_DEVCAP_PAYLOAD */

static void put16(struct config_space *space, uint32_t at, uint16_t value)
{
	memcpy(space->bytes + at, &value, sizeof(value));
}

static void put32(struct config_space *space, uint32_t at, uint32_t value)
{
	memcpy(space->bytes + at, &value, sizeof(value));
}

static uint16_t get16(const struct config_space *space, uint32_t at)
{
	uint16_t value;

	memcpy(&value, space->bytes + at, sizeof(value));
	return value;
}

static void allow16(struct config_space *space, uint32_t at, uint16_t mask)
{
	memcpy(space->writable + at, &mask, sizeof(mask));
}

static void allow32(struct config_space *space, uint32_t at, uint32_t mask)
{
	memcpy(space->writable + at, &mask, sizeof(mask));
}

static void header_fill(struct config_space *space)
{
	put16(space, PCI_VENDOR_ID, SPMM_PCI_VENDOR_ID);
	put16(space, PCI_DEVICE_ID, SPMM_PCI_DEVICE_ID);
	put16(space, PCI_SUBSYSTEM_VENDOR_ID, SPMM_PCI_VENDOR_ID);
	put16(space, PCI_SUBSYSTEM_ID, SPMM_PCI_DEVICE_ID);
	put32(space, PCI_CLASS_REVISION, SPMM_PCI_CLASS << 8 | 1);
	put16(space, PCI_STATUS, PCI_STATUS_CAP_LIST);
	space->bytes[PCI_CAPABILITY_LIST] = CAP_POWER;
	allow16(space, PCI_COMMAND,
		PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
			PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	space->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	space->writable[PCI_INTERRUPT_LINE] = 0xff;
}

/* 64 bits wide: the next register is its upper half. */
static void bar_fill(struct config_space *space, unsigned int bar,
		     uint64_t bytes, bool prefetch)
{
	uint32_t at = PCI_BASE_ADDRESS_0 + 4 * bar;
	uint64_t mask = ~(bytes - 1);

	space->bar_bytes[bar] = bytes;
	put32(space, at,
	      PCI_BASE_ADDRESS_MEM_TYPE_64 |
		      (prefetch ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0));
	allow32(space, at, (uint32_t)mask);
	allow32(space, at + 4, (uint32_t)(mask >> 32));
}

static void power_fill(struct config_space *space)
{
	space->bytes[CAP_POWER] = PCI_CAP_ID_PM;
	space->bytes[CAP_POWER + 1] = CAP_MSIX;
	put16(space, CAP_POWER + PCI_PM_PMC, 3);
	allow16(space, CAP_POWER + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
}

static void msix_fill(struct config_space *space)
{
	space->bytes[CAP_MSIX] = PCI_CAP_ID_MSIX;
	space->bytes[CAP_MSIX + 1] = CAP_EXPRESS;
	put16(space, CAP_MSIX + PCI_MSIX_FLAGS, SPMM_MSIX_VECTORS - 1);
	put32(space, CAP_MSIX + PCI_MSIX_TABLE,
	      MSIX_TABLE_OFFSET | SPMM_BAR_MSIX);
	put32(space, CAP_MSIX + PCI_MSIX_PBA,
	      MSIX_PENDING_OFFSET | SPMM_BAR_MSIX);
	allow16(space, CAP_MSIX + PCI_MSIX_FLAGS,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

/* An endpoint of generation 4 with 8 lanes, MPS up to 256. */
static void express_fill(struct config_space *space)
{
	const uint16_t link = PCI_EXP_LNKSTA_CLS_16_0GB | 8 << 4;

	space->bytes[CAP_EXPRESS] = PCI_CAP_ID_EXP;
	put16(space, CAP_EXPRESS + PCI_EXP_FLAGS,
	      2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(space, CAP_EXPRESS + PCI_EXP_DEVCAP,
	      PAYLOAD_256 | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER |
		      PCI_EXP_DEVCAP_FLR);
	allow16(space, CAP_EXPRESS + PCI_EXP_DEVCTL,
		(uint16_t)~PCI_EXP_DEVCTL_BCR_FLR);
	put16(space, CAP_EXPRESS + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_READRQ_512B);
	put32(space, CAP_EXPRESS + PCI_EXP_LNKCAP,
	      PCI_EXP_LNKCAP_SLS_16_0GB | 8 << 4);
	allow16(space, CAP_EXPRESS + PCI_EXP_LNKCTL,
		PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC);
	put16(space, CAP_EXPRESS + PCI_EXP_LNKSTA, link);
	put32(space, CAP_EXPRESS + PCI_EXP_DEVCAP2,
	      PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
	allow16(space, CAP_EXPRESS + PCI_EXP_DEVCTL2, 0x1f);
	put32(space, CAP_EXPRESS + PCI_EXP_LNKCAP2,
	      PCI_EXP_LNKCAP2_SLS_2_5GB | PCI_EXP_LNKCAP2_SLS_5_0GB |
		      PCI_EXP_LNKCAP2_SLS_8_0GB | PCI_EXP_LNKCAP2_SLS_16_0GB);
}

static void errors_fill(struct config_space *space)
{
	put32(space, CAP_ERRORS, PCI_EXT_CAP_ID_ERR | 2 << 16);
	allow32(space, CAP_ERRORS + PCI_ERR_UNCOR_MASK, UINT32_MAX);
	allow32(space, CAP_ERRORS + PCI_ERR_UNCOR_SEVER, UINT32_MAX);
	allow32(space, CAP_ERRORS + PCI_ERR_COR_MASK, UINT32_MAX);
}

void config_space_reset(struct config_space *space, uint64_t window)
{
	memset(space, 0, sizeof(*space));
	header_fill(space);
	bar_fill(space, SPMM_BAR_REGISTERS, SPMM_BAR_REGISTERS_SIZE, false);
	bar_fill(space, SPMM_BAR_MEMORY, window, true);
	bar_fill(space, SPMM_BAR_MSIX, MSIX_BAR_BYTES, false);
	power_fill(space);
	msix_fill(space);
	express_fill(space);
	errors_fill(space);
}

void config_space_add_injection(struct config_space *space)
{
	put32(space, CAP_ERRORS,
	      PCI_EXT_CAP_ID_ERR | 2 << 16 | CAP_INJECTION << 20);
	put32(space, CAP_INJECTION, PCI_EXT_CAP_ID_VNDR | 1 << 16);
	put32(space, CAP_INJECTION + SPMM_INJECTION_HEADER,
	      SPMM_INJECTION_ID | SPMM_INJECTION_REVISION << 16 |
		      SPMM_INJECTION_BYTES << 20);
	allow32(space, CAP_INJECTION + SPMM_INJECTION_ARM, UINT32_MAX);
	allow32(space, CAP_INJECTION + SPMM_INJECTION_SELECT, UINT32_MAX);
	memset(space->writable + CAP_INJECTION + SPMM_INJECTION_NAME, 0xff,
	       SPMM_INJECTION_NAME_BYTES);
}

uint32_t config_space_get32(const struct config_space *space, uint32_t at)
{
	uint32_t value;

	memcpy(&value, space->bytes + at, sizeof(value));
	return value;
}

void config_space_put32(struct config_space *space, uint32_t at, uint32_t value)
{
	put32(space, at, value);
}

void config_space_read(const struct config_space *space, uint32_t offset,
		       void *to, uint32_t length)
{
	memcpy(to, space->bytes + offset, length);
}

static bool touches(uint32_t at, uint32_t offset, uint32_t length)
{
	return at >= offset && at < offset + length;
}

/* The bit that starts a function-level reset reads as zero. */
static bool starts_reset(uint32_t offset, const uint8_t *from, uint32_t length)
{
	uint32_t at = CAP_EXPRESS + PCI_EXP_DEVCTL + 1;

	return touches(at, offset, length) &&
	       (from[at - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8);
}

enum config_space_event config_space_write(struct config_space *space,
					   uint32_t offset, const void *from,
					   uint32_t length)
{
	const uint8_t *bytes = from;
	uint16_t power = get16(space, CAP_POWER + PCI_PM_CTRL);

	for (uint32_t i = 0; i < length; i++) {
		uint8_t mask = space->writable[offset + i];
		uint8_t *to = &space->bytes[offset + i];

		*to = (uint8_t)((*to & ~mask) | (bytes[i] & mask));
	}
	/* In D3hot all state is lost; whoever comes back finds a device after reset. */
	if (!starts_reset(offset, bytes, length) &&
	    power == get16(space, CAP_POWER + PCI_PM_CTRL))
		return CONFIG_SPACE_NOTHING;
	put16(space, PCI_COMMAND,
	      get16(space, PCI_COMMAND) & (uint16_t)~PCI_COMMAND_MASTER);
	return CONFIG_SPACE_RESET;
}

bool config_space_bus_master(const struct config_space *space)
{
	return get16(space, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool config_space_powered(const struct config_space *space)
{
	return !(get16(space, CAP_POWER + PCI_PM_CTRL) &
		 PCI_PM_CTRL_STATE_MASK);
}
