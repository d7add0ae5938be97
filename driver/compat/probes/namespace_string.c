// SPDX-License-Identifier: GPL-2.0-only
/* MODULE_IMPORT_NS() of a string; the older one takes a word and makes a string of it. */
#include <linux/module.h>

#undef MODULE_INFO
#define MODULE_INFO(tag, info) static const char spmm_probe_##tag[] = info

MODULE_IMPORT_NS("A");
static_assert(sizeof(spmm_probe_import_ns) == sizeof("A"));
