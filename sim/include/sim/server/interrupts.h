/* SPDX-License-Identifier: MIT */
/* The client's eventfds, one for each MSI-X vector. */
#ifndef SIM_SERVER_INTERRUPTS_H
#define SIM_SERVER_INTERRUPTS_H

#include <pthread.h>
#include <stdint.h>

#include <transport/vfio_user_message.h>
#include <spmm/registers.h>

/* @lock: over the descriptors; a leaf. */
struct interrupts {
	pthread_mutex_t lock;
	int descriptors[SPMM_MSIX_VECTORS]; /* −1: none */
};

void interrupts_create(struct interrupts *interrupts);
void interrupts_destroy(struct interrupts *interrupts);

/* A SET_IRQS message; takes descriptors out of it. −errno for the reply. */
int interrupts_set(struct interrupts *interrupts, struct message *message);

/* Closes all. */
void interrupts_clear(struct interrupts *interrupts);

/* Signals a vector, from any thread. */
void interrupts_raise(struct interrupts *interrupts, unsigned int vector);

#endif
