/* SPDX-License-Identifier: GPL-2.0-only */
/* What an open file used, in the form that gputop and others read: drm-usage-stats.rst. */
#ifndef SPMM_FDINFO_H
#define SPMM_FDINFO_H

struct drm_file;
struct drm_printer;

void spmm_fdinfo_show(struct drm_printer *printer, struct drm_file *file);

#endif
