/* SPDX-License-Identifier: MIT */
#include "doctor_check.h"

#include <stdarg.h>
#include <stdio.h>

void doctor_find(struct doctor_finding *finding, enum doctor_status status,
		 const char *format, ...)
{
	va_list list;

	finding->status = status;
	va_start(list, format);
	vsnprintf(finding->text, sizeof(finding->text), format, list);
	va_end(list);
}

void doctor_repair(struct doctor_finding *finding, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(finding->repair, sizeof(finding->repair), format, list);
	va_end(list);
}

void doctor_repair_by_root(struct doctor_finding *finding, const char *format,
			   ...)
{
	va_list list;

	finding->repair_by_root = true;
	va_start(list, format);
	vsnprintf(finding->repair, sizeof(finding->repair), format, list);
	va_end(list);
}
