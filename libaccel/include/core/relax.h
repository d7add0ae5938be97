/* SPDX-License-Identifier: MIT */
#ifndef CORE_RELAX_H
#define CORE_RELAX_H

/* Between two looks of a loop that spins: leave the core to its other thread. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
