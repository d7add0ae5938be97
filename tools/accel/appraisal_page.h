/* SPDX-License-Identifier: MIT */
/* What --metrics ask for, as tables of a page. */
#ifndef TOOL_APPRAISAL_PAGE_H
#define TOOL_APPRAISAL_PAGE_H

#include "appraisal.h"
#include "markup.h"

/* As appraiser_print(); appraiser may be NULL. */
void appraisal_page_add(struct markup *markup,
			const struct appraiser *appraiser,
			const struct appraisal_row *rows, uint32_t count);

#endif
