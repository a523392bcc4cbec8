/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/filter.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "base/out.h"
#include "column/column.h"

enum {
	DEPTH_MAX = 64,
	TERMS_MAX = 1000,
	REGEX_MAX = 1000, /* characters, a{m,n} written out */
};

enum operation {
	OP_AND,
	OP_OR,
	OP_NOT,
	OP_HAS, /* a column alone */
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_EQ,
	OP_NE,
	OP_MATCH,
	OP_NO_MATCH,
};

struct filter {
	enum operation operation;
	struct filter *left, *right;
	const struct column *column;
	struct value literal;
	regex_t regex;
	bool has_regex;
};

struct parse {
	const char *text, *at;
	const struct column_set *set;
	struct arena *arena;
	struct error *err;
	unsigned depth, terms;
};

static const struct {
	const char *text;
	enum operation operation;
} operators[] = {
	{ "<=", OP_LE }, { ">=", OP_GE }, { "==", OP_EQ }, { "!=", OP_NE },   { "!~", OP_NO_MATCH },
	{ "<", OP_LT },	 { ">", OP_GT },  { "=", OP_EQ },  { "~", OP_MATCH },
};

static int parse_or(struct parse *parse, struct filter **out);

static int fail(const struct parse *parse, const char *what)
{
	return error_set(parse->err, EINVAL, "filter: %s at column %zu of '%.200s'", what,
			 (size_t)(parse->at - parse->text) + 1, parse->text);
}

static void skip_blanks(struct parse *parse)
{
	while (isspace((unsigned char)*parse->at))
		parse->at++;
}

static bool take(struct parse *parse, const char *token)
{
	size_t len = strlen(token);

	skip_blanks(parse);
	if (strncmp(parse->at, token, len) != 0)
		return false;
	parse->at += len;
	return true;
}

static struct filter *make(struct parse *parse, enum operation operation, struct filter *left,
			   struct filter *right)
{
	struct filter *filter = arena_zalloc(parse->arena, sizeof(*filter));

	filter->operation = operation;
	filter->left = left;
	filter->right = right;
	return filter;
}

static struct bytes take_name(struct parse *parse)
{
	const char *start;

	skip_blanks(parse);
	start = parse->at;
	while (isalnum((unsigned char)*parse->at) || *parse->at == '_' || *parse->at == '.')
		parse->at++;
	return (struct bytes){ start, (size_t)(parse->at - start) };
}

static int fail_at(struct parse *parse, const char *at, const char *what)
{
	parse->at = at;
	return fail(parse, what);
}

/* A quoted text, or everything up to a blank, a closing parenthesis or && and ||. */
static int take_literal(struct parse *parse, char **out)
{
	const char *start;
	size_t len;
	char quote;

	skip_blanks(parse);
	quote = *parse->at;
	if (quote == '"' || quote == '\'') {
		start = ++parse->at;
		while (*parse->at && *parse->at != quote)
			parse->at++;
		if (!*parse->at)
			return fail_at(parse, start - 1, "a quote is not closed");
		len = (size_t)(parse->at++ - start);
	} else {
		start = parse->at;
		while (*parse->at && !isspace((unsigned char)*parse->at) && *parse->at != ')' &&
		       strncmp(parse->at, "&&", 2) != 0 && strncmp(parse->at, "||", 2) != 0)
			parse->at++;
		len = (size_t)(parse->at - start);
		if (!len)
			return fail(parse, "a value is missing");
	}
	*out = arena_alloc(parse->arena, len + 1);
	memcpy(*out, start, len);
	(*out)[len] = '\0';
	return 0;
}

/* "0.3" or "30%": of what strtod(3) takes only that. */
static bool parse_ratio(const char *text, double *out)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || (size_t)(end - text) != strspn(text, "-.0123456789"))
		return false;
	if (*end == '%') {
		number /= 100;
		end++;
	}
	*out = number;
	return !*end;
}

