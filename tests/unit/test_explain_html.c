/* SPDX-License-Identifier: MIT */
/* The page of an explanation: well formed, whole, and safe from hostile names. */
#include "folder.h"
#include "unit.h"

#include <explanation.h>
#include <markup.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "</title><script>alert(\"1\")</script>&'\x01"
#define DEPTH_MAX 32

/* A tag's name, up to what may follow one. */
static size_t name_length(const char *name)
{
	return strcspn(name, " \n/>");
}

/* The end of a tag; within quotes an angle bracket would be an error of ours. */
static const char *tag_end(const char *tag)
{
	bool quoted = false;

	for (; *tag && (quoted || *tag != '>'); tag++) {
		assert_true(!quoted || *tag != '<');
		quoted ^= *tag == '"';
	}
	assert_false(quoted);
	assert_int_equal(*tag, '>');
	return tag;
}

/* Every element is closed by its own name, in order; entities are complete. */
static void assert_well_formed(const char *text)
{
	const char *open[DEPTH_MAX];
	int depth = 0;

	for (const char *at = text; *at; at++) {
		const char *end;

		if (*at == '&')
			assert_int_equal(at[1 + strcspn(at + 1, "; <&\n")],
					 ';');
		assert_true((unsigned char)*at >= ' ' || *at == '\n');
		if (*at != '<')
			continue;
		end = tag_end(at);
		if (at[1] == '/') {
			assert_true(depth > 0);
			depth--;
			assert_int_equal(name_length(open[depth]),
					 name_length(at + 2));
			assert_memory_equal(open[depth], at + 2,
					    name_length(at + 2));
		} else if (at[1] != '!' && end[-1] != '/') {
			assert_true(isalpha((unsigned char)at[1]));
			assert_true(depth < DEPTH_MAX);
			open[depth++] = at + 1;
		}
		at = end;
	}
	assert_int_equal(depth, 0);
}

static struct explained_layer layer_named(const char *name, const char *op)
{
	struct explained_layer layer = {
		.cost = { .name = name,
			  .op = op,
			  .m = 4,
			  .k = 8,
			  .n = 64,
			  .nnz = 16,
			  .macs = 1024,
			  .macs_dense = 2048,
			  .cycles = 20,
			  .roof_hard_cycles = 10,
			  .roof_structural_cycles = 12,
			  .utilization = 0.5,
			  .bytes_dram = 300,
			  .bytes_sram = 400,
			  .stall = { 1000, 500, 0, 60 },
			  .issue_cycles = 11,
			  .optimal_cycles = 10,
			  .bytes_weights = 30,
			  .bytes_input = 512,
			  .bytes_output = 256,
			  .first_cycle = 1005,
			  .last_cycle = 1025,
			  .work_cycle = 1007 },
		.cpu_seconds = 1e-3,
	};

	return layer;
}

static struct explanation explanation_of(struct explained_layer layers[2])
{
	struct explanation explanation = {
		.model = HOSTILE,
		.device = { .uri = "sim:<" HOSTILE,
			    .name = "a device",
			    .backend = "sim",
			    .memory_bandwidth = 100000000000,
			    .link_bandwidth = 10000000000,
			    .clock_hz = 1000000000,
			    .clusters = 2,
			    .lanes = 4,
			    .vector_width = 32 },
		.batch = 1,
		.has_dense = true,
		.layers = layers,
		.count = 2,
	};

	layers[0] = layer_named(HOSTILE, "spmm");
	layers[1] = layer_named("transfers", "copy");
	explanation.total = layer_named(HOSTILE, "total");
	explanation.total.cost.first_cycle = 1000;
	explanation.total.cost.cycles = 25;
	explanation_conclude(&explanation);
	return explanation;
}

