/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/similar.h"
#include "cmd/commands.h"
#include "cmd/pmap/pmap.h"
#include "source/about.h"
#include "engine/context.h"
#include "engine/privileges.h"
#include "engine/targets.h"

/* In the order in which questions come. */
static const struct command commands[] = {
	/* clang-format off */
	{ "map", "PID... [RANGE]", "What is mapped, and how much is resident, shared, dirty, huge, swapped",
	  map_run, pmap_help, .parses = true, .cores = INT_MAX, .examples = {
		{ "vmview 4711", "all mappings, sums by kind, totals" },
		{ "vmview --sort=-uss --filter='perm ~ w' 4711", "where private memory is" },
		{ "vmview --total -u www-data", "a line for each process of a user" } } },
	{ "why", "PID...", "Why it is so big: what it is for, how it could be had back, what to do",
	  why_run, .parses = true, .examples = {
		{ "vmview why 4711", "what is in RSS, and what could be had back" },
		{ "vmview why --malloc --explain 4711", "what the allocator keeps, and what words mean" },
		{ "vmview why --all", "a row for each process, with findings" } } },
	{ "malloc", "PID...", "What glibc's malloc has: arenas, in use, free, what it could give back",
	  malloc_run, .parses = true, .examples = {
		{ "vmview malloc 4711", "is it leaked, or free and kept" },
		{ "vmview malloc -n '^nginx$'", "of all processes of that name" },
		{ "vmview malloc -o +chunks_free,largest_free 4711", "in how many pieces it is free" } } },
	{ "pages", "PID [RANGE]", "The state of every page: frame, flags, map count, swap slot, node",
	  pages_run, .parses = true, .examples = {
		{ "vmview pages 4711 heap", "the heap, run by run" },
		{ "vmview pages --flags=dirty,~anon 4711", "dirty pages of files" },
		{ "vmview pages --summary 4711", "states and contiguity, a row a mapping" } } },
	{ "at", "PID [ADDRESS|SYMBOL]",
	  "Everything about one address: mapping, symbol, page table, page, frame",
	  at_run, .parses = true, .cores = 1, .examples = {
		{ "vmview at 4711 7f2a3c001000", "what is there" },
		{ "vmview at --explain 4711 7f2a3c001000", "what each fact means" },
		{ "vmview at 4711 libc.so.6:environ", "the same of a variable" } } },
	{ "who", "TARGET", "Who maps PID:ADDRESS, PID:LOW-HIGH, pfn:N, phys:ADDRESS or a file",
	  who_run, .examples = {
		{ "vmview who /usr/lib/x86_64-linux-gnu/libc.so.6", "who maps a library" },
		{ "vmview who 4711:7f2a3c001000", "who shares this page" },
		{ "vmview who phys:0x1c0000000", "whose memory is at this physical address" } } },
	{ "share", "PID...", "Which bytes these processes share, frame by frame; their footprint",
	  share_run, .examples = {
		{ "vmview share --tree=4711", "do the workers still share with their parent" },
		{ "vmview share -n '^postgres$'", "what a service takes, each frame once" },
		{ "vmview share 4711 4712", "what two processes have in common" } } },
	{ "cow", "PARENT [CHILD]", "What fork still shares, who copied what, what copies may still take",
	  cow_run, .examples = {
		{ "vmview cow 4711", "what a snapshot by fork took so far" },
		{ "vmview cow --interval=1 4711 4712", "how fast it grows" },
		{ "vmview cow --sort=-copied 4711 4712", "in which mappings" } } },
	{ "huge", "PID...", "How much is in huge pages, by size, and why the rest is not",
	  huge_run, .examples = {
		{ "vmview huge 4711", "coverage, mapping by mapping" },
		{ "vmview huge --why 4711", "why the rest is not huge" },
		{ "vmview huge --all", "of all processes" } } },
	{ "numa", "PID...", "On which node the memory is, under which policy",
	  numa_run, .examples = {
		{ "vmview numa 4711", "by mapping and node" },
		{ "vmview numa --sort=-remote 4711", "what is far from its threads" },
		{ "vmview numa --all", "of all processes" } } },
	{ "swap", "[PID...]", "Who fills swap: own and shared slots, by device",
	  swap_run, .examples = {
		{ "vmview swap", "who is in swap" },
		{ "vmview swap 4711", "with which mappings" },
		{ "vmview swap --sort=-own", "what ends with its process" } } },
	{ "elf", "PID...", "Memory by object, segment, section, symbol; what needs a restart",
	  elf_run, .parses = true, .cores = INT_MAX, .examples = {
		{ "vmview elf 4711", "programs and libraries" },
		{ "vmview elf --symbols 4711", "which functions and data are in memory" },
		{ "vmview elf --stale --all", "what to restart after an upgrade" } } },
	{ "ps", "[PID...]", "All processes, one a row, by the memory that is theirs",
	  ps_run, .examples = {
		{ "vmview ps", "all processes by PSS" },
		{ "vmview ps --sort=-huge", "who has huge pages" },
		{ "vmview ps --by=program", "all processes of a program together" } } },
	{ "system", "", "Every frame of memory by use, held against meminfo",
	  system_run, .asks_cache = true, .examples = {
		{ "vmview system", "what memory is used for" },
		{ "vmview system --map", "the same as a picture" },
		{ "vmview system --by=cgroup", "who is charged for it" } } },
	{ "frag", "[PID...]", "Is memory fragmented, at which order; how a process's space is cut up",
	  frag_run, .traces = true, .examples = {
		{ "vmview frag", "is there memory for huge pages, who is in the way" },
		{ "vmview frag 4711", "mappings, gaps and holes of a process" },
		{ "vmview frag --interval=5", "what compaction does meanwhile" } } },
	{ "cache", "[PATH...]", "Which files fill the page cache, who maps them or has them open",
	  cache_run, .asks_cache = true, .examples = {
		{ "vmview cache", "files that processes have" },
		{ "vmview cache /var/lib", "all files below a directory" },
		{ "vmview cache --sort=-dirty /srv", "what has to be written" } } },
	{ "cgroup", "[PATH|PID|NAME]", "What a cgroup is charged for, and whose pages these are",
	  cgroup_run, .examples = {
		{ "vmview cgroup", "all groups, as a tree" },
		{ "vmview cgroup nginx.service", "why a service is at its limit" },
		{ "vmview cgroup 4711", "the group of a process" } } },
	{ "faults", "PID", "Which mappings, code and threads fault right now, and why",
	  faults_run, .parses = true, .examples = {
		{ "vmview faults 4711", "the next second" },
		{ "vmview faults -i 10 4711", "the next ten" },
		{ "vmview faults --all -i 5", "who faults at all" } } },
	{ "wss", "PID", "How much of its memory a process uses: the working set",
	  wss_run, .clears = true, .examples = {
		{ "vmview wss 4711", "what was ever touched; changes nothing" },
		{ "vmview wss --clear-refs -i 10 4711", "what it uses in ten seconds" },
		{ "vmview wss --clear-refs -i 5 --count 12 4711", "how that grows" } } },
	{ "allocs", "", "Who takes memory right now, by order, and who breaks pageblocks up",
	  allocs_run, .traces = true, .examples = {
		{ "vmview allocs", "the next second" },
		{ "vmview allocs -i 10 --by=process", "by program" },
		{ "vmview allocs --filter='order >= 3'", "large blocks alone" } } },
	{ "record", "DIR PID...", "Keep the state of processes: a tree that --root reads",
	  record_run, .bare = true, .examples = {
		{ "vmview record before 4711", "keep it now" },
		{ "vmview --root=before 4711", "look at it later" },
		{ "vmview record all -u www-data", "all processes of a user" } } },
	{ "diff", "BEFORE AFTER", "What grew between two states of a process, recorded or living",
	  diff_run, .parses = true, .examples = {
		{ "vmview diff before after", "what grew between two recordings" },
		{ "vmview diff before 4711", "since a recording" },
		{ "vmview diff --top=10 before 4711", "where most of it went" } } },
	{ "live", "[PID]", "All of it on a screen, with changes marked",
	  live_run, .timeout_ns = 1000000000, .examples = {
		{ "vmview live", "all processes" },
		{ "vmview live --changes 4711", "what changes in one" },
		{ "vmview live --batch=5 --json 4711", "a document for each refresh" } } },
	/* clang-format on */
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
	out_str(out, "Usage: vmview [COMMAND] [OPTIONS] PID...\n"
		     "Where the memory of a process is, who shares it, and what state it is in.\n"
		     "\nCommands (map where none is given):\n");
	for (size_t i = 0; i < COMMANDS; i++)
		out_printf(out, "  %-7s %s\n", commands[i].name, commands[i].help);
	out_str(out, "\nvmview help COMMAND   its options, columns and examples\n"
		     "vmview help options   the options of all commands\n"
		     "man vmview            the questions people ask, and the command for each\n");
}

