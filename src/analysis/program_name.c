/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/program_name.h"

#include <string.h>

#include "base/arena.h"
#include "base/array.h"

/* Programs that run others: the first argument that is no option is the script. */
static const struct interpreter {
	struct bytes name; /* "python" is python3 and python3.11, too */
	const char *with_value; /* options that take the next argument */
	const char *module; /* the option whose argument is what runs, or NULL */
	const char *inline_code; /* options with which there is no script */
} interpreters[] = {
	{ BYTES_INIT("python"), "WX", "-m", "c" }, { BYTES_INIT("pypy"), "WX", "-m", "c" },
	{ BYTES_INIT("perl"), "", NULL, "eE" },	   { BYTES_INIT("ruby"), "Ir", NULL, "e" },
	{ BYTES_INIT("node"), "r", NULL, "ep" },   { BYTES_INIT("php"), "cd", NULL, "r" },
	{ BYTES_INIT("java"), "", "-jar", "" },	   { BYTES_INIT("bash"), "Oo", NULL, "c" },
	{ BYTES_INIT("dash"), "o", NULL, "c" },	   { BYTES_INIT("sh"), "o", NULL, "c" },
	{ BYTES_INIT("lua"), "l", NULL, "e" },	   { BYTES_INIT("guile"), "lL", NULL, "c" },
};

static struct bytes last_part(struct bytes path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - path.data) : 0;

	/* not of "dir/" */
	return skip < path.len ? (struct bytes){ path.data + skip, path.len - skip } : path;
}

static struct bytes next_argument(struct bytes *left)
{
	struct bytes argument = { left->data, strnlen(left->data, left->len) };
	size_t taken = argument.len < left->len ? argument.len + 1 : argument.len;

	*left = (struct bytes){ left->data + taken, left->len - taken };
	return argument;
}

static struct bytes until(struct bytes text, char end)
{
	const char *at = text.len ? memchr(text.data, end, text.len) : NULL;

	return at && at > text.data ? (struct bytes){ text.data, (size_t)(at - text.data) } : text;
}

/* "/usr/bin/redis-server *:6379", "postgres: checkpointer", "-bash" */
static struct bytes name_of(struct bytes argument, struct bytes comm)
{
	struct bytes name = last_part(argument);

	/* one with blanks in its path, or in its own name */
	if (!bytes_start_with(name, comm) || !comm.len)
		name = last_part(until(until(argument, ' '), ':'));
	else if (comm.len < 15)
		name = until(until(name, ' '), ':');
	if (name.len > 1 && name.data[0] == '-')
		name = (struct bytes){ name.data + 1, name.len - 1 };
	return name.len ? name : comm;
}

/* The digits of a version may follow. */
static const struct interpreter *find_interpreter(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++) {
		size_t at = interpreters[i].name.len;

		if (!bytes_start_with(name, interpreters[i].name))
			continue;
		while (at < name.len && strchr("0123456789.", name.data[at]))
			at++;
		if (at == name.len)
			return &interpreters[i];
	}
	return NULL;
}

static bool is_option(struct bytes argument, const char *letters)
{
	return argument.len == 2 && argument.data[1] && strchr(letters, argument.data[1]);
}

/* What the interpreter runs; empty: it is not a file. */
static struct bytes script_of(const struct interpreter *interpreter, struct bytes left)
{
	while (left.len) {
		struct bytes argument = next_argument(&left);

		if (!argument.len)
			continue;
		if (argument.data[0] != '-' || argument.len == 1)
			return argument.len == 1 && argument.data[0] == '-' ? BYTES("") :
									      last_part(argument);
		if (interpreter->module && bytes_equal(argument, bytes_of(interpreter->module)))
			return last_part(next_argument(&left));
		if (is_option(argument, interpreter->inline_code))
			break;
		if (is_option(argument, interpreter->with_value))
			next_argument(&left);
	}
	return BYTES("");
}

struct bytes program_name(struct arena *arena, struct bytes comm, struct bytes cmdline)
{
	const struct interpreter *interpreter;
	struct bytes left = cmdline, argument, name, script;
	char *both;

	if (!left.len)
		return comm;
	argument = next_argument(&left);
	if (!argument.len)
		return comm;
	name = name_of(argument, comm);
	interpreter = find_interpreter(name);
	script = interpreter ? script_of(interpreter, left) : BYTES("");
	if (!script.len)
		return name;
	both = arena_alloc(arena, name.len + 1 + script.len);
	memcpy(both, name.data, name.len);
	both[name.len] = ' ';
	memcpy(both + name.len + 1, script.data, script.len);
	return (struct bytes){ both, name.len + 1 + script.len };
}
