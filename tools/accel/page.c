/* SPDX-License-Identifier: MIT */
#include "page.h"

/* Colours follow the reader's setting; the causes' are legible on both grounds. */
const char page_style[] =
	":root{color-scheme:light dark;--ground:#fcfcfb;--panel:#f2f3f1;--ink:#16181d;"
	"--soft:#5d6470;--line:#d9dce1;--mark:#2a78d6;--good:#12805c;--bad:#c33732}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#15171b;--panel:#1e2127;"
	"--ink:#e9ebee;--soft:#a3a9b3;--line:#353a43;--mark:#5598e7;--good:#3fb68b;"
	"--bad:#ec6a64}}\n"
	"body{margin:2rem auto;max-width:80rem;padding:0 1rem;background:var(--ground);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.2rem;margin-top:2.4rem}\n"
	"h1+.note{margin-top:.2rem}\n"
	".note{color:var(--soft);max-width:48rem}.summary{max-width:48rem}\n"
	".tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}\n"
	".tiles div{background:var(--panel);border-radius:.5rem;padding:.6rem 1rem;"
	"min-width:8.5rem}\n"
	".tiles b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}\n"
	".tiles span{color:var(--soft);font-size:13px}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.3rem .45rem;text-align:right;border-bottom:1px solid var(--line);"
	"white-space:nowrap;vertical-align:top}\n"
	"th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}\n"
	"th:first-child,td:first-child,.text{text-align:left}\n"
	"th:first-child,td:first-child{position:sticky;left:0;background:var(--ground)}\n"
	"td.text{white-space:normal;min-width:24rem}tr.total td{font-weight:600}\n"
	".yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}\n"
	"svg{display:block;width:100%;max-width:60rem;height:auto}\n"
	"svg text{fill:var(--soft);font:11px system-ui,sans-serif}"
	"svg .name{fill:var(--ink)}\n"
	".grid{stroke:var(--line)}.roof{fill:none;stroke:var(--ink);stroke-width:2}\n"
	".ahead{fill:var(--mark);fill-opacity:.22}"
	".layer{fill:var(--mark);fill-opacity:.75;stroke:var(--ground)}"
	".total{fill:var(--ground);stroke:var(--mark);stroke-width:2.5}\n"
	".cause0{fill:#2a78d6}.cause1{fill:#eb6834}.cause2{fill:#1baf7a}"
	".cause3{fill:#eda100}.cause4{fill:#e87ba4}.cause5{fill:#8a8f98}"
	".cause6{fill:#7b68d9}.cause7{fill:#008300}.cause8{fill:#d63b3a}"
	".cause9{fill:#8f6a45}.cause10{fill:#b9bdc4}.cause11{fill:#000}\n"
	".before{fill:var(--soft);fill-opacity:.35}.after{fill:var(--mark)}\n"
	"img{image-rendering:pixelated;max-width:100%}img.cells{width:64px;height:64px}\n"
	"td svg{width:10rem}.note{overflow-wrap:anywhere}svg.curve{max-width:36rem}pre{white-space:pre-wrap;background:var(--panel);"
	"padding:.6rem 1rem;border-radius:.5rem}\n";

void page_begin(struct markup *markup, const char *subject, const char *about)
{
	markup_add(
		markup,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
	markup_escape(markup, subject);
	markup_add(markup, " ");
	markup_escape(markup, about);
	markup_add(markup,
		   "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>",
		   page_style);
	markup_escape(markup, subject);
	markup_add(markup, "</h1>\n");
}

void page_end(struct markup *markup)
{
	markup_add(markup, "</body>\n</html>\n");
}