static bool parse_signed(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	uint64_t number;

	if (!num_user_size(text + negative, &number) || number > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

/* "fe:01", in hex as maps has it. */
static bool parse_dev(const char *text, uint64_t *out)
{
	const char *end = text + strlen(text);
	uint64_t major, minor;

	if (!num_parse_hex(&text, end, &major) || *text++ != ':' ||
	    !num_parse_hex(&text, end, &minor) || text != end || major > UINT32_MAX ||
	    minor > UINT32_MAX)
		return false;
	*out = major << 32 | minor;
	return true;
}

static bool parse_bool(const char *text, uint64_t *out)
{
	*out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	return *out || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool parse_by_type(enum value_type type, const char *text, struct value *out)
{
	*out = (struct value){ 0 };
	switch (type) {
	case VALUE_BYTES:
		return num_user_size(text, &out->u);
	case VALUE_COUNT:
		return num_user_size(text, &out->u);
	case VALUE_NUMBER:
	case VALUE_DELTA:
		return parse_signed(text, &out->i);
	case VALUE_ADDR:
		return num_user_addr(text, &out->u);
	case VALUE_DEV:
		return parse_dev(text, &out->u);
	case VALUE_RATIO:
		return parse_ratio(text, &out->d);
	case VALUE_NS:
		return num_user_time(text, &out->u);
	case VALUE_BOOL:
		return parse_bool(text, &out->u);
	case VALUE_WORD:
		out->word = text;
		return true;
	case VALUE_BITS:
		return false;
	default:
		out->text = bytes_of(text);
		return true;
	}
}

/* A name that a process chose would decide how long matching takes: without end. */
static bool refers_back(const char *text)
{
	for (; (text = strchr(text, '\\')) && text[1]; text += 2)
		if (text[1] >= '1' && text[1] <= '9')
			return true;
	return false;
}

/* Past "[..]", "{m,n}" or an escape at text, to its last character; the greater of m and n in *times. */
static const char *regex_skip(const char *text, uint64_t *times)
{
	const char *end = text;
	uint64_t number;

	if (*text == '{') {
		end = strchrnul(text, '}');
		for (const char *at = text + 1; at < end; at++)
			if (num_parse_dec(&at, end, &number) && number > *times)
				*times = number;
	} else if (*text == '[') {
		end = strchrnul(text + 1 + (text[1] == '^') + (text[1] && text[2] == ']'), ']');
	} else if (*text == '\\') {
		end = text + 1;
	}
	return *end ? end : end - 1;
}

/*
 * How many characters a regular expression has about when each a{m,n} and a+ is written out, as the C
 * library does: time and memory of matching grow with the square of it.
 */
static uint64_t regex_size(const char *text)
{
	uint64_t sum[DEPTH_MAX] = { 0 }, last = 0, times;
	unsigned depth = 0;

	for (const char *at = text; *at && last <= REGEX_MAX; at++) {
		times = 1;
		if (*at == ')' && depth) {
			last += sum[depth--];
		} else if (*at == '{') {
			at = regex_skip(at, &times);
			last = times > REGEX_MAX ? REGEX_MAX + 1 : last * (times + 1);
		} else if (*at == '+') {
			last *= 2;
		} else if (!strchr("*+?", *at)) {
			sum[depth] += last;
			last = *at != '(';
			if (*at == '(' && ++depth == DEPTH_MAX)
				return REGEX_MAX + 1;
			if (*at == '(')
				sum[depth] = 0;
			else
				at = regex_skip(at, &times);
		}
	}
	return last + sum[depth];
}

static int parse_regex(struct parse *parse, struct filter *filter, const char *text,
		       const char *start)
{
	char message[128];
	int rc;

	if (strlen(text) > REGEX_MAX || regex_size(text) > REGEX_MAX)
		return fail_at(parse, start, "too big a regular expression");
	if (refers_back(text))
		return fail_at(parse, start, "a regular expression that refers back");
	rc = regcomp(&filter->regex, text, REG_EXTENDED | REG_NOSUB);
	if (rc) {
		regerror(rc, &filter->regex, message, sizeof(message));
		return fail_at(parse, start, message);
	}
	filter->has_regex = true;
	return 0;
}

static int parse_literal(struct parse *parse, struct filter *filter)
{
	const char *start;
	char *text = NULL;
	int rc;

	skip_blanks(parse);
	start = parse->at;
	rc = take_literal(parse, &text);
	if (rc)
		return rc;
	if (filter->operation == OP_MATCH || filter->operation == OP_NO_MATCH)
		return parse_regex(parse, filter, text, start);
	if (!parse_by_type(filter->column->type, text, &filter->literal))
		return fail_at(parse, start, "a value that its column can not have");
	return 0;
}

static int no_column(struct parse *parse, struct bytes name)
{
	char what[128], advice[80];

	snprintf(what, sizeof(what), "no such column%s",
		 column_advice(parse->set, name, advice, sizeof(advice)));
	return fail_at(parse, name.data, what);
}

static int parse_comparison(struct parse *parse, struct filter **out)
{
	struct bytes name = take_name(parse);
	struct filter *filter;

	if (!name.len)
		return fail(parse, "a column is missing");
	filter = make(parse, OP_HAS, NULL, NULL);
	filter->column = column_find(parse->set, name);
	if (!filter->column)
		return no_column(parse, name);
	*out = filter;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!take(parse, operators[i].text))
			continue;
		filter->operation = operators[i].operation;
		return parse_literal(parse, filter);
	}
	return 0;
}

static int parse_not(struct parse *parse, struct filter **out)
{
	int rc;

	if (parse->depth >= DEPTH_MAX)
		return fail(parse, "nested too deep");
	if (parse->terms++ == TERMS_MAX)
		return fail(parse, "too many terms");
	parse->depth++;
	if (take(parse, "!")) {
		rc = parse_not(parse, out);
		if (rc == 0)
			*out = make(parse, OP_NOT, *out, NULL);
	} else if (take(parse, "(")) {
		rc = parse_or(parse, out);
		if (rc == 0 && !take(parse, ")"))
			rc = fail(parse, "a parenthesis is not closed");
	} else {
		rc = parse_comparison(parse, out);
	}
	parse->depth--;
	return rc;
}

static int parse_and(struct parse *parse, struct filter **out)
{
	struct filter *right = NULL;
	int rc = parse_not(parse, out);

	while (rc == 0 && take(parse, "&&")) {
		struct filter *both = make(parse, OP_AND, *out, NULL);

		*out = both;
		right = NULL;
		rc = parse_not(parse, &right);
		both->right = right;
	}
	return rc;
}

static int parse_or(struct parse *parse, struct filter **out)
{
	struct filter *right = NULL;
	int rc = parse_and(parse, out);

	while (rc == 0 && take(parse, "||")) {
		struct filter *both = make(parse, OP_OR, *out, NULL);

		*out = both;
		right = NULL;
		rc = parse_and(parse, &right);
		both->right = right;
	}
	return rc;
}

int filter_parse(struct filter **filter, const struct column_set *set, const char *text,
		 struct arena *arena, struct error *err)
{
	struct parse parse = { text, text, set, arena, err, 0, 0 };
	struct filter *made = NULL;
	int rc;

	*filter = NULL;
	if (!text)
		return 0;
	rc = parse_or(&parse, &made);
	skip_blanks(&parse);
	if (rc == 0 && *parse.at)
		rc = fail(&parse, "something that does not belong here");
	if (rc) {
		filter_free(made);
		return rc;
	}
	*filter = made;
	return 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	filter_free(filter->left);
	filter_free(filter->right);
	if (filter->has_regex)
		regfree(&filter->regex);
	filter->has_regex = false;
}

unsigned filter_needs(const struct filter *filter)
{
	if (!filter)
		return 0;
	return filter_needs(filter->left) | filter_needs(filter->right) |
	       (filter->column ? filter->column->needs : 0);
}

static bool is_text(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_CODES || type == VALUE_MEANINGS ||
	       type == VALUE_NUMBERS || type == VALUE_ARGS;
}

static bool has(enum value_type type, const struct value *value)
{
	if (is_text(type))
		return value->text.len;
	if (type == VALUE_WORD)
		return *value->word;
	if (type == VALUE_RATIO)
		return value->d > 0;
	return value->u;
}

static bool regex_matches(const struct filter *filter, struct bytes text)
{
	regmatch_t range = { 0, (regoff_t)text.len };

	return regexec(&filter->regex, text.data ? text.data : "", 1, &range, REG_STARTEND) == 0;
}

/* Codes in words, as the table shows them: joined by ", ". */
static void write_meanings(struct out *out, struct bytes text, const struct code_name *codes)
{
	for (size_t at = 0, end; at < text.len; at = end + 1) {
		const char *space = memchr(text.data + at, ' ', text.len - at);
		const struct code_name *code = codes;
		struct bytes word;

		end = space ? (size_t)(space - text.data) : text.len;
		word = (struct bytes){ text.data + at, end - at };
		while (code->code && !bytes_equal(bytes_of(code->code), word))
			code++;
		if (out->len && word.len)
			out_str(out, ", ");
		if (code->code)
			out_str(out, code->meaning);
		else
			out_mem(out, word.data, word.len);
	}
}

/* The text that a regular expression sees: numbers in decimal, addresses in hex, bits by name. */
static bool matches(const struct filter *filter, const struct value *value)
{
	const struct column *column = filter->column;
	struct out out;
	bool found;

	if (is_text(column->type) && column->type != VALUE_MEANINGS)
		return regex_matches(filter, value->text);
	if (column->type == VALUE_WORD)
		return regex_matches(filter, bytes_of(value->word));
	out_init_memory(&out);
	if (column->type == VALUE_BITS) {
		for (unsigned bit = 0; bit < 64; bit++)
			if (value->u >> bit & 1 && column->codes[bit].code)
				out_printf(&out, "%s ", column->codes[bit].code);
	} else if (column->type == VALUE_MEANINGS) {
		write_meanings(&out, value->text, column->codes);
	} else if (column->type == VALUE_ADDR) {
		out_hex(&out, value->u, 1);
	} else if (column->type == VALUE_NUMBER || column->type == VALUE_DELTA) {
		out_i64(&out, value->i);
	} else if (column->type == VALUE_DEV) {
		out_printf(&out, "%02x:%02x", (unsigned)(value->u >> 32), (unsigned)value->u);
	} else if (column->type == VALUE_RATIO) {
		out_printf(&out, "%.6g", value->d);
	} else {
		out_u64(&out, value->u);
	}
	found = regex_matches(filter, (struct bytes){ out.buf, out.len });
	out_fini(&out);
	return found;
}

static bool compare_matches(const struct filter *filter, const struct value *value)
{
	int order = value_compare(filter->column->type, value, &filter->literal);

	switch (filter->operation) {
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	case OP_EQ:
		return order == 0;
	default:
		return order != 0;
	}
}

/* What an absent value says is not known, and neither is the opposite. */
enum truth { NO, YES, UNKNOWN };

static enum truth column_truth(const struct filter *filter, const void *row)
{
	struct value value = filter->column->get(row, filter->column);

	if (value.reason)
		return UNKNOWN;
	switch (filter->operation) {
	case OP_HAS:
		return has(filter->column->type, &value) ? YES : NO;
	case OP_MATCH:
		return matches(filter, &value) ? YES : NO;
	case OP_NO_MATCH:
		return matches(filter, &value) ? NO : YES;
	default:
		return compare_matches(filter, &value) ? YES : NO;
	}
}

static enum truth truth_of(const struct filter *filter, const void *row);

/* NO of one is NO of both; YES of one is YES of either: decided is what decides alone. */
static enum truth truth_of_two(const struct filter *filter, const void *row, enum truth decided)
{
	enum truth left = truth_of(filter->left, row), right;

	if (left == decided)
		return decided;
	right = truth_of(filter->right, row);
	return right == decided || left != UNKNOWN ? right : UNKNOWN;
}

static enum truth truth_of(const struct filter *filter, const void *row)
{
	enum truth inner;

	switch (filter->operation) {
	case OP_AND:
		return truth_of_two(filter, row, NO);
	case OP_OR:
		return truth_of_two(filter, row, YES);
	case OP_NOT:
		inner = truth_of(filter->left, row);
		return inner == UNKNOWN ? UNKNOWN : inner == YES ? NO : YES;
	default:
		return column_truth(filter, row);
	}
}

bool filter_matches(const struct filter *filter, const void *row)
{
	return !filter || truth_of(filter, row) == YES;
}
