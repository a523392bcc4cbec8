/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "base/index.h"
#include "base/memory.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "engine/naming.h"
#include "model/image.h"
#include "model/object.h"

static const char of_kernel[] = "none: the kernel, for a system call";

/* What the code is called; its address then is where the function begins. */
static struct fault_symbol name_code(struct faults_run *run, const struct fault_code *code)
{
	struct fault_symbol symbol = { .address = code->ip };
	struct named named;

	if (code->kernel) {
		symbol.address = 0;
		symbol.name_reason = of_kernel;
		symbol.object = BYTES("[kernel]");
		return symbol;
	}
	naming_at(run->naming, code->ip, &named);
	if (!named.image) {
		symbol.name_reason = symbol.object_reason = named.reason;
		return symbol;
	}
	symbol.object = named.image->path;
	if (!named.symbol) {
		symbol.name_reason = named.symbol_reason;
		return symbol;
	}
	symbol.name = object_symbol_name(named.symbol);
	symbol.address = code->ip - named.offset;
	return symbol;
}

static void add_tally(struct fault_tally *sum, const struct fault_tally *tally)
{
	for (unsigned i = 0; i < FAULT_REASON_COUNT; i++)
		sum->by[i] += tally->by[i];
	sum->major += tally->major;
}

static void add_symbol(struct faults_run *run, struct index *index,
		       const struct fault_symbol *symbol, const struct fault_tally *tally)
{
	uint32_t at = index_find(index, symbol->address);

	if (at == INDEX_NONE) {
		at = (uint32_t)run->symbol_count;
		run->symbols = mem_room(run->symbols, run->symbol_count, &run->symbol_cap,
					sizeof(*run->symbols));
		run->symbols[run->symbol_count++] = *symbol;
		index_add(index, symbol->address, at);
	}
	add_tally(&run->symbols[at].tally, tally);
}

void faults_name(struct faults_run *run)
{
	const struct fault_study *study = &run->study;
	struct index index = { 0 };
	bool named;

	run->naming = naming_new(run->ctx);
	named = naming_process(run->naming, &run->later, NULL) == 0;
	for (size_t i = 0; i < study->code_count; i++) {
		struct fault_symbol symbol = { .address = study->codes[i].ip,
					       .name_reason = "gone",
					       .object_reason = "gone" };

		if (named)
			symbol = name_code(run, &study->codes[i]);
		add_symbol(run, &index, &symbol, &study->codes[i].tally);
	}
	if (fault_tally_sum(&study->more)) {
		const struct fault_symbol more = {
			.address = UINT64_MAX,
			.name_reason = "not known: too many places in the code",
			.object_reason = "not known: too many places in the code",
		};

		add_symbol(run, &index, &more, &study->more);
	}
	index_fini(&index);
}
