/* SPDX-License-Identifier: GPL-2.0-only */
/* What the PCI core tells of errors of the link, and of resets by others. */
#ifndef SPMM_ERROR_H
#define SPMM_ERROR_H

struct pci_error_handlers;

extern const struct pci_error_handlers spmm_error_handlers;

#endif
