/* SPDX-License-Identifier: MIT */
/* What a thread may wait for another in, counted. */
#include "watch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

/* The same function of the library behind this program. */
#define FORWARD(name, parameters, arguments)                         \
	int name parameters                                          \
	{                                                            \
		static int(*behind) parameters;                      \
                                                                     \
		if (!behind)                                         \
			*(void **)&behind = dlsym(RTLD_NEXT, #name); \
		if (watch_on)                                        \
			watch.locks++;                               \
		return behind arguments;                             \
	}

FORWARD(pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
FORWARD(pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
FORWARD(pthread_mutex_unlock, (pthread_mutex_t * lock), (lock))
FORWARD(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
FORWARD(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
FORWARD(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))
FORWARD(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
FORWARD(pthread_cond_signal, (pthread_cond_t * condition), (condition))
FORWARD(pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
FORWARD(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *lock),
	(condition, lock))
FORWARD(sem_wait, (sem_t * semaphore), (semaphore))
FORWARD(sem_post, (sem_t * semaphore), (semaphore))
