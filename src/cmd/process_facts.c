/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/process_facts.h"

#include <string.h>

#include "base/encode.h"
#include "base/out.h"
#include "model/process.h"
#include "render/report.h"
#include "source/pids.h"
#include "source/root.h"

/* A fact that is listed in missing where it is not known: null here, the reason there. */
static void fact(struct report *report, const struct process *process, const char *key,
		 enum value_type type, struct value value)
{
	if (missing_find(&process->missing, key))
		value = value_none();
	report_fact(report, key, type, value);
}

static void range(struct report *report, const char *key, uint64_t start, uint64_t end)
{
	report_object(report, key);
	report_fact(report, "start", VALUE_ADDR, value_u(start));
	report_fact(report, "end", VALUE_ADDR, end ? value_u(end) : value_none());
	report_object_end(report);
}

void process_layout_facts(struct report *report, const struct process *process, uint64_t heap_end,
			  uint64_t stack_end)
{
	const struct process_layout *layout = &process->layout;

	if (!layout->known) {
		report_fact(report, "layout", VALUE_WORD, value_none());
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

void process_facts_short(struct report *report, const struct process *process)
{
	report_fact(report, "pid", VALUE_NUMBER, value_i(process->pid));
	fact(report, process, "comm", VALUE_TEXT, value_text(process->comm));
}

void process_facts(struct report *report, const struct process *process)
{
	char state[2] = { process->state, '\0' };

	process_facts_short(report, process);
	fact(report, process, "cmdline", VALUE_ARGS, value_text(process->cmdline));
	fact(report, process, "exe", VALUE_TEXT, value_text(process->exe));
	fact(report, process, "uid", VALUE_COUNT, value_u(process->uid));
	fact(report, process, "user", VALUE_TEXT, value_text(process->user));
	report_fact(report, "state", VALUE_TEXT, value_text(bytes_of(state)));
	report_fact(report, "ppid", VALUE_NUMBER, value_i(process->ppid));
	report_fact(report, "threads", VALUE_COUNT, value_u(process->threads));
	report_fact(report, "start_time", VALUE_COUNT, value_u(process->start_time));
	fact(report, process, "cgroup", VALUE_TEXT, value_text(process->cgroup));
}

void process_title(struct out *out, const struct process *process)
{
	struct bytes args = process->cmdline;

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
		out_str(out, " <zombie>");
}

const char *process_no_memory(const struct process *process)
{
	if (process->state == 'Z' || process->state == 'X')
		return "gone: the process is a zombie";
	return process->cmdline.len ? NULL : "kernel thread: has no memory of its own";
}

void process_user(const struct root *root, struct arena *arena, struct process *process)
{
	if (pids_user(root, process->pid, arena, &process->user))
		missing_add(&process->missing, "user",
			    root->recorded ? "not recorded" : "no name for the uid");
}
