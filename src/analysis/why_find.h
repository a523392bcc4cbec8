/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_WHY_FIND_H
#define VMVIEW_ANALYSIS_WHY_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

/* What findings are drawn from: numbers, each known or absent with the reason. */
enum why_fact {
	/* of the process, in bytes */
	WHY_FACT_NOTHING,
	WHY_FACT_RSS,
	WHY_FACT_HEAP, /* heap and arenas: resident */
	WHY_FACT_LAZY,
	WHY_FACT_HUGE,
	WHY_FACT_SMALL, /* anonymous, in mappings that have room for huge pages, but in small ones */
	WHY_FACT_SHM_OWN,
	WHY_FACT_SHM_SHARED,
	WHY_FACT_COPIES,
	WHY_FACT_LOCKED,
	WHY_FACT_PINNED,
	WHY_FACT_MERGED,
	WHY_FACT_SWAPPED,
	WHY_FACT_PAGE_TABLES,
	WHY_FACT_STACK_RSS,
	WHY_FACT_STACK_SIZE,
	WHY_FACT_DELETED,
	WHY_FACT_TEXT_COPIES,
	WHY_FACT_FILE_COPIES,
	WHY_FACT_PIECES_RSS,
	WHY_FACT_REMOTE,
	/* since an earlier moment */
	WHY_FACT_RSS_BEFORE,
	WHY_FACT_GREW,
	/* of malloc */
	WHY_FACT_MALLOC_SYSTEM,
	WHY_FACT_MALLOC_KEPT,
	WHY_FACT_MALLOC_TRIM,
	WHY_FACT_MALLOC_SCATTERED, /* kept, but not to be given back */
	WHY_FACT_THREAD_ARENAS_KEPT,
	/* counts */
	WHY_FACT_MALLOC_ARENAS,
	WHY_FACT_STACKS,
	WHY_FACT_PIECES, /* mappings of one file */
	WHY_FACT_MAPPINGS,
	WHY_FACT_MAP_LIMIT,
	WHY_FACT_CORES,
	/* of the machine, in bytes */
	WHY_FACT_MEMORY,
	WHY_FACT_AVAILABLE,
	WHY_FACT_SWAP_FREE,
	/* settings: 0, 1 */
	WHY_FACT_THP_ALWAYS,
	WHY_FACT_KSM_RUNS,
	WHY_FACT_MERGEABLE, /* of the process: whether any of it is */
	/* of its cgroup */
	WHY_FACT_GROUP,
	WHY_FACT_GROUP_LIMIT,
	WHY_FACT_GROUP_KILLS, /* counts, since it was made */
	WHY_FACT_GROUP_THROTTLED,
	WHY_FACT_GROUP_RECLAIMS,
	WHY_FACT_GROUP_STALLED, /* share of the last minute, in millionths */
	WHY_FACT_COUNT,
};

/* The key of JSON, and what kind of number it is. */
struct why_fact_name {
	const char *key;
	enum value_type type;
};

extern const struct why_fact_name why_fact_names[WHY_FACT_COUNT];

struct why_facts {
	struct number fact[WHY_FACT_COUNT];
	struct bytes deleted_name, pieces_name, grown_name;
	bool malloc_asked;
};

enum why_severity { WHY_NOTE, WHY_WARN, WHY_PROBLEM, WHY_SEVERITIES };

extern const char *const why_severity_names[WHY_SEVERITIES];

enum { WHY_EVIDENCE = 6, WHY_ADVICE = 3 };

/*
 * A rule. It holds where the facts that it needs are known, bytes is at least least and percent of RSS, and
 * test says so. Texts hold facts by their keys: "{rss}", and "{name}".
 */
struct why_rule {
	const char *id;
	enum why_fact bytes; /* what it is about; WHY_FACT_NOTHING: no bytes */
	uint64_t least;
	unsigned percent;
	unsigned warn; /* percent of RSS from which it is a warning; 0: never */
	bool estimate; /* the bytes are not exact */
	enum why_fact evidence[WHY_EVIDENCE]; /* all are needed, too */
	bool (*test)(const struct why_facts *facts, enum why_severity *severity); /* or NULL */
	const char *title;
	const char *advice[WHY_ADVICE];
	const char *explain;
};

extern const struct why_rule why_rules[];
extern const size_t why_rule_count;

struct why_finding {
	const struct why_rule *rule;
	enum why_severity severity;
	uint64_t bytes;
	struct bytes name; /* len 0: none */
};

/* The rules that hold: problems, then all others by their bytes. findings has room for why_rule_count. */
size_t why_find(const struct why_facts *facts, struct why_finding *findings);

/* The first of the gravest; NULL: there is none. */
const struct why_finding *why_gravest(const struct why_finding *findings, size_t count);

#endif
