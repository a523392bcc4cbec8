/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/pmap/pmap.h"
#include "engine/context.h"
#include "engine/privileges.h"

static const struct command commands[] = {
	{ "map", "PID... [RANGE]",
	  "What is mapped, how much of it is resident, shared, dirty, huge, swapped", map_run,
	  pmap_help, true, INT_MAX },
	{ "ps", "[PID...]", "All processes, one a row, by the memory that is theirs", ps_run,
	  NULL },
	{ "at", "PID [ADDRESS|SYMBOL]",
	  "Everything about one address: mapping, symbol, page table indices, page, frame", at_run,
	  NULL, true, 1 },
	{ "share", "PID...",
	  "Which bytes these processes share, exactly, frame by frame; their footprint", share_run,
	  NULL },
	{ "huge", "PID...", "How much is in huge pages, by size, and why the rest is not", huge_run,
	  NULL },
	{ "swap", "[PID...]", "Who fills swap: own and shared slots, by device", swap_run, NULL },
	{ "system", "", "Every frame of memory by use, held against meminfo", system_run,
	  .asks_cache = true },
	{ "cache", "[PATH...]", "Which files fill the page cache, who maps them or has them open",
	  cache_run, .asks_cache = true },
	{ "cgroup", "[PATH|PID|NAME]", "What a cgroup is charged for, and whose pages these are",
	  cgroup_run, NULL },
	{ "numa", "PID...", "On which node the memory is, under which policy", numa_run, NULL },
	{ "cow", "PARENT [CHILD]",
	  "What fork still shares, who copied what, what copies may still take", cow_run, NULL },
	{ "frag", "[PID...]",
	  "Is memory fragmented, at which order; how a process's space is cut up", frag_run,
	  .traces = true },
	{ "faults", "PID", "Which mappings, code and threads fault right now, and why", faults_run,
	  NULL, true },
	{ "wss", "PID", "How much of its memory a process uses: the working set", wss_run, NULL,
	  .clears = true },
	{ "allocs", "", "Who takes memory from the machine right now, and who breaks pageblocks up",
	  allocs_run, .traces = true },
	{ "record", "DIR PID...", "Keep the state of processes: a tree that --root reads",
	  record_run, NULL },
	{ "who", "TARGET", "Who maps PID:ADDRESS, PID:LOW-HIGH, pfn:N, phys:ADDRESS or a file",
	  who_run, NULL },
	{ "diff", "BEFORE AFTER", "What grew between two states of a process, recorded or living",
	  diff_run, NULL, true },
	{ "live", "[PID]", "All of it on a screen, with changes marked", live_run,
	  .timeout_ns = 1000000000 },
	{ "elf", "PID...", "Memory by object, segment, section, symbol; what needs a restart",
	  elf_run, NULL, true, INT_MAX },
	{ "why", "PID...", "Why it is so big: what it is for, how it could be had back, what to do",
	  why_run, NULL, true },
	{ "malloc", "PID...",
	  "What glibc's malloc has: arenas, in use, free, what could be given back", malloc_run,
	  NULL, true },
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

/* How many words of argv begin with an option of all commands: itself, its argument; 0: it is none. */
static int common_words(const char *word)
{
	for (size_t i = 0; i < common_options_count; i++) {
		const struct option_row *row = &common_options[i];
		size_t len = strlen(row->name);
		bool apart = row->arg && row->type != OPTION_OPTIONAL;

		if (word[0] == '-' && row->letter && word[1] == row->letter)
			return apart && !word[2] ? 2 : 1;
		if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, row->name, len) != 0)
			continue;
		if (!word[2 + len] || word[2 + len] == '=')
			return apart && !word[2 + len] ? 2 : 1;
	}
	return 0;
}

/*
 * The command, which is put first where options of all commands stand before it (of an option of map
 * we can not tell whether the word behind it is its argument). NULL: none is named.
 */
static const struct command *take_command(int argc, char **argv)
{
	const struct command *command;
	int at = 1, words;
	char *name;

	while (at < argc && (words = common_words(argv[at])))
		at += words;
	command = find_command(at < argc ? argv[at] : NULL);
	if (!command)
		return NULL;
	name = argv[at];
	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(argv[0]));
	argv[1] = name;
	return command;
}

static void print_help(struct out *out)
{
	const struct option_table common = { common_options, common_options_count, NULL };

	out_str(out,
		"Usage: vmview [COMMAND] [OPTIONS] PID...\n"
		"Where is the memory of a process, physically; who shares it; in what state is it.\n"
		"\nCommands (map where none is given; vmview help COMMAND tells its options):\n");
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
	else
		return false;
	return true;
}

/* vmview help, vmview help COMMAND. */
static int run_help(struct context *ctx, int argc, char **argv)
{
	char option[] = "--help";
	const struct command *command = find_command(argc > 2 ? argv[2] : NULL);

	if (argc > 3 || (argc == 3 && !command)) {
		error_note("'%.100s' is no command (try: vmview --help)", argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (command)
		return command->run(ctx, command, 2, (char *[]){ argv[2], option, NULL });
	print_help(&ctx->out);
	return STATUS_OK;
}

/* A word that is meant as a command: no id, no option, no file (a core may have any name). */
static bool is_unknown_command(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz")] && access(word, F_OK);
}

static int run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	if (pmap_is_name(argv[0]))
		return pmap_run(ctx, argc, argv);
	if (argc < 2) {
		error_note("which process? (try: vmview --help)");
		return STATUS_USAGE;
	}
	if (argc == 2 && answer(&ctx->out, argv[1]))
		return STATUS_OK;
	if (command)
		return command->run(ctx, command, argc - 1, argv + 1);
	if (strcmp(argv[1], "help") == 0)
		return run_help(ctx, argc, argv);
	if (is_unknown_command(argv[1])) {
		error_note("'%s' is neither a command nor a process id (try: vmview --help)",
			   argv[1]);
		return STATUS_USAGE;
	}
	return commands[0].run(ctx, &commands[0], argc, argv);
}

int main(int argc, char **argv)
{
	struct context ctx = { .root.fd = -1 };
	const struct command *command;

	/* a thread reads, the others wait: an arena for each would cost a tenth of the start */
	mallopt(M_ARENA_MAX, 1);
	/* what does not fit a limit is an error of write(2), and told as one */
	signal(SIGXFSZ, SIG_IGN);
	command = pmap_is_name(argv[0]) ? NULL : take_command(argc, argv);
	privileges_drop(&(struct privileges){
		.parses = (command ? command : &commands[0])->parses && !pmap_is_name(argv[0]),
		.asks_cache = command && command->asks_cache,
		.traces = command && command->traces,
		.clears = command && command->clears,
	});
	ctx.options.timeout = TIMEOUT_NS;
	arena_init(&ctx.arena);
	out_init(&ctx.out, 1);
	ctx.status = run(&ctx, command, argc, argv);
	return context_close(&ctx);
}
