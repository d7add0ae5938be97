/* SPDX-License-Identifier: GPL-2.0-only */
/* How the device comes and goes. */
#ifndef SPMM_PCI_H
#define SPMM_PCI_H

struct pci_dev;
struct pci_device_id;

int spmm_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id);
void spmm_pci_remove(struct pci_dev *pdev);
void spmm_pci_shutdown(struct pci_dev *pdev);

#endif
