# SPDX-License-Identifier: MIT
# Man pages of section 3 from the kernel-doc of public headers: one page a function.
# usage: awk -v folder=OUT -v examples=FOLDER -v version=VERSION -f functions.awk HEADER...
# Structures and enumerations that a prototype names are shown in its page; its example is
# examples/FUNCTION.c. The last page of a header's functions sees all others.

# A line of text as roff: nothing in it is a request or an escape.
function roff(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}

function reset_comment()
{
	name = summary = prototype = ""
	parameter_count = line_count = 0
	target = ""
}

# What the comment says, by its part: parameters first, then text.
function comment_line(text)
{
	if (name == "") {
		is_function = text ~ /\(\) - /
		name = text
		sub(/^(struct|enum) /, "", name)
		sub(/(\(\))? - .*/, "", name)
		summary = text
		sub(/^.*( - )/, "", summary)
		target = "summary"
	} else if (text ~ /^@[a-z_A-Z0-9.]+: /) {
		target = "parameter"
		parameter[++parameter_count] = text
		sub(/:.*/, "", parameter[parameter_count])
		sub(/^@/, "", parameter[parameter_count])
		sub(/^@[^:]*: /, "", text)
		meaning[parameter_count] = text
	} else if (text == "") {
		target = "text"
		line[++line_count] = ""
	} else if (target == "parameter") {
		sub(/^[ \t]+/, "", text)
		meaning[parameter_count] = meaning[parameter_count] "\n" text
	} else if (target == "summary") {
		summary = summary " " text
	} else {
		line[++line_count] = text
	}
}

# The end of a declaration: keep it until all headers have been read.
function declaration_end(   i)
{
	if (!is_function) {
		type_code[name] = code
		type_members[name] = members()
		type_summary[name] = summary
		return
	}
	count++
	function_name[count] = name
	function_header[count] = header
	function_summary[count] = summary
	function_code[count] = code
	function_parameters[count] = members()
	function_text[count] = ""
	for (i = 1; i <= line_count; i++)
		function_text[count] = function_text[count] line[i] "\n"
}

function members(   i, text)
{
	for (i = 1; i <= parameter_count; i++)
		text = text ".TP\n.I " parameter[i] "\n" lines_of(meaning[i])
	return text
}

function lines_of(text,   i, n, piece, out)
{
	n = split(text, piece, "\n")
	for (i = 1; i <= n; i++)
		out = out roff(piece[i]) "\n"
	return out
}

function emit(text)
{
	printf "%s", text >page
}

function heading(text)
{
	emit(".SH " text "\n")
}

# Tabs as in the sources, every eight columns, whatever the pager thinks of them.
function tabs_expand(text,   at)
{
	while ((at = index(text, "\t")))
		text = substr(text, 1, at - 1) sprintf("%" (8 - (at - 1) % 8) "s", "") \
			substr(text, at + 1)
	return text
}

function verbatim(text,   i, n, piece)
{
	emit(".nf\n")
	n = split(text, piece, "\n")
	for (i = 1; i <= n; i++)
		emit(roff(tabs_expand(piece[i])) "\n")
	emit(".fi\n")
}

# Sorts the text into description, return value and thread-safety.
function text_sort(text,   n, piece, i, where)
{
	description = returns = safety = ""
	where = "description"
	n = split(text, piece, "\n")
	for (i = 1; i <= n; i++) {
		if (piece[i] ~ /^Return: /) {
			where = "returns"
			sub(/^Return: /, "", piece[i])
		} else if (piece[i] ~ /^(Not thread-safe|Thread-safe)/) {
			where = "safety"
		} else if (piece[i] == "" && where != "description") {
			where = "description"
		}
		if (where == "returns")
			returns = returns piece[i] "\n"
		else if (where == "safety")
			safety = safety piece[i] "\n"
		else
			description = description piece[i] "\n"
	}
}

