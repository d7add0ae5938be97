/* SPDX-License-Identifier: MIT */
/* The roofs of a plan's layers and of the network. */
#ifndef PLAN_REPORT_ROOF_H
#define PLAN_REPORT_ROOF_H

#include "pack/geometry.h"
#include "plan/program.h"
#include "plan/report.h"

/* Roofs of layers that run alone and cold, and of the network. */
void plan_report_roofs(const struct plan_program *program,
		       const struct geometry *geometry,
		       struct plan_report *report);

/* After a run: bytes that were on chip do not count for a layer. */
void plan_report_roofs_warm(const struct geometry *geometry,
			    struct plan_report *report);

#endif