/* The page as a string, for free(). */
static char *page_of(const char *folder, const struct explanation *explanation)
{
	const char *path = folder_path(folder, "page.html");
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	assert_int_equal(explanation_write_html(explanation, path), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	text = calloc(1, 1 << 20);
	assert_non_null(text);
	size = fread(text, 1, (1 << 20) - 1, file);
	assert_true(size > 0);
	fclose(file);
	return text;
}

static void a_page_is_well_formed(void **state)
{
	struct explained_layer layers[2];
	struct explanation explanation = explanation_of(layers);
	char *page = page_of(*state, &explanation);

	assert_well_formed(page);
	assert_non_null(strstr(page, "</html>"));
	assert_non_null(strstr(page, "aria-label=\"Roofline\""));
	assert_non_null(strstr(page, "aria-label=\"Stall stack\""));
	assert_non_null(strstr(page, "aria-label=\"Time line\""));
	/* from the run's begin, whatever the device did before */
	assert_non_null(strstr(page, "cycles 5, work from 7, to 25 of 25"));
	assert_non_null(strstr(page, "an estimate"));
	free(page);
}

/* Labels go where there is room; a dot in a crowd keeps its name to itself. */
static void names_in_the_roofline_do_not_overlap(void **state)
{
	struct explained_layer layers[40];
	struct explanation explanation = explanation_of(layers);
	char *page, *at;
	unsigned int names = 0;

	for (size_t i = 0; i < 40; i++)
		layers[i] = layer_named("a_layer", "spmm");
	explanation.count = 40;
	explanation_conclude(&explanation);
	page = page_of(*state, &explanation);
	assert_well_formed(page);
	for (at = page; (at = strstr(at, "class=\"name\"")); at++)
		names++;
	/* all dots lie upon each other: there are six places beside them */
	assert_in_range(names, 1, 6);
	free(page);
}

static void long_names_end_in_the_plots_as_they_end(void **state)
{
	struct markup markup = { .text = NULL };

	(void)state;
	markup_escape_end(&markup, "a<b", 3);
	assert_string_equal(markup.text, "a&lt;b");
	markup_release(&markup);
	markup_escape_end(&markup, "block1/conv<7>", 3);
	assert_string_equal(markup.text, "&#8230;&lt;7&gt;");
	markup_release(&markup);
}

static void counts_have_their_thousands_apart(void **state)
{
	struct markup markup = { .text = NULL };

	(void)state;
	markup_count(&markup, 7);
	markup_add(&markup, " ");
	markup_count(&markup, 1002003);
	assert_string_equal(markup.text, "7 1&#8239;002&#8239;003");
	markup_release(&markup);
}

static void a_page_needs_nothing_else_and_runs_nothing(void **state)
{
	static const char *const forbidden[] = { "<script", "<link", "src=",
						 "href=",   "url(",  "@import",
						 "<iframe", "onload" };
	struct explained_layer layers[2];
	struct explanation explanation = explanation_of(layers);
	char *page = page_of(*state, &explanation);

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		assert_null(strstr(page, forbidden[i]));
	assert_non_null(strstr(page, "&lt;script&gt;"));
	free(page);
}

/* nil: and cpu: count no cycles: there is nothing to plot. */
static void a_page_without_cycles_has_no_plots(void **state)
{
	struct explained_layer layers[2];
	struct explanation explanation = explanation_of(layers);
	char *page;

	explanation.device.clock_hz = 0;
	explanation.device.memory_bandwidth = 0;
	explanation.device.link_bandwidth = 0;
	layers[0].cost.cycles = layers[1].cost.cycles = 0;
	explanation.total.cost.cycles = 0;
	explanation_conclude(&explanation);
	page = page_of(*state, &explanation);
	assert_well_formed(page);
	assert_null(strstr(page, "<svg"));
	assert_null(strstr(page, "nan"));
	assert_null(strstr(page, "inf<"));
	free(page);
}

static void figures_follow_from_the_costs(void **state)
{
	struct explained_layer layers[2];
	struct explanation explanation = explanation_of(layers);

	(void)state;
	assert_float_equal(layers[0].density, 0.5, 1e-12);
	assert_float_equal(layers[0].schedule, 1.1, 1e-12);
	assert_float_equal(layers[0].device_seconds * 1e9, 20, 1e-9);
	assert_float_equal(layers[0].link_seconds * 1e9, 51.2, 1e-9);
	assert_int_equal(layers[0].verdict.worth, VERDICT_YES);
	assert_int_equal(layers[1].verdict.worth, VERDICT_COST);
	assert_non_null(strstr(explanation.summary, "1 are worth offloading"));
}

static void a_page_that_cannot_be_written_is_no_page(void **state)
{
	struct explained_layer layers[2];
	struct explanation explanation = explanation_of(layers);

	assert_int_equal(
		explanation_write_html(&explanation,
				       folder_path(*state, "none/page.html")),
		-ENOENT);
	assert_int_equal(explanation_write_html(&explanation, "/dev/full"),
			 -ENOSPC);
}

static void long_markup_grows(void **state)
{
	struct markup markup = { .text = NULL };

	(void)state;
	for (int i = 0; i < 50000; i++)
		markup_add(&markup, "%s", "<b/>");
	assert_false(markup.failed);
	assert_int_equal(markup.length, 200000);
	assert_int_equal(strlen(markup.text), 200000);
	markup_release(&markup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(a_page_is_well_formed),
		folder_test(a_page_needs_nothing_else_and_runs_nothing),
		folder_test(names_in_the_roofline_do_not_overlap),
		cmocka_unit_test(long_names_end_in_the_plots_as_they_end),
		cmocka_unit_test(counts_have_their_thousands_apart),
		folder_test(a_page_without_cycles_has_no_plots),
		cmocka_unit_test(figures_follow_from_the_costs),
		folder_test(a_page_that_cannot_be_written_is_no_page),
		cmocka_unit_test(long_markup_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
