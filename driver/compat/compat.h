/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before every file of the module: gives older kernels the interfaces of the
 * newest one. Each is guarded by a probe in compat/probes/.
 */
#ifndef SPMM_COMPAT_H
#define SPMM_COMPAT_H

#ifndef SPMM_PROBE
#include "compat_config.h"
#ifndef SPMM_HAVE_INVALIDATE_MAPPINGS
#include "invalidate_mappings.h"
#endif
#ifndef SPMM_HAVE_NAMESPACE_STRING
#include "namespace.h"
#endif
#ifndef SPMM_HAVE_SCHED_CANCEL_JOB
#include "scheduler.h"
#endif
#endif

#endif