# Paragraphs; lines that begin with a tab stand as they are.
function paragraphs(text,   n, piece, i, literal)
{
	n = split(text, piece, "\n")
	for (i = 1; i <= n; i++) {
		if ((piece[i] ~ /^\t/) != literal) {
			literal = !literal
			emit(literal ? ".PP\n.nf\n" : ".fi\n")
		}
		if (piece[i] == "")
			emit(i < n && piece[i + 1] !~ /^\t/ && piece[i + 1] != "" ? ".PP\n" : "")
		else
			emit(roff(tabs_expand(piece[i])) "\n")
	}
	if (literal)
		emit(".fi\n")
}

# The documented types that a prototype or a type names, once each.
function types_show(code,   n, word, i)
{
	n = split(code, word, /[^a-z_A-Z0-9]+/)
	for (i = 1; i <= n; i++) {
		if (!(word[i] in type_code) || word[i] in shown)
			continue
		if (!types_shown++)
			heading("TYPES")
		shown[word[i]] = 1
		emit(".SS " word[i] "\n")
		emit(roff(toupper(substr(type_summary[word[i]], 1, 1)) \
			substr(type_summary[word[i]], 2) ".") "\n.PP\n")
		verbatim(type_code[word[i]])
		emit(type_members[word[i]])
		types_show(type_code[word[i]])
	}
}

function example_show(file,   text, status, all)
{
	while ((status = (getline text <file)) > 0)
		if (text !~ /SPDX-License-Identifier/)
			all = all text "\n"
	close(file)
	if (status < 0) {
		print file ": each public function has an example" >"/dev/stderr"
		failed = 1
		return
	}
	sub(/\n$/, "", all)
	heading("EXAMPLE")
	verbatim(all)
}

function see_also(self,   i, list)
{
	for (i = 1; i <= count; i++)
		if (i != self && function_header[i] == function_header[self])
			list = list (list ? ",\n" : "") ".BR " function_name[i] " (3)"
	gsub(/ \(3\),/, " (3),", list)
	heading("SEE ALSO")
	emit(list (list ? ",\n" : "") ".BR accel (1)\n")
}

function page_write(i)
{
	page = folder "/" function_name[i] ".3"
	emit(".\\\" Made from " function_header[i] "\n")
	emit(".TH " function_name[i] " 3 \"\" \"libaccel " version "\" \"libaccel\"\n")
	heading("NAME")
	emit(function_name[i] " \\- " roff(function_summary[i]) "\n")
	heading("SYNOPSIS")
	verbatim("#include <" function_header[i] ">\n\n" function_code[i])
	emit(".PP\n.I \"cc program.c $(pkg-config --cflags --libs libaccel)\"\n")
	heading("DESCRIPTION")
	text_sort(function_text[i])
	emit(function_parameters[i])
	if (description ~ /[^\n]/) {
		emit(".PP\n")
		sub(/^\n+/, "", description)
		paragraphs(description)
	}
	if (returns) {
		heading("\"RETURN VALUE\"")
		paragraphs(returns)
	}
	if (safety) {
		heading("ATTRIBUTES")
		paragraphs(safety)
	}
	types_shown = 0
	split("", shown)
	types_show(function_code[i])
	example_show(examples "/" function_name[i] ".c")
	see_also(i)
	close(page)
}

FNR == 1 {
	header = FILENAME
	sub(/.*\/include\//, "", header)
	state = ""
}

/^\/\*\*$/ {
	state = "comment"
	reset_comment()
	next
}

state == "comment" && /\*\/$/ {
	state = "declaration"
	code = ""
	next
}

state == "comment" {
	sub(/^ \* ?/, "")
	comment_line($0)
	next
}

state == "declaration" {
	code = code (code == "" ? "" : "\n") $0
	if (is_function ? /;$/ : /^};$/) {
		declaration_end()
		state = ""
	}
}

END {
	for (i = 1; i <= count; i++)
		page_write(i)
	exit failed
}
