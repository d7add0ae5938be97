// SPDX-License-Identifier: GPL-2.0-only
/* What the PCI core tells of errors of the link, and of resets by others. */
#include "spmm_error.h"

#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_reset.h"

#include <drm/drm_print.h>
#include <linux/pci.h>
#include <spmm/registers.h>

static void reset_prepare(struct pci_dev *pdev)
{
	spmm_reset_prepare(pci_get_drvdata(pdev));
}

static void reset_done(struct pci_dev *pdev)
{
	spmm_reset_done(pci_get_drvdata(pdev));
}

static pci_ers_result_t error_detected(struct pci_dev *pdev,
				       pci_channel_state_t state)
{
	struct spmm_device *spmm = pci_get_drvdata(pdev);

	drm_err(&spmm->drm, "PCI error, channel state %u\n", state);
	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		spmm_reset_prepare(spmm);
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		spmm_device_mark_gone(spmm);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

/*
 * The link was not reset, but a read or write was lost, nobody knows whose: what the
 * device holds cannot be told good.
 */
static pci_ers_result_t mmio_enabled(struct pci_dev *pdev)
{
	struct spmm_device *spmm = pci_get_drvdata(pdev);

	spmm_hw_read32(spmm, SPMM_REG_STATUS);
	if (spmm_device_is_gone(spmm))
		return PCI_ERS_RESULT_DISCONNECT;
	spmm_reset_schedule(spmm, "PCI error");
	return PCI_ERS_RESULT_RECOVERED;
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct spmm_device *spmm = pci_get_drvdata(pdev);

	/* What probe saved. */
	pci_restore_state(pdev);
	pci_save_state(pdev);
	pci_set_master(pdev);
	return spmm_reset_done(spmm) ? PCI_ERS_RESULT_DISCONNECT :
				       PCI_ERS_RESULT_RECOVERED;
}

const struct pci_error_handlers spmm_error_handlers = {
	.error_detected = error_detected,
	.mmio_enabled = mmio_enabled,
	.slot_reset = slot_reset,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
