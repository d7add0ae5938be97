/* SPDX-License-Identifier: MIT */
/* MSI-X vectors and their mask register. */
#ifndef SIM_INTERRUPT_H
#define SIM_INTERRUPT_H

#include <sim/state.h>

/* By the device's thread: raises a vector, or remembers it while masked. */
void interrupt_raise(struct sim_device *device, unsigned int vector);

/* By the device's thread: raises what was unmasked meanwhile. */
void interrupt_flush(struct sim_device *device);

#endif
