/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels whose MODULE_IMPORT_NS() takes a word, not a string. */
#ifndef SPMM_COMPAT_NAMESPACE_H
#define SPMM_COMPAT_NAMESPACE_H

#include <linux/module.h>

#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns) MODULE_INFO(import_ns, ns)

#endif
