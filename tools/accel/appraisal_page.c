/* SPDX-License-Identifier: MIT */
#include "appraisal_page.h"

static void begin_row(struct markup *markup, const char *name)
{
	markup_add(markup, "<tr><td>");
	markup_escape(markup, name);
	markup_add(markup, "</td>");
}

/* ---- sets of pictures ---- */

static void add_distribution(struct markup *markup, const char *name,
			     const struct distribution_figures *figures)
{
	const struct neighbourhood_scores *scores = &figures->neighbourhood;

	begin_row(markup, name);
	markup_number(markup, figures->frechet, 4);
	markup_number(markup, figures->kernel.mean, 6);
	markup_number(markup, figures->kernel.deviation, 6);
	markup_number(markup, scores->precision, 4);
	markup_number(markup, scores->recall, 4);
	markup_number(markup, scores->density, 4);
	markup_number(markup, scores->coverage, 4);
	markup_add(markup, "</tr>\n");
}

static void add_distributions(struct markup *markup,
			      const struct appraiser *appraiser,
			      const struct appraisal_row *rows, uint32_t count)
{
	const struct feature_set *real = &appraiser->quality.features;

	markup_add(
		markup,
		"<h2>All pictures among the dense network's</h2>\n<p class=\"note\">By "
		"%zu features of a classifier, %zu pictures. The last row is the "
		"resampling floor: the dense network against itself with other "
		"latents.</p>\n"
		"<div class=\"wide\"><table>\n<tr><th>model</th><th>FID</th><th>KID</th>"
		"<th>&#177;</th><th>precision</th><th>recall</th><th>density</th>"
		"<th>coverage</th></tr>\n",
		real->size, real->count);
	for (uint32_t i = 0; i < count; i++)
		add_distribution(markup, rows[i].name,
				 &rows[i].appraisal->figures.distribution);
	if (appraiser_has_floor(appraiser))
		add_distribution(markup, "dense, other latents",
				 &appraiser->quality.floor.distribution);
	markup_add(markup, "</table></div>\n");
}

/* ---- pictures, one by one ---- */

static void add_pictures(struct markup *markup,
			 const struct appraiser *appraiser,
			 const struct appraisal_row *rows, uint32_t count)
{
	markup_add(
		markup,
		"<h2>Picture by picture</h2>\n<p class=\"note\">MS-SSIM over %zu "
		"scales; PSNR of luminance is of colours.</p>\n"
		"<div class=\"wide\"><table>\n<tr><th>model</th><th>MS-SSIM</th>"
		"<th>PSNR-Y dB</th></tr>\n",
		appraiser->quality.scales);
	for (uint32_t i = 0; i < count; i++) {
		begin_row(markup, rows[i].name);
		markup_number(markup, rows[i].appraisal->figures.ms_ssim, 4);
		markup_number(markup, rows[i].appraisal->figures.psnr_luminance,
			      2);
		markup_add(markup, "</tr>\n");
	}
	markup_add(markup, "</table></div>\n");
}

/* ---- sketches ---- */

static void add_sketch(struct markup *markup, const char *name, double nll,
		       double kl, const struct stroke_statistics *drawn)
{
	begin_row(markup, name);
	markup_number(markup, nll, 4);
	markup_number(markup, kl, 4);
	markup_number(markup, drawn->steps.mean, 1);
	markup_number(markup, drawn->lifts.mean, 1);
	markup_number(markup, drawn->width.mean, 2);
	markup_number(markup, drawn->height.mean, 2);
	markup_number(markup, drawn->ink.mean, 2);
	markup_number(markup, 100 * drawn->ended, 0);
	markup_add(markup, "</tr>\n");
}

static void add_sketches(struct markup *markup,
			 const struct appraiser *appraiser,
			 const struct appraisal_row *rows, uint32_t count)
{
	markup_add(
		markup,
		"<h2>Sketches</h2>\n<p class=\"note\">Negative log-likelihood and "
		"divergence per step, teacher-forced, on %zu sketches that the dense "
		"network drew; then means of what each draws itself, by the same "
		"seed.</p>\n"
		"<div class=\"wide\"><table>\n<tr><th>model</th><th>NLL</th><th>KL</th>"
		"<th>strokes</th><th>lifts</th><th>width</th><th>height</th>"
		"<th>ink</th><th>ended %%</th></tr>\n",
		appraiser->sketches->batch);
	for (uint32_t i = 0; i < count; i++)
		add_sketch(markup, rows[i].name, rows[i].appraisal->nll,
			   rows[i].appraisal->kl,
			   &rows[i].appraisal->statistics);
	add_sketch(markup, "dense", appraiser->nll, 0, &appraiser->statistics);
	markup_add(markup, "</table></div>\n");
}

/* ---- all ---- */

static void add_robustness(struct markup *markup,
			   const struct appraisal_row *rows, uint32_t count)
{
	markup_add(markup,
		   "<h2>On changed inputs</h2>\n<p class=\"note\">PSNR, "
		   "dB.</p>\n<div class=\"wide\"><table>\n"
		   "<tr><th>model</th>");
	for (int i = 0; i < ROBUSTNESS_CASES; i++)
		markup_add(markup, "<th>%s</th>", robustness_names[i]);
	markup_add(markup, "</tr>\n");
	for (uint32_t i = 0; i < count; i++) {
		begin_row(markup, rows[i].name);
		for (int j = 0; j < ROBUSTNESS_CASES; j++)
			markup_number(markup, rows[i].appraisal->robustness[j],
				      2);
		markup_add(markup, "</tr>\n");
	}
	markup_add(markup, "</table></div>\n");
}

void appraisal_page_add(struct markup *markup,
			const struct appraiser *appraiser,
			const struct appraisal_row *rows, uint32_t count)
{
	if (!appraiser)
		return;
	if (appraiser_has_features(appraiser))
		add_distributions(markup, appraiser, rows, count);
	if (appraiser->metrics & QUALITY_MS_SSIM && appraiser->quality.scales)
		add_pictures(markup, appraiser, rows, count);
	if (appraiser->sketches)
		add_sketches(markup, appraiser, rows, count);
	if (appraiser->metrics & QUALITY_ROBUSTNESS)
		add_robustness(markup, rows, count);
}
