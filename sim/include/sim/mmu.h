/* SPDX-License-Identifier: MIT */
/* Address translation of contexts: uapi/spmm/page_table.h. */
#ifndef SIM_MMU_H
#define SIM_MMU_H

#include <sim/state.h>

enum sim_access { SIM_READ, SIM_WRITE };

/*
 * Translates the page that holds @address. Returns enum spmm_status. Context 0 is
 * not translated: its addresses are bus addresses.
 */
int mmu_translate(struct sim_device *device, uint16_t context, uint64_t address,
		  enum sim_access access, struct sim_translation *out);

/* Remembers a translation, of a checkpoint. */
void mmu_insert(struct sim_device *device,
		const struct sim_translation *translation);

/* Forgets what is known of a context's range; length 0: of all of it. */
void mmu_invalidate(struct sim_device *device, uint16_t context,
		    uint64_t address, uint64_t length);

#endif