static void print_common_options(struct out *out)
{
	static const struct option_row choosing[] = { TARGET_OPTION_ROWS };
	const struct option_table common = { common_options, common_options_count, NULL };
	const struct option_table targets = { choosing, ARRAY_SIZE(choosing), NULL };

	out_str(out, "Options of all commands:\n");
	options_help(out, &common);
	out_str(out,
		"\nOf commands that take several processes, in place of PIDs (-n is pmap's in map):\n");
	options_help(out, &targets);
	out_str(out, "\nThe manual: man vmview-options\n");
}

/* What needs no command. */
static bool answer(struct out *out, const char *option)
{
	if (!option)
		return false;
	if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
		print_help(out);
	else if (strcmp(option, "--version") == 0 || strcmp(option, "-V") == 0)
		about_print(out);
	else
		return false;
	return true;
}

/* A word that is no command: "pss" may be ps, "nginx" the name of processes. */
static int unknown_command(const char *word)
{
	struct similar similar = { 0 };
	char advice[80];

	for (size_t i = 0; i < COMMANDS; i++)
		similar_try(&similar, bytes_of(word), commands[i].name);
	error_note("'%.100s' is neither a command nor a process id%s; processes of that name: "
		   "vmview --name=%.100s",
		   word, similar_advice(&similar, "", advice, sizeof(advice), ""), word);
	return STATUS_USAGE;
}

/* vmview help, vmview help COMMAND, vmview help options. */
static int run_help(struct context *ctx, int argc, char **argv)
{
	char option[] = "--help";
	const struct command *command = find_command(argc > 2 ? argv[2] : NULL);

	if (argc == 3 && strcmp(argv[2], "options") == 0) {
		print_common_options(&ctx->out);
		return STATUS_OK;
	}
	if (argc > 3 || (argc == 3 && !command)) {
		error_note("'%.100s' is no command (try: vmview --help)", argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (command)
		return command->run(ctx, command, 2, (char *[]){ argv[2], option, NULL });
	print_help(&ctx->out);
	return STATUS_OK;
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
	/* (a core may have any name) */
	if (target_is_name(argv[1]) && access(argv[1], F_OK))
		return unknown_command(argv[1]);
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
