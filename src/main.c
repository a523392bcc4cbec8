/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/context.h"
#include "cmd/pmap.h"
#include "cmd/privileges.h"
#include "render/schema_text.h"

static const struct command commands[] = {
	{ "map", "PID...",
	  "What is mapped, how much of it is resident, shared, dirty, huge, swapped", map_run,
	  pmap_help, true, true },
	{ "ps", "[PID...]", "All processes, one a row, by the memory that is theirs", ps_run,
	  NULL },
	{ "at", "PID ADDRESS|SYMBOL",
	  "Everything about one address: mapping, symbol, page table indices, page, frame", at_run,
	  NULL, true, true },
	{ "share", "PID...",
	  "Which bytes these processes share, exactly, frame by frame; their footprint", share_run,
	  NULL },
	{ "huge", "PID...", "How much is in huge pages, by size, and why the rest is not", huge_run,
	  NULL },
	{ "swap", "[PID...]", "Who fills swap: own and shared slots, by device", swap_run, NULL },
	{ "system", "", "Every frame of memory by use, held against meminfo", system_run, NULL },
	{ "numa", "PID...", "On which node the memory is, under which policy", numa_run, NULL },
	{ "cow", "PARENT [CHILD]",
	  "What fork still shares, who copied what, what copies may still take", cow_run, NULL },
	{ "frag", "[PID...]",
	  "Is memory fragmented, at which order; how a process's space is cut up", frag_run, NULL },
	{ "who", "TARGET", "Who maps PID:ADDRESS, PID:LOW-HIGH, pfn:N, phys:ADDRESS or a file",
	  who_run, NULL },
	{ "live", "[PID]", "All of it on a screen, with changes marked", live_run },
	{ "elf", "PID...", "Memory by object, segment, section, symbol; what needs a restart",
	  elf_run, NULL, true, true },
	{ "pages", "PID [RANGE]",
	  "The state of every page: frame, flags, map count, swap slot, node", pages_run, NULL,
	  true },
};

enum { COMMANDS = ARRAY_SIZE(commands) };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (name && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_help(struct out *out)
{
	const struct option_table common = { common_options, common_options_count, NULL };

	out_str(out,
		"Usage: vmview [COMMAND] [OPTIONS] PID...\n"
		"Where is the memory of a process, physically; who shares it; in what state is it.\n"
		"\nCommands (map where none is given; vmview COMMAND --help tells its options):\n");
	for (size_t i = 0; i < COMMANDS; i++)
		out_printf(out, "  %-10s %-16s %s\n", commands[i].name, commands[i].operands,
			   commands[i].help);
	out_str(out, "\nOptions of all commands:\n");
	options_help(out, &common);
}

/* What needs no command. */
static bool answer(struct out *out, const char *option)
{
	if (!option)
		return false;
	if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
		print_help(out);
	else if (strcmp(option, "--version") == 0 || strcmp(option, "-V") == 0)
		out_str(out, PACKAGE_STRING "\n");
	else if (strcmp(option, "--json-schema") == 0)
		out_str(out, schema_text);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct context ctx = { .root.fd = -1 };
	const struct command *command;

	command = find_command(argc > 1 ? argv[1] : NULL);
	privileges_drop((command ? command : &commands[0])->parses && !pmap_is_name(argv[0]));
	arena_init(&ctx.arena);
	out_init(&ctx.out, 1);
	if (pmap_is_name(argv[0]))
		ctx.status = pmap_run(&ctx, argc, argv);
	else if (argc == 2 && answer(&ctx.out, argv[1]))
		ctx.status = STATUS_OK;
	else if (argc < 2)
		ctx.status = STATUS_USAGE;
	else if (command)
		ctx.status = command->run(&ctx, command, argc - 1, argv + 1);
	else
		ctx.status = commands[0].run(&ctx, &commands[0], argc, argv);
	if (argc < 2 && ctx.status == STATUS_USAGE)
		error_note("which process? (try: vmview --help)");
	return context_close(&ctx);
}
