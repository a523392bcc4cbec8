/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/process_facts.h"

#include <errno.h>

#include <string.h>

#include "base/encode.h"
#include "base/out.h"
#include "model/core.h"
#include "model/process.h"
#include "render/report.h"
#include "source/pids.h"
#include "source/root.h"
#include "source/users.h"

/* A fact that is listed in missing where it is not known. */
static void fact(struct report *report, const struct process *process, const char *key,
		 enum value_type type, struct value value)
{
	const char *reason = missing_find(&process->missing, key);

	if (reason)
		value = value_absent(reason);
	report_fact(report, key, type, value);
}

static void range(struct report *report, const char *key, uint64_t start, uint64_t end)
{
	report_object(report, key);
	report_fact(report, "start", VALUE_ADDR, value_u(start));
	report_fact(report, "end", VALUE_ADDR, end ? value_u(end) : value_none());
	report_object_end(report);
}

static void core_threads(struct report *report, const struct core *core)
{
	report_list(report, "threads");
	for (size_t i = 0; i < core->thread_count; i++) {
		const struct core_thread *thread = &core->threads[i];

		report_object(report, NULL);
		report_fact(report, "tid", VALUE_NUMBER, value_i(thread->tid));
		report_fact(report, "stack_pointer", VALUE_ADDR,
			    thread->sp ? value_u(thread->sp) :
					 value_absent("unsupported: not known of this machine"));
		report_object_end(report);
	}
	report_list_end(report);
}

/* Bytes of memory that are in a core, those that are not, and those in holes of it. */
static void process_core_size(const struct core *core, uint64_t *in_core, uint64_t *left_out,
			      uint64_t *holes)
{
	*in_core = *left_out = *holes = 0;
	for (size_t i = 0; i < core->mapping_count; i++) {
		const struct core_mapping *mapping = &core->mappings[i];

		*in_core += mapping->in_core;
		*holes += mapping->holes;
		*left_out += mapping->end - mapping->start - mapping->in_core - mapping->holes;
	}
}

/* "core": what only a core tells. */
static void core_facts(struct report *report, const struct core *core)
{
	const char *name = core_signal_name(core->signal);
	uint64_t in_core, left_out, holes;

	process_core_size(core, &in_core, &left_out, &holes);
	report_object(report, "core");
	report_fact(report, "file", VALUE_TEXT, value_text(bytes_of(core->path)));
	report_fact(report, "bits", VALUE_COUNT, value_u(core->wide ? 64 : 32));
	report_fact(report, "args", VALUE_TEXT,
		    core->has_process ? value_text(core->args) :
					value_absent("core: has no NT_PRPSINFO"));
	report_fact(report, "signal", VALUE_COUNT, value_u((uint32_t)core->signal));
	report_fact(report, "signal_name", VALUE_WORD, name ? value_word(name) : value_none());
	report_fact(report, "code", VALUE_NUMBER,
		    core->has_code ? value_i(core->code) : value_absent("core: has no NT_SIGINFO"));
	report_fact(report, "fault_address", VALUE_ADDR,
		    core->has_fault ? value_u(core->fault) :
				      value_absent("none: no signal with an address"));
	report_fact(report, "in_core", VALUE_BYTES, value_u(in_core));
	report_fact(report, "holes", VALUE_BYTES, value_u(holes));
	report_fact(report, "left_out", VALUE_BYTES, value_u(left_out));
	report_fact(report, "lost", VALUE_BYTES, value_u(core->lost));
	core_threads(report, core);
	report_object_end(report);
}

void process_core_note(struct report *report, const struct core *core)
{
	const char *name = core_signal_name(core->signal);
	struct out *out = report_prose(report);
	uint64_t in_core, left_out, holes;

	if (!out)
		return;
	process_core_size(core, &in_core, &left_out, &holes);
	out_str(out, "\ncore");
	if (core->index || core->next) {
		out_char(out, ' ');
		encode_text(out, bytes_of(core->path));
	}
	if (core->signal && name)
		out_printf(out, " of %s", name);
	else if (core->signal)
		out_printf(out, " of signal %d", core->signal);
	if (core->has_fault)
		out_printf(out, " at 0x%llx", (unsigned long long)core->fault);
	out_printf(out, ", %zu thread%s; it has ", core->thread_count,
		   core->thread_count == 1 ? "" : "s");
	report_size(report, out, in_core);
	out_str(out, " of ");
	report_size(report, out, in_core + left_out + holes);
	if (holes) {
		out_str(out, ", holes of it are ");
		report_size(report, out, holes);
		out_str(out, " more: zeros, or never touched");
	}
	out_char(out, '\n');
}

void process_layout_facts(struct report *report, const struct process *process, uint64_t heap_end,
			  uint64_t stack_end)
{
	const struct process_layout *layout = &process->layout;

	if (!layout->known) {
		report_fact(report, "layout", VALUE_WORD, value_absent(layout->reason));
		return;
	}
	report_object(report, "layout");
	range(report, "code", layout->code_start, layout->code_end);
	range(report, "data", layout->data_start, layout->data_end);
	range(report, "heap", layout->brk_start, heap_end);
	range(report, "stack", layout->stack_start, stack_end);
	range(report, "args", layout->args_start, layout->args_end);
	range(report, "env", layout->env_start, layout->env_end);
	report_object_end(report);
}

void process_facts(struct report *report, const struct process *process)
{
	char state[2] = { process->state, '\0' };

	report_fact(report, "pid", VALUE_NUMBER, value_i(process->pid));
	fact(report, process, "comm", VALUE_TEXT, value_text(process->comm));
	fact(report, process, "cmdline", VALUE_ARGS, value_text(process->cmdline));
	fact(report, process, "exe", VALUE_TEXT, value_text(process->exe));
	fact(report, process, "uid", VALUE_COUNT, value_u(process->uid));
	fact(report, process, "user", VALUE_TEXT, value_text(process->user));
	fact(report, process, "state", VALUE_TEXT, value_text(bytes_of(state)));
	fact(report, process, "ppid", VALUE_NUMBER, value_i(process->ppid));
	report_fact(report, "threads", VALUE_COUNT, value_u(process->threads));
	fact(report, process, "start_time", VALUE_COUNT, value_u(process->start_time));
	fact(report, process, "cgroup", VALUE_TEXT, value_text(process->cgroup));
	if (process->core)
		core_facts(report, process->core);
}

void process_title(struct out *out, const struct process *process)
{
	struct bytes args = bytes_trim_nuls(process->cmdline);

	if (!args.len) {
		out_char(out, '[');
		encode_text(out, process->comm);
		out_char(out, ']');
	}
	for (size_t at = 0; at < args.len;) {
		size_t len = strnlen(args.data + at, args.len - at);

		if (at)
			out_char(out, ' ');
		encode_text(out, (struct bytes){ args.data + at, len });
		at += len + 1;
	}
	if (process->state == 'Z')
		out_str(out, process->threads > 1 ? " <main thread exited>" : " <zombie>");
}

const char *process_no_memory(const struct process *process)
{
	if ((process->state == 'Z' && process->threads < 2) || process->state == 'X')
		return "gone: the process is a zombie";
	return process->kernel_thread ? "kernel thread: has no memory of its own" : NULL;
}

/* A recording may have the names of its users. */
static int recorded_user(const struct root *root, struct arena *arena, struct process *process)
{
	struct users users;

	if (!process->uid_known)
		return -ENOENT;
	users_init(&users, root, arena);
	process->user = users_name(&users, process->uid);
	users_fini(&users);
	return process->user.len ? 0 : -ENOENT;
}

void process_user(const struct root *root, struct arena *arena, struct process *process)
{
	if (root->recorded && recorded_user(root, arena, process) == 0)
		return;
	if (pids_user(root, process->pid, arena, &process->user))
		missing_add(&process->missing, "user",
			    root->recorded ? "not recorded" : "no name for the uid");
}
